"""The Compare screen: what it shows, its keys, and runs that change or go while it is open."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.driving import bar, notes, running, screen_text, until
from tests.tui.fake_lab import DIVERGED, FINISHED, RUNNING, FakeLab, populated
from vitui.tui.app import VituiApp
from vitui.tui.screens.compare import CompareScreen
from vitui.tui.screens.pick import PickScreen
from vitui.tui.screens.prompt import PromptScreen
from vitui.tui.screens.run import RunScreen

THREE = (FINISHED, RUNNING, DIVERGED)


@pytest.fixture
def lab(tmp_path: Path) -> FakeLab:
    found = populated(tmp_path)
    found.recipes[RUNNING] = {**found.recipes.get(FINISHED, {}), "optim.lr": 0.01, "train.seed": 3}
    return found


@asynccontextmanager
async def comparing(
    lab: FakeLab, ids: tuple[str, ...] = THREE, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[VituiApp, Pilot[None], CompareScreen]]:
    async with running(lab, size=size) as (app, pilot):
        app.compare(ids)
        await shown(pilot, app.compare_screen, ids)
        yield app, pilot, app.compare_screen


async def shown(pilot: Pilot[None], screen: CompareScreen, ids: tuple[str, ...]) -> None:
    await until(pilot, lambda: screen.found is not None and tuple(c.id for c in screen.found.columns) == ids)
    await pilot.pause()


async def test_charts_and_table_on_a_small_terminal(lab: FakeLab) -> None:
    async with comparing(lab) as (app, pilot, screen):
        assert [panel.key for panel in screen.grid.panels][:2] == ["train/loss", "minival/top1"]
        loss = screen.grid.panels[0]
        assert [(trace.ink, trace.label) for trace in loss.traces] == [
            (0, "demo-digits"), (1, "digits mixup 0.2"), (2, "cifar10 lr 0.5"),
        ]  # fmt: skip
        assert "[A demo-digits]" in bar(app, "legend") and "3 runs, differences to A demo-digits" in bar(app, "head")
        assert "other data: A, B digits; C cifar10" in bar(app, "unfair") and "more" in bar(app, "unfair")
        await pilot.press("tab")
        await pilot.pause()
        text = screen_text(app)
        assert "[A demo-digits]" in text and "B digits mixup 0.2" in text and "runs 1-2 of 3" in text
        assert "optim.lr" in text and "baseline" in text
        await pilot.press("l", "right")
        await pilot.pause()
        assert screen.current_run == DIVERGED and "[C cifar10 lr 0.5]" in screen_text(app)
        await pilot.press("h", "b")
        await until(pilot, lambda: screen.found is not None and screen.found.baseline == 1)
        assert "differences to B" in bar(app, "head")
        await pilot.press("d")
        await pilot.pause()
        assert any(line.title == "the rest of the recipe" for line in screen.table._lines)
        await pilot.press("G")
        assert "not fair" in screen_text(app) or "is it fair?" in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.run_id == RUNNING)


async def test_a_large_terminal_shows_both_at_once(lab: FakeLab) -> None:
    async with comparing(lab, size=(200, 60)) as (app, pilot, screen):
        assert screen.grid.region and screen.table.region and screen.table.columns_shown == ["A", "B", "C"]
        assert screen.pane == "charts"
        await pilot.click("#table", offset=(5, 8))
        assert screen.pane == "table"
        before = screen.grid.look.smoothing
        await pilot.press("right_square_bracket")
        assert screen.grid.look.smoothing == before and "only in the charts pane" in notes(app)
        await pilot.press("tab", "right_square_bracket")
        await until(pilot, lambda: screen.grid.look.smoothing != before)


async def test_an_empty_screen_says_what_to_do_and_runs_can_be_chosen(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("3")
        screen = app.compare_screen
        await until(pilot, lambda: "No runs to compare yet." in screen_text(app))
        await pilot.press("b", "y")
        assert app.screen is screen and "no runs are chosen" in notes(app)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, PickScreen))
        await pilot.press(*"demo-digits", "space", "space", "enter")
        await until(pilot, lambda: screen.found is not None)
        assert len(screen.run_ids) == 2 and FINISHED in screen.run_ids


async def test_a_live_run_grows_and_a_deleted_one_goes(lab: FakeLab) -> None:
    async with comparing(lab, (RUNNING, FINISHED)) as (app, pilot, screen):
        lab.change(RUNNING, epoch=20.0, best=97.25, last=97.25, best_step=800, journal_offset=2)
        await until(pilot, lambda: any("97.25" in c.text for r in screen.found.results for c in r.cells))  # type: ignore[union-attr]
        del lab.rows[FINISHED]
        lab.touch()
        await until(pilot, lambda: screen.run_ids == (RUNNING,))
        await shown(pilot, screen, (RUNNING,))
        assert f"{FINISHED} is not in the lab any more" in notes(app)
        await pilot.press("u")
        await until(pilot, lambda: "No runs to compare yet." in screen_text(app))


async def test_runs_and_look_are_kept_for_the_next_time(lab: FakeLab) -> None:
    async with comparing(lab) as (_, pilot, screen):
        await pilot.press("X", "tab", "l", "b")
        await until(pilot, lambda: screen.found is not None and screen.found.baseline == 1)
    kept = json.loads((lab.home / "tui.json").read_text())["compare"]
    assert kept["runs"] == list(THREE) and kept["baseline"] == RUNNING and kept["pane"] == "table"
    async with running(lab) as (app, pilot):
        await pilot.press("3")
        again = app.compare_screen
        await shown(pilot, again, THREE)
        assert again.found is not None and again.found.baseline == 1 and again.pane == "table"
        assert again.grid.look.x.value == "epoch"


@pytest.mark.parametrize("damage", [{"runs": "all", "baseline": 3, "look": [], "pane": 7}, {"runs": [1, None, ["x"]]}])
async def test_what_was_kept_damaged_is_passed_over(lab: FakeLab, damage: dict[str, object]) -> None:
    (lab.home / "tui.json").write_text(json.dumps({"compare": damage}))
    async with running(lab) as (app, pilot):
        await pilot.press("3")
        await until(pilot, lambda: "No runs to compare yet." in screen_text(app))


async def test_copied_and_written_without_writing_over_unasked(
    lab: FakeLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "there.tex"
    there.write_text("mine")
    copied: list[tuple[str, str]] = []
    async with comparing(lab) as (app, pilot, _):
        monkeypatch.setattr(app, "copy", lambda text, what: copied.append((text, what)))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, PickScreen))
        await pilot.press(*"csv", "enter")
        await until(pilot, lambda: copied)
        assert copied[0][0].startswith("section,key") and copied[0][1] == "the comparison as CSV"
        for name, answer in (("bad.pdf", None), (str(there), "n"), (str(there), "y"), (str(tmp_path / "new.md"), None)):
            await pilot.press("w")
            await until(pilot, lambda: isinstance(app.screen, PromptScreen))
            app.screen.query_one("#prompt-field").value = name  # type: ignore[attr-defined]
            await pilot.press("enter")
            if name == "bad.pdf":
                assert isinstance(app.screen, PromptScreen)
                await pilot.press("escape")
            elif answer:
                await until(pilot, lambda: "exists. Write over it?" in screen_text(app))
                await pilot.press(answer)
                await until(pilot, lambda: app.screen is app.compare_screen)
                if answer == "n":
                    assert there.read_text() == "mine"
        await until(pilot, lambda: r"\toprule" in there.read_text() and (tmp_path / "new.md").exists())


async def test_hostile_names_break_nothing_at_any_size(lab: FakeLab) -> None:
    lab.change(FINISHED, name="[/b]\x1b[2J\u202e" + "宽" * 60 + "\n")
    lab.change(DIVERGED, name="é" * 400, evidence="\x9b31m" * 50)
    async with comparing(lab, size=(60, 15)) as (app, pilot, screen):
        for width, height in ((1, 1), (61, 16), (80, 24), (200, 60), (150, 20)):
            await pilot.resize_terminal(width, height)
            for pane in ("charts", "table"):
                screen.action_go_to(pane)
                await pilot.pause()
                text = screen_text(app)
                assert not set("\x1b\x9b\u202e") & set(text)


async def test_more_than_twenty_are_cut_and_said(lab: FakeLab) -> None:
    from tests.tui.fake_lab import run

    for n in range(22):
        lab.add(run(f"26120{n // 10}-00000{n % 10}-aaaa"))
    ids = tuple(id for id in lab.rows if id.endswith("aaaa"))
    async with running(lab) as (app, pilot):
        app.compare(ids)
        await shown(pilot, app.compare_screen, ids[:20])
        assert "the first 20 are compared" in notes(app)
        await pilot.press("tab", "shift+right")
        await pilot.pause()
        assert app.compare_screen.current_run == ids[19]
