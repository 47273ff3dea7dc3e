"""Writes docs/keys.md from the table of actions: `uv run python docs/keys.py`. A test holds the page to the table."""

from __future__ import annotations

from pathlib import Path

from vitui.tui.actions import ACTIONS, Action
from vitui.tui.keymap import key_name

PAGE = Path(__file__).with_name("keys.md")
HEAD = """\
# Every key of the terminal app

Written by `docs/keys.py` from the table of actions, which also makes the key line, the help (`?`, searchable, enter
carries out) and the command palette (`:`). `ctrl+c` and `ctrl+q` leave the app from anywhere, text fields included.

Give an action other keys under `[keys]` in vitui.toml, by its name in the last column:

```toml
[keys]
"run.stop" = "ctrl+x"
"move.down" = ["j", "down", "ctrl+j"]
"run.delete" = []            # no key; still in the help and the palette
```

A key is a character (`x`, `X`, `?`), a name (`enter`, `tab`, `space`, `escape`, `pgdn`, `home`, `f5`, `left`), or one
of them after `ctrl+`, `alt+` or `shift+`. A name that does not exist, a key that terminals do not send, and a key
that would mean two things on a screen are refused when the app opens, with a sentence for each.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(_section(screens) for screens in _screens())])


def _screens() -> list[tuple[str, ...]]:
    """The sets of screens that actions are on: those of one screen first, those of all last."""
    return sorted({action.screens for action in ACTIONS}, key=lambda s: (len(s), [a.screens for a in ACTIONS].index(s)))


def _section(screens: tuple[str, ...]) -> str:
    every = len(screens) == len({screen for action in ACTIONS for screen in action.screens})
    names = [f"{screen.capitalize()}" for screen in screens]
    title = "Everywhere" if every else " and ".join([", ".join(names[:-1]), names[-1]] if names[:-1] else names)
    rows = ["| keys | what it does | name |", "|---|---|---|"]
    rows += [_row(action) for action in ACTIONS if action.screens == screens]
    return f"## {title}\n\n" + "\n".join(rows) + "\n"


def _row(action: Action) -> str:
    keys = " ".join(_code(key_name(key)) for key in action.keys)
    return f"| {keys} | {action.help.replace('|', chr(92) + '|')} | `{action.id}` |"


def _code(key: str) -> str:
    """A key as Markdown code; a backquote needs two around it, a bar must not end the cell."""
    return f"`` {key} ``" if "`" in key else f"`{key.replace('|', chr(92) + '|')}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
