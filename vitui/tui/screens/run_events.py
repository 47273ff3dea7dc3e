"""The events pane of the Run screen: its cursor, and the way from an event to its place on the charts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on
from textual.events import Click

from vitui.tui.curve_marks import mark_of
from vitui.tui.screens.base import LabScreen
from vitui.tui.screens.run_panes.events import at_cursor, event_lines
from vitui.tui.widgets.lines import Line, Lines

if TYPE_CHECKING:
    from vitui.tui.views.run import RunView
    from vitui.tui.widgets.chart_grid import ChartGrid


class EventActions(LabScreen):
    """The keys of the events pane."""

    _events: tuple[tuple[object, ...], list[Line]] = ((), [])
    """The lines of all events, and what they were made from."""
    _event_at: int | None = None
    """The event under the cursor; None: the last one, whatever comes."""

    @property
    def view(self) -> RunView | None:
        raise NotImplementedError

    @property
    def pane(self) -> str:
        raise NotImplementedError

    @property
    def grid(self) -> ChartGrid:
        raise NotImplementedError

    def action_show_pane(self, name: str) -> None:
        raise NotImplementedError

    def forget_events(self) -> None:
        """Make the lines anew: other colours."""
        self._events = ((), [])

    def show_events(self) -> None:
        """Every event, the one under the cursor in view."""
        view, p = self.view, self.vitui.palette
        if view is None:
            return
        of = (view.events, self.size.width >= 120)
        if self._events[0] != of:
            self._events = (of, event_lines(view.events, p, self.size.width))
        lines, pane = list(self._events[1]), self.query_one("#events", Lines)
        if lines:
            here = len(lines) - 1 if self._event_at is None else min(self._event_at, len(lines) - 1)
            lines[here] = at_cursor(lines[here], p)
            pane.show(lines)
            pane.reveal(here)
        else:
            pane.show(lines)

    def move_event(self, lines: int) -> None:
        """Move the cursor; at the end it follows what comes."""
        count = len(self._events[1])
        here = (count - 1 if self._event_at is None else self._event_at) + lines
        self._event_at = None if here >= count - 1 else max(0, here)
        self.show_events()

    def action_show_event(self) -> None:
        """The crosshair of the charts at the event under the cursor."""
        view = self.view
        if self.pane != "events" or view is None or not view.events:
            return
        event = view.events[-1 if self._event_at is None else min(self._event_at, len(view.events) - 1)]
        times = max(view.series.values(), key=len, default=None)
        x = mark_of(event, view.run, times).x(self.grid.window.kind)
        if x is None or times is None:
            self.vitui.tell("that event has no place on the charts", "warning")
            return
        self.action_show_pane("curves")
        span = self.grid.look.span
        if span is not None and not span.low <= x <= (span.high if span.high is not None else x):
            self.grid.set_look(replace(self.grid.look, span=None))
        self.grid.put_cursor(x)

    @on(Click, "#events")
    def _event_clicked(self, event: Click) -> None:
        index = round(self.query_one("#events", Lines).scroll_y) + event.y
        if self.view is not None and index < len(self.view.events):
            self._event_at = index
            self.show_events()
