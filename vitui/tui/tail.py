"""The end of a growing log file, read a piece at a time. Used by the poller's thread only."""

from __future__ import annotations

import os
from collections import deque
from itertools import islice
from pathlib import Path

from vitui.text import console_line

FIRST_BYTES = 256 * 1024
"""How much of an old log is read at first; the beginning of a long one is for `vitui logs`."""
STEP_BYTES = 1 << 20
MAX_LINES = 5000


class Tail:
    """`poll()` reads what is new; `lines` are safe for a terminal. A replaced or cut file is read anew."""

    def __init__(self, path: Path, max_lines: int = MAX_LINES) -> None:
        self._path = path
        self._done: deque[str] = deque(maxlen=max_lines)
        self._open_line = b""
        self._offset = 0
        self._at_line = True
        self._inode: int | None = None
        self.lines: tuple[str, ...] = ()

    def poll(self) -> bool:
        """Read on; True when `lines` is a new tuple. A missing file has no lines."""
        try:
            with open(self._path, "rb") as file:
                stat = os.fstat(file.fileno())
                if stat.st_ino != self._inode or stat.st_size < self._offset:
                    self._begin(stat)
                if stat.st_size == self._offset:
                    return False
                file.seek(self._offset)
                block = file.read(min(stat.st_size - self._offset, STEP_BYTES))
        except OSError:
            if self._inode is None:
                return False
            self._inode, self._offset, self._open_line, self.lines = None, 0, b"", ()
            self._done.clear()
            return True
        self._offset += len(block)
        if not self._at_line:  # begun in the middle of a line
            _, end, block = block.partition(b"\n")
            self._at_line = bool(end)
        *whole, self._open_line = (self._open_line + block).split(b"\n")
        # What scrolls out at once need not be cleaned.
        skip = max(0, len(whole) - (self._done.maxlen or 0))
        self._done.extend(_text(line) for line in islice(whole, skip, None))
        # A line without an end grows for ever (a progress bar); only its last state shows.
        self._open_line = self._open_line[-STEP_BYTES:]
        open_text = _text(self._open_line)
        self.lines = (*self._done, open_text) if open_text else tuple(self._done)
        return True

    def _begin(self, stat: os.stat_result) -> None:
        self._inode = stat.st_ino
        self._offset = max(0, stat.st_size - FIRST_BYTES)
        self._at_line = self._offset == 0
        self._open_line = b""
        self._done.clear()


def _text(line: bytes) -> str:
    return console_line(line.decode("utf-8", "replace"))
