"""``vitui study edit``, ``fork`` and ``remove``: files of studies."""

from __future__ import annotations

from typing import Annotated

import typer

from vitui.cli.opening import open_lab, say
from vitui.cli.study.words import StudyName, agreed, tell_plan


def add_to(app: typer.Typer) -> None:
    app.command()(edit)
    app.command()(fork)
    app.command()(remove)


def edit(context: typer.Context, name: StudyName) -> None:
    """Change a study in $VISUAL or $EDITOR, on a copy that is checked.

    Runs stay: those that fill a cell of the changed study count, `vitui study run` queues the rest.
    """
    from vitui.cli.study.editing import edited
    from vitui.errors import UsageError
    from vitui.studies import definition

    lab = open_lab(context)
    path = definition.locate(lab.home, name)
    if path.parent != definition.own(lab.home):
        raise UsageError(f"study {name} comes with vitui; make one of your own of it: vitui study fork {name} NEW")
    if not edited(lab, name, path.read_text(encoding="utf-8", errors="replace"), replace=True):
        say(f"study {name} is as it was")
        return
    say(f"{path} is written")
    tell_plan(lab.planned(name), lab.study_estimate(name))


def fork(
    context: typer.Context,
    name: StudyName,
    new: Annotated[str, typer.Argument(metavar="NEW", help="Name of the new study.")],
) -> None:
    """Copy a study under a new name, with presets as they are now.

    What was queued under the old name keeps its recipes; runs of the same recipes count in both.
    """
    lab = open_lab(context, create=True)
    lab.fork_study(name, new)
    say(f"study {new} is {name} planned anew")
    tell_plan(lab.planned(new), lab.study_estimate(new))


def remove(
    context: typer.Context,
    name: StudyName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a study's file. Its runs stay; asks first."""
    from vitui.studies import definition

    lab = open_lab(context)
    path = definition.locate(lab.home, name)
    if not yes and path.parent == definition.own(lab.home):
        say(f"{path} goes; runs stay")
        if not agreed("remove this study?", "--yes removes without asking"):
            say("nothing was removed")
            raise typer.Exit(1)
    lab.remove_study(name)
    say(f"removed study {name}; its runs are as they were")
