"""Actions of the Runs screen."""

from __future__ import annotations

from vitui.tui.actions.base import action

ACTIONS = (
    action("runs.open", "enter", "enter", "open", "Open the run: live curves, log, recipe", "runs", "Runs", 2),
    action("runs.filter", "slash", "/", "filter", "Filter: words, state:running, preset~cifar, best>90",
       "runs", "Runs", 3, at_once=True),
    action("runs.sort", "s", "s", "sort", "Sort by the next column", "runs", "Runs", 7),
    action("runs.reverse", "S", "S", "reverse", "Turn the order round", "runs", "Runs", 10),
    action("runs.newest", "a", "a", "newest", "Sort by age, newest first", "runs", "Runs"),
    action("runs.mark", "space", "space", "mark", "Mark; stop and resume then act on all marked runs", "runs",
       "Runs", 8),
    action("runs.unmark", "u", "u", "unmark all", "Remove all marks", "runs", "Runs"),
)  # fmt: skip
