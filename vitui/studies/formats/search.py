"""Accuracy against compute and simulated random search, in every form that is printed or pasted.

`TRADEOFF_FORMATS` has the forms. What is drawn is `band` (random search) or `compute` (every run, with frontiers); the
pictures are `search_plots` (text) and `search_svg`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from vitui import display
from vitui.escaping import html, json_value
from vitui.escaping import markdown as escaped
from vitui.references import title_of
from vitui.studies.formats.csv import written
from vitui.studies.formats.html import html_table
from vitui.studies.formats.json import document
from vitui.studies.formats.latex import document as latex_document
from vitui.studies.formats.markdown import piped
from vitui.studies.formats.page import page
from vitui.studies.formats.search_svg import svg
from vitui.studies.formats.tables import Entry, Head, Table
from vitui.studies.formats.text import aligned
from vitui.studies.search import Band, budgets_of
from vitui.text import cell_width, safe, wrapped

if TYPE_CHECKING:
    from vitui.studies.compute import Tradeoff

BAND, COMPUTE = "search", "compute"
"""What is shown: random search with its band, or every run with the frontiers."""
KINDS: Final = {BAND: "Random search with a budget", COMPUTE: "Accuracy against compute"}
UNFAIR: Final = ' class="unfair"'
ROWS: Final = 8
"""Budgets that the table of bands has, at equal ratios."""


def heading(found: Tradeoff) -> str:
    """``top-1 on test, %``."""
    title = title_of(found.metric) + (f" on {found.split}" if found.split else "")
    return f"{title}, {found.unit}" if found.unit else title


def amount(found: Tradeoff, value: float | None) -> str:
    """A value of the metric without its unit."""
    return display.percent(value) if found.unit == "%" else display.number(value)


# -- tables ------------------------------------------------------------------------------------------------------


def tables(found: Tradeoff, kind: str = BAND) -> list[Table]:
    """What there is to show: bands, or frontiers; where a sampled field is across, its points."""
    if not found.bands:
        return [_points(found)]
    return [_bands(found)] if kind == BAND else [_frontiers(found)]


def _bands(found: Tradeoff) -> Table:
    heads = [Head("budget", f"budget ({found.axis.title})", left=True)]
    for band in found.bands:
        runs = "1 run" if band.runs == 1 else f"{band.runs} runs"
        group = (f"{band.group}, {runs}",)
        heads += [Head("median", "median", groups=group), Head("band", "5th to 95th percentile", groups=group)]
    rows = [
        (Entry(found.axis.text(budget)), *(entry for band in found.bands for entry in _entries(found, band, budget)))
        for budget in budgets_of(found.points, ROWS)
    ]
    draws = max(band.draws for band in found.bands)
    note = (
        f"of {draws:,} simulated random searches, which train runs in random order until the budget is spent and keep "
        "the one that is best on the selecting split (AugReg, figure 2, right)"
    )
    return Table("search", f"Random search: {heading(found)}", tuple(heads), tuple(rows), (note,))


def _entries(found: Tradeoff, band: Band, budget: float) -> tuple[Entry, Entry]:
    low, median, high = band.at(budget)
    if high is None and low is None:
        return Entry(amount(found, median)), Entry("–")
    edges = " to ".join("none" if one is None else amount(found, one) for one in (low, high))
    return Entry(amount(found, median)), Entry(edges)


def _frontiers(found: Tradeoff) -> Table:
    heads = (
        Head("group", "runs", left=True), Head("compute", found.axis.title), Head("score", heading(found)),
        Head("variant", "variant", left=True), Head("seed", "seed"), Head("run", "run", left=True),
    )  # fmt: skip
    rows = [
        (
            Entry(front.group), Entry(found.axis.text(point.compute)), Entry(amount(found, point.score)),
            Entry(point.label), Entry(str(point.seed)), Entry(point.run),
        )
        for front in found.frontiers
        for point in front.points
    ]  # fmt: skip
    note = "runs that no cheaper run is as good as on the split that reports: the best of many, which flatters"
    return Table("compute", "Best with so much compute or less", heads, tuple(rows), (note,))


def _points(found: Tradeoff) -> Table:
    ordered = sorted(found.points, key=lambda point: point.x or 0.0)
    heads = (
        Head("x", found.axis.title), Head("score", heading(found)), Head("group", "runs", left=True),
        Head("variant", "variant", left=True), Head("seed", "seed"),
    )  # fmt: skip
    rows = [
        (
            Entry(found.axis.text(point.x or 0.0)),
            Entry("diverged" if point.score is None else amount(found, point.score)),
            Entry(point.group), Entry(point.label), Entry(str(point.seed)),
        )
        for point in ordered
    ]  # fmt: skip
    return Table("search", f"Random search over {found.axis.title}", heads, tuple(rows))


# -- forms -------------------------------------------------------------------------------------------------------


def text(found: Tradeoff, kind: str = BAND, width: int | None = None) -> str:
    """Title, what can be read off, tables, notes; a plot goes before it (`search_plots`)."""
    blocks = ["\n".join([*_broken(found.title, width), *(line for part in found.words for line in _item(part, width))])]
    blocks += ["\n".join([safe(table.title), "", aligned(table, width)]) for table in tables(found, kind)]
    said = [line for note in found.notes for line in _item(note.text, width, "!" if note.unfair else "-")]
    return "\n\n".join([*blocks, *(["\n".join(said)] if said else [])]) + "\n"


def _item(part: str, width: int | None, sign: str = "-") -> list[str]:
    return _broken(f"{sign} {part}", width, "  ")


def _broken(part: str, width: int | None, indent: str = "") -> list[str]:
    shown = safe(part)
    return [shown] if width is None or cell_width(shown) <= width else wrapped(shown, width, indent)


def markdown(found: Tradeoff, kind: str = BAND) -> str:
    """Heading, what can be read off, tables, notes."""
    out = [f"# {escaped(found.title)}"]
    if found.words:
        out.append("\n".join(f"- {escaped(part)}" for part in found.words))
    for table in tables(found, kind):
        out += [f"## {escaped(table.title)}", piped(table)]
    if found.notes:
        said = [f"- {'**not fair**: ' if note.unfair else ''}{escaped(note.text)}" for note in found.notes]
        out += ["## Notes", "\n".join(said)]
    return "\n\n".join(out) + "\n"


def as_csv(found: Tradeoff, kind: str = BAND) -> str:
    """Plain numbers: of bands a line for each group and budget, else a line for each run."""
    if kind == BAND and found.bands:
        lines = [
            [band.group, found.axis.key, *values, band.runs, band.draws]
            for band in found.bands
            for values in zip(band.budgets, band.low, band.median, band.high, strict=True)
        ]
        head = ["group", "axis", "budget", "low", "median", "high", "runs", "draws"]
        return written(head, lines)
    leading = {point.run for front in found.frontiers for point in front.points}
    head = ["group", "axis", "x", "score", "select", "variant", "label", "seed", "run", "on_frontier"]
    return written(
        head,
        [
            [
                point.group, found.axis.key, point.compute if point.x is None else point.x, point.score, point.select,
                point.variant, point.label, point.seed, point.run, point.run in leading,
            ]
            for point in found.points
        ],
    )  # fmt: skip


def latex(found: Tradeoff, kind: str = BAND) -> str:
    """The tables with the rules of booktabs; notes under the last."""
    shown = tables(found, kind)
    last = shown[-1]
    notes = tuple(f"{'Not fair: ' if note.unfair else ''}{note.text}" for note in found.notes)
    shown[-1] = Table(last.key, last.title, last.heads, last.rows, (*last.notes, *notes))
    return latex_document(shown, "-".join(found.names), found.title, found.words)


def page_of(found: Tradeoff, kind: str = BAND) -> str:
    """Picture, what can be read off it, tables and notes as one HTML file."""
    said = "".join(f"<li>{html(part)}</li>" for part in found.words)
    sections = [(KINDS[kind] if found.bands else found.axis.title, figure(found, kind))]
    sections += [(table.title, html_table(table)) for table in tables(found, kind)]
    if found.notes:
        told = [(f"Not fair: {note.text}" if note.unfair else note.text, note.unfair) for note in found.notes]
        lines = "".join(f"<li{UNFAIR * unfair}>{html(text)}</li>" for text, unfair in told)
        sections.append(("Notes", f'<ul class="notes">{lines}</ul>'))
    return page(found.title, [f'<ul class="notes">{said}</ul>'] if said else [], sections)


def figure(found: Tradeoff, kind: str = BAND) -> str:
    """The picture with a line under it, for a page."""
    caption = heading(found)
    if found.bands and kind == BAND:
        caption += "; line: median of simulated random searches, band: 5th to 95th percentile"
    elif found.bands:
        caption += "; each point is a run, the line is the best with so much compute or less"
    return f'<figure><div class="scroll">{svg(found, kind)}</div><figcaption>{html(caption)}.</figcaption></figure>'


def as_json(found: Tradeoff) -> dict[str, Any]:
    """Everything, both kinds: points, bands with all their budgets, frontiers by run."""
    return {
        "studies": list(found.names),
        "title": found.title,
        "metric": found.metric,
        "unit": found.unit,
        "split": found.split,
        "axis": asdict(found.axis),
        "grouped_by": found.grouped,
        "points": [{name: json_value(value) for name, value in asdict(point).items()} for point in found.points],
        "bands": [{name: _listed(value) for name, value in asdict(band).items()} for band in found.bands],
        "frontiers": [
            {"group": front.group, "runs": [point.run for point in front.points]} for front in found.frontiers
        ],
        "words": list(found.words),
        "notes": [note.text for note in found.notes if not note.unfair],
        "unfair": [note.text for note in found.notes if note.unfair],
    }


def _listed(value: Any) -> Any:
    return json_value(list(value) if isinstance(value, tuple) else value)


TRADEOFF_FORMATS: Final[dict[str, Callable[[Tradeoff, str], str]]] = {
    "table": lambda found, kind: text(found, kind),
    "md": markdown,
    "csv": as_csv,
    "latex": latex,
    "json": lambda found, kind: document(as_json(found)),
    "html": page_of,
    "svg": svg,
}
"""What accuracy against compute can be written as; the second argument is "search" or "compute"."""
