"""Actions of charts, wherever there are any. Screens get their methods from `screens.charting.ChartActions`."""

from __future__ import annotations

from vitui.tui.actions.base import Action, action

SCREENS = "run compare study"


def _chart(id: str, keys: str, shown: str, label: str, help: str, footer: int = 0) -> Action:
    return action(f"chart.{id}", keys, shown, label, help, SCREENS, "Charts", footer)


ACTIONS = (
    _chart("smoother", "right_square_bracket", "]", "smoother", "Smooth curves more"),
    _chart("rougher", "left_square_bracket", "[", "smooth", "Smooth curves less", 9),
    _chart("x-axis", "X", "X", "x axis", "Count steps, epochs, images or time; tell the clock", 10),
    _chart("log-x", "H", "H", "log x", "Logarithmic x axis"),
    _chart("log-y", "L", "L", "log y", "Logarithmic y axis of the selected chart", 11),
    _chart("zoom-in", "plus equals_sign", "+", "zoom", "Zoom in on the x axis; the end follows the run", 12),
    _chart("zoom-out", "minus", "-", "zoom out", "Zoom out"),
    _chart("zoom-reset", "0", "0", "whole run", "Show the whole run and all values"),
    _chart("pan-left", "left", "left", "pan left", "Move to earlier steps, or the crosshair to the left"),
    _chart("pan-right", "right", "right", "pan right", "Move to later steps, at the end follow the run"),
    _chart("far-left", "shift+left", "shift+left", "far left", "Move a whole window, the crosshair ten columns"),
    _chart("far-right", "shift+right", "shift+right", "far right", "Move a whole window, the crosshair ten columns"),
    _chart("zoom-in-y", "greater_than_sign", ">", "zoom y", "Zoom in on the values of the selected chart"),
    _chart("zoom-out-y", "less_than_sign", "<", "zoom out y", "Zoom out of its values"),
    _chart("pan-up", "shift+up", "shift+up", "pan up", "Move to higher values"),
    _chart("pan-down", "shift+down", "shift+down", "pan down", "Move to lower values"),
    _chart("limits", "Y", "Y", "limits", "Type the limits of the selected chart's y axis"),
    _chart("clip", "O", "O", "clip", "Leave out the outermost percent of values at each end"),
    _chart("crosshair", "v", "v", "crosshair", "Read all curves at one place; arrows move it", 13),
    _chart("single", "z", "z", "one chart", "Only the selected chart, or all of them", 14),
    _chart("next-chart", "full_stop", ".", "next chart", "Select the next chart", 15),
    _chart("previous-chart", "comma", ",", "chart before", "Select the chart before"),
)
