"""The table of actions is what the app does: no entry without a method, no key with two meanings."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from vitui.tui.actions import ACTIONS, bindings, groups, key_line, on_screen
from vitui.tui.keymap import collisions, key_name, parse_key
from vitui.tui.screens.base import LabScreen
from vitui.tui.screens.compare import CompareScreen
from vitui.tui.screens.devices import DevicesScreen
from vitui.tui.screens.launch import LaunchScreen
from vitui.tui.screens.run import RunScreen
from vitui.tui.screens.runs import RunsScreen
from vitui.tui.screens.scoreboard import ScoreboardScreen
from vitui.tui.screens.studies import StudiesScreen
from vitui.tui.screens.study import StudyScreen

DOCS = Path(__file__).parents[2] / "docs"
SCREENS: dict[str, type[LabScreen]] = {
    "runs": RunsScreen, "launch": LaunchScreen, "run": RunScreen, "compare": CompareScreen, "devices": DevicesScreen,
    "studies": StudiesScreen, "study": StudyScreen, "scoreboard": ScoreboardScreen,
}  # fmt: skip


@pytest.mark.parametrize("name", SCREENS)
def test_every_action_has_its_method(name: str) -> None:
    for action in on_screen(name):
        assert callable(getattr(SCREENS[name], f"action_{action.method}", None)), action.id


def test_no_key_has_two_meanings() -> None:
    assert collisions(ACTIONS) == []


@pytest.mark.parametrize("name", SCREENS)
def test_a_method_is_that_of_one_action(name: str) -> None:
    methods = [action.method for action in on_screen(name)]
    assert sorted(methods) == sorted(set(methods)), "the screen could not tell which one is meant"


def test_ids_are_unique_and_screens_exist() -> None:
    assert len({a.id for a in ACTIONS}) == len(ACTIONS)
    assert {s for a in ACTIONS for s in a.screens} == set(SCREENS)
    assert all(name == SCREENS[name].KIND for name in SCREENS)


@pytest.mark.parametrize("name", SCREENS)
def test_groups_and_bindings_hold_every_action_of_the_screen(name: str) -> None:
    assert sorted(a.id for _, actions in groups(name) for a in actions) == sorted(a.id for a in on_screen(name))
    assert [b.id for b in bindings(name)] == [a.id for a in on_screen(name)]  # type: ignore[union-attr]


def test_texts_fit_into_eighty_columns() -> None:
    assert {a.id: len(a.help) for a in ACTIONS if not 0 < len(a.help) <= 53} == {}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_keys_are_such_as_a_user_could_write(action: object) -> None:
    assert isinstance(action, type(ACTIONS[0])) and action.keys
    assert [parse_key(key_name(key)) for key in action.keys] == list(action.keys)
    assert action.shown in (key_name(action.keys[0]), action.keys[0])


@pytest.mark.parametrize("name", SCREENS)
def test_the_key_line_puts_quitting_first(name: str) -> None:
    assert key_line(name)[0].id == "app.leave"


def test_the_page_of_keys_is_that_of_the_table() -> None:
    page = runpy.run_path(str(DOCS / "keys.py"))["page"]()
    assert (DOCS / "keys.md").read_text(encoding="utf-8") == page, "`uv run python docs/keys.py`"
    assert all(f"`{action.id}`" in page for action in ACTIONS)
