"""Actions of the Compare screen."""

from __future__ import annotations

from vitui.tui.actions.base import Action, action


def _compare(id: str, keys: str, shown: str, label: str, help: str, footer: int = 0) -> Action:
    return action(f"compare.{id}", keys, shown, label, help, "compare", "Compare", footer)


ACTIONS: tuple[Action, ...] = (
    _compare("pane", "tab", "tab", "pane", "Charts or table", 3),
    _compare("pane-back", "shift+tab", "shift+tab", "pane back", "Charts or table, the other way round"),
    _compare("column-left", "h", "h", "run left", "The run to the left; in the table left arrow too"),
    _compare("column-right", "l", "l", "run right", "The run to the right; in the table right arrow too"),
    _compare("open", "enter", "enter", "open", "Open the run under the column cursor", 5),
    _compare("baseline", "b", "b", "baseline", "Differences to the run under the column cursor", 6),
    _compare("fields", "d", "d", "all fields", "Whole recipes and environments, or what differs", 7),
    _compare("choose-runs", "a", "a", "runs", "Choose runs: add some, take others away", 8),
    _compare("take-out", "u delete", "u", "take out", "Take the run under the column cursor out of here", 10),
    _compare("copy", "y", "y", "copy", "Copy the table: Markdown, CSV, LaTeX, text", 9),
    _compare("write", "w", "w", "write", "Write the table to a file", 13),
)
