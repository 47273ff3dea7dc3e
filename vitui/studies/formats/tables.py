"""Tables as all formats of a study write them: heads, and rows of short texts of which few are bold. Plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Head:
    """A column. `left`: words rather than numbers; `wide`: sentences, which may be broken; `groups`: titles that it
    shares with its neighbours, the outermost first."""

    key: str
    title: str
    left: bool = False
    wide: bool = False
    groups: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        """Its title with those of its groups, for formats that have one line of heads."""
        return " / ".join(part for part in (*self.groups, self.title) if part)


@dataclass(frozen=True, slots=True)
class Entry:
    """A cell. Any text; formats make it safe."""

    text: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with an entry for each head. `key` names it in labels; `notes` are sentences about it."""

    key: str
    title: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Entry, ...], ...]
    notes: tuple[str, ...] = ()

    @property
    def levels(self) -> int:
        """Lines of groups above the titles."""
        return max((len(head.groups) for head in self.heads), default=0)

    def group_spans(self, level: int) -> list[tuple[str, int]]:
        """Titles of the groups of a level, each with how many columns it spans; columns without one have an empty one.

        A group ends where an outer one does.
        """
        told = [head.groups[: level + 1] if len(head.groups) > level else () for head in self.heads]
        spans = []
        for groups, same in groupby(enumerate(told), key=lambda pair: pair[1] or pair[0]):
            spans.append((groups[-1] if isinstance(groups, tuple) else "", len(list(same))))
        return spans

    def beside(self, other: Table) -> Table:
        """With the columns of another table of the same rows."""
        rows = tuple((*row, *more) for row, more in zip(self.rows, other.rows, strict=True))
        return replace(self, heads=(*self.heads, *other.heads), rows=rows)

    def only(self, keys: Sequence[str]) -> Table:
        """With the columns that have one of these keys."""
        chosen = [n for n, head in enumerate(self.heads) if head.key in keys]
        return replace(
            self,
            heads=tuple(self.heads[n] for n in chosen),
            rows=tuple(tuple(row[n] for n in chosen) for row in self.rows),
        )

    def without(self, keys: Sequence[str]) -> Table:
        """Without the columns that have one of these keys."""
        return self.only([head.key for head in self.heads if head.key not in keys])
