"""The statistics of a study: how variants differ from its baseline, how sure that is, and what it takes to know. Pure.

docs/statistics.md says it in full for readers. `differences` has the tests, `spread` and `power` the number of seeds,
`verdicts` the words.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vitui.comparing.noise import combined
from vitui.studies.differences import EVALUATION, Compared, Difference, compare, described, difference, holm
from vitui.studies.power import MOST, Need, need, needs, power
from vitui.studies.spread import pooled_sd, spreads
from vitui.studies.verdicts import POINTS, Judged, Question, Side, judged, missing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["MOST", "Difference", "Judged", "Need", "difference", "holm", "judge", "need", "pooled_sd", "power"]


def judge(
    variants: Sequence[Mapping[int, float]],
    baseline: int,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    resolve: float = 0.0,
    better: int = 1,
    errors: Sequence[float | None] | None = None,
    diverged: Sequence[int] | None = None,
    images: int | None = None,
    unit: str = POINTS,
) -> list[Judged]:
    """All variants of a study against the one at the place `baseline`, in their order.

    `variants`: seed -> value of the metric; what is not finite does not count. `better`: 1 where more is better, -1
    where less is. `errors`: for each variant the standard error that the evaluation images alone give one run of it
    (`comparing.noise.standard_error`), None where unknown. `diverged`: for each variant the number of seeds that
    diverged; they have no value here. `images`: of the split that reports, where values are accuracies in percent; None
    for anything else. `unit`: "points", or "" for plain numbers.

    Better and worse are those whose p-value, after Holm over all comparisons that have one, is below `alpha`. The same
    are those whose interval lies within ±`resolve`, the difference that matters, which goes before better and worse. A
    mean over the seeds that survived where others diverged flatters: nothing is said in favour of such a side, only
    "unsure".

    `need` is for an effect of `resolve`, or where that is 0 of the difference that was observed. Its level is alpha
    over the number of variants that have any difference, the first step of Holm: with true effects of others beside it
    Holm finds more than predicted, never less. Its sd is that of `spread.spreads`. What it counts are pairs: seeds that
    only one side has are not among them.

    ValueError where `better` is neither 1 nor -1, `alpha` or `power` not between 0 and 1, or `resolve` negative.
    """
    if better not in (1, -1):
        raise ValueError(f"better has to be 1 or -1, not {better}")
    if not (0 < alpha < 1 and 0 < power < 1 and 0 <= resolve < math.inf):
        raise ValueError("alpha and power have to lie between 0 and 1, and resolve must not be negative")
    found = compare(variants, variants[baseline], alpha, images)
    others = [place for place in range(len(variants)) if place != baseline]
    differences: list[Difference | None] = [None] * len(variants)
    for place in others:
        if found.tested[place]:
            differences[place] = described(found, place)
        elif math.isfinite(found.mean[place]):
            errors_of = (None, None) if errors is None else (errors[place], errors[baseline])
            differences[place] = _evaluated(float(found.mean[place]), combined(*errors_of), alpha)
    tests = [(place, d, d.p) for place, d in enumerate(differences) if d is not None and d.p is not None]
    for (place, each, _), p in zip(tests, holm([p for _, _, p in tests]), strict=True):
        differences[place] = dataclasses.replace(each, p_adjusted=p)
    compared = [place for place in others if differences[place] is not None]
    planned = _needs(found, compared, alpha, power, resolve, images)
    lost = [0] * len(variants) if diverged is None else list(diverged)
    sides = [Side(int(n), count) for n, count in zip(found.own.n, lost, strict=True)]
    base = Side(sides[baseline].n, lost[baseline], " of the baseline")
    ask = Question(alpha, resolve, better, unit, len(tests), _normal(alpha))
    best = max((float(m) * better for m in found.own.mean if math.isfinite(m)), default=math.nan)
    out = []
    for place, (side, found_difference) in enumerate(zip(sides, differences, strict=True)):
        if found_difference is None:
            words = side.caveat if place == baseline else missing(side, base)
            out.append(Judged(None, None, "", words))
            continue
        verdict, words = judged(found_difference, planned.get(place), bool(found.flat[place]), side, base, ask)
        leads = verdict == "better" and float(found.own.mean[place]) * better == best
        out.append(Judged(found_difference, planned.get(place), verdict, words, leads))
    return out


def _evaluated(mean: float, error: float | None, alpha: float) -> Difference:
    """Where one seed is all there is on a side: only what the number of evaluation images says is known."""
    half = None if error is None else _normal(alpha) * error
    low, high = (None, None) if half is None else (mean - half, mean + half)
    return Difference(mean, low, high, None, None, 1, EVALUATION, error)


def _normal(alpha: float) -> float:
    from scipy import special

    return float(-special.ndtri(alpha / 2))


def _needs(
    found: Compared, places: Sequence[int], alpha: float, power: float, resolve: float, images: int | None
) -> dict[int, Need]:
    """For the variants at these places; none where no spread over seeds is known, or the own one cannot be."""
    import numpy as np

    at, step = np.array(places, int), 100 / images if images else 0.0
    spread = _spread(found, at, step)
    if spread is None or not at.size:
        return {}
    sds, freedoms = spread[0][at], spread[1][at]
    effects = np.full(at.size, resolve) if resolve > 0 else np.abs(found.mean[at])
    out: dict[int, Need] = {}
    variance = np.where(found.paired, np.maximum(found.variance, step**2 / 6) * (found.pairs - 1), 0.0)[at]
    for df in np.unique(freedoms):
        some = np.flatnonzero((freedoms == df) & (~found.flat[at] | (step > 0)))
        ratios, pairs, kept = effects[some] / sds[some], found.pairs[at[some]], variance[some] / sds[some] ** 2
        more, reached = needs(ratios, pairs, alpha / at.size, power, float(df), kept)
        for index, further, chance in zip(some.tolist(), more.tolist(), reached.tolist(), strict=True):
            out[places[index]] = Need(None if further < 0 else further, float(effects[index]), chance)
    return out


def _spread(found: Compared, at: NDArray[np.int64], step: float) -> tuple[Floats, Floats] | None:
    """Of paired differences; where there are none, of two independent values of the seeds of each variant.

    Differences that are all alike tell nothing (a switch that changes nothing) and count only where all are.
    """
    import numpy as np

    paired = np.zeros_like(found.paired)
    paired[at] = found.paired[at]
    variance, df = np.maximum(found.variance, step**2 / 6), found.pairs.astype(np.float64) - 1
    found_spread = spreads(variance, df, paired & ~found.flat)
    if found_spread is None and step > 0:
        found_spread = spreads(variance, df, paired)
    groups = (found.own.n >= 2) & (found.own.variance > 0)
    if paired.any() or not groups.any():
        return found_spread
    freedom = float((found.own.n[groups] - 1).sum())
    within = float((found.own.variance[groups] * (found.own.n[groups] - 1)).sum()) / freedom
    shape = found.mean.shape
    return np.full(shape, math.sqrt(2 * within)), np.full(shape, freedom)
