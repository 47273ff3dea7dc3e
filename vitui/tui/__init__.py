"""The terminal app. Importing this package loads nothing of it; `run_tui` does."""

from __future__ import annotations

import gc
import os
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from vitui.errors import UsageError

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.settings import Settings


def run_tui(lab: Lab, run_id: str | None = None, *, settings: Settings | None = None) -> int:
    """Open the app on the list of runs, or on one run, and return the exit code once the user leaves.

    Training does not depend on it in any way. `settings`: those of the config file where it is None. Raises
    UsageError where there is no terminal to draw on, or for settings that cannot be. A crash of the app is written
    to ``<home>/crash-<time>.log``.
    """
    check_terminal()
    gc.disable()  # until the first frame: all that is made before lives as long as the app
    from vitui.settings import for_terminal, read_settings
    from vitui.tui.app import VituiApp

    encoding = getattr(sys.__stdout__, "encoding", None) or "utf-8"
    settings = for_terminal(read_settings() if settings is None else settings, os.environ, encoding)
    app = VituiApp(lab, run_id, settings=settings)
    app.run(mouse=settings.mouse)
    if app.crash is None:
        return app.return_code or 0
    where = write_crash(lab.home, app.crash)
    told = f"the report is in {where}" if where else "".join(traceback.format_exception(app.crash))
    print(f"vitui: the terminal app has crashed ({type(app.crash).__name__}); {told}", file=sys.stderr)
    print("vitui: training is not affected; vitui runs lists it, vitui opens the app again", file=sys.stderr)
    return 1


def check_terminal() -> None:
    """Raises UsageError unless standard input and output are a terminal that can move its cursor, or a browser's."""
    if os.environ.get("TEXTUAL_DRIVER"):  # set by textual-serve: the other end is a page
        return
    for name, stream in (("input", sys.__stdin__), ("output", sys.__stdout__)):
        if stream is None or not stream.isatty():
            raise UsageError(
                f"standard {name} is not a terminal, so the app cannot open; use vitui runs, vitui show RUN or "
                "vitui logs RUN (vitui --help lists all commands)"
            )
    if os.environ.get("TERM", "dumb") in ("dumb", ""):
        raise UsageError(
            "TERM says that this terminal cannot move its cursor, so the app cannot open; set TERM (for example "
            "TERM=xterm-256color) or use vitui runs and vitui show RUN"
        )


def check_settings(settings: Settings) -> None:
    """Raises UsageError for keys that cannot be: before anything is opened."""
    if settings.keys:
        from vitui.tui.actions import ACTIONS
        from vitui.tui.keymap import remapped

        remapped(ACTIONS, settings.keys, settings.where)


def write_crash(home: Path, error: BaseException) -> Path | None:
    """The traceback in a new file under `home`; None where that cannot be written."""
    path = home / f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    try:
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8", errors="backslashreplace")
    except OSError:
        return None
    return path
