"""How the views were left, in ``<home>/tui.json``: one object for each screen."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Any

from engine.journal import read_json, write_json

SETTLE_S = 0.5
"""Seconds that changes may gather before they are written: a key that is held down is one write."""


class Remembered:
    """`get` and `put` never block and never fail: what cannot be kept is only a matter of comfort.

    Written soon after every change, since a connection may break at any time; of what another app has written
    meanwhile, the sections changed here are replaced and the others kept.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / "tui.json"
        self._all = self._read()
        self._changed: set[str] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="vitui-remembered", daemon=True)

    def _read(self) -> dict[str, Any]:
        try:
            content = read_json(self._path)
        except OSError:
            return {}
        return content if isinstance(content, dict) else {}

    def get(self, name: str) -> dict[str, Any]:
        """What was put under this name; empty where there is nothing (or nothing that can be used)."""
        found = self._all.get(name)
        return dict(found) if isinstance(found, dict) else {}

    def put(self, name: str, values: dict[str, Any]) -> None:
        """Keep `values` (JSON) for the next time the app is opened."""
        if self._all.get(name) == values:
            return
        with self._lock:
            self._all[name] = values
            self._changed.add(name)
        if self._thread.ident is None:
            self._thread.start()
        self._wake.set()

    def close(self) -> None:
        """Write what is not written yet."""
        self._over.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=5.0)

    def _loop(self) -> None:
        while not self._over.is_set():
            self._wake.wait()
            self._over.wait(SETTLE_S)
            self._wake.clear()
            self._save()

    def _save(self) -> None:
        with self._lock:
            mine = {name: self._all[name] for name in self._changed}
            self._changed.clear()
        if mine:
            with contextlib.suppress(OSError, TypeError):  # a home that is read-only, or gone
                write_json(self._path, {**self._read(), **mine})


def forget(home: Path) -> bool:
    """Forget how the views were left; False when nothing was kept. Raises OSError."""
    try:
        (home / "tui.json").unlink()
    except FileNotFoundError:
        return False
    return True
