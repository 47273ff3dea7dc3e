"""Waiting for a condition, not for a time."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable


def until(condition: Callable[[], object], process: subprocess.Popen[str] | None = None, seconds: float = 120) -> None:
    """Poll until `condition` holds. Fails when `process` ends first or the time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        if process is not None and process.poll() is not None and not condition():
            raise AssertionError(f"the process ended with {process.returncode} before the condition held")
        if time.monotonic() > deadline:
            raise AssertionError(f"the condition did not hold within {seconds} s")
        time.sleep(0.02)
