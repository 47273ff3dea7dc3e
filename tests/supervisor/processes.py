"""What the supervisor's tests share: waiting for conditions, run directories, finding processes."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from engine.journal import RunDir
from vitui.supervisor.identity import Identity

ENGINE = (sys.executable, str(Path(__file__).parent / "tiny_engine.py"))
T = TypeVar("T")


def until(ask: Callable[[], T | None], timeout_s: float = 20.0, what: str = "") -> T:
    """Poll until `ask` gives something true; fail with a message after the time."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = ask()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s} s in vain for {what or ask}")
        time.sleep(0.01)


def processes_below(folder: Path) -> list[Identity]:
    """Every process whose command line, working directory or open files name this folder."""
    found, needle = [], str(folder)
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{entry}/cmdline").read_bytes().decode(errors="replace")
            names = [command, os.readlink(f"/proc/{entry}/cwd")]
            names += [os.readlink(f"/proc/{entry}/fd/{fd}") for fd in os.listdir(f"/proc/{entry}/fd")]
            identity = Identity.of(int(entry))
            if identity is not None and identity.alive() and any(needle in name for name in names):
                found.append(identity)
    return found


def make_run(home: Path, name: str = "r1", **plan: Any) -> RunDir:
    """A run directory for the tiny engine."""
    run = RunDir(home / "runs" / name)
    run.path.mkdir(parents=True)
    run.recipe.write_text("# the tiny engine reads plan.json\n")
    (run.path / "plan.json").write_text(json.dumps({"steps": 20, **plan}))
    return run
