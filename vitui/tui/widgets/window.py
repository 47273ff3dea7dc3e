"""What is in view of the horizontal axis, and zooming and panning it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from vitui.tui.series import Span, XAxis
from vitui.tui.widgets.derived import Derived
from vitui.tui.widgets.look import Look, Panel, Trace

_NEAR = 1e-9


@dataclass(frozen=True, slots=True)
class Window:
    """A part [x0, x1] of the whole axis [whole0, whole1].

    The four are in units of the axis, or their base 10 logarithms where `log`. `kind`: what is counted in fact, which
    is steps where the runs do not know what was asked for. `zoomed`: not all is in view; `follows`: the end is.
    """

    kind: XAxis
    log: bool
    whole0: float
    whole1: float
    x0: float
    x1: float
    zoomed: bool = False
    follows: bool = True

    def place(self, x: float) -> float | None:
        """A position of the axis on its scale; None where a logarithmic one has no place for it."""
        if not self.log:
            return x
        return math.log10(x) if x > 0 else None

    def unplace(self, place: float) -> float:
        """The inverse of `place`."""
        return 10.0 ** max(-300.0, min(300.0, place)) if self.log else place

    def scaled(self, factor: float, about: float | None = None) -> Span | None:
        """A window `factor` times as wide about a place; by default about its end while that follows the run."""
        width, whole = (self.x1 - self.x0) * factor, self.whole1 - self.whole0
        width = max(width, self._least())
        if width >= whole * (1 - _NEAR):
            return None
        if about is None:
            about = self.x1 if self.follows else (self.x0 + self.x1) / 2
        part = min(max((about - self.x0) / (self.x1 - self.x0), 0.0), 1.0)
        return self._span(about - part * width, width)

    def moved(self, part: float) -> Span | None:
        """The window moved by `part` of its width; at the right end it follows the run again."""
        if not self.zoomed:
            return None
        width = self.x1 - self.x0
        return self._span(self.x0 + part * width, width)

    def _least(self) -> float:
        if self.log:
            return 0.01
        return 4.0 if self.kind is XAxis.STEP else (self.whole1 - self.whole0) * 1e-6

    def _span(self, low: float, width: float) -> Span:
        low = min(max(low, self.whole0), max(self.whole0, self.whole1 - width))
        at_end = low + width >= self.whole1 - _NEAR * max(1.0, abs(self.whole1))
        return Span(self.kind, self.unplace(low), None if at_end else self.unplace(low + width))


def axis_of(traces: Iterable[Trace], wanted: XAxis) -> XAxis:
    """`wanted` where every run knows its place on that axis, else steps, which all know."""
    known = [t.series.knows(wanted, t.pace) for t in traces if len(t.series) or len(t.series.bad_step)]
    return wanted if known and all(known) else XAxis.STEP


def whole(panels: Iterable[Panel], kind: XAxis, derived: Derived) -> tuple[float, float, float]:
    """First, smallest positive and last position of all points, in units of the axis; (0, 1, 1) where there is none."""
    first, positive, last = math.inf, math.inf, -math.inf
    for panel in panels:
        for trace in panel.traces:
            low, above, high = derived.ends(trace.series, kind, trace.pace)
            first, positive, last = min(first, low), min(positive, above), max(last, high)
    if not (math.isfinite(first) and math.isfinite(last)):
        return 0.0, 1.0, 1.0
    return first, positive if math.isfinite(positive) else 1.0, last


def window_of(look: Look, kind: XAxis, ends: tuple[float, float, float]) -> Window:
    """The window of a look over points whose `ends` are as `whole` gives them."""
    first, positive, last = ends
    log = look.log_x and kind is not XAxis.WALL and last > 0
    if log:
        whole0, whole1 = math.log10(positive), math.log10(last)
    else:
        whole0, whole1 = (first if kind is XAxis.WALL else 0.0), last
    if not whole1 - whole0 > 1e-12 * max(abs(whole0), abs(whole1)):
        whole1 = whole0 + max(1.0, abs(whole0) * 1e-6)
    blank = Window(kind, log, whole0, whole1, whole0, whole1)
    span = look.span
    if span is None or span.axis is not kind:
        return blank
    low = blank.place(span.low)
    high = whole1 if span.high is None else blank.place(span.high)
    low = whole0 if low is None else low
    if high is None or not math.isfinite(low) or not math.isfinite(high):
        return blank
    if high - low < 1e-9 * max(1.0, abs(high)):
        # A window wholly beyond the points, or narrower than numbers can tell: the last bit of them is shown.
        low, high = min(low, whole1 - blank._least()), max(high, whole1)
    return Window(kind, log, whole0, whole1, low, high, True, span.high is None)
