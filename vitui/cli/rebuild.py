"""``vitui rebuild``: the database anew from the run directories."""

from __future__ import annotations

import typer

from vitui.cli.opening import open_lab, say


def add_to(app: typer.Typer) -> None:
    app.command()(rebuild)


def rebuild(context: typer.Context) -> None:
    """Make lab.db anew from the run directories, which hold everything: runs, curves, tags, notes."""
    found = open_lab(context).rebuild()
    say(f"rebuilt from {found} run director{'y' if found == 1 else 'ies'}")
