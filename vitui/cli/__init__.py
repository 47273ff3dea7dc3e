"""The command line: one file for each group of commands. Importing it loads neither torch nor textual nor SQLite."""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated, Any, TextIO

import typer

from vitui.cli import (
    compare,
    control,
    data,
    delete,
    demo,
    devices,
    doctor,
    edit,
    export,
    launch,
    logs,
    presets,
    queue,
    rebuild,
    rerun,
    runs,
    scoreboard,
    serve,
    show,
    study,
    toggles,
    watch,
)
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
watch.add_to(app)
logs.add_to(app)
compare.add_to(app)
study.add_to(app)
scoreboard.add_to(app)
control.add_to(app)
queue.add_to(app)
edit.add_to(app)
rerun.add_to(app)
delete.add_to(app)
export.add_to(app)
presets.add_to(app)
toggles.add_to(app)
data.add_to(app)
devices.add_to(app)
demo.add_to(app)
rebuild.add_to(app)
doctor.add_to(app)
serve.add_to(app)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"vitui {version('vitui')}")
        raise typer.Exit


def _themes(incomplete: str) -> list[str]:
    from vitui.settings import THEMES

    return [theme for theme in THEMES if theme.startswith(incomplete)]


@app.callback(invoke_without_command=True)
def vitui(
    context: typer.Context,
    home: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Directory everything is kept in (default: $VITUI_HOME, vitui.toml, or the user's data folder).",
        ),
    ] = None,
    mouse: Annotated[
        bool | None, typer.Option("--mouse/--no-mouse", help="Mouse support of the terminal app (default: on).")
    ] = None,
    theme: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Colours of the terminal app: dark, light, contrast, ansi-dark, ansi-light, mono.",
            autocompletion=_themes,
        ),
    ] = None,
    ascii: Annotated[bool, typer.Option("--ascii", help="The terminal app draws nothing but ASCII.")] = False,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    if home == "":
        raise UsageError("--home is empty; give a directory, or leave the option out")
    if context.invoked_subcommand is None:
        from vitui.cli.opening import app_settings, open_lab
        from vitui.tui import check_terminal, run_tui

        check_terminal()  # before a home is made for an app that cannot open
        settings = app_settings(context)
        raise typer.Exit(run_tui(open_lab(context, create=True), settings=settings))


def main(arguments: list[str] | None = None) -> Any:
    """Entry point. Errors a user can act on are one sentence on stderr and an exit code: 1 failed, 2 usage, 3, 4."""
    stdout = _prepare_streams()
    try:
        try:
            return app(arguments)
        finally:
            sys.stdout.flush()  # a full disk or a closed pipe is told here rather than by Python at its exit
    except SystemExit as leaving:
        if sys.stdout is not stdout:  # how typer leaves when the reader of a pipe has gone: it puts another one there
            leaving.code = 0
        raise
    except VitError as error:
        _fail(str(error), error.exit_code)
    except BrokenPipeError:
        # `vitui runs | head`: the reader has what it wanted. Python would complain once more at exit otherwise.
        _drop_output()
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        _drop_output()
        where = f"{error.filename}: " if isinstance(error.filename, str) else ""
        _fail(f"{where}{error.strerror or error}", VitError.exit_code)
    except ValueError as error:
        from engine.recipe.errors import RecipeError

        if not isinstance(error, RecipeError):
            raise
        _fail(str(error), UsageError.exit_code)


def _prepare_streams() -> TextIO:
    """Make stdout and stderr fit to print to, also where they are closed or know only ASCII. Returns stdout."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 -- for as long as the process lives
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    return sys.stdout


def _drop_output() -> None:
    """What could not be written to stdout is not tried again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, code: int) -> None:
    from vitui.text import safe

    for line in message.splitlines():
        print(f"vitui: {safe(line)}", file=sys.stderr)
    sys.exit(code)
