"""Table: rows with a cursor, columns of which the first stays in view, a column cursor, marks. Drawn line by line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from vitui.text import cell_width, safe
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Part
from vitui.tui.widgets.listing import Row, cells

GAP = 2
"""Cells between columns."""
LEAD = 2
"""Cells before the first column: the cursor's bar and the mark."""


@dataclass(frozen=True, slots=True)
class Column:
    """`width` cells, up to `most` where there is room. `right`: numbers. `about`: what it is, in a few words."""

    key: str
    title: str
    width: int
    most: int = 0
    right: bool = True
    about: str = ""


Draw = Callable[[Row, Column, Palette], Part]
"""What a cell says; any text: it is made safe and cut to the column."""


class Table(ScrollView, can_focus=False, inherit_bindings=False):
    """The first column is what a row is called. The cursor and the marks stay on their keys when rows change."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Table { width: 1fr; height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """

    class Moved(Message):
        """A cursor is elsewhere."""

    class Opened(Message):
        """The row under the cursor was clicked again."""

    class TitleClicked(Message):
        """The title under the column cursor was clicked again."""

    def __init__(self, palette: Palette, draw: Draw, *, empty: str = "", id: str | None = None) -> None:
        """`empty` is shown where there is no row; it must be safe text."""
        super().__init__(id=id)
        self._palette, self._draw, self._empty = palette, draw, empty
        self._rows: Sequence[Row] = ()
        self._columns: Sequence[Column] = ()
        self._cursor = 0
        self._column = 0
        self._first = 1
        self._marked: frozenset[str] = frozenset()
        self._arrow = ("", "")
        self._placed: list[tuple[int, int, int]] = []
        """Number, x and width of each column in view."""

    # -- what is shown -------------------------------------------------------------------------------------------

    @property
    def rows(self) -> Sequence[Row]:
        return self._rows

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self._cursor] if self._cursor < len(self._rows) else None

    @property
    def column(self) -> Column | None:
        """The column under the column cursor."""
        return self._columns[self._column] if self._column < len(self._columns) else None

    @property
    def columns_shown(self) -> list[str]:
        """Names of the columns in view."""
        return [self._columns[number].key for number, _, _ in self._placed]

    def show(self, rows: Sequence[Row], columns: Sequence[Column], draw: Draw | None = None, empty: str = "") -> None:
        """Replace rows and columns; of the same ones in the same order only lines that are others are drawn again."""
        old, before = self._rows, self._columns
        redrawn = tuple(columns) != before or (draw is not None and draw != self._draw) or empty != self._empty
        self._rows, self._columns, self._empty = tuple(rows), tuple(columns), empty
        self._draw = draw or self._draw
        if [row.key for row in old] == [row.key for row in self._rows]:
            if not redrawn:
                for index in self._lines():
                    if self._rows[index] != old[index]:
                        self._redraw(index)
                return
        else:
            was = old[self._cursor].key if self._cursor < len(old) else None
            at = next((i for i, row in enumerate(self._rows) if row.key == was), None)
            self._cursor = min(self._cursor, max(0, len(self._rows) - 1)) if at is None else at
        if redrawn and [column.key for column in before] != [column.key for column in columns]:
            here = before[self._column].key if self._column < len(before) else ""
            self._column = next((n for n, one in enumerate(columns) if one.key == here), 0)
            self._first = 1
        self._lay_out()
        self._keep_in_view()
        self.refresh()
        self.post_message(self.Moved())

    def restyle(self, palette: Palette) -> None:
        """Other colours and signs."""
        self._palette = palette
        self.refresh()

    def mark(self, keys: Collection[str]) -> None:
        """Mark these rows and no others."""
        changed = self._marked ^ (new := frozenset(keys))
        self._marked = new
        for index in self._lines():
            if self._rows[index].key in changed:
                self._redraw(index)

    @property
    def marked(self) -> frozenset[str]:
        return self._marked

    def sorted_by(self, key: str, arrow: str) -> None:
        """Show an arrow in the title of this column; empty for none."""
        if (key, arrow) != self._arrow:
            self._arrow = (key, arrow)
            self._redraw_titles()

    # -- cursors -------------------------------------------------------------------------------------------------

    def move_to(self, index: int) -> None:
        """Put the cursor on a line; out-of-range goes to the end."""
        index = min(max(0, index), max(0, len(self._rows) - 1))
        if index != self._cursor:
            before, self._cursor = self._cursor, index
            self._redraw(before)
            self._redraw(index)
            self._keep_in_view()
            self.post_message(self.Moved())

    def move_by(self, lines: int) -> None:
        self.move_to(self._cursor + lines)

    def move_column(self, by: int) -> None:
        """Move the column cursor; columns that are out of view are scrolled to."""
        self.move_column_to(self._column + by)

    def move_column_to(self, number: int) -> None:
        """Put the column cursor on a column; out-of-range goes to the end."""
        number = min(max(0, number), max(0, len(self._columns) - 1))
        if number != self._column:
            self._column = number
            self._show_column()
            self.refresh()
            self.post_message(self.Moved())

    @property
    def page(self) -> int:
        """Rows that fit."""
        return max(1, self.size.height - 1)

    # -- layout --------------------------------------------------------------------------------------------------

    def on_resize(self, event: Resize) -> None:
        self._lay_out()
        self._keep_in_view()

    def _lay_out(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)
        self._place()
        self._show_column()

    def _show_column(self) -> None:
        """Scroll the columns as little as brings the one under the column cursor into view, without empty room at the
        right while there are columns at the left."""
        self._first = max(1, min(self._first, self._column or self._first, self._last_first()))
        self._place()
        while self._first < self._column and all(number != self._column for number, _, _ in self._placed):
            self._first += 1
            self._place()

    def _room(self) -> int:
        # Room for the scroll bar is always kept: columns must not jump when the list outgrows the screen.
        return max(1, self.size.width - self.styles.scrollbar_size_vertical - LEAD)

    def _last_first(self) -> int:
        """The first column that scrolls, when the last one can just be seen."""
        if not self._columns:
            return 1
        left, number = self._room() - self._columns[0].width, len(self._columns)
        while number > 1 and left >= self._columns[number - 1].width + GAP:
            number -= 1
            left -= self._columns[number].width + GAP
        return min(number, max(1, len(self._columns) - 1))

    def _place(self) -> None:
        columns = self._columns
        if not columns:
            self._placed = []
            return
        room = self._room()
        head = min(columns[0].width, room)
        widths = {0: head}
        left = room - head
        for number in range(self._first, len(columns)):
            if columns[number].width + GAP > left:
                break
            widths[number] = columns[number].width
            left -= columns[number].width + GAP
        for number in widths:  # what is left over to those that can use it, the first of them first
            more = min(max(0, left), max(0, columns[number].most - widths[number]))
            widths[number] += more
            left -= more
        self._placed, x = [], LEAD
        for number, width in widths.items():
            self._placed.append((number, x, width))
            x += width + GAP

    def _keep_in_view(self) -> None:
        top, page = round(self.scroll_y), self.page
        if self._cursor < top or self._cursor >= top + page:
            y = self._cursor if self._cursor < top else self._cursor - page + 1
            self.scroll_to(y=y, animate=False, force=True)

    def _lines(self) -> range:
        top = round(self.scroll_y)
        return range(top, max(top, min(top + self.page, len(self._rows))))

    # -- drawing -------------------------------------------------------------------------------------------------

    def _redraw(self, index: int) -> None:
        line = index - round(self.scroll_y) + 1
        if 1 <= line < self.size.height:
            self.refresh(Region(0, line, self.size.width, 1))

    def _redraw_titles(self) -> None:
        self.refresh(Region(0, 0, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        width, base, p = self.size.width, self.rich_style, self._palette
        if y == 0:
            return self._titles(base)
        index = round(self.scroll_y) + y - 1
        if index >= len(self._rows):
            text = self._empty if not self._rows and y == 1 else ""
            return Strip([Segment(safe(text, width), base + p.dim)]).adjust_cell_length(width, base)
        return self._row(index, base)

    def _titles(self, base: Style) -> Strip:
        p, width = self._palette, self.size.width
        if not self._columns:
            return Strip.blank(width, base)
        segments = [Segment("‹ " if self._first > 1 else "  ", base + p.key)]
        for number, _, cells_ in self._placed:
            column = self._columns[number]
            title, style = column.title, base + p.dim
            if column.key == self._arrow[0] and self._arrow[1]:
                title, style = safe(title, max(1, cells_ - 1)) + self._arrow[1], base + p.key
            if number == self._column and number > 0:
                style += Style(reverse=True)
            text, _ = cells(title, cells_, style, right=column.right and number > 0)
            segments += [Segment(" " * GAP, base)] * (number > 0) + [Segment(text, style)]
        more = self._placed[-1][0] + 1 < len(self._columns)
        end = Strip([Segment("›" if more else " ", base + p.key)])
        return Strip.join([Strip(segments).adjust_cell_length(max(0, width - 1), base), end])

    def _row(self, index: int, base: Style) -> Strip:
        p, row, here = self._palette, self._rows[index], index == self._cursor
        # Without its bold: in a table that says something.
        ground = base + p.cursor + Style(bold=False) if here else base
        plain = here and not p.cursor_tones
        mark = "*" if row.key in self._marked else " "
        segments = [Segment("▌" if here else " ", ground + p.key), Segment(mark, ground if plain else ground + p.mark)]
        for number, _, width in self._placed:
            column = self._columns[number]
            text, style = self._draw(row, column, p)
            style = ground if plain else ground + style
            if here and number == self._column and number > 0:
                style += Style(underline=True)
            segments += [Segment(" " * GAP, ground)] * (number > 0)
            segments.append(Segment(cells(text, width, style, right=column.right and number > 0)[0], style))
        return Strip(segments).adjust_cell_length(self.size.width, ground)

    # -- mouse ---------------------------------------------------------------------------------------------------

    def on_click(self, event: Click) -> None:
        """A click puts the cursors there; one where they are opens the row, or sorts."""
        event.stop()
        number = next((n for n, x, width in self._placed if x <= event.x < x + width + GAP), self._column)
        same = number == self._column
        if event.y == 0:
            self.move_column_to(number)
            if same:
                self.post_message(self.TitleClicked())
            return
        index = round(self.scroll_y) + event.y - 1
        if index < len(self._rows):
            again = index == self._cursor and (same or number == 0)
            self.move_to(index)
            self.move_column_to(number)
            if again:
                self.post_message(self.Opened())


def widest(texts: Sequence[str], least: int, most: int) -> int:
    """Cells that the longest of some texts needs, within bounds."""
    return min(most, max([least, *(cell_width(text) for text in texts)]))
