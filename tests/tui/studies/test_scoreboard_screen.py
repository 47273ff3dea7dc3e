"""The scoreboard: published results beside own ones, filtered, opened, copied."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.studies.homes import StudyHome
from tests.tui.driving import bar, notes, screen_text, until
from vitui.tui.screens.pick import PickScreen
from vitui.tui.screens.prompt import PromptScreen
from vitui.tui.screens.scoreboard import ScoreboardScreen
from vitui.tui.views.scoreboard import ScoreboardReader, ScoreboardWatch

from .conftest import put_on, running, ship


@pytest.fixture
def board(home: StudyHome) -> StudyHome:
    """Runs of demo-digits (published: 98.06 ± 0.8) as it is; the study's own results are of that very recipe."""
    return home


async def test_own_results_beside_published_ones(board: StudyHome) -> None:
    async with running(board) as (app, pilot):
        await pilot.press("6")
        screen = app.screen
        assert isinstance(screen, ScoreboardScreen)
        await until(pilot, lambda: "▌ demo-digits" in screen_text(app))
        row = next(line for line in screen_text(app).splitlines() if "▌ demo-digits" in line)
        assert "98.06" in row and "91.10 ± 0.10" in row and "-6.96" in row and "▼" in row
        assert "published results have runs" in bar(app, "head") and "outside" in bar(app, "detail")
        assert "this program" in bar(app, "detail-more") or "98.06" in bar(app, "detail-more")
        shown = len(screen.shown())
        await pilot.press("a")
        assert len(screen.shown()) > 100 > shown
        await pilot.press("slash", *"deit cifar", "enter")
        assert all("deit" in one.haystack and "cifar" in one.haystack for one in screen.shown())
        await pilot.press("escape", "f")
        await until(pilot, lambda: isinstance(app.screen, PickScreen))
        await pilot.press(*"compact", "space", "enter")
        await until(pilot, lambda: app.screen is screen)
        assert {one.family for one in screen.shown()} == {"compact"}
    kept = json.loads((board.lab.home / "tui.json").read_text())["scoreboard"]
    assert kept["everything"] is True and len(kept["families"]) == 1


async def test_enter_opens_the_runs_or_launch_where_there_are_none(board: StudyHome) -> None:
    async with running(board) as (app, pilot):
        await pilot.press("6")
        screen = app.screen
        assert isinstance(screen, ScoreboardScreen)
        await until(pilot, lambda: screen._view is not None)
        assert put_on(screen.table, "demo-digits/top1")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.runs_screen)
        assert app.runs_screen.arrangement.filter == "preset:demo-digits" and len(app.runs_screen.listed()) == 16
        await pilot.press("escape", "6", "a", "slash", *"cct cifar", "enter")
        await until(pilot, lambda: screen.current is not None and not screen.current.runs)
        wanted = screen.current
        assert wanted is not None
        await pilot.press("enter")
        form = app.launch_screen
        await until(pilot, lambda: app.screen is form and form.sheet is not None and form.sheet.draft is not None)
        assert form.sheet is not None and form.sheet.draft is not None and form.sheet.draft.preset == wanted.preset


async def test_sorted_and_copied_and_written(board: StudyHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[tuple[str, str]] = []
    async with running(board, (120, 40)) as (app, pilot):
        monkeypatch.setattr(app, "copy", lambda text, what: copied.append((text, what)))
        await pilot.press("6", "a")
        screen = app.screen
        assert isinstance(screen, ScoreboardScreen)
        await until(pilot, lambda: screen._view is not None)
        await pilot.press("l", "s")
        values = [one.published for one in screen.shown() if one.published is not None]
        assert values == sorted(values, reverse=True) and "published▼" in screen_text(app).replace(" ", "")
        await pilot.press("s")
        assert [one.published for one in screen.shown() if one.published is not None] == sorted(values)
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, PickScreen))
        await pilot.press("enter")
        await until(pilot, lambda: copied)
        assert copied[0][1] == "the scoreboard as Markdown" and copied[0][0].count("\n") > 100
        for name in ("s.csv", "s.tex", "s.txt"):
            await pilot.press("w")
            await until(pilot, lambda: isinstance(app.screen, PromptScreen))
            app.screen.query_one("#prompt-field").value = str(tmp_path / name)  # type: ignore[attr-defined]
            await pilot.press("enter")
            await until(pilot, (tmp_path / name).exists)
        assert (tmp_path / "s.csv").read_text().startswith("preset,family,variant,") and r"\toprule" in (
            tmp_path / "s.tex"
        ).read_text()


async def test_without_runs_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ship(monkeypatch, tmp_path, "tin-microbatch")
    async with running(StudyHome(tmp_path / "home")) as (app, pilot):
        await pilot.press("6", "enter")
        await until(pilot, lambda: "No preset with a published result has been run here yet." in screen_text(app))
        await pilot.press("y")
        assert "there is no result here" in notes(app)
        await pilot.press("slash", *"swin", "enter")
        await until(pilot, lambda: "None that has runs here has these words" in screen_text(app))
        await pilot.press("a")
        await until(pilot, lambda: "in1k-swin" in screen_text(app))
        await pilot.press("escape", "slash", *"nonsense", "enter")
        await until(pilot, lambda: "No published result has these words" in screen_text(app))


def test_it_is_read_again_only_when_due(board: StudyHome) -> None:
    reader = ScoreboardReader(board.lab)
    assert reader.read(0.0, ScoreboardWatch()) is not None
    assert reader.read(0.0, ScoreboardWatch()) is None
    board.run(board.planned("ab").variants[0], 7, 99.0)
    assert reader.read(0.0, ScoreboardWatch()) is None, "the time it takes is a small part of all"
    reader._again_at = 0.0
    view = reader.read(0.0, ScoreboardWatch())
    assert view is not None and next(one for one in view.scores if one.name == "demo-digits").best == 99.0
