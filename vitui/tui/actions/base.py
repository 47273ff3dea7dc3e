"""What an action is. The tables of them are beside this file, one for each screen."""

from __future__ import annotations

from dataclasses import dataclass


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


def action(
    id: str, keys: str, shown: str, label: str, help: str, screens: str, group: str, footer: int = 0,
    palette: bool = True, at_once: bool = False,
) -> Action:  # fmt: skip
    """An action from words separated by spaces."""
    return Action(id, tuple(keys.split()), shown, label, help, tuple(screens.split()), group, footer, palette, at_once)
