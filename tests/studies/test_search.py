"""Random search and frontier against enumeration, closed forms and their own definitions."""

from __future__ import annotations

import math
from itertools import pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from vitui.studies import search
from vitui.studies.search import Point, budgets_of, frontier, simulate

DRAWS = 20_000
# A quantile of so many draws is one of the true distribution between these: five standard deviations.
SLACK = 5 * math.sqrt(0.25 / DRAWS)


def point(n: int, compute: float, score: float | None, select: float | None = None, group: str = "g") -> Point:
    return Point(f"run-{n}", f"v{n}", f"v{n}", 0, group, compute, score, score if select is None else select)


def reported(order: tuple[Point, ...], budget: float) -> float | None:
    """One search, as its definition says it."""
    spent, kept = 0.0, None
    for one in order:
        spent += one.compute
        if spent > budget:
            break
        if one.select is not None and (kept is None or one.select > (kept.select or -math.inf)):
            kept = one
    return None if kept is None else kept.score


def test_the_band_is_that_of_all_orders() -> None:
    pool = [
        point(0, 1.0, 70.0, 72.0),
        point(1, 2.0, 81.0, 80.0),
        point(2, 2.5, 79.0, 80.0),  # as good on the selecting split: which one is kept depends on the order
        point(3, 4.0, 76.0, 85.0),  # what is best there is not best here
        point(4, 1.5, None),
        point(5, 3.0, 60.0, 65.0),
    ]
    orders = list(permutations(pool))
    budgets = [0.5, 1.0, 2.0, 3.5, 5.0, 7.5, 10.0, 14.0]
    band = simulate(pool, budgets, draws=DRAWS)
    for place, budget in enumerate(budgets):
        values = sorted(-math.inf if (found := reported(order, budget)) is None else found for order in orders)
        for quantile, told in ((0.05, band.low[place]), (0.5, band.median[place]), (0.95, band.high[place])):
            near = {
                values[min(len(values) - 1, max(0, math.ceil(q * len(values)) - 1))]
                for q in (quantile - SLACK, quantile, quantile + SLACK)
            }
            assert (-math.inf if told is None else told) in near, (budget, quantile)


@pytest.mark.parametrize("k", [1, 3, 10, 25, 40])
def test_the_best_of_k_equal_runs_is_hypergeometric(k: int) -> None:
    """Of n runs of one cost and unlike scores, the best of k drawn is at most the i-th where none of the n - i better
    ones is among the k: P = C(i, k) / C(n, k)."""
    n = 40
    pool = [point(i, 2.0, 50.0 + i) for i in range(n)]
    band = simulate(pool, [2.0 * k], draws=DRAWS)
    for quantile, told in ((0.05, band.low[0]), (0.5, band.median[0]), (0.95, band.high[0])):
        assert told is not None
        i = round(told - 50) + 1
        at_most, below = (hypergeom.pmf(0, n, n - rank, k) if rank >= k else 0.0 for rank in (i, i - 1))
        assert at_most >= quantile - SLACK and below < quantile + SLACK
        assert math.isclose(at_most, math.comb(i, k) / math.comb(n, k), rel_tol=1e-9)


def test_with_a_budget_for_all_runs_every_search_ends_alike() -> None:
    pool = [point(0, 1.0, 90.0, 70.0), point(1, 0.7, 80.0, 75.0), point(2, 0.1, 85.0, 60.0)]
    band = simulate(pool, draws=50)
    assert band.at(1.8) == (80.0, 80.0, 80.0)  # the best on the split that selects, not on the one that reports
    assert band.budgets[0] == 0.1 and math.isclose(band.budgets[-1], 1.8)


def test_a_run_that_does_not_fit_ends_the_search() -> None:
    band = simulate([point(0, 1.0, 70.0), point(1, 10.0, 90.0)], [0.9, 5.0, 10.5, 11.0], draws=1000)
    # Half of the searches meet the dear run first: with 5 they have nothing, with 10.5 that run alone.
    assert band.high == (None, 70.0, 90.0, 90.0)
    assert band.low == (None, None, 70.0, 90.0)


def test_runs_that_diverged_cost_and_are_never_kept() -> None:
    band = simulate([point(0, 1.0, None), point(1, 1.0, 70.0)], [1.0, 2.0], draws=1000)
    assert (band.low[0], band.high[0]) == (None, 70.0)
    assert band.at(2.0) == (70.0, 70.0, 70.0)
    nothing = simulate([point(0, 1.0, None)], [1.0], draws=10)
    assert nothing.at(1.0) == (None, None, None)


def test_of_a_loss_less_is_better() -> None:
    pool = [point(n, 1.0, 1.0 - n / 100, float(n)) for n in range(20)]
    band = simulate(pool, [1.0, 5.0, 20.0], draws=DRAWS, better=-1)
    accuracy = simulate([point(n, 1.0, n / 100, float(n)) for n in range(20)], [1.0, 5.0, 20.0], draws=DRAWS)
    for low, high in ((band.low, accuracy.high), (band.median, accuracy.median), (band.high, accuracy.low)):
        assert [1.0 - (one or 0.0) for one in low] == pytest.approx([one or 0.0 for one in high])
    # Where some searches have nothing yet, that is the worst of losses.
    early = simulate([point(0, 1.0, 0.5), point(1, 10.0, 0.2)], [5.0], draws=1000, better=-1)
    assert (early.low[0], early.high[0]) == (0.5, None)


def test_the_same_seed_gives_the_same_searches_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = [point(n, 1.0 + n % 7, 60.0 + (n * 37) % 31) for n in range(60)]
    once = simulate(pool, seed=3)
    monkeypatch.setattr(search, "_BLOCK", 777)
    assert simulate(pool, seed=3) == once
    assert simulate(pool, seed=4) != once


def test_sums_of_costs_that_are_rounded_still_fit() -> None:
    pool = [point(n, 0.1, 70.0 + n) for n in range(10)]
    assert simulate(pool, [1.0], draws=20).at(1.0) == (79.0, 79.0, 79.0)  # 0.1 ten times is 0.9999…


def test_what_cannot_be_simulated_is_refused() -> None:
    with pytest.raises(ValueError, match="compute of run run-0"):
        simulate([point(0, 0.0, 70.0)])
    with pytest.raises(ValueError, match="at least one draw"):
        simulate([point(0, 1.0, 70.0)], draws=0)
    assert simulate([]).budgets == () and simulate([], [1.0]).at(1.0) == (None, None, None)


POOL = st.lists(
    st.tuples(st.sampled_from([1.0, 2.0, 2.0, 3.5, 8.0]), st.one_of(st.none(), st.integers(0, 20).map(float))),
    max_size=12,
)


@given(POOL, st.sampled_from([1, -1]))
@settings(deadline=None, max_examples=200)
def test_the_frontier_is_what_no_cheaper_run_beats(told: list[tuple[float, float | None]], better: int) -> None:
    points = [point(n, compute, score) for n, (compute, score) in enumerate(told)]
    found = frontier(points, better)
    computes = [one.compute for one in found.points]
    scores = [(one.score or 0.0) * better for one in found.points]
    assert computes == sorted(set(computes)) and scores == sorted(set(scores))
    for compute in {one.compute for one in points}:
        known = [one.score * better for one in points if one.score is not None and one.compute <= compute]
        best = found.best(compute)
        assert (best is None) == (not known)
        assert best is None or (best.score or 0.0) * better == max(known)
    for one in found.points:
        assert one.score is not None and found.reaches(one.score, better) == one
    assert found.best(0.5) is None and found.reaches(21.0 * better, better) is None


def test_budgets_go_from_the_cheapest_run_to_the_dearest_group() -> None:
    points = [point(0, 2.0, 1.0), point(1, 3.0, 1.0), point(2, 40.0, 1.0, group="other")]
    budgets = budgets_of(points, 5)
    assert (budgets[0], budgets[-1], len(budgets)) == (2.0, 40.0, 5)
    ratios = [after / before for before, after in pairwise(budgets)]
    assert ratios == pytest.approx([20 ** (1 / 4)] * 4)
    assert budgets_of(points[:1]) == (2.0,) and budgets_of([]) == ()
