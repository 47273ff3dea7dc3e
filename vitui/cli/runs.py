"""``vitui runs``: every run."""

from __future__ import annotations

from typing import Annotated

import typer

from vitui.cli.opening import Json, open_lab, print_json, say


def add_to(app: typer.Typer) -> None:
    app.command()(runs)


def runs(
    context: typer.Context,
    text: Annotated[
        str | None, typer.Argument(help="Only runs whose id, name, preset, model, dataset or tags hold this.")
    ] = None,
    state: Annotated[
        list[str] | None, typer.Option("--state", help="Only runs in this state; may be repeated.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", "-a", help="Archived ones too.")] = False,
    limit: Annotated[int | None, typer.Option("-n", "--limit", min=1, help="At most this many, the newest.")] = None,
    json: Json = False,
) -> None:
    """List runs, newest first: state, progress, latest and best accuracy, the reference value beside them."""
    from vitui.display import GLYPHS, age, device_name, duration, eta_seconds, percent, progress
    from vitui.errors import UsageError
    from vitui.store.runs import STATES

    for word in state or ():
        if word not in STATES:
            raise UsageError(f"unknown state {word}; known: {', '.join(STATES)}")
    lab = open_lab(context)
    found = lab.runs(states=set(state) if state else None, text=text, include_archived=all_, limit=limit)
    if json:
        print_json([run._asdict() for run in found])
        return
    if not found:
        some = lab.runs(limit=1, include_archived=True)
        say("no run matches" if some else "no runs yet: try `vitui demo`, or `vitui presets` and `vitui run PRESET`")
        return
    from vitui.cli.table import print_table

    rows = [
        (
            run.id,
            f"{GLYPHS[run.state]} {run.state}",
            ("★ " if run.star else "") + run.name,
            progress(run),
            percent(run.last),
            percent(run.best),
            percent(run.report_best),
            percent(run.reference),
            duration(eta_seconds(run)) if run.state == "running" else "",
            device_name(run),
            age(run.created),
        )
        for run in found
    ]
    head = ("run", "state", "name", "epoch", "last", "best", "test", "reference", "eta", "device", "age")
    print_table(head, rows, right=("epoch", "last", "best", "test", "reference", "eta", "age"), give="name")
