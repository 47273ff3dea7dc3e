"""Actions of the Scoreboard screen."""

from __future__ import annotations

from vitui.tui.actions.base import Action, action


def _score(id: str, keys: str, shown: str, label: str, help: str, footer: int = 0, *, at_once: bool = False) -> Action:
    return action(f"scoreboard.{id}", keys, shown, label, help, "scoreboard", "Scoreboard", footer, at_once=at_once)


ACTIONS: tuple[Action, ...] = (
    _score("open", "enter", "enter", "open", "Its runs in the list; Launch with it where none is", 2),
    _score("search", "slash", "/", "search", "Only presets with these words", 3, at_once=True),
    _score("everything", "a", "a", "all/with runs", "Every preset, or only those that have been run", 5),
    _score("family", "f", "f", "families", "Choose families of presets", 6),
    _score("sort", "s", "s", "sort", "By the column under the cursor; again: other way, not", 8),
    _score("about", "i", "i", "about", "Everything known of the result under the cursor", 9),
    _score("column-left", "h left", "h", "column left", "Column cursor to the left"),
    _score("column-right", "l right", "l", "column right", "Column cursor to the right; scrolls the columns"),
    _score("copy", "y", "y", "copy", "Copy what is shown: Markdown, CSV, LaTeX, text", 7),
    _score("write", "w", "w", "write", "Write what is shown to a file"),
)
