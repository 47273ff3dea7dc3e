"""Info: a page of text over the screen, made for the width it has."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.events import Resize
from textual.screen import ModalScreen

from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Bar
from vitui.tui.widgets.lines import Line, Lines

Page = Callable[[int, Palette], list[Line]]


class InfoScreen(ModalScreen[None]):
    """Read and left: esc, q, i, enter; the keys of lists scroll."""

    AUTO_FOCUS = None
    BINDINGS = [
        Binding("escape,backspace,q,i,enter", "leave", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown,space,ctrl+d", "scroll(10)", show=False),
        Binding("pageup,ctrl+u", "scroll(-10)", show=False),
        Binding("home,g", "scroll(-100000)", show=False),
        Binding("end,G", "scroll(100000)", show=False),
    ]

    def __init__(self, title: str, page: Page, palette: Palette) -> None:
        """`title` and what `page` makes must be safe text."""
        super().__init__()
        self._title, self._page, self._palette = title, page, palette

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Bar(id="info-title")
            yield Lines(id="info-page")

    def on_mount(self) -> None:
        p = self._palette
        self.query_one("#info-title", Bar).show([(self._title, p.strong)], [("esc closes", p.dim)])

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        page = self.query_one("#info-page", Lines)
        page.show(self._page(max(20, page.size.width - 1), self._palette))

    def action_scroll(self, lines: int) -> None:
        self.query_one("#info-page", Lines).scroll_by(lines)

    def action_leave(self) -> None:
        self.dismiss(None)
