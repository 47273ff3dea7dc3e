"""``vitui queue``: what waits, why, and in which order."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from vitui.cli.opening import Json, RunId, RunIds, open_lab, print_json, resolve_all, say

app = typer.Typer(rich_markup_mode=None, invoke_without_command=True)


def add_to(root: typer.Typer) -> None:
    root.add_typer(app, name="queue")


@app.callback()
def queue(context: typer.Context, json: Json = False) -> None:
    """Show what waits and why; with a command, change it."""
    if context.invoked_subcommand is not None:
        return
    lab = open_lab(context)
    view = lab.queue()
    if json:
        print_json({**asdict(view), "waiting": [run._asdict() for run in view.waiting]})
        return
    if view.paused:
        say(f"the queue is paused: {view.paused}; `vitui queue resume` lets it go on")
    if not view.waiting:
        say("nothing waits")
        return
    from vitui.cli.table import print_table
    from vitui.display import age

    rows = [
        (
            str(place),
            run.id,
            run.name,
            run.device,
            "held; `vitui queue release` lets it start" if run.held else run.reason,
            age(run.state_at),
        )
        for place, run in enumerate(view.waiting, 1)
    ]
    print_table(("#", "run", "name", "device", "reason", "waits"), rows, right=("#", "waits"), give="reason")


@app.command()
def hold(context: typer.Context, run: RunIds) -> None:
    """Keep waiting runs from being started."""
    lab = open_lab(context)
    for run_id in resolve_all(lab, run):
        lab.hold(run_id)
        say(f"{run_id} is held")


@app.command()
def release(context: typer.Context, run: RunIds) -> None:
    """Let held runs start again."""
    lab = open_lab(context)
    for run_id in resolve_all(lab, run):
        lab.release(run_id)
        say(f"{run_id} is released")


@app.command()
def move(
    context: typer.Context,
    run: RunId,
    place: Annotated[int, typer.Argument(metavar="PLACE", min=1, help="Place in the queue, 1 is next.")],
) -> None:
    """Move a waiting run to another place."""
    lab = open_lab(context)
    run_id = lab.resolve(run)
    lab.move(run_id, place)
    found = lab.run(run_id).position
    say(f"{run_id} has place {found} in the queue" if found else f"{run_id} has just been started")


@app.command()
def resume(context: typer.Context) -> None:
    """Let a paused queue start runs again."""
    lab = open_lab(context)
    paused = lab.queue().paused
    lab.unpause()
    say("the queue goes on" if paused else "the queue was not paused")
