"""The actions of charts, for screens that have a ChartGrid."""

from __future__ import annotations

from vitui.tui.screens.base import LabScreen
from vitui.tui.screens.prompt import PromptScreen
from vitui.tui.widgets.chart_grid import ChartGrid
from vitui.tui.widgets.values import parse_limits

PAN_X, PAN_Y, ZOOM = 0.25, 0.2, 0.5
FAR = 10
"""Columns of dots the crosshair moves with shift."""


class ChartActions(LabScreen):
    """Carries out every action ``chart.*`` on the grid of its screen."""

    @property
    def grid(self) -> ChartGrid:
        """The charts the keys act on."""
        raise NotImplementedError

    def charts_back(self) -> bool:
        """What esc takes back first: the crosshair, then the zoom. False when there was neither."""
        if self.grid.look.cursor is not None:
            self.grid.toggle_cursor()
        elif self.grid.zoomed:
            self.grid.reset()
        else:
            return False
        return True

    def action_smoother(self) -> None:
        self.grid.smooth(1)

    def action_rougher(self) -> None:
        self.grid.smooth(-1)

    def action_x_axis(self) -> None:
        self.grid.next_axis()

    def action_log_x(self) -> None:
        self.grid.toggle_log_x()

    def action_log_y(self) -> None:
        self.grid.toggle_log_y()

    def action_clip(self) -> None:
        self.grid.toggle_clip()

    def action_single(self) -> None:
        self.grid.toggle_single()

    def action_next_chart(self) -> None:
        self.grid.select(1)

    def action_previous_chart(self) -> None:
        self.grid.select(-1)

    def action_zoom_in(self) -> None:
        self.grid.zoom_x(ZOOM)

    def action_zoom_out(self) -> None:
        self.grid.zoom_x(1 / ZOOM)

    def action_zoom_reset(self) -> None:
        self.grid.reset()

    def action_zoom_in_y(self) -> None:
        self.grid.zoom_y(ZOOM)

    def action_zoom_out_y(self) -> None:
        self.grid.zoom_y(1 / ZOOM)

    def action_pan_left(self) -> None:
        self._sideways(-1)

    def action_pan_right(self) -> None:
        self._sideways(1)

    def action_far_left(self) -> None:
        self._sideways(-FAR)

    def action_far_right(self) -> None:
        self._sideways(FAR)

    def _sideways(self, dots: int) -> None:
        """The crosshair where it is on, else the window: by a quarter, with shift by all of it."""
        if self.grid.look.cursor is not None:
            self.grid.move_cursor(dots)
        else:
            self.grid.pan_x(PAN_X * dots if abs(dots) < FAR else dots / FAR)

    def action_pan_up(self) -> None:
        self.grid.pan_y(PAN_Y)

    def action_pan_down(self) -> None:
        self.grid.pan_y(-PAN_Y)

    def action_crosshair(self) -> None:
        self.grid.toggle_cursor()

    def action_limits(self) -> None:
        """Ask for the limits of the selected chart's y axis."""
        panel = self.grid.front
        if panel is None:
            return
        log = self.grid.look.is_log(panel)
        low, high = self.grid.look.ranges.get(panel.key, (None, None))

        def check(text: str) -> str:
            found = parse_limits(text, log)
            return found if isinstance(found, str) else ""

        def done(text: str | None) -> None:
            if text is not None and not isinstance(found := parse_limits(text, log), str):
                self.grid.set_range(panel.key, *found)

        self.app.push_screen(
            PromptScreen(
                f"Limits of {panel.title}",
                self.vitui.palette,
                value="" if low is high is None else f"{_end(low)}:{_end(high)}",
                hint="low:high, an empty end is automatic",
                check=check,
            ),
            done,
        )


def _end(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
