"""How the views were left, in ``<home>/tui.json``: one object for each screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.journal import read_json


class Remembered:
    """`get` and `put` never block and never fail: what cannot be kept is only a matter of comfort."""

    def __init__(self, home: Path) -> None:
        self._path = home / "tui.json"
        content = read_json(self._path)
        self._all: dict[str, Any] = content if isinstance(content, dict) else {}

    def get(self, name: str) -> dict[str, Any]:
        """What was put under this name; empty where there is nothing (or nothing that can be used)."""
        found = self._all.get(name)
        return dict(found) if isinstance(found, dict) else {}

    def put(self, name: str, values: dict[str, Any]) -> None:
        """Keep `values` (JSON) for the next time the app is opened."""
        self._all[name] = values
