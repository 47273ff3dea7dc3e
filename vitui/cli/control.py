"""``vitui stop`` and ``vitui resume``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from vitui.cli.opening import RunId, RunIds, open_lab, resolve_all, say
from vitui.errors import Busy

POLL_SECONDS = 0.1
TEND_SECONDS = 2.0

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
    """Stop runs so that they can be resumed.

    The current step is finished and a checkpoint written first.
    """
    lab = open_lab(context)
    asked, refused = [], []
    for run_id in resolve_all(lab, run):
        try:
            lab.stop(run_id)
        except Busy as error:  # the others are to be stopped all the same
            refused.append(str(error))
            continue
        asked.append(run_id)
        say(f"asked {run_id} to stop")
    if wait:
        for run_id in asked:
            say(f"{run_id} is {wait_until_ended(lab, run_id)}")
    if refused:
        raise Busy("\n".join(refused))


def wait_until_ended(lab: Lab, run_id: str) -> str:
    """Block until a run has ended; returns its state."""
    from vitui.store.runs import ENDED

    tended = time.monotonic()
    while (found := lab.run(run_id)).state not in ENDED:
        time.sleep(POLL_SECONDS)
        if time.monotonic() - tended > TEND_SECONDS:  # a worker that was killed meanwhile would never tell
            tended = time.monotonic()
            lab.tend()
    return found.state


def resume(
    context: typer.Context,
    run: RunId,
    device: Annotated[
        str | None,
        typer.Option(metavar="DEVICE", help="Another device than last time: auto, cpu, gpu, gpu:N or a GPU's UUID."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Print progress until it ends.")] = False,
) -> None:
    """Queue a run again that stopped, failed, diverged or got lost.

    It goes on from its last checkpoint, under the same id.
    """
    lab = open_lab(context)
    run_id = lab.resolve(run)
    seen = max((event.seq for event in lab.events(run_id)), default=-1) if follow else -1
    lab.resume(run_id, device=device)
    print(run_id, flush=True)
    if follow:
        from vitui.cli.follow import follow as follow_run

        raise typer.Exit(follow_run(lab, run_id, after=seen))
