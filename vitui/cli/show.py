"""``vitui show``: all about one run."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from vitui.cli.opening import Json, RunId, open_lab, print_json, say


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
    """Show a run: state, results, what it changes, origin, curves.

    With --json also the whole recipe, every evaluation and the provenance.
    """
    from vitui.errors import UsageError

    lab = open_lab(context)
    run_id = lab.resolve(run)
    found = lab.run(run_id)
    if not lab.run_dir(run_id).path.is_dir():
        say(f"the directory {lab.run_dir(run_id).path} is gone: this is what the database knows")
    try:
        config = lab.config(run_id)
    except UsageError as error:
        say(str(error))
        config = {}
    labels, provenance = lab.labels(run_id), lab.provenance(run_id)
    if json:
        print_json(
            {
                **found._asdict(),
                "recipe": config,
                "labels": labels,
                "evals": [asdict(e) for e in lab.evals(run_id)],
                "provenance": provenance,
                "path": str(lab.run_dir(run_id).path),
            }
        )
        return
    from vitui.cli.follow import print_summary
    from vitui.cli.plot import plot_run
    from vitui.cli.table import print_table
    from vitui.display import age, duration, progress, trained, value
    from vitui.text import safe

    print_summary(lab, found)
    facts = [
        ("preset", found.preset),
        ("model", found.model + (f" ({trained(found)})" if found.params else "")),
        ("dataset", found.dataset),
        ("seed", str(found.seed)),
        ("progress", f"epoch {progress(found)}, step {found.step}/{found.total_steps or '?'}" if found.step else ""),
        ("created", f"{age(found.created)} ago" + (f", attempt {found.attempt}" if found.attempt else "")),
        ("from", origin(provenance)),
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
    origins, changes = labels.get("origins"), labels.get("changes")
    if recipe:
        named = origins if isinstance(origins, dict) else {}
        print("\nrecipe")
        print_table(
            ("field", "value", "from"),
            [(key, value(leaf), str(named.get(key, "resolved"))) for key, leaf in config.items()],
        )
    elif isinstance(changes, list) and changes:
        print("\ndifferent from the preset")
        rows = [
            (str(c.get("key")), value(c.get("before")), value(c.get("after"))) for c in changes if isinstance(c, dict)
        ]
        print_table(("field", "preset", "here"), rows)
    if plot and (drawn := plot_run(lab, run_id)):
        print(f"\n{drawn}")


def origin(provenance: dict[str, Any]) -> str:
    """Who launched it where, and from which commit: as much of it as is known."""
    git, packages = provenance.get("git"), provenance.get("packages")
    parts = []
    if provenance.get("user") and provenance.get("host"):
        parts.append(f"{provenance['user']} on {provenance['host']}")
    if isinstance(git, dict) and git.get("commit"):
        parts.append(f"commit {str(git['commit'])[:10]}" + (" with uncommitted changes" if git.get("dirty") else ""))
    if isinstance(packages, dict):
        parts.extend(f"{name} {packages[name]}" for name in ("torch", "timm") if name in packages)
    return ", ".join(parts)
