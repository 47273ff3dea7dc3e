"""Actions of charts, wherever there are any."""

from __future__ import annotations

from vitui.tui.actions.base import action

ACTIONS = (
    action("chart.smoother", "right_square_bracket", "]", "smoother", "Smooth curves more", "run", "Curves"),
    action("chart.rougher", "left_square_bracket", "[", "smooth", "Smooth curves less", "run", "Curves", 9),
    action("chart.x-axis", "X", "X", "x axis", "Count steps, epochs or time on the x axis", "run", "Curves", 10),
    action("chart.log-y", "L", "L", "log y", "Logarithmic loss axis", "run", "Curves", 11),
    action("chart.top5", "t", "t", "top-5", "Show or hide top-5 accuracy", "run", "Curves", 13),
    action("chart.zoom-in", "plus equals_sign", "+", "zoom", "Zoom in on the x axis; the end follows the run", "run",
       "Curves", 12),
    action("chart.zoom-out", "minus", "-", "zoom out", "Zoom out", "run", "Curves"),
    action("chart.zoom-reset", "0", "0", "whole run", "Show the whole run", "run", "Curves"),
    action("chart.pan-left", "left", "left", "pan left", "Move to earlier steps", "run", "Curves"),
    action("chart.pan-right", "right", "right", "pan right", "Move to later steps; at the end, follow the run",
       "run", "Curves"),
)  # fmt: skip
