"""Settings of the terminal app: the tables [tui] and [keys] of vitui.toml. Loads nothing of the app."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from vitui.errors import UsageError
from vitui.home import read_config

THEMES = ("auto", "dark", "light", "contrast", "ansi-dark", "ansi-light", "mono")
GLYPHS = ("auto", "braille", "block", "ascii")


def _setting(default: Any, help: str, choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"help": help, "choices": choices})


@dataclass(frozen=True)
class Settings:
    """What a user has set; every field but `keys` is a key of [tui]. `source`: the file, None where there is none."""

    theme: str = _setting(
        "auto",
        "Colours. `auto`: `dark`, on a terminal with sixteen colours `ansi-dark`. `ansi-…` use the terminal's own.",
        THEMES,
    )
    glyphs: str = _setting(
        "auto",
        "Characters curves and signs are drawn with. `auto`: `braille`, `ascii` where the locale is not UTF-8. "
        "`block` is for fonts without braille; with `ascii` nothing else is drawn.",
        GLYPHS,
    )
    mouse: bool = _setting(True, "Whether the app takes the mouse; without, the terminal's own selection works.")
    notify: bool = _setting(True, "A note in the corner when a run ends, whatever is on the screen.")
    bell: bool = _setting(True, "Ring the terminal's bell with that note.")
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    source: Path | None = None

    @property
    def where(self) -> str:
        """How a sentence about something in the file begins."""
        return f"config file {self.source}: " if self.source else ""


OF_TUI = tuple(f for f in fields(Settings) if f.metadata)


def read_settings() -> Settings:
    """The settings in the config file. Raises UsageError naming file and key for what is unknown or of a wrong type."""
    config, path = read_config()
    return settings_of(config, path)


def chosen(**options: Any) -> Settings:
    """The settings in the config file, and over them what the command line says (None: nothing). Raises UsageError."""
    said = {key: value for key, value in options.items() if value is not None}
    for key, value in said.items():
        if problem := wrong(key, value):
            raise UsageError(f"--{problem}")
    return replace(read_settings(), **said)


def settings_of(config: Mapping[str, Any], path: Path | None) -> Settings:
    """Settings out of a config file's content. Raises UsageError with a sentence for each thing that is wrong."""
    where = f"config file {path}"
    problems: list[str] = []
    values: dict[str, Any] = {}
    tui, keys = config.get("tui", {}), config.get("keys", {})
    for name, table in (("tui", tui), ("keys", keys)):
        if not isinstance(table, dict):
            raise UsageError(f"{where}: {name} must be a table, written as [{name}], not {table!r}")
    known = {f.name: f for f in OF_TUI}
    for key, value in tui.items():
        if key not in known:
            problems.append(f"{where}: unknown key {key} in [tui]; {nearest(key, tuple(known))}")
            continue
        if problem := wrong(key, value):
            problems.append(f"{where}: [tui] {problem}")
        values[key] = value
    mapped: dict[str, tuple[str, ...]] = {}
    for action, value in _flat(keys):
        wanted = [value] if isinstance(value, str) else value
        if not isinstance(wanted, list) or not all(isinstance(key, str) for key in wanted):
            problems.append(
                f'{where}: [keys] {action} must be a key such as "ctrl+x", or a list of them, not {value!r}'
            )
        else:
            mapped[action] = tuple(wanted)
    if problems:
        raise UsageError("\n".join(problems))
    return replace(Settings(source=path), **values, keys=mapped)


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Without quotes, TOML makes of `run.stop` a table in a table; both are meant as the id of an action."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield above + key, value


def wrong(key: str, value: Any) -> str:
    """What is wrong with a value for a key of [tui]; empty where nothing is."""
    (one,) = (f for f in OF_TUI if f.name == key)
    if choices := one.metadata["choices"]:
        return "" if value in choices else f"{key} = {value!r}: {nearest(str(value), choices)}"
    return "" if isinstance(value, bool) else f"{key} must be true or false, not {value!r}"


def nearest(word: str, known: tuple[str, ...]) -> str:
    """What there is, and which of it may be meant."""
    near = difflib.get_close_matches(word, known, 1)
    return f"known: {', '.join(known)}" + (f"; did you mean {near[0]}?" if near else "")


def for_terminal(settings: Settings, environ: Mapping[str, str], encoding: str) -> Settings:
    """`settings` with the glyphs that this terminal can show in the place of `auto`."""
    if settings.glyphs != "auto":
        return settings
    return replace(settings, glyphs="braille" if speaks_utf8(environ, encoding) else "ascii")


def speaks_utf8(environ: Mapping[str, str], encoding: str = "utf-8") -> bool:
    """Whether the terminal is meant to get more than ASCII: what the locale says; True where it says nothing.

    `encoding`: that of standard output. Python itself sets LC_CTYPE=C.UTF-8 where it finds the locale C, so LC_CTYPE
    counts only where LANG does not name C (https://peps.python.org/pep-0538/).
    """
    if encoding.lower().replace("-", "") not in ("utf8", ""):
        return False
    language, ctype = environ.get("LANG", ""), environ.get("LC_CTYPE", "")
    if ctype == "C.UTF-8" and language in ("C", "POSIX"):
        ctype = ""
    said = environ.get("LC_ALL") or ctype or language
    return not said or "utf8" in said.lower().replace("-", "")
