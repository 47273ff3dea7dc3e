"""Help: every key of the screen it was called from."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen

from vitui.tui.actions import bindings, groups
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Bar
from vitui.tui.widgets.lines import Line, Lines


def help_lines(screen: str, p: Palette) -> list[Line]:
    """The actions of `screen` by group, key first; made from the table the bindings come from."""
    lines: list[Line] = []
    for group, actions in groups(screen):
        if lines:
            lines.append("")
        lines.append([(group, p.strong)])
        for action in actions:
            lines.append([(f"  {_keys(action.shown, action.keys):<16}", p.key), (action.help, p.text)])
    return lines


def _keys(shown: str, keys: tuple[str, ...]) -> str:
    """The first key as it is written, and the others where they have a readable name."""
    names = {"slash": "/", "question_mark": "?", "colon": ":", "plus": "+", "minus": "-", "equals_sign": "="}
    return " ".join([shown, *(names.get(key, key) for key in keys[1:])])


class HelpScreen(ModalScreen[None]):
    """A box over the screen it explains."""

    AUTO_FOCUS = None
    BINDINGS = [*bindings("help"), Binding("q,question_mark", "back", show=False)]

    def __init__(self, screen: str, palette: Palette) -> None:
        super().__init__()
        self._about = screen
        self._palette = palette

    def compose(self) -> ComposeResult:
        from textual.containers import Vertical

        with Vertical(id="box"):
            yield Bar(id="help-title")
            yield Lines(id="help-lines")

    def on_mount(self) -> None:
        p = self._palette
        self.query_one("#help-title", Bar).show(
            [(f"Keys of the {self._about} screen", p.strong)], [("esc closes", p.dim)]
        )
        self.query_one("#help-lines", Lines).show(help_lines(self._about, p))

    def _scroll(self, lines: int) -> None:
        self.query_one("#help-lines", Lines).scroll_by(lines)

    def _page(self) -> int:
        return self.query_one("#help-lines", Lines).page

    def action_down(self) -> None:
        self._scroll(1)

    def action_up(self) -> None:
        self._scroll(-1)

    def action_half_down(self) -> None:
        self._scroll(self._page() // 2)

    def action_half_up(self) -> None:
        self._scroll(-self._page() // 2)

    def action_page_down(self) -> None:
        self._scroll(self._page())

    def action_page_up(self) -> None:
        self._scroll(-self._page())

    def action_top(self) -> None:
        self._scroll(-(1 << 40))

    def action_bottom(self) -> None:
        self._scroll(1 << 40)

    def action_back(self) -> None:
        self.dismiss()
