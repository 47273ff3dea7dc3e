"""Actions of the Runs screen."""

from __future__ import annotations

from vitui.tui.actions.base import Action, action


def _list(id: str, keys: str, shown: str, label: str, help: str, footer: int = 0) -> Action:
    return action(f"runs.{id}", keys, shown, label, help, "runs", "List", footer)


def _mark(id: str, keys: str, shown: str, label: str, help: str, footer: int = 0) -> Action:
    return action(f"runs.{id}", keys, shown, label, help, "runs", "Marks", footer)


ACTIONS = (
    action("runs.open", "enter", "enter", "open", "Open the run; open or close a group", "runs", "Run", 2),
    action("runs.new", "n", "n", "new", "A new run: opens Launch", "runs", "Run", 15),
    _mark("mark", "space", "space", "mark", "Mark: actions on runs then act on all marked", 8),
    _mark("mark-down", "shift+down J", "shift+down", "mark down", "Mark, and the next one too"),
    _mark("mark-up", "shift+up K", "shift+up", "mark up", "Mark, and the one above too"),
    _mark("mark-all", "ctrl+a", "ctrl+a", "mark all", "Mark every run that is shown"),
    _mark("invert", "i", "i", "invert", "Mark what is not marked, and the other way round"),
    _mark("unmark", "u", "u", "unmark all", "Remove all marks"),
    action(
        "runs.filter",
        "slash",
        "/",
        "filter",
        "Filter: acc1>90 and model~swin and tag:paper",
        "runs",
        "List",
        3,
        at_once=True,
    ),
    action(
        "runs.complete",
        "tab",
        "tab",
        "complete",
        "In the filter: take the completion; arrows choose",
        "runs",
        "List",
        palette=False,
    ),
    _list("sort", "s", "s", "sort", "Sort by the column of the column cursor, or the next", 7),
    _list("reverse", "S", "S", "reverse", "Turn the order round", 10),
    _list("order", "o", "o", "sort by ...", "Sort by several fields, or by the smoothed best"),
    _list("newest", "a", "a", "newest", "Sort by age, newest first"),
    _list("group", "b", "b", "group", "Group by preset, tag, recipe or any field", 11),
    _list("columns", "C", "C", "columns", "Choose and order the columns out of all fields", 13),
    _list("column-left", "left", "left", "column left", "Column cursor to the left"),
    _list("column-right", "right", "right", "column right", "Column cursor to the right; scrolls the columns"),
    _list("narrower", "left_curly_bracket", "{", "narrower", "Narrow the column under the column cursor"),
    _list("wider", "right_curly_bracket", "}", "wider", "Widen the column under the column cursor"),
    _list("differing", "equals_sign", "=", "differing", "Only columns, of recipes too, in which runs differ"),
    _list("archived", "z", "z", "archived", "Show archived runs, or leave them out"),
    _list("views", "v", "v", "views", "Saved views: show one, delete some"),
    _list("save-view", "V", "V", "save view", "Save filter, columns, order and groups as a view"),
)
