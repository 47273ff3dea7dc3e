"""Run, the live screen of one run: curves, progress, log tail, recipe, events."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical

from vitui.store import LIVE
from vitui.tui import words
from vitui.tui.actions import bindings
from vitui.tui.curves import accuracy_chart, last_step, loss_chart
from vitui.tui.screens import control
from vitui.tui.screens.base import LabScreen
from vitui.tui.screens.panes import event_lines, fact_lines, recipe_lines
from vitui.tui.series import SMOOTHING
from vitui.tui.views.run import RunView, RunWatch
from vitui.tui.widgets.bar import Bar, Part, link
from vitui.tui.widgets.chart import Chart
from vitui.tui.widgets.lines import Lines
from vitui.tui.widgets.plot import View, panned, zoomed

PANES = ("curves", "log", "recipe", "events")
CLOCK_TICK = 1.0


class RunScreen(LabScreen):
    """Shows what the poller reads of one run."""

    KIND = "run"
    BINDINGS = bindings("run")

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self.run_id = run_id
        self._view: RunView | None = None
        self._pane = "curves"
        self._with_top5 = False
        self._log_y = False
        # How both charts look at the run; only the loss chart heeds `log_y`.
        self._look = View(smoothing=0.9)

    def compose_body(self) -> ComposeResult:
        palette = self.vitui.palette
        for name in ("head", "progress", "result", "why", "why-more", "tabs"):
            yield Bar(id=name)
        with Vertical(id="curves", classes="pane"):
            with Horizontal(id="upper"):
                with Container(id="charts"):
                    yield Chart("loss", palette, empty="no loss yet", id="loss")
                    yield Chart("accuracy", palette, empty="no accuracy yet", id="accuracy")
                yield Lines(id="facts")
            yield Bar(id="tail-title")
            yield Lines(id="tail", follow=True, empty="nothing printed yet", style=palette.dim)
        yield Lines(id="log", classes="pane", follow=True, empty="nothing printed yet")
        yield Lines(id="recipe", classes="pane", empty="the recipe is being read")
        yield Lines(id="events", classes="pane", follow=True, empty="no events yet")

    def on_mount(self) -> None:
        self.add_class("tailed")
        self._show_tabs()
        self.set_interval(CLOCK_TICK, self._tick)
        p = self.vitui.palette
        self.query_one("#head", Bar).show([("reading run ", p.dim), (self.run_id, p.text)])
        self.query_one("#tail-title", Bar).show([("log", p.strong)], [("l hides it", p.dim)])

    def on_screen_resume(self) -> None:
        self._watch()

    def _watch(self) -> None:
        self.vitui.poller.watch(RunWatch(self.run_id, self._look.window))

    def fit(self, width: int, height: int) -> None:
        """Charts side by side unless the terminal is narrow and high; facts where there is room for them."""
        tall = width < 76 or (width < 110 and height >= 40)
        self.set_class(tall, "tall")
        self.set_class(not tall, "wide")
        self.set_class(width >= 150, "roomy")
        self._show_head()
        self._show_pane()

    # -- what is shown -------------------------------------------------------------------------------------------

    @property
    def view(self) -> RunView | None:
        """The newest picture of the run, None before the first."""
        return self._view

    def gone(self, subject: Hashable) -> None:
        if subject == RunWatch(self.run_id).subject:
            self.vitui.tell(f"run {self.run_id} is not in the lab any more", "warning")
            if self.is_current:
                self.app.pop_screen()

    def see(self, view: object) -> None:
        if not isinstance(view, RunView) or view.run.id != self.run_id:
            return
        self._view = view
        self._look = replace(
            self._look, steps_per_epoch=float(view.run.steps_per_epoch or 0), started=view.run.started or 0.0
        )
        self._show_head()
        self._show_charts()
        self._show_pane()

    def _show_head(self) -> None:
        view, p = self._view, self.vitui.palette
        if view is None:
            return
        room = self.size.width - 2
        trouble = [("  " + self.vitui.trouble, p.bad)] if self.vitui.trouble else []
        self.query_one("#head", Bar).show([*words.identity(view.run, p, room), *trouble])
        self.query_one("#progress", Bar).show(words.advance(view, self.vitui.clock(), room, p))
        self.query_one("#result", Bar).show(words.accuracies(view.run, p, room))
        why, style = words.reason(view.run, p) or ("", p.text)
        first, rest = words.broken(why, room)
        self.set_class(bool(first), "explained")
        self.set_class(bool(rest), "explained-at-length")
        self.query_one("#why", Bar).show([(first, style)])
        self.query_one("#why-more", Bar).show([(rest, style)])

    def _tick(self) -> None:
        """The time since the start goes on while nothing else happens: a model is built, data are packed."""
        if self.is_current and self._view is not None and self._view.run.state in LIVE:
            self._show_head()

    def show_trouble(self) -> None:
        self._show_head()

    def _show_charts(self) -> None:
        if self._view is None:
            return
        traces, levels = loss_chart(self._view)
        self.query_one("#loss", Chart).show(traces, levels, replace(self._look, log_y=self._log_y))
        traces, levels = accuracy_chart(self._view, self._with_top5)
        self.query_one("#accuracy", Chart).show(traces, levels, self._look)

    def _show_pane(self) -> None:
        """Only the pane in front is filled."""
        view, p = self._view, self.vitui.palette
        if view is None:
            return
        match self._pane:
            case "curves":
                # Most trainers print nothing unless something is wrong; the charts then get the room.
                self.set_class(bool(view.log), "logged")
                self.query_one("#tail", Lines).show(view.log)
                self.query_one("#facts", Lines).show(fact_lines(view, p))
            case "log":
                self.query_one("#log", Lines).show(view.log)
            case "recipe":
                self.query_one("#recipe", Lines).show(recipe_lines(view.recipe, p))
            case "events":
                self.query_one("#events", Lines).show(event_lines(view.events, p, self.size.width))

    def _show_tabs(self) -> None:
        p = self.vitui.palette
        parts: list[Part] = []
        for name in PANES:
            here = name == self._pane
            text = f"[{name}]" if here else f" {name} "
            parts += [(text, link(p.strong if here else p.dim, f"screen.show_pane('{name}')")), (" ", p.dim)]
            self.set_class(here, f"-{name}")
        right: list[Part] = []
        if self._pane == "curves":
            window = "" if self._look.window is None else " zoomed" + (", following" if self._follows else "")
            right = [(f"x: {self._look.x.value}{window}", p.dim)]
        self.query_one("#tabs", Bar).show(parts, right)

    @property
    def _follows(self) -> bool:
        return self._look.window is not None and self._look.window[1] is None

    # -- actions: see vitui.tui.actions --------------------------------------------------------------------------

    def _list(self) -> Lines:
        return self.query_one("#tail" if self._pane == "curves" else f"#{self._pane}", Lines)

    def move(self, lines: int) -> None:
        self._list().scroll_by(lines)

    def page(self) -> int:
        return self._list().page

    def action_show_pane(self, name: str) -> None:
        self._pane = name
        self._show_tabs()
        self._show_pane()

    def action_pane(self) -> None:
        self.action_show_pane(PANES[(PANES.index(self._pane) + 1) % len(PANES)])

    def action_pane_back(self) -> None:
        self.action_show_pane(PANES[PANES.index(self._pane) - 1])

    def action_log(self) -> None:
        if self._pane != "curves":
            self.action_show_pane("curves")
            self.add_class("tailed")
        else:
            self.toggle_class("tailed")
        self._show_pane()

    def _change(self, look: View) -> None:
        if look != self._look:
            self._look = look
            self._show_charts()
            self._show_tabs()
            self._watch()

    def _smooth(self, step: int) -> None:
        index = SMOOTHING.index(self._look.smoothing) + step
        self._change(replace(self._look, smoothing=SMOOTHING[min(max(0, index), len(SMOOTHING) - 1)]))

    def action_smoother(self) -> None:
        self._smooth(1)

    def action_rougher(self) -> None:
        self._smooth(-1)

    def action_x_axis(self) -> None:
        self._change(replace(self._look, x=self._look.x.next()))

    def action_log_y(self) -> None:
        self._log_y = not self._log_y
        self._show_charts()

    def action_top5(self) -> None:
        self._with_top5 = not self._with_top5
        self._show_charts()

    def _moved(self, change: Callable[[View, float, float], View], amount: float) -> None:
        if self._view is not None and (last := last_step(self._view)) > 0:
            self._change(change(self._look, last, amount))

    def action_zoom_in(self) -> None:
        self._moved(zoomed, 0.5)

    def action_zoom_out(self) -> None:
        self._moved(zoomed, 2.0)

    def action_zoom_reset(self) -> None:
        self._change(replace(self._look, window=None))

    def action_pan_left(self) -> None:
        self._moved(panned, -0.25)

    def action_pan_right(self) -> None:
        self._moved(panned, 0.25)

    def action_stop(self) -> None:
        if self._view is not None:
            control.stop(self.vitui, [self._view.run])

    def action_resume(self) -> None:
        if self._view is not None:
            control.resume(self.vitui, [self._view.run])

    def action_back(self) -> None:
        if self._pane != "curves":
            self.action_show_pane("curves")
        else:
            self.app.pop_screen()
