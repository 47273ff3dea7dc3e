"""RunTable: ten thousand runs for the price of the visible ones. Rows are made into cells only when they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from vitui.tui.columns import BY_KEY, GAP, MARK_WIDTH, Column, fit, layout
from vitui.tui.theme import Palette

if TYPE_CHECKING:
    from vitui.store import Run


class RunTable(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows the rows it is given, in their order. The first line is the header and does not scroll.

    Sorting, filtering and keys belong to the screen; the table keeps the cursor on its run and the marks.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    RunTable { width: 1fr; height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """

    class Moved(Message):
        """The cursor is on another run, or its run has changed."""

    class Opened(Message):
        """A run was double-clicked."""

    class HeaderClicked(Message):
        """A column's title was clicked."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, palette: Palette, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._palette = palette
        self._rows: Sequence[Run] = ()
        self._now = 0.0
        self._cursor = 0
        self._marked: set[str] = set()
        self._sort: tuple[str, bool] = ("", False)
        self._layout: list[tuple[Column, int]] = []
        self._strips: dict[int, Strip] = {}

    # -- what is shown -------------------------------------------------------------------------------------------

    @property
    def rows(self) -> Sequence[Run]:
        return self._rows

    @property
    def current(self) -> Run | None:
        """The run under the cursor."""
        return self._rows[self._cursor] if self._rows else None

    @property
    def cursor(self) -> int:
        return self._cursor

    @property
    def marked(self) -> frozenset[str]:
        return frozenset(self._marked)

    def show(self, rows: Sequence[Run], now: float) -> None:
        """Replace all rows. The cursor stays on its run, or on its line where the run is gone."""
        old, self._rows, self._now = self._rows, rows, now
        same_order = len(old) == len(rows) and all(
            a is b or a.id == b.id for a, b in zip(old, rows, strict=True)
        )  # fmt: skip
        if same_order:
            for index in self._visible():
                if rows[index] is not old[index]:
                    self._redraw(index)
            self.post_message(self.Moved())
            return
        was = old[self._cursor].id if self._cursor < len(old) else None
        position = next((i for i, run in enumerate(rows) if run.id == was), None)
        self._strips.clear()
        self._resize_content()
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
            before = self._strips.get(index)
            if before is not None and self._make(index).text != before.text:
                self._redraw(index)

    def sorted_by(self, key: str, reverse: bool) -> None:
        """Show the arrow in this column's title."""
        self._sort = (key, reverse)
        self.refresh(Region(0, 0, self.size.width, 1))

    @property
    def shown_columns(self) -> list[str]:
        return [column.key for column, _ in self._layout]

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

    def toggle_mark(self) -> None:
        run = self.current
        if run is not None:
            self._marked ^= {run.id}
            self._redraw(self._cursor)

    def clear_marks(self) -> None:
        self._marked.clear()
        self._strips.clear()
        self.refresh()

    # -- drawing -------------------------------------------------------------------------------------------------

    def on_resize(self, event: Resize) -> None:
        self._resize_content()
        self._keep_in_view()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = {}

    def _resize_content(self) -> None:
        # Room for the scroll bar is always kept: columns must not jump when the list outgrows the screen.
        self._layout = layout(max(0, self.size.width - self.styles.scrollbar_size_vertical))
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
        return range(top, min(top + self.page, len(self._rows)))

    def _redraw(self, index: int) -> None:
        self._strips.pop(index, None)
        line = index - round(self.scroll_y) + 1
        if 1 <= line < self.size.height:
            self.refresh(Region(0, line, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        if y == 0:
            return self._header(width, base)
        index = round(self.scroll_y) + y - 1
        if index >= len(self._rows):
            return Strip.blank(width, base)
        strip = self._strips.get(index)
        if strip is None:
            if len(self._strips) > 1000:
                self._strips.clear()
            strip = self._strips[index] = self._make(index)
        return strip

    def _make(self, index: int) -> Strip:
        run, p = self._rows[index], self._palette
        here = index == self._cursor
        base = self.rich_style + p.cursor if here else self.rich_style
        plain = here and not p.cursor_tones
        tones: dict[str, Style] = {
            "text": p.text,
            "dim": p.dim,
            "strong": p.text,
            "good": p.good,
            "state": p.state(run.state),
        }
        segments = [
            Segment("▌" if here else " ", base + p.key),
            Segment("*" if run.id in self._marked else " ", base if plain else base + p.mark),
        ]
        for number, (column, width) in enumerate(self._layout):
            if number:
                segments.append(Segment(" " * GAP, base))
            style = base if plain else base + tones[column.tone]
            segments.append(Segment(fit(column.cell(run, self._now), width, column.right), style))
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _header(self, width: int, base: Style) -> Strip:
        p = self._palette
        segments = [Segment(" " * MARK_WIDTH, base)]
        for number, (column, cells) in enumerate(self._layout):
            if number:
                segments.append(Segment(" " * GAP, base))
            title, style = column.title, base + p.dim
            if column.key == self._sort[0]:
                title += "▼" if column.descending != self._sort[1] else "▲"
                style = base + p.key
            segments.append(Segment(fit(title, cells, column.right), style))
        return Strip(segments).adjust_cell_length(width, base)

    # -- mouse ---------------------------------------------------------------------------------------------------

    def on_click(self, event: Click) -> None:
        if event.y == 0:
            left = MARK_WIDTH
            for column, cells in self._layout:
                if left <= event.x < left + cells + GAP:
                    self.post_message(self.HeaderClicked(column.key))
                left += cells + GAP
            return
        index = round(self.scroll_y) + event.y - 1
        if index < len(self._rows):
            self.move_to(index)
            if event.chain >= 2:
                self.post_message(self.Opened())


def sort_cycle(shown: Sequence[str], key: str) -> str:
    """The next column to sort by after `key`, among the shown ones."""
    keys = [k for k in shown if k in BY_KEY]
    if not keys:
        return key
    return keys[(keys.index(key) + 1) % len(keys)] if key in keys else keys[0]
