"""Every action of the app in one table: it makes the bindings, the key line, the help and the command palette.

A screen carries out action ``runs.open`` in its method ``action_open``. The functions take the table with a user's
own keys in it where there is one (see vitui.tui.keymap).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.binding import Binding, BindingType

from vitui.tui.actions import charts, compare, devices, everywhere, launch, run, runs, scoreboard, studies
from vitui.tui.actions.base import Action

__all__ = ["ACTIONS", "BY_ID", "Action", "bindings", "groups", "key_line", "key_of", "on_screen"]

ACTIONS: tuple[Action, ...] = (
    *runs.ACTIONS, *launch.ACTIONS, *run.ACTIONS, *compare.ACTIONS, *devices.ACTIONS, *studies.ACTIONS,
    *scoreboard.ACTIONS, *charts.ACTIONS, *everywhere.ACTIONS,
)  # fmt: skip

BY_ID = {action.id: action for action in ACTIONS}


def on_screen(screen: str, actions: Sequence[Action] = ACTIONS) -> list[Action]:
    """The actions of a screen, in the table's order."""
    return [a for a in actions if screen in a.screens]


def bindings(screen: str, actions: Sequence[Action] = ACTIONS) -> list[BindingType]:
    """Bindings of a screen, each with its action's id, so that they can be told from those of Textual."""
    return [
        Binding(",".join(a.keys), a.method, a.label, show=False, id=a.id, tooltip=a.help, priority=a.at_once)
        for a in on_screen(screen, actions)
        if a.keys
    ]


def key_line(screen: str, without: Iterable[str] = (), actions: Sequence[Action] = ACTIONS) -> list[Action]:
    """Actions for the line at the bottom, most important first."""
    left_out = set(without)
    found = [a for a in on_screen(screen, actions) if a.footer and a.keys and a.id not in left_out]
    return sorted(found, key=lambda a: a.footer)


def key_of(id: str, actions: Sequence[Action] = ACTIONS) -> str:
    """How the first key of an action is written in a sentence; its label where the user took its keys away."""
    found = next(a for a in actions if a.id == id)
    return found.shown or found.label


def groups(screen: str, actions: Sequence[Action] = ACTIONS) -> list[tuple[str, list[Action]]]:
    """The actions of a screen by group, for the help."""
    out: dict[str, list[Action]] = {}
    for action in on_screen(screen, actions):
        out.setdefault(action.group, []).append(action)
    return list(out.items())
