"""A curve as the charts take it: finite points or an envelope, and where it was not finite. Pure numpy."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Counts = NDArray[np.int64] | Floats

LIMIT = 1e100
"""Beyond this a value is drawn as infinite: ranges and sums of such values would overflow."""
LATEST = 1e11
"""Seconds since 1970 beyond which a moment is none."""


class XAxis(enum.Enum):
    """What the horizontal axis counts. The value is how the axis is named."""

    STEP = "step"
    EPOCH = "epoch"
    IMAGES = "images"
    RELATIVE = "time"
    """Seconds since the run's start."""
    WALL = "clock"
    """Seconds since 1970, shown as the time of day."""

    def next(self) -> XAxis:
        kinds = list(XAxis)
        return kinds[(kinds.index(self) + 1) % len(kinds)]


@dataclass(frozen=True, slots=True)
class Pace:
    """What turns the steps of one run into epochs, images and time; 0 where it is not known.

    `steps_per_epoch` optimiser steps, `images_per_step` images over all devices, `started` seconds since 1970.
    """

    steps_per_epoch: float = 0.0
    images_per_step: float = 0.0
    started: float = 0.0

    def per_step(self, kind: XAxis) -> float:
        """Units of a counted axis in one step; 0 where that is not known or the axis tells the time."""
        match kind:
            case XAxis.STEP:
                return 1.0
            case XAxis.EPOCH:
                return 1.0 / self.steps_per_epoch if self.steps_per_epoch > 0 else 0.0
            case XAxis.IMAGES:
                return max(self.images_per_step, 0.0)
            case _:
                return 0.0


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Series:
    """One curve. Arrays are float64 [n] over finite points, ascending in step.

    Plain points have lo = hi = first = last = mean (the same array) and count 1; an envelope has one entry for each
    bucket. `broken[i]`: something not finite lies between entries i - 1 and i. `bad_step`, `bad_at` [m]: where.
    """

    key: str
    step: Floats
    at: Floats
    lo: Floats
    hi: Floats
    first: Floats
    last: Floats
    mean: Floats
    count: Floats
    broken: Bools
    bad_step: Floats
    bad_at: Floats

    def __len__(self) -> int:
        return len(self.step)

    @property
    def latest(self) -> float | None:
        """The last finite value."""
        return float(self.last[-1]) if len(self.last) else None

    def knows(self, kind: XAxis, pace: Pace) -> bool:
        """Whether its points have a place on that axis."""
        if kind in (XAxis.RELATIVE, XAxis.WALL):
            last = max((float(at[-1]) for at in (self.at, self.bad_at) if len(at)), default=0.0)
            return 0 < last <= LIMIT and (kind is XAxis.WALL or pace.started > 0)
        return pace.per_step(kind) > 0

    def x(self, kind: XAxis, pace: Pace) -> tuple[Floats, Floats]:
        """Positions of the finite entries (ascending) and of the bad ones, in units of the axis.

        Where the run does not know its pace (`knows`) they are its steps.
        """
        if kind in (XAxis.RELATIVE, XAxis.WALL) and self.knows(kind, pace):
            since = pace.started if kind is XAxis.RELATIVE else 0.0
            # Clocks can be set back; the raster needs ascending positions.
            return np.maximum.accumulate(self.at) - since, self.bad_at - since
        scale = pace.per_step(kind) or 1.0
        return (self.step, self.bad_step) if scale == 1.0 else (self.step * scale, self.bad_step * scale)


@dataclass(frozen=True, slots=True)
class Span:
    """What is in view of the horizontal axis, in its units. `high` None: the end follows the run."""

    axis: XAxis
    low: float
    high: float | None


def steps_in(span: Span | None, pace: Pace, series: Series) -> tuple[float, float | None] | None:
    """The steps of a run that a span shows, None for all of them. `series`: any curve of that run, for its times.

    A run that does not know its place on the span's axis is shown whole.
    """
    if span is None:
        return None
    if scale := pace.per_step(span.axis):
        return span.low / scale, None if span.high is None else span.high / scale
    if len(series) == 0 or not series.knows(span.axis, pace):
        return None
    x, _ = series.x(span.axis, pace)
    before = max(int(np.searchsorted(x, span.low, side="right")) - 1, 0)
    if span.high is None:
        return float(series.step[before]), None
    after = min(int(np.searchsorted(x, span.high, side="left")), len(x) - 1)
    return float(series.step[before]), float(series.step[after])


def _moments(at: Floats) -> Floats:
    """Seconds since 1970 as float64 [n]; 0, not known, where there is none that a calendar could show."""
    at = np.asarray(at, dtype=np.float64)
    good = np.abs(at) <= LATEST
    return at if good.all() else np.where(good, at, 0.0)


def exact(key: str, steps: Floats, values: Floats, at: Floats | None = None) -> Series:
    """Plain points; steps, values, at: float64 [n], ascending steps. NaN and infinities become breaks."""
    steps, values = np.asarray(steps, dtype=np.float64), np.asarray(values, dtype=np.float64)
    at = np.zeros_like(steps) if at is None else _moments(at)
    good = np.abs(values) <= LIMIT  # False for NaN
    if good.all():
        none, broken = np.zeros(0), np.zeros(len(steps), dtype=bool)
        return Series(key, steps, at, values, values, values, values, values, np.ones(len(steps)), broken, none, none)
    kept, bad = np.flatnonzero(good), np.flatnonzero(~good)
    broken = np.diff(kept, prepend=-1) > 1
    v = values[kept]
    return Series(key, steps[kept], at[kept], v, v, v, v, v, np.ones(len(kept)), broken, steps[bad], at[bad])


def enveloped(
    key: str,
    steps: Floats,
    at: Floats,
    lo: Floats,
    hi: Floats,
    first: Floats,
    last: Floats,
    mean: Floats,
    count: Counts,
    bad: Counts,
) -> Series:
    """Buckets of points: `count` points each, of which `bad` were not finite; lo ... mean are over the finite ones."""
    columns = [np.asarray(a, dtype=np.float64) for a in (lo, hi, first, last, mean)]
    steps, at = np.asarray(steps, dtype=np.float64), _moments(at)
    low, high, start, end, middle = columns
    # First and last may be what is not finite in an otherwise good bucket.
    start, end = np.where(np.abs(start) <= LIMIT, start, middle), np.where(np.abs(end) <= LIMIT, end, middle)
    good = (np.abs(low) <= LIMIT) & (np.abs(high) <= LIMIT) & (np.abs(middle) <= LIMIT)
    kept = np.flatnonzero(good)
    stained = np.flatnonzero((np.asarray(bad) > 0) | ~good)
    broken = np.diff(kept, prepend=-1) > 1
    weight = np.maximum(np.asarray(count, dtype=np.float64)[kept] - np.asarray(bad, dtype=np.float64)[kept], 1.0)
    return Series(
        key, steps[kept], at[kept], low[kept], high[kept], start[kept], end[kept], middle[kept], weight, broken,
        steps[stained], at[stained],
    )  # fmt: skip


SMOOTHING = (0.0, 0.6, 0.9, 0.97, 0.99, 0.997)
"""The steps of the smoothing keys."""


def ema(values: Floats, count: Floats, smoothing: float) -> Floats:
    """Debiased exponential moving average, float64 [n]: sum of s^(points since) * value / sum of s^(points since).

    `count[i]` points stand behind `values[i]` (1 for plain points). `smoothing` s in [0, 1); 0 gives the values.
    Blockwise cumulative sums instead of a loop over points: blocks end before s^points can underflow.
    """
    if smoothing <= 0 or len(values) == 0:
        return values
    # s^count below 1e-12 forgets everything older either way.
    log_decay = np.maximum(count * math.log(smoothing), -27.0)
    gain = -np.expm1(log_decay)
    total = np.cumsum(log_decay)
    age = -total
    out, weight = np.empty(len(values)), -np.expm1(total)
    start, carried, base = 0, 0.0, 0.0
    while start < len(values):
        stop = max(int(np.searchsorted(age, 600.0 - base)), start + 1)
        decay = np.exp(total[start:stop] - base)
        out[start:stop] = decay * (carried + np.cumsum(gain[start:stop] * values[start:stop] / decay))
        carried, base, start = float(out[stop - 1]), float(total[stop - 1]), stop
    out /= weight
    return out
