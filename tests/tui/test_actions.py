"""The table of actions is what the app does: no entry without a method, no key with two meanings."""

from __future__ import annotations

import pytest
from textual.screen import Screen

from vitui.tui.actions import ACTIONS, bindings, groups, key_line, on_screen
from vitui.tui.screens.compare import CompareScreen
from vitui.tui.screens.devices import DevicesScreen
from vitui.tui.screens.help import HelpScreen, help_lines
from vitui.tui.screens.launch import LaunchScreen
from vitui.tui.screens.run import RunScreen
from vitui.tui.screens.runs import RunsScreen
from vitui.tui.theme import OKABE_ITO

SCREENS: dict[str, type[Screen[None]]] = {
    "runs": RunsScreen, "launch": LaunchScreen, "run": RunScreen, "compare": CompareScreen, "devices": DevicesScreen,
    "help": HelpScreen,
}  # fmt: skip
LAB_SCREENS = [name for name in SCREENS if name != "help"]


@pytest.mark.parametrize("name", SCREENS)
def test_every_action_has_its_method(name: str) -> None:
    for action in on_screen(name):
        assert callable(getattr(SCREENS[name], f"action_{action.method}", None)), action.id


@pytest.mark.parametrize("name", SCREENS)
def test_no_key_has_two_meanings(name: str) -> None:
    keys = [key for action in on_screen(name) for key in action.keys]
    assert sorted(keys) == sorted(set(keys))


def test_ids_are_unique_and_screens_exist() -> None:
    assert len({a.id for a in ACTIONS}) == len(ACTIONS)
    assert {s for a in ACTIONS for s in a.screens} == set(SCREENS)


@pytest.mark.parametrize("name", LAB_SCREENS)
def test_help_lists_every_action_and_bindings_have_their_ids(name: str) -> None:
    shown = "\n".join(
        "".join(t for t, _ in line) if not isinstance(line, str) else line for line in help_lines(name, OKABE_ITO)
    )
    assert all(action.help in shown for _, actions in groups(name) for action in actions)
    assert [b.id for b in bindings(name)] == [a.id for a in on_screen(name)]  # type: ignore[union-attr]


def test_help_fits_into_eighty_columns() -> None:
    assert {a.id: len(a.help) for a in ACTIONS if len(a.help) > 53} == {}


@pytest.mark.parametrize("name", LAB_SCREENS)
def test_the_key_line_puts_quitting_first(name: str) -> None:
    assert key_line(name)[0].id == "app.leave"
