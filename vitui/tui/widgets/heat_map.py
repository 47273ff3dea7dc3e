"""HeatMap: a grid of values, coloured by how they compare with one cell of their row; signs say the same."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.color import Color, ColorType
from rich.segment import Segment
from rich.style import Style
from textual.events import Click, Resize
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from vitui.text import cell_width, safe, wrapped
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Part
from vitui.tui.widgets.listing import cells

if TYPE_CHECKING:
    from vitui.studies.heat import Heat, HeatCell, HeatRow

LABELS = 26
"""Cells of the labels of rows at most."""
LEAST, MOST = 8, 16
"""Cells of a column: a value, its sign, a space on each side."""
SIGNS = {3: "▲", 2: "△", 1: "↗", 0: " ", -1: "↘", -2: "▽", -3: "▼"}
"""For each grade: how much better or worse."""
_SHARES = {1: 0.4, 2: 0.7, 3: 1.0}
BETTER, WORSE = 2, 1
"""Which of the palette's bands are the grounds of better and worse cells."""


def ground(grade: int, p: Palette, under: Style) -> Style:
    """The colours of a cell of a grade. Of sixteen colours only the ink; without colours only the sign is left."""
    if not grade:
        return p.text
    band = p.bands[(BETTER if grade > 0 else WORSE) % len(p.bands)].color
    base = under.bgcolor
    if band is None or band.type is not ColorType.TRUECOLOR or base is None or base.type is not ColorType.TRUECOLOR:
        return p.good if grade > 0 else p.warn
    share, over, below = _SHARES[abs(grade)], band.get_truecolor(), base.get_truecolor()
    mixed = (round(b + share * (o - b)) for o, b in zip(over, below, strict=True))
    return p.text + Style(bgcolor=Color.from_rgb(*mixed))


class HeatMap(ScrollView, can_focus=False, inherit_bindings=False):
    """A cursor on a cell. Columns that do not fit are scrolled to by it; the heads and the labels stay in view."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    HeatMap { width: 1fr; height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """

    class Moved(Message):
        """The cursor is on another cell."""

    class Opened(Message):
        """The cell under the cursor was clicked again."""

    def __init__(self, palette: Palette, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._palette = palette
        self._heat: Heat | None = None
        self._said = ""
        self._row = self._column = self._first = 0
        self._label_width = self._width = LEAST

    # -- what is shown -------------------------------------------------------------------------------------------

    def show(self, heat: Heat | None, said: str = "") -> None:
        """Replace the map; without one, `said` is shown, which must be safe text."""
        if heat == self._heat and said == self._said:
            return
        self._heat, self._said = heat, said
        if heat is not None:
            self._row = min(self._row, max(0, len(heat.rows) - 1))
            self._column = min(self._column, max(0, self._count - 1))
        self._lay_out()
        self.refresh()
        self.post_message(self.Moved())

    def restyle(self, palette: Palette) -> None:
        """Other colours and signs."""
        self._palette = palette
        self.refresh()

    @property
    def heat(self) -> Heat | None:
        return self._heat

    @property
    def row(self) -> HeatRow | None:
        """The row under the cursor."""
        return self._heat.rows[self._row] if self._heat is not None and self._heat.rows else None

    @property
    def place(self) -> HeatCell | None:
        """The cell under the cursor; None on the side column."""
        row = self.row
        return row.cells[self._column] if row is not None and self._column < len(row.cells) else None

    @property
    def _count(self) -> int:
        """Columns, that at the side included."""
        return 0 if self._heat is None else len(self._heat.columns) + bool(self._heat.side)

    # -- cursor --------------------------------------------------------------------------------------------------

    def move_by(self, rows: int) -> None:
        """Up and down."""
        if self._heat is not None and self._heat.rows:
            self._go(min(max(0, self._row + rows), len(self._heat.rows) - 1), self._column)

    def move_column(self, by: int) -> None:
        """Left and right."""
        if self._count:
            self._go(self._row, min(max(0, self._column + by), self._count - 1))

    def _go(self, row: int, column: int) -> None:
        if (row, column) != (self._row, self._column):
            self._row, self._column = row, column
            self._keep_in_view()
            self.refresh()
            self.post_message(self.Moved())

    @property
    def page(self) -> int:
        """Rows that fit."""
        return max(1, self.size.height - self._heads)

    @property
    def _heads(self) -> int:
        return 0 if self._heat is None else len(self._heat.across)

    # -- layout --------------------------------------------------------------------------------------------------

    def on_resize(self, event: Resize) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        heat = self._heat
        if heat is None:
            self.virtual_size = Size(self.size.width, 1)
            return
        longest = max((cell_width(safe(row.label)) for row in heat.rows), default=0)
        self._label_width = min(LABELS, max(8, longest), max(8, self.size.width // 3))
        texts = [place.text for row in heat.rows for place in row.cells] + [labels[-1] for labels in heat.columns]
        texts += [heat.side.partition(": ")[2]] if heat.side else []
        wanted = min(MOST, max(LEAST, *(cell_width(safe(text)) + 3 for text in texts))) if texts else LEAST
        room = self.size.width - self._label_width - 3
        fair = room // max(1, self._count)
        self._width = max(LEAST, min(wanted, fair)) if fair >= LEAST else min(wanted, LEAST + 1)
        self.virtual_size = Size(self.size.width, len(heat.rows) + self._heads)
        self._keep_in_view()

    def _fitting(self) -> int:
        return max(1, (self.size.width - self._label_width - 3) // self._width)

    def _keep_in_view(self) -> None:
        fitting = self._fitting()
        self._first = min(max(self._first, self._column - fitting + 1), self._column, max(0, self._count - fitting))
        top, page = round(self.scroll_y), self.page
        if self._row < top or self._row >= top + page:
            y = self._row if self._row < top else self._row - page + 1
            self.scroll_to(y=y, animate=False, force=True)

    def _columns(self) -> range:
        return range(self._first, min(self._first + self._fitting(), self._count))

    # -- drawing -------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        base, p, heat = self.rich_style, self._palette, self._heat
        if heat is None:
            lines = wrapped(self._said, max(8, self.size.width - 2))
            text = f" {lines[y]}" if y < len(lines) else ""
            return Strip([Segment(text, base + p.dim)]).adjust_cell_length(self.size.width, base)
        if y < self._heads:
            parts = self._head(heat, y)
        elif (index := round(self.scroll_y) + y - self._heads) < len(heat.rows):
            parts = self._cells(heat, index, base)
        else:
            parts = []
        return Strip([Segment(text, base + style) for text, style in parts if text]).adjust_cell_length(
            self.size.width, base
        )

    def _head(self, heat: Heat, level: int) -> list[Part]:
        """One axis across: a label for each column, of the outer axes one for all that are alike."""
        p, last = self._palette, level == self._heads - 1
        more = level == 0 and self._first > 0
        parts: list[Part] = [("‹" if more else " ", p.key), cells("", self._label_width, p.dim)]
        labels = [heat.columns[n][: level + 1] if n < len(heat.columns) else (heat.side,) for n in self._columns()]
        for alike, group in groupby(enumerate(labels), key=lambda pair: (pair[1], pair[0] if last else 0)):
            numbers = [self._first + at for at, _ in group]
            side = numbers[0] >= len(heat.columns)
            axis, _, levels = heat.side.partition(": ")
            text = alike[0][-1] if not side else levels if last else f"best {axis}"
            here = self._column in numbers and last
            style = (p.strong if here else p.dim) if last else p.text
            parts.append(cells(f"{'│' if side else ' '}{text}", self._width * len(numbers), style))
        if level == 0 and self._first + self._fitting() < self._count:
            parts.append(("›", p.key))
        return parts

    def _cells(self, heat: Heat, index: int, base: Style) -> list[Part]:
        p, row, chosen = self._palette, heat.rows[index], index == self._row
        parts: list[Part] = [("▌" if chosen else " ", p.key), cells(row.label, self._label_width, p.text)]
        for number in self._columns():
            here = chosen and number == self._column
            if number < len(row.cells):
                place = row.cells[number]
                grade = heat.grade(place.relative)
                text, style = f"{safe(place.text)}{SIGNS[grade]}", ground(grade, p, base)
                if place.base:
                    text = f"{safe(place.text)}="
                if place.stands_out:
                    style += Style(bold=True)
                elif place.value is None:
                    style = p.dim
                left = "["
            else:
                text, style, left = self._side(heat, row), p.text, "│"
            inner = cells(text, self._width - 2, style, right=True)[0]
            parts.append((f"{left if here or left == '│' else ' '}{inner}{']' if here else ' '}", style))
        return parts

    def _side(self, heat: Heat, row: HeatRow) -> str:
        if row.side is None:
            return "–"
        sign = SIGNS[heat.grade(row.side)]
        return f"{row.side + 0.0:+.1f}{sign}"

    # -- mouse ---------------------------------------------------------------------------------------------------

    def on_click(self, event: Click) -> None:
        """A click puts the cursor there; one where it is opens the cell."""
        event.stop()
        heat = self._heat
        index = round(self.scroll_y) + event.y - self._heads
        if heat is None or event.y < self._heads or not 0 <= index < len(heat.rows):
            return
        number = self._first + max(0, event.x - 1 - self._label_width) // self._width
        number = min(number, self._count - 1) if event.x > self._label_width else self._column
        if (index, number) == (self._row, self._column):
            self.post_message(self.Opened())
        self._go(index, number)


def legend(heat: Heat, p: Palette, under: Style, width: int) -> list[Part]:
    """What signs and colours mean: by how much at most a cell of each is worse or better."""
    if not heat.largest:
        return []
    parts: list[Part] = [("worse by up to ", p.dim)]
    for grade in (-3, -2, -1, 1, 2, 3):
        if grade == 1:
            parts.append(("  better by up to ", p.dim))
        most = heat.largest * abs(grade) / 3
        parts.append((f" {most:.3g}{SIGNS[grade]}", ground(grade, p, under)))
    last = "  = base" if heat.show != "difference" else ""
    used = sum(cell_width(text) for text, _ in parts)
    return [*parts, (last, p.dim)] if used + len(last) <= width else parts
