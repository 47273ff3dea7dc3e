"""Help, commands, jump mode and the dialogs everybody uses: quick with ten thousand entries, by key and by mouse."""

from __future__ import annotations

import time
from typing import Any

import pytest
from textual.widgets import Input

from tests.tui.driving import current, running, screen_text, until
from tests.tui.fake_lab import RUNNING, FakeLab, run
from vitui.tui.app import MOST_NOTES, VituiApp
from vitui.tui.finding import find, fold
from vitui.tui.screens.ask import AskScreen
from vitui.tui.screens.help import HelpScreen, RunsByName
from vitui.tui.screens.jump import LETTERS, JumpScreen, names
from vitui.tui.screens.pick import Choice, PickScreen
from vitui.tui.screens.prompt import PromptScreen
from vitui.tui.screens.run import RunScreen
from vitui.tui.screens.search import SearchScreen
from vitui.tui.widgets.lines import Lines

# -- searching -----------------------------------------------------------------------------------------------------


def found(query: str, *texts: str) -> list[str]:
    return [texts[index] for index in find(query, [fold(text) for text in texts])]


def test_every_word_must_occur_and_beginnings_come_first() -> None:
    texts = ("the stop", "nonstop run", "Stop the run", "start")
    assert found("stop", *texts) == ["Stop the run", "the stop", "nonstop run"]
    assert found("RUN stop", *texts) == ["Stop the run", "nonstop run"]
    assert found("", *texts) == list(texts)


def test_letters_in_their_order_where_no_word_is_found() -> None:
    assert found("cctcf", "cct on cifar", "vit") == ["cct on cifar"]
    assert found("zq", "cct on cifar") == [] and found("c", "vit") == []


def test_ten_thousand_runs_by_name() -> None:
    runs = [run(f"2611{i:05d}", name=f"cct seed {i}", preset="cifar") for i in range(10_000)]
    search = RunsByName(runs, lambda _: None)
    assert search("") == []
    assert len(search("cct")) == 200 and [entry.id for entry in search("seed 4711")] == ["run:261104711"]


def test_names_of_targets_are_told_apart_by_their_beginning() -> None:
    assert names(3) == list(LETTERS[:3])
    many = names(300)
    assert len(set(many)) == 300 and {len(name) for name in many} == {2}


# -- help and commands ---------------------------------------------------------------------------------------------


async def test_help_finds_and_carries_out(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("j", "question_mark")
        await until(pilot, lambda: "Keys of the runs screen" in screen_text(app))
        await pilot.press("pagedown", "end", "home", "up", *"stop")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        await pilot.press("y")
        await until(pilot, lambda: lab.calls == [("stop", RUNNING)])


async def test_a_key_finds_its_action_first_and_the_help_closes_as_it_opened(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("question_mark", "question_mark")
        assert app.screen is app.runs_screen
        await pilot.press("question_mark", "backspace")
        assert app.screen is app.runs_screen
        await pilot.press("question_mark", "S", "backspace", "backspace")
        assert isinstance(app.screen, HelpScreen), "a backspace held down deletes, no more"
        await pilot.press("S")
        row = app.screen.listing.current
        assert row is not None and row.content.id == "runs.reverse"


async def test_commands_open_a_run_by_its_name(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("ctrl+p", *"mixup 0.2")
        await until(pilot, lambda: RUNNING in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.run_id == RUNNING)


async def test_help_in_a_field_tells_its_keys(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("slash", "a", "f1", *"character left")
        await until(pilot, lambda: "Delete character left" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.runs_screen)
        await until(pilot, lambda: app.runs_screen.query_one("#filter", Input).value == "")


# -- jump mode -----------------------------------------------------------------------------------------------------


async def test_jumping_to_a_tab(lab: FakeLab) -> None:
    async with running(lab, RUNNING) as (app, pilot):
        await pilot.press("ctrl+o")
        assert isinstance(app.screen, JumpScreen)
        name = next(name for name, target in app.screen._targets.items() if target.label == "recipe")
        await until(pilot, lambda: f" {name} " in screen_text(app) and "type a letter" in screen_text(app))
        await pilot.press(*name)
        await until(pilot, lambda: "[recipe]" in screen_text(app))


async def test_any_other_key_leaves_the_jump_mode(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        for key in ("escape", "1", "ctrl+o"):
            await pilot.press("ctrl+o")
            assert isinstance(app.screen, JumpScreen)
            await pilot.press(key)
            assert app.screen is app.runs_screen and current(app)


# -- dialogs -------------------------------------------------------------------------------------------------------


async def opened(app: VituiApp, pilot: Any, screen: Any) -> list[Any]:
    answers: list[Any] = []
    await app.push_screen(screen, answers.append)
    await until(pilot, lambda: app.screen is screen and screen.query("#box") and screen.query_one("#box").region)
    return answers


async def test_ten_thousand_choices_are_quick_and_reachable(lab: FakeLab) -> None:
    choices = [Choice(f"run-{i}", f"run number {i}", "[b]markup[/b]") for i in range(10_000)]
    async with running(lab) as (app, pilot):
        screen = PickScreen("Runs", choices, app.palette)
        answers = await opened(app, pilot, screen)
        await pilot.press("end")
        assert "run number 9999" in screen_text(app) and "[b]markup[/b]" in screen_text(app)
        began = time.process_time()
        for _ in range(20):
            screen.action_move(-1)
        assert time.process_time() - began < 0.2, "a step of the cursor costs a line, not the list"
        await pilot.press(*"er 477", "down", "enter")
        assert answers == [["run-4770"]]


async def test_marking_moving_and_the_mouse(lab: FakeLab) -> None:
    async with running(lab, size=(60, 15)) as (app, pilot):
        choices = [Choice(name, name) for name in ("one", "two", "three")]
        answers = await opened(app, pilot, PickScreen("Some", choices, app.palette, many=True, ordered=True))
        await pilot.press("space", "space", "shift+up", "enter")  # three goes up, over the two that are marked
        assert answers == [["one", "two"]]
        answers = await opened(app, pilot, PickScreen("Some", choices, app.palette, many=True, ordered=True))
        await pilot.press("space", "down", "space", "shift+up", "shift+up", "enter")
        assert answers == [["three", "one"]]
        screen = PickScreen("One", choices, app.palette)
        answers = await opened(app, pilot, screen)
        assert await pilot.click("#pick-list", offset=(3, 1)) and not answers
        await pilot.click("#pick-list", offset=(3, 1))
        assert answers == [["two"]]
        answers = await opened(app, pilot, PickScreen("None", choices, app.palette))
        await pilot.click(offset=(0, 0))
        assert answers == [None], "beside the box"


async def test_a_prompt_says_what_is_wrong_whole_and_completes(lab: FakeLab) -> None:
    async with running(lab, size=(60, 15)) as (app, pilot):
        wrong = "this is a rather long sentence about what is wrong with the text that was typed just now"
        screen = PromptScreen("Name", app.palette, check=lambda t: "" if t == "paper" else wrong, words=["paper"])
        answers = await opened(app, pilot, screen)
        await pilot.press("p")
        assert "just now" in screen_text(app)
        await pilot.press("enter")
        assert not answers
        await until(pilot, lambda: bool(screen.query_one(Input)._suggestion))
        await pilot.press("tab", "enter")
        assert answers == ["paper"]


async def test_a_long_question_is_asked_whole_and_enter_is_no_answer(lab: FakeLab) -> None:
    async with running(lab, size=(60, 15)) as (app, pilot):
        detail = "and this is what it means, at some length, so that nobody is surprised by it in the end."
        screen = AskScreen("Delete twelve runs with everything they have written, for good?", detail, app.palette)
        answers = await opened(app, pilot, screen)
        shown = " ".join(screen.query_one("#question", Lines).text_lines())
        assert shown.endswith("surprised by it in the end.")
        await until(pilot, lambda: "in the end." in screen_text(app) and "y yes" in screen_text(app))
        await pilot.press("enter", "x")
        assert not answers
        await pilot.press("backspace")
        assert answers == [False]


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+q"])
async def test_leaving_from_a_field_of_a_dialog(lab: FakeLab, key: str) -> None:
    async with running(lab) as (app, pilot):
        for screen in (PromptScreen("Name", app.palette), PickScreen("Runs", [], app.palette)):
            await opened(app, pilot, screen)
        await pilot.press("a", key)
        await pilot.pause()
        assert app._exit


async def test_escape_peels_one_layer_at_a_time(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await opened(app, pilot, PickScreen("Runs", [Choice("a", "a")], app.palette))
        await opened(app, pilot, PromptScreen("Name", app.palette))
        await pilot.press("escape")
        assert isinstance(app.screen, SearchScreen)
        await pilot.press("escape")
        assert app.screen is app.runs_screen


# -- notes in the corner --------------------------------------------------------------------------------------------


async def test_a_held_key_does_not_cover_the_screen_with_notes(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        for _ in range(5):
            app.tell("stop: it has ended")
        await until(pilot, lambda: len(app.screen.query("Toast")) == 1)
        for number in range(9):
            app.tell(f"note {number}")
        await until(pilot, lambda: len(app.screen.query("Toast")) == MOST_NOTES)
        assert [note.message for note in app._notifications] == [f"note {number}" for number in range(5, 9)]
