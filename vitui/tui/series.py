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


class XAxis(enum.Enum):
    """What the horizontal axis counts."""

    STEP = "step"
    EPOCH = "epoch"
    TIME = "time"

    def next(self) -> XAxis:
        kinds = list(XAxis)
        return kinds[(kinds.index(self) + 1) % len(kinds)]


@dataclass(frozen=True, slots=True, eq=False)
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

    def x(self, kind: XAxis, steps_per_epoch: float, started: float) -> tuple[Floats, Floats]:
        """Positions of the finite entries and of the bad ones: steps, epochs, or seconds since `started`."""
        if kind is XAxis.TIME:
            # Clocks can be set back; the raster needs ascending positions.
            return np.maximum.accumulate(self.at - started), self.bad_at - started
        scale = 1.0 if kind is XAxis.STEP or not steps_per_epoch else 1.0 / steps_per_epoch
        return self.step * scale, self.bad_step * scale


def exact(key: str, steps: Floats, values: Floats, at: Floats | None = None) -> Series:
    """Plain points; steps, values, at: float64 [n], ascending steps. NaN and infinities become breaks."""
    steps, values = np.asarray(steps, dtype=np.float64), np.asarray(values, dtype=np.float64)
    at = np.zeros_like(steps) if at is None else np.asarray(at, dtype=np.float64)
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
    steps, at = np.asarray(steps, dtype=np.float64), np.asarray(at, dtype=np.float64)
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
