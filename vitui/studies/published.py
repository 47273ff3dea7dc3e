"""What others reported for the variants of a study, laid out as a table: plain data, for any format to walk. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Final, TypeAlias

from engine.recipe.metrics import JUDGED, METRICS
from vitui.references import text_of, title_of, unit_of

if TYPE_CHECKING:
    from engine.recipe import Reference
    from vitui.studies.definition import Axis, Study
    from vitui.studies.variants import Variant

_Key: TypeAlias = tuple[str, str, str]
"""Metric, kind, label."""
_Place: TypeAlias = tuple[Hashable, ...]
"""Names of levels; of a row outside the grid, its number."""
KINDS: Final = ("published", "reproduction", "measured", "draft")
"""Order of columns of one metric."""


@dataclass(frozen=True, slots=True)
class Told:
    """A variant and what was reported for it. `levels`: axis name -> level name, empty outside a grid."""

    label: str
    references: tuple[Reference, ...]
    levels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PublishedColumn:
    """One kind of value. `unit` is what texts of its cells leave out; `levels`: labels of the axes across."""

    metric: str
    kind: str
    label: str = ""
    levels: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """``top-1 (reproduction, second run)``."""
        return f"{title_of(self.metric)} ({', '.join(word for word in (self.kind, self.label) if word)})"

    @property
    def heading(self) -> str:
        """The title behind what is across: ``CIFAR-10, LN: top-1 (published)``."""
        return f"{', '.join(self.levels)}: {self.title}" if self.levels else self.title

    @property
    def unit(self) -> str:
        return unit_of(self.metric)

    @property
    def judged(self) -> bool:
        """Whether its values are results, and not parameters, speed and the like."""
        return self.metric in JUDGED


@dataclass(frozen=True, slots=True)
class PublishedCell:
    """A reported value as its source writes it, or what happened instead (`value` is None then), and who says so."""

    text: str
    value: float | None = None
    source: str = ""


NOTHING: Final = PublishedCell("–")
"""Nobody reported anything."""


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One variant, or in a pivot all variants with the same `levels` (labels of the axes down)."""

    label: str
    cells: tuple[PublishedCell, ...]
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """Rows with a cell for each column; `down` and `across` are titles of the axes of a pivot."""

    columns: tuple[PublishedColumn, ...]
    rows: tuple[PublishedRow, ...]
    down: tuple[str, ...] = ()
    across: tuple[str, ...] = ()


def published(study: Study, variants: Sequence[Variant]) -> PublishedTable:
    """What others reported for a study: a pivot where its [report] has rows or columns, else a row for each variant."""
    rows = [Told(variant.label, variant.references, variant.levels) for variant in variants]
    axes = {axis.name: axis for axis in study.axis}
    down, across = ([axes[name] for name in names] for names in (study.report.rows, study.report.columns))
    return pivot(rows, down, across) if down or across else table(rows)


def table(rows: Sequence[Told]) -> PublishedTable:
    """A row for each of `rows`, a column for each kind, metric and label that any of them has.

    Results come first, by metric, then kind (published, reproduction, measured, draft), then label as they appear;
    then all else likewise.
    """
    keys = _ordered(reference for row in rows for reference in row.references)
    columns = tuple(PublishedColumn(*key) for key in keys)
    return PublishedTable(
        columns,
        tuple(
            PublishedRow(row.label, tuple(_cell([r for r in row.references if _key(r) == key]) for key in keys))
            for row in rows
        ),
    )


def pivot(rows: Sequence[Told], down: Sequence[Axis], across: Sequence[Axis]) -> PublishedTable:
    """A row for each combination of levels of the axes `down`, and of each column one for every level `across`.

    What is no result and does not change with the axes across (parameters) has one column, after the others. Along axes
    in neither, equal values are one and unlike ones stand in one cell. Rows outside the grid come last.
    """
    told: dict[tuple[_Place, _Place, _Key], list[Reference]] = {}
    labels: dict[_Place, tuple[str, tuple[str, ...]]] = {
        levels: (", ".join(names), names) for levels, names in _combinations(down)
    }
    used: set[_Place] = set()
    for number, row in enumerate(rows):
        inside = all(axis.name in row.levels for axis in (*down, *across))
        at = tuple(row.levels[axis.name] for axis in down) if inside else (number,)
        over = tuple(row.levels[axis.name] for axis in across) if inside else ()
        used.add(at)
        if not inside:
            labels[at] = row.label, ()
        for reference in row.references:
            told.setdefault((at, over, _key(reference)), []).append(reference)
    keys = _ordered(reference for row in rows for reference in row.references)
    fixed = {key for key in keys if key[0] not in JUDGED and _unchanging(told, key)}
    places: dict[_Place, tuple[str, ...]] = {**dict(_combinations(across)), (): ()}
    spread = [key for key in keys if key not in fixed]
    judged, costs = ([key for key in spread if (key[0] in JUDGED) is wanted] for wanted in (True, False))
    wanted = [(over, key) for over in places for key in judged] + [(over, key) for key in costs for over in places]
    present = {(over, key) for _, over, key in told}
    columns = [pair for pair in wanted if pair in present]

    def cells(at: _Place) -> Iterable[PublishedCell]:
        for over, key in columns:
            yield _cell(told.get((at, over, key), ()))
        for key in keys:
            if key in fixed:
                yield _cell([r for over in places for r in told.get((at, over, key), ())])

    return PublishedTable(
        (
            *(PublishedColumn(*key, places[over]) for over, key in columns),
            *(PublishedColumn(*key) for key in keys if key in fixed),
        ),
        tuple(PublishedRow(label, tuple(cells(at)), names) for at, (label, names) in labels.items() if at in used),
        tuple(axis.title for axis in down),
        tuple(axis.title for axis in across),
    )


def _key(reference: Reference) -> _Key:
    return reference.metric, reference.kind, reference.label


def _ordered(references: Iterable[Reference]) -> list[_Key]:
    metrics = list(METRICS)
    seen = dict.fromkeys(_key(reference) for reference in references)
    appeared = {label: place for place, label in enumerate(dict.fromkeys(("", *(label for *_, label in seen))))}
    return sorted(seen, key=lambda key: (metrics.index(key[0]), KINDS.index(key[1]), appeared[key[2]]))


def _combinations(axes: Sequence[Axis]) -> Iterable[tuple[_Place, tuple[str, ...]]]:
    """Names and labels of the levels of each combination, in the order of the axes."""
    for levels in product(*(axis.levels for axis in axes)):
        yield tuple(level.name for level in levels), tuple(level.label or level.name for level in levels)


def _unchanging(told: Mapping[tuple[_Place, _Place, _Key], Sequence[Reference]], key: _Key) -> bool:
    """Whether each row has one value of it, wherever across it stands."""
    values: dict[_Place, set[str]] = {}
    for (at, _, own), references in told.items():
        if own == key:
            values.setdefault(at, set()).update(map(text_of, references))
    return all(len(texts) == 1 for texts in values.values())


def _cell(references: Sequence[Reference]) -> PublishedCell:
    if not references:
        return NOTHING
    texts = dict.fromkeys(map(text_of, references))
    sources = dict.fromkeys(reference.source for reference in references)
    value = next((reference.value for reference in references if reference.value is not None), None)
    return PublishedCell(" / ".join(texts), value, "; ".join(sources))
