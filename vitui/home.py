"""Which directory everything is written below: --home, $VITUI_HOME, the config file, the platform's data directory."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from vitui.errors import UsageError

CONFIG_KEYS = ("home", "tui", "keys")
"""`tui` and `keys` are tables; vitui.settings reads them."""


def find_home(option: Path | None = None) -> Path:
    """The home directory, absolute; it need not exist yet. Raises UsageError for a config file that is wrong."""
    if option is not None:
        return _expanded(option, "--home").absolute()
    if variable := os.environ.get("VITUI_HOME"):
        return _expanded(Path(variable), "$VITUI_HOME").absolute()
    config, path = read_config()
    if path is not None and "home" in config:
        return (path.parent / _expanded(Path(config["home"]), f"config file {path}: home")).absolute()
    import platformdirs

    return Path(platformdirs.user_data_dir("vitui", appauthor=False))


def _expanded(path: Path, origin: str) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise UsageError(f"{origin} = {path}: there is no such user; give a path without ~") from None


def config_files() -> list[Path]:
    """Config files in the order they are looked for: beside the project, then the user's own."""
    import platformdirs

    try:
        here = [Path.cwd() / "vitui.toml"]
    except OSError:  # the current directory has been deleted
        here = []
    return [*here, Path(platformdirs.user_config_dir("vitui", appauthor=False)) / "vitui.toml"]


def read_config() -> tuple[dict[str, Any], Path | None]:
    """The first config file that exists and its path; ({}, None) when there is none.

    Raises UsageError naming file and key for bad TOML, an unknown key or a value of the wrong type.
    """
    path = next((p for p in config_files() if p.is_file()), None)
    if path is None:
        return {}, None
    try:
        config = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"config file {path} is not valid TOML: {error}") from None
    except OSError as error:
        raise UsageError(f"config file {path} cannot be read: {error.strerror}") from None
    for key, value in config.items():
        if key not in CONFIG_KEYS:
            import difflib

            near = difflib.get_close_matches(key, CONFIG_KEYS, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"config file {path}: unknown key {key}; known: {', '.join(CONFIG_KEYS)}{meant}")
        if key == "home" and (not isinstance(value, str) or not value):
            raise UsageError(f"config file {path}: {key} must be the path of a directory, not {value!r}")
    return config, path


def make_home(home: Path) -> None:
    """Create the home and its folders. Raises UsageError when that is not possible or it cannot be written to."""
    try:
        for folder in (home, home / "runs", home / "data", home / "leases"):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = "written to" if home.is_dir() else "created"
        raise UsageError(
            f"home {home} cannot be {what} ({error.strerror}); choose another with --home DIR or $VITUI_HOME"
        ) from None
    if not os.access(home / "runs", os.W_OK | os.X_OK):
        raise UsageError(f"home {home} is not writable; choose another with --home DIR or $VITUI_HOME")
