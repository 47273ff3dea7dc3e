"""The list of studies: there at once, counted after that, and what can be done from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.studies.homes import StudyHome
from tests.tui.driving import bar, notes, screen_text, until
from tests.tui.test_hostile import wrong
from vitui.settings import Settings
from vitui.tui.app import VituiApp
from vitui.tui.screens.ask import AskScreen
from vitui.tui.screens.prompt import PromptScreen
from vitui.tui.screens.study import StudyScreen
from vitui.tui.views.studies import StudiesReader, StudiesView, StudiesWatch

from .conftest import listed, running, ship


def test_the_list_is_there_before_anything_is_planned(home: StudyHome) -> None:
    reader = StudiesReader(home.lab)
    first = reader.read(0.0, StudiesWatch())
    assert first is not None and first.pending and len(first.uncounted) == len(first.lines)
    assert [line.name for line in first.lines][:2] == ["ab", "grid"] and first.lines[0].title == "Ablation of the demo"
    second = reader.read(0.0, StudiesWatch(True))
    assert second is not None and "ab" not in second.uncounted and second.lines[0].counts["finished"] == 9


def test_it_is_not_counted_again_before_that_is_due(home: StudyHome) -> None:
    reader = StudiesReader(home.lab)
    reader.BUDGET_S = 60.0
    views = [reader.read(0.0, StudiesWatch()) for _ in range(2)]
    assert isinstance(views[1], StudiesView) and not views[1].pending
    home.run(home.planned("ab").variants[4], 0, 90.0)
    assert reader.read(0.0, StudiesWatch()) is None, "it has just been counted"
    reader._again_at = 0.0
    found = reader.read(0.0, StudiesWatch())
    assert found is not None and found.lines[0].counts["finished"] == 10


async def test_own_ones_first_with_how_far_they_are(home: StudyHome) -> None:
    home.write("broken", 'title = "no end')
    async with listed(home) as (app, pilot, screen):
        await until(pilot, lambda: screen._view is not None and "broken" not in screen._view.uncounted)
        await pilot.pause()
        lines = screen_text(app).splitlines()
        assert lines[1].startswith(" your own  3") and lines[2].startswith("▌ab")
        assert "9/15" in lines[2] and "━" in lines[2] and "▶" in lines[2] and "✗" in lines[2] and "┄" in lines[2]
        assert "✗ study broken" in lines[3] and "5/6" in lines[4] and "come with vitui" in lines[5]
        await pilot.press("j", "Q")
        assert "queue: study broken" in notes(app) and app.screen is screen
        await pilot.press("k", "enter")
        await until(pilot, lambda: isinstance(app.screen, StudyScreen))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)


async def test_searching_and_headings(home: StudyHome) -> None:
    async with listed(home) as (app, pilot, screen):
        await pilot.press("slash", *"batch sizes", "enter")
        await pilot.pause()
        assert [row.key for row in screen.listing.rows if not row.heading] == ["tin-microbatch"]
        assert screen.study_name == "tin-microbatch" and "/batch sizes" in bar(app, "head")
        await pilot.press("D")
        assert "it comes with vitui" in notes(app)
        await pilot.press("escape", "g")
        assert screen.study_name == "ab"
        await pilot.press("j", "j")
        assert screen.study_name not in ("ab", "grid", ""), "the heading between is passed over"
        await pilot.press("k")
        assert screen.study_name == "grid"
        await pilot.press("slash", *"demo-digits", "enter")
        await pilot.pause()
        assert [row.key for row in screen.listing.rows if not row.heading] == ["ab", "grid"]
        assert screen.study_name == "ab", "the first that is found, not the one where the cursor was"


async def test_an_empty_home_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ship(monkeypatch, tmp_path, "tin-microbatch")
    home = StudyHome(tmp_path / "home")
    async with running(home) as (app, pilot):
        await pilot.press("5")
        await until(pilot, lambda: "none yet: n plans one, F copies one of those below" in screen_text(app))


async def test_queueing_asks_with_runs_and_what_is_reused(home: StudyHome) -> None:
    async with listed(home) as (app, pilot, screen):
        await pilot.press("Q")
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        text = screen_text(app)
        assert "Queue 4 runs and resume 1 run of study ab?" in text and "10 runs with the same recipe" in text
        await pilot.press("n")
        await until(pilot, lambda: app.screen is screen)
        assert home.planned("ab").counts["queued"] == 0
        await pilot.press("Q")
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        await pilot.press("y")
        await until(pilot, lambda: "4 runs queued, 1 resumed, 10 there already" in notes(app))
        assert home.planned("ab").counts["queued"] == 5


async def test_forked_and_removed(home: StudyHome) -> None:
    async with listed(home) as (app, pilot, _):
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, PromptScreen))
        field = app.screen.query_one("#prompt-field")
        assert field.value == "ab-2"  # type: ignore[attr-defined]
        field.value = "grid"  # type: ignore[attr-defined]
        await pilot.press("enter")
        assert isinstance(app.screen, PromptScreen) and "there is a study grid already" in screen_text(app)
        field.value = "mine"  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, StudyScreen) and app.screen.name_shown == "mine")
        assert home.lab.study_text("mine") == home.lab.study_text("ab")
        await until(pilot, lambda: isinstance(app.screen, StudyScreen) and app.screen.view is not None)
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        await pilot.press("y")
        await until(pilot, lambda: not isinstance(app.screen, StudyScreen | AskScreen))
        assert "mine" not in home.lab.study_files() and len(home.lab.runs()) == 16


async def test_list_scoreboard_and_form_at_any_size(home: StudyHome) -> None:
    async with listed(home, (60, 15)) as (app, pilot, _):
        for key in ("n", "escape", "6", "a"):
            await pilot.press(key)
            for width, height in ((1, 1), (60, 15), (80, 24), (200, 60), (60, 15)):
                await pilot.resize_terminal(width, height)
                await pilot.pause()
                assert wrong(app) == [], (key, width)
            if key == "6":
                await until(pilot, lambda: "demo-digits" in screen_text(app))


async def test_in_ascii_and_without_colours(home: StudyHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = VituiApp(home.lab, settings=Settings(glyphs="ascii"))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.runs_screen._view is not None)
        screen = app.open_study("grid")
        await until(pilot, lambda: screen.view is not None)
        for pane in ("table", "seeds", "heat map", "curves"):
            screen.action_go_to(pane)
            await until(pilot, lambda: screen.heat_map.heat is not None or screen.pane != "heat map")
            await pilot.pause()
            strips = app.screen._compositor.render_strips()
            assert all(strip.text.isascii() for strip in strips), pane
            colours = {
                colour.name
                for strip in strips
                for part in strip
                if part.style is not None
                for colour in (part.style.color, part.style.bgcolor)
                if colour is not None
            }
            assert colours <= {"default"}, pane
        app.poller.stop()
