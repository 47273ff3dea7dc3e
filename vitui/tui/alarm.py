"""What goes wrong in a training, said while there is time to stop it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vitui.store import LIVE
from vitui.text import safe
from vitui.tui import format
from vitui.tui.series import Series

if TYPE_CHECKING:
    from vitui.store.metrics import Event
    from vitui.tui.views.run import RunView

RECENT, BEFORE = 20, 200
"""Points of the training loss that are compared: the last ones with those before them."""
JUMP = 1.5
"""By this factor the loss must have risen, and beyond the noise, to count as a jump."""
NOISE = 6.0
"""Widths of the noise (median absolute deviation over sqrt(RECENT)) that a rise must exceed."""


def alarm(view: RunView) -> str:
    """One short sentence, empty where nothing is wrong: divergence, steps that were not finite, a loss that jumped."""
    run = view.run
    if run.state == "diverged":
        return "diverged"
    bad = [event for event in view.events if event.kind == "nonfinite" and event.attempt == run.attempt]
    if bad and (run.state in LIVE or run.state in ("failed", "stopped", "lost")):
        last = bad[-1]
        row = last.data.get("consecutive")
        if run.state not in LIVE or _near(last, run.step):
            repeated = f", {row} in a row" if isinstance(row, int) and row > 1 else ""
            times = f"{len(bad)} times" if len(bad) > 1 else "once"
            return f"{safe(str(last.data.get('what', 'loss')), 20)} not finite {times}{repeated}"
    loss = view.series.get("train/loss") if run.state in LIVE else None
    jumped = jump(loss) if loss is not None else None
    return f"loss jumped from {format.number(jumped[0], 3)} to {format.number(jumped[1], 3)}" if jumped else ""


def _near(event: Event, step: int | None) -> bool:
    """Whether it happened in the last tenth of what has been trained (or the last 200 steps)."""
    return (step or 0) - (event.step or 0) <= max(200, (step or 0) // 10)


def jump(loss: Series) -> tuple[float, float] | None:
    """Median loss before and mean of the last points, where that has risen out of the noise; else None."""
    if len(loss) < RECENT + BEFORE // 2:
        return None
    last, before = loss.mean[-RECENT:], loss.mean[-RECENT - BEFORE : -RECENT]
    level, now = float(np.median(before)), float(np.mean(last))
    noise = 1.4826 * float(np.median(np.abs(before - level))) / RECENT**0.5
    # Half of the last points must be up: one odd batch is no jump.
    risen = now > level + NOISE * noise and float(np.median(last)) > level * JUMP
    return (level, now) if level > 0 and now > JUMP * level and risen else None
