"""A heat map of a grid: one group of axes down, another across, every cell the best over the axes in neither. Pure.

This is the layout of figure 4 of "How to train your ViT?" (Steiner et al., 2022): colours are relative to one cell of
the same row, and a side column has the best of one level of an axis less the best of another.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import median
from typing import TYPE_CHECKING, Final, TypeAlias

from vitui import display
from vitui.comparing.noise import combined
from vitui.errors import UsageError
from vitui.references import text_of
from vitui.store.series import direction
from vitui.studies.reported import document_of
from vitui.studies.variants import MISSING

if TYPE_CHECKING:
    from engine.recipe import Reference
    from vitui.studies.definition import Axis, Study
    from vitui.studies.report import Report, Row

OWN, PUBLISHED, DIFFERENCE = "own", "published", "difference"
SHOWS: Final = (OWN, PUBLISHED, DIFFERENCE)
"""What a cell can show: own values, published ones, own less published."""
_Levels: TypeAlias = tuple[str, ...]
"""Names of levels."""


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One cell. `own` is the best mean of its variants, `published` what was reported for it; percent, or a loss.

    `value` is the one that is shown, with its `text`; `relative` is what its colour says: the value less that of the
    baseline cell, or own less published. `of` variants are in it, `lacking` of them have no value of their own.
    """

    levels: tuple[str, ...]
    """Names of levels across."""
    text: str
    value: float | None
    relative: float | None
    own: float | None
    published: float | None
    variant: str
    """Name of the variant whose value is the own one; empty where there is none."""
    seeds: int
    of: int
    lacking: int
    base: bool
    """The cell that the colours of its row are relative to."""
    stands_out: bool
    """The variant is better than the study's baseline by more than noise, and the best of all."""


@dataclass(frozen=True, slots=True)
class HeatRow:
    """Cells with the same levels down. `side`: best of the last level of the side axis less best of its first."""

    labels: tuple[str, ...]
    names: tuple[str, ...]
    cells: tuple[HeatCell, ...]
    side: float | None
    told: float | None
    """The side column as the source of the published values has it."""

    @property
    def label(self) -> str:
        return ", ".join(self.labels)


@dataclass(frozen=True, slots=True)
class Heat:
    """A heat map. `columns`: labels of the levels across; `largest`: the strongest colour stands for this much."""

    down: tuple[str, ...]
    """Names of axes."""
    across: tuple[str, ...]
    over: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    rows: tuple[HeatRow, ...]
    show: str
    metric: str
    split: str
    better: int
    """1 where more is better, -1 where less is."""
    side: str
    """Title of the side column; empty: there is none."""
    largest: float
    notes: tuple[str, ...]

    def grade(self, relative: float | None) -> int:
        """-3 to 3: how much better (positive) or worse, in thirds of `largest`; 0 for hardly a difference, or none."""
        if relative is None or not self.largest:
            return 0
        size = min(3, math.floor(3 * abs(relative) / self.largest * (1 - 1e-9)) + 1)
        tiny = abs(relative) < self.largest / 20
        return 0 if tiny else size if relative * self.better > 0 else -size


def lacking(study: Study) -> str:
    """Why a study has no heat map, in a sentence; empty where it has one."""
    layout, axes = study.report, len(study.axis)
    if axes < 2:
        had = f"it has one ({study.axis[0].name})" if axes else "it has none"
        return f"a heat map needs a grid of two [[axis]] tables or more; {had}"
    if axes > 2 and not (layout.rows and layout.columns):
        names = ", ".join(axis.name for axis in study.axis)
        return f"a heat map of {axes} axes needs [report] rows = [...] and columns = [...] in the study; axes: {names}"
    return ""


def heat(report: Report, show: str = "") -> Heat:
    """The heat map of a study. `show`: one of SHOWS; empty: own values where there are any, else published ones.

    Raises UsageError where the study has no grid for it, or nothing to show.
    """
    study = report.planned.study
    if reason := lacking(study):
        raise UsageError(f"study {report.name}: {reason}")
    if show and show not in SHOWS:
        raise UsageError(f'a heat map shows {", ".join(SHOWS[:-1])} or {SHOWS[-1]}, not "{show[:40]}"')
    grid = _Grid(report)
    if show in (PUBLISHED, DIFFERENCE) and not grid.told:
        raise UsageError(
            f"study {report.name}: nothing is published for its cells, so the heat map has own values only"
        )
    return grid.drawn(show or (PUBLISHED if grid.told and not grid.any_own else OWN))


def available(report: Report) -> list[str]:
    """What the heat map of a study is worth to show: of SHOWS, own values first where there are any; empty without a
    grid. Published values are where at least half of the cells have one."""
    if lacking(report.planned.study):
        return []
    grid = _Grid(report)
    if 2 * len(grid.told) < len(grid.cells) or not grid.told:
        return [OWN]
    return [OWN, PUBLISHED, DIFFERENCE] if grid.any_own else [PUBLISHED]


class _Grid:
    """A report sorted into the cells of its heat map."""

    def __init__(self, report: Report) -> None:
        self.report = report
        study = report.planned.study
        self.axes = {axis.name: axis for axis in study.axis}
        self.down, self.across = layout(study)
        self.over = tuple(name for name in self.axes if name not in (*self.down, *self.across))
        self.better = direction(report.metric) or 1
        self.cells: dict[tuple[_Levels, _Levels], list[Row]] = {}
        self.outside = 0
        for row in report.rows:
            if not row.variant.levels:
                self.outside += 1
                continue
            self.cells.setdefault((self._at(row, self.down), self._at(row, self.across)), []).append(row)
        self.told = self._published()
        self.any_own = any(row.value is not None for rows in self.cells.values() for row in rows)

    @staticmethod
    def _at(row: Row, axes: Sequence[str]) -> _Levels:
        return tuple(row.variant.levels[name] for name in axes)

    def _published(self) -> dict[tuple[_Levels, _Levels], Reference]:
        """One published value a cell. Where sources have several kinds, all are of the kind that fills most cells."""
        found: dict[tuple[str, str], dict[tuple[_Levels, _Levels], Reference]] = {}
        for at, rows in self.cells.items():
            for reference in (one for row in rows for one in row.variant.references):
                if reference.metric == self.report.metric and reference.value is not None:
                    known = found.setdefault((reference.kind, reference.label), {})
                    if at not in known or (reference.value - (known[at].value or 0)) * self.better > 0:
                        known[at] = reference
        return max(found.values(), key=len, default={})

    def best(self, values: Iterable[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return max(known, key=lambda value: value * self.better, default=None)

    def drawn(self, show: str) -> Heat:
        downs, acrosses = self._levels(self.down), self._levels(self.across)
        rows = []
        for down in downs:
            cells = {across: self._place(down, across, show) for across in acrosses}
            rows.append(
                HeatRow(
                    self._labels(self.down, down),
                    down,
                    tuple(cells.values()),
                    self._side(cells, show),
                    self._told_side(down) if show == PUBLISHED else None,
                )
            )
        relatives = [abs(one.relative) for row in rows for one in row.cells if one.relative is not None]
        return Heat(
            self.down, self.across, self.over,
            tuple(self._labels(self.across, across) for across in acrosses),
            tuple(rows), show, self.report.metric, self.report.split if show != PUBLISHED else "",
            self.better, self._side_title(), max(relatives, default=0.0), tuple(self._notes(show)),
        )  # fmt: skip

    def _levels(self, names: Sequence[str]) -> list[_Levels]:
        """In the order of the axes, those only that any variant has."""
        used = {at[0] if names is self.down else at[1] for at in self.cells}
        found = product(*([level.name for level in self.axes[name].levels] for name in names))
        return [levels for levels in found if levels in used]

    def _labels(self, names: Sequence[str], levels: _Levels) -> tuple[str, ...]:
        return tuple(_label(self.axes[name], level) for name, level in zip(names, levels, strict=True))

    def _value(self, at: tuple[_Levels, _Levels], show: str) -> float | None:
        own = self.best(row.value.mean if row.value else None for row in self.cells.get(at, ()))
        told = self.told[at].value if at in self.told else None
        if show == DIFFERENCE:
            return None if own is None or told is None else own - told
        return own if show == OWN else told

    def _place(self, down: _Levels, across: _Levels, show: str) -> HeatCell:
        at = (down, across)
        rows = self.cells.get(at, [])
        measured = [row for row in rows if row.value is not None]
        own = self._value(at, OWN)
        chosen = next((row for row in measured if row.value is not None and row.value.mean == own), None)
        value, base = self._value(at, show), self._base(down, across)
        reference = self._value(base, show)
        relative = value if show == DIFFERENCE else _less(value, reference)
        return HeatCell(
            across,
            self._text(at, value, show, rows),
            value,
            relative,
            own,
            self._value(at, PUBLISHED),
            chosen.variant.name if chosen else "",
            chosen.value.n if chosen and chosen.value else 0,
            len(rows),
            len(rows) - len(measured),
            base == at and show != DIFFERENCE,
            bool(chosen and chosen.stands_out and show == OWN),
        )

    def _base(self, down: _Levels, across: _Levels) -> tuple[_Levels, _Levels]:
        """The cell that colours of a row are relative to. Axes that relative_to does not name keep their level, but
        without any relative_to it is the first cell across."""
        told: Mapping[str, str] = self.report.planned.study.report.relative_to
        if not told:
            told = {name: self.axes[name].levels[0].name for name in self.across}
        return (
            tuple(told.get(name, level) for name, level in zip(self.down, down, strict=True)),
            tuple(told.get(name, level) for name, level in zip(self.across, across, strict=True)),
        )

    def _text(self, at: tuple[_Levels, _Levels], value: float | None, show: str, rows: Sequence[Row]) -> str:
        if value is None:
            return state_of(rows) if show == OWN and rows else "–"
        if show == PUBLISHED:
            return text_of(self.told[at])
        if self.report.metric == "loss":
            shown = display.number(abs(value), 3)
        else:
            shown = display.percent(abs(value), 1)
        sign = "-" if value < 0 else "+" if show == DIFFERENCE and float(shown) else ""
        partly = "*" if show != PUBLISHED and any(row.value is None for row in rows) else ""
        return f"{sign if float(shown) else ''}{shown}{partly}"

    def _side(self, cells: Mapping[_Levels, HeatCell], show: str) -> float | None:
        """Best of the last level less best of the first: of own values, of published ones, or their difference."""
        name = self.report.planned.study.report.side
        if not name or name not in self.across:
            return None
        if show == DIFFERENCE:
            return _less(self._side(cells, OWN), self._side(cells, PUBLISHED))
        first, last = self.axes[name].levels[0].name, self.axes[name].levels[-1].name
        at = self.across.index(name)

        def best(level: str) -> float | None:
            found = [cell for across, cell in cells.items() if across[at] == level]
            return self.best(cell.own if show == OWN else cell.published for cell in found)

        return _less(best(last), best(first))

    def _told_side(self, down: _Levels) -> float | None:
        """What the source itself says, where it says one thing of the whole row."""
        if not self.report.planned.study.report.side:
            return None
        rows = [row for at, several in self.cells.items() if at[0] == down for row in several]
        told = {one.value for row in rows for one in row.variant.references if one.metric == "gain"}
        return told.pop() if len(told) == 1 else None

    def _side_title(self) -> str:
        name = self.report.planned.study.report.side
        levels = self.axes[name].levels if name else ()
        return f"{name}: {levels[-1].name} − {levels[0].name}" if levels and name in self.across else ""

    def _notes(self, show: str) -> Iterable[str]:
        study, told = self.report.planned.study, self.report.planned.study.report.relative_to
        if show == DIFFERENCE:
            yield "cells and colours are own values less published ones"
        else:
            names = told or {name: self.axes[name].levels[0].name for name in self.across}
            inside = {name: level for name, level in names.items() if name not in self.over}
            cell = ", ".join(_label(self.axes[name], level) for name, level in inside.items())
            yield f"colours and signs are relative to the cell {cell} of the same row"
        if ignored := [name for name in told if name in self.over]:
            yield f"relative_to names {', '.join(ignored)}, over which the best is taken, and that has no effect"
        if self.over:
            axes = "; ".join(
                f"{axis.title} {', '.join(level.label or level.name for level in axis.levels)}"
                for axis in (self.axes[name] for name in self.over)
            )
            yield f"a cell is the best over {axes}" + ("" if show == PUBLISHED else "; the best of several flatters")
        if side := study.report.side:
            axis = self.axes[side]
            last, first = (_label(axis, axis.levels[n].name) for n in (-1, 0))
            column = f"the column at the side is the best with {last} less the best with {first}"
            yield column + (", own less published" if show == DIFFERENCE else "")
        if show != PUBLISHED:
            yield from self._about_own()
        if show != OWN and self.told:
            told_by = dict.fromkeys(document_of(one.source) for one in self.told.values())
            yield f"published: {'; '.join(told_by)}"
        if self.outside:
            yield f"{self.outside} variant{'s are' if self.outside > 1 else ' is'} outside the grid and not shown"

    def _about_own(self) -> Iterable[str]:
        if any(0 < sum(row.value is None for row in rows) < len(rows) for rows in self.cells.values()):
            yield "*: not all variants of the cell have a result"
        states = {state_of(rows) for rows in self.cells.values() if all(row.value is None for row in rows)}
        if signs := [f"{sign} {what}" for sign, what in _SIGNS.items() if sign in states]:
            yield f"without a value: {', '.join(signs)}"
        errors = [row.error for rows in self.cells.values() for row in rows if row.error is not None]
        if errors and (error := combined(median(errors), median(errors))):
            yield (
                "two cells of one seed each differ by chance: the evaluation images alone make a standard error of "
                f"about {error:.2g} points"
            )


_SIGNS: Final = {
    "–": MISSING, "NaN": "diverged", **{display.GLYPHS[name]: name for name in
    ("running", "starting", "queued", "stopped", "failed", "lost")},
}  # fmt: skip


def state_of(rows: Sequence[Row]) -> str:
    """A sign for what most of the runs of a cell without a value are."""
    counts = Counter(cell.status for row in rows for cell in row.cells if cell.value is None)
    if not counts:
        return "–"
    status = counts.most_common(1)[0][0]
    return "NaN" if status == "diverged" else display.GLYPHS.get(status, "–")


def layout(study: Study) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Axes down and across. Of two axes, those that [report] leaves open: the first down, the second across."""
    rows, columns = tuple(study.report.rows), tuple(study.report.columns)
    if rows and columns:
        return rows, columns
    names = [axis.name for axis in study.axis]
    rows = rows or tuple(name for name in names if name not in columns)[:1]
    columns = columns or tuple(name for name in names if name not in rows)[:1]
    return rows, columns


def _label(axis: Axis, name: str) -> str:
    return next((level.label or level.name for level in axis.levels if level.name == name), name)


def _less(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other
