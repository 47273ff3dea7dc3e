"""What may be said of a difference, as one word for tables and a few for people. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vitui import display
from vitui.studies.differences import EVALUATION, Difference
from vitui.studies.power import MOST, Need

POINTS = "points"
EQUAL = 1e-9
"""Differences of means below this are what adding numbers in floating point leaves of none."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known of one variant against the baseline.

    `verdict`: "" (the baseline, or nothing to compare), "better", "worse", "same", "noise", or "unsure" where the noise
    of seeds is not known or seeds that diverged are not in the mean. `words`: the same as a clause. `need`: None where
    no spread over seeds is known. `stands_out`: better, and the best mean of all variants.
    """

    difference: Difference | None
    need: Need | None
    verdict: str
    words: str
    stands_out: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What a study asks of every variant. See `statistics.judge`."""

    alpha: float
    resolve: float
    better: int
    unit: str
    comparisons: int
    """That have a p-value."""
    sure: float
    """Standard errors of a normal distribution within which a share of 1 - alpha lies."""


@dataclass(frozen=True, slots=True)
class Side:
    """A variant or the baseline: how many seeds have a value, and how many diverged."""

    n: int
    diverged: int
    name: str = ""

    @property
    def caveat(self) -> str:
        """``1 of 3 seeds diverged; the mean is of the others``, empty where none did."""
        if not self.diverged:
            return ""
        total = self.n + self.diverged
        text = f"{self.diverged} of {total} seeds{self.name} diverged"
        return f"{text}; the mean is of the others" if self.n else text


def judged(
    difference: Difference, need: Need | None, flat: bool, own: Side, base: Side, ask: Question
) -> tuple[str, str]:
    """Verdict and words. `flat`: the seeds do not deviate from each other at all."""
    if difference.kind == EVALUATION:
        verdict, words = "unsure", _one_seed(difference, own, ask)
    else:
        verdict, words = _tested(difference, need, flat, ask)
    # Those that survived are the better ones of all: nothing that speaks for their side can be relied on.
    favoured = own if difference.mean * ask.better > 0 else base
    if (verdict in ("better", "worse") and favoured.diverged) or (verdict == "same" and own.diverged + base.diverged):
        verdict = "unsure"
    return verdict, "; ".join(part for part in (own.caveat, base.caveat, words) if part)


def missing(own: Side, base: Side) -> str:
    """Words where nothing can be subtracted."""
    if own.n and not base.n:
        return base.caveat or "the baseline has no result yet"
    return own.caveat


def amount(value: float, unit: str, signed: bool = False) -> str:
    """``0.52 points``, or a plain number in four significant digits."""
    sign = "-" if value < 0 else "+" if signed else ""
    value = abs(value)
    if unit != POINTS:
        return f"{sign}{display.number(value)}"
    return f"{sign}{value:.2f} points" if value >= 0.005 or value == 0 else f"{sign}{value:.1g} points"


def _one_seed(difference: Difference, own: Side, ask: Question) -> str:
    seed = "one seed" if own.n == 1 else "one seed of the baseline"
    apart = f"{amount(abs(difference.mean), ask.unit)} apart"
    if difference.error is None:
        return f"{seed}: {apart}, and the noise is not known"
    margin = f"±{amount(ask.sure * difference.error, ask.unit)}"
    if abs(difference.mean) <= ask.sure * difference.error:
        return f"{seed}: within the sampling error of the evaluation images ({margin})"
    return f"{seed}: {apart}, more than the sampling error of {margin}, but the noise of seeds is not known"


def _tested(difference: Difference, need: Need | None, flat: bool, ask: Question) -> tuple[str, str]:
    size = amount(abs(difference.mean), ask.unit)
    if difference.p is None or difference.p_adjusted is None:
        return "unsure", f"{amount(difference.mean, ask.unit, signed=True)} in every seed alike: no spread to test with"
    differs = difference.p_adjusted < ask.alpha
    p = probability(difference.p_adjusted)
    if ask.resolve > 0 and difference.low is not None and difference.high is not None:
        limit = _limit(ask.resolve, ask.unit)
        if -ask.resolve <= difference.low and difference.high <= ask.resolve:
            least = f"differs by {size} ({p}), less than the {limit} that matter"
            return "same", least if differs else f"the same within {limit}"
    if differs:
        verdict = "better" if difference.mean * ask.better > 0 else "worse"
        return verdict, f"{verdict} by {size} ({p})"
    if flat and difference.mean == 0:
        return "noise", "identical in every seed"
    within = "within noise"
    if difference.p < ask.alpha:
        within += f" after correction for {ask.comparisons} comparisons"
    return "noise", within + _needs(need, ask)


def _needs(need: Need | None, ask: Question) -> str:
    if need is None:
        return ""
    effect = _limit(need.effect, ask.unit) if ask.resolve > 0 else amount(need.effect, ask.unit)
    if need.effect < EQUAL:
        return ": the means are equal"
    if need.more is None:
        return f": over {MOST:,} more seeds needed to resolve {effect}"
    if need.more == 0:
        return f", with seeds enough to resolve {effect} (power {math.floor(100 * need.power) / 100:.2f})"
    return f": needs about {need.more} more seed{'s' * (need.more > 1)} to resolve {effect}"


def probability(p: float) -> str:
    """``p = 0.012``, ``p < 0.001``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def _limit(value: float, unit: str) -> str:
    """A difference that somebody asked for, in the digits in which it was asked."""
    return f"{value:g} points" if unit == POINTS else f"{value:g}"
