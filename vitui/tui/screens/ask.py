"""Ask: a yes-or-no question before something that cannot be taken back."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.events import Resize
from textual.screen import ModalScreen

from vitui.text import wrapped
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Bar, link
from vitui.tui.widgets.lines import Line, Lines

MOST_LINES = 9


class AskScreen(ModalScreen[bool]):
    """Dismissed with True for y, False for n, esc, q and backspace. Enter does nothing: it is pressed too easily."""

    AUTO_FOCUS = None
    BINDINGS = [
        Binding("y", "answer(True)", show=False),
        Binding("n,escape,q,backspace", "answer(False)", show=False),
    ]

    def __init__(self, question: str, detail: str, palette: Palette) -> None:
        """`question` and `detail` must be safe text; both are broken into lines where they are long."""
        super().__init__()
        self._question = question
        self._detail = detail
        self._palette = palette

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Lines(id="question")
            yield Bar(id="answers")

    def on_mount(self) -> None:
        p = self._palette
        yes, no = "screen.answer(True)", "screen.answer(False)"
        self.query_one("#answers", Bar).show(
            [("y", link(p.key, yes)), (" yes   ", link(p.text, yes)), ("n", link(p.key, no)), (" no", link(p.text, no))]
        )

    def on_resize(self, event: Resize) -> None:
        """As high as the text needs at this width; the question first, then what it means."""
        p = self._palette
        room = max(20, min(76, int(event.size.width * 0.96)) - 4)
        lines: list[Line] = [[(line, p.strong)] for line in wrapped(self._question, room)]
        lines += [[(line, p.dim)] for line in wrapped(self._detail, room)]
        lines = lines[:MOST_LINES]
        self.query_one("#question", Lines).show(lines)
        self.query_one("#box").styles.height = len(lines) + 3

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)
