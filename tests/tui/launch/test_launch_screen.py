"""The Launch screen through its keys, over the real lab."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path

import pytest

from tests.tui.driving import bar, notes, screen_text, until
from tests.tui.launch.conftest import Opened
from vitui.drafts.draft import Draft
from vitui.lab import Lab
from vitui.store import Store
from vitui.tui.remembered import Remembered
from vitui.tui.screens import launch_desk
from vitui.tui.screens.ask import AskScreen
from vitui.tui.screens.launch import LaunchScreen
from vitui.tui.screens.pick import PickScreen
from vitui.tui.screens.run import RunScreen
from vitui.tui.widgets.lines import Lines
from vitui.tui.widgets.listing import Listing

DIGITS = "demo-digits"


def rows(form: LaunchScreen, name: str) -> str:
    return "\n".join(form.query_one(f"#{name}", Listing).text_lines())


def command(form: LaunchScreen) -> str:
    return form.sheet.preview.command if form.sheet and form.sheet.preview else ""


def said(form: LaunchScreen) -> str:
    return "\n".join(form.query_one("#about", Lines).text_lines())


def preview(form: LaunchScreen) -> str:
    """The words of the preview, wherever its lines are broken."""
    return " ".join(" ".join(form.query_one("#preview", Lines).text_lines()).split())


async def test_a_preset_is_found_by_typing_and_taken_with_enter(home: Lab, opened: Opened) -> None:
    own = home.home / "presets"
    own.mkdir()
    (own / "broken.toml").write_text("title = ")
    async with opened(home) as (form, pilot):
        assert "✗ broken" in rows(form, "presets") and "↓ 170 MB" in rows(form, "presets")
        assert "no preset chosen" in bar(form.app, "go")  # type: ignore[arg-type]
        await pilot.press("slash", *"resc pets")
        assert "no preset matches" in screen_text(form.app)
        await pilot.press("escape", "slash", *"digits")
        assert [row.key for row in form.query_one("#presets", Listing).rows] == ["family demo", DIGITS]
        assert "98.06 top1 on test" in said(form) and "packed at first use" in said(form)
        await pilot.press("enter")
        await until(pilot, lambda: command(form) == f"vitui run {DIGITS}" and form.pane == "toggles")


async def test_toggles_flip_turn_their_rivals_off_and_are_taken_back(home: Lab, opened: Opened) -> None:
    async with opened(home, preset=DIGITS) as (form, pilot):
        toggles = form.query_one("#toggles", Listing)
        toggles.put_on("random-crop")
        await pilot.press("space")
        await until(pilot, lambda: "--toggle random-crop" in command(form))
        assert "≠ ● on  Random crop with black" in rows(form, "toggles")
        toggles.put_on("random-resized-crop")
        await pilot.pause()
        assert "turns off random-crop" in said(form)
        await pilot.press("enter")
        await until(pilot, lambda: "--toggle random-resized-crop" in command(form))
        assert "  ○ off Random crop with black" in rows(form, "toggles") and "random-crop" not in command(form).split()
        toggles.put_on("nesterov")
        await pilot.press("space")
        assert "optim.nesterov" in said(form) and "nesterov" not in command(form)
        await pilot.press("U")
        await until(pilot, lambda: "--toggle random-crop" in command(form))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: command(form) == f"vitui run {DIGITS}")


async def test_a_field_is_edited_in_its_place_and_a_wrong_value_never_enters(home: Lab, opened: Opened) -> None:
    async with opened(home, preset=DIGITS) as (form, pilot):
        base = f"vitui run {DIGITS} --toggle hflip"
        await pilot.press("space")
        await until(pilot, lambda: command(form) == base)
        await pilot.press("tab", "slash", *"optim.lr", "enter")
        edit = form.edit_field()
        assert edit.has_focus and edit.value == "0.001"
        line = form.query_one("#fields", Listing)
        assert edit.region.y == line.region.y + line.line_of_cursor()
        await pilot.press("enter")
        assert form.focused is None
        await pilot.press("enter")
        await until(pilot, lambda: edit.has_focus)
        edit.value = ""
        await pilot.press(*"2/1")
        assert 'optim.lr = "2/1" must be' in said(form)
        await pilot.press("enter")
        assert edit.has_focus and "optim.lr" not in command(form)
        await pilot.press("backspace", "backspace", "enter")
        await until(pilot, lambda: "--set optim.lr=2" in command(form))
        assert form.focused is None and "was 0.001" in rows(form, "fields")
        await pilot.press("U")
        await until(pilot, lambda: command(form) == base)
        assert form.sheet and form.sheet.draft and not form.sheet.draft.sets, "a value only looked at is not typed"
        await pilot.press("enter", "2", "enter")
        await until(pilot, lambda: "--set optim.lr=2" in command(form))
        await pilot.press("u")
        await until(pilot, lambda: command(form) == base)
        await pilot.press("ctrl+n")
        await until(pilot, lambda: command(form) == f"vitui run {DIGITS}")
        await pilot.press("escape", "slash", *"schedule.name", "right")
        await pilot.press("escape", "c")
        assert "nothing is changed" in screen_text(form.app)


async def test_choices_go_round_and_are_picked_from_a_list(home: Lab, opened: Opened) -> None:
    async with opened(home, preset=DIGITS) as (form, pilot):
        await pilot.press("tab")
        form.query_one("#fields", Listing).put_on("augment.crop")
        await pilot.press("right")
        await until(pilot, lambda: "--set augment.crop=pad" in command(form))
        await pilot.press("left")
        await until(pilot, lambda: "augment.crop" not in command(form) or "augment.crop=none" in command(form))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(form.app.screen, PickScreen))
        await pilot.press(*"resized", "enter")
        await until(pilot, lambda: "augment.crop=resized" in command(form))
        form.query_one("#fields", Listing).put_on("model.pretrained")
        await pilot.press("space")
        await until(pilot, lambda: "model.pretrained=true" in command(form))


async def test_details_of_the_run_and_the_whole_command(home: Lab, opened: Opened) -> None:
    async with opened(home, preset=DIGITS) as (form, pilot):
        await pilot.press("tab", "tab", "enter", *"night q", "enter")
        await pilot.press("down", "enter", *"2,x", "enter")
        assert '"x" is no whole number' in said(form)
        await pilot.press("backspace", "3", "enter", "down", "right")
        await until(pilot, lambda: "--device cpu" in command(form))
        assert command(form) == f"vitui run {DIGITS} --seeds 2,3 --name 'night q' --device cpu"
        assert "launch 2 runs" in bar(form.app, "go")  # type: ignore[arg-type]
        await pilot.click("#run", offset=(14, 3))
        await pilot.click("#run", offset=(14, 3))
        assert form.edit_field().has_focus
        await pilot.press(*"a, b", "tab")
        await until(pilot, lambda: "--tag a --tag b" in command(form))
        form.query_one("#run", Listing).put_on("device")
        await pilot.press("u", "tab")
        await until(pilot, lambda: "--device" not in command(form))
        assert "2 runs of 40 epochs, 1,680 steps, seeds 2, 3" in preview(form)
        assert "learning rate" in screen_text(form.app)


async def test_what_cannot_be_launched_is_refused_with_the_reason(home: Lab, opened: Opened) -> None:
    async with opened(home, size=(120, 36), preset="demo-cifar10") as (form, pilot):
        await until(pilot, lambda: "vitui data add cifar10" in preview(form))
        await pilot.press("ctrl+l")
        await until(pilot, lambda: "vitui data add cifar10" in notes(form.vitui))
        assert home.runs() == []
        form.desk.edit(lambda *_: Draft(DIGITS, sets={"model.name": "no-such-model"}))
        await until(pilot, lambda: 'cannot be launched: model.name = "no-such-model" is not known' in preview(form))
        form.desk.edit(lambda *_: Draft(DIGITS, sets={"schedule.warmup_epochs": "99"}))
        await until(pilot, lambda: "must be less than train.epochs" in preview(form))


async def test_launching_opens_the_run_and_says_when_it_would_be_the_same_again(home: Lab, opened: Opened) -> None:
    async with opened(home, preset=DIGITS) as (form, pilot):
        app = form.vitui
        await pilot.press("ctrl+l")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        (run,) = home.runs()
        assert app.screen.run_id == run.id and run.preset == DIGITS  # type: ignore[attr-defined]
        await pilot.press("2")
        await until(pilot, lambda: form.sheet and form.sheet.repeats)
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        assert f"the same recipe and seed 0 is queued: run {run.id}" in screen_text(app)
        await pilot.press("n")
        form.desk.edit(launch_desk_seeds(1, 2))
        await until(pilot, lambda: "launch 2 runs" in bar(app, "go"))
        await pilot.press("ctrl+l", "y")
        await until(pilot, lambda: len(home.runs()) == 3 and app.screen is app.runs_screen)
        assert sorted(run.seed or 0 for run in home.runs()) == [0, 1, 2]


def launch_desk_seeds(*seeds: int) -> launch_desk.Edit:
    return lambda draft, _: Draft(draft.preset, seeds=seeds) if draft else None


async def test_the_engine_is_asked_behind_the_back_and_an_edit_gives_the_question_up(
    home: Lab, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(home, size=(120, 36), preset=DIGITS) as (form, pilot):
        await until(pilot, lambda: "1.00k parameters, all trained; 2.00M MACs" in preview(form))
        form.desk.edit(lambda *_: Draft(DIGITS, sets={"model.name": "hangs"}))
        await until(pilot, lambda: form._asking is not None and form._asking._end is not None)
        assert "asking the engine" in preview(form)
        hanging = form._asking
        form.desk.edit(lambda *_: Draft(DIGITS, sets={"model.name": "other"}))
        await until(pilot, lambda: form._asking is not hanging and "1.00k parameters" in preview(form))
        assert "hangs" not in preview(form)


async def test_a_clone_says_which_run_it_is_from_and_tells_changes_against_it(home: Lab, opened: Opened) -> None:
    run_id = home.launch(home.compose(DIGITS, ["mixup"]), name="first", tags=["a"])
    async with opened(home, preset=DIGITS) as (form, pilot):
        form.vitui.start_from(run_id)
        await until(pilot, lambda: "--toggle mixup" in command(form))
        assert f"cloned from run {run_id}" in screen_text(form.app) and "--tag a" in command(form)
        await pilot.press("escape")
        await pilot.press("tab", "tab", "tab", "tab")
        assert f"none: it is run {run_id}" in preview(form)


async def test_the_form_is_as_it_was_left(home: Lab, opened: Opened, tmp_path: Path) -> None:
    async with opened(home, preset=DIGITS) as (form, pilot):
        form.query_one("#toggles", Listing).put_on("mixup")
        await pilot.press("space")
        await until(pilot, lambda: "--toggle mixup" in command(form))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: form.app.screen is form.vitui.runs_screen)
    kept = Remembered(home.home)
    assert kept.get("launch")["draft"]["flips"] == ["mixup"]
    async with opened(home) as (form, _):
        assert command(form) == f"vitui run {DIGITS} --toggle mixup"
    content = json.loads((home.home / "tui.json").read_text())
    damaged = {"draft": {"preset": 3}, "pane": "x", "folded": 7, "changed_only": "y", "preset": []}
    (home.home / "tui.json").write_text(json.dumps({**content, "launch": damaged}))
    async with opened(home) as (form, _):
        assert form.sheet is not None and form.sheet.draft is None and form.pane == "presets"


@pytest.mark.parametrize("size", [(60, 15), (120, 40), (200, 60)])
async def test_every_pane_in_every_size(home: Lab, opened: Opened, size: tuple[int, int]) -> None:
    async with opened(home, size=size, preset=DIGITS) as (form, pilot):
        panes = {1: {"presets"}, 2: {"presets", "preview"}, 3: {"presets", "toggles", "fields", "run", "preview"}}
        if form.pane != "presets":
            await pilot.press("escape")
        for name in ("presets", "toggles", "fields", "run", "preview"):
            assert form.pane == name
            shown = {one for one in panes[3] if form.query_one(f"#{one}-pane").region.area}
            assert name in shown and len(shown) == len(panes[form.mode])
            await pilot.press("tab")
            await pilot.pause()
        assert form.mode == {60: 1, 120: 2, 200: 3}[size[0]]
        await pilot.press("i")
        await until(pilot, lambda: form.app.screen.query_one("#info-page", Lines).lines)
        page = "\n".join(form.app.screen.query_one("#info-page", Lines).text_lines())
        assert "Published numbers" in page
        await pilot.press("escape")
        assert form.is_current


async def test_the_lab_is_never_read_by_the_thread_that_draws(
    home: Lab, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[threading.Thread] = set()
    reading = type(home.store).reading

    def watched(store: Store) -> sqlite3.Connection:
        threads.add(threading.current_thread())
        return reading(store)

    monkeypatch.setattr(type(home.store), "reading", watched)
    async with opened(home, preset=DIGITS) as (form, pilot):
        form.query_one("#toggles", Listing).put_on("mixup")
        await pilot.press("space")
        await until(pilot, lambda: "--toggle mixup" in command(form))
    assert threads and threading.main_thread() not in threads
