"""What can be read off accuracy against compute, in sentences. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from vitui import display
from vitui.studies.search import Band, Frontier, Point

if TYPE_CHECKING:
    from vitui.studies.compute import Tradeoff


def words(found: Tradeoff) -> tuple[str, ...]:
    """The best of each group, what the others need to be as good, and random searches with one budget for all."""
    led = sorted(
        (one for one in found.frontiers if one.points),
        key=lambda one: _best(one).score or 0.0,
        reverse=found.better > 0,
    )
    out = [_reached(found, one) for one in led]
    for other in led[1:]:
        out += _compared(found, led[0], other)
    if (budget := common_budget(found)) is not None:
        out.append(_searched(found, budget))
    return tuple(out)


def score_text(found: Tradeoff, value: float | None) -> str:
    """A value of the metric with its unit."""
    if value is None:
        return display.percent(None)
    return f"{display.percent(value)} %" if found.unit == "%" else display.number(value)


def common_budget(found: Tradeoff) -> float | None:
    """A budget to compare random searches of all groups with: half way, at equal ratios, between the least with which
    19 of 20 searches of every group have a result and all runs of the group that costs least. None without one."""
    least = [_known_from(band, found.better) for band in found.bands]
    if not least or None in least:
        return None
    low = max(one for one in least if one is not None)
    totals = [
        math.fsum(point.compute for point in found.points if point.group == band.group) for band in found.bands
    ]  # fmt: skip
    return math.sqrt(low * max(low, min(totals)))


def _known_from(band: Band, better: int) -> float | None:
    worst = band.low if better > 0 else band.high
    return next((budget for budget, value in zip(band.budgets, worst, strict=True) if value is not None), None)


def _best(front: Frontier) -> Point:
    return front.points[-1]


def _reached(found: Tradeoff, front: Frontier) -> str:
    best = _best(front)
    runs = next(band.runs for band in found.bands if band.group == front.group)
    count = "1 run" if runs == 1 else f"{runs} runs"
    return (
        f"{front.group}: {count}, best {score_text(found, best.score)} with {found.axis.text(best.compute)} "
        f"({best.label}, seed {best.seed})"
    )


def _compared(found: Tradeoff, leader: Frontier, other: Frontier) -> Iterator[str]:
    best, theirs = _best(leader), _best(other)
    assert best.score is not None and theirs.score is not None
    as_good = leader.reaches(theirs.score, found.better)
    if as_good is not None:
        yield (
            f"{leader.group} is as good as the best of {other.group} with {found.axis.text(as_good.compute)}, "
            f"{_ratio(as_good.compute / theirs.compute)}"
        )
    if best.score != theirs.score:
        gap = abs(best.score - theirs.score)
        short = f"{gap:.2f} points" if found.unit else display.number(gap)
        yield f"no run of {other.group} reaches the best of {leader.group}; it is {short} short"


def _ratio(ratio: float) -> str:
    if 0.95 < ratio < 1.05:
        return "as much compute"
    return f"{display.number(1 / ratio, 2)} times less" if ratio < 1 else f"{display.number(ratio, 2)} times more"


def _searched(found: Tradeoff, budget: float) -> str:
    said, spans = [], []
    for band in found.bands:
        low, median, high = band.at(budget)
        said.append(
            f"{band.group} {score_text(found, median)} ({score_text(found, low)} to {score_text(found, high)})"
        )  # fmt: skip
        if low is not None and high is not None:
            spans.append((low, high))
    text = f"random searches with {found.axis.text(budget)}: median (5th to 95th percentile) of {', of '.join(said)}"
    if len(spans) < 2:
        return text
    return f"{text}; the bands {'do not overlap' if _apart(spans) else 'overlap'}"


def _apart(spans: Sequence[tuple[float, float]]) -> bool:
    ordered = sorted(spans)
    return all(before[1] < after[0] for before, after in pairwise(ordered))
