"""The command line: one file for each group of commands. Importing it loads neither torch nor textual nor SQLite."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from vitui.cli import control, data, demo, doctor, edit, launch, logs, presets, queue, rebuild, runs, show
from vitui.errors import UsageError, VitError

app = typer.Typer(
    name="vitui",
    help="Launch, watch and compare Vision Transformer trainings. Without a command: the terminal app.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

launch.add_to(app)
runs.add_to(app)
show.add_to(app)
logs.add_to(app)
control.add_to(app)
queue.add_to(app)
edit.add_to(app)
presets.add_to(app)
data.add_to(app)
demo.add_to(app)
rebuild.add_to(app)
doctor.add_to(app)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"vitui {version('vitui')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def vitui(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            help="Directory everything is kept in (default: $VITUI_HOME, vitui.toml, or the user's data folder)."
        ),
    ] = None,
    mouse: Annotated[bool, typer.Option(help="Mouse support of the terminal app.")] = True,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    context.obj = home
    if context.invoked_subcommand is None:
        from vitui.cli.opening import open_lab
        from vitui.tui import run_tui

        raise typer.Exit(run_tui(open_lab(context, create=True), mouse=mouse))


def main(arguments: list[str] | None = None) -> Any:
    """Entry point. Errors a user can act on are one sentence on stderr and an exit code: 1 failed, 2 usage, 3, 4."""
    try:
        return app(arguments)
    except VitError as error:
        _fail(str(error), error.exit_code)
    except BrokenPipeError:
        # `vitui runs | head`: the reader has what it wanted. Python would complain once more at exit otherwise.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except ValueError as error:
        from engine.recipe import RecipeError

        if not isinstance(error, RecipeError):
            raise
        _fail(str(error), UsageError.exit_code)


def _fail(message: str, code: int) -> None:
    from vitui.text import safe

    for line in message.splitlines():
        print(f"vitui: {safe(line)}", file=sys.stderr)
    sys.exit(code)
