"""Opening the lab for a command, and the words every command shares."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.settings import Settings


def home_of(context: typer.Context) -> Path | None:
    """What --home said, from the root command; also while a shell completes, when no command runs."""
    said = context.find_root().params.get("home")
    return Path(said) if said else None


def open_lab(context: typer.Context, *, create: bool = False, adopt: bool = True) -> Lab:
    """The lab of --home as `Lab.open` does it, with what it has to say on stderr."""
    from vitui.lab import Lab

    lab = Lab.open(home_of(context), create=create, adopt=adopt)
    for message in lab.messages:
        say(message)
    return lab


def app_settings(context: typer.Context, mouse: bool | None = None) -> Settings:
    """The settings of the terminal app: the config file's, and over them the options of the root command.

    Raises UsageError for what is wrong in either.
    """
    from vitui.settings import chosen
    from vitui.tui import check_settings

    said = context.find_root().params
    glyphs = "ascii" if said.get("ascii") else None
    settings = chosen(mouse=said.get("mouse") if mouse is None else mouse, theme=said.get("theme"), glyphs=glyphs)
    check_settings(settings)
    return settings


def resolve_all(lab: Lab, prefixes: Sequence[str]) -> list[str]:
    """Run ids for what was typed, each once; nothing is done to any of them where one is not found."""
    return list(dict.fromkeys(lab.resolve(prefix) for prefix in prefixes))


def say(message: str) -> None:
    """Narration, on stderr: stdout is data."""
    from vitui.text import safe

    print(safe(message), file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """One JSON document on stdout; text from runs is escaped to ASCII, so no terminal sees its control characters."""
    try:
        text = json.dumps(value, indent=2, default=str, allow_nan=False)
    except ValueError:  # NaN and infinities are no JSON: as in the journal, they become strings
        text = json.dumps(_finite(value), indent=2, default=str, allow_nan=False)
    print(text)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


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
    from engine.recipe import presets
    from vitui.composition import roots
    from vitui.home import find_home
    from vitui.text import safe

    try:
        found = presets.names(roots(find_home(home_of(context))))
    except Exception:
        return []
    return [(name, safe(title, 60)) for name, title in found.items() if name.startswith(incomplete)]


def complete_state(incomplete: str) -> list[str]:
    """Shell completion of run states."""
    from vitui.store.states import STATES

    return [state for state in STATES if state.startswith(incomplete)]


def complete_fields(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Shell completion of the last of several names of fields."""
    from vitui.lab import Lab
    from vitui.text import safe

    try:
        found = Lab.open(home_of(context), adopt=False).fields().all()
    except Exception:
        return []
    before, comma, last = incomplete.rpartition(",")
    minus = "-" if last.startswith("-") else ""
    return [(before + comma + minus + one.key, safe(one.help, 60)) for one in found
            if one.key.startswith(last.removeprefix("-"))]  # fmt: skip


def complete_dataset(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Shell completion of datasets with their titles."""
    from vitui.lab import Lab
    from vitui.text import safe

    try:
        found = Lab.open(home_of(context), adopt=False).data_status()
    except Exception:
        return []
    return [(one.name, safe(one.title, 60)) for one in found if one.name.startswith(incomplete)]


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
    typer.Argument(metavar="RUN", help="Run ids or their beginnings; @ is the newest.", autocompletion=complete_run),
]
Toggles = Annotated[
    list[str] | None,
    typer.Option(
        "--toggle",
        "-t",
        metavar="TOGGLE",
        help="A toggle to switch on (mixup) or off (no-mixup); may be repeated. `vitui toggles` lists them.",
        autocompletion=complete_toggle,
    ),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        "-s",
        metavar="FIELD=VALUE",
        help="Set a field, e.g. optim.lr=3e-4; may be repeated. `vitui presets show PRESET` lists them.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
