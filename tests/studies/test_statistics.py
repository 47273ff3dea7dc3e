"""Differences, their tests and what is said of them, against SciPy, statsmodels and common sense."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from vitui.comparing.noise import combined, standard_error
from vitui.studies.statistics import MOST, Judged, difference, holm, judge, pooled_sd

VALUES = st.floats(0, 100, allow_nan=False, width=32)


def seeds(*values: float | None, first: int = 0) -> dict[int, float]:
    return {first + place: value for place, value in enumerate(values) if value is not None}


def judged(*variants: Mapping[int, float], **options: Any) -> list[Judged]:
    return judge(variants, 0, **options)


def spread(values: Sequence[float]) -> bool:
    return float(np.std(values)) > 1e-3


@given(st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=12), st.sampled_from([0.01, 0.05, 0.2]))
def test_pairs_of_one_seed_are_tested_as_scipy_tests_them(pairs: list[tuple[float, float]], alpha: float) -> None:
    own, base = (list(side) for side in zip(*pairs, strict=True))
    assume(spread(np.subtract(own, base).tolist()))
    found, truth = difference(seeds(*own), seeds(*base), alpha), stats.ttest_rel(own, base)
    interval = truth.confidence_interval(1 - alpha)
    assert found is not None and found.kind == "paired" and found.n == len(pairs) and found.p_adjusted is None
    assert found.p == pytest.approx(truth.pvalue, rel=1e-6)
    assert found.mean == pytest.approx(np.mean(np.subtract(own, base)), abs=1e-9)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-6, abs=1e-9)
    assert found.error == pytest.approx(stats.sem(np.subtract(own, base)), rel=1e-6)


@given(
    st.lists(VALUES, min_size=2, max_size=9),
    st.lists(VALUES, min_size=2, max_size=9),
    st.sampled_from([0.01, 0.05, 0.2]),
)
def test_groups_without_common_seeds_are_tested_as_scipy_tests_them(
    own: list[float], base: list[float], alpha: float
) -> None:
    assume(spread(own) and spread(base))
    truth = stats.ttest_ind(own, base, equal_var=False)
    interval = truth.confidence_interval(1 - alpha)
    # One seed in common is not a pair to test with, and its difference no mean of the groups.
    for first in (len(own), len(own) - 1):
        found = difference(seeds(*own), seeds(*base, first=first), alpha)
        assert found is not None and found.kind == "welch" and found.n == min(len(own), len(base))
        assert found.p == pytest.approx(truth.pvalue, rel=1e-6)
        assert found.mean == pytest.approx(np.mean(own) - np.mean(base), abs=1e-9)
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-6, abs=1e-9)


def test_only_seeds_that_both_have_make_pairs() -> None:
    own, base = {0: 91.0, 1: 92.5, 2: 91.7, 7: 12.0}, {2: 91.0, 1: 91.9, 0: 90.2, 8: 99.0}
    assert difference(own, base, 0.05) == difference(seeds(91.0, 92.5, 91.7), seeds(90.2, 91.9, 91.0), 0.05)


def test_what_is_not_finite_does_not_count() -> None:
    own, base = seeds(91.0, math.nan, 92.5, math.inf, 91.7), seeds(90.2, 91.0, 91.9, 90.0, -math.inf)
    assert difference(own, base, 0.05) == difference(
        {0: 91.0, 2: 92.5, 4: 91.7}, {0: 90.2, 1: 91.0, 2: 91.9, 3: 90.0}, 0.05
    )
    assert difference(seeds(math.nan, 90.0), seeds(90.0, math.nan), 0.05) is None


def test_fewer_than_two_seeds_on_a_side_are_no_test() -> None:
    for own, base in (
        ({}, seeds(90.0, 91.0)),
        (seeds(90.0), seeds(90.0, 91.0)),
        (seeds(90.0, 91.0), seeds(90.0)),
        ({}, {}),
    ):
        assert difference(own, base, 0.05) is None


def test_equal_differences_are_not_taken_for_certainty() -> None:
    own, base = seeds(82.9, 94.8, 85.1), seeds(82.6, 94.5, 84.8)
    assert len({own[seed] - base[seed] for seed in own}) > 1, "in floating point they are not quite equal"
    alike = difference(own, base, 0.05)
    assert alike is not None and alike.mean == pytest.approx(0.3)
    assert (alike.p, alike.low, alike.high, alike.error) == (None, None, None, None)
    # 1,000 images: a value is one of the multiples of 0.1, which alone makes 0.1 / sqrt(6) of deviation in a difference.
    rounded = difference(own, base, 0.05, images=1000)
    assert rounded is not None and rounded.error == pytest.approx(0.1 / math.sqrt(6) / math.sqrt(3))
    assert rounded.p == pytest.approx(2 * stats.t.sf(0.3 / rounded.error, 2))


def test_rounding_to_images_makes_just_that_deviation() -> None:
    exact = np.random.default_rng(0).uniform(90, 91, (2, 200_000))
    rounding = np.round(exact, 1) - exact
    assert np.std(rounding[0] - rounding[1]) == pytest.approx(0.1 / math.sqrt(6), rel=0.01)


def test_equal_values_in_two_groups_are_no_certainty_either() -> None:
    own, base = seeds(91.0, 91.0), seeds(90.0, 90.0, first=5)
    alike, rounded = difference(own, base, 0.05), difference(own, base, 0.05, images=1000)
    assert alike is not None and alike.kind == "welch" and alike.p is None and alike.low is None
    assert rounded is not None and rounded.error == pytest.approx(0.1 / math.sqrt(12)) and rounded.p is not None
    assert 0.0005 < rounded.p < 0.01


def test_no_difference_in_any_seed_is_no_evidence() -> None:
    same = seeds(0.25, 0.5, 0.75)
    found = difference(same, same, 0.05)
    assert found is not None and found.p == 1 and found.mean == 0 and found.low is None
    assert judged(same, same, unit="")[1].words == "identical in every seed"


def test_holm_is_that_of_statsmodels() -> None:
    rng = np.random.default_rng(0)
    some = [rng.beta(0.2, 2, n).tolist() for n in (1, 2, 7, 40)]
    for ps in (*some, [0.01, 0.01, 0.04, 0.03, 0.01], [0.0, 1.0, 1.0, 0.6, 0.0]):
        assert holm(ps) == pytest.approx(multipletests(ps, method="holm")[1].tolist(), abs=1e-12)


@given(st.lists(st.floats(0, 1), max_size=30))
def test_holm_rejects_step_by_step(ps: list[float]) -> None:
    """From the smallest on, each at alpha over the number of those left, until the first that is not below."""
    adjusted, alpha = holm(ps), 0.05
    rejected = set()
    for rank, place in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        if (len(ps) - rank) * ps[place] >= alpha:
            break
        rejected.add(place)
    assert {place for place, p in enumerate(adjusted) if p < alpha} == rejected


def test_holm_of_nothing() -> None:
    assert holm([]) == []


def test_the_pooled_sd_has_fewer_degrees_of_freedom_than_its_samples_together() -> None:
    samples = [[0.1, 0.5, -0.2], [1.0, 0.3], [0.0, 0.2, 0.9, 0.4], [7.0]]
    found = pooled_sd(samples)
    assert found is not None
    assert found[0] ** 2 == pytest.approx(
        (2 * np.var(samples[0], ddof=1) + np.var(samples[1], ddof=1) + 3 * np.var(samples[2], ddof=1)) / 6
    )
    assert found[1] == pytest.approx(6**2 / (6 + 0.25 * 2 * (1 + 1 + 2)))
    assert pooled_sd([[0.1, 0.5, -0.2]]) == (pytest.approx(np.std([0.1, 0.5, -0.2], ddof=1)), 2)
    assert pooled_sd([[1.0], []]) is None


def test_degrees_of_freedom_of_the_pooled_sd_are_those_it_has_over_studies() -> None:
    """A mean of chi-square variables with df degrees of freedom has the relative variance 2 / df."""
    noise = np.random.default_rng(1).normal(size=(40_000, 6, 4))
    between = noise[:, 1:] - noise[:, :1]
    pooled = between.var(axis=2, ddof=1).mean(axis=1)
    found = pooled_sd(between[0].tolist())
    assert found is not None and 2 / (pooled.var() / pooled.mean() ** 2) == pytest.approx(found[1], rel=0.05)


STEADY = seeds(90.0, 90.6, 89.7, 90.2, 90.4)


def plus(base: Mapping[int, float], *more: float) -> dict[int, float]:
    return {seed: value + change for (seed, value), change in zip(base.items(), more, strict=False)}


def test_better_follows_the_direction_of_the_metric() -> None:
    up = plus(STEADY, 1.0, 1.1, 0.9, 1.05, 0.95)
    more, less = judged(STEADY, up), judged(STEADY, up, better=-1, unit="")
    assert [(j.verdict, j.words, j.stands_out) for j in more] == [
        ("", "", False),
        ("better", "better by 1.00 points (p < 0.001)", True),
    ]
    assert (less[1].verdict, less[1].words, less[1].stands_out) == ("worse", "worse by 1.000 (p < 0.001)", False)


def test_p_values_are_corrected_for_all_comparisons() -> None:
    mild = plus(STEADY, 0.3, 0.5, 0.1, 0.4, 0.2)
    nothing = [plus(STEADY, *np.roll([0.2, -0.3, 0.1, -0.1, 0.1], n)) for n in range(5)]
    alone, among = judged(STEADY, mild)[1], judged(STEADY, mild, *nothing * 3)[1]
    assert alone.verdict == "better" and alone.difference is not None and among.difference is not None
    assert alone.difference.p == alone.difference.p_adjusted == among.difference.p
    assert among.difference.p_adjusted == pytest.approx(16 * alone.difference.p)
    assert among.verdict == "noise" and among.words.startswith(
        "within noise after correction for 16 comparisons: needs"
    )


def test_a_difference_that_does_not_matter_is_the_same() -> None:
    little = plus(STEADY, 0.10, 0.11, 0.09, 0.105, 0.095)
    none = plus(STEADY, 0.05, -0.05, 0.03, -0.03, 0.01)
    found = judged(STEADY, little, none, resolve=0.3)
    assert [(j.verdict, j.words) for j in found[1:]] == [
        ("same", "differs by 0.10 points (p < 0.001), less than the 0.3 points that matter"),
        ("same", "the same within 0.3 points"),
    ]
    assert [j.verdict for j in judged(STEADY, little, none, resolve=0.102)[1:]] == ["better", "same"]
    assert [j.verdict for j in judged(STEADY, little, none)[1:]] == ["better", "noise"]


def test_noise_says_what_it_takes() -> None:
    noisy = plus(STEADY, 0.9, -0.8, 0.5, -0.4, 0.3)
    stated, observed = judged(STEADY, noisy, resolve=0.5)[1], judged(STEADY, noisy)[1]
    assert stated.need is not None and stated.need.more is not None and stated.need.effect == 0.5
    assert stated.words == f"within noise: needs about {stated.need.more} more seeds to resolve 0.5 points"
    assert observed.need is not None and observed.need.effect == pytest.approx(0.1) and observed.need.more is not None
    assert observed.words == f"within noise: needs about {observed.need.more} more seeds to resolve 0.10 points"
    assert observed.need.more > stated.need.more > 0
    never = judged(STEADY, noisy, resolve=0.01)[1]
    assert never.need is not None and never.need.more is None
    assert never.words == f"within noise: over {MOST:,} more seeds needed to resolve 0.01 points"
    enough = judged(STEADY, noisy, resolve=9)[1]
    assert enough.verdict == "same", "an interval of less than that settles it"


def test_the_means_may_be_equal() -> None:
    balanced = judged(seeds(1.0, 2.0), seeds(2.0, 1.0), unit="")[1]
    assert (balanced.verdict, balanced.words) == ("noise", "within noise: the means are equal")
    assert balanced.need is not None and balanced.need.more is None


def test_one_seed_is_never_a_verdict() -> None:
    error = standard_error(90.0, 10_000)
    both = combined(error, error)
    assert both is not None
    margin = f"±{1.96 * both:.2f} points"
    near, far = judged(seeds(90.0), seeds(90.5), seeds(93.1), errors=[error] * 3)[1:]
    assert near.verdict == far.verdict == "unsure" and not far.stands_out
    assert near.words == f"one seed: within the sampling error of the evaluation images ({margin})"
    assert far.words == (
        f"one seed: 3.10 points apart, more than the sampling error of {margin}, but the noise of seeds is not known"
    )
    assert far.difference is not None and far.difference.kind == "evaluation" and far.difference.n == 1
    assert (
        far.difference.error == pytest.approx(both) and far.difference.p is None and far.difference.p_adjusted is None
    )
    assert far.difference.high == pytest.approx(3.1 + 1.96 * both, abs=1e-4)
    assert far.need is None, "of the spread over seeds nothing is known"
    unknown = judged(seeds(1.0), seeds(0.5), unit="", better=-1)[1]
    assert (unknown.verdict, unknown.words) == ("unsure", "one seed: 0.5000 apart, and the noise is not known")
    assert unknown.difference is not None and unknown.difference.low is None and unknown.difference.error is None


def test_one_seed_among_variants_with_more() -> None:
    found = judged(STEADY, plus(STEADY, 0.3, -0.2, 0.4, 0.1, 0.0), {0: 95.0}, {9: 95.0}, errors=[0.3] * 4, resolve=0.5)
    common, alone = found[2], found[3]
    assert common.difference is not None and common.difference.mean == 5.0, "less the baseline with that seed"
    assert alone.difference is not None and alone.difference.mean == pytest.approx(95 - np.mean([*STEADY.values()]))
    assert common.verdict == alone.verdict == "unsure" and common.difference.p_adjusted is None
    assert common.need is not None and alone.need is not None, "the others say how far seeds spread"
    assert common.need.more is not None and common.need.more + 1 == alone.need.more
    baseline = judged(seeds(90.0), plus(STEADY, 0, 0, 0, 0, 0), errors=[None, None])[1]
    assert baseline.words.startswith("one seed of the baseline: 0.00 points apart")


def test_without_spread_there_is_no_verdict() -> None:
    found = judged(seeds(1.0, 2.0, 3.0), seeds(1.25, 2.25, 3.25), unit="", better=-1)[1]
    assert (found.verdict, found.words) == ("unsure", "+0.2500 in every seed alike: no spread to test with")
    assert found.need is None and not found.stands_out


def test_survivors_of_divergence_are_never_better() -> None:
    up, down = plus(STEADY, 1.0, 1.1, 0.9, 1.05), plus(STEADY, -1.0, -1.1, -0.9, -1.05)
    found = judged(STEADY, up, down, up, diverged=[0, 1, 1, 0])
    assert [j.verdict for j in found] == ["", "unsure", "worse", "better"]
    assert found[1].words == "1 of 5 seeds diverged; the mean is of the others; better by 1.01 points (p < 0.001)"
    assert found[1].stands_out is False and found[3].stands_out is True, "both have the best mean, one has it for sure"
    assert judged(STEADY, up, diverged=[0, 1], resolve=2)[1].verdict == "unsure", "nor the same"
    base = judged(STEADY, up, down, diverged=[2, 0, 0])
    assert [j.verdict for j in base] == ["", "better", "unsure"], "survivors of the baseline flatter it"
    assert base[0].words == "2 of 7 seeds diverged; the mean is of the others"
    assert base[2].words.startswith("2 of 7 seeds of the baseline diverged; the mean is of the others; worse by")
    gone = judged(STEADY, {}, {}, diverged=[0, 3, 0])
    assert [(j.verdict, j.words, j.difference) for j in gone[1:]] == [
        ("", "3 of 3 seeds diverged", None),
        ("", "", None),
    ]


def test_a_baseline_without_results() -> None:
    assert [(j.verdict, j.words) for j in judged({}, STEADY)] == [("", ""), ("", "the baseline has no result yet")]
    assert judged({}, STEADY, diverged=[3, 0])[1].words == "3 of 3 seeds of the baseline diverged"


def test_only_the_best_of_all_stands_out() -> None:
    good, best = plus(STEADY, 0.5, 0.55, 0.45, 0.5, 0.5), plus(STEADY, 1.0, 1.1, 0.9, 1.05, 0.95)
    lucky = {0: 99.0}
    assert [j.stands_out for j in judged(STEADY, good, best)] == [False, False, True]
    assert [j.verdict for j in judged(STEADY, good, best)] == ["", "better", "better"]
    assert not any(j.stands_out for j in judged(STEADY, good, best, lucky)), "best of all it is not"
    assert [j.stands_out for j in judged(STEADY, good, plus(STEADY, 9, -6, 8, -5, 7))] == [False, False, False]


def test_one_unstable_variant_does_not_ask_for_hundreds_of_seeds_of_all() -> None:
    rng = np.random.default_rng(3)
    quiet = [seeds(*rng.normal(90, 0.2, 3)) for _ in range(6)]
    collapsed = seeds(90.1, 10.0, 90.3)
    alone, among = judged(*quiet, resolve=0.5), judged(*quiet, collapsed, resolve=0.5)
    for before, after in zip(alone[1:], among[1:-1], strict=True):
        assert before.need is not None and before.need.more is not None and after.need is not None
        assert after.need.more is not None and before.need.more <= after.need.more <= before.need.more + 5
    assert among[-1].need is not None and among[-1].need.more is None


def test_a_switch_that_changes_nothing_does_not_lower_the_noise_of_others() -> None:
    noisy = plus(STEADY, 0.9, -0.8, 0.5, -0.4, 0.3)
    alone = judged(STEADY, noisy, noisy, resolve=0.5, images=1000)[1]
    among = judged(STEADY, noisy, dict(STEADY), resolve=0.5, images=1000)[1]
    assert alone.need is not None and among.need is not None
    assert alone.need.more is not None and among.need.more is not None and among.need.more >= alone.need.more


def test_seeds_that_nobody_shares_still_say_how_many_it_takes() -> None:
    rng = np.random.default_rng(4)
    apart = [seeds(*rng.normal(90, 0.3, 4), first=10 * n) for n in range(5)]
    found = judged(*apart, resolve=0.5)
    assert all(j.difference is not None and j.difference.kind == "welch" for j in found[1:])
    assert all(j.need is not None and j.need.more is not None and 10 < j.need.more < 60 for j in found[1:])


def test_small_numbers_keep_their_digits() -> None:
    tiny = plus(STEADY, 0.0040, 0.0041, 0.0039, 0.0040, 0.0040)
    assert judged(STEADY, tiny)[1].words == "better by 0.004 points (p < 0.001)"


@pytest.mark.parametrize(
    "wrong", [{"better": 0}, {"alpha": 0.0}, {"alpha": 1.0}, {"power": 1.0}, {"resolve": -0.1}, {"resolve": math.nan}]
)
def test_senseless_questions_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        judged(STEADY, STEADY, **wrong)


STUDIES = st.lists(
    st.dictionaries(st.integers(0, 5), st.one_of(VALUES, st.just(math.nan)), max_size=6), min_size=2, max_size=6
)
OPTIONS = st.fixed_dictionaries(
    {
        "resolve": st.sampled_from([0.0, 0.5, 20.0]),
        "images": st.sampled_from([None, 500]),
        "better": st.sampled_from([1, -1]),
    }
)


@settings(max_examples=150)
@given(STUDIES, OPTIONS, st.data())
def test_whatever_the_study_no_verdict_goes_beyond_its_evidence(
    variants: list[dict[int, float]], options: dict[str, Any], data: st.DataObject
) -> None:
    lost = data.draw(st.lists(st.integers(0, 2), min_size=len(variants), max_size=len(variants)))
    found = judge(variants, 0, diverged=lost, errors=[0.5] * len(variants), **options)
    assert len(found) == len(variants) and (found[0].verdict, found[0].difference, found[0].need) == ("", None, None)
    means = [
        np.mean(kept) * options["better"] for v in variants if (kept := [x for x in v.values() if math.isfinite(x)])
    ]
    for own, judgement, gone in zip(variants[1:], found[1:], lost[1:], strict=True):
        single = difference(own, variants[0], 0.05, options["images"])
        d = judgement.difference
        if single is None:
            assert judgement.verdict in ("", "unsure") and (d is None or d.kind == "evaluation")
            continue
        assert d is not None and (d.mean, d.low, d.high, d.p, d.n, d.kind) == (
            single.mean, single.low, single.high, single.p, single.n, single.kind
        )  # fmt: skip
        assert (d.p is None) == (d.p_adjusted is None) and (d.p is None or d.p <= (d.p_adjusted or 0) <= 1)
        if judgement.verdict in ("better", "worse"):
            assert d.p_adjusted is not None and d.p_adjusted < 0.05
            assert (d.mean * options["better"] > 0) == (judgement.verdict == "better")
            assert not (gone if judgement.verdict == "better" else lost[0])
        if judgement.verdict == "same":
            assert d.low is not None and d.high is not None
            assert -options["resolve"] <= d.low <= d.high <= options["resolve"]
        if judgement.stands_out:
            kept = [x for x in own.values() if math.isfinite(x)]
            assert judgement.verdict == "better" and np.mean(kept) * options["better"] == pytest.approx(max(means))


@settings(max_examples=50)
@given(STUDIES, OPTIONS, st.randoms(use_true_random=False))
def test_the_order_of_variants_says_nothing(
    variants: list[dict[int, float]], options: dict[str, Any], random: Any
) -> None:
    places = list(range(len(variants)))
    random.shuffle(places)
    there = judge(variants, 0, **options)
    here = judge([variants[place] for place in places], places.index(0), **options)
    assert [there[place].verdict for place in places] == [j.verdict for j in here]


def test_scipy_stats_is_not_loaded() -> None:
    """It takes half a second, and every command that reports would wait for it."""
    script = (
        "import sys; from vitui.studies.statistics import judge; assert 'numpy' not in sys.modules;"
        "judge([{0: 1.0, 1: 2.0, 2: 4.0}, {0: 2.0, 1: 2.5, 2: 3.0}], 0); print('scipy.stats' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "False\n"
    )
