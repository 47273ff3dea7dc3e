"""Every action of the app in one table: it makes the bindings, the key line, the help and the command palette.

A screen carries out action ``runs.open`` in its method ``action_open``.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding, BindingType

from vitui.tui.actions import charts, compare, devices, everywhere, launch, run, runs
from vitui.tui.actions.base import Action

__all__ = ["ACTIONS", "BY_ID", "Action", "bindings", "groups", "key_line", "on_screen"]

ACTIONS: tuple[Action, ...] = (
    *runs.ACTIONS, *launch.ACTIONS, *run.ACTIONS, *compare.ACTIONS, *devices.ACTIONS, *charts.ACTIONS,
    *everywhere.ACTIONS,
)  # fmt: skip

BY_ID = {action.id: action for action in ACTIONS}


def on_screen(screen: str) -> list[Action]:
    """The actions of a screen, in the table's order."""
    return [a for a in ACTIONS if screen in a.screens]


def bindings(screen: str) -> list[BindingType]:
    """Bindings of a screen, each with its action's id, so that a user's key map can name it."""
    return [
        Binding(",".join(a.keys), a.method, a.label, show=False, id=a.id, tooltip=a.help, priority=a.at_once)
        for a in on_screen(screen)
    ]


def key_line(screen: str, without: Iterable[str] = ()) -> list[Action]:
    """Actions for the line at the bottom, most important first."""
    left_out = set(without)
    return sorted((a for a in on_screen(screen) if a.footer and a.id not in left_out), key=lambda a: a.footer)


def groups(screen: str) -> list[tuple[str, list[Action]]]:
    """The actions of a screen by group, for the help."""
    out: dict[str, list[Action]] = {}
    for action in on_screen(screen):
        out.setdefault(action.group, []).append(action)
    return list(out.items())
