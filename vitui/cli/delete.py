"""``vitui delete``: runs with everything they wrote, for good."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from vitui.cli.opening import RunIds, open_lab, resolve_all, say


def add_to(app: typer.Typer) -> None:
    app.command()(delete)


def delete(
    context: typer.Context,
    run: RunIds,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete runs that have ended, with checkpoints, curves, logs.

    Asks first and says how much space it frees. All of them are deleted, or none where one still waits or trains.
    """
    from vitui.display import bytes_
    from vitui.errors import Busy, UsageError
    from vitui.store import LIVE, WAITING

    lab = open_lab(context)
    found = [lab.run(run_id) for run_id in resolve_all(lab, run)]
    busy = [one for one in found if one.state in LIVE | WAITING]
    if busy:
        raise Busy("\n".join(f"run {one.id} is {one.state}; stop it first, then it can be deleted" for one in busy))
    freed = bytes_(sum(lab.size(one.id) for one in found))
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("there is nobody to ask here; --yes deletes without asking")
        for one in found:
            say(f"  {one.id}  {one.state:<8}  {one.name}")
        say(f"{freed} are freed; checkpoints, curves and logs are gone for good")
        print(
            f"delete {'this run' if len(found) == 1 else f'these {len(found)} runs'}? [y/N] ", end="", file=sys.stderr
        )
        sys.stderr.flush()
        if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
            say("nothing was deleted")
            raise typer.Exit(1)
    lab.delete([one.id for one in found])
    say(f"deleted {found[0].id if len(found) == 1 else f'{len(found)} runs'}, {freed} freed")
