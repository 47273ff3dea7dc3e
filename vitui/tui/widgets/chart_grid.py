"""ChartGrid: all charts of a screen with one look and one crosshair, changed by keys and mouse.

Mouse: the wheel zooms at the pointer (with shift or ctrl the values), a drag pans, a click selects, a double click
shows the whole run; while the crosshair is on it follows the pointer.
"""

from __future__ import annotations

from dataclasses import replace

from textual.events import Click, MouseDown, MouseMove, MouseScrollDown, MouseScrollUp, MouseUp
from textual.message import Message

from vitui.tui.series import SMOOTHING, Span, steps_in
from vitui.tui.widgets import values
from vitui.tui.widgets.chart_canvas import ChartCanvas
from vitui.tui.widgets.look import Limits, Look
from vitui.tui.widgets.window import axis_of

WHEEL = 0.8
"""What one turn of the wheel leaves of a window."""


class ChartGrid(ChartCanvas):
    """The charts of a screen. Every method that changes the look says so with `Changed`, if it made a difference."""

    class Changed(Message):
        """The look has changed, by key or mouse. Moving the crosshair alone is not told."""

        def __init__(self, grid: ChartGrid) -> None:
            super().__init__()
            self.grid, self.look = grid, grid.look

        @property
        def control(self) -> ChartGrid:
            return self.grid

    _drag: tuple[int, int] | None = None
    """Where the pointer was last while a button is held."""

    def _change(self, look: Look, *, quiet: bool = False) -> None:
        if look != self._look:
            self.set_look(look)
            if not quiet:
                self.post_message(self.Changed(self))

    def zoom_x(self, factor: float, about: float | None = None) -> None:
        """Show `factor` times as much, about a place of the axis; by default about the crosshair, else the end while
        that follows the run, else the middle."""
        if about is None and self._look.cursor is not None:
            about = self._window.place(self._look.cursor)
        self._change(replace(self._look, span=self._window.scaled(factor, about)))

    def pan_x(self, part: float) -> None:
        """Move by `part` of what is in view."""
        if self._window.zoomed:
            self._change(replace(self._look, span=self._window.moved(part)))

    def zoom_y(self, factor: float, about: float | None = None) -> None:
        """Show `factor` times as much of the values of the selected chart."""
        if self.front is not None and (plot := self.plot) is not None:
            self._change_range(values.scaled(plot.y0, plot.y1, factor, plot.log, about))

    def pan_y(self, part: float) -> None:
        """Move the selected chart to higher values (negative: lower) by `part` of its height."""
        if self.front is not None and (plot := self.plot) is not None:
            self._change_range(values.moved(plot.y0, plot.y1, part, plot.log))

    def _change_range(self, limits: Limits) -> None:
        if self.front is not None and limits != (None, None):
            self._change(self._look.with_range(self.front.key, limits))

    def set_range(self, key: str, low: float | None, high: float | None) -> None:
        """Limits of one chart's y axis; None: automatic."""
        self._change(self._look.with_range(key, (low, high)))

    def reset(self) -> None:
        """Show the whole run, all values."""
        self._change(replace(self._look.whole(), cursor=self._look.cursor))

    @property
    def zoomed(self) -> bool:
        """Whether a part is in view, of steps or of values."""
        return self._look.span is not None or bool(self._look.ranges)

    def smooth(self, step: int) -> None:
        """Smooth more (1) or less (-1)."""
        index = min(range(len(SMOOTHING)), key=lambda n: abs(SMOOTHING[n] - self._look.smoothing)) + step
        self._change(replace(self._look, smoothing=SMOOTHING[min(max(0, index), len(SMOOTHING) - 1)]))

    def next_axis(self) -> None:
        """Count the next thing on the x axis that the runs know; what is in view stays in view."""
        traces = [trace for panel in self._panels for trace in panel.traces]
        kind = self._look.x.next()
        while axis_of(traces, kind) is not kind:
            kind = kind.next()
        anchor = max(traces, key=lambda t: len(t.series), default=None)
        look = replace(self._look, x=kind, span=None, cursor=None)
        if anchor is not None and len(anchor.series):
            steps = steps_in(self._look.span, anchor.pace, anchor.series)
            there, _ = self._derived.x(anchor.series, kind, anchor.pace)

            def moved(step: float) -> float:
                return float(there[min(int(anchor.series.step.searchsorted(step)), len(there) - 1)])

            if steps is not None:
                low, high = moved(steps[0]), None if steps[1] is None else moved(steps[1])
                look = replace(look, span=Span(kind, low, high) if high is None or high > low else None)
            if self._look.cursor is not None:
                here, _ = self._derived.x(anchor.series, self._window.kind, anchor.pace)
                index = min(int(here.searchsorted(self._look.cursor)), len(here) - 1)
                look = replace(look, cursor=float(there[index]))
        self._change(look)

    def toggle_log_x(self) -> None:
        self._change(replace(self._look, log_x=not self._look.log_x))

    def toggle_log_y(self) -> None:
        """Between a linear and a logarithmic y axis of the selected chart."""
        if self.front is not None:
            self._change(replace(self._look, log_y=self._look.log_y ^ {self.front.key}))

    def toggle_single(self) -> None:
        """Between all charts and only the selected one."""
        self._change(replace(self._look, single=not self._look.single))

    def toggle_clip(self) -> None:
        self._change(replace(self._look, clip=not self._look.clip))

    def select(self, step: int) -> None:
        """Select the next chart (1) or the one before (-1)."""
        if self._panels:
            self.bring_to_front(self._panels[(self._front + step) % len(self._panels)].key)

    def bring_to_front(self, key: str) -> None:
        self._change(replace(self._look, front=key))

    def toggle_cursor(self) -> None:
        """The crosshair on, at the last thing in view, or off."""
        if self._look.cursor is not None:
            self._change(replace(self._look, cursor=None))
        elif self._panels:
            self.put_cursor(self._window.unplace(min(self._window.x1, self._window.whole1)))

    def put_cursor(self, x: float) -> None:
        """The crosshair on, at a position in units of the x axis."""
        self._change(replace(self._look, cursor=x), quiet=self._look.cursor is not None)

    def move_cursor(self, dots: int) -> None:
        """Move the crosshair by columns of dots of the selected chart; beyond the edge of a window, move the window."""
        plot, w = self.plot, self._window
        if self._look.cursor is None or plot is None or (place := w.place(self._look.cursor)) is None:
            return
        columns = max(2, plot.columns * plot.dots_x)
        width = (w.x1 - w.x0) / (columns - 1)
        target = w.x0 + (round((place - w.x0) / width) + dots) * width
        target = min(max(target, w.whole0), w.whole1)
        look = replace(self._look, cursor=w.unplace(target))
        if w.zoomed and not w.x0 <= target <= w.x1:
            look = replace(look, span=w.moved(0.25 if target > w.x1 else -0.25))
        self._change(look, quiet=look.span == self._look.span)

    # -- mouse ---------------------------------------------------------------------------------------------------

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        self._wheel(event, WHEEL)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        self._wheel(event, 1 / WHEEL)

    def _wheel(self, event: MouseScrollUp | MouseScrollDown, factor: float) -> None:
        event.stop()
        event.prevent_default()
        tile = self.tile_at(event.x, event.y)
        if tile is None or (plot := self.plot_of(self.key_of(tile))) is None:
            return
        if event.shift or event.ctrl:
            self.bring_to_front(self.key_of(tile))
            self.zoom_y(factor, plot.value(event.y - tile.y - 1))
        else:
            self.zoom_x(factor, plot.place(event.x - tile.x))

    def on_mouse_down(self, event: MouseDown) -> None:
        tile = self.tile_at(event.x, event.y)
        if event.button == 1 and tile is not None:
            self.bring_to_front(self.key_of(tile))
            self._drag = event.x, event.y
            self.capture_mouse()

    def on_mouse_up(self, event: MouseUp) -> None:
        if self._drag is not None:
            self._drag = None
            self.release_mouse()

    def on_mouse_move(self, event: MouseMove) -> None:
        if self._drag is not None:
            self._pull(event.x - self._drag[0], event.y - self._drag[1])
            self._drag = event.x, event.y
        elif self._look.cursor is not None and (tile := self.tile_at(event.x, event.y)) is not None:
            plot, w = self.plot_of(self.key_of(tile)), self._window
            if plot is not None and w.x0 <= (place := plot.place(event.x - tile.x)) <= w.x1:
                self.put_cursor(w.unplace(place))

    def _pull(self, right: int, down: int) -> None:
        """Pan by cells; values only where they are zoomed: a shaky hand must not freeze an automatic axis."""
        plot = self.plot
        if plot is None or self.front is None:
            return
        if right:
            self.pan_x(-right / max(plot.columns, 1))
        if down and self.front.key in self._look.ranges:
            self.pan_y(down / max(plot.rows, 1))

    def on_click(self, event: Click) -> None:
        if event.chain == 2:
            self.reset()
