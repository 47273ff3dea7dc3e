"""Bar: one line of styled text that never lays out anything and is drawn again only when its text changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from vitui.text import ELLIPSIS, cell_width

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

    def recolour(self, change: Mapping[Style, Style]) -> None:
        """Replace styles: the theme has changed."""
        self.show(recoloured(self._parts, change), recoloured(self._right, change))

    def links(self) -> list[tuple[int, str, str]]:
        """Column, text and action of every link that can be seen, in their order; parts of one link are joined."""
        found: list[tuple[int, str, str]] = []
        width = self.size.width
        left, right = (sum(cell_width(text) for text, _ in parts) for parts in (self._parts, self._right))
        shown = [(0, self._parts)]
        if left + right + 1 <= width:
            shown.append((width - right, self._right))
        for start, parts in shown:
            column, before = start, ""
            for text, style in parts:
                action = str(style.meta.get("@click", "")) if style.meta else ""
                if action and action != before and column < width:
                    found.append((column, text.strip(), action))
                before, column = action, column + cell_width(text)
        return found

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


def recoloured(parts: Sequence[Part], change: Mapping[Style, Style]) -> list[Part]:
    """`parts` with other styles; links stay links."""
    return [(text, _changed(style, change)) for text, style in parts]


def _changed(style: Style, change: Mapping[Style, Style]) -> Style:
    if not style.meta:
        return change.get(style, style)
    plain = style.clear_meta_and_links()
    return change.get(plain, plain) + Style.from_meta(style.meta)


def link(style: Style, action: str) -> Style:
    """`style` as a link that carries out a Textual action when clicked."""
    return style + Style.from_meta({"@click": action})


def progress(part: float | None, width: int, done: Style, rest: Style) -> list[Part]:
    """A bar of `width` cells, filled to `part` (0 to 1) in half cells; readable without colour."""
    halves = round(min(max(part or 0.0, 0.0), 1.0) * width * 2)
    full, half = divmod(halves, 2)
    return [("━" * full + ("╸" if half else ""), done), ("┄" * (width - full - half), rest)]
