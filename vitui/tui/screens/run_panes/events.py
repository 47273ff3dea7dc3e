"""The events of a run, one line each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vitui import display
from vitui.text import safe
from vitui.tui.event_text import event_text
from vitui.tui.theme import Palette
from vitui.tui.widgets.lines import Line

if TYPE_CHECKING:
    from vitui.store.metrics import Event

_TONES = {
    "finished": "good", "checkpoint": "dim", "eval": "text", "phase": "dim", "warning": "warn", "nonfinite": "bad",
    "diverged": "bad", "failed": "bad", "stopped": "warn", "resumed": "key", "started": "key",
}  # fmt: skip


def event_lines(events: Sequence[Event], p: Palette, width: int) -> list[Line]:
    """When, where in training, what; below 120 cells without date and step."""
    roomy = width >= 120
    return [_line(event, p, roomy) for event in events]


def _line(event: Event, p: Palette, roomy: bool) -> Line:
    tone = getattr(p, _TONES.get(event.kind, "text"))
    clock = display.moment(event.at, "%Y-%m-%d %H:%M:%S" if roomy else "%H:%M:%S")
    epoch = "" if event.epoch is None else f"epoch {event.epoch:.4g}"
    step = "" if event.step is None or not roomy else f"step {event.step:,}"
    return [
        (" ", p.key),
        (f"{clock}  {epoch:<13}{f'{step:<14}' if roomy else ''}", p.dim),
        (f"{safe(event.kind, 12):<12}", tone),
        (safe(event_text(event.kind, event.data), 400), p.text),
    ]


def at_cursor(line: Line, p: Palette) -> Line:
    """A line of `event_lines` as the one under the cursor: a bar in front, and brighter."""
    assert not isinstance(line, str)
    return [("▌", p.key), *((text, style + p.cursor) for text, style in line[1:])]
