"""Ask: a yes-or-no question before something that cannot be taken back."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen

from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Bar, link


class AskScreen(ModalScreen[bool]):
    """Dismissed with True for y, False for n and esc. Enter does nothing: it is pressed too easily."""

    AUTO_FOCUS = None
    BINDINGS = [Binding("y", "answer(True)", show=False), Binding("n,escape,q", "answer(False)", show=False)]

    def __init__(self, question: str, detail: str, palette: Palette) -> None:
        """`question` and `detail` must be safe text."""
        super().__init__()
        self._question = question
        self._detail = detail
        self._palette = palette

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Bar(id="question")
            yield Bar(id="consequence")
            yield Bar(id="answers")

    def on_mount(self) -> None:
        p = self._palette
        self.query_one("#question", Bar).show([(self._question, p.strong)])
        self.query_one("#consequence", Bar).show([(self._detail, p.dim)])
        yes, no = "screen.answer(True)", "screen.answer(False)"
        self.query_one("#answers", Bar).show(
            [("y", link(p.key, yes)), (" yes   ", link(p.text, yes)), ("n", link(p.key, no)), (" no", link(p.text, no))]
        )

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)
