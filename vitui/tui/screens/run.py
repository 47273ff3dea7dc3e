"""Run, the live screen of one run: curves, log, recipe, events, provenance."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from vitui.store import LIVE, RESUMABLE, WAITING
from vitui.tui import words
from vitui.tui.actions import Action, bindings
from vitui.tui.alarm import alarm
from vitui.tui.curve_marks import marks
from vitui.tui.curves import panels
from vitui.tui.screens.base import LabScreen
from vitui.tui.screens.charting import ChartActions
from vitui.tui.screens.control import RunActions
from vitui.tui.screens.jump import Target
from vitui.tui.screens.overlaying import OverlayActions
from vitui.tui.screens.run_events import EventActions
from vitui.tui.screens.run_panes.bare import bare_lines
from vitui.tui.screens.run_panes.facts import fact_lines
from vitui.tui.screens.run_panes.origin import origin_lines
from vitui.tui.screens.run_panes.recipe import recipe_lines
from vitui.tui.screens.searching import SearchActions, Told
from vitui.tui.views.run import RunView, RunWatch
from vitui.tui.widgets.bar import Bar, Part, link
from vitui.tui.widgets.chart_grid import ChartGrid
from vitui.tui.widgets.field import Field
from vitui.tui.widgets.lines import Lines
from vitui.tui.widgets.log_view import LogView
from vitui.tui.widgets.look import Look, Mark

if TYPE_CHECKING:
    from vitui.store import Run

PANES = ("curves", "log", "recipe", "events", "provenance")
CLOCK_TICK = 1.0


class RunScreen(ChartActions, SearchActions, OverlayActions, EventActions, RunActions, LabScreen):
    """Shows what the poller reads of one run."""

    KIND = "run"
    BINDINGS = bindings("run")

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self.run_id = run_id
        self._view: RunView | None = None
        self._pane = "curves"
        self._marks: tuple[tuple[object, ...], tuple[Mark, ...]] = ((), ())

    def compose_body(self) -> ComposeResult:
        palette = self.vitui.palette
        for name in ("head", "progress", "result", "why", "why-more", "tabs"):
            yield Bar(id=name)
        with Horizontal(id="curves", classes="pane"):
            with Vertical(id="left"):
                yield ChartGrid(palette, id="grid")
                yield Lines(id="nothing")
                yield Bar(id="tail-title")
                yield Lines(id="tail", follow=True, empty="nothing printed yet", style=palette.dim)
            yield Lines(id="facts")
        yield LogView(palette, empty="nothing printed yet", id="log", classes="pane")
        yield Lines(id="recipe", classes="pane", empty="the recipe is being read")
        yield Lines(id="events", classes="pane", follow=True, empty="no events yet")
        yield Lines(id="provenance", classes="pane", empty="nothing is known of where it comes from")
        yield Field(id="find")

    def on_mount(self) -> None:
        self._restore()
        self._show_tabs()
        self.set_interval(CLOCK_TICK, self._tick)
        p = self.vitui.palette
        self.query_one("#head", Bar).show([("reading run ", p.dim), (self.run_id, p.text)])
        self.query_one("#tail-title", Bar).show([("log", p.strong)], [(f"{self.key('run.log')} hides it", p.dim)])

    def on_screen_resume(self) -> None:
        self.watch_run()

    def watch_run(self) -> None:
        """Tell the poller what is in view now."""
        log = self.log_view.window if self._pane == "log" else None
        self.vitui.poller.watch(RunWatch(self.run_id, self.grid.look.span, self.overlays, log))

    def make_room(self, width: int) -> None:
        """Facts where there is room for them."""
        self.query("#facts").set(display=width >= 150)

    def fit(self, width: int, height: int) -> None:
        self.grid.restyle(self.vitui.palette)
        self.log_view.restyle(self.vitui.palette)
        self.forget_events()
        self._show_head()
        self._show_tabs()
        self._show_pane()

    # -- what is remembered --------------------------------------------------------------------------------------

    def _restore(self) -> None:
        """As it was left; the window and the runs laid over only if it was this run."""
        kept = self.vitui.remembered.get(self.KIND)
        same = kept.get("run") == self.run_id
        look = Look.from_json(kept.get("look"))
        self.grid.set_look(look if same else look.whole())
        if kept.get("pane") in PANES:
            self._pane = str(kept["pane"])
        self.set_class(kept.get("tail") is not False, "tailed")
        self.log_view.wrap(kept.get("wrap") is True)
        overlays = kept.get("overlays")
        if same and isinstance(overlays, list):
            self.overlays = tuple(id for id in overlays if isinstance(id, str) and id != self.run_id)

    def remember(self) -> None:
        """Keep how the screen is looked at."""
        self.vitui.remembered.put(
            self.KIND,
            {
                "run": self.run_id, "look": self.grid.look.as_json(), "pane": self._pane,
                "tail": self.has_class("tailed"), "wrap": self.log_view.wraps, "overlays": list(self.overlays),
            },
        )  # fmt: skip

    # -- what is shown -------------------------------------------------------------------------------------------

    @property
    def view(self) -> RunView | None:
        """The newest picture of the run, None before the first."""
        return self._view

    @property
    def grid(self) -> ChartGrid:
        return self.query_one("#grid", ChartGrid)

    @property
    def log_view(self) -> LogView:
        return self.query_one("#log", LogView)

    @property
    def pane(self) -> str:
        """The pane in front."""
        return self._pane

    def chosen(self) -> list[Run]:
        return [] if self._view is None else [self._view.run]

    def gone(self, subject: Hashable) -> None:
        if subject == RunWatch(self.run_id).subject:
            self.vitui.tell(f"run {self.run_id} is not in the lab any more", "warning")
            if self.is_current:
                self.app.pop_screen()

    def see(self, view: object) -> None:
        if not isinstance(view, RunView) or view.run.id != self.run_id:
            return
        ended = self._view is None or self._view.run.state != view.run.state
        self._view = view
        self._show_head()
        self._show_charts()
        self._show_pane()
        self._show_tabs()
        if ended:
            self.show_keys()

    def _show_head(self) -> None:
        view, p = self._view, self.vitui.palette
        if view is None:
            return
        room = self.size.width - 2
        trouble = [("  " + self.vitui.trouble, p.bad)] if self.vitui.trouble else []
        wrong = alarm(view)
        warned = [(f"  ! {wrong}", p.bad)] if wrong and wrong != view.run.state else []
        room_left = room - sum(len(text) for text, _ in warned)
        self.query_one("#head", Bar).show([*words.identity(view.run, p, room_left), *warned, *trouble])
        self.query_one("#progress", Bar).show(words.advance(view, self.vitui.clock(), room, p))
        self.query_one("#result", Bar).show(words.accuracies(view.run, p, room, view.reference))
        why, style = words.reason(view.run, p) or ("", p.text)
        if not view.here:
            why, style = f"{why}; its directory is gone" if why else "its directory is gone", p.bad
        first, rest = words.broken(why, room)
        self.set_class(bool(first), "explained")
        self.set_class(bool(rest), "explained-at-length")
        self.query_one("#why", Bar).show([(first, style)])
        self.query_one("#why-more", Bar).show([(rest, style)])

    def _tick(self) -> None:
        """The time since the start goes on while nothing else happens: a model is built, data are packed."""
        if self.is_current and self._view is not None and self._view.run.state in LIVE:
            self._show_head()
            if self.has_class("-bare"):
                self._show_pane()

    def show_trouble(self) -> None:
        self._show_head()

    def _show_charts(self) -> None:
        view = self._view
        if view is None:
            return
        of = (view.events, view.run.steps_per_epoch, view.run.batch_size, view.run.started)
        if self._marks[0] != of:
            self._marks = (of, marks(view.events, view.run, view.series))
        self.grid.show(panels(view, self._marks[1]))

    def _show_pane(self) -> None:
        """Only the pane in front is filled."""
        view, p = self._view, self.vitui.palette
        if view is None:
            return
        match self._pane:
            case "curves":
                # Most trainers print nothing unless something is wrong; the charts then get the room.
                self.set_class(bool(view.log), "logged")
                self.set_class(not view.series, "-bare")
                self.query_one("#tail", Lines).show(view.log)
                self.query_one("#nothing", Lines).show(bare_lines(view, self.vitui.clock(), p, self.size.width - 2))
                self.query_one("#facts", Lines).show(fact_lines(view, p))
            case "log":
                if view.page is not None:
                    self.log_view.show(view.page)
                    self.log_has_grown(view.page)
            case "recipe":
                self.query_one("#recipe", Lines).show(recipe_lines(view.recipe, p, self.fields_wanted, view.problem))
            case "events":
                self.show_events()
            case "provenance":
                self.query_one("#provenance", Lines).show(origin_lines(view, p, self.size.width - 2))

    def _show_tabs(self) -> None:
        p = self.vitui.palette
        parts: list[Part] = []
        for name in PANES:
            here = name == self._pane
            text = f"[{name}]" if here else f" {name} "
            parts += [(text, link(p.strong if here else p.dim, f"screen.show_pane('{name}')"))]
            self.set_class(here, f"-{name}")
        by_pane = {"curves": self._curves_told, "log": self.log_told, "recipe": self.recipe_told}
        told = [(rank, (text, p.dim)) for rank, text in by_pane.get(self._pane, list)()]
        room = self.size.width - 4 - sum(len(text) for text, _ in parts)
        self.query_one("#tabs", Bar).show(parts, words.fitted(told, p.dim, room))

    def _curves_told(self) -> list[Told]:
        """How the charts are looked at."""
        look, window = self.grid.look, self.grid.window
        if not self.grid.panels:
            return []
        zoomed = "" if look.span is None else "zoomed, following" if window.follows else "zoomed"
        over = f"with {len(self.overlays)} more" if self.overlays else ""
        return [(1, f"x: {window.kind.value}"), (0, zoomed), (2, over)]

    def why_not(self, action: Action) -> str:
        if action.id.startswith("chart.") or action.id in ("run.overlay", "run.log"):
            if self._pane != "curves":
                return "only in the curves pane"
            return "" if self.grid.panels or action.id == "run.log" else "no points yet"
        if action.id == "run.show-event":
            return "" if self._pane == "events" else "only in the events pane"
        return self.search_refused(action.id) or self._refused(action.id)

    def _refused(self, action: str) -> str:
        """What cannot be done to the run as it is."""
        if self._view is None:
            return ""
        state = self._view.run.state
        if action == "run.stop" and state not in LIVE | WAITING:
            return f"it has ended ({state})"
        if action == "run.resume" and state not in RESUMABLE:
            return f"only what ended before its last step can be resumed; this one is {state}"
        if action == "run.delete" and state in LIVE | WAITING:
            return "stop it first"
        if action == "run.compare" and not self.overlays:
            return f"first lay the curves of other runs over these ({self.key('run.overlay')})"
        return ""

    def jump_targets(self) -> list[Target]:
        targets = super().jump_targets()
        if self._pane == "curves":
            left, top = self.grid.content_region.offset
            targets += [
                Target(left + x, top + y, key, partial(self.grid.bring_to_front, key))
                for x, y, key in self.grid.targets()
            ]
        return sorted(targets, key=lambda target: (target.y, target.x))

    # -- moving --------------------------------------------------------------------------------------------------

    def move(self, lines: int) -> None:
        match self._pane:
            case "curves" if abs(lines) == 1 and not self.has_class("-bare"):
                self.grid.select(lines)
            case "curves":
                self.query_one("#tail", Lines).scroll_by(lines)
            case "log":
                self.log_view.scroll_lines(lines)
            case "events":
                self.move_event(lines)
            case _:
                self.query_one(f"#{self._pane}", Lines).scroll_by(lines)

    def page(self) -> int:
        if self._pane == "log":
            return self.log_view.page
        if self._pane == "curves":
            return max(4, self.query_one("#tail", Lines).page)  # half of it is never one line, which selects a chart
        return self.query_one(f"#{self._pane}", Lines).page

    # -- actions: see vitui.tui.actions --------------------------------------------------------------------------

    def action_show_pane(self, name: str) -> None:
        self.close_find()
        self._pane = name
        self._show_tabs()
        self._show_pane()
        self.show_keys()
        self.watch_run()
        self.remember()

    def action_pane(self) -> None:
        self.action_show_pane(PANES[(PANES.index(self._pane) + 1) % len(PANES)])

    def action_pane_back(self) -> None:
        self.action_show_pane(PANES[PANES.index(self._pane) - 1])

    def action_log(self) -> None:
        """The end of the log under the charts."""
        if self._pane != "curves":
            self.action_show_pane("curves")
            self.add_class("tailed")
        else:
            self.toggle_class("tailed")
        self.remember()

    @on(ChartGrid.Changed)
    def _look_changed(self) -> None:
        self._show_tabs()
        self.watch_run()
        self.remember()

    @on(LogView.Wanted)
    def _log_moved(self) -> None:
        if self._pane == "log":
            self.watch_run()
            self._show_tabs()

    def action_compare(self) -> None:
        """With the runs laid over it, where there are any."""
        if self.overlays:
            self.vitui.compare([self.run_id, *self.overlays])
        else:
            super().action_compare()

    def action_back(self) -> None:
        """Peel one layer: the open line, the search, the crosshair, the zoom, the pane, the screen."""
        if self.close_find() or self.end_search():
            return
        if self._pane != "curves":
            self.action_show_pane("curves")
        elif not self.charts_back():
            self.app.pop_screen()
