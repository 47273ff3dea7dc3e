"""Differences of variants to a baseline with their tests, all variants of a study at once. Pure.

Pairs of one seed: the paired t test (Student 1908). No two pairs: the unequal-variances t test (Welch, Biometrika 34,
1947). SciPy's ttest_rel and ttest_ind(equal_var=False) compute the same; scipy.stats takes half a second to import, its
special functions do not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

PAIRED, WELCH, EVALUATION = "paired", "welch", "evaluation"
_EQUAL = 1e-9
"""Share of a value by which arithmetic may make equal numbers differ."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Own mean less the baseline's, in the unit of the metric (points where it is in percent).

    `low`, `high`: confidence interval of this difference alone, at 1 - alpha. `p`: two-sided, of this comparison
    alone; `p_adjusted`: by Holm over all comparisons of the study. `n`: pairs, or the seeds of the smaller group of an
    unpaired test. `kind`: "paired", "welch", or "evaluation" where one seed is all there is and `error` is only that of
    the evaluation images. `error`: standard error of `mean`. None: nothing is known of it.
    """

    mean: float
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    n: int
    kind: str
    error: float | None


@dataclass(frozen=True, slots=True)
class Moments:
    """Over the seeds of each row: their number, mean and sample variance (NaN for fewer than two)."""

    n: Counts
    mean: Floats
    variance: Floats


@dataclass(frozen=True, slots=True)
class Compared:
    """One entry a variant; NaN where there is nothing. `paired` is whether there are at least two pairs, `tested`
    whether either test could be made."""

    paired: NDArray[np.bool_]
    tested: NDArray[np.bool_]
    n: Counts
    mean: Floats
    error: Floats
    half: Floats
    """Half the width of the confidence interval."""
    p: Floats
    pairs: Counts
    """Seeds in common with the baseline."""
    flat: NDArray[np.bool_]
    """At least two seeds, and no deviation at all between them."""
    variance: Floats
    """Of the paired differences, as measured."""
    own: Moments


def difference(
    own: Mapping[int, float], base: Mapping[int, float], alpha: float, images: int | None = None
) -> Difference | None:
    """Of two variants, seed -> value: over pairs of one seed where there are two, else between two groups of at least
    two seeds; None where there is neither. Values that are not finite do not count. `p_adjusted` stays None.

    `images`: of the evaluation split, where values are accuracies in percent. Each value is then one of the multiples
    of 100 / images, and the sd of a difference is never taken for less than what that rounding alone makes of it,
    100 / images / sqrt(6). Where the number is not known and no difference deviates from the others, no test is
    possible: error and interval are None, and p, too, unless all differences are zero (p = 1).
    """
    found = compare([own], base, alpha, images)
    return described(found, 0) if found.tested[0] else None


def holm(ps: Sequence[float]) -> list[float]:
    """Adjusted p-values in the given order (Holm, Scandinavian Journal of Statistics 6, 1979).

    The smallest times m, the next times m - 1, and so on, none below the one before it, none over 1. All below alpha
    may be called different: the chance that any of them is not is at most alpha, however the tests depend on each
    other.
    """
    adjusted = [1.0] * len(ps)
    least = 0.0
    for rank, place in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        least = max(least, min(1.0, (len(ps) - rank) * ps[place]))
        adjusted[place] = least
    return adjusted


def described(found: Compared, place: int) -> Difference:
    """One of the variants that `compare` could test."""
    mean, error, half, p = (float(a[place]) for a in (found.mean, found.error, found.half, found.p))
    known = math.isfinite(error)
    return Difference(
        mean=mean,
        low=mean - half if known else None,
        high=mean + half if known else None,
        p=None if math.isnan(p) else p,
        p_adjusted=None,
        n=int(found.n[place]),
        kind=PAIRED if found.paired[place] else WELCH,
        error=error if known else None,
    )


def compare(
    variants: Sequence[Mapping[int, float]], base: Mapping[int, float], alpha: float, images: int | None = None
) -> Compared:
    """Each of `variants` less `base`. For the rest see `difference`."""
    import numpy as np
    from scipy import special

    step = 100 / images if images else 0.0
    nothing = math.nan
    common = _padded([[values.get(seed, nothing) - value for seed, value in base.items()] for values in variants])
    values, theirs_alone = _padded([list(values.values()) for values in variants]), _padded([list(base.values())])
    own, theirs, between = moments(values), moments(theirs_alone), moments(common)
    paired = between.n >= 2
    tested = paired | ((own.n >= 2) & (theirs.n >= 2))
    with np.errstate(all="ignore"):
        size = np.maximum(_largest(values), _largest(theirs_alone))
        shares = [np.maximum(m.variance, step**2 / 12) / m.n for m in (own, theirs)]
        welch = shares[0] + shares[1]
        welch_df = welch**2 / (shares[0] ** 2 / (own.n - 1) + shares[1] ** 2 / (theirs.n - 1))
        error = np.sqrt(np.where(paired, np.maximum(between.variance, step**2 / 6) / between.n, welch))
        df = np.where(paired, between.n - 1.0, welch_df)
        mean = np.where(paired | (~tested & (between.n > 0)), between.mean, own.mean - theirs.mean)
        still = np.where(paired, between.variance, own.variance + theirs.variance)
        flat = tested & (np.sqrt(still) <= _EQUAL * size)
        error[~tested | (flat & (step == 0))] = np.nan
        p = 2 * special.stdtr(df, -np.abs(mean) / error)
        p[flat & (step == 0) & (np.abs(mean) <= _EQUAL * size)] = 1.0
        critical, which = np.unique(df, return_inverse=True)
        half = -special.stdtrit(critical, alpha / 2)[which] * error
    n = np.where(paired, between.n, np.where(tested, np.minimum(own.n, theirs.n), 1))
    return Compared(paired, tested, n, mean, error, half, p, between.n, flat, between.variance, own)


def moments(values: Floats) -> Moments:
    """Over the columns that are not NaN."""
    import numpy as np

    there = ~np.isnan(values)
    n = there.sum(axis=1)
    with np.errstate(all="ignore"):
        mean = np.where(there, values, 0).sum(axis=1) / n
        variance = np.where(there, values - mean[:, None], 0) ** 2
        return Moments(n, mean, np.where(n >= 2, variance.sum(axis=1) / (n - 1), np.nan))


def _padded(rows: Sequence[Sequence[float]]) -> Floats:
    """Rows of one length, with NaN at their ends and for what is not finite."""
    import numpy as np

    length = max([1, *map(len, rows)])
    out = np.array([[*row, *[math.nan] * (length - len(row))] for row in rows])
    out[~np.isfinite(out)] = np.nan
    return out


def _largest(values: Floats) -> Floats:
    """Of each row without its sign, 0 where it has none."""
    import numpy as np

    found: Floats = np.abs(np.nan_to_num(values)).max(axis=1)
    return found
