"""The range of a vertical axis: automatic, clipped or typed, and zooming and panning it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from vitui.tui.widgets.look import Level, Limits, Look, Panel
from vitui.tui.widgets.window import Window

if TYPE_CHECKING:
    from vitui.tui.widgets.plot import Curve

CLIP = (1.0, 99.0)
"""Percentiles between which a clipped axis lies."""
_SAMPLE = 20_000
_FARTHEST = 1e100


def value_range(curves: Iterable[Curve], panel: Panel, look: Look, window: Window) -> tuple[float, float, bool]:
    """Lowest and highest value of the y axis (logarithms where it is logarithmic), and whether values were clipped."""
    log, curves = look.is_log(panel), list(curves)
    found = [r for c in curves for part in (c.line, c.band) if part is not None and (r := part.range()) is not None]
    clipped = False
    low, high = 0.0, 1.0
    if found:
        low, high = min(r[0] for r in found), max(r[1] for r in found)
        if look.clip and (inner := _percentiles(curves, window)) is not None:
            clipped = inner[0] > low or inner[1] < high
            low, high = max(low, inner[0]), min(high, inner[1])
        levels = [v for level in panel.levels if (v := level_place(level, log)) is not None]
        low, high = min([low, *levels]), max([high, *levels])
        if high - low < 1e-12 * max(abs(low), abs(high), 1e-300):
            pad = abs(low) * 0.1 or 1.0
        else:
            pad = (high - low) * 0.04
        low, high = low - pad, high + pad
    wanted_low, wanted_high = (_place(v, log) for v in look.ranges.get(panel.key, (None, None)))
    low = low if wanted_low is None else wanted_low
    high = high if wanted_high is None else wanted_high
    if not high - low > 1e-13 * max(abs(low), abs(high)):
        # One end was typed and everything in view lies beyond it.
        pad = abs(low) * 0.1 or 1.0
        low, high = (low, low + pad) if wanted_high is None else (high - pad, high)
    return low, high, clipped


def level_place(level: Level, log: bool) -> float | None:
    """Where on the axis a level is, None where it has no place."""
    return _place(level.value, log)


def _place(value: float | None, log: bool) -> float | None:
    if value is None or not abs(value) <= _FARTHEST or (log and value <= 0):
        return None
    return math.log10(value) if log else value


def _percentiles(curves: list[Curve], window: Window) -> tuple[float, float] | None:
    """Percentiles of the points in view; of many an even sample."""
    parts = []
    for curve in curves:
        p = curve.placed
        begin, end = np.searchsorted(p.x, [window.x0, window.x1]).tolist()
        end += int(np.searchsorted(p.x[end:], window.x1, side="right"))
        stride = max(1, (end - begin) // _SAMPLE)
        parts += [a[begin:end:stride] for a in ((p.lo,) if p.lo is p.hi else (p.lo, p.hi))]
    values = np.concatenate(parts) if parts else np.zeros(0)
    if not len(values):
        return None
    low, high = np.percentile(values, CLIP).tolist()
    return low, high


def scaled(y0: float, y1: float, factor: float, log: bool, about: float | None = None) -> Limits:
    """Limits for the range [y0, y1] (logarithms where `log`) made `factor` times as high about a place."""
    middle = (y0 + y1) / 2 if about is None else about
    return _limits(middle + (y0 - middle) * factor, middle + (y1 - middle) * factor, log)


def moved(y0: float, y1: float, part: float, log: bool) -> Limits:
    """Limits for the range moved up by `part` of its height."""
    step = (y1 - y0) * part
    return _limits(y0 + step, y1 + step, log)


def _limits(low: float, high: float, log: bool) -> Limits:
    if log:
        low, high = (max(-90.0, min(90.0, v)) for v in (low, high))
    magnitude = max(abs(low), abs(high))
    if not (magnitude <= 1e90 and high - low > 1e-10 * magnitude):
        return None, None
    return (10.0**low, 10.0**high) if log else (low, high)


def parse_limits(text: str, log: bool = False) -> Limits | str:
    """Limits typed as ``low:high``, either end empty for automatic; else a sentence that says what is wrong."""
    low_text, colon, high_text = (part.strip() for part in text.partition(":"))
    if not low_text and not high_text:
        return None, None
    if not colon:
        return "write low:high with a colon between, as in 0.1:2.5; an end left empty is automatic"
    ends: list[float | None] = []
    for name, part in (("low", low_text), ("high", high_text)):
        try:
            value = float(part) if part else None
        except ValueError:
            return f"{name} must be a number, not {part!r}"
        if value is not None and not abs(value) <= 1e90:
            return f"{name} must be a finite number of reasonable size, not {part}"
        if log and value is not None and value <= 0:
            return f"{name} must be above 0 on a logarithmic axis, not {part}"
        ends.append(value)
    low, high = ends
    if low is not None and high is not None and not low < high:
        return f"low must be less than high: {low_text} is not less than {high_text}"
    return low, high
