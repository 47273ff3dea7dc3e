"""``vitui rebuild``: the database anew from the run directories."""

from __future__ import annotations

import typer

from vitui.cli.opening import open_lab, say


def add_to(app: typer.Typer) -> None:
    app.command()(rebuild)


def rebuild(context: typer.Context) -> None:
    """Make the database anew from the run directories.

    They hold everything: runs, curves, tags, notes. Studies are read from their files. Runs that train go on meanwhile.
    """
    lab = open_lab(context)
    told = len(lab.messages)
    found = lab.rebuild()
    for message in lab.messages[told:]:
        say(message)
    say(f"rebuilt from {found} run director{'y' if found == 1 else 'ies'}")
