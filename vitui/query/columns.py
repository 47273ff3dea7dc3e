"""Columns of the table of runs: which, in what order, how wide, and which of them a window shows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vitui.query.fields import ANY, Field, Fields
from vitui.query.run_fields import RUN_FIELDS

GAP = 1
MARK_WIDTH = 2
FIXED = 2
"""Columns at the left that stay where they are when the others are scrolled."""
ROOMY = 80
"""Cells of a window from which on names get some of what is more, rather than another column."""
LEAST_WIDTH, MOST_WIDTH = 3, 200
MOST_COLUMNS = 100
MEAN_WIDTH = 11
"""Cells for a mean with its deviation, ``91.20±0.31``, in a list of groups."""


@dataclass(frozen=True, slots=True)
class Column:
    """A field in a table. `width`: cells as set by hand; None: the field's own, more where there is room."""

    field: Field
    width: int | None = None

    @property
    def key(self) -> str:
        return self.field.key

    @property
    def title(self) -> str:
        return self.field.title

    def least(self, grouped: bool = False) -> int:
        """Cells it needs. `grouped`: it shows means with deviations."""
        if self.width is not None:
            return self.width
        return max(self.field.width, MEAN_WIDTH if grouped and self.field.counts else 0)


@dataclass(frozen=True, slots=True)
class Placed:
    """A column on the screen: at cell `x`, `width` cells wide."""

    column: Column
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table, left to right; each field at most once."""

    items: tuple[Column, ...]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.items)

    @property
    def keys(self) -> list[str]:
        return [column.key for column in self.items]

    @property
    def outside(self) -> tuple[Field, ...]:
        """Fields whose values must be asked for."""
        return tuple(column.field for column in self.items if column.field.outside)

    def chosen(self, keys: Iterable[str], fields: Fields = ANY) -> Columns:
        """Columns for these names, in this order, keeping widths set by hand. Raises UsageError for an unknown one.

        One that is there already may stay when no run has its field any more.
        """
        widths = {column.key: column.width for column in self.items}
        have = {column.key: column.field for column in self.items}
        wanted = dict.fromkeys(have.get(key) or fields.get(key) for key in keys)
        return Columns(tuple(Column(field, widths.get(field.key)) for field in wanted)[:MOST_COLUMNS])

    def with_fields(self, added: Iterable[Field]) -> Columns:
        """With these at the right end, as far as they are not shown already."""
        have = set(self.keys)
        return Columns((*self.items, *(Column(field) for field in added if field.key not in have))[:MOST_COLUMNS])

    def resized(self, key: str, width: int | None) -> Columns:
        """With the width of one column set by hand (3 to 200 cells), or None for its own."""
        cells = _bounded_width(width)
        return Columns(tuple(replace(c, width=cells) if c.key == key else c for c in self.items))

    def index(self, key: str) -> int | None:
        return next((i for i, column in enumerate(self.items) if column.key == key), None)

    def as_json(self) -> list[list[Any]]:
        """Plain data: [[key, width or null], ...]."""
        return [[column.key, column.width] for column in self.items]

    @staticmethod
    def from_json(data: object, fields: Fields = ANY) -> Columns:
        """From what `as_json` gave. Whatever is damaged or no longer known is left out; DEFAULT if nothing is left."""
        found: dict[str, Column] = {}
        for entry in data if isinstance(data, list) else ():
            key, width = entry if isinstance(entry, list) and len(entry) == 2 else (entry, None)
            field = fields.find(key) if isinstance(key, str) else None
            if field is not None and field.key not in found:
                cells = width if isinstance(width, int) and not isinstance(width, bool) else None
                found[field.key] = Column(field, _bounded_width(cells))
        return Columns(tuple(found.values())[:MOST_COLUMNS]) if found else DEFAULT


DEFAULT = Columns(tuple(
    Column(RUN_FIELDS[key])
    for key in ("state", "name", "epoch", "last", "best", "test", "ref", "eta", "preset", "age", "dataset", "model",
                "speed", "device", "id")
))  # fmt: skip


def layout(columns: Columns, width: int, first: int = 0, *, grouped: bool = False) -> list[Placed]:
    """The columns that a window of `width` cells shows: the fixed ones, then those from number `first` on that fit.

    `first` counts the columns that are not fixed. Where all fit, whatever room is left goes to those that can use it.
    """
    fixed, rest = columns.items[:FIXED], columns.items[FIXED:]
    shown = [*_fitting(fixed, width - MARK_WIDTH, grouped)]
    if len(shown) == len(fixed):
        left = width - MARK_WIDTH - _needed(shown, grouped) - _reserved(shown, width) - GAP
        shown += _fitting(rest[_bounded(first, rest) :], left, grouped)
    if not shown and columns.items:
        shown = [columns.items[0]]
    widths = [column.least(grouped) for column in shown]
    if len(shown) == 1:
        widths[0] = max(1, min(widths[0], width - MARK_WIDTH))
    spare = max(0, width - MARK_WIDTH - sum(widths) - GAP * (len(widths) - 1))
    for index, column in enumerate(shown):
        if column.width is None and column.field.grow > widths[index]:
            extra = min(spare, column.field.grow - widths[index])
            widths[index] += extra
            spare -= extra
    out, x = [], MARK_WIDTH
    for column, cells in zip(shown, widths, strict=True):
        out.append(Placed(column, x, cells))
        x += cells + GAP
    return out


def _bounded_width(width: int | None) -> int | None:
    return None if width is None else min(max(width, LEAST_WIDTH), MOST_WIDTH)


def _bounded(first: int, rest: Sequence[Column]) -> int:
    return min(max(first, 0), max(0, len(rest) - 1))


def _needed(columns: Sequence[Column], grouped: bool) -> int:
    return sum(column.least(grouped) for column in columns) + GAP * max(0, len(columns) - 1)


def _reserved(fixed: Sequence[Column], width: int) -> int:
    """Cells kept for the fixed columns (names) before the last ones of the others are shown: some of a wide window."""
    use = sum(max(0, column.field.grow - column.field.width) for column in fixed if column.width is None)
    return min(use, max(0, width - ROOMY) // 5)


def _fitting(columns: Sequence[Column], width: int, grouped: bool) -> list[Column]:
    out: list[Column] = []
    for column in columns:
        needed = column.least(grouped) + (GAP if out else 0)
        if needed > width:
            break
        out.append(column)
        width -= needed
    return out


def scrolled_to(columns: Columns, key: str, width: int, first: int, *, grouped: bool = False) -> int:
    """The `first` nearest to the present one with which the column `key` can be seen."""
    index = columns.index(key)
    if index is None or index < FIXED:
        return first
    position = index - FIXED
    if position <= first:
        return position
    while first < position and all(p.column.key != key for p in layout(columns, width, first, grouped=grouped)):
        first += 1
    return first


def last_first(columns: Columns, width: int, *, grouped: bool = False) -> int:
    """The largest `first` that makes sense: with it the last column can just be seen."""
    return scrolled_to(columns, columns.items[-1].key, width, 0, grouped=grouped) if columns.items else 0
