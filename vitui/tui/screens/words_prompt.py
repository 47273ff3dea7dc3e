"""A prompt for several words, each of them completed: tags, fields to sort by."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.binding import Binding
from textual.suggester import Suggester
from textual.widgets import Input

from vitui.text import safe
from vitui.tui.screens.prompt import PromptScreen
from vitui.tui.theme import Palette


class LastWord(Suggester):
    """Suggests how the last of several words may go on. `between` parts them; one of `signs` may lead each."""

    def __init__(self, words: Sequence[str], between: str, signs: str) -> None:
        super().__init__(case_sensitive=True)
        self._words = [word for word in words if safe(word) == word]  # others cannot be typed, or be shown as they are
        self._between, self._signs = between, signs

    async def get_suggestion(self, value: str) -> str | None:
        part = value.rpartition(self._between)[2].lstrip(" ")
        part = part[1:] if part and part[0] in self._signs else part
        if not part:
            return None
        found = next((word for word in self._words if word.startswith(part) and word != part), None)
        return None if found is None else value[: len(value) - len(part)] + found


class WordsScreen(PromptScreen):
    """A prompt that completes the last word; tab takes the completion."""

    BINDINGS = [Binding("tab", "complete", show=False, priority=True)]

    def __init__(
        self,
        title: str,
        palette: Palette,
        *,
        words: Sequence[str],
        between: str = " ",
        signs: str = "+-",
        value: str = "",
        hint: str = "",
        check: Callable[[str], str] = lambda _: "",
    ) -> None:
        """As PromptScreen; `between` and `signs` as in `LastWord`."""  # fmt: skip
        super().__init__(title, palette, value=value, hint=hint, check=check)
        self._suggester = LastWord(words, between, signs)

    def on_mount(self) -> None:
        self.query_one(Input).suggester = self._suggester

    def action_complete(self) -> None:
        field = self.query_one(Input)
        field.action_end()
        field.action_cursor_right()  # at the end this takes what is suggested
