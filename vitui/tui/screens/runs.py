"""Runs, the home screen: every run in one table, with filter, order, and what there is to say about the one chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from vitui.store import LIVE, WAITING
from vitui.text import safe
from vitui.tui import words
from vitui.tui.actions import bindings
from vitui.tui.columns import BY_KEY, arrange
from vitui.tui.filters import Filter, parse
from vitui.tui.screens import control
from vitui.tui.screens.base import LabScreen
from vitui.tui.views.runs import RunsView, RunsWatch
from vitui.tui.widgets.bar import Bar, Part
from vitui.tui.widgets.lines import Lines
from vitui.tui.widgets.run_table import RunTable, sort_cycle

if TYPE_CHECKING:
    from vitui.store import Run

AGE_TICK = 5.0
"""Seconds between looks at ages and times left."""


class RunsScreen(LabScreen):
    """Shows what the poller reads; sorts and filters it here, since that takes milliseconds."""

    KIND = "runs"
    BINDINGS = bindings("runs")

    def __init__(self) -> None:
        super().__init__()
        self._view: RunsView | None = None
        self._filter = Filter()
        self._sort = ("age", False)
        self._by_id: dict[str, Run] = {}
        self._counts: Counter[str] = Counter()

    def compose_body(self) -> ComposeResult:
        yield Bar(id="title")
        yield RunTable(self.vitui.palette, id="table")
        yield Lines(id="nothing")
        yield Bar(id="detail", classes="detail")
        yield Bar(id="detail-more", classes="detail")
        field = Input(id="filter", compact=True, placeholder="words, state:running, preset~cifar, tag:x, best>90")
        field.cursor_blink = False  # a blinking cursor costs 3 kB a second over SSH
        yield field

    def on_mount(self) -> None:
        self.table.sorted_by(*self._sort)
        self._show_title()
        self.set_interval(AGE_TICK, self._tick)

    def on_screen_resume(self) -> None:
        self.vitui.poller.watch(RunsWatch())
        self._tick()

    @property
    def table(self) -> RunTable:
        return self.query_one("#table", RunTable)

    # -- what is shown -------------------------------------------------------------------------------------------

    def see(self, view: object) -> None:
        if not isinstance(view, RunsView):
            return
        self._view = view
        self._by_id = {run.id: run for run in view.rows}
        self._counts = Counter(run.state for run in view.rows)
        self._arrange()

    def _arrange(self) -> None:
        if self._view is None:
            return
        rows: Sequence[Run] = self._view.rows
        if self._filter:
            rows = [run for run in rows if self._filter.matches(run)]
        rows = arrange(rows, *self._sort)
        self.set_class(not rows, "empty")
        if not rows:
            self.query_one("#nothing", Lines).show(self._nothing())
        self.table.show(rows, self.vitui.clock())
        self._show_title()

    def _nothing(self) -> list[str | list[Part]]:
        p = self.vitui.palette
        if self._view is not None and self._view.rows:
            why = self._filter.problem or f"none of the {len(self._view.rows):,} runs matches {self._filter.text}"
            return [[(safe(why, 200), p.warn)], "", [("esc", p.key), (" clears the filter", p.text)]]
        home = safe(str(self.vitui.lab.home), 200)
        return [
            [("No runs yet.", p.strong), (f"  Everything will be kept in {home}", p.dim)],
            "",
            [("In another terminal, or here after q, type", p.text)],
            "",
            [("    vitui demo        ", p.key), ("a small ViT learns handwritten digits", p.text)],
            [("    vitui presets     ", p.key), ("what can be trained", p.text)],
            [("    vitui run PRESET  ", p.key), ("train one of them; it shows up here at once", p.text)],
        ]

    def _show_title(self) -> None:
        p, c = self.vitui.palette, self._counts
        parts: list[Part] = [("vitui", p.key), ("  runs  ", p.strong)]
        if self._view is None:
            self.query_one("#title", Bar).show([*parts, ("reading the lab ...", p.dim)])
            return
        live, waiting = sum(c[s] for s in LIVE), sum(c[s] for s in WAITING)
        total, shown = len(self._view.rows), len(self.table.rows)
        facts: list[Part | None] = [
            (f"{live} training", p.state("running")) if live else None,
            (f"{waiting} waiting", p.text) if waiting else None,
            (f"{shown:,} of {total:,} shown" if self._filter else f"{total:,} in all", p.text),
            (f"{len(self.table.marked)} marked", p.mark) if self.table.marked else None,
            (f"queue paused: {safe(self._view.paused, 200)}", p.bad) if self._view.paused else None,
        ]
        parts += words.joined(facts, p.dim)
        if self.vitui.trouble:
            parts += [("  ", p.dim), (self.vitui.trouble, p.bad)]
        column = BY_KEY[self._sort[0]]
        right: list[Part] = []
        if self._filter.text:
            right += [("/" + safe(self._filter.text, 40), p.mark), ("  ", p.dim)]
        if self._filter.problem:
            right = [(safe(self._filter.problem, 60), p.warn), ("  ", p.dim)]
        right += [(f"by {column.title} {'▼' if column.descending != self._sort[1] else '▲'}", p.dim)]
        self.query_one("#title", Bar).show(parts, right)

    def show_trouble(self) -> None:
        self._show_title()

    @on(RunTable.Moved)
    def _show_detail(self) -> None:
        p, run = self.vitui.palette, self.table.current
        first, second = self.query_one("#detail", Bar), self.query_one("#detail-more", Bar)
        if run is None:
            first.show([])
            second.show([])
            return
        first.show(words.identity(run, p, self.size.width - 2, with_state=False))
        why = words.reason(run, p)
        notes = [("  ", p.dim), (safe(run.notes.splitlines()[0], 120), p.dim)] if run.notes.strip() else []
        second.show([why] if why is not None else words.accuracies(run, p, self.size.width - 2), notes)

    def _tick(self) -> None:
        if self._view is not None and self.is_current:
            self.table.tick(self.vitui.clock())

    def fit(self, width: int, height: int) -> None:
        self._show_title()
        self._show_detail()

    # -- actions: see vitui.tui.actions --------------------------------------------------------------------------

    def move(self, lines: int) -> None:
        self.table.move_by(lines)

    def page(self) -> int:
        return self.table.page

    @on(RunTable.Opened)
    def action_open(self) -> None:
        if (run := self.table.current) is not None:
            self.vitui.open_run(run.id)

    def action_sort(self) -> None:
        self._sort_by(sort_cycle(self.table.shown_columns, self._sort[0]), False)

    def action_reverse(self) -> None:
        self._sort_by(self._sort[0], not self._sort[1])

    def action_newest(self) -> None:
        self._sort_by("age", False)
        self.table.move_to(0)

    @on(RunTable.HeaderClicked)
    def _header_clicked(self, event: RunTable.HeaderClicked) -> None:
        self._sort_by(event.key, event.key == self._sort[0] and not self._sort[1])

    def _sort_by(self, key: str, reverse: bool) -> None:
        self._sort = (key, reverse)
        self.table.sorted_by(key, reverse)
        self._arrange()

    def action_mark(self) -> None:
        self.table.toggle_mark()
        self.table.move_by(1)
        self._show_title()

    def action_unmark(self) -> None:
        self.table.clear_marks()
        self._show_title()

    def chosen(self) -> list[Run]:
        """The marked runs, else the one under the cursor."""
        if self.table.marked:
            return [run for run in self._by_id.values() if run.id in self.table.marked]
        return [self.table.current] if self.table.current is not None else []

    def action_stop(self) -> None:
        control.stop(self.vitui, self.chosen())

    def action_resume(self) -> None:
        control.resume(self.vitui, self.chosen())

    # -- filter --------------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        self.add_class("filtering")
        self.set_focus(self.query_one("#filter", Input))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the open filter line the filter's key is a character like any other."""
        return not (action == "filter" and self.has_class("filtering"))

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        self._filter = parse(event.value)
        self._arrange()

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self.set_focus(None)
        self.remove_class("filtering")

    def action_back(self) -> None:
        """Peel one layer: the open filter line, then the filter, then the marks."""
        field = self.query_one("#filter", Input)
        if self.has_class("filtering") or self._filter.text:
            field.value = ""
            self._filter_done()
        elif self.table.marked:
            self.action_unmark()
