"""Lines: a scrolling list of ready-made lines (log, recipe, events, help), drawn one by one as they are seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.events import Resize
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from vitui.tui.widgets.bar import recoloured

Part = tuple[str, Style]
Line = str | Sequence[Part]
"""Text that is already safe for a terminal (see vitui.text), plain or in styled parts."""


class Lines(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows lines; `follow` keeps the last one in view until the reader scrolls up."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Lines { width: 1fr; height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """

    def __init__(
        self,
        *,
        follow: bool = False,
        empty: str = "",
        style: Style | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Line] = ()
        self._follow = follow
        self._stuck = follow
        self._empty = empty
        self._style = style or Style()

    def show(self, lines: Sequence[Line]) -> None:
        """Replace all lines; nothing is drawn when they are the same object or equal."""
        if lines is self._lines or lines == self._lines:
            return
        self._lines = lines
        self._fit()
        self.refresh()

    def recolour(self, change: Mapping[Style, Style]) -> None:
        """Replace styles: the theme has changed."""
        self._style = change.get(self._style, self._style)
        self.show([line if isinstance(line, str) else recoloured(line, change) for line in self._lines])
        self.refresh()

    @property
    def lines(self) -> Sequence[Line]:
        return self._lines

    def on_resize(self, event: Resize) -> None:
        self._fit()

    def _fit(self) -> None:
        self.virtual_size = Size(self.size.width, max(len(self._lines), 1))
        if self._stuck:
            self.scroll_to(y=max(0, len(self._lines) - self.size.height), animate=False, force=True)

    def scroll_by(self, lines: int) -> None:
        """Scroll down (negative: up). At the end a following list sticks to it again."""
        bottom = max(0, len(self._lines) - self.size.height)
        target = min(max(0, round(self.scroll_y) + lines), bottom)
        self._stuck = self._follow and target >= bottom
        self.scroll_to(y=target, animate=False, force=True)

    def reveal(self, index: int) -> None:
        """Scroll as little as brings a line into view."""
        top, height = round(self.scroll_y), max(1, self.size.height)
        if index < top or index >= top + height:
            self.scroll_to(y=index if index < top else index - height + 1, animate=False, force=True)

    @property
    def page(self) -> int:
        return max(1, self.size.height - 1)

    def on_mouse_scroll_up(self) -> None:
        self._stuck = False

    def render_line(self, y: int) -> Strip:
        base, width = self.rich_style + self._style, self.size.width
        index = round(self.scroll_y) + y
        if not self._lines:
            line: Line = self._empty if y == 0 else ""
        elif index < len(self._lines):
            line = self._lines[index]
        else:
            line = ""
        if isinstance(line, str):
            segments = [Segment(line, base)] if line else []
        else:
            segments = [Segment(text, base + style) for text, style in line if text]
        return Strip(segments).adjust_cell_length(width, base)

    def text_lines(self) -> list[str]:
        """All lines as plain text."""
        return [line if isinstance(line, str) else "".join(text for text, _ in line) for line in self._lines]
