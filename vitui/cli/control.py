"""``vitui stop`` and ``vitui resume``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from vitui.cli.opening import RunId, RunIds, open_lab, say

if TYPE_CHECKING:
    from vitui.lab import Lab


def add_to(app: typer.Typer) -> None:
    app.command()(stop)
    app.command()(resume)


def stop(
    context: typer.Context,
    run: RunIds,
    wait: Annotated[bool, typer.Option(help="Wait until they have stopped.")] = True,
) -> None:
    """Stop runs: the current step is finished and a checkpoint written, so that `vitui resume` goes on from there."""
    lab = open_lab(context)
    ids = [lab.resolve(prefix) for prefix in run]
    for run_id in ids:
        lab.stop(run_id)
        say(f"asked {run_id} to stop")
    if wait:
        for run_id in ids:
            ended = wait_until_ended(lab, run_id)
            say(f"{run_id} is {ended}")


def wait_until_ended(lab: Lab, run_id: str) -> str:
    """Block until a run has ended; returns its state."""
    from vitui.store.runs import ENDED

    while (found := lab.run(run_id)).state not in ENDED:
        time.sleep(0.1)
    return found.state


def resume(
    context: typer.Context,
    run: RunId,
    device: Annotated[str | None, typer.Option(help="Another device than last time: auto, cpu, gpu, gpu:N.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Print progress until it ends.")] = False,
) -> None:
    """Queue a stopped, failed, diverged or lost run again; it goes on from its last checkpoint under the same id."""
    lab = open_lab(context)
    run_id = lab.resolve(run)
    lab.resume(run_id, device=device)
    print(run_id)
    if follow:
        from vitui.cli.follow import follow as follow_run

        raise typer.Exit(follow_run(lab, run_id))
