"""The lines under the table of a study: everything about the row, the cell or the place of the heat map there. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitui import display
from vitui.studies.formats.contents import amount, words
from vitui.studies.variants import MISSING
from vitui.text import safe
from vitui.tui.screens import study_cells as told
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Part
from vitui.tui.widgets.table import Column

if TYPE_CHECKING:
    from vitui.studies.heat import Heat, HeatCell, HeatRow
    from vitui.studies.report import Report, Row
    from vitui.studies.variants import Cell


def about_row(row: Row, report: Report, p: Palette) -> list[Part]:
    """What it is called and the verdict in full."""
    verdict = words(row, report) or told.value_of(row, report.metric)
    style = p.dim if told.is_baseline(row, report) else told.verdict_style(row, p)
    return [(safe(row.label, 60), p.text), ("  ", p.dim), (safe(verdict, 300), style)]


def about_cell(
    row: Row, column: Column | None, cell: Cell | None, report: Report, p: Palette, now: float
) -> list[Part]:
    """The cell under the column cursor, whole; of the name, what the variant changes."""
    if cell is not None:
        return _seed(cell, p, now)
    if column is None or column.key == "label":
        return _changes(row, report, p)
    if column.key == "seeds":
        return _states(row, p)
    text, style = told.draw(row, column.key, report, p)
    if column.key == "published" and row.published is not None:
        one = row.published
        about = f"{one.kind}, {one.metric} on {one.split or 'test'}, {one.source}"
    elif column.key == "value" and row.value is not None and row.value.n > 1:
        low, high = amount(row.value.least, report.metric), amount(row.value.most, report.metric)
        about = f"{row.value.n} seeds, {low} to {high}"
    else:
        about = column.about
    return [(f"{column.title}: ", p.dim), (safe(text), style), (f"  {safe(about, 200)}" if about else "", p.dim)]


def _changes(row: Row, report: Report, p: Palette) -> list[Part]:
    common = set(report.planned.study.sets)
    variant = row.variant
    changes = [*variant.toggles, *(word for word in variant.sets if word not in common)]
    parts: list[Part] = [(f"{safe(variant.name, 60)}: ", p.dim), (safe(variant.preset, 40), p.text)]
    return [*parts, ("  " + safe(" ".join(changes), 200) if changes else "", p.key)]


def _states(row: Row, p: Palette) -> list[Part]:
    parts: list[Part] = []
    for cell in row.cells:
        parts.append((f"seed {cell.seed} ", p.dim))
        text = "missing" if cell.status == MISSING else cell.text
        parts.append((f"{told.sign(cell.status)} {safe(text, 40)}  ", told.tone(cell.status, p)))
    return parts


def _seed(cell: Cell, p: Palette, now: float) -> list[Part]:
    run = cell.run
    parts: list[Part] = [(f"seed {cell.seed}: ", p.dim)]
    text = "missing" if cell.status == MISSING else f"{cell.status} {cell.text if cell.text != cell.status else ''}"
    parts.append((f"{told.sign(cell.status)} {safe(text.strip(), 60)}", told.tone(cell.status, p)))
    if run is None:
        return parts
    parts.append((f"  run {run.id}", p.dim))
    if cell.last is not None:
        parts.append((f"  last epoch {display.percent(cell.last)}", p.text))
    why = run.reason if cell.status == "queued" else run.evidence if cell.status != "finished" else ""
    parts.append((f"  {safe(why, 160)}" if why else "", p.text))
    if cell.more:
        parts.append((f"  and {cell.more} other{'s' * (cell.more > 1)} of the same recipe and seed", p.dim))
    took = display.elapsed(run, now)
    return [*parts, (f"  {display.duration(took)}" if took is not None and cell.status != "queued" else "", p.dim)]


def about_heat(heat: Heat, row: HeatRow, cell: HeatCell | None, p: Palette) -> tuple[list[Part], list[Part]]:
    """The place under the cursor: its levels, its values, how it compares in its row."""
    if cell is None:
        said = "nothing to compare" if row.side is None else f"{row.side:+.2f}"
        above: list[Part] = [(safe(row.label, 60), p.text), (f"  {safe(heat.side, 60)} ", p.dim), (said, p.strong)]
        published = f"published {row.told:+.2f}" if row.told is not None else ""
        return above, [(published, p.dim)]
    index = row.cells.index(cell)
    place = ", ".join((*row.labels, *heat.columns[index]))
    above = [(safe(place, 90), p.text), (f"  {safe(cell.text, 40)}", p.strong if cell.stands_out else p.text)]
    if cell.base:
        above.append(("  what the row is relative to", p.dim))
    elif cell.relative is not None:
        what = "against published" if heat.show == "difference" else "against the row's ="
        above.append((f"  {cell.relative:+.2f} {what}", p.dim))
    below: list[Part] = []
    for name, value in (("own", cell.own), ("published", cell.published)):
        if value is not None:
            below.append((f"{name} {display.percent(value)}  ", p.text))
    if cell.variant:
        seeds = f"{cell.seeds} seed{'s' * (cell.seeds != 1)}"
        below.append((f"{seeds} of {safe(cell.variant, 60)}  ", p.dim))
    if cell.lacking:
        below.append((f"{cell.lacking} of {cell.of} variants here have no value", p.warn))
    return above, below
