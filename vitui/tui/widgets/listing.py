"""Listing: lines with a cursor, some of them headings; what it shows is made line by line as it is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a key of its own and what it is made from, which tells whether it must be drawn again."""

    key: str
    content: Any
    heading: bool = False


Draw = Callable[[Row, int, Palette], Sequence[Part]]
"""The parts of a row in so many cells; text must be safe for a terminal."""


class Listing(ScrollView, can_focus=False, inherit_bindings=False):
    """The cursor stays on its key when rows change; it is shown while the list is active: keys go here."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Listing { width: 1fr; height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """

    class Moved(Message):
        """The cursor is on another row."""

        def __init__(self, listing: Listing) -> None:
            super().__init__()
            self.listing = listing

    class Clicked(Message):
        """A row was clicked; `again`: it was the one under the cursor of an active list."""

        def __init__(self, listing: Listing, key: str, again: bool) -> None:
            super().__init__()
            self.listing, self.key, self.again = listing, key, again

    def __init__(self, palette: Palette, draw: Draw, *, empty: str = "", id: str | None = None) -> None:
        """`empty` is shown where there is no row; it must be safe text."""
        super().__init__(id=id)
        self._palette, self._draw, self._empty = palette, draw, empty
        self._rows: Sequence[Row] = ()
        self._cursor = 0
        self._active = False

    # -- rows ----------------------------------------------------------------------------------------------------

    @property
    def rows(self) -> Sequence[Row]:
        return self._rows

    @property
    def cursor(self) -> int:
        return self._cursor

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self._cursor] if self._cursor < len(self._rows) else None

    def show(self, rows: Sequence[Row], empty: str | None = None) -> None:
        """Replace the rows; of the same keys in the same order only those with other content are drawn again."""
        old, self._rows = self._rows, tuple(rows)
        if empty is not None and empty != self._empty:
            self._empty = empty
            if not rows:
                self.refresh()
        if [row.key for row in old] == [row.key for row in self._rows]:
            for index in self._visible():
                if self._rows[index] != old[index]:
                    self._redraw(index)
            return
        was = old[self._cursor].key if self._cursor < len(old) else None
        self._cursor = next(
            (i for i, row in enumerate(self._rows) if row.key == was), min(self._cursor, max(0, len(self._rows) - 1))
        )
        self._fit()
        self._keep_in_view()
        self.refresh()

    def put_on(self, key: str) -> bool:
        """Put the cursor on the row with this key; False where there is none."""
        index = next((i for i, row in enumerate(self._rows) if row.key == key), None)
        if index is not None:
            self.move_to(index)
        return index is not None

    def set_active(self, active: bool) -> None:
        """Show or hide the cursor."""
        if active != self._active:
            self._active = active
            self._redraw(self._cursor)

    def restyle(self, palette: Palette) -> None:
        """Other colours and signs."""
        self._palette = palette
        self.refresh()

    # -- cursor --------------------------------------------------------------------------------------------------

    def move_to(self, index: int) -> None:
        """Put the cursor on a line; out-of-range goes to the end."""
        index = min(max(0, index), max(0, len(self._rows) - 1))
        if index != self._cursor:
            before, self._cursor = self._cursor, index
            self._redraw(before)
            self._redraw(index)
            self._keep_in_view()
            self.post_message(self.Moved(self))

    def move_by(self, lines: int) -> None:
        self.move_to(self._cursor + lines)

    @property
    def page(self) -> int:
        return max(1, self.size.height - 1)

    def line_of_cursor(self) -> int:
        """On which line of the widget the cursor is."""
        return self._cursor - round(self.scroll_y)

    # -- drawing -------------------------------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """Cells a row may fill: room for the scroll bar and the cursor's sign is always kept."""
        return max(0, self.size.width - self.styles.scrollbar_size_vertical - 1)

    def on_resize(self, event: Resize) -> None:
        self._fit()
        self._keep_in_view()

    def _fit(self) -> None:
        self.virtual_size = Size(self.size.width, max(len(self._rows), 1))

    def _keep_in_view(self) -> None:
        top, height = round(self.scroll_y), max(1, self.size.height)
        if self._cursor < top or self._cursor >= top + height:
            y = self._cursor if self._cursor < top else self._cursor - height + 1
            if not top - height <= self._cursor < top + 2 * height:  # a leap: with what is about it
                y = max(0, self._cursor - height // 2)
            # The heading over the first row is part of it.
            if y and y == self._cursor and self._rows[y - 1].heading:
                y -= 1
            self.scroll_to(y=y, animate=False, force=True)

    def _visible(self) -> range:
        top = round(self.scroll_y)
        return range(top, min(top + self.size.height, len(self._rows)))

    def _redraw(self, index: int) -> None:
        line = index - round(self.scroll_y)
        if 0 <= line < self.size.height:
            self.refresh(Region(0, line, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        width, base, p = self.size.width, self.rich_style, self._palette
        index = round(self.scroll_y) + y
        if index >= len(self._rows):
            text = self._empty if not self._rows and y == 0 else ""
            return Strip([Segment(safe(text, width), base + p.dim)]).adjust_cell_length(width, base)
        here = self._active and index == self._cursor
        ground = base + p.cursor if here else base
        plain = here and not p.cursor_tones
        segments = [Segment("▌" if here else " ", ground + p.key)]
        for text, style in self._draw(self._rows[index], self.room, p):
            if text:
                segments.append(Segment(text, ground if plain else ground + style))
        return Strip(segments).adjust_cell_length(width, ground)

    def text_lines(self) -> list[str]:
        """All rows as plain text."""
        return ["".join(text for text, _ in self._draw(row, self.room, self._palette)) for row in self._rows]

    # -- mouse ---------------------------------------------------------------------------------------------------

    def on_click(self, event: Click) -> None:
        event.stop()
        index = round(self.scroll_y) + event.y
        if index < len(self._rows):
            again = self._active and index == self._cursor
            self.move_to(index)
            self.post_message(self.Clicked(self, self._rows[index].key, again))
        else:
            self.post_message(self.Clicked(self, "", False))


def cells(text: str, width: int, style: Style, *, right: bool = False) -> Part:
    """`text`, made safe, in exactly `width` cells."""
    shown = safe(text, max(0, width))
    gap = " " * max(0, width - cell_width(shown))
    return (gap + shown if right else shown + gap), style
