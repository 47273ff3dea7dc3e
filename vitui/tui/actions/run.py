"""Actions on a run, and of the Run screen."""

from __future__ import annotations

from vitui.tui.actions.base import action

ACTIONS = (
    action("run.stop", "x", "x", "stop", "Stop: it writes a checkpoint and ends; asks first", "runs run", "Run", 5),
    action("run.resume", "r", "r", "resume", "Resume from the last checkpoint", "runs run", "Run", 6),
    action("run.rerun", "R", "R", "rerun", "The same recipe again, with the same seed or others", "runs run", "Run"),
    action("run.clone", "E", "E", "clone, edit", "Edit its recipe into a new run: opens Launch", "runs run", "Run"),
    action("run.note", "e", "e", "note", "Edit the note; several runs: add a line to theirs", "runs run", "Run"),
    action("run.tags", "t", "t", "tags", "Edit the tags; +x adds, -y takes away", "runs run", "Run"),
    action("run.name", "N", "N", "name", "Give it another name", "runs run", "Run"),
    action("run.star", "asterisk", "*", "star", "Star, or take the star away", "runs run", "Run"),
    action("run.archive", "A", "A", "archive", "Into the archive, or out of it", "runs run", "Run"),
    action("run.delete", "D", "D", "delete", "Delete for good; asks, says how much it frees", "runs run", "Run"),
    action("run.compare", "c", "c", "compare", "Compare the marked runs: two to twenty", "runs run", "Run", 12),
    action("run.copy", "y", "y", "copy", "Copy id, path, command, results or recipe", "runs run", "Run"),
    action("run.pane", "tab", "tab", "pane", "Next pane: curves, log, recipe, events, provenance", "run", "Run", 3),
    action("run.pane-back", "shift+tab", "shift+tab", "pane back", "Previous pane", "run", "Run", palette=False),
    action("run.log", "l", "l", "log", "Show or hide the log under the curves", "run", "Run", 9),
    action("run.overlay", "o", "o", "overlay", "Lay the curves of other runs over these", "run", "Run", 8),
    action("run.show-event", "enter", "enter", "show event", "The crosshair at the event under the cursor", "run",
           "Events", 3),
    action("run.search", "slash", "/", "search", "Search the log: text or /regex/; filter the recipe", "run", "Log", 10,
           at_once=True),
    action("run.match-next", "n", "n", "next match", "To the next line that matches", "run", "Log", 5),
    action("run.match-back", "p", "p", "match before", "To the line before that matches", "run", "Log", 6),
    action("run.follow", "f", "f", "follow", "Keep the end of the log in view, or not", "run", "Log", 8),
    action("run.wrap", "w", "w", "wrap", "Long lines of the log in several rows, or cut", "run", "Log", 9),
)  # fmt: skip
