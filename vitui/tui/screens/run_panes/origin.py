"""Where a run comes from: who, where, which code and data, and how each attempt went."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vitui import display
from vitui.text import safe
from vitui.tui.screens.run_panes.facts import row
from vitui.tui.theme import Palette
from vitui.tui.views.run import RunView
from vitui.tui.widgets.lines import Line

if TYPE_CHECKING:
    from vitui.evidence import Attempt

NAME_WIDTH = 14


def origin_lines(view: RunView, p: Palette, width: int) -> list[Line]:
    """Launch, code, packages, data, attempts, files on disk; what is not known is left out."""
    facts = view.facts
    lines: list[Line] = []
    if not view.here:
        lines += [[("Its directory is gone: this is what the database knows", p.warn)], ""]

    def section(title: str, rows: list[tuple[str, str]]) -> None:
        known = [(name, value) for name, value in rows if value.strip()]
        if known:
            lines.extend(["", [(title, p.strong)]] if lines and lines[-1] != "" else [[(title, p.strong)]])
            for name, value in known:
                lines.extend(row(f"  {name}", value, p, NAME_WIDTH + 2, width - NAME_WIDTH - 4))

    argv, at = facts.get("argv"), facts.get("at")
    section("Launched", [
        ("when", display.moment(at if isinstance(at, int | float) else view.run.created)),
        ("by", " on ".join(str(facts[k]) for k in ("user", "host") if facts.get(k))),
        ("in", str(facts.get("cwd") or "")),
        ("command", shlex.join(str(word) for word in argv) if isinstance(argv, list) else ""),
        ("device asked", view.run.device),
    ])  # fmt: skip
    section("Code", _code(facts.get("git")))
    packages = facts.get("packages")
    section("Environment", [
        ("python", str(facts.get("python") or "")),
        ("platform", str(facts.get("platform") or "")),
        ("packages", ", ".join(f"{name} {version}" for name, version in packages.items())
         if isinstance(packages, dict) else ""),
    ])  # fmt: skip
    section("Data", _data(view))
    for attempt in view.attempts:
        section(f"Attempt {attempt.number}", _attempt(attempt))
    section("On disk", _files(view))
    return lines


def _code(git: Any) -> list[tuple[str, str]]:
    if not isinstance(git, Mapping):
        return [("commit", "not launched from a git repository")]
    patch = str(git.get("patch") or "")
    files = [line.split(" b/")[-1] for line in patch.splitlines() if line.startswith("diff --git ")]
    size = display.bytes_(len(patch.encode("utf-8", "replace")))
    changes = f"{size} in {len(files)} file{'' if len(files) == 1 else 's'}: {', '.join(files[:20])}" if patch else ""
    return [
        ("commit", str(git.get("commit") or "")),
        ("branch", str(git.get("branch") or "")),
        ("uncommitted", changes or ("yes" if git.get("dirty") else "nothing")),
    ]


def _data(view: RunView) -> list[tuple[str, str]]:
    event = next((e for e in reversed(view.events) if e.kind == "data"), None)
    data = event.data if event is not None else {}

    def images(split: str, number: str) -> str:
        count = data.get(number)
        counted = f" ({count:,} images)" if isinstance(count, int) else ""
        return f"{data.get(split)}{counted}" if data.get(split) else ""

    trained = data.get("train_images")
    return [
        ("dataset", view.run.dataset),
        ("fingerprint", str(data.get("fingerprint") or "")),
        ("trains on", f"{trained:,} images" if isinstance(trained, int) else ""),
        ("selects on", images("select_split", "select_images")),
        ("reports on", images("report_split", "report_images")),
        ("kept as", str(data.get("tier") or "")),
    ]


def _attempt(attempt: Attempt) -> list[tuple[str, str]]:
    took = None if attempt.launched is None or attempt.ended is None else attempt.ended - attempt.launched
    pid = f"pid {attempt.pid}" if attempt.pid is not None else ""
    code = f"exit code {attempt.code}" if attempt.code is not None else ""
    signal = f"signal {attempt.signal}" if attempt.signal is not None else ""
    peak = f"peak memory {display.bytes_(attempt.peak_bytes)}" if attempt.peak_bytes else ""
    ended = "goes on, or nobody has seen it end"
    if attempt.state:
        ended = f"{display.moment(attempt.ended)}, {attempt.state}"
    return [
        ("launched", display.moment(attempt.launched)),
        ("where", ", ".join(part for part in (attempt.host, attempt.device, pid) if part)),
        ("ended", ended),
        ("took", display.duration(took) if took is not None else ""),
        ("why", attempt.why),
        ("evidence", ", ".join(part for part in (code, signal, peak) if part)),
    ]


def _files(view: RunView) -> list[tuple[str, str]]:
    rows = [(safe(name, NAME_WIDTH - 1), display.bytes_(size)) for name, size in view.checkpoints]
    total = "" if view.size is None else display.bytes_(view.size)
    return [("path", view.path), ("whole run", total), *rows]
