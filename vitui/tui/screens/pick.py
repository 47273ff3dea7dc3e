"""Pick: one or several things out of a list that can be searched."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from vitui.text import safe
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Bar
from vitui.tui.widgets.lines import Line, Lines


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry. `id` is what picking it gives; `label` and `detail` are shown, whatever they hold."""

    id: str
    label: str
    detail: str = ""


class PickScreen(ModalScreen[list[str] | None]):
    """Typing searches, up and down move, enter picks; with `many`, space marks (and `picked` are marked at first).

    Dismissed with the ids picked, in the order of the list (marked ones; without marks the one under the cursor), or
    None for esc. With `ordered`, shift+up and shift+down move an entry, and the ids come in the new order.
    """

    AUTO_FOCUS = "#pick-search"
    BINDINGS = [
        Binding("escape", "cancel", show=False, priority=True),
        Binding("down,ctrl+n", "move(1)", show=False, priority=True),
        Binding("up,ctrl+p", "move(-1)", show=False, priority=True),
        Binding("pagedown", "move(10)", show=False, priority=True),
        Binding("pageup", "move(-10)", show=False, priority=True),
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
        super().__init__()
        self._title, self._choices, self._palette = title, list(choices), palette
        self._many, self._ordered, self._picked = many, ordered, set(picked)
        self._shown: list[Choice] = list(choices)
        self._cursor = 0

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Bar(id="pick-title")
            field = Input(compact=True, id="pick-search", placeholder="type to search")
            field.cursor_blink = False
            yield field
            yield Lines(id="pick-list", empty="nothing matches")

    def on_mount(self) -> None:
        p = self._palette
        keys = "space marks, " if self._many else ""
        keys += "shift+arrows move, " if self._ordered else ""
        self.query_one("#pick-title", Bar).show([(self._title, p.strong)], [(f"{keys}enter takes, esc leaves", p.dim)])
        self._show()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        words = event.value.casefold().split()
        self._shown = [c for c in self._choices if all(w in f"{c.id} {c.label} {c.detail}".casefold() for w in words)]
        self._cursor = 0
        self._show()

    def _show(self) -> None:
        p, lines = self._palette, list[Line]()
        for index, choice in enumerate(self._shown):
            here = index == self._cursor
            mark = ("[x] " if choice.id in self._picked else "[ ] ") if self._many else ""
            label = safe(choice.label, 40)
            lines.append([
                ("▌" if here else " ", p.key),
                (mark, p.mark),
                (f"{label:<24} ", p.strong if here else p.text),
                (safe(choice.detail, 200), p.dim),
            ])  # fmt: skip
        listing = self.query_one("#pick-list", Lines)
        listing.show(lines)
        listing.reveal(self._cursor)

    @on(Input.Submitted)
    def _done(self) -> None:
        if self._many and (self._picked or not self._shown):
            self.dismiss([c.id for c in self._choices if c.id in self._picked])
        elif self._shown:
            self.dismiss([self._shown[self._cursor].id])

    def action_move(self, lines: int) -> None:
        self._cursor = min(max(0, self._cursor + lines), max(0, len(self._shown) - 1))
        self._show()

    def action_mark(self) -> None:
        if self._many and self._shown:
            self._picked ^= {self._shown[self._cursor].id}
            self.action_move(1)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Space is a character of the search where nothing can be marked."""
        return action != "mark" or self._many

    def action_shift(self, lines: int) -> None:
        """Move the entry under the cursor; only in the whole list, where its place is plain."""
        target = self._cursor + lines
        if self._ordered and len(self._shown) == len(self._choices) and 0 <= target < len(self._choices):
            self._choices.insert(target, self._choices.pop(self._cursor))
            self._shown, self._cursor = list(self._choices), target
            self._show()

    def action_cancel(self) -> None:
        self.dismiss(None)
