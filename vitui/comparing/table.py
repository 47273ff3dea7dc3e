"""A comparison as plain data: columns are runs, rows are what they are compared in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from vitui.display import GLYPHS

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LEAST, MOST = 2, 20
"""So many runs can be compared."""

SIGNS = {"better": "▲", "worse": "▼", "same": "=", "noise": "≈"}
"""A sign for each verdict."""


@dataclass(frozen=True, slots=True)
class Column:
    """One run. `label` is its name, with the end of its id where another one has the same; any text."""

    id: str
    name: str
    label: str
    letter: str
    state: str

    @property
    def shown_state(self) -> str:
        return f"{GLYPHS.get(self.state, '')} {self.state}".strip()


@dataclass(frozen=True, slots=True)
class Cell:
    """What a row says of a run. `text` is for people, `value` (with its standard `error`) for programs.

    `verdict`: "better", "worse", "same", "noise" (it may be chance) or nothing. `stands_out`: better than every other
    run by more than could be noise. `note`: what the text left out.
    """

    text: str
    value: Any = None
    error: float | None = None
    verdict: str = ""
    stands_out: bool = False
    note: str = ""


NOTHING = Cell("–")


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `differs`: the runs do not all say the same. `deltas`: differences to the baseline, or nothing."""

    key: str
    title: str
    cells: tuple[Cell, ...]
    differs: bool = False
    unit: str = ""
    help: str = ""
    deltas: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence about the whole. `unfair`: a reason why the results do not show what they seem to."""

    text: str
    unfair: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under a title."""

    key: str
    title: str
    rows: tuple[Row, ...]
    empty: str = ""


@dataclass(frozen=True)
class Comparison:
    """Runs beside each other. `baseline`: index of the run that differences are to; `fields`: the whole recipe."""

    columns: tuple[Column, ...]
    baseline: int
    results: tuple[Row, ...] = ()
    fields: tuple[Row, ...] = ()
    environment: tuple[Row, ...] = ()
    notes: tuple[Note, ...] = field(default=())

    @property
    def unfair(self) -> list[str]:
        """Why the runs cannot be compared as they are."""
        return [note.text for note in self.notes if note.unfair]

    def sections(self, all_fields: bool = False) -> list[Section]:
        """What differs in the recipe, results, environment, and with `all_fields` the rest of the recipe."""
        differing = tuple(row for row in self.fields if row.differs)
        rest = tuple(row for row in self.fields if not row.differs)
        none = "nothing: the same recipe" if self.fields else "no recipe could be read"
        found = [
            Section("fields", "what differs in the recipe", differing, none if len(self.columns) > 1 else "one run"),
            Section("results", "results", self.results),
            Section(
                "environment",
                "environment" if all_fields else "what differs in the environment",
                self.environment if all_fields else tuple(row for row in self.environment if row.differs),
                "nothing",
            ),
        ]
        return [*found, Section("other fields", "the rest of the recipe", rest, "nothing")] if all_fields else found


def lettered(letters: Sequence[str], texts: Sequence[str]) -> str:
    """Which runs say what: ``A, C digits; B cifar10``."""
    groups = dict[str, list[str]]()
    for letter, text in zip(letters, texts, strict=True):
        groups.setdefault(text, []).append(letter)
    return "; ".join(f"{', '.join(who)} {text}" for text, who in groups.items())
