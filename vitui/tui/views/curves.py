"""The series of one run, read as far as they have grown. Used by the poller's thread."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vitui.tui.series import Floats, Pace, Series, Span, enveloped, exact, steps_in

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.store import Run
    from vitui.store.metrics import Extent

EXACT_POINTS = 20_000
"""Longer series come as envelopes of BUCKETS buckets, whatever their length."""
BUCKETS = 2000
TAIL_POINTS = 2048
"""So many new points are put at the end of an envelope as they are; beyond that it is read anew."""


def pace(run: Run) -> Pace:
    """What turns the steps of a run into epochs, images and time."""
    return Pace(float(run.steps_per_epoch or 0), float(run.batch_size or 0), run.started or 0.0)


class RunCurves:
    """The curves of a run. A series that has not changed is the same object again, so charts know it."""

    def __init__(self, lab: Lab, run_id: str) -> None:
        self.run_id = run_id
        self._lab = lab
        self._held: dict[str, _Held] = {}
        self._shown: dict[str, Series] = {}

    def read(self, run: Run, span: Span | None, keys: Collection[str] | None = None) -> Mapping[str, Series]:
        """Every series (or those named) by key; the same mapping as before when none has changed.

        Every point of a short series. Of a long one an envelope, in finer buckets where `span` is.
        """
        held, shown = dict[str, _Held](), dict[str, Series]()
        for key, extent in self._lab.extents(self.run_id).items():
            if keys is None or key in keys:
                old = self._held.get(key)
                kind = _Whole if extent.points <= EXACT_POINTS else _Long
                one = old if type(old) is kind else kind(self._lab, self.run_id, key)
                held[key], shown[key] = one, one.read(extent, run, span)
        self._held = held
        if list(shown) != list(self._shown) or any(shown[key] is not self._shown[key] for key in shown):
            self._shown = shown
        return self._shown


class _Held:
    """What is kept of one series."""

    def __init__(self, lab: Lab, run_id: str, key: str) -> None:
        self._lab, self._run_id, self.key = lab, run_id, key
        self._extent: Extent | None = None
        self._series: Series | None = None

    def read(self, extent: Extent, run: Run, span: Span | None) -> Series:
        raise NotImplementedError

    def _points(self, **bounds: float) -> tuple[Floats, Floats, Floats]:
        curve = self._lab.curve(self._run_id, self.key, **bounds)
        return curve.steps, curve.values, curve.at

    def _grown(self, extent: Extent) -> tuple[Floats, Floats, Floats] | None:
        """What has come at the end since the last time; None where other things may have changed too."""
        old = self._extent
        if old is None or extent.resumed != old.resumed or extent.points < old.points:
            return None
        new = self._points(step_min=old.last_step + 1)
        return new if old.points + len(new[0]) == extent.points else None


class _Whole(_Held):
    """Every point."""

    _arrays: tuple[Floats, Floats, Floats]

    def read(self, extent: Extent, run: Run, span: Span | None) -> Series:
        if self._series is None or extent != self._extent:
            new = self._grown(extent)
            if new is None:
                self._arrays = self._points()
            else:
                steps, values, at = (np.concatenate(pair) for pair in zip(self._arrays, new, strict=True))
                self._arrays = steps, values, at
            self._series, self._extent = exact(self.key, *self._arrays), extent
        return self._series


@dataclass(frozen=True, slots=True)
class _Buckets:
    """Columns of an envelope, each float64 [n]; a point is a bucket of one."""

    step: Floats
    at: Floats
    lo: Floats
    hi: Floats
    first: Floats
    last: Floats
    mean: Floats
    count: Floats
    bad: Floats

    @classmethod
    def of_points(cls, steps: Floats, values: Floats, at: Floats) -> _Buckets:
        bad = 1.0 - np.isfinite(values)
        return cls(steps, at, values, values, values, values, values, np.ones(len(values)), bad)

    @classmethod
    def of_envelope(cls, e: Any) -> _Buckets:
        return cls(e.step_last, e.at_last, e.min, e.max, e.first, e.last, e.mean, e.count, e.nan_count)

    def part(self, start: int, stop: int) -> _Buckets:
        return _Buckets(*(column[start:stop] for column in self._columns()))

    def then(self, *others: _Buckets) -> _Buckets:
        columns = zip(self._columns(), *(other._columns() for other in others), strict=True)
        return _Buckets(*(np.concatenate(parts) for parts in columns))

    def _columns(self) -> tuple[Floats, ...]:
        return (self.step, self.at, self.lo, self.hi, self.first, self.last, self.mean, self.count, self.bad)

    def series(self, key: str) -> Series:
        return enveloped(key, *self._columns())


class _Long(_Held):
    """An envelope of all, points that came after it, and finer buckets of what is in view with as much beside it."""

    def __init__(self, lab: Lab, run_id: str, key: str) -> None:
        super().__init__(lab, run_id, key)
        self._base: _Buckets | None = None
        self._tail: _Buckets | None = None
        self._whole: Series | None = None
        self._fine: _Buckets | None = None
        self._fine_steps = (0.0, 0.0)
        """The fine buckets are of the steps beyond the first up to the second."""
        self._wanted: tuple[float, float] | None = None

    def read(self, extent: Extent, run: Run, span: Span | None) -> Series:
        if self._whole is None or extent != self._extent:
            self._grow(extent)
            self._series = None
        assert self._whole is not None
        wanted = self._in_view(run, span)
        if wanted != self._wanted or self._series is None:
            self._wanted = wanted
            self._series = self._whole if wanted is None else self._detailed(*wanted)
        return self._series

    def _grow(self, extent: Extent) -> None:
        new = self._grown(extent) if self._base is not None else None
        if new is not None:
            fresh = _Buckets.of_points(*new)
            self._tail = fresh if self._tail is None else self._tail.then(fresh)
        if new is None or (self._tail is not None and len(self._tail.step) > TAIL_POINTS):
            self._base = _Buckets.of_envelope(self._lab.envelope(self._run_id, self.key, BUCKETS))
            self._tail = self._fine = None
        self._extent = extent
        self._whole = self._all().series(self.key)

    def _all(self) -> _Buckets:
        assert self._base is not None
        return self._base if self._tail is None else self._base.then(self._tail)

    def _in_view(self, run: Run, span: Span | None) -> tuple[float, float] | None:
        assert self._whole is not None
        found = steps_in(span, pace(run), self._whole)
        if found is None:
            return None
        low, high = found
        return low, float(run.step or 0) if high is None else high

    def _detailed(self, low: float, high: float) -> Series:
        """Everything, with the buckets that `low` to `high` touch (and a margin that panning shows) made finer."""
        base, (after, until) = self._base, self._fine_steps
        assert base is not None and self._whole is not None
        end = float(base.step[-1]) if len(base.step) else 0.0
        width = max(high - low, 1.0)
        held = self._fine is not None and after <= low and min(high, end) <= until and until - after <= 8 * width
        if not held:
            start = int(np.searchsorted(base.step, low - width))
            stop = min(int(np.searchsorted(base.step, high + width)) + 1, len(base.step))
            if stop <= start:
                return self._whole
            after, until = float(base.step[start - 1]) if start else -1.0, float(base.step[stop - 1])
            self._fine, self._fine_steps = self._finer(base, start, stop, after, until), (after, until)
        assert self._fine is not None
        before = base.part(0, int(np.searchsorted(base.step, after, side="right")))
        beyond = base.part(int(np.searchsorted(base.step, until, side="right")), len(base.step))
        tail = [] if self._tail is None else [self._tail]
        return before.then(self._fine, beyond, *tail).series(self.key)

    def _finer(self, base: _Buckets, start: int, stop: int, after: float, until: float) -> _Buckets:
        bounds = {"step_min": after + 1, "step_max": until}
        if float(np.sum(base.count[start:stop])) <= EXACT_POINTS:
            return _Buckets.of_points(*self._points(**bounds))
        return _Buckets.of_envelope(self._lab.envelope(self._run_id, self.key, BUCKETS, **bounds))
