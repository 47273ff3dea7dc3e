"""Prompt: one line of text, checked as it is typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input

from vitui.text import safe, wrapped
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Bar
from vitui.tui.widgets.field import Field
from vitui.tui.widgets.lines import Lines


class PromptScreen(ModalScreen[str | None]):
    """Dismissed with the text for enter, None for esc.

    `check` gives what is wrong with a text as one sentence, empty where nothing is; enter is refused meanwhile.
    `words`: completions that are suggested; tab takes one.
    """

    AUTO_FOCUS = "#prompt-field"
    BINDINGS = [
        Binding("escape", "cancel", show=False, priority=True),
        Binding("tab", "complete", show=False, priority=True),
    ]

    def __init__(
        self,
        title: str,
        palette: Palette,
        *,
        value: str = "",
        hint: str = "",
        check: Callable[[str], str] = lambda _: "",
        words: Sequence[str] = (),
    ) -> None:
        """`title` and `hint` must be safe text."""
        super().__init__()
        self._title, self._hint, self._palette = title, hint, palette
        self._value, self._check, self._words = value, check, words

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Bar(id="prompt-title")
            words = [word for word in self._words if safe(word) == word]
            suggester = SuggestFromList(words, case_sensitive=False) if words else None
            yield Field(self._value, id="prompt-field", suggester=suggester)
            yield Lines(id="prompt-said")

    def on_mount(self) -> None:
        p = self._palette
        self.query_one("#prompt-title", Bar).show([(self._title, p.strong)], [("enter keeps, esc leaves", p.dim)])
        self._say(self._value)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._say(event.value)

    def _say(self, text: str) -> str:
        problem, p = self._check(text), self._palette
        style = p.warn if problem else p.dim
        said = self.query_one("#prompt-said", Lines)
        text = safe(problem, 300) if problem else self._hint
        said.show([[(line, style)] for line in wrapped(text, max(20, said.size.width))])
        return problem

    @on(Input.Submitted)
    def _done(self, event: Input.Submitted) -> None:
        if not self._say(event.value):
            self.dismiss(event.value)

    def on_resize(self) -> None:
        self._say(self.query_one(Input).value)

    def action_complete(self) -> None:
        """Take the completion that is suggested."""
        field = self.query_one(Input)
        field.action_end()
        field.action_cursor_right()

    def action_cancel(self) -> None:
        self.dismiss(None)
