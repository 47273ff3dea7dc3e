"""The lines of the scoreboard: columns, cells, order, and the same as a table to copy. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rich.style import Style

from vitui.studies.formats.scoreboard import as_csv, document, reproduced, text
from vitui.text import safe
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Part
from vitui.tui.widgets.lines import Line
from vitui.tui.widgets.table import Column, widest

if TYPE_CHECKING:
    from vitui.studies.scoreboard import Score

COLUMNS: Final = (
    Column("preset", "preset", 20, 60, False),
    Column("published", "published", 10, 20, about="as its source writes it"),
    Column("mean", "mean ± std", 14, about="over the finished runs of the recipe, with any seed"),
    Column("gap", "gap", 14, about="mean less published ± its standard error"),
    Column("verdict", "verdict", 20, 60, False, about="whether that is inside the tolerance of the published value"),
    Column("best", "best", 7, about="the best of the runs"),
    Column("n", "n", 6, about="runs with a result, of all of them"),
    Column("device", "device", 10, 20, False, about="what they ran on"),
    Column("selects", "selects", 9, 16, False, about="the split that picked their epoch"),
    Column("family", "family", 10, 16, False),
    Column("metric", "metric", 14, 20, False, about="metric and split of the published value"),
    Column("source", "source", 24, 80, False),
)
NARROW: Final = 14
"""Cells of a verdict where there is little room: its sign and how much."""
OWN: Final = frozenset({"mean", "gap", "verdict", "best", "n", "device", "selects"})
"""Columns about runs: of no use where nothing has been run."""


def columns(scores: Sequence[Score], *, wide: bool) -> list[Column]:
    """Those that say something of any of these."""
    head, *rest = COLUMNS
    found = [replace(head, width=widest([one.name for one in scores], 18, 40 if wide else 20), most=70)]
    for column in rest:
        texts = [text(one, column.key) for one in scores]
        if column.key not in OWN or any(texts):
            most = column.width if wide or column.key != "verdict" else NARROW
            found.append(replace(column, width=widest(texts, len(column.title) + 1, most)))
    return found


def draw(one: Score, key: str, p: Palette) -> Part:
    """A cell in its tone; nothing is bold, every line is judged by its own published value."""
    plain: dict[str, Style] = {"preset": p.text, "published": p.text, "mean": p.text, "best": p.text, "n": p.text}
    style = plain.get(key, p.dim)
    if key in ("gap", "verdict"):
        tones = {"within": p.good, "as reported": p.good, "better": p.text, "worse": p.warn, "not as reported": p.warn}
        style = tones.get(one.verdict, p.dim)
    return text(one, key), style


def ordered(scores: Sequence[Score], key: str, *, reverse: bool) -> list[Score]:
    """By a column, numbers from the largest on; those that say nothing of it last."""
    numbers: Mapping[str, Callable[[Score], float | None]] = {
        "published": lambda one: one.published,
        "mean": lambda one: one.value.mean if one.value else None,
        "gap": lambda one: one.gap,
        "best": lambda one: one.best,
        "n": lambda one: one.runs or None,
    }
    if (get := numbers.get(key)) is None:
        return sorted(scores, key=lambda one: text(one, key).casefold(), reverse=reverse)
    known = [(value, one) for one in scores if (value := get(one)) is not None]
    known.sort(key=lambda pair: pair[0], reverse=not reverse)
    return [*(one for _, one in known), *(one for one in scores if get(one) is None)]


def falls(key: str) -> bool:
    """Whether the largest comes first in a column at first."""
    return key in ("published", "mean", "gap", "best", "n")


def summary(scores: Sequence[Score]) -> str:
    """``3 of 5 with a result are within tolerance``."""
    inside, done = reproduced(scores)
    return f"{inside} of {done} with a result are within tolerance" if done else "none has a result yet"


def about(one: Score, p: Palette) -> tuple[list[Part], list[Part]]:
    """Two lines: what it is and how it went; where the published value is from."""
    verdict = text(one, "verdict") or "no runs here"
    above = [(safe(one.name, 60), p.text), ("  ", p.dim), (safe(verdict, 200), draw(one, "verdict", p)[1])]
    tolerance = f" ± {one.tolerance:g}" if one.tolerance else ""
    told = f"{one.kind} {one.published_text}{tolerance} {text(one, 'metric')}  {one.source}"
    return above, [(safe(told, 300), p.dim)]


def page(one: Score, width: int, p: Palette) -> list[Line]:
    """Everything known of it."""
    from vitui.tui.screens.study_words import paragraph

    lines = paragraph(one.title or one.name, width, p.strong)
    facts = [(column.title, text(one, column.key)) for column in COLUMNS[1:]]
    facts += [("tolerance", f"{one.tolerance:g}" if one.tolerance else ""), ("best run", one.best_run)]
    facts += [("fields", " ".join(one.sets)), *(("also", line) for line in one.also)]
    for name, told in facts:
        if told:
            first, *rest = paragraph(told, width - 12, p.text) or [[]]
            lines.append([(name.ljust(12), p.dim), *first])
            lines += [[(" " * 12, p.dim), *line] for line in rest]
    return lines


def as_format(scores: Sequence[Score], kind: str) -> str:
    """What is shown as "md", "csv", "latex" or "table" (aligned text)."""
    if kind == "csv":
        return as_csv(scores)
    return document(scores, kind, {column.key: column.title for column in columns(scores, wide=True)})
