"""Power and numbers of seeds, against SciPy, statsmodels, integrals and simulated tests."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from statsmodels.stats.power import TTestPower

from vitui.studies.power import FAR, MOST
from vitui.studies.statistics import need, power

LEVELS = [0.2, 0.05, 0.01, 1e-3, 1.5e-5]


@pytest.mark.parametrize("alpha", LEVELS)
@pytest.mark.parametrize("n", [2, 3, 5, 10, 100, 1000])
def test_power_is_that_of_statsmodels(n: int, alpha: float) -> None:
    checked = 0
    for effect in (0.0, 0.05, 0.3, 1.0, 2.0, 5.0):
        with warnings.catch_warnings(action="ignore"):
            truth = TTestPower().power(effect, n, alpha)
        if math.isfinite(truth):
            checked += 1
            assert power(3 * effect, 3.0, n, alpha) == pytest.approx(truth, abs=1e-8)
    assert checked >= 3


@pytest.mark.parametrize("df", [1, 2, 4, 30, 999])
@pytest.mark.parametrize("alpha", [*LEVELS, 1e-7])
def test_power_where_scipy_gives_nan(df: int, alpha: float) -> None:
    """P(|T| > t) as the mean over the normal Z of P(chi < |Z + shift| / t), which has no bad places."""
    limit = -stats.t.ppf(alpha / 2, df)

    def chance(z: float, shift: float) -> float:
        return float(stats.chi2.cdf(df * ((z + shift) / limit) ** 2, df) * stats.norm.pdf(z))

    for shift in (0.5, 3.0, 7.6, 8.1, 20.0, FAR - 0.5, FAR + 0.5, 37.5, 45.0, 1e3, 1e5):
        found = power(shift / math.sqrt(df + 1), 1.0, df + 1, alpha)
        truth = integrate.quad(chance, -10, 10, args=(shift,), limit=200)[0]
        assert found == pytest.approx(truth, abs=1e-6), shift


@settings(max_examples=60, deadline=None)
@given(st.floats(0.01, 20), st.integers(2, 300), st.sampled_from(LEVELS), st.sampled_from([1.0, 2.0, 7.5, math.inf]))
def test_more_is_found_with_more_seeds_and_of_larger_effects(effect: float, n: int, alpha: float, df: float) -> None:
    found = power(effect, 1.0, n, alpha, df)
    assert alpha - 1e-6 <= found <= 1
    assert power(-effect, 1.0, n, alpha, df) == found
    assert power(effect, 1.0, n + 1, alpha, df) >= found - 1e-9
    assert power(1.1 * effect, 1.0, n, alpha, df) >= found - 1e-9
    assert power(effect, 1.0, n, min(0.3, 1.5 * alpha), df) >= found - 1e-9


@pytest.mark.parametrize("df", [1.0, 2.0, 5.0, 8.0, 40.0])
def test_an_estimated_sd_is_a_mean_over_what_it_may_truly_be(df: float) -> None:
    for effect, n, alpha in ((0.5, 10, 0.05), (1.0, 5, 0.05), (1.0, 12, 0.01), (3.0, 3, 0.01), (0.7, 40, 0.001)):

        def known(log: float, effect: float = effect, n: int = n, alpha: float = alpha) -> float:
            """For df sd^2 / sigma^2 = exp(log), times the density of that."""
            square = math.exp(log)
            return power(effect * math.sqrt(square / df), 1.0, n, alpha) * float(stats.chi2.pdf(square, df)) * square

        truth = integrate.quad(known, -25, math.log(df + 60 + 12 * math.sqrt(df)), limit=200, epsabs=1e-6)[0]
        assert power(effect, 1.0, n, alpha, df) == pytest.approx(truth, abs=5e-3)


def test_one_pair_finds_nothing() -> None:
    assert power(10.0, 1.0, 1, 0.05) == power(10.0, 1.0, 0, 0.05) == 0


@pytest.mark.parametrize("sd", [0.0, -1.0, math.nan, math.inf])
def test_a_spread_has_to_be_one(sd: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        power(1.0, sd, 5, 0.05)
    with pytest.raises(ValueError, match="positive"):
        need(1.0, sd, 5, 0.05, 0.8)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.08, 10), st.integers(0, 30), st.sampled_from(LEVELS), st.sampled_from([0.5, 0.8, 0.95]),
    st.sampled_from([2.0, 8.0, math.inf]),
)  # fmt: skip
def test_the_need_is_the_fewest_that_reach_the_power(
    effect: float, n: int, alpha: float, wish: float, df: float
) -> None:
    found = need(effect, 1.0, n, alpha, wish, df)
    if found.more is None:
        assert power(effect, 1.0, n + MOST, alpha, df) < wish
        return
    assert 0 <= found.more <= MOST and found.effect == effect
    assert found.power == pytest.approx(power(effect, 1.0, n + found.more, alpha, df)) and found.power >= wish
    assert not found.more or power(effect, 1.0, n + found.more - 1, alpha, df) < wish


@pytest.mark.parametrize(("effect", "alpha", "wish"), [(0.5, 0.05, 0.8), (1.0, 0.01, 0.9), (0.2, 0.05, 0.8)])
def test_the_need_is_that_of_statsmodels(effect: float, alpha: float, wish: float) -> None:
    pairs = TTestPower().solve_power(effect, nobs=None, alpha=alpha, power=wish)
    assert need(effect, 1.0, 3, alpha, wish).more == math.ceil(pairs) - 3


def test_no_number_is_named_beyond_the_most_and_for_no_effect() -> None:
    assert need(0.0, 1.0, 3, 0.05, 0.8).more is None
    tiny = need(0.001, 1.0, 3, 0.05, 0.8)
    assert tiny.more is None and tiny.power == pytest.approx(power(0.001, 1.0, 3 + MOST, 0.05), abs=1e-6)


@pytest.mark.parametrize(
    ("n", "own", "effect", "alpha"),
    [(3, 0.4, 0.8, 0.05), (3, 1.8, 0.8, 0.05), (6, 0.6, 1.1, 0.01), (5, 1.0, 0.5, 0.05)],
)
def test_seeds_that_are_there_stay_in_the_test(n: int, own: float, effect: float, alpha: float) -> None:
    """The first `n` differences have just that standard deviation, the further ones come from all there are."""
    found = need(effect, 1.0, n, alpha, 0.8, own=own)
    assert found.more
    rng = np.random.default_rng(0)
    first = rng.normal(size=(40_000, n))
    first -= first.mean(axis=1, keepdims=True)
    first *= own / first.std(axis=1, ddof=1, keepdims=True)
    first += rng.normal(0, 1 / math.sqrt(n), (40_000, 1))
    every = np.concatenate([first, rng.normal(size=(40_000, found.more))], axis=1) + effect
    share = (stats.ttest_1samp(every, 0, axis=1).pvalue < alpha).mean()
    assert share == pytest.approx(found.power, abs=0.01)
    assert found.more != need(effect, 1.0, n, alpha, 0.8).more or own == 1.0
