"""``vitui study``: plan, train and report studies."""

from __future__ import annotations

import typer

from vitui.cli.study import keep, listing, new, report, run

app = typer.Typer(
    help="Plan studies, train them, report what can be concluded.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
for part in (listing, new, run, report, keep):
    part.add_to(app)


def add_to(root: typer.Typer) -> None:
    root.add_typer(app, name="study")
