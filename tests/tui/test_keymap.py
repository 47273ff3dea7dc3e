"""A user's own keys: what can be written, what is refused, and that they are the keys everywhere."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.driving import bar, notes, screen_text, until
from tests.tui.fake_lab import FINISHED, NOW, FakeLab
from vitui.errors import UsageError
from vitui.settings import Settings
from vitui.tui.actions import ACTIONS
from vitui.tui.app import VituiApp
from vitui.tui.keymap import collisions, key_name, parse_key, remapped
from vitui.tui.screens.ask import AskScreen


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("x", "x"), ("X", "X"), ("?", "question_mark"), ("+", "plus"), ("ctrl++", "ctrl+plus"), (",", "comma"),
        ("pgdn", "pagedown"), ("esc", "escape"), ("f5", "f5"), ("shift+up", "shift+up"), ("space", "space"),
        ("shift+ctrl+left", "ctrl+shift+left"), ("question_mark", "question_mark"), ("é", "é"),
    ],
)  # fmt: skip
def test_keys_that_can_be_written(text: str, key: str) -> None:
    assert parse_key(text) == key
    assert parse_key(key_name(key)) == key


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "by name"), (" ", "by name"), ("hyper+x", "hyper is no modifier"), ("pagdown", "did you mean pagedown"),
        ("ctrl+X", "ctrl+shift+x"), ("shift+x", "write X"), ("ctrl+i", "send tab"), ("ctrl+m", "send enter"),
        ("ctrl+[", "send escape"), ("ctrl+c", "leave the app"), ("ctrl+q", "leave the app"), ("xyz", "no key"),
    ],
)  # fmt: skip
def test_keys_that_cannot(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("+", r"\+")):
        parse_key(text)


def test_an_action_gets_other_keys_or_none() -> None:
    table = {a.id: a for a in remapped(ACTIONS, {"run.stop": ["ctrl+x", "f9"], "run.resume": []})}
    assert table["run.stop"].keys == ("ctrl+x", "f9") and table["run.stop"].shown == "ctrl+x"
    assert table["run.resume"].keys == ()
    assert table["run.star"] is next(a for a in ACTIONS if a.id == "run.star")


def test_two_actions_may_change_places() -> None:
    assert collisions(remapped(ACTIONS, {"run.stop": ["r"], "run.resume": ["x"]})) == []


def test_everything_that_is_wrong_is_told_at_once_in_a_sentence_each() -> None:
    keys = {"run.stopp": ["x"], "run.stop": ["j"], "run.star": ["hyper+s", "ctrl+i"]}
    with pytest.raises(UsageError) as caught:
        remapped(ACTIONS, keys, "config file a.toml: ")
    lines = str(caught.value).splitlines()
    assert len(lines) == 4 and all(line.startswith("config file a.toml: [keys] ") for line in lines)
    assert "run.stopp: no such action; did you mean run.stop?" in lines[0]
    assert "hyper+s is no key that can be used" in lines[1] and "terminals send tab" in lines[2]
    assert "run.stop: j means move.down already (runs, run)" in lines[3]


def test_a_key_of_another_screen_is_free() -> None:
    assert remapped(ACTIONS, {"launch.copy": ["s"]})


def app_with(lab: FakeLab, **settings: Any) -> VituiApp:
    return VituiApp(lab, clock=lambda: NOW, settings=Settings(**settings))  # type: ignore[arg-type]


async def test_the_user_s_keys_are_the_keys_everywhere(lab: FakeLab) -> None:
    app = app_with(lab, keys={"run.stop": ("ctrl+x",), "app.help": ("f2",), "move.down": ("e",), "run.note": ("m",)})
    async with app.run_test(size=(120, 24)) as pilot:
        await until(pilot, lambda: app.runs_known)
        await pilot.press("e")
        await until(pilot, lambda: "ctrl+x stop" in bar(app, "keys") and "f2 help" in bar(app, "keys"))
        await pilot.press("x", "question_mark", "j")
        assert app.screen is app.runs_screen, "the old keys do nothing"
        await pilot.press("ctrl+x")
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        await pilot.press("n", "f2")
        await until(pilot, lambda: "ctrl+x Stop" in " ".join(screen_text(app).split()))
        await pilot.press("escape", "enter")
        await until(pilot, lambda: app.screen is not app.runs_screen)
        await pilot.press("ctrl+x")
        await until(pilot, lambda: isinstance(app.screen, AskScreen))


async def test_what_is_not_possible_is_not_offered_and_says_why(lab: FakeLab) -> None:
    app = VituiApp(lab, FINISHED, clock=lambda: NOW)  # type: ignore[arg-type]
    async with app.run_test(size=(200, 24), notifications=True) as pilot:
        await until(pilot, lambda: getattr(app.screen, "view", None) is not None)
        await until(pilot, lambda: "q quit" in bar(app, "keys"))
        assert "resume" not in bar(app, "keys") and "x stop" not in bar(app, "keys")
        await pilot.press("r")
        await until(pilot, lambda: "resume: " in notes(app))
        assert not lab.calls
        await pilot.press("question_mark", *"from the last ch")
        await until(pilot, lambda: "resume: not now, " in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "not now: " in screen_text(app))
