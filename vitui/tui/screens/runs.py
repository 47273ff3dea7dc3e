"""Runs, the home screen: every run in one table, with filter, order, groups, and what there is to say about one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from vitui.query.arrangement import Arrangement
from vitui.query.complete import seen
from vitui.query.fields import ANY
from vitui.query.filters import Filter, parse
from vitui.query.groups import Group, flat, grouped
from vitui.query.order import arrange
from vitui.store import LIVE, WAITING
from vitui.text import safe
from vitui.tui import words
from vitui.tui.actions import Action, bindings
from vitui.tui.screens.runs_filter import FilterLine
from vitui.tui.screens.runs_preview import Preview
from vitui.tui.screens.runs_said import arrangement_parts, every_group, group_lines, nothing_lines
from vitui.tui.screens.runs_views import ArrangedRuns, differing_columns
from vitui.tui.views.runs import RunsView, RunsWatch
from vitui.tui.widgets.bar import Bar, Part
from vitui.tui.widgets.lines import Line, Lines
from vitui.tui.widgets.run_table import RunTable

if TYPE_CHECKING:
    from vitui.store import Run

AGE_TICK = 5.0
"""Seconds between looks at ages and times left."""
ROOMY = 160
"""Columns from which on there is a preview beside the table."""
TALL = 44
"""Lines from which on that has two charts."""


class RunsScreen(ArrangedRuns):
    """Shows what the poller reads; sorts, groups and filters it here, since that takes milliseconds."""

    KIND = "runs"
    BINDINGS = bindings("runs")

    def __init__(self) -> None:
        super().__init__()
        self.arrangement = Arrangement()
        self.fields = ANY
        self._view: RunsView | None = None
        self._filter = Filter()
        self._by_id: dict[str, Run] = {}
        self._counts: Counter[str] = Counter()
        self._listed: list[Run] = []
        self._opened: set[str] = set()
        """Ids of the groups that are open."""
        self._seen: dict[str, list[str]] = {}
        self._differing: tuple[str, ...] | None = None
        """Recipe fields in which the listed runs differ, None while that is not known."""
        self._differing_of: frozenset[str] = frozenset()
        self._chosen: tuple[object, list[Run], frozenset[str]] | None = None

    def compose_body(self) -> ComposeResult:
        yield Bar(id="title")
        with Horizontal(id="beside"):
            yield RunTable(self.vitui.palette, id="table")
            yield Lines(id="nothing")
            yield Preview(self.vitui.palette, id="preview")
        yield Bar(id="detail", classes="detail")
        yield Bar(id="detail-more", classes="detail")
        yield FilterLine(self.vitui.palette, id="filter-line")

    def on_mount(self) -> None:
        self.arrangement = Arrangement.from_json(self.vitui.remembered.get(self.KIND))
        self._filter = parse(self.arrangement.filter)
        self.filter_line.set_text(self.arrangement.filter)
        self._dress_table()
        self._show_title()
        self.set_interval(AGE_TICK, self._tick)

    def on_screen_resume(self) -> None:
        self._watch()
        self._tick()

    @property
    def filter_line(self) -> FilterLine:
        return self.query_one(FilterLine)

    # -- what is shown -------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Have the poller read what the arrangement needs."""
        now = self.arrangement
        asked = [*now.columns.outside, *self._filter.fields, *(by.field for by in now.order), *now.groups]
        asked += [field for key in self._shown_differing() if (field := self.fields.find(key)) is not None]
        outside = tuple(dict.fromkeys(field for field in asked if field.outside))
        if self.is_current:
            self.vitui.poller.watch(RunsWatch(outside, now.archived or self._filter.asks_archived))

    def see(self, view: object) -> None:
        if not isinstance(view, RunsView):
            return
        self._view = view
        if view.fields is not self.fields:
            self.fields = view.fields
            self._filter = parse(self.arrangement.filter, self.fields)
        self._by_id = {run.id: run for run in view.rows}
        self._counts = Counter(run.state for run in view.rows)
        if self.table.marked - self._by_id.keys():
            self.table.set_marked(self.table.marked & self._by_id.keys())
        self._seen, self._chosen = {}, None
        self._list()
        self.show_keys()

    def arranged(self, new: Arrangement) -> None:
        """Show and remember a new arrangement."""
        old, self.arrangement = self.arrangement, new
        self.vitui.remembered.put(self.KIND, new.as_json())
        if new.filter != old.filter:
            self._filter = parse(new.filter, self.fields)
            self.filter_line.set_text(new.filter)
        if new.groups != old.groups:
            self._opened = set()
        self._dress_table()
        self._watch()
        self._list()

    def _dress_table(self) -> None:
        """Columns and arrows as the arrangement has them."""
        columns = self.arrangement.columns
        if self.arrangement.differing and self._differing is not None and self._view is not None:
            now = self.vitui.clock()
            columns = differing_columns(
                columns, self._differing, self.fields, self._listed, self._view.values, now
            )  # fmt: skip
        self.table.set_columns(columns, grouped=bool(self.arrangement.groups))
        self.table.sorted_by(self.arrangement.order)

    def listed(self) -> Sequence[Run]:
        """Every run that the filter lets through."""
        return self._listed

    def _list(self) -> None:
        """Filter, order and group what was read."""
        view, now = self._view, self.vitui.clock()
        if view is None:
            return
        order, by = self.arrangement.order, self.arrangement.groups
        self._listed = self._filter.select(view.rows, view.values, now)
        rows: Sequence[Run | Group]
        closed: set[str] = set()
        if by:
            tree = grouped(self._listed, by, order, view.values, now)
            closed = {group.id for group in every_group(tree)} - self._opened
            rows = flat(tree, closed)
        else:
            rows = arrange(self._listed, order, view.values, now)
        self.set_class(not rows, "empty")
        if not rows:
            self.query_one("#nothing", Lines).show(self._nothing())
        self.table.show(rows, now, view.values, closed)
        self._show_title()
        self._look_for_differences()

    def _nothing(self) -> list[Line]:
        view = self._view
        total = len(view.rows) if view is not None else 0
        app = self.vitui
        return nothing_lines(app.palette, self._filter, total, self.arrangement.archived, app.lab.home, app.actions)

    def _show_title(self) -> None:
        p, c, now = self.vitui.palette, self._counts, self.arrangement
        parts: list[Part] = [("vitui", p.key), ("  runs  ", p.strong)]
        if self._view is None:
            self.query_one("#title", Bar).show([*parts, ("reading the lab ...", p.dim)])
            return
        live, waiting = sum(c[s] for s in LIVE), sum(c[s] for s in WAITING)
        total, shown = len(self._view.rows), len(self._listed)
        marked = self.table.marked
        facts: list[Part | None] = [
            (f"{live} training", p.state("running")) if live else None,
            (f"{waiting} waiting", p.text) if waiting else None,
            (f"{shown:,} of {total:,} shown" if self._filter else f"{total:,} in all", p.text),
            ("with archived", p.text) if now.archived else None,
            (self._marked_text(marked), p.mark) if marked else None,
            ("reading values ...", p.dim) if self._view.pending else None,
            (f"queue paused: {safe(self._view.paused, 200)}", p.bad) if self._view.paused else None,
        ]
        parts += words.joined(facts, p.dim)
        if self.vitui.trouble:
            parts += [("  ", p.dim), (self.vitui.trouble, p.bad)]
        self.query_one("#title", Bar).show(parts, arrangement_parts(now, self._filter, p))

    def _marked_text(self, marked: frozenset[str]) -> str:
        if not self._filter:
            return f"{len(marked)} marked"
        hidden = len(marked) - sum(run.id in marked for run in self._listed)
        return f"{len(marked)} marked" + (f", {hidden} of them not shown" if hidden else "")

    def show_trouble(self) -> None:
        self._show_title()

    @on(RunTable.Moved)
    def _show_detail(self) -> None:
        p, row, room = self.vitui.palette, self.table.current_row, self.size.width - 2
        first, second = self.query_one("#detail", Bar), self.query_one("#detail-more", Bar)
        self.query_one(Preview).about(row)
        if row is None:
            first.show([])
            second.show([])
        elif isinstance(row, Group):
            above, below = group_lines(row, p, self.arrangement)
            first.show(above)
            second.show(below)
        else:
            first.show(words.identity(row, p, room, with_state=False))
            why = words.reason(row, p)
            notes = [("  ", p.dim), (safe(row.notes.splitlines()[0], 120), p.dim)] if row.notes.strip() else []
            second.show([why] if why is not None else words.accuracies(row, p, room), notes)

    def _tick(self) -> None:
        if self._view is not None and self.is_current:
            self.table.tick(self.vitui.clock())

    def fit(self, width: int, height: int) -> None:
        self.set_class(width >= ROOMY, "roomy")
        self.set_class(height >= TALL, "tall")
        self._show_title()
        self._show_detail()

    # -- only differing columns ----------------------------------------------------------------------------------

    def _shown_differing(self) -> tuple[str, ...]:
        return (self._differing or ()) if self.arrangement.differing else ()

    def _look_for_differences(self) -> None:
        """Find out, in a thread, in which recipe fields the listed runs differ; again when others are listed."""
        if not self.arrangement.differing:
            self._differing, self._differing_of = None, frozenset()
            return
        ids = frozenset(run.id for run in self._listed)
        if ids == self._differing_of:
            return
        self._differing_of = ids
        lab = self.vitui.lab

        def work() -> None:
            try:
                keys = tuple(lab.differing(ids))
            except Exception as error:  # the list stays as it is, and the poller says what is wrong with the lab
                self.app.call_from_thread(self.vitui.tell, f"differences are not known: {error}", "warning")
                return
            self.app.call_from_thread(self._differences, ids, keys)

        self.run_worker(work, thread=True, exclusive=True, group="differing", exit_on_error=False)

    def _differences(self, ids: frozenset[str], keys: tuple[str, ...]) -> None:
        if ids == self._differing_of and self.arrangement.differing:
            self._differing = keys
            self._dress_table()
            self._watch()

    # -- moving, marking, opening --------------------------------------------------------------------------------

    def move(self, lines: int) -> None:
        """In the list; while a filter is typed, among its completions."""
        if self.has_class("filtering"):
            self.filter_line.pick(lines)
        else:
            self.table.move_by(lines)

    def page(self) -> int:
        return self.table.page

    @on(RunTable.Opened)
    def action_open(self) -> None:
        """Open the run; of a group, open or close it."""
        row = self.table.current_row
        if isinstance(row, Group):
            self._opened ^= {row.id}
            self._list()
        elif row is not None:
            self.vitui.open_run(row.id)

    def action_new(self) -> None:
        self.vitui.go("launch")

    def _marks_changed(self) -> None:
        self._chosen = None
        self._show_title()

    def action_mark(self) -> None:
        self.table.toggle_mark()
        self.table.move_by(1)
        self._marks_changed()

    def action_mark_down(self) -> None:
        self._mark_towards(1)

    def action_mark_up(self) -> None:
        self._mark_towards(-1)

    def _mark_towards(self, by: int) -> None:
        self.table.mark_line(self.table.cursor)
        self.table.move_by(by)
        self.table.mark_line(self.table.cursor)
        self._marks_changed()

    def action_mark_all(self) -> None:
        self.table.set_marked(self.table.marked.union(run.id for run in self._listed))
        self._marks_changed()

    def action_invert(self) -> None:
        self.table.set_marked(self.table.marked ^ {run.id for run in self._listed})
        self._marks_changed()

    def action_unmark(self) -> None:
        self.table.clear_marks()
        self._marks_changed()

    def chosen(self) -> list[Run]:
        """The marked runs, else those of the group under the cursor, else the run there."""
        return self._choice()[1]

    def chosen_states(self) -> frozenset[str]:
        return self._choice()[2]

    def _choice(self) -> tuple[object, list[Run], frozenset[str]]:
        """Kept until marks, cursor or runs are others: the key line asks at every key."""
        marked, row = self.table.marked, self.table.current_row
        key = marked or row
        if self._chosen is None or self._chosen[0] != key:
            if marked:
                runs = [run for run in self._by_id.values() if run.id in marked]
            else:
                runs = list(row.runs) if isinstance(row, Group) else [row] if row is not None else []
            self._chosen = key, runs, frozenset(run.state for run in runs)
        return self._chosen

    def tags(self) -> list[str]:
        """Every tag that a run has, the most used first."""
        return [tag for tag, _ in Counter(tag for run in self._by_id.values() for tag in run.tags).most_common()]

    # -- filter --------------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        self.add_class("filtering")
        self.set_focus(self.filter_line.input)
        self._suggest()

    def action_complete(self) -> None:
        self.filter_line.take()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the open filter line the filter's key is a character like any other; completing is for there only."""
        if action in ("filter", "complete"):
            return self.has_class("filtering") == (action == "complete")
        return True

    def why_not(self, action: Action) -> str:
        if action.id == "runs.unmark" and not self.table.marked:
            return "nothing is marked"
        if not self._listed and action.id in ("runs.open", "runs.mark", "runs.mark-all", "runs.invert"):
            return "there is no run here"
        return super().why_not(action)

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        self._filter = parse(event.value, self.fields)
        self.arrangement = replace(self.arrangement, filter=event.value)
        self.vitui.remembered.put(self.KIND, self.arrangement.as_json())
        self._watch()
        self._list()
        self._suggest()

    def _suggest(self) -> None:
        if self.has_class("filtering"):
            if not self._seen:
                self._seen = seen(self._by_id.values(), self._view.values if self._view else {})
            self.filter_line.suggest(self._filter, self.fields, self._seen)

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self.set_focus(None)
        self.remove_class("filtering")

    def action_back(self) -> None:
        """Peel one layer: the open filter line, then the filter, then the marks, then the column cursor."""
        if self.has_class("filtering") or self._filter.text:
            self.filter_line.input.value = ""
            self._filter_done()
        elif self.table.marked:
            self.action_unmark()
        else:
            self.table.move_column_to("")
