"""What verdicts and predictions are worth, over thousands of simulated studies.

A study has six variants, the first of them the baseline. A run's value is 90 + what its seed has in common for all variants
(sd 0.5) + what is its own (SD) + the true effect of its variant.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from vitui.studies.statistics import Judged, judge

STUDIES = 2_000
VARIANTS = 6
SD = 0.3
ALPHA = 0.05
DIFFERENT = ("better", "worse")


def runs(rng: np.random.Generator, seeds: int, effect: float = 0.0) -> NDArray[np.float64]:
    """Variants by seeds; `effect` is that of the fourth."""
    values = 90 + rng.normal(0, 0.5, (1, seeds)) + rng.normal(0, SD, (VARIANTS, seeds))
    values[3] += effect
    return values


def report(values: NDArray[np.float64], resolve: float = 0.0, images: int | None = None) -> list[Judged]:
    variants = [{seed: x for seed, x in enumerate(row) if x == x} for row in values.tolist()]
    return judge(variants, 0, alpha=ALPHA, power=0.8, resolve=resolve, images=images)


def without_effect(kind: str, seeds: int, studies: int) -> Iterator[tuple[bool, bool]]:
    """Whether any variant is called different, and whether any would be but for the correction."""
    rng = np.random.default_rng(20)
    for _ in range(studies):
        values = runs(rng, seeds)
        if kind == "unfinished":
            values[rng.random(values.shape) < 0.3] = np.nan
        if kind == "few images":
            values = np.round(values / 0.5) * 0.5
        found = report(values, images=200 if kind == "few images" else None)
        alone = [j.difference.p for j in found if j.difference is not None and j.difference.p is not None]
        yield any(j.verdict in DIFFERENT for j in found), any(p < ALPHA for p in alone)


@pytest.mark.parametrize(
    ("kind", "seeds", "studies"),
    [("", 3, STUDIES), ("", 5, STUDIES), ("unfinished", 5, 1_000), ("few images", 3, 1_000)],
)
def test_without_any_effect_few_studies_call_a_variant_different(kind: str, seeds: int, studies: int) -> None:
    """The share of studies that call any variant better or worse is at most alpha.

    With complete pairs it is 4.8 % at 3 seeds and 4.7 % at 5 (400,000 studies): Holm does not know that all comparisons
    share a baseline. Among 2,000 studies chance alone moves that by half a point, so that about one random generator in
    four would show a little over 5 %; the slow test below has more studies. Without the correction the share would be
    three to four times as large, which the same studies show.
    """
    different, uncorrected = np.mean(list(without_effect(kind, seeds, studies)), axis=0)
    assert different <= ALPHA
    assert kind == "few images" or uncorrected > 2 * ALPHA


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_without_any_effect_the_share_is_at_most_alpha_over_many_studies(seeds: int) -> None:
    different, _ = np.mean(list(without_effect("", seeds, 20_000)), axis=0)
    assert 0.04 < different <= ALPHA + 2 * 0.0015


@pytest.mark.parametrize(
    ("seeds", "effect"),
    [
        pytest.param(3, SD, id="3 seeds, one sd of a run"),
        pytest.param(5, SD, id="5 seeds, one sd of a run"),
        pytest.param(5, SD * 2**0.5, id="5 seeds, one sd of a difference"),
    ],
)
def test_further_seeds_find_what_the_report_predicts(seeds: int, effect: float) -> None:
    """One variant is truly different by one standard deviation: of a run over seeds (without what the seed has in common
    for all variants, for pairs remove that), and again of the difference of a pair, which is sqrt(2) times as large.

    Every study has a first batch of seeds, judged with `resolve` at the true effect, so that it says how many more seeds
    resolve it with a power of 0.8. So many are added, different in every study, and all are judged together. The
    prediction is the mean of `need.power` over the studies: a little over 0.8, seeds being whole. It has to be met by all
    studies together, whatever their first batch said, and by those alone that were told of noise and to add seeds: for
    them the first batch came out low rather than high, and still is half of the evidence.
    """
    rng = np.random.default_rng(21)
    predicted, found, told = [], [], []
    for _ in range(STUDIES):
        first = runs(rng, seeds, effect)
        before = report(first, resolve=effect)[3]
        assert before.need is not None and before.need.more is not None
        every = np.concatenate([first, runs(rng, before.need.more, effect)], axis=1)
        after = report(every, resolve=effect)[3]
        predicted.append(before.need.power)
        found.append(after.verdict in DIFFERENT)
        told.append("more seed" in before.words)
    assert 0.8 <= np.mean(predicted) < 0.83 and np.mean(told) > 0.75
    assert np.mean(found) == pytest.approx(np.mean(predicted), abs=0.05)
    noise = np.array(told)
    assert np.mean(np.array(found)[noise]) == pytest.approx(np.mean(np.array(predicted)[noise]), abs=0.05)
