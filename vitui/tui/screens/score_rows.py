"""The lines of the scoreboard: columns, cells, order, and the same as a table to copy. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rich.style import Style

from vitui import display
from vitui.studies.formats.latex import document
from vitui.studies.formats.markdown import piped
from vitui.studies.formats.tables import Entry, Head
from vitui.studies.formats.tables import Table as Told
from vitui.studies.formats.text import aligned
from vitui.text import safe
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Part
from vitui.tui.widgets.lines import Line
from vitui.tui.widgets.table import Column, widest

if TYPE_CHECKING:
    from vitui.studies.scoreboard import Score

SIGNS: Final = {"within": "=", "better": "▲", "worse": "▼", "as reported": "=", "not as reported": "≠", "": ""}
NOTES: Final = (
    "mean ± standard deviation over seeds; gap: mean less published ± standard error of the mean, of one run the "
    "binomial one of the evaluation images",
    "† the epoch was picked on the split that is reported, which flatters",
)
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


def text(one: Score, key: str) -> str:
    """A cell as plain text."""
    value = one.value
    match key:
        case "preset":
            return one.name
        case "published":
            return one.published_text
        case "mean" if value is not None:
            spread = f" ± {value.deviation:.2f}" if value.deviation is not None else ""
            return f"{display.percent(value.mean)}{spread}{one.mark}"
        case "gap" if one.gap is not None:
            return f"{one.gap + 0.0:+.2f}" + (f" ± {one.error:.2f}" if one.error is not None else "")
        case "verdict":
            return f"{SIGNS[one.verdict]} {one.words}".strip()
        case "best" if one.best is not None:
            return display.percent(one.best)
        case "n" if one.runs:
            return f"{value.n if value else 0}/{one.runs}" if value is None or value.n < one.runs else str(value.n)
        case "device":
            return ", ".join(display.short_device(device) for device in one.devices)
        case "selects":
            return ", ".join(one.selected_on)
        case "family":
            return one.family
        case "metric":
            return f"{one.metric} on {one.split or 'test'}"
        case "source":
            return ("" if one.kind == "published" else f"{one.kind}: ") + one.source
    return ""


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
    """``3 of 5 published results with runs here are within tolerance``."""
    done = [one for one in scores if one.has_result]
    inside = sum(1 for one in done if one.within or one.verdict == "as reported")
    return f"{inside} of {len(done)} with a result are within tolerance" if done else "none has a result yet"


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
    import csv
    import io

    kept = columns(scores, wide=True)
    if kind == "csv":
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([column.key for column in kept])
        writer.writerows([text(one, column.key) for column in kept] for one in scores)
        return out.getvalue()
    heads = tuple(
        Head(column.key, column.title, left=not column.right, wide=column.key in ("verdict", "source"))
        for column in kept
    )
    rows = tuple(tuple(Entry(text(one, column.key)) for column in kept) for one in scores)
    table = Told("scoreboard", "Published results and own ones", heads, rows, NOTES)
    if kind == "latex":
        return document([table], "scoreboard", "Reproductions")
    return (piped(table) if kind == "md" else f"{aligned(table)}") + "\n"
