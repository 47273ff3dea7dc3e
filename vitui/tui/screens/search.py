"""What the dialogs with a search line and a list have in common: typing searches, arrows move, enter takes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.events import Click
from textual.screen import ModalScreen
from textual.widgets import Input

from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Bar, Part
from vitui.tui.widgets.field import Field
from vitui.tui.widgets.listing import Listing, Row

Result = TypeVar("Result")


class SearchField(Field):
    """A search line that leaves some characters to the dialog; where the dialog does not want one, it is typed."""

    def __init__(self, free: Collection[str], *, id: str) -> None:
        super().__init__(id=id, placeholder="type to search")
        self._free = free

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return key not in self._free and super().check_consume_key(key, character)


class SearchScreen(ModalScreen[Result | None]):
    """A box over the screen. Escape leaves it, and so does backspace where nothing is typed: in tmux escape is slow.

    A dialog says which rows a query finds (`found`), how a row is drawn (`draw`) and what taking one does (`take`).
    """

    NAME = ""
    """Of its widgets: ``#<name>-title``, ``-search``, ``-list``."""
    FREE: ClassVar[tuple[str, ...]] = ()
    """Characters that are keys of the dialog, as far as its `check_action` wants them."""
    HINT = "enter takes, esc leaves"
    AUTO_FOCUS = "Input"
    BINDINGS = [
        Binding("escape", "cancel", show=False, priority=True),
        Binding("backspace", "cancel_unless_typed", show=False, priority=True),
        Binding("down,ctrl+n", "move(1)", show=False, priority=True),
        Binding("up,ctrl+p", "move(-1)", show=False, priority=True),
        Binding("pagedown", "page(1)", show=False, priority=True),
        Binding("pageup", "page(-1)", show=False, priority=True),
        Binding("home,ctrl+home", "to(0)", show=False, priority=True),
        Binding("end,ctrl+end", "to(-1)", show=False, priority=True),
    ]

    def __init__(self, title: str, palette: Palette) -> None:
        """`title` must be safe text."""
        super().__init__()
        self._title, self._palette = title, palette
        self._untouched = True

    # What a dialog says.

    def found(self, query: str) -> Sequence[Row]:
        """The rows for what is typed, the best first."""
        raise NotImplementedError

    def draw(self, row: Row, room: int, p: Palette) -> Sequence[Part]:
        """The parts of a row in `room` cells, of safe text; `p`: the styles."""
        raise NotImplementedError

    def take(self, row: Row | None) -> None:
        """Enter was pressed, or a row clicked twice; None where there is no row."""
        raise NotImplementedError

    # The dialog.

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Bar(id=f"{self.NAME}-title")
            yield SearchField(self.FREE, id=f"{self.NAME}-search")
            yield Listing(self._palette, self.draw, empty="nothing matches", id=f"{self.NAME}-list")

    def on_mount(self) -> None:
        self.listing.set_active(True)
        self.search("")

    @property
    def listing(self) -> Listing:
        return self.query_one(Listing)

    @property
    def typed(self) -> str:
        """What stands in the search line."""
        return self.query_one(Input).value

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._untouched = self._untouched and not event.value
        self.search(event.value)

    def search(self, query: str) -> None:
        """Show what `query` finds, with the cursor on the best."""
        rows = self.found(query)
        self.listing.show(rows)
        self.listing.move_to(next((i for i, row in enumerate(rows) if not row.heading), 0))

    def show_again(self) -> None:
        """Show the rows again, with the cursor where it was."""
        self.listing.show(self.found(self.typed))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        row = self.listing.current
        self.take(None if row is None or row.heading else row)

    @on(Listing.Clicked)
    def _clicked(self, event: Listing.Clicked) -> None:
        row = self.listing.current
        if event.again and row is not None and not row.heading:
            self.take(row)

    def on_click(self, event: Click) -> None:
        if event.widget is self:  # beside the box
            self.action_cancel()

    def action_move(self, lines: int) -> None:
        """Move the cursor, over headings."""
        rows = self.listing.rows
        index = self.listing.cursor + lines
        while 0 <= index < len(rows) and rows[index].heading:
            index += 1 if lines > 0 else -1
        if 0 <= index < len(rows):
            self.listing.move_to(index)

    def action_page(self, pages: int) -> None:
        self._move_near(self.listing.cursor + pages * self.listing.page)

    def action_to(self, index: int) -> None:
        self._move_near(index if index >= 0 else len(self.listing.rows) - 1)

    def _move_near(self, index: int) -> None:
        """Put the cursor on the line, or on the next one that is no heading."""
        rows = self.listing.rows
        index = min(max(0, index), len(rows) - 1)
        near = next((i for i in range(max(0, index), len(rows)) if not rows[i].heading), None)
        if near is not None:
            self.listing.move_to(near)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Backspace leaves only where nothing has been typed: held down to delete the search it must not."""
        return action != "cancel_unless_typed" or self._untouched

    def action_cancel_unless_typed(self) -> None:
        self.action_cancel()

    def action_cancel(self) -> None:
        self.dismiss(None)
