"""Accuracy against compute, and what a random search would have found with a budget. Pure.

After "How to train your ViT?" (Steiner et al., 2022), figure 2 and appendix A: every run of a sweep is a point, its
compute across, its accuracy up (left); from the same points, random searches that spend a budget are simulated, and
shown by their median and the band that holds 90 % of them (right). Nothing is trained for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS: Final = 1000
"""Random searches that are simulated, as many as in the paper."""
COVERAGE: Final = 0.9
"""Share of them inside the band."""
BUDGETS: Final = 100
"""Budgets a band is computed at."""
_BLOCK: Final = 2_000_000
"""Numbers of one array, at most: searches are simulated in blocks of that size."""
_ROUNDING: Final = 1e-9
"""Share of a budget that sums of costs may be above it, since they are rounded."""


@dataclass(frozen=True, slots=True)
class Point:
    """One run with a result. `compute` is above 0, in the unit of its axis.

    `score` is of the split that reports, `select` of the one that selects, both in units of their metrics; None for a
    run that diverged, which has cost as much as any other. `x`: where it stands across, if not at its compute.
    """

    run: str
    variant: str
    label: str
    seed: int
    group: str
    compute: float
    score: float | None
    select: float | None
    x: float | None = None


@dataclass(frozen=True, slots=True)
class Band:
    """What random searches through the runs of a group reach. A value for each budget; None while more of the searches
    than the quantile leaves out (of the median: half) have no result yet."""

    group: str
    runs: int
    draws: int
    budgets: tuple[float, ...]
    low: tuple[float | None, ...]
    median: tuple[float | None, ...]
    high: tuple[float | None, ...]

    def at(self, budget: float) -> tuple[float | None, float | None, float | None]:
        """Low, median and high with the largest budget computed that is not above `budget`."""
        place = max((n for n, one in enumerate(self.budgets) if one <= budget * (1 + _ROUNDING)), default=None)
        return (None, None, None) if place is None else (self.low[place], self.median[place], self.high[place])


@dataclass(frozen=True, slots=True)
class Frontier:
    """The runs of a group that no cheaper run (and no equally cheap one) is as good as, the cheapest first.

    Their scores only get better: this is the best of many on the split that reports, so it flatters.
    """

    group: str
    points: tuple[Point, ...]

    def best(self, compute: float) -> Point | None:
        """The best run of at most that compute."""
        return max(
            (one for one in self.points if one.compute <= compute * (1 + _ROUNDING)),
            key=lambda one: one.compute,
            default=None,
        )

    def reaches(self, score: float, better: int = 1) -> Point | None:
        """The cheapest run with at least that score; None where there is none."""
        return next((one for one in self.points if (_score(one) - score) * better >= 0), None)


def groups_of(points: Iterable[Point]) -> dict[str, list[Point]]:
    """Points by group, groups in the order they first come."""
    out: dict[str, list[Point]] = {}
    for point in points:
        out.setdefault(point.group, []).append(point)
    return out


def frontier(points: Sequence[Point], better: int = 1) -> Frontier:
    """The accuracy-compute frontier of one group (figure 2, left). `better`: 1 where a larger score is better, else -1.

    Runs that diverged are on no frontier. Of runs alike in compute and score, the first counts.
    """
    known = sorted(
        (one for one in points if one.score is not None), key=lambda one: (one.compute, -_score(one) * better)
    )
    out: list[Point] = []
    for point in known:
        if not out or (_score(point) - _score(out[-1])) * better > 0:
            out.append(point)
    return Frontier(points[0].group if points else "", tuple(out))


def budgets_of(points: Sequence[Point], n: int = BUDGETS) -> tuple[float, ...]:
    """Budgets from the cheapest run to all runs of the group that costs most together, at equal ratios."""
    if not points:
        return ()
    least = min(one.compute for one in points)
    most = max(math.fsum(one.compute for one in group) for group in groups_of(points).values())
    if n < 2 or most <= least:
        return (most,)
    ratio = (most / least) ** (1 / (n - 1))
    return (*(least * ratio**step for step in range(n - 1)), most)


def simulate(
    points: Sequence[Point],
    budgets: Sequence[float] | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    coverage: float = COVERAGE,
    better: int = 1,
) -> Band:
    """Random search through the runs of one group, simulated (figure 2, right).

    One search puts the runs into a random order, each order as likely as any other, and trains them one after the
    other, none twice, until the next one would cost more than is left of the budget. It keeps the run whose `select`
    is best (of equal ones, the first it has trained) and is as good as that run's `score`: what it reports may get
    worse as it goes on. A run that diverged costs what it costs and is never kept. `low` and `high` are the quantiles
    (1 - coverage) / 2 and (1 + coverage) / 2 of the searches, `median` the quantile 1/2, each the least value that so
    many searches do not exceed; a search without a result yet counts as worse than any. Since runs are drawn without
    being put back, all searches end with the same run once the budget is that of all of them together, and the band
    says nothing about luck beyond a small part of that.

    `budgets` ascending, of the same unit as `compute`; None: `budgets_of`. `better` is about scores: 1 more, -1 less;
    a larger `select` is always better. The same `seed` gives the same searches.
    Raises ValueError for a run whose compute is not a number above 0, and for no draws.
    """
    import numpy as np

    if bad := next((one for one in points if not (one.compute > 0 and math.isfinite(one.compute))), None):
        raise ValueError(f"compute of run {bad.run} has to be above 0, not {bad.compute}")
    if draws < 1 or not 0 < coverage < 1:
        raise ValueError("a band needs at least one draw and a coverage between 0 and 1")
    chosen = tuple(budgets_of(points) if budgets is None else budgets)
    group = points[0].group if points else ""
    if not points or not chosen:
        nothing = (None,) * len(chosen)
        return Band(group, len(points), draws, chosen, nothing, nothing, nothing)
    costs = np.array([one.compute for one in points])
    known = np.array([one.score is not None and one.select is not None for one in points])
    select = np.array([_select(one) if there else -math.inf for one, there in zip(points, known, strict=True)])
    scores = np.array([_score(one) * better if there else -math.inf for one, there in zip(points, known, strict=True)])
    limits = np.array(chosen) * (1 + _ROUNDING)
    chance = np.random.default_rng(seed)
    reached = np.empty((draws, len(chosen)))
    size = max(1, _BLOCK // len(points))
    for start in range(0, draws, size):
        rows = min(size, draws - start)
        reached[start : start + rows] = _searches(chance, rows, costs, select, scores, limits)
    reached.sort(axis=0)
    # In this order of "worse to better", the quantiles of a score of which less is better are mirrored.
    edges = ((1 - coverage) / 2, 0.5, (1 + coverage) / 2)
    low, median, high = (_quantile(reached, q, better) for q in (edges if better > 0 else edges[::-1]))
    return Band(group, len(points), draws, chosen, low, median, high)


def _searches(
    chance: np.random.Generator, rows: int, costs: Floats, select: Floats, scores: Floats, limits: Floats
) -> Floats:
    """[rows, limits]: the score each search reports at each budget; -inf where it has none."""
    import numpy as np

    order = chance.permuted(np.broadcast_to(np.arange(len(costs)), (rows, len(costs))), axis=1)
    spent = np.cumsum(costs[order], axis=1)
    drawn = select[order]
    best = np.maximum.accumulate(drawn, axis=1)
    before = np.concatenate([np.full((rows, 1), -math.inf), best[:, :-1]], axis=1)
    # Where a search finds something better than all before; of the latest such place, it keeps the run.
    places = np.where(drawn > before, np.arange(1, len(costs) + 1), 0)
    kept = np.maximum.accumulate(places, axis=1)
    values = np.concatenate([np.full(1, -math.inf), scores])
    with_none = np.concatenate([np.zeros((rows, 1), np.int64), kept], axis=1)
    runs = np.concatenate([np.zeros((rows, 1), np.int64), order + 1], axis=1)
    trained = np.stack([np.searchsorted(row, limits, side="right") for row in spent])
    at = np.take_along_axis(with_none, trained, axis=1)
    return np.asarray(values[np.take_along_axis(runs, at, axis=1)])


def _quantile(ordered: Floats, q: float, better: int) -> tuple[float | None, ...]:
    """The quantile of each column of values that ascend, as the least value whose share reaches q."""
    place = max(0, math.ceil(round(q * len(ordered), 6)) - 1)
    return tuple(float(one) * better if math.isfinite(one) else None for one in ordered[place])


def _score(point: Point) -> float:
    return -math.inf if point.score is None else point.score


def _select(point: Point) -> float:
    return -math.inf if point.select is None else point.select
