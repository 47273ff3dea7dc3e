"""What a plot of accuracy against compute is made of, whatever draws it: lines, points, ranges, ticks. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vitui.references import title_of

if TYPE_CHECKING:
    from vitui.studies.compute import Tradeoff
    from vitui.studies.search import Band, Frontier

    Places = tuple[tuple[float, float], ...]

TICKS: Final = 5
"""As many on an axis, about."""
_ROOM: Final = 0.04
"""Share of the range that is left free above and below."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One group: points, a line and a band (its edges), in the units of the data; what there is of them."""

    label: str
    points: Places = ()
    line: Places = ()
    low: Places = ()
    high: Places = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """A plot: groups, and where its axes begin and end. `across` with `log` at equal ratios; ticks with their texts."""

    title: str
    x: str
    y: str
    log: bool
    across: tuple[float, float]
    up: tuple[float, float]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    groups: tuple[Drawn, ...]

    def place(self, x: float) -> float:
        """How far across a value stands, 0 to 1."""
        low, high = self.across
        if low == high:
            return 0.5
        if self.log:
            return (math.log(x) - math.log(low)) / (math.log(high) - math.log(low))
        return (x - low) / (high - low)


def frame(found: Tradeoff, kind: str) -> Frame:
    """The plot of random search (kind "search"), or of every run with the frontiers; of a sampled field, its points."""
    if not found.bands:
        groups = tuple(_scattered(found, name) for name in dict.fromkeys(point.group for point in found.points))
    elif kind == "search":
        groups = tuple(_band(band) for band in found.bands)
    else:
        most = max(point.compute for point in found.points)
        groups = tuple(_frontier(found, one, most) for one in found.frontiers)
    groups = tuple(one for one in groups if one.points or one.line)
    places = [place for one in groups for part in (one.points, one.line, one.low, one.high) for place in part]
    across, up = _range(x for x, _ in places), _range(y for _, y in places)
    title = title_of(found.metric) + (f" on {found.split}" if found.split else "")
    unit = f" ({found.axis.unit})" if found.axis.unit and found.axis.unit != found.axis.key else ""
    logarithmic = found.axis.log and across[0] > 0
    return Frame(
        found.title,
        f"{found.axis.title}{unit}",
        f"{title} ({found.unit})" if found.unit else title,
        logarithmic,
        across,
        _wider(up),
        tuple((x, found.axis.text(x)) for x in _spaced(across, logarithmic)),
        tuple((y, f"{y:.6g}") for y in ticks(*_wider(up))),
        groups,
    )


def _band(band: Band) -> Drawn:
    def known(values: Sequence[float | None]) -> Places:
        return tuple((x, y) for x, y in zip(band.budgets, values, strict=True) if y is not None)

    return Drawn(band.group, line=known(band.median), low=known(band.low), high=known(band.high))


def _frontier(found: Tradeoff, front: Frontier, most: float) -> Drawn:
    """Every run, and the best so far as stairs that go on to the right edge."""
    points = [(one.compute, one.score) for one in found.points if one.group == front.group and one.score is not None]
    line: list[tuple[float, float]] = []
    for point in front.points:
        assert point.score is not None
        if line:
            line.append((point.compute, line[-1][1]))
        line.append((point.compute, point.score))
    if line:
        line.append((most, line[-1][1]))
    return Drawn(front.group, tuple(points), tuple(line))


def _scattered(found: Tradeoff, group: str) -> Drawn:
    told = [one for one in found.points if one.group == group and one.x is not None and one.score is not None]
    return Drawn(group, tuple((one.x or 0.0, one.score or 0.0) for one in told))


def _range(values: Iterable[float]) -> tuple[float, float]:
    known = list(values)
    return (min(known), max(known)) if known else (0.0, 1.0)


def _wider(span: tuple[float, float]) -> tuple[float, float]:
    room = (span[1] - span[0]) * _ROOM or 1.0
    return span[0] - room, span[1] + room


def _spaced(span: tuple[float, float], log: bool) -> tuple[float, ...]:
    """From one end to the other, the ends among them."""
    low, high = span
    if low == high:
        return (low,)
    parts = [n / (TICKS - 1) for n in range(TICKS)]
    return tuple(low * (high / low) ** part if log else low + (high - low) * part for part in parts)


def ticks(low: float, high: float) -> tuple[float, ...]:
    """Round numbers between two values: steps of 1, 2 or 5 times a power of ten."""
    if not high > low:
        return (low,)
    rough = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return tuple(n * step for n in range(first, math.floor(high / step + 1e-9) + 1))
