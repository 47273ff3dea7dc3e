"""The filter line of the Runs screen, with what may follow under it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from vitui.query.complete import Completion, complete
from vitui.query.fields import Fields
from vitui.query.filters import Filter
from vitui.text import cell_width, safe
from vitui.tui.widgets.bar import Bar, Part
from vitui.tui.widgets.field import Field

if TYPE_CHECKING:
    from vitui.tui.theme import Palette

GAP = "  "


class FilterLine(Vertical):
    """One line to type in and one that tells what is wrong, and where, or what may follow."""

    def __init__(self, palette: Palette, *, id: str) -> None:
        super().__init__(id=id)
        self._palette = palette
        self._found: list[Completion] = []
        self._picked = 0
        self._filter = Filter()

    def compose(self) -> ComposeResult:
        yield Field(id="filter", placeholder="best>90 and model~swin and tag:paper; words; -state:lost")
        yield Bar(id="hints")

    @property
    def input(self) -> Input:
        return self.query_one(Input)

    def set_text(self, text: str) -> None:
        """Other text, without a message about it."""
        with self.input.prevent(Input.Changed):
            self.input.value = text

    def suggest(self, understood: Filter, fields: Fields, seen: dict[str, list[str]]) -> None:
        """Show what is wrong with the text, or what may stand at the cursor. `seen`: values that runs have."""
        field = self.input
        self._found = complete(field.value, field.cursor_position, fields, seen)
        self._picked, self._filter = 0, understood
        self._show()

    def take(self) -> None:
        """Put the completion that is marked into the text."""
        if self._found:
            field = self.input
            field.value, field.cursor_position = self._found[self._picked].applied(field.value)

    def pick(self, by: int) -> None:
        """Mark another completion."""
        if self._found:
            self._picked = min(max(0, self._picked + by), len(self._found) - 1)
            self._show()

    def _show(self) -> None:
        p, width = self._palette, max(1, self.size.width - 2)
        hints = self.query_one("#hints", Bar)
        if self._filter.problem and not (self._found and self._picked):
            taken = f"tab: {safe(self._found[0].text.strip(), 20)}" if self._found else ""
            room = width - cell_width(taken) - 2
            hints.show([(pointed(self._filter, room), p.warn)], [(taken, p.key)])
        else:
            hints.show(*hint_parts(self._found, self._picked, p, width))


def pointed(understood: Filter, width: int) -> str:
    """The problem with a caret under the place it is about; far to the right the place is told as a number."""
    problem, at = safe(understood.problem, width), understood.problem_at
    if understood.text.isascii() and at + 2 + cell_width(problem) <= width:
        return " " * at + "^ " + problem
    return safe(f"at character {at + 1}: {understood.problem}", width)


def hint_parts(
    found: Sequence[Completion], picked: int, p: Palette, width: int
) -> tuple[list[Part], list[Part]]:  # fmt: skip
    """As many completions as fit, the marked one among them in brackets, and what that one means at the right."""
    if not found:
        return [("enter keeps the filter, esc clears it", p.dim)], []
    told = safe(found[picked].help, 44)
    room = width - cell_width(told) - len("tab ") - 2
    texts = [safe(one.text.strip(), 30) for one in found]
    first = 0
    while picked > first and sum(cell_width(t) + len(GAP) for t in texts[first : picked + 1]) + 2 > room:
        first += 1
    parts: list[Part] = [("tab ", p.dim)]
    for index, text in enumerate(texts[first:], first):
        shown = f"[{text}]" if index == picked else text
        room -= cell_width(shown) + len(GAP)
        if room < 0 and index > picked:
            break
        parts += [(shown, p.key if index == picked else p.text), (GAP, p.text)]
    return parts, [(told, p.dim)]
