"""RunTable: ten thousand runs for the price of the visible ones. Rows are made into cells only when they are drawn."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.events import Click, MouseDown, MouseMove, MouseUp, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from vitui.query.columns import DEFAULT, FIXED, GAP, LEAST_WIDTH, Columns, Placed, last_first, layout, scrolled_to
from vitui.query.fields import NO_VALUES, Values
from vitui.query.groups import Group
from vitui.query.order import Order
from vitui.tui.theme import Palette
from vitui.tui.widgets.run_rows import Look, group_row, header, run_row

if TYPE_CHECKING:
    from vitui.store import Run

MOST_STRIPS = 1000
"""Drawn rows that are kept."""


class RunTable(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows the rows it is given, runs and groups, in their order. The first line is the header and does not scroll.

    Order, filter, groups, columns and keys belong to the screen; the table keeps the cursor on its run, the marks, the
    column cursor and which columns are in view.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    RunTable { width: 1fr; height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """

    class Moved(Message):
        """The cursor is on another row, or its row has changed."""

    class Opened(Message):
        """A row was double-clicked."""

    class HeaderClicked(Message):
        """A column's title was clicked."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Resized(Message):
        """The edge of a column's title was dragged: the column is to be `width` cells wide."""

        def __init__(self, key: str, width: int) -> None:
            super().__init__()
            self.key = key
            self.width = width

    def __init__(self, palette: Palette, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._palette = palette
        self._rows: Sequence[Run | Group] = ()
        self._values: Values = NO_VALUES
        self._folded: Collection[str] = ()
        self._now = 0.0
        self._cursor = 0
        self._marked: set[str] = set()
        self._order: Order = ()
        self._columns = DEFAULT
        self._grouped = False
        self._column = ""
        self._first = 0
        self._placed: list[Placed] = []
        self._strips: dict[int, Strip] = {}
        self._dragged: Placed | None = None
        self._was_dragged = False

    # -- what is shown -------------------------------------------------------------------------------------------

    @property
    def rows(self) -> Sequence[Run | Group]:
        return self._rows

    @property
    def current_row(self) -> Run | Group | None:
        """The run or group under the cursor."""
        return self._rows[self._cursor] if self._cursor < len(self._rows) else None

    @property
    def current(self) -> Run | None:
        """The run under the cursor, None on a group."""
        row = self.current_row
        return None if isinstance(row, Group) else row

    @property
    def cursor(self) -> int:
        return self._cursor

    def show(
        self, rows: Sequence[Run | Group], now: float, values: Values = NO_VALUES, closed: Collection[str] = ()
    ) -> None:
        """Replace all rows. The cursor stays on its run, or on its line where the run is gone.

        `values`: of the columns that are not in a run's row; `closed`: ids of groups whose rows are not shown.
        """
        old, self._rows, self._now = self._rows, rows, now
        others = values != self._values
        self._values, self._folded = values, closed
        same_order = len(old) == len(rows) and all(
            a is b or a.id == b.id for a, b in zip(old, rows, strict=True)
        )  # fmt: skip
        if same_order:
            for index in self._visible():
                if others or rows[index] is not old[index]:
                    self._redraw_if_other(index)
            if others:
                visible = self._visible()
                self._strips = {i: strip for i, strip in self._strips.items() if i in visible}
            self.post_message(self.Moved())
            return
        was = old[self._cursor].id if self._cursor < len(old) else None
        position = next((i for i, row in enumerate(rows) if row.id == was), None)
        self._strips.clear()
        self._lay_out()
        if position is None:
            self._cursor = min(self._cursor, max(0, len(rows) - 1))
        elif position != self._cursor:
            # Keep the line on the screen it had: the list moves under the cursor, not the cursor over the list.
            top = round(self.scroll_y) + position - self._cursor
            self._cursor = position
            self.scroll_to(y=max(0, top), animate=False, force=True)
        self._keep_in_view()
        self.refresh()
        self.post_message(self.Moved())

    def tick(self, now: float) -> None:
        """The time has moved on: redraw the visible lines whose text (age, time left) changes by it."""
        self._now = now
        for index in self._visible():
            if index in self._strips:
                self._redraw_if_other(index)

    # -- columns -------------------------------------------------------------------------------------------------

    @property
    def columns(self) -> Columns:
        return self._columns

    @property
    def shown_columns(self) -> list[str]:
        """Names of the columns in view."""
        return [placed.column.key for placed in self._placed]

    @property
    def column(self) -> str:
        """The name of the column under the column cursor; empty before that was moved."""
        return self._column

    def column_width(self, key: str) -> int | None:
        """Cells that a column in view has now."""
        return next((placed.width for placed in self._placed if placed.column.key == key), None)

    def set_columns(self, columns: Columns, *, grouped: bool = False) -> None:
        """Other columns. `grouped`: numbers get room for a mean with its deviation."""
        if columns == self._columns and grouped == self._grouped:
            return
        self._columns, self._grouped = columns, grouped
        if columns.index(self._column) is None:
            self._column = ""
        self._lay_out()
        if self._column:
            self._show_column(self._column)
        self.refresh()

    def sorted_by(self, order: Order) -> None:
        """Show arrows in the titles of these columns."""
        self._order = order
        self._refresh_header()

    def move_column(self, by: int) -> None:
        """Move the column cursor; columns that are out of view are scrolled to. It starts at the leftmost shown."""
        keys = self._columns.keys
        if not keys:
            return
        index = self._columns.index(self._column)
        if index is None:
            main = self._order[0].field.key if self._order else ""
            self.move_column_to(main if main in self.shown_columns else keys[0])
            return
        self.move_column_to(keys[min(max(index + by, 0), len(keys) - 1)])

    def move_column_to(self, key: str) -> None:
        """Put the column cursor on a column; the empty name hides it."""
        if key and self._columns.index(key) is None:
            return
        self._column = key
        if key:
            self._show_column(key)
        self._refresh_header()

    def _show_column(self, key: str) -> None:
        index = self._columns.index(key) or 0
        first = 0 if index < FIXED else self._first
        if index >= FIXED:
            first = scrolled_to(self._columns, key, self._room, first, grouped=self._grouped)
        self.scroll_columns_to(first)

    def scroll_columns_to(self, first: int) -> None:
        """Put the column number `first` of those that are not fixed at the left."""
        if first != self._first:
            self._first = first
            self._lay_out()
            self.refresh()

    @property
    def _room(self) -> int:
        # Room for the scroll bar is always kept: columns must not jump when the list outgrows the screen.
        return max(0, self.size.width - self.styles.scrollbar_size_vertical)

    def _refresh_header(self) -> None:
        self.refresh(Region(0, 0, self.size.width, 1))

    # -- cursor and marks ----------------------------------------------------------------------------------------

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

    @property
    def page(self) -> int:
        """Rows that fit."""
        return max(1, self.size.height - 1)

    @property
    def marked(self) -> frozenset[str]:
        return frozenset(self._marked)

    def toggle_mark(self) -> None:
        """Mark the run under the cursor, or all runs of the group; or unmark them where they all are."""
        row = self.current_row
        if row is None:
            return
        ids = {run.id for run in row.runs} if isinstance(row, Group) else {row.id}
        self.set_marked(self._marked - ids if ids <= self._marked else self._marked | ids)

    def mark_line(self, index: int) -> None:
        """Mark what is on one line."""
        if 0 <= index < len(self._rows):
            row = self._rows[index]
            self.set_marked(self._marked.union([r.id for r in row.runs] if isinstance(row, Group) else [row.id]))

    def set_marked(self, ids: Iterable[str]) -> None:
        """Mark these runs and no others."""
        new = set(ids)
        changed, self._marked = self._marked ^ new, new
        if not changed:
            return
        visible = self._visible()
        self._strips = {i: strip for i, strip in self._strips.items() if i in visible}
        for index in visible:
            row = self._rows[index]
            if row.id in changed or (isinstance(row, Group) and any(run.id in changed for run in row.runs)):
                self._redraw(index)

    def clear_marks(self) -> None:
        self.set_marked(())

    # -- drawing -------------------------------------------------------------------------------------------------

    def on_resize(self, event: Resize) -> None:
        self._lay_out()
        self._keep_in_view()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = {}

    def _lay_out(self) -> None:
        self._first = min(self._first, last_first(self._columns, self._room, grouped=self._grouped))
        self._placed = layout(self._columns, self._room, self._first, grouped=self._grouped)
        self._strips.clear()
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)

    def _keep_in_view(self) -> None:
        top, page = round(self.scroll_y), self.page
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, force=True)
        elif self._cursor >= top + page:
            self.scroll_to(y=self._cursor - page + 1, animate=False, force=True)

    def _visible(self) -> range:
        top = round(self.scroll_y)
        return range(top, max(top, min(top + self.page, len(self._rows))))

    def _redraw(self, index: int) -> None:
        self._strips.pop(index, None)
        line = index - round(self.scroll_y) + 1
        if 1 <= line < self.size.height:
            self.refresh(Region(0, line, self.size.width, 1))

    def _redraw_if_other(self, index: int) -> None:
        before = self._strips.get(index)
        if before is None or list(self._make(index)) != list(before):
            self._redraw(index)

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        if y == 0:
            more = FIXED + self._first + len(self._placed[FIXED:]) < len(self._columns)
            return header(self._look(), self._order, self._column, left=self._first > 0, right=more)
        index = round(self.scroll_y) + y - 1
        if index >= len(self._rows):
            return Strip.blank(width, base)
        strip = self._strips.get(index)
        if strip is None:
            if len(self._strips) > MOST_STRIPS:
                self._strips.clear()
            strip = self._strips[index] = self._make(index)
        return strip

    def _look(self) -> Look:
        return Look(self._palette, self.rich_style, self.size.width, self._placed, self._values, self._now)

    def _make(self, index: int) -> Strip:
        row, here = self._rows[index], index == self._cursor
        if isinstance(row, Group):
            of = sum(run.id in self._marked for run in row.runs) if self._marked else 0
            mark = " " if not of else "*" if of == len(row.runs) else "+"
            return group_row(row, self._look(), here=here, marked=mark, open=row.id not in self._folded)
        return run_row(row, self._look(), here=here, marked=row.id in self._marked)

    # -- mouse ---------------------------------------------------------------------------------------------------

    def _title_at(self, x: int) -> Placed | None:
        return next((p for p in self._placed if p.x <= x < p.x + p.width + GAP), None)

    def on_mouse_down(self, event: MouseDown) -> None:
        self._was_dragged = False
        if event.y == 0:
            edge = next((p for p in self._placed if event.x == p.x + p.width), None)
            if edge is not None:
                self._dragged = edge
                self.capture_mouse()

    def on_mouse_move(self, event: MouseMove) -> None:
        if self._dragged is not None:
            width = max(LEAST_WIDTH, event.x - self._dragged.x)
            if width != self._dragged.width:
                self._was_dragged = True
                self._dragged = replace(self._dragged, width=width)
                self.post_message(self.Resized(self._dragged.column.key, width))

    def on_mouse_up(self, event: MouseUp) -> None:
        if self._dragged is not None:
            self._dragged = None
            self.release_mouse()

    def on_click(self, event: Click) -> None:
        if event.y == 0:
            title = None if self._was_dragged else self._title_at(event.x)
            if title is not None:
                self.post_message(self.HeaderClicked(title.column.key))
            return
        index = round(self.scroll_y) + event.y - 1
        if index < len(self._rows):
            self.move_to(index)
            if event.chain >= 2:
                self.post_message(self.Opened())


def sort_cycle(shown: Sequence[str], key: str) -> str:
    """The next column to sort by after `key`, among the shown ones."""
    if not shown:
        return key
    return shown[(shown.index(key) + 1) % len(shown)] if key in shown else shown[0]
