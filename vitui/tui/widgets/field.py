"""Field: a line to type in, whatever is typed, pasted or put into it."""

from __future__ import annotations

from textual.suggester import Suggester
from textual.widgets import Input

from vitui.text import safe


class Field(Input):
    """What a terminal would obey is shown, and kept, as its escape: Textual's own line draws it as it comes."""

    def __init__(
        self, value: str = "", *, placeholder: str = "", suggester: Suggester | None = None, id: str | None = None
    ) -> None:
        super().__init__(value, placeholder, suggester=suggester, compact=True, id=id)
        self.cursor_blink = False  # a blinking cursor costs 3 kB a second over SSH

    def validate_value(self, value: str) -> str:
        """The text as it can be drawn."""
        return _drawable(value)

    def replace(self, text: str, start: int, end: int) -> None:
        """Put `text` in the place of what is between two positions, and the cursor behind it."""
        value = self.value
        start, end = sorted((max(0, start), min(len(value), end)))
        before = _drawable(value[:start] + text)
        self.value = value[:start] + text + value[end:]
        self.cursor_position = len(before)


def _drawable(text: str) -> str:
    return safe(text.replace("\t", " "))
