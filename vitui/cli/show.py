"""``vitui show``: all about one run."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from vitui.cli.opening import Json, RunId, open_lab, print_json


def add_to(app: typer.Typer) -> None:
    app.command()(show)


def show(
    context: typer.Context,
    run: RunId,
    recipe: Annotated[
        bool, typer.Option("--recipe", help="The whole recipe rather than what differs from the preset.")
    ] = False,
    plot: Annotated[bool, typer.Option(help="Draw the curves.")] = True,
    json: Json = False,
) -> None:
    """Show a run: state and evidence, results beside the published number, recipe, evaluations, provenance, files."""
    lab = open_lab(context)
    run_id = lab.resolve(run)
    found = lab.run(run_id)
    if json:
        print_json(
            {
                **found._asdict(),
                "recipe": lab.config(run_id),
                "labels": lab.labels(run_id),
                "evals": [asdict(e) for e in lab.evals(run_id)],
                "provenance": lab.provenance(run_id),
                "path": str(lab.run_dir(run_id).path),
            }
        )
        return
    from vitui.cli.follow import print_summary
    from vitui.cli.plot import plot_run
    from vitui.cli.table import print_table
    from vitui.display import age, count, duration, progress, value
    from vitui.text import safe

    print_summary(lab, found)
    facts = [
        ("preset", found.preset),
        ("model", f"{found.model} ({count(found.params)} parameters)"),
        ("dataset", found.dataset),
        ("seed", str(found.seed)),
        (
            "progress",
            f"epoch {progress(found)}, step {found.step}/{found.total_steps}" if found.total_steps else "not begun",
        ),
        ("created", f"{age(found.created)} ago, attempt {found.attempt}"),
        (
            "took",
            duration((found.ended or found.last_event_at or found.started or 0) - found.started)
            if found.started
            else "",
        ),
        ("tags", " ".join(found.tags)),
        ("question", found.question),
        ("notes", found.notes),
    ]
    for label, text in facts:
        if text:
            print(f"  {label:<9} {safe(text)}")
    config, labels = lab.config(run_id), lab.labels(run_id)
    if recipe:
        print("\nrecipe")
        print_table(
            ("field", "value", "from"),
            [(key, value(leaf), str(labels.get("origins", {}).get(key, "resolved"))) for key, leaf in config.items()],
        )
    elif labels.get("changes"):
        print("\ndifferent from the preset")
        print_table(
            ("field", "preset", "here"), [(c["key"], value(c["before"]), value(c["after"])) for c in labels["changes"]]
        )
    if plot and (drawn := plot_run(lab, run_id)):
        print(f"\n{drawn}")
