"""Rows of the table of runs as strips: header, run, group. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from vitui.query.cells import cell, fit, shown
from vitui.query.columns import FIXED, GAP, MARK_WIDTH, Placed
from vitui.query.fields import Values
from vitui.query.groups import MIXED, Group, mean_text, states_text
from vitui.query.order import Order
from vitui.text import cell_width, safe
from vitui.tui.theme import Palette

if TYPE_CHECKING:
    from vitui.store import Run

OPEN, CLOSED = "▾", "▸"


@dataclass(frozen=True, slots=True)
class Look:
    """What a row is drawn with. `base`: the widget's style; `width`: cells of a row."""

    palette: Palette
    base: Style
    width: int
    placed: Sequence[Placed]
    values: Values
    now: float


def header(look: Look, order: Order, column: str, *, left: bool, right: bool) -> Strip:
    """Titles, with the direction at those that are sorted by and its rank from the second on.

    The one called `column` is under the column cursor. `left`, `right`: there are columns that are not shown.
    """
    p, base = look.palette, look.base
    segments = [Segment("‹ " if left else "  ", base + p.key)]
    ranks = {by.field.key: (number, by.descending) for number, by in enumerate(order)}
    for number, placed in enumerate(look.placed):
        if number:
            segments.append(Segment(" " * GAP, base))
        title, style = placed.column.title, base + p.dim
        if placed.column.key in ranks:
            rank, descending = ranks[placed.column.key]
            arrow = ("▼" if descending else "▲") + (str(rank + 1) if rank else "")
            title, style = safe(title, max(1, placed.width - len(arrow))) + arrow, base + p.key
        if placed.column.key == column:
            style += Style(reverse=True)
        segments.append(Segment(fit(title, placed.width, placed.column.field.right), style))
    end = Strip([Segment("›" if right else " ", base + p.key)])
    return Strip.join([Strip(segments).adjust_cell_length(max(0, look.width - 1), base), end])


def run_row(run: Run, look: Look, *, here: bool, marked: bool) -> Strip:
    """A run. `here`: it is under the cursor."""
    p = look.palette
    base = look.base + p.cursor if here else look.base
    plain = here and not p.cursor_tones
    tones: dict[str, Style] = {
        "text": p.text, "dim": p.dim, "strong": p.text, "good": p.good, "state": p.state(run.state),
    }  # fmt: skip
    segments = _lead(look, base, here=here, mark="*" if marked else " ")
    for number, placed in enumerate(look.placed):
        if number:
            segments.append(Segment(" " * GAP, base))
        field = placed.column.field
        style = base if plain else base + tones[field.tone]
        segments.append(Segment(fit(cell(field, run, look.values, look.now), placed.width, field.right), style))
    return Strip(segments).adjust_cell_length(look.width, base)


def group_row(group: Group, look: Look, *, here: bool, marked: str, open: bool) -> Strip:
    """A group: its label over the fixed columns, then means with deviations, and what all its runs have in common."""
    p = look.palette
    base = look.base + p.cursor if here else look.base
    plain = here and not p.cursor_tones
    segments = _lead(look, base, here=here, mark=marked)
    fixed = look.placed[:FIXED]
    room = fixed[-1].x + fixed[-1].width - MARK_WIDTH if fixed else 0
    segments += _label(group, room, p, base, plain=plain, open=open)
    for placed in look.placed[FIXED:]:
        field = placed.column.field
        if field.counts and (stat := group.stat(field)) is not None:
            text, style = mean_text(stat, field, placed.width), p.good if field.tone == "good" else p.text
        elif field.counts and group.mixed(field):
            text, style = MIXED, p.dim
        elif field.kind == "duration":
            text, style = "", p.dim
        else:
            common = group.same(field)
            text, style = ("" if common is None else shown(field, common)), p.dim
        segments.append(Segment(" " * GAP, base))
        segments.append(Segment(fit(text, placed.width, field.right), base if plain else base + style))
    return Strip(segments).adjust_cell_length(look.width, base)


def _lead(look: Look, base: Style, *, here: bool, mark: str) -> list[Segment]:
    p = look.palette
    plain = here and not p.cursor_tones
    return [Segment("▌" if here else " ", base + p.key), Segment(mark, base if plain else base + p.mark)]


def _label(group: Group, room: int, p: Palette, base: Style, *, plain: bool, open: bool) -> list[Segment]:
    """The name of a group, then how many runs in which states; the name is cut first, down to eight cells."""
    sign = "  " * group.depth + (OPEN if open else CLOSED) + " "
    counts = f" {states_text(group)}"
    if room - len(sign) - cell_width(counts) < 8:
        counts = f" {len(group.runs)}"
    cells = max(1, room - cell_width(sign) - cell_width(counts))
    label = safe(group.label, cells)
    rest = max(0, room - cell_width(sign) - cell_width(label) - cell_width(counts))
    styles = (base, base, base) if plain else (base + p.key, base + p.strong, base + p.dim)
    parts = zip((sign, label, counts), styles, strict=True)
    drawn = Strip([Segment(text, style) for text, style in parts]).adjust_cell_length(room - rest, base)
    return [*drawn, Segment(" " * rest, base)]
