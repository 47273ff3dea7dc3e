"""``vitui watch``: the app, opened on one run."""

from __future__ import annotations

from typing import Annotated

import typer

from vitui.cli.opening import app_settings, complete_run, open_lab


def add_to(app: typer.Typer) -> None:
    app.command()(watch)


def watch(
    context: typer.Context,
    run: Annotated[
        str,
        typer.Argument(
            metavar="[RUN]",
            help="Run id or its unambiguous beginning; @ is the newest.",
            show_default=False,
            autocompletion=complete_run,
        ),
    ] = "@",
    mouse: Annotated[bool | None, typer.Option("--mouse/--no-mouse", help="Mouse support (default: on).")] = None,
) -> None:
    """Open the terminal app on a run: live curves, log, recipe.

    Without RUN: the newest.
    """
    from vitui.tui import check_terminal, run_tui

    check_terminal()
    settings = app_settings(context, mouse)
    lab = open_lab(context)
    raise typer.Exit(run_tui(lab, lab.resolve(run), settings=settings))
