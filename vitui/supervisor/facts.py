"""What the end of a journal says about one attempt, read backwards so that a long curve costs nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import journal

WINDOW = 256 << 10


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one attempt: how far it came and what it said last. Steps and epochs as the journal counts them."""

    terminal: dict[str, Any] | None = None
    """Its last stopped/finished/diverged/failed event."""
    step: int | None = None
    epoch: float | None = None
    last_at: float | None = None
    """When anything of this attempt was journalled last, Unix seconds."""
    checkpoint_step: int | None = None
    """Where a resume goes on from; attempts before this one count too."""


def read_back(path: Path, window: int = WINDOW) -> Iterator[dict[str, Any]]:
    """Events from the last to the first. Damaged lines are passed over; a missing file has none. Raises OSError."""
    if not path.exists():
        return
    with open(path, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        rest = b""
        while end > 0:
            start = max(0, end - window)
            file.seek(start)
            block = file.read(end - start) + rest
            end = start
            lines = block.split(b"\n")
            # The first piece is whole only at the start of the file. Without a newline in the window it grows; no
            # event is longer than a few windows, so beyond that it is damage and is cut.
            rest = lines.pop(0)[: 16 * window] if start else b""
            for line in reversed(lines):
                event = journal.decode(line) if line else None
                if event is not None:
                    yield event


def facts(path: Path, attempt: int) -> Facts:
    """Facts about an attempt from a journal file. Reads back to the last checkpoint or that attempt's beginning."""
    terminal: dict[str, Any] | None = None
    step: int | None = None
    epoch: float | None = None
    last_at: float | None = None
    for event in read_back(path):
        kind, own = event["kind"], event.get("attempt") == attempt
        if own:
            last_at = last_at if last_at is not None else _number(event.get("at"))
            if terminal is None and kind in journal.TERMINAL_KINDS:
                terminal = event
            if step is None and isinstance(event.get("step"), int):
                step, epoch = event["step"], _number(event.get("epoch"))
        if kind in ("checkpoint", "resumed", "stopped") and isinstance(event.get("step"), int):
            return Facts(terminal, step, epoch, last_at, event["step"])
    return Facts(terminal, step, epoch, last_at, None)


def _number(value: Any) -> float | None:
    try:
        return journal.number(value)
    except (TypeError, ValueError):
        return None
