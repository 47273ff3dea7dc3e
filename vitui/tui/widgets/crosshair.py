"""What the curves say at one place of the horizontal axis. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.style import Style

from vitui import display
from vitui.text import safe
from vitui.tui.format import number
from vitui.tui.series import XAxis
from vitui.tui.theme import Palette
from vitui.tui.widgets import axes
from vitui.tui.widgets.derived import Derived
from vitui.tui.widgets.look import Mark, Panel, Trace
from vitui.tui.widgets.plot import weight
from vitui.tui.widgets.signs import Signs

Part = tuple[str, Style]


@dataclass(frozen=True, slots=True)
class Reading:
    """The entry of a trace nearest to a place. `smoothed`: its moving average, None where none is drawn.

    `finite` False: the nearest thing is a value that is not finite. `at`: seconds since 1970, 0 where not known.
    """

    trace: Trace
    value: float
    smoothed: float | None
    step: float
    at: float
    finite: bool = True

    @property
    def epoch(self) -> float | None:
        per_step = self.trace.pace.per_step(XAxis.EPOCH)
        return self.step * per_step if per_step else None

    @property
    def images(self) -> float | None:
        per_step = self.trace.pace.per_step(XAxis.IMAGES)
        return self.step * per_step if per_step else None

    @property
    def seconds(self) -> float | None:
        """Since the run's start."""
        started = self.trace.pace.started
        return self.at - started if started > 0 and self.at > 0 else None


def reading(
    trace: Trace, kind: XAxis, x: float, reach: float, smoothing: float, derived: Derived
) -> Reading | None:  # fmt: skip
    """The entry nearest to `x` (units of the axis), None where the curve does not come near it.

    `reach`: half the width of a dot; beyond the ends of a curve nothing is read further away than that or than its
    points are from each other.
    """
    series = trace.series
    places, bad = derived.x(series, kind, trace.pace)
    if len(bad):
        nearest = int(np.argmin(np.abs(bad - x)))
        if abs(float(bad[nearest]) - x) <= reach:
            return Reading(trace, np.nan, None, float(series.bad_step[nearest]), float(series.bad_at[nearest]), False)
    if not len(places):
        return None
    after = min(int(np.searchsorted(places, x)), len(places) - 1)
    index = after - 1 if after > 0 and x - places[after - 1] <= places[after] - x else after
    end = 1 if index == 0 else len(places) - 1
    gap = abs(float(places[end] - places[end - 1])) if len(places) > 1 else 0.0
    if not places[0] <= x <= places[-1] and abs(float(places[index]) - x) > max(reach, gap):
        return None
    smoothed = float(derived.average(series, smoothing)[index]) if trace.smooth and smoothing > 0 else None
    return Reading(trace, float(series.mean[index]), smoothed, float(series.step[index]), float(series.at[index]))


def marks_at(marks: Sequence[Mark], kind: XAxis, x: float, reach: float) -> list[Mark]:
    """The marks within `reach` of a place, those that matter most first."""
    near = [m for m in marks if (place := m.x(kind)) is not None and abs(place - x) <= reach]
    return sorted(near, key=weight, reverse=True)


def where(found: Reading, kind: XAxis) -> str:
    """The place of a reading in all units its run knows, the axis' own first."""
    words = {XAxis.STEP: f"step {found.step:,.0f}"}
    if found.epoch is not None:
        words[XAxis.EPOCH] = f"epoch {found.epoch:.4g}"
    if found.images is not None:
        words[XAxis.IMAGES] = f"{display.count(round(found.images))} images"
    if found.seconds is not None:
        words[XAxis.RELATIVE] = f"after {display.duration(found.seconds)}"
    if found.at > 0:
        words[XAxis.WALL] = f"at {axes.clock(found.at)}"
    first = [words.pop(kind)] if kind in words else []
    return "  ".join([*first, *words.values()])


def readout(
    panels: Sequence[Panel],
    front: Panel,
    kind: XAxis,
    x: float,
    reach: float,
    cell: float,
    smoothing: float,
    derived: Derived,
    p: Palette,
    signs: Signs,
) -> list[list[Part]]:
    """Lines about the place `x`: events there, each trace of the chart in front, then the other charts in short.

    `reach` and `cell`: half a dot and half a cell, in units of the axis.
    """

    def read(trace: Trace) -> Reading | None:
        return reading(trace, kind, x, reach, smoothing, derived)

    found = [read(trace) for trace in front.traces]
    anchor = next((r for r in found if r is not None), None)
    anchor = anchor or next((r for panel in panels for t in panel.traces if (r := read(t)) is not None), None)
    head: list[Part] = [(where(anchor, kind) if anchor else "no curve comes here", p.text)]
    for mark in marks_at(front.marks, kind, x, cell)[:2]:
        tone = p.bad if mark.kind in ("diverged", "failed", "nonfinite") else p.warn
        head.append((f"  {signs.mark(mark.kind)} {mark.kind}", tone))
        head.append((f" {safe(mark.text, 60)}" if mark.text else "", p.text))
    lines = [head]
    several = len({t.pace for t in front.traces}) > 1
    for trace, one in zip(front.traces, found, strict=True):
        tone = p.curves[trace.ink % len(p.curves)]
        line: list[Part] = [(f"{trace.letter} {safe(trace.label, 24)}", tone), (f"  {_value(one, signs)}", p.strong)]
        if one is not None:
            if one.smoothed is not None:
                line.append((f"  smoothed {number(one.smoothed)}", p.text))
            place = where(one, kind) if several else f"step {one.step:,.0f}"
            line.append((f"  {place}", p.dim))
        lines.append(line)
    for panel in panels:
        if panel is not front and panel.traces:
            short: list[Part] = [(f"{panel.title}", p.dim)]
            for trace in panel.traces:
                tone = p.curves[trace.ink % len(p.curves)]
                short += [(f"  {trace.letter} ", tone), (_value(read(trace), signs), p.text)]
            lines.append(short)
    return lines


def _value(found: Reading | None, signs: Signs) -> str:
    if found is None:
        return signs.dash
    return number(found.value) if found.finite else f"{signs.bad} not finite"
