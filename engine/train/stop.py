"""Asking a run to stop: the signal only sets a flag, the loop finishes its step."""

from __future__ import annotations

import os
import signal
from types import FrameType


class StopFlag:
    """Catches SIGTERM and SIGINT. True once one came; a second one ends the process at once."""

    def __init__(self) -> None:
        self.reason = ""

    def install(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._caught)

    def _caught(self, number: int, _frame: FrameType | None) -> None:
        if self.reason:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.reason = signal.Signals(number).name

    def __bool__(self) -> bool:
        return bool(self.reason)


class Stopped(Exception):
    """Raised between steps and phases once the flag is set. `reason` is the signal's name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Diverged(Exception):
    """The non-finite guard gave up."""
