"""Pick: one or several things out of a list that can be searched."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from textual.binding import Binding

from vitui.text import safe
from vitui.tui.finding import find, fold
from vitui.tui.screens.search import SearchScreen
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Bar, Part
from vitui.tui.widgets.listing import Row, cells

LABEL_SHARE = 0.55
"""The part of a line that a label may take where there is a detail as well."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry. `id` is what picking it gives; `label` and `detail` are shown, whatever they hold."""

    id: str
    label: str
    detail: str = ""


class PickScreen(SearchScreen[list[str]]):
    """Typing searches, up and down move, enter picks; with `many`, space marks (and `picked` are marked at first).

    Dismissed with the ids picked, in the order of the list (marked ones; without marks the one under the cursor), or
    None for esc. With `ordered`, shift+up and shift+down move an entry, and the ids come in the new order. Quick
    with ten thousand entries: a line is made when it is seen.
    """

    NAME = "pick"
    FREE = ("space",)
    BINDINGS = [
        Binding("space", "mark", show=False, priority=True),
        Binding("shift+down", "shift(1)", show=False, priority=True),
        Binding("shift+up", "shift(-1)", show=False, priority=True),
    ]

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice],
        palette: Palette,
        *,
        many: bool = False,
        ordered: bool = False,
        picked: Collection[str] = (),
    ) -> None:
        """`title` must be safe text."""
        super().__init__(title, palette)
        self._choices, self._many, self._ordered, self._picked = list(choices), many, ordered, set(picked)
        self._label_width = min(40, max((len(choice.label) for choice in choices), default=0))
        self._folded: list[str] = []
        self._rows: list[Row] = []
        self._index()

    def _index(self) -> None:
        self._folded = [fold(f"{choice.label} {choice.id} {choice.detail}") for choice in self._choices]
        self._rows = [Row(choice.id, choice) for choice in self._choices]

    def found(self, query: str) -> Sequence[Row]:
        rows = self._rows if not query.strip() else [self._rows[index] for index in find(query, self._folded)]
        self._show_title(len(rows))
        return rows

    def _show_title(self, found: int) -> None:
        p = self._palette
        number = f"  {found:,} of {len(self._choices):,}" if found != len(self._choices) else ""
        number += f"  {len(self._picked)} marked" if self._picked else ""
        keys = "space marks, " if self._many else ""
        keys += "shift+arrows move, " if self._ordered else ""
        title: list[Part] = [(self._title, p.strong), (number, p.dim)]
        self.query_one("#pick-title", Bar).show(title, [(keys + self.HINT, p.dim)])

    def draw(self, row: Row, room: int, p: Palette) -> Sequence[Part]:
        choice: Choice = row.content
        mark = ("[x] " if choice.id in self._picked else "[ ] ") if self._many else ""
        left = room - len(mark)
        width = left if not choice.detail else min(self._label_width, int(left * LABEL_SHARE))
        return [
            (mark, p.mark),
            cells(choice.label, width, p.text),
            (" ", p.dim),
            (safe(choice.detail, max(0, left - width - 1)), p.dim),
        ]

    def take(self, row: Row | None) -> None:
        if self._many and (self._picked or row is None):
            self.dismiss([choice.id for choice in self._choices if choice.id in self._picked])
        elif row is not None:
            self.dismiss([row.key])

    def action_mark(self) -> None:
        row = self.listing.current
        if row is not None:
            self._picked ^= {row.key}
            self.listing.refresh()
            self.action_move(1)
            self._show_title(len(self.listing.rows))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Space is a character of the search where nothing can be marked."""
        if action in ("mark", "shift"):
            return self._many if action == "mark" else self._ordered
        return super().check_action(action, parameters)

    def action_shift(self, lines: int) -> None:
        """Move the entry under the cursor; only in the whole list, where its place is plain."""
        here = self.listing.cursor
        if not self.typed.strip() and 0 <= here + lines < len(self._choices):
            self._choices.insert(here + lines, self._choices.pop(here))
            self._index()
            self.show_again()
