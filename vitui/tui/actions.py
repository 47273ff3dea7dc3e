"""Every action of the app in one table: it makes the bindings, the key line, the help and the command palette.

A screen carries out action ``runs.open`` in its method ``action_open``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True)
class Action:
    """One thing a person can do. `keys` are Textual's names; `shown` is how the first of them is written.

    `footer`: place in the key line (small is kept longest), 0: not in it. `palette`: offered as a command.
    `at_once`: carried out before the next key is looked at, since what is typed after it belongs to it.
    """

    id: str
    keys: tuple[str, ...]
    shown: str
    label: str
    help: str
    screens: tuple[str, ...]
    group: str
    footer: int = 0
    palette: bool = True
    at_once: bool = False

    @property
    def method(self) -> str:
        return self.id.rpartition(".")[2].replace("-", "_")


def _a(
    id: str, keys: str, shown: str, label: str, help: str, screens: str, group: str, footer: int = 0,
    palette: bool = True, at_once: bool = False,
) -> Action:  # fmt: skip
    return Action(id, tuple(keys.split()), shown, label, help, tuple(screens.split()), group, footer, palette, at_once)


ACTIONS: tuple[Action, ...] = (
    _a("runs.open", "enter", "enter", "open", "Open the run: live curves, log, recipe", "runs", "Runs", 2),
    _a("runs.filter", "slash", "/", "filter", "Filter: words, state:running, preset~cifar, best>90",
       "runs", "Runs", 3, at_once=True),
    _a("runs.sort", "s", "s", "sort", "Sort by the next column", "runs", "Runs", 7),
    _a("runs.reverse", "S", "S", "reverse", "Turn the order round", "runs", "Runs", 10),
    _a("runs.newest", "a", "a", "newest", "Sort by age, newest first", "runs", "Runs"),
    _a("runs.mark", "space", "space", "mark", "Mark; stop and resume then act on all marked runs", "runs",
       "Runs", 8),
    _a("runs.unmark", "u", "u", "unmark all", "Remove all marks", "runs", "Runs"),
    _a("run.stop", "x", "x", "stop", "Stop: it writes a checkpoint and ends; asks first", "runs run", "Run", 5),
    _a("run.resume", "r", "r", "resume", "Resume from the last checkpoint", "runs run", "Run", 6),
    _a("run.pane", "tab", "tab", "pane", "Next pane: curves, log, recipe, events", "run", "Run", 3),
    _a("run.pane-back", "shift+tab", "shift+tab", "pane back", "Previous pane", "run", "Run", palette=False),
    _a("run.log", "l", "l", "log", "Show or hide the log under the curves", "run", "Run", 8),
    _a("chart.smoother", "right_square_bracket", "]", "smoother", "Smooth the training curve more", "run", "Curves"),
    _a("chart.rougher", "left_square_bracket", "[", "smooth", "Smooth the training curve less", "run", "Curves", 9),
    _a("chart.x-axis", "X", "X", "x axis", "Count steps, epochs or time on the x axis", "run", "Curves", 10),
    _a("chart.log-y", "L", "L", "log y", "Logarithmic loss axis", "run", "Curves", 11),
    _a("chart.top5", "t", "t", "top-5", "Show or hide top-5 accuracy", "run", "Curves", 13),
    _a("chart.zoom-in", "plus equals_sign", "+", "zoom", "Zoom in on the x axis; the end follows the run", "run",
       "Curves", 12),
    _a("chart.zoom-out", "minus", "-", "zoom out", "Zoom out", "run", "Curves"),
    _a("chart.zoom-reset", "0", "0", "whole run", "Show the whole run", "run", "Curves"),
    _a("chart.pan-left", "left", "left", "pan left", "Move to earlier steps", "run", "Curves"),
    _a("chart.pan-right", "right", "right", "pan right", "Move to later steps; at the end, follow the run",
       "run", "Curves"),
    _a("move.down", "j down", "j", "down", "Down", "runs run help", "Moving", palette=False),
    _a("move.up", "k up", "k", "up", "Up", "runs run help", "Moving", palette=False),
    _a("move.half-down", "ctrl+d", "ctrl+d", "half page down", "Half a page down", "runs run help", "Moving",
       palette=False),
    _a("move.half-up", "ctrl+u", "ctrl+u", "half page up", "Half a page up", "runs run help", "Moving", palette=False),
    _a("move.page-down", "pagedown", "pgdn", "page down", "A page down", "runs run help", "Moving", palette=False),
    _a("move.page-up", "pageup", "pgup", "page up", "A page up", "runs run help", "Moving", palette=False),
    _a("move.top", "g home", "g", "top", "To the first line", "runs run help", "Moving", palette=False),
    _a("move.bottom", "G end", "G", "bottom", "To the last line", "runs run help", "Moving", palette=False),
    _a("app.back", "escape backspace", "esc", "back", "Back: close the filter, the help, the run", "runs run help",
       "Everywhere", palette=False),
    _a("app.help", "question_mark f1", "?", "help", "The keys of this screen", "runs run", "Everywhere", 4),
    _a("app.palette", "colon ctrl+p", ":", "commands", "Command palette", "runs run", "Everywhere", 14, palette=False),
    _a("app.leave", "q", "q", "quit", "Quit, ctrl+c as well; training goes on", "runs run",
       "Everywhere", 1),
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
