"""Runs in groups by one field or several, as a tree, with mean and deviation over each group. Pure.

The deviation is that of a sample, sqrt(sum((x - mean)^2) / (n - 1)): seeds are a sample of all seeds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vitui import display
from vitui.labels import without_seed
from vitui.query.cells import shown
from vitui.query.fields import NO_VALUES, Field, Values, known
from vitui.query.order import Order, arrange
from vitui.text import cell_width

if TYPE_CHECKING:
    from vitui.store import Run

NONE = "(none)"
MIXED = "mixed"
"""Instead of a mean over results on other data or splits."""


@dataclass(frozen=True, slots=True)
class Stat:
    """A number over the runs of a group. `n` of them have it; `deviation` is None for fewer than two."""

    n: int
    mean: float
    deviation: float | None
    least: float
    most: float


@dataclass(frozen=True, eq=False)
class Group:
    """Runs that have the same value of `by`. `id` is the path of values to it, the same as long as those are."""

    id: str
    by: Field
    label: str
    depth: int
    runs: tuple[Run, ...]
    values: Values
    now: float
    children: tuple[Group, ...] = ()
    _stats: dict[str, Stat | None] = field(default_factory=dict, repr=False)

    def stat(self, of: Field) -> Stat | None:
        """Over the runs whose value is a finite number; None where there is none, and where they are `mixed`."""
        if of.key not in self._stats:
            found = [] if self.mixed(of) else [of.get(run, self.values, self.now) for run in self.runs]
            self._stats[of.key] = statistics(found)
        return self._stats[of.key]

    def mixed(self, of: Field) -> bool:
        """Whether its values were measured on other data or splits, so that a mean of them says nothing."""
        if of.on is None:
            return False
        return len({of.on(run) for run in self.runs if known(of.get(run, self.values, self.now))}) > 1

    def best(self, of: Field) -> float | None:
        """The largest or least value, whichever is better; None where neither is."""
        stat = self.stat(of)
        return None if stat is None or not of.better else stat.most if of.better > 0 else stat.least

    @property
    def states(self) -> Counter[str]:
        return Counter(run.state for run in self.runs)

    def same(self, of: Field) -> Any:
        """The value that all its runs have, None where they differ."""
        first = of.get(self.runs[0], self.values, self.now)
        return first if all(of.get(run, self.values, self.now) == first for run in self.runs) else None


def statistics(found: Sequence[Any]) -> Stat | None:
    """n, mean, sample deviation, least and most of what is a finite number."""
    numbers = [float(v) for v in found if isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v)]
    n = len(numbers)
    if not n:
        return None
    mean = math.fsum(numbers) / n
    deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in numbers) / (n - 1)) if n > 1 else None
    return Stat(n, mean, deviation, min(numbers), max(numbers))


def grouped(
    runs: Sequence[Run], by: Sequence[Field], order: Order = (), values: Values = NO_VALUES, now: float = 0.0
) -> list[Group]:
    """A tree of groups. Runs in a group are in `order`; groups by their means of its fields (or, where these are no
    numbers, by their first run), those without any last."""
    return _grouped(arrange(runs, order, values, now), tuple(by), order, values, now, "", 0)


def _grouped(
    runs: Sequence[Run], by: tuple[Field, ...], order: Order, values: Values, now: float, path: str, depth: int
) -> list[Group]:
    if not by:
        return []
    parted: dict[Any, list[Run]] = {}
    for run in runs:
        value = by[0].get(run, values, now)
        parted.setdefault(value if known(value) else None, []).append(run)
    out = []
    for value, members in parted.items():
        id = f"{path}/{by[0].key}={value}"
        children = _grouped(members, by[1:], order, values, now, id, depth + 1)
        out.append(Group(id, by[0], _label(by[0], value, members), depth, tuple(members), values, now, tuple(children)))
    for key in reversed(order):
        if key.field.counts:
            out = _by_mean(out, key.field, key.descending)
    return out


def _by_mean(groups: list[Group], of: Field, descending: bool) -> list[Group]:
    with_mean = [(stat.mean, group) for group in groups if (stat := group.stat(of)) is not None]
    without = [group for group in groups if group.stat(of) is None]
    with_mean.sort(key=lambda pair: pair[0], reverse=descending)
    return [group for _, group in with_mean] + without


def _label(by: Field, value: Any, members: Sequence[Run]) -> str:
    if by.key == "recipe":
        return without_seed(members[0].name) or members[0].name or members[0].id
    if value is None:
        return NONE
    text = shown(by, value)
    return text if by.kind in ("text", "words", "time") else f"{by.title} {text}"


def flat(groups: Sequence[Group], closed: Collection[str] = ()) -> list[Run | Group]:
    """The lines of a table: each group, and under it what it holds unless its id is in `closed`."""
    out: list[Run | Group] = []
    for group in groups:
        out.append(group)
        if group.id not in closed:
            out += flat(group.children, closed) if group.children else group.runs
    return out


def mean_text(stat: Stat | None, of: Field, width: int) -> str:
    """``91.20±0.31`` in at most `width` cells: the deviation loses digits first, then the mean."""
    if stat is None:
        return ""
    if of.kind == "duration":
        return display.duration(stat.mean)
    fullest = shown(of, stat.mean)
    if stat.deviation is None or (of.kind == "value" and stat.least == stat.most):
        return fullest
    for digits in (2, 1, 0) if of.unit == "%" else (4, 3, 2):
        if of.unit == "%":
            text = f"{stat.mean:.{digits}f}±{stat.deviation:.{digits}f}"
        else:
            text = f"{display.number(stat.mean, digits)}±{display.number(stat.deviation, 2)}"
        if cell_width(text) <= width:
            return text
    return fullest if len(fullest) <= width else f"{stat.mean:.3g}"


def states_text(group: Group) -> str:
    """``3✓ 1▶``: how many runs are in each state."""
    counts = group.states
    return " ".join(f"{counts[state]}{display.GLYPHS[state]}" for state in display.GLYPHS if counts[state])
