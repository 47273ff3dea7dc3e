"""Bar: one line of styled text that never lays out anything and is drawn again only when its text changes."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from vitui.text import ELLIPSIS

Part = tuple[str, Style]


class Bar(Widget):
    """Shows `parts` on the left and, where there is room, `right` at the right end.

    Text must be safe for a terminal already (see vitui.text). A part whose style has ``@click`` meta is a link.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Bar { width: 1fr; height: 1; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._parts: tuple[Part, ...] = ()
        self._right: tuple[Part, ...] = ()

    def show(self, parts: Sequence[Part], right: Sequence[Part] = ()) -> None:
        """Replace the text."""
        if (tuple(parts), tuple(right)) != (self._parts, self._right):
            self._parts, self._right = tuple(parts), tuple(right)
            self.refresh()

    @property
    def text(self) -> str:
        """What it says, plain, whether or not it fits."""
        return "".join(text for text, _ in (*self._parts, *self._right))

    def render_line(self, y: int) -> Strip:
        base, width = self.rich_style, self.size.width
        left = Strip([Segment(text, base + style) for text, style in self._parts if text])
        right = Strip([Segment(text, base + style) for text, style in self._right if text])
        if left.cell_length > width:
            cut = Strip.join([left.crop(0, width - 1), Strip([Segment(ELLIPSIS, base)])])
            return cut.adjust_cell_length(width, base)
        if left.cell_length + right.cell_length + 1 > width:
            return left.adjust_cell_length(width, base)
        return Strip.join([left.adjust_cell_length(width - right.cell_length, base), right])


def link(style: Style, action: str) -> Style:
    """`style` as a link that carries out a Textual action when clicked."""
    return style + Style.from_meta({"@click": action})


def progress(part: float | None, width: int, done: Style, rest: Style) -> list[Part]:
    """A bar of `width` cells, filled to `part` (0 to 1) in half cells; readable without colour."""
    halves = round(min(max(part or 0.0, 0.0), 1.0) * width * 2)
    full, half = divmod(halves, 2)
    return [("━" * full + ("╸" if half else ""), done), ("┄" * (width - full - half), rest)]
