"""The events of a run as marks on the time axis of its charts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vitui.text import safe
from vitui.tui.event_text import event_text
from vitui.tui.series import Series
from vitui.tui.views.curves import pace
from vitui.tui.widgets.look import Mark

if TYPE_CHECKING:
    from vitui.store import Run
    from vitui.store.metrics import Event

KINDS = frozenset({"checkpoint", "warning", "nonfinite", "diverged", "failed", "stopped", "resumed"})
MOST = 2000
"""More of them no axis has room for; checkpoints are left out first, the oldest before others."""


def marks(events: Sequence[Event], run: Run, series: Mapping[str, Series]) -> tuple[Mark, ...]:
    """Checkpoints (the best ones too), warnings, steps that were not finite, ends and resumptions."""
    told = [event for event in events if event.kind in KINDS]
    if len(told) > MOST:
        told = [e for e in told if e.kind != "checkpoint" or e.data.get("best")][-MOST:]
    times = max(series.values(), key=len, default=None)
    return tuple(mark_of(event, run, times) for event in told)


def mark_of(event: Event, run: Run, times: Series | None) -> Mark:
    """One event. `times`: a curve that tells which step was done when, for events that name none."""
    step = step_at(event.at, times) if event.step is None else float(event.step)
    best = event.kind == "checkpoint" and event.data.get("best")
    text = safe(event_text(event.kind, event.data), 200)
    return Mark(step, event.at, "best" if best else event.kind, text, pace(run))


def step_at(at: float, times: Series | None) -> float:
    """The step that was done at a time (Unix seconds), as near as a curve tells."""
    if times is None or not len(times):
        return 0.0
    return float(np.interp(at, np.maximum.accumulate(times.at), times.step))
