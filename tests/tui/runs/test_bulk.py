"""What can be done to one run or to many from the list."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.driving import bar, current, notes, running, screen_text, table, until
from tests.tui.fake_lab import DIVERGED, FAILED, FINISHED, QUEUED, RUNNING, FakeLab
from vitui.tui import editor
from vitui.tui.app import VituiApp
from vitui.tui.screens.ask import AskScreen
from vitui.tui.screens.compare import CompareScreen
from vitui.tui.screens.launch import LaunchScreen
from vitui.tui.screens.pick import PickScreen
from vitui.tui.screens.prompt import PromptScreen


async def prompt(app: VituiApp, pilot: Pilot[None], value: str) -> str:
    """Answer the prompt in front; returns what stood in it."""
    await until(pilot, lambda: isinstance(app.screen, PromptScreen))
    field = app.screen.query_one(Input)
    before, field.value = field.value, value
    await pilot.press("enter")
    return before


async def test_stop_many_says_how_many_had_ended(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("ctrl+a")
        assert "8 marked" in bar(app, "title")
        await pilot.press("x", "y")
        await until(pilot, lambda: "2 of 8 runs asked to stop; 6 had already ended" in notes(app))
        await pilot.press("u", "g", "j", "x")
        await until(pilot, lambda: "asked to stop" in notes(app) and "by force in" in notes(app))


async def test_delete_asks_with_the_size_and_keeps_what_lives(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("j", "space", "space", "space", "D")
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        assert "Delete 2 runs?" in screen_text(app) and "2.00 MiB are freed" in screen_text(app)
        await pilot.press("y")
        await until(pilot, lambda: "2 of 3 runs deleted; 1 wait or train and were kept" in notes(app))
        assert {FINISHED, DIVERGED} & lab.rows.keys() == set() and RUNNING in lab.rows
        await until(pilot, lambda: "6 in all" in bar(app, "title") and table(app).marked == {RUNNING})
        await pilot.press("u", "g", "D")
        await until(pilot, lambda: "only what has ended can be deleted" in notes(app))


async def test_delete_of_a_run_that_somebody_resumed(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("j", "j", "j", "D")
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        lab.rows[DIVERGED] = lab.rows[DIVERGED]._replace(state="running")
        await pilot.press("y")
        await until(pilot, lambda: f"run {DIVERGED} is running; stop it first" in notes(app))
        assert DIVERGED in lab.rows


async def test_note_name_tags_star_and_archive_of_one(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("j", "j", "e")
        await prompt(app, pilot, "looks good")
        await until(pilot, lambda: lab.rows[FINISHED].notes == "looks good" and "looks good" in bar(app, "detail-more"))
        await pilot.press("N")
        assert await prompt(app, pilot, "best digits") == "demo-digits"
        await until(pilot, lambda: "best digits" in screen_text(app))
        await pilot.press("t")
        assert await prompt(app, pilot, "+good -paper") == "baseline paper"
        await until(pilot, lambda: lab.rows[FINISHED].tags == ("baseline", "good"))
        await pilot.press("*")
        await until(pilot, lambda: not lab.rows[FINISHED].star)
        await pilot.press("A")
        await until(pilot, lambda: "7 in all" in bar(app, "title"))
        await pilot.press("z")
        await until(pilot, lambda: "8 in all" in bar(app, "title") and "with archived" in bar(app, "title"))


async def test_labels_of_many(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        lab.change(DIVERGED, notes="exploded")
        await pilot.press("j", "j", "space", "space", "e")
        await prompt(app, pilot, "see issue")
        await until(pilot, lambda: "2 runs have one more line in their notes" in notes(app))
        assert lab.rows[DIVERGED].notes == "exploded\nsee issue" and lab.rows[FINISHED].notes == "see issue"
        await pilot.press("t")
        assert await prompt(app, pilot, "+x -paper") == ""
        await until(pilot, lambda: lab.rows[FINISHED].tags == ("baseline", "x") and lab.rows[DIVERGED].tags == ("x",))
        await pilot.press("N")
        await prompt(app, pilot, "{preset} #{n}")
        await until(pilot, lambda: lab.rows[DIVERGED].name == "demo-cifar10 #2")
        await pilot.press("*")
        await until(pilot, lambda: lab.rows[DIVERGED].star and lab.rows[FINISHED].star)


async def test_tab_completes_a_tag(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("t", *"+pa")
        field = app.screen.query_one(Input)
        await until(pilot, lambda: field._suggestion == "+paper")
        await pilot.press("tab", "enter")
        await until(pilot, lambda: lab.rows[QUEUED].tags == ("paper",))


async def test_a_long_note_in_the_editor(lab: FakeLab, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\nprintf "second\\n" >> "$1"\n')
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(script))

    @contextmanager
    def aside():  # type: ignore[no-untyped-def]
        yield

    async with running(lab) as (app, pilot):
        lab.change(QUEUED, notes="first\n")
        await until(pilot, lambda: "first" in bar(app, "detail-more"))
        await pilot.press("e", "ctrl+e")
        await until(pilot, lambda: "no editor can be opened in this kind of terminal" in notes(app))
        monkeypatch.setattr(app, "suspend", aside)
        await pilot.press("e", "ctrl+e")
        await until(pilot, lambda: lab.rows[QUEUED].notes == "first\nsecond")
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, PromptScreen))
        assert app.screen.query_one(Input).value == "first ⏎ second"
        await pilot.press("end", "!", "enter")
        await until(pilot, lambda: lab.rows[QUEUED].notes == "first\nsecond!")
        monkeypatch.setenv("VISUAL", "no-such-editor")
        assert editor.edited(app, "x") is None
        await until(pilot, lambda: "no-such-editor cannot be started" in notes(app))


async def test_rerun_and_clone(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("j", "j", "R")
        await until(pilot, lambda: isinstance(app.screen, PromptScreen))
        field = app.screen.query_one(Input)
        field.value = "one"
        await pilot.press("enter")
        assert isinstance(app.screen, PromptScreen) and "no whole number" in screen_text(app)
        field.value = "3 more"
        await pilot.press("enter")
        await until(pilot, lambda: ("rerun 3 more", FINISHED) in lab.calls and "queued again" in notes(app))


async def test_compare_takes_two_to_twenty(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        chosen: list[str] = []
        app.compare_screen.choose = chosen.extend  # type: ignore[method-assign, assignment]
        await pilot.press("c")
        await until(pilot, lambda: "mark 2 to 20 runs" in notes(app))
        await pilot.press("j", "shift+down", "c")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen))
        assert chosen == [RUNNING, FINISHED]


async def test_copy(lab: FakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(lab) as (app, pilot):
        copied: list[tuple[str, str]] = []
        monkeypatch.setattr(app, "copy", lambda text, what: copied.append((text, what)))
        await pilot.press("j", "j", "y")
        await until(pilot, lambda: isinstance(app.screen, PickScreen) and "best 98.60" in screen_text(app))
        await pilot.press(*"command", "enter")
        await until(pilot, lambda: copied)
        assert copied.pop() == ("vitui run demo-digits", f"the command of demo-digits ({FINISHED})")
        await pilot.press("space", "space", "y", "enter")
        await until(pilot, lambda: copied)
        assert copied.pop() == (f"{FINISHED}\n{DIVERGED}", "the id of 2 runs")


async def test_what_cannot_be_done_is_not_in_the_key_line(lab: FakeLab) -> None:
    async with running(lab, size=(200, 24)) as (app, pilot):
        await pilot.press("j")
        assert "x stop" in bar(app, "keys") and "r resume" not in bar(app, "keys")
        await pilot.press("j", "j")
        assert current(app) == DIVERGED and "x stop" not in bar(app, "keys") and "r resume" in bar(app, "keys")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, LaunchScreen))
    assert FAILED in lab.rows
