"""What stands where the charts will be, while there is nothing to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitui import display
from vitui.store import LIVE, WAITING
from vitui.text import safe, wrapped
from vitui.tui.theme import Palette
from vitui.tui.views.run import RunView
from vitui.tui.widgets.lines import Line

if TYPE_CHECKING:
    from vitui.store import Run


def bare_lines(view: RunView, now: float, p: Palette, width: int) -> list[Line]:
    """Why there are no curves (yet) and what comes next; empty where there are some."""
    if view.series:
        return []
    lines: list[Line] = [""]
    for text in _said(view, now):
        lines += [[(part, p.text)] for part in wrapped(safe(text, 600), max(20, width))]
    return lines


def _said(view: RunView, now: float) -> list[str]:
    run: Run = view.run
    if not view.here:
        return [f"no curves, and its directory {view.path} is gone", "`vitui rebuild` takes it out of the listing"]
    if run.state in WAITING:
        why = run.reason or ("held" if run.held else "")
        place = f"number {run.position} in the queue" if run.position else "in the queue"
        return [f"waits, {place}" + (f": {why}" if why else ""), "its curves appear here once it trains"]
    if run.state in LIVE:
        took = display.elapsed(run, now)
        doing = view.phase or ("starting" if run.state == "starting" else "about to train")
        return [f"no step yet: {doing}" + (f", since {display.duration(took)}" if took is not None else "")]
    ended = f"{run.state} before its first step was journalled"
    return [ended, "the end of its log:" if view.log else "it has printed nothing"]
