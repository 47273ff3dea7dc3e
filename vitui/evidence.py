"""What a run's directory says about its attempts, and how large it is. Read only."""

from __future__ import annotations

import contextlib
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.journal import RunDir, read_json
from vitui.supervisor.facts import facts
from vitui.supervisor.judge import read_exit
from vitui.supervisor.verdict import verdict


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt. Times are Unix seconds; `state` is empty while it goes on, `why`: how it ended and how we know."""

    number: int
    launched: float | None
    ended: float | None
    device: str
    host: str
    pid: int | None
    state: str
    why: str
    code: int | None
    signal: int | None
    peak_bytes: int | None
    """The most memory its trainer had, resident."""


def attempts(run_dir: RunDir) -> list[Attempt]:
    """Every attempt on disk, in order; empty where the directory is gone."""
    try:
        numbers = run_dir.attempt_numbers()
    except OSError:
        return []
    return [_attempt(run_dir, number) for number in numbers]


def _attempt(run_dir: RunDir, number: int) -> Attempt:
    folder = run_dir.attempt(number)
    launch, spec, exit = _object(folder / "launch.json"), _object(folder / "spec.json"), read_exit(folder)
    found = None
    with contextlib.suppress(OSError):  # a journal that cannot be read
        found = verdict(exit, facts(run_dir.journal, number), alive=True, rebooted=False)
    peak = _real((exit or {}).get("max_rss_kb"))
    return Attempt(
        number=number,
        launched=_real(launch.get("at")),
        ended=_real((exit or {}).get("at")),
        device=_text(launch.get("device")) or _text(spec.get("device")),
        host=_text(launch.get("host")) or _text(spec.get("host")),
        pid=_pid(launch.get("trainer")),
        state=found.state if found else "",
        why=found.evidence if found else "",
        code=found.exit_code if found else None,
        signal=found.exit_signal if found else None,
        peak_bytes=None if peak is None else int(peak * 1024),
    )


def file_sizes(folder: Path) -> list[tuple[str, int]]:
    """Files directly in a folder with their bytes, by name; empty where there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return sorted((e.name, e.stat(follow_symlinks=False).st_size) for e in entries if not e.is_dir())
    except OSError:
        return []


def _object(path: Path) -> dict[str, Any]:
    content = read_json(path)
    return content if isinstance(content, dict) else {}


def _pid(process: Any) -> int | None:
    pid = process.get("pid") if isinstance(process, dict) else None
    return pid if isinstance(pid, int) else None


def _real(value: Any) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    with contextlib.suppress(OverflowError):
        return float(value) if math.isfinite(value) else None
    return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
