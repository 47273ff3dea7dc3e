"""What charts compute from series, remembered as long as a series lives: positions, averages, dot columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from vitui.tui.series import Bools, Floats, Pace, Series, XAxis, ema
from vitui.tui.widgets import raster

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Placed:
    """A series on the scales of a chart. All arrays [n]; `smooth` is its moving average, the series' own last values
    where there is none. `gaps`: as `raster.reduce` takes them. `bad` [m]: where it was not finite."""

    x: Floats
    lo: Floats
    hi: Floats
    first: Floats
    last: Floats
    smooth: Floats
    gaps: NDArray[np.intp] | None
    bad: Floats


class Derived:
    """Remembers, for each series, the newest value of each slot. Series that are gone take theirs along."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Series, dict[Hashable, tuple[Hashable, Any]]] = WeakKeyDictionary()

    def once(self, series: Series, slot: Hashable, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gave for this key, or gives now."""
        slots = self._known.setdefault(series, {})
        found = slots.get(slot)
        if found is None or found[0] != key:
            found = slots[slot] = (key, make())
        value: T = found[1]
        return value

    def x(self, series: Series, kind: XAxis, pace: Pace) -> tuple[Floats, Floats]:
        """As `Series.x`."""
        return self.once(series, "x", (kind, pace), lambda: series.x(kind, pace))

    def ends(self, series: Series, kind: XAxis, pace: Pace) -> tuple[float, float, float]:
        """First, smallest positive and last position of a series; infinities where it has none."""

        def find() -> tuple[float, float, float]:
            first, positive, last = math.inf, math.inf, -math.inf
            for at in self.x(series, kind, pace):
                if len(at):
                    first, last = min(first, float(at.min())), max(last, float(at.max()))
                    if len(above := at[at > 0]):
                        positive = min(positive, float(above.min()))
            return first, positive, last

        return self.once(series, "ends", (kind, pace), find)

    def average(self, series: Series, smoothing: float) -> Floats:
        """The debiased moving average of a series."""
        return self.once(series, "ema", smoothing, lambda: ema(series.mean, series.count, smoothing))

    def placed(
        self, series: Series, kind: XAxis, pace: Pace, log_x: bool, log_y: bool, smoothing: float
    ) -> Placed:  # fmt: skip
        """A series on the scales of a chart. What a logarithm does not have (zero, negative) is dropped."""
        key = (kind, pace, log_x, log_y, smoothing)
        return self.once(series, ("placed", log_y), key, lambda: self._place(series, *key))

    def _place(
        self, series: Series, kind: XAxis, pace: Pace, log_x: bool, log_y: bool, smoothing: float
    ) -> Placed:  # fmt: skip
        x, bad = self.x(series, kind, pace)
        smooth = self.average(series, smoothing) if smoothing > 0 else series.last
        if not log_x and not log_y:
            gaps = _gaps(series.broken)
            return Placed(x, series.lo, series.hi, series.first, series.last, smooth, gaps, bad)
        keep = np.ones(len(x), dtype=bool)
        if log_x:
            keep &= x > 0
            bad = np.log10(bad[bad > 0])
        if log_y:
            keep &= series.hi > 0
        kept = np.flatnonzero(keep)
        before = np.cumsum(series.broken)[kept]
        gaps = _gaps((np.diff(kept, prepend=-1) > 1) | (np.diff(before, prepend=0) > 0))
        x = np.log10(x[kept]) if log_x else x[kept]
        if not log_y:
            parts = [a[kept] for a in (series.lo, series.hi, series.first, series.last, smooth)]
            return Placed(x, parts[0], parts[1], parts[2], parts[3], parts[4], gaps, bad)
        hi = series.hi[kept]
        if series.lo is series.hi:
            low = np.log10(hi)
            high = first = last = low
        else:
            # A bucket that also holds what cannot be drawn begins at its mean, or its highest value.
            floor = np.where(series.mean[kept] > 0, series.mean[kept], hi)
            low, high, first, last = (
                np.log10(np.where(a[kept] > 0, a[kept], floor))
                for a in (series.lo, series.hi, series.first, series.last)
            )
        averaged = last
        if smoothing > 0:
            above = smooth[kept]
            averaged = np.log10(np.where(above > 0, above, hi))
        return Placed(x, low, high, first, last, averaged, gaps, bad)

    def columns(
        self, series: Series, slot: Hashable, placed: Placed, key: Hashable, x0: float, x1: float, n: int, average: bool
    ) -> raster.Columns:
        """`n` dot columns of a placed series over [x0, x1]; `key` says how it was placed, `slot` for which chart."""

        def make() -> raster.Columns:
            p = placed
            arrays = (p.smooth,) * 4 if average else (p.lo, p.hi, p.first, p.last)
            return raster.reduce(p.x, *arrays, x0, x1, n, p.gaps)

        return self.once(series, ("columns", slot, average), (key, x0, x1, n), make)


def _gaps(broken: Bools) -> NDArray[np.intp] | None:
    return np.cumsum(broken) if broken.any() else None
