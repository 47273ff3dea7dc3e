"""LogView: a log of any length, of which only some lines are at hand; matches of a search stand out."""

from __future__ import annotations

import re
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual.events import MouseScrollDown, MouseScrollUp, Resize
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from vitui.tui.logfile import LogPage, LogWindow
from vitui.tui.theme import Palette

WHEEL_LINES = 3


class LogView(Widget, can_focus=False):
    """Shows `page`s. `Wanted` says that lines of another window are needed: the screen gets them and calls `show`.

    While it follows, the last line is at the bottom, whatever comes. It stops when scrolled up, and follows again at
    the end.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    LogView { width: 1fr; height: 1fr; }
    """

    class Wanted(Message):
        """Other lines are needed, or what is shown has moved."""

    def __init__(self, palette: Palette, *, empty: str = "", id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._palette, self._empty = palette, empty
        self._page = LogPage(0, 0, ())
        self._top = 0
        self._window = LogWindow()
        self._pattern: re.Pattern[str] | None = None
        self._here: int | None = None
        self._wrap = False
        self._laid_out: tuple[Any, ...] = ()
        self._layout_rows: list[tuple[int, int]] = []
        self.following = True

    # -- what is shown -------------------------------------------------------------------------------------------

    def show(self, page: LogPage) -> None:
        """Replace the lines at hand."""
        if page != self._page:
            if page.total < self._page.total:  # another file, or one that was cut
                self._here = None
                self._top = min(self._top, max(0, page.total - 1))
            moved = (page.total, page.share) != (self._page.total, self._page.share)
            self._page = page
            self._settle(moved)
            self.refresh()

    def mark(self, pattern: re.Pattern[str] | None, here: int | None = None) -> None:
        """Make what matches stand out; `here`: the line of the match that one stands at, brought into view."""
        self._pattern, self._here = pattern, here
        if here is not None:
            if not self._top <= here < self._top + max(1, self.size.height - 1):
                self._go(here - self.size.height // 2)
            self.following = False  # what comes must not carry it away
            self._settle(True)
        self.refresh()

    def restyle(self, palette: Palette) -> None:
        """Other colours."""
        if palette != self._palette:
            self._palette = palette
            self.refresh()

    @property
    def window(self) -> LogWindow:
        """The lines it needs."""
        return self._window

    @property
    def total(self) -> int:
        return self._page.total

    @property
    def wraps(self) -> bool:
        return self._wrap

    def in_view(self) -> tuple[int, int]:
        """First and last line in view, counted from 1; (0, 0) for an empty log."""
        if not self._page.total:
            return 0, 0
        rows = self._rows()
        return self._top + 1, max((line for line, _ in rows), default=self._top) + 1

    # -- moving --------------------------------------------------------------------------------------------------

    @property
    def page(self) -> int:
        return max(1, self.size.height - 1)

    def scroll_lines(self, lines: int) -> None:
        """Down (negative: up). At the end it follows."""
        self.following = False
        self._go(self._top + lines)

    def follow(self, on: bool) -> None:
        """Keep the last line in view, or stay where it is."""
        self.following = on
        self._settle(True)
        self.refresh()

    def wrap(self, on: bool) -> None:
        """Long lines go on in the next row, or are cut at the right edge."""
        self._wrap = on
        self._settle(True)
        self.refresh()

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self.scroll_lines(-WHEEL_LINES)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self.scroll_lines(WHEEL_LINES)

    def on_resize(self, event: Resize) -> None:
        self._settle(True)
        self.refresh()

    def _go(self, top: int) -> None:
        last = self._last_top()
        self._top = min(max(0, top), last)
        if top >= last:
            self.following = True
        self._settle(True)
        self.refresh()

    def _last_top(self) -> int:
        """The top line with which the last line is at the bottom."""
        height, total = max(1, self.size.height), self._page.total
        if not self._wrap:
            return max(0, total - height)
        rows, line = 0, total
        while line > 0 and rows < height:
            line -= 1
            rows += self._height_of(line)
        return min(total - 1, line + (rows > height)) if total else 0

    def _settle(self, moved: bool) -> None:
        """Follow, and say which lines are needed now."""
        if self.following:
            self._top = self._last_top()
        height = max(1, self.size.height)
        at_hand = self._page.first <= self._top and (
            self._top + height <= self._page.first + len(self._page.lines)
            or self._page.first + len(self._page.lines) >= self._page.total
        )
        count = max(LogWindow().count, 4 * height)
        if self.following:
            window = LogWindow(None, count)
        elif at_hand and self._window.first is not None:
            window = self._window
        else:
            window = LogWindow(max(0, self._top - count // 2), count)
        if window != self._window or moved:
            self._window = window
            self.post_message(self.Wanted())

    # -- drawing -------------------------------------------------------------------------------------------------

    def _line(self, number: int) -> str | None:
        """A line, None where it is not at hand (yet)."""
        index = number - self._page.first
        return self._page.lines[index] if 0 <= index < len(self._page.lines) else None

    def _height_of(self, number: int) -> int:
        text = self._line(number)
        width = max(1, self.size.width)
        return 1 if not text or not self._wrap else max(1, -(-Strip([Segment(text)]).cell_length // width))

    def _rows(self) -> list[tuple[int, int]]:
        """What each row shows: line number, and which piece of it."""
        of = (self._top, self._page, self._wrap, self.size)
        if self._laid_out != of:
            rows: list[tuple[int, int]] = []
            line = self._top
            while line < self._page.total and len(rows) < self.size.height:
                rows += [(line, piece) for piece in range(self._height_of(line))]
                line += 1
            self._laid_out, self._layout_rows = of, rows[: self.size.height]
        return self._layout_rows

    def render_line(self, y: int) -> Strip:
        base, width, p = self.rich_style, self.size.width, self._palette
        rows = self._rows()
        if not self._page.total:
            return Strip([Segment(self._empty if y == 0 else "", base + p.dim)]).adjust_cell_length(width, base)
        if y >= len(rows):
            return Strip.blank(width, base)
        number, piece = rows[y]
        text = self._line(number)
        strip = Strip(
            [Segment("·", base + p.dim)] if text is None else self._segments(text, number == self._here, base)
        )
        if piece or self._wrap:
            strip = strip.crop(piece * width, (piece + 1) * width)
        return strip.adjust_cell_length(width, base)

    def _segments(self, text: str, here: bool, base: Style) -> list[Segment]:
        if self._pattern is None:
            return [Segment(text, base)] if text else []
        tone = base + self._palette.mark + Style(reverse=here, underline=True)
        out, done = list[Segment](), 0
        for match in self._pattern.finditer(text):
            start, end = match.span()
            if end > start:
                out += [Segment(text[done:start], base), Segment(text[start:end], tone)]
                done = end
        return [segment for segment in [*out, Segment(text[done:], base)] if segment.text]

    def text_lines(self) -> list[str]:
        """What is in view, as plain text."""
        return [self.render_line(y).text.rstrip() for y in range(self.size.height)]
