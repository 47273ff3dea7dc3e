"""Actions of the Studies screen, and of the screen of one study."""

from __future__ import annotations

from vitui.tui.actions.base import Action, action

BOTH = "studies study"


def _list(id: str, keys: str, shown: str, label: str, help: str, footer: int = 0, *, at_once: bool = False) -> Action:
    return action(f"studies.{id}", keys, shown, label, help, "studies", "Studies", footer, at_once=at_once)


def _both(id: str, keys: str, shown: str, label: str, help: str, footer: int = 0) -> Action:
    return action(f"study.{id}", keys, shown, label, help, BOTH, "Study", footer)


def _one(
    id: str, keys: str, shown: str, label: str, help: str, footer: int = 0, *, group: str = "Table",
    palette: bool = True, at_once: bool = False,
) -> Action:  # fmt: skip
    return action(f"study.{id}", keys, shown, label, help, "study", group, footer, palette, at_once)


ACTIONS: tuple[Action, ...] = (
    _list("open", "enter", "enter", "open", "Open the study: its table, heat map, curves", 2),
    _list("search", "slash", "/", "search", "Search studies as you type", 10, at_once=True),
    _one("open-run", "enter", "enter", "open run", "Open the run of the cell, or one of the row's runs", 2),
    _one("pane", "tab", "tab", "view", "Table, seeds, heat map, curves", 3),
    _one("pane-back", "shift+tab", "shift+tab", "view before", "The view before", palette=False),
    _both("queue-all", "Q", "Q", "queue", "Queue all that is missing, resume what broke; asks", 5),
    _one("queue-row", "R", "R", "queue row", "The same for the variant, or for all marked ones", 11, group="Study"),
    _one("queue-cell", "r", "r", "queue cell", "The same for the one cell under the cursor", 12, group="Study"),
    _both("stop", "x", "x", "stop", "Stop its runs, or those of marked variants; asks", 9),
    _both("runs", "a", "a", "its runs", "All of its runs in the list of runs"),
    _both("new", "n", "n", "new study", "Plan a study; shows runs, hours, disk beforehand", 6),
    _both("edit", "E", "E", "edit file", "Edit its TOML file in $EDITOR; checked, then kept", 13),
    _both("fork", "F", "F", "fork", "The same study under another name, to change", 14),
    _both("remove", "D", "D", "remove", "Remove a study of your own; its runs stay"),
    _both("about", "i", "i", "about", "Question, description, what it trains, every note", 8),
    _both("copy", "y", "y", "copy", "Copy the report: Markdown, CSV, LaTeX, text", 7),
    _both("write", "w", "w", "write", "Write the report to a file: .md .csv .tex .json .html"),
    _one("mark", "space", "space", "mark", "Mark the variant: curves, Compare, queueing use marks", 10),
    _one("unmark", "u", "u", "unmark all", "Remove all marks"),
    _one("search", "slash", "/", "search", "Only variants with these words", 15, at_once=True),
    _one("sort", "s", "s", "sort", "By the column under the cursor; again: other way, not", 16),
    _one("baseline", "b", "b", "baseline", "Differences to the variant under the cursor, for now", 12),
    _one("compare", "c C", "c", "compare", "Runs of marked variants (else of the row) in Compare"),
    _one("column-left", "h", "h", "column left", "Column cursor to the left; left arrow too"),
    _one("column-right", "l", "l", "column right", "Column cursor to the right; right arrow too"),
    _one("values", "o", "o", "own/published", "Heat map: own values, published ones, difference", 4, group="Heat map"),
    _one("series", "m", "m", "series", "Curves: choose which series are drawn", 4, group="Curves"),
)  # fmt: skip
