"""Opening the lab for a command, and the words every command shares."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from vitui.lab import Lab


def home_of(context: typer.Context) -> Path | None:
    """What --home said, from the root command."""
    found: Path | None = context.find_root().obj
    return found


def open_lab(context: typer.Context, *, create: bool = False) -> Lab:
    """The lab of --home, with what it has to say on stderr."""
    from vitui.lab import Lab

    lab = Lab.open(home_of(context), create=create)
    for message in lab.messages:
        say(message)
    return lab


def say(message: str) -> None:
    """Narration, on stderr: stdout is data."""
    from vitui.text import safe

    print(safe(message), file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """One JSON document on stdout; text from runs is escaped to ASCII, so no terminal sees its control characters."""
    print(json.dumps(value, indent=2, ensure_ascii=True, default=str))


def complete_run(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Shell completion of run ids, the newest first, with their names."""
    from vitui.lab import Lab
    from vitui.text import safe

    try:
        found = Lab.open(home_of(context), adopt=False).runs(include_archived=True, limit=200)
    except Exception:  # a shell must not see a traceback in the middle of a line
        return []
    return [(run.id, safe(f"{run.state} {run.name}", 40)) for run in found if run.id.startswith(incomplete)]


def complete_preset(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Shell completion of preset names with their titles."""
    from vitui.lab import Lab

    try:
        found = Lab.open(home_of(context), adopt=False).presets()
    except Exception:
        return []
    return [(preset.name, preset.title) for preset in found if preset.name.startswith(incomplete)]


def complete_toggle(incomplete: str) -> list[str]:
    """Shell completion of toggles, both ways."""
    from engine.recipe.toggles import BY_ID

    return [word for i in BY_ID for word in (i, f"no-{i}") if word.startswith(incomplete)]


RunId = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="Run id or its unambiguous beginning; @ is the newest.", autocompletion=complete_run
    ),
]
RunIds = Annotated[
    list[str],
    typer.Argument(metavar="RUN...", help="Run ids or their beginnings; @ is the newest.", autocompletion=complete_run),
]
Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
