"""Where the runs come from, beside each other: machine, code, packages, data. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vitui import display
from vitui.comparing.facts import RunFacts
from vitui.comparing.table import NOTHING, Cell, Row

Say = Callable[[RunFacts], Any]
LEADING = ("vitui", "torch", "timm")
"""Packages that come first."""


def environment_rows(runs: Sequence[RunFacts]) -> tuple[Row, ...]:
    """Host, device, commit, uncommitted changes, packages, data."""
    packages = {name for facts in runs for name in _mapping(facts.provenance.get("packages"))}
    rows: list[tuple[str, str, Say]] = [
        ("host", "host", lambda f: f.run.host or f.provenance.get("host")),
        ("device", "device", lambda f: display.device_name(f.run)),
        ("commit", "commit", commit),
        ("changes", "uncommitted changes", changes),
        ("python", "python", lambda f: f.provenance.get("python")),
        *((name, name, _package(name)) for name in (*LEADING, *sorted(packages - set(LEADING)))),
        ("platform", "platform", lambda f: f.provenance.get("platform")),
        ("fingerprint", "data fingerprint", lambda f: str(f.data.get("fingerprint", ""))[:12]),
    ]
    return tuple(_row(key, title, [say(facts) for facts in runs]) for key, title, say in rows)


def commit(facts: RunFacts) -> str:
    """The first ten digits of the commit it was launched from; empty outside a repository."""
    return str(_mapping(facts.provenance.get("git")).get("commit", ""))[:10]


def changes(facts: RunFacts) -> str:
    """Whether there were uncommitted changes, told apart by a short hash; empty outside a repository."""
    git = _mapping(facts.provenance.get("git"))
    if not git:
        return ""
    if not git.get("dirty"):
        return "none"
    patch = str(git.get("patch", "")).encode("utf-8", "replace")
    return f"{hashlib.sha256(patch).hexdigest()[:6]}, {display.bytes_(len(patch))}"


def _package(name: str) -> Say:
    return lambda facts: _mapping(facts.provenance.get("packages")).get(name)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _row(key: str, title: str, values: Sequence[Any]) -> Row:
    cells = tuple(NOTHING if value in (None, "") else Cell(str(value), value) for value in values)
    return Row(key, title, cells, any(cell.text != cells[0].text for cell in cells[1:]))
