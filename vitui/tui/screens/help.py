"""Help and command palette: one searchable list of what can be done here, and enter does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.binding import Binding

from vitui.text import safe
from vitui.tui.actions import Action, groups
from vitui.tui.finding import find, fold
from vitui.tui.keymap import key_names
from vitui.tui.screens.search import SearchScreen
from vitui.tui.theme import Palette
from vitui.tui.themes import APPEARANCES
from vitui.tui.widgets.bar import Bar, Part
from vitui.tui.widgets.listing import Row, cells

if TYPE_CHECKING:
    from vitui.store import Run
    from vitui.tui.screens.base import LabScreen

KEYS_WIDTH = 16
"""Cells that keys may take."""
MOST_RUNS = 200
"""Runs a search lists: nobody reads more, and each line costs."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be done. `why_not`: why not now; `run` is called once the list is closed. Safe text."""

    id: str
    keys: str
    label: str
    help: str
    group: str
    run: Callable[[], object]
    why_not: str = ""


Searched = Callable[[str, bool], Sequence[Entry]]
"""What else a search finds, beside the entries that are always there: by words, or by letters alone."""


def everything(screen: LabScreen) -> list[Entry]:
    """Every action of a screen by group, then what keys do in the field in focus."""
    found = [_entry(screen, action) for _, actions in groups(screen.KIND, screen.vitui.actions) for action in actions]
    return [*found, *_in_focus(screen)]


def possible_now(screen: LabScreen) -> list[Entry]:
    """What can be done on a screen now, and the themes."""
    app = screen.vitui
    found = [_entry(screen, action) for action in screen.actions if action.palette and screen.possible(action)]
    themes = [
        Entry(f"theme:{one.name}", "", f"theme {one.name}", f"Theme {one.name}: {one.title}", "Themes",
              partial(app.choose_theme, one.name))
        for one in APPEARANCES.values()
    ]  # fmt: skip
    return [*found, *([] if app.no_color else themes)]


def _entry(screen: LabScreen, action: Action) -> Entry:
    return Entry(
        action.id, key_names(action.keys), action.label, action.help, action.group, partial(screen.perform, action),
        screen.why_not(action),
    )  # fmt: skip


def _in_focus(screen: LabScreen) -> list[Entry]:
    """The keys of the widget in focus that are described."""
    widget = screen.focused
    if widget is None:
        return []
    keys: dict[tuple[str, str], list[str]] = {}
    for key, bound in widget._bindings.key_to_bindings.items():
        for binding in bound:
            if binding.description and binding.id is None:
                keys.setdefault((binding.action, binding.description), []).append(key)
    return [
        Entry(f"focus:{action}", key_names(those), "", description, "In the field",
              partial(widget.call_later, screen.vitui.run_action, action, widget))
        for (action, description), those in keys.items()
    ]  # fmt: skip


class RunsByName:
    """Finds runs by name, id and preset in a list that is in memory already."""

    def __init__(self, runs: Sequence[Run], open_run: Callable[[str], object]) -> None:
        self._runs, self._open = runs, open_run
        self._folded: list[str] | None = None

    def __call__(self, query: str, loose: bool = False) -> list[Entry]:
        """The runs that a query finds; none for an empty one. `loose`: by their letters, where no word is found."""
        if not query.strip():
            return []
        if self._folded is None:
            self._folded = [fold(f"{run.name} {run.id} {run.preset}") for run in self._runs]
        found = find(query, self._folded, loose=loose)
        return [self._entry(self._runs[index]) for index in found[:MOST_RUNS]]

    def _entry(self, run: Run) -> Entry:
        name = safe(run.name or run.id, 40)
        detail = safe(f"{run.id}  {run.state}  {run.preset}", 80)
        return Entry(f"run:{run.id}", "", name, f"{name}  {detail}", "Runs", partial(self._open, run.id))


class HelpScreen(SearchScreen[Entry]):
    """The list. Dismissed with what was chosen, which is carried out on the screen below; None for esc."""

    NAME = "help"
    FREE = ("question_mark", "colon")
    HINT = "enter does it, esc closes"
    BINDINGS = [Binding("question_mark,colon", "cancel_unless_typed", show=False, priority=True)]

    def __init__(
        self, title: str, entries: Sequence[Entry], palette: Palette, more: Searched = lambda _query, _loose: ()
    ) -> None:
        """`title` must be safe text."""
        super().__init__(title, palette)
        self._entries, self._more = entries, more
        self._folded = [fold(f"{entry.label} {entry.help} {entry.group} {entry.keys}") for entry in entries]
        longest = max((len(entry.keys or entry.group) for entry in entries), default=0)
        self._keys_width = min(KEYS_WIDTH, longest + 2)
        self._labels = [fold(entry.label) for entry in entries]

    def on_mount(self) -> None:
        p = self._palette
        self.query_one("#help-title", Bar).show([(self._title, p.strong)], [(self.HINT, p.dim)])

    def found(self, query: str) -> Sequence[Row]:
        if query.strip():
            exact = [entry for entry in self._entries if query.strip() in entry.keys.split()]
            rest = [self._entries[index] for index in find(query, self._folded, loose=False)]
            entries = [*exact, *(entry for entry in rest if entry not in exact), *self._more(query, False)]
            if not entries:
                entries = [self._entries[index] for index in find(query, self._labels)]
                entries += self._more(query, True)
            return [Row(entry.id, entry) for entry in entries]
        rows: list[Row] = []
        group = ""
        for entry in self._entries:
            if entry.group != group:
                group = entry.group
                rows.append(Row(f"heading:{group}", group, heading=True))
            rows.append(Row(entry.id, entry))
        return rows

    def draw(self, row: Row, room: int, p: Palette) -> Sequence[Part]:
        if row.heading:
            return [(row.content, p.strong)]
        entry: Entry = row.content
        no_key = not entry.keys  # then it is said what kind of thing it is
        keys = cells(entry.keys or entry.group, self._keys_width, p.dim if entry.why_not or no_key else p.key)
        if entry.why_not:
            return [keys, (safe(f"{entry.label}: not now, {entry.why_not}", room - self._keys_width), p.dim)]
        return [keys, (safe(entry.help, room - self._keys_width), p.text)]

    def take(self, row: Row | None) -> None:
        if row is None:
            return
        entry: Entry = row.content
        if entry.why_not:
            self.query_one("#help-title", Bar).show([(f"not now: {entry.why_not}", self._palette.warn)])
        else:
            self.dismiss(entry)


def carry_out(entry: Entry | None) -> None:
    """What becomes of the choice."""
    if entry is not None:
        entry.run()
