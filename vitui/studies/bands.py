"""Curves of variants over their seeds: mean, deviation, least and most at every step. The upper part is pure.

Seeds are aligned by step. One that diverged ends early: from there on everything is of the seeds that are left, and
`n` says how many these are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vitui.errors import UsageError
from vitui.escaping import json_value
from vitui.store.series import direction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vitui.reading import Reading
    from vitui.store import Run
    from vitui.studies.report import Report, Row

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

POINTS: Final = 200
"""Steps of a band at most. An envelope of a long series has 257 buckets or more, so no bin in between stays empty."""
MOST_VARIANTS: Final = 8
"""Curves that can be told apart in one picture."""
MOST_SEEDS: Final = 64
"""Runs of one variant that are read."""


@dataclass(frozen=True, eq=False)
class Series:
    """Points of one run, by step; values may be NaN."""

    steps: Floats
    values: Floats


@dataclass(frozen=True, eq=False)
class Band:
    """Over seeds, by step: arrays of one length. `deviation` is that of a sample and NaN where there is one seed."""

    steps: Floats
    mean: Floats
    deviation: Floats
    least: Floats
    most: Floats
    n: Ints


@dataclass(frozen=True, eq=False)
class Curve:
    """A variant in a picture. `x`: where its points stand, in the overlay's unit."""

    variant: str
    label: str
    baseline: bool
    seeds: int
    diverged: int
    x: Floats
    band: Band


@dataclass(frozen=True, eq=False)
class Overlay:
    """Curves of several variants of one series. `x`: "epoch" where that is known of all, else "step"."""

    key: str
    unit: str
    x: str
    curves: tuple[Curve, ...]
    left_out: int
    """Variants with a curve that the picture has no room for."""

    @property
    def title(self) -> str:
        """``minival/top1, %``."""
        return f"{self.key}, {self.unit}" if self.unit else self.key

    def as_json(self) -> dict[str, Any]:
        """All numbers; NaN as a string."""
        return {
            "key": self.key,
            "unit": self.unit,
            "x": self.x,
            "left_out": self.left_out,
            "variants": [
                {
                    "variant": one.variant,
                    "seeds": one.seeds,
                    "diverged": one.diverged,
                    "x": one.x.tolist(),
                    **{
                        name: [json_value(value) for value in getattr(one.band, name).tolist()]
                        for name in ("steps", "mean", "deviation", "least", "most", "n")
                    },
                }
                for one in self.curves
            ],
        }


def band(series: Sequence[Series], points: int = POINTS) -> Band:
    """Mean and spread of several series over their common steps.

    Where all of them together have more than `points` steps, each is first averaged in that many bins of equal width;
    the step of a bin is its end. What is not finite does not count.
    """
    import numpy as np

    kept = [(one.steps[ok], one.values[ok]) for one in series if (ok := np.isfinite(one.values)).any()]
    steps: Floats = np.unique(np.concatenate([s for s, _ in kept])) if kept else np.empty(0)
    if len(steps) > points:
        edges = np.linspace(steps[0], steps[-1], points + 1)
        where = [np.clip(np.searchsorted(edges, s, side="left") - 1, 0, points - 1) for s, _ in kept]
        steps = edges[1:]
    else:
        where = [np.searchsorted(steps, s) for s, _ in kept]
    size = len(steps)
    table = np.full((len(kept), size), np.nan)
    for row, (at, (_, values)) in enumerate(zip(where, kept, strict=True)):
        heavy = np.bincount(at, minlength=size)
        total = np.bincount(at, weights=values, minlength=size)
        table[row] = np.divide(total, heavy, out=np.full(size, np.nan), where=heavy > 0)
    there = ~np.isnan(table)
    n = there.sum(axis=0)
    used = n > 0
    table, there, n, steps = table[:, used], there[:, used], n[used], steps[used]
    mean = np.where(there, table, 0.0).sum(axis=0) / n
    squares = (np.where(there, table - mean, 0.0) ** 2).sum(axis=0)
    deviation = np.sqrt(np.divide(squares, n - 1, out=np.full(len(n), np.nan), where=n > 1))
    least = np.fmin.reduce(table, axis=0) if len(kept) else np.empty(0)
    most = np.fmax.reduce(table, axis=0) if len(kept) else np.empty(0)
    return Band(steps, mean, deviation, least, most, n)


def chosen(report: Report, most: int = MOST_VARIANTS, only: Collection[str] | None = None) -> list[Row]:
    """Rows for one picture, in their order: the baseline and the best, or those that are named.

    Raises UsageError for a name that no variant has.
    """
    if only is not None:
        known = {row.variant.name for row in report.rows}
        if unknown := next((name for name in only if name not in known), None):
            raise UsageError(f'study {report.name} has no variant "{unknown}"')
        return [row for row in report.rows if row.variant.name in only]
    better = direction(report.metric) or 1
    places = [n for n, row in enumerate(report.rows) if any(cell.run is not None for cell in row.cells)]

    def rank(place: int) -> tuple[bool, float]:
        value = report.rows[place].value
        return place != report.baseline, -value.mean * better if value is not None else math.inf

    return [report.rows[place] for place in sorted(sorted(places, key=rank)[:most])]


# -- reading -----------------------------------------------------------------------------------------------------


def default_keys(lab: Reading, report: Report) -> list[str]:
    """Series worth a picture: what epochs are picked by, then the training loss; those only that there are."""
    runs = [cell.run for row in chosen(report) for cell in row.cells if cell.run is not None]
    if not runs:
        return []
    told = Counter(f"{run.selected_on}/{run.metric or 'top1'}" for run in runs if run.selected_on)
    known = set(lab.keys(runs[0].id)).union(*(lab.keys(run.id) for run in runs[1:8]))
    wanted = [key for key, _ in told.most_common(1)]
    averaged = [f"{split}/ema_{metric}" for split, _, metric in (key.partition("/") for key in wanted)]
    return [key for key in (*(averaged if set(averaged) & known else wanted), "train/loss") if key in known]


def overlay(
    lab: Reading, report: Report, key: str, *, only: Collection[str] | None = None, points: int = POINTS
) -> Overlay:
    """Curves of a series with their bands, of the variants that `chosen` names. Reads at most 4 `points` of a run's.

    Raises UsageError where no run of the study has such a series.
    """
    rows = chosen(report, only=only)
    read = [(row, found) for row in rows if (found := _series(lab, row, key, points))]
    if not read:
        names = sorted({name for row in rows for cell in row.cells[:1] if cell.run for name in lab.keys(cell.run.id)})
        raise UsageError(
            f"no run of study {report.name} has a curve {key}"
            + (f"; there are {', '.join(names[:12])}" if names else "; none of them has any yet")
        )
    epochs = all(run.steps_per_epoch for _, found in read for run, _ in found)
    curves = []
    for row, found in read:
        spread = band([series for _, series in found], points)
        each = (found[0][0].steps_per_epoch or 1) if epochs else 1
        is_base = row is report.rows[report.baseline]
        diverged = sum(run.state == "diverged" for run, _ in found)
        curves.append(
            Curve(row.variant.name, row.label, is_base, len(found), diverged, spread.steps / each, spread)
        )  # fmt: skip
    name = key.rpartition("/")[2].removeprefix("ema_")
    others = 0 if only is not None else sum(any(c.run for c in row.cells) for row in report.rows) - len(rows)
    return Overlay(key, "%" if name in ("top1", "top5") else "", "epoch" if epochs else "step", tuple(curves), others)


def overlays(lab: Reading, report: Report, keys: Sequence[str] = ()) -> tuple[Overlay, ...]:
    """Of these series, or of `default_keys`."""
    return tuple(overlay(lab, report, key) for key in (keys or default_keys(lab, report)))


def _series(lab: Reading, row: Row, key: str, points: int) -> list[tuple[Run, Series]]:
    """The runs of a variant with their points; of a long series the means of its buckets, at their middle."""
    found = []
    for run in [cell.run for cell in row.cells if cell.run is not None][:MOST_SEEDS]:
        envelope = lab.envelope(run.id, key, 4 * points)
        if len(envelope.count):
            middle = (envelope.step_first + envelope.step_last) / 2
            found.append((run, Series(middle, envelope.mean)))
    return found
