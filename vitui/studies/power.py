"""How many seeds it takes to see a difference. Pure; NumPy and SciPy load with the first call.

The power of a two-sided paired t test is P(|T| > t(1 - alpha/2, n - 1)) for T of the noncentral t distribution with
n - 1 degrees of freedom and noncentrality effect / sd * sqrt(n) (Cohen, Statistical Power Analysis, 1988). A first
batch of seeds says less than that formula wants, and more:

- Its sd is an estimate. Taken for the truth it promises too much: where it comes out low, too few seeds follow, and
  that loses more than the opposite gains. With `df`, its degrees of freedom, the power is averaged over what the true
  sd may be: df sd^2 / sigma^2 has a chi-square distribution. Where the number of seeds follows the estimate, sd / sigma
  has that distribution over repeated studies, so the average is the share of them in which the difference is found.
- Its seeds stay in the test that comes after. So that test's variance is known in part (`own`), and where few seeds
  follow because the first happened to lie close together, the test profits from just that: Wittes et al., Statistics
  in Medicine 18, 1999, on internal pilots.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST = 1000
"""Further seeds beyond which no number is named."""
FAR = 30.0
"""Noncentrality from which on the distribution function is computed here."""
NODES = 12
"""Of means over a distribution; a predicted power is then within 0.005 of the integral."""


@dataclass(frozen=True, slots=True)
class Need:
    """What it takes to resolve a difference of `effect` (in the unit of the metric).

    `more`: further seeds for every variant that is compared, and the baseline; None: more than MOST, or none would do.
    `power`: the predicted chance of a verdict better or worse with them (with MOST where `more` is None).
    """

    more: int | None
    effect: float
    power: float


def power(effect: float, sd: float, n: int, alpha: float, df: float = math.inf) -> float:
    """Chance that a two-sided paired t test at level `alpha` finds a true mean difference of `effect` from `n` pairs.

    `sd`: standard deviation of a paired difference, in the unit of `effect`; `df`: degrees of freedom of that estimate,
    infinite where it is known. 0 for n < 2, where there is no test. ValueError where sd is not a positive number.
    """
    import numpy as np

    _positive(sd)
    if n < 2:
        return 0.0
    return float(_powers(np.array([abs(effect) / sd]), np.array([float(n)]), alpha, df)[0])


def need(
    effect: float, sd: float, n: int, alpha: float, power: float, df: float = math.inf, own: float | None = None
) -> Need:
    """The fewest further seeds with which the power for `effect` reaches `power`, where there are `n` pairs now.

    `own`: standard deviation of these `n` differences, which stay in the test; None: as if all pairs were still to
    come. For the rest see the function `power`. ValueError where sd is not a positive number.
    """
    import numpy as np

    _positive(sd)
    kept = None if own is None or n < 2 else np.array([(n - 1) * (own / sd) ** 2])
    more, reached = needs(np.array([abs(effect) / sd]), np.array([n]), alpha, power, df, kept)
    return Need(None if more[0] < 0 else int(more[0]), abs(effect), float(reached[0]))


def needs(
    ratios: Floats, n: NDArray[Any], alpha: float, power: float, df: float, kept: Floats | None
) -> tuple[NDArray[np.int64], Floats]:
    """`need` for many at once -> further seeds (-1: none named), predicted powers.

    `ratios`: effects in standard deviations. `kept`: sums of squares of the pairs there are, about their mean, in
    squared standard deviations (0 for n < 2); None: as if all pairs were still to come.
    """
    import numpy as np
    from scipy import special

    def predicted(some: NDArray[Any], pairs: NDArray[Any]) -> Floats:
        if kept is None:
            return _powers(ratios[some], pairs, alpha, df)
        return _powers_after(ratios[some], pairs, n[some], kept[some], alpha, df)

    least, most = np.maximum(n, 2), n + MOST
    with np.errstate(divide="ignore", over="ignore"):
        wanted = (special.ndtri(power) - special.ndtri(alpha / 2)) / ratios
        probe = np.clip(wanted**2 * (1 + 2 / df), least, most).astype(np.int64)
    short, enough, reached = least - 1, most + 1, np.zeros(ratios.size)
    open_ = np.arange(ratios.size)
    while open_.size:
        at = probe[open_]
        chance = predicted(open_, at)
        found = chance >= power
        enough[open_[found]], short[open_[~found]] = at[found], at[~found]
        reached[open_] = np.where(found | (at == most[open_]), chance, reached[open_])
        open_ = open_[enough[open_] - short[open_] > 1]
        # From the first guess outwards until both sides are known, then halfway between them.
        low, high, at = short[open_], enough[open_], probe[open_]
        up = np.where(high > most[open_], 1.3 * at + 1, (low + high) / 2)
        probe[open_] = np.where(low < least[open_], 0.8 * at, up)
        probe[open_] = np.clip(probe[open_], low + 1, high - 1)
    return np.where(enough > most, -1, enough - n), reached


def _positive(sd: float) -> None:
    if not (math.isfinite(sd) and sd > 0):
        raise ValueError(f"a standard deviation has to be a positive number, not {sd}")


def _powers(ratios: Floats, n: NDArray[Any], alpha: float, df: float) -> Floats:
    """Power for effects in estimated standard deviations, with numbers of pairs of at least 2."""
    import numpy as np

    inverse, weights = _true_sd(df)
    shift = (ratios * np.sqrt(n))[:, None] * inverse
    found: Floats = _found(shift, (n - 1.0)[:, None], alpha) @ weights
    return found


def _powers_after(ratios: Floats, n: NDArray[Any], now: NDArray[Any], kept: Floats, alpha: float, df: float) -> Floats:
    """As `_powers`, where `now` of the `n` pairs are there already: of the n - 1 degrees of freedom of the test's
    variance now - 1 come with the sum of squares `kept`, and the others with a chi-square distribution of their own."""
    import numpy as np
    from scipy import special

    inverse, weights = _true_sd(df)
    freedom, place = np.unique(n - np.maximum(now, 1), return_inverse=True)
    fresh = np.stack([_chi_square(degrees) for degrees in freedom.tolist()])[place]
    pairs, place = np.unique(n - 1.0, return_inverse=True)
    limit = (-special.stdtrit(pairs, alpha / 2) / np.sqrt(pairs))[place]
    deviation = np.sqrt((kept[:, None] * inverse**2)[:, :, None] + fresh[:, None, :]) * limit[:, None, None]
    shift = ((ratios * np.sqrt(n))[:, None] * inverse)[:, :, None]
    found: Floats = (special.ndtr(shift - deviation) + special.ndtr(-shift - deviation)) @ _legendre()[1] @ weights
    return found


@lru_cache(maxsize=256)
def _true_sd(df: float) -> tuple[Floats, Floats]:
    """Values of (estimated sd / true sd) and their weights."""
    import numpy as np

    if math.isinf(df):
        return np.ones(1), np.ones(1)
    return np.sqrt(_chi_square(df) / df), _legendre()[1]


@lru_cache(maxsize=4096)
def _chi_square(df: float) -> Floats:
    """Of `df` degrees of freedom, at the quantiles of `_legendre`."""
    from scipy import special

    found: Floats = 2 * special.gammaincinv(df / 2, _legendre()[0]) if df else 0 * _legendre()[0]
    return found


@lru_cache(maxsize=1)
def _legendre() -> tuple[Floats, Floats]:
    """Quantiles at which a mean over a distribution is taken, and their weights (Gauss and Legendre)."""
    import numpy as np

    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return (nodes + 1) / 2, weights / 2


def _found(shift: Floats, df: Floats, alpha: float) -> Floats:
    """P(|T| > t(1 - alpha/2, df)), T noncentral t. `df` is a column beside the rows of `shift`.

    SciPy's nctdtr gives NaN below -t from a noncentrality of 3 on, where the chance is under 1e-14, and above t now and
    then from 35 on, where it takes long, too. There T > t is Z + shift > t * sqrt(chi2 / df), and its chance the mean
    of P(chi2 < df * ((Z + shift) / t)^2) over the normal Z.
    """
    import numpy as np
    from scipy import special

    limit, freedom = (np.broadcast_to(a, shift.shape) for a in (-special.stdtrit(df, alpha / 2), df))
    found = np.empty_like(shift)
    far, near = shift > FAR, shift <= FAR
    if far.any():
        z, weights = np.polynomial.hermite_e.hermegauss(NODES)
        quotient = (shift[far][:, None] + z) / limit[far][:, None]
        fewer = special.gammainc(freedom[far][:, None] / 2, freedom[far][:, None] / 2 * quotient**2)
        found[far] = fewer @ (weights / weights.sum())
    at = freedom[near], shift[near], limit[near]
    found[near] = 1 - special.nctdtr(*at) + np.nan_to_num(special.nctdtr(at[0], at[1], -at[2]), nan=0.0)
    return np.clip(found, 0.0, 1.0)
