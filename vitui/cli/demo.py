"""``vitui demo``: a real training in about a minute, shown live."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from vitui.cli.opening import app_settings, open_lab, say

PRESET = "demo-digits"


def add_to(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    context: typer.Context,
    plain: Annotated[
        bool, typer.Option("--plain", help="Print progress, also where the terminal app could open.")
    ] = False,
) -> None:
    """Train a small ViT on handwritten digits, live.

    From scratch; about a minute on two CPU cores. It is recorded like any run.
    """
    terminal = sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    settings = None if plain or not terminal else app_settings(context)
    lab = open_lab(context, create=True)
    run_id = lab.launch(lab.compose(PRESET), name="demo", tell=say)
    say(f"run {run_id}: a tiny ViT on digits, in {lab.home}")
    if settings is None:
        from vitui.cli.follow import follow

        raise typer.Exit(follow(lab, run_id))
    from vitui.tui import run_tui

    code = run_tui(lab, run_id, settings=settings)
    found = lab.run(run_id)
    print(run_id)
    say(f"run {run_id} is {found.state}; `vitui runs` lists it, `vitui show {run_id}` tells all about it")
    raise typer.Exit(code)
