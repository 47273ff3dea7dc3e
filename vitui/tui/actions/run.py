"""Actions on a run, and of the Run screen."""

from __future__ import annotations

from vitui.tui.actions.base import action

ACTIONS = (
    action("run.stop", "x", "x", "stop", "Stop: it writes a checkpoint and ends; asks first", "runs run", "Run", 5),
    action("run.resume", "r", "r", "resume", "Resume from the last checkpoint", "runs run", "Run", 6),
    action("run.pane", "tab", "tab", "pane", "Next pane: curves, log, recipe, events", "run", "Run", 3),
    action("run.pane-back", "shift+tab", "shift+tab", "pane back", "Previous pane", "run", "Run", palette=False),
    action("run.log", "l", "l", "log", "Show or hide the log under the curves", "run", "Run", 8),
)  # fmt: skip
