"""A log file of any length by line number: where its lines begin is indexed, the lines are read when they are seen."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vitui.text import console_line

BLOCK_BYTES = 4 << 20
LOOK_BYTES = 64 << 20
"""So much is indexed before anything is shown; the rest at the next looks."""
LONG_BYTES = 64 << 10
"""Of a longer line only its beginning is read, or its end where that overwrites it (a progress bar)."""
SEARCH_BYTES = 1 << 20
MOST_FOUND = 100_000


@dataclass(frozen=True, slots=True)
class LogWindow:
    """The lines a screen needs: `count` of them from `first` on, the last ones where that is None."""

    first: int | None = None
    count: int = 400


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some lines of a log, safe for a terminal. `total`: lines it has; `share` (0 to 1): how much of it is indexed."""

    total: int
    first: int
    lines: tuple[str, ...]
    share: float = 1.0


class LogFile:
    """`poll()` indexes what is new. A replaced or cut file is indexed anew; a missing one has no lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reset(None)

    def _reset(self, inode: int | None) -> None:
        self._inode = inode
        self._ends: NDArray[np.int64] = np.empty(1024, dtype=np.int64)
        self._whole = 0
        self._offset = 0
        self._size = 0

    def poll(self, budget: int = LOOK_BYTES) -> bool:
        """Index on, at most about `budget` bytes; True when there is anything new."""
        try:
            with open(self.path, "rb") as file:
                stat = os.fstat(file.fileno())
                renewed = stat.st_ino != self._inode or stat.st_size < self._offset
                if renewed:
                    self._reset(stat.st_ino)
                start, self._size = self._offset, stat.st_size
                file.seek(start)
                while self._offset < self._size and self._offset - start < budget:
                    if not (block := file.read(min(BLOCK_BYTES, self._size - self._offset))):
                        break
                    self._add(block)
                return renewed or self._offset > start
        except OSError:
            known = self._inode is not None
            self._reset(None)
            return known

    def _add(self, block: bytes) -> None:
        found = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == 10) + self._offset
        need = self._whole + len(found)
        if need > len(self._ends):
            larger = np.empty(max(need, 2 * len(self._ends)), dtype=np.int64)
            larger[: self._whole] = self._ends[: self._whole]
            self._ends = larger
        self._ends[self._whole : need] = found
        self._whole = need
        self._offset += len(block)

    def _start(self, line: int) -> int:
        return int(self._ends[line - 1]) + 1 if line else 0

    def _end(self, line: int) -> int:
        return int(self._ends[line]) if line < self._whole else self._offset

    @property
    def total(self) -> int:
        """Lines, the open one at the end included."""
        return self._whole + (self._offset > self._start(self._whole))

    def page(self, window: LogWindow) -> LogPage:
        """The lines of a window, as far as there are any."""
        total = self.total
        first = total - window.count if window.first is None else window.first
        first = min(max(0, first), max(0, total - 1))
        share = self._offset / self._size if self._size else 1.0
        try:
            lines = tuple(self._lines(first, min(total, first + window.count)))
        except OSError:
            return LogPage(0, 0, ())
        return LogPage(total, first, lines, share)

    def _lines(self, first: int, stop: int) -> Iterator[str]:
        with open(self.path, "rb") as file:
            for line in range(first, stop):
                start, end = self._start(line), self._end(line)
                file.seek(start)
                raw = file.read(min(end - start, LONG_BYTES))
                if end - start > LONG_BYTES:
                    file.seek(end - LONG_BYTES)
                    raw += b"\n" + file.read(LONG_BYTES)
                yield shown(raw)


def shown(raw: bytes) -> str:
    """A line as it is shown. A long one is its beginning, a newline, and its end."""
    head, cut, tail = raw.partition(b"\n")
    overwritten = cut and b"\r" in tail.rstrip(b"\r")
    return console_line((tail if overwritten else head).decode("utf-8", "replace"))


def pattern(text: str) -> tuple[re.Pattern[str] | None, str]:
    """What to look for, and what is wrong with it: plain text, or ``/a regular expression/``.

    Capitals count only where there are any. (None, "") for an empty text.
    """
    if not text or text == "/":
        return None, ""
    source = re.escape(text)
    if text.startswith("/"):
        source = text[1:-1] if text.endswith("/") and len(text) > 1 else text[1:]
    flags = re.NOFLAG if any(c.isupper() for c in text) else re.IGNORECASE
    try:
        return (re.compile(source, flags), "") if source else (None, "")
    except re.error as error:
        return None, f"not a regular expression: {error}"


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has found so far: `lines` (numbers, ascending) new since the last one, and how far it is."""

    lines: tuple[int, ...]
    next_line: int
    offset: int
    size: int


def search(
    path: Path, wanted: re.Pattern[str], cancelled: Callable[[], bool], line: int = 0, offset: int = 0,
    limit: int = MOST_FOUND,
) -> Iterator[Found]:  # fmt: skip
    """Lines that match as they are shown, from line number `line`, which begins at byte `offset`, on.

    Yields after every block; ends at the last whole line, after `limit` lines found, or when cancelled. A file that
    cannot be read has none.
    """
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(offset)
            rest, found_so_far = b"", 0
            while not cancelled() and found_so_far < limit and (block := file.read(SEARCH_BYTES)):
                *whole, last = block.split(b"\n")
                if whole:
                    whole[0] = rest + whole[0]
                    hits = tuple(line + n for n, raw in enumerate(whole) if wanted.search(_searched(raw)))
                    hits = hits[: limit - found_so_far]
                    line, rest, found_so_far = line + len(whole), last, found_so_far + len(hits)
                    offset = file.tell() - len(last)
                else:
                    hits, rest = (), rest + last
                    if len(rest) > 4 * LONG_BYTES:
                        rest = rest[:LONG_BYTES] + rest[-LONG_BYTES:]
                yield Found(hits, line, offset, size)
    except OSError:
        return


def _searched(raw: bytes) -> str:
    if len(raw) > LONG_BYTES:
        return shown(raw[:LONG_BYTES] + b"\n" + raw[-LONG_BYTES:])
    # Most lines are shown as they are; cleaning each would take ten times as long.
    plain = len(raw) <= 1000 and b"\x1b" not in raw and b"\r" not in raw and b"\t" not in raw
    return raw.decode("utf-8", "replace") if plain else shown(raw)
