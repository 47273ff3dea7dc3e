"""The screen of one run through its keys."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import numpy as np
import pytest
from textual.widgets import Input

from tests.tui.driving import bar, notes, running, screen_text, until
from tests.tui.fake_lab import DIVERGED, FAILED, FINISHED, NOW, RUNNING, Curve, Event, FakeLab, run, train
from vitui.tui import words
from vitui.tui.screens.pick import PickScreen
from vitui.tui.screens.run import RunScreen
from vitui.tui.series import XAxis
from vitui.tui.views.run import RunWatch
from vitui.tui.widgets.chart_grid import ChartGrid
from vitui.tui.widgets.lines import Lines
from vitui.tui.widgets.log_view import LogView


def screen(app: object) -> RunScreen:
    found = app.screen  # type: ignore[attr-defined]
    assert isinstance(found, RunScreen)
    return found


def grid(app: object) -> ChartGrid:
    return screen(app).grid


def log(app: object) -> LogView:
    return screen(app).log_view


async def test_what_is_to_be_seen(lab: FakeLab) -> None:
    async with running(lab, RUNNING, (140, 40)) as (app, _):
        assert "▶ running" in bar(app, "head") and "digits mixup 0.2" in bar(app, "head")
        progress = bar(app, "progress")
        assert "62 %" in progress and "epoch 18.6/30" in progress and "left" in progress and "734 img/s" in progress
        assert "best 96.50 (epoch 17)" in bar(app, "result") and "reference 97.00" in bar(app, "result")
        charts = "\n".join(grid(app).text_lines())
        assert "A train" in charts and "B minival" in charts and any("\u2800" < c < "\u2900" for c in charts)
        assert "╌ ref test 97" in charts and "◆" in charts, "checkpoints on the axis"
        assert "epoch 18/30" in screen_text(app), "the end of the log"


async def test_an_outcome_for_a_reference_and_the_part_that_is_trained(lab: FakeLab) -> None:
    lab.change(
        RUNNING, reference=None, reference_outcome="NaN at epoch 35", reference_source="Table 2", trainable_params=650,
        total_epochs=29.5, select_is_report=True, selected_on="test",
    )  # fmt: skip
    async with running(lab, RUNNING, (200, 40)) as (app, _):
        assert "reference: NaN at epoch 35" in bar(app, "result") and "top1 on test (selected on it †)" in bar(
            app, "result"
        )
        assert "epoch 18.6/29.5" in bar(app, "progress") and "best 96.50† (epoch 17)" in bar(app, "result")
        shown = " ".join(screen_text(app).split())
        assert "parameters 208k, 650 trained" in shown and "reference NaN at epoch 35" in shown


async def test_the_curve_moves(lab: FakeLab) -> None:
    async with running(lab, RUNNING) as (app, pilot):
        before = grid(app).text_lines()
        train(lab, RUNNING, 1000, 1230, 41, final=96.6, start=0, seed=1)
        lab.change(RUNNING, step=1000, epoch=24.4, journal_offset=2)
        await until(pilot, lambda: "epoch 24.4/30" in bar(app, "progress"))
        assert grid(app).text_lines() != before
        with lab.run_dir(RUNNING).console.open("a") as file:
            file.write("\x1b[1mepoch 25\x1b[0m\r\n")
        await until(pilot, lambda: "epoch 25" in screen_text(app))


async def test_charts_of_all_metrics_and_what_their_keys_do(lab: FakeLab) -> None:
    async with running(lab, RUNNING, (120, 40)) as (app, pilot):
        assert [panel.title for panel in grid(app).panels] == ["loss", "top-1", "top-5", "learning rate"]
        await pilot.press("]", "X", "j", "L")
        look = grid(app).look
        assert look.smoothing == 0.97 and look.x is XAxis.EPOCH and look.log_y == {"top1"}, "j selects the next chart"
        assert "x: epoch" in bar(app, "tabs")
        await pilot.press("+")
        assert "zoomed, following" in bar(app, "tabs")
        assert grid(app).look.span is not None and app.poller._watch == RunWatch(RUNNING, grid(app).look.span)
        await pilot.press("v", "escape", "escape")
        assert grid(app).look.cursor is None and grid(app).look.span is None and screen(app).is_current
        await pilot.press("tab", "X")
        assert grid(app).look.x is XAxis.EPOCH, "charts that are not in front are left alone"
        await until(pilot, lambda: "only in the curves pane" in notes(app))


async def test_panes(lab: FakeLab) -> None:
    async with running(lab, RUNNING, (100, 30)) as (app, pilot):
        await pilot.press("tab")
        assert "[log]" in bar(app, "tabs")
        await until(pilot, lambda: "207,882 parameters" in screen_text(app))
        await pilot.press("tab")
        shown = screen_text(app)
        assert "≠ mix.mixup" in shown and "preset: 0" in shown and "--toggle mixup" in shown
        await pilot.press("G")
        assert "evaluate.every_epochs" in screen_text(app)
        await pilot.press("slash", *"decay")
        assert "1 of 26 fields" in screen_text(app)
        await pilot.press("enter", "escape")
        assert "Changed against the preset" in screen_text(app)
        await pilot.press("tab")
        assert "best so far: top1" in screen_text(app), "events follow their end"
        await pilot.press("g")
        assert "▌11:05:40" in screen_text(app) and "attempt started on gpu-box (cpu, pid 4711)" in screen_text(app)
        await pilot.press("tab")
        assert "3f9c2d81b04ad" in screen_text(app) and "torch 2.15.0" in screen_text(app)
        await pilot.press("tab")
        tail = screen(app).query_one("#tail", Lines)
        assert "[curves]" in bar(app, "tabs") and tail.display
        await pilot.press("l")
        assert not tail.display
        await pilot.press("l")
        assert tail.display


async def test_an_event_puts_the_crosshair_there(lab: FakeLab) -> None:
    async with running(lab, RUNNING, (100, 30)) as (app, pilot):
        await pilot.press("+", "+", "tab", "tab", "tab", "g", "enter")
        assert "[events]" not in bar(app, "tabs") and grid(app).look.cursor == 1
        assert grid(app).look.span is None, "it was outside what was in view"
        await pilot.press("escape", "tab", "tab", "tab", "G", "up", "enter")
        assert grid(app).look.cursor == 738 and "epoch 18" in screen_text(app)


async def test_reading_back_in_the_log_is_not_interrupted(lab: FakeLab) -> None:
    path = lab.run_dir(RUNNING).console
    path.write_text("".join(f"line {n}\n" for n in range(50_000)))
    async with running(lab, RUNNING) as (app, pilot):
        await pilot.press("tab")
        await until(pilot, lambda: "line 49999" in screen_text(app))
        await pilot.press("g")
        await until(pilot, lambda: "line 0 " in screen_text(app))
        assert "1-19 of 50,000" in bar(app, "tabs") and not log(app).following
        with path.open("a") as file:
            file.write("the newest\n")
        await until(pilot, lambda: "of 50,001" in bar(app, "tabs"))
        assert "line 0 " in screen_text(app)
        await pilot.press("f")
        await until(pilot, lambda: "the newest" in screen_text(app))
        with path.open("a") as file:
            file.write("newer still\n")
        await until(pilot, lambda: "newer still" in screen_text(app))


async def test_the_log_is_searched(lab: FakeLab) -> None:
    path = lab.run_dir(RUNNING).console
    path.write_text("".join(f"line {n}\n" for n in range(30_000)) + "x" * 100 + "\n")
    async with running(lab, RUNNING) as (app, pilot):
        await pilot.press("slash", *"Line", "enter")
        await until(pilot, lambda: "no match" in bar(app, "tabs"))
        await pilot.press("slash")
        screen(app).query_one("#find", Input).value = "/line [12]9999$/"
        await pilot.press("enter")
        await until(pilot, lambda: "2 of 2" in bar(app, "tabs"))
        await pilot.press("p")
        await until(pilot, lambda: "line 19999" in screen_text(app) and "1 of 2" in bar(app, "tabs"))
        y = next(n for n, line in enumerate(log(app).text_lines()) if line == "line 19999")
        assert any(segment.style.reverse for segment in log(app).render_line(y) if segment.style), "it stands out"
        with path.open("a") as file:
            file.write("line 29999\n")
        await until(pilot, lambda: "1 of 3" in bar(app, "tabs"))
        await pilot.press("n", "n", "n")
        await until(pilot, lambda: "1 of 3" in bar(app, "tabs") and "line 19999" in screen_text(app))
        await pilot.press("G", "w")
        assert log(app).wraps and "x" * 22 in [line.strip() for line in log(app).text_lines()], (
            "goes on in the next row"
        )
        await pilot.press("escape")
        assert "match" not in bar(app, "tabs") and "[log]" in bar(app, "tabs")
        await pilot.press("slash", *"/(", "enter")
        await until(pilot, lambda: "not a regular expression" in notes(app))


async def test_other_runs_are_laid_over_and_all_of_it_is_remembered(lab: FakeLab) -> None:
    async with running(lab, RUNNING, (120, 40)) as (app, pilot):
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, PickScreen))
        assert "demo-digits" in screen_text(app), "of the same preset"
        await pilot.press(*"demo-digits", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and len(grid(app).panels) == 5)
        assert [trace.label for trace in grid(app).panels[0].traces] == ["digits mixup 0.2", "demo-digits"]
        assert "with 1 more" in bar(app, "tabs")
        await pilot.press("[", "l", "tab")
    async with running(lab, RUNNING, (120, 40)) as (app, pilot):
        assert "[log]" in bar(app, "tabs") and grid(app).look.smoothing == 0.6
        await until(pilot, lambda: len(grid(app).panels) == 5)
        await pilot.press("shift+tab")
        assert not screen(app).query_one("#tail").display
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, PickScreen))
        await pilot.press(*"alone", "space", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and len(grid(app).panels) == 4)
    (lab.home / "tui.json").write_text(
        json.dumps({"run": {"run": 3, "look": [], "pane": "x", "tail": 1, "overlays": [4, RUNNING]}})
    )
    async with running(lab, RUNNING, (120, 40)) as (app, pilot):
        assert "[curves]" in bar(app, "tabs") and screen(app).overlays == ()


async def test_a_run_with_nan_is_drawn_and_explained(lab: FakeLab) -> None:
    async with running(lab, DIVERGED) as (app, pilot):
        assert "NaN at epoch 3.4, step 1300; best top1 44.10 (epoch 2)" in screen_text(app)
        assert any("└" in line and "×" in line for line in grid(app).text_lines()), "marked on the axis"
        await pilot.press("L", "]", "[", "X", "X", "tab", "tab", "tab")
        assert "diverged    loss is NaN three times in a row" in screen_text(app)


@pytest.mark.parametrize("values", [[], [1.0], [math.nan], [math.nan] * 50, [math.inf, 1e300, -1e300, 0.0], [0.0] * 10])
async def test_odd_curves(tmp_path: Path, values: list[float]) -> None:
    lab = FakeLab(tmp_path, [run("r", state="running", step=len(values), total_steps=100)])
    steps = np.arange(1.0, len(values) + 1)
    lab.curves["r"] = {
        "train/loss": Curve(steps, np.array(values), steps),
        "val/top1": Curve(steps, np.array(values), steps),
    }
    async with running(lab, "r") as (app, pilot):
        await pilot.press("L", "X", "plus", "]", "X", "left", "t")
        assert app.is_running and len(screen_text(app).splitlines()) == 24


async def test_a_run_without_anything(tmp_path: Path) -> None:
    lab = FakeLab(tmp_path, [run("r", state="starting", started=NOW - 5)])
    lab.run_dir("r").path.mkdir(parents=True)
    async with running(lab, "r") as (app, pilot):
        assert "no step yet: starting, since 5s" in screen_text(app)
        assert not screen(app).query_one("#tail").display, "an empty log takes no room"
        await pilot.press("tab")
        assert "nothing printed yet" in screen_text(app)
        await pilot.press("tab", "tab", "+", "left", "0")
        assert app.is_running


async def test_a_failed_start_shows_its_log_at_once(lab: FakeLab) -> None:
    lab.run_dir(FAILED).path.mkdir(parents=True)
    lab.run_dir(FAILED).console.write_text("".join(f"trace {n}\n" for n in range(30)) + "ValueError: no such model\n")
    async with running(lab, FAILED) as (app, pilot):
        assert "failed before its first step" in screen_text(app)
        assert "ValueError: no such model" in screen_text(app) and "trace 20" in screen_text(app), "with room for it"
        await pilot.press("k")
        await until(pilot, lambda: "ValueError" not in screen_text(app))


async def test_a_run_whose_directory_is_gone(lab: FakeLab) -> None:
    async with running(lab, FAILED) as (app, pilot):
        assert "its directory is gone" in " ".join(screen_text(app).split()) and "vitui rebuild" in screen_text(app)
        await pilot.press("tab", "tab", "tab", "tab")
        assert "Its directory is gone: this is what the database knows" in screen_text(app)


async def test_what_goes_wrong_is_said_in_the_head(lab: FakeLab) -> None:
    lab.journal[RUNNING].append(Event("nonfinite", NOW, 760, 18.5, {"what": "loss", "consecutive": 2}))
    async with running(lab, RUNNING) as (app, _):
        assert "! loss not finite once, 2 in a row" in screen_text(app).splitlines()[0]


async def test_stop_and_resume(lab: FakeLab) -> None:
    async with running(lab, RUNNING) as (app, pilot):
        await pilot.press("x", "y")
        await until(pilot, lambda: lab.calls == [("stop", RUNNING)])
        await until(pilot, lambda: "▶ stopping" in bar(app, "head") and "writes a checkpoint" in bar(app, "why"))
        lab.change(RUNNING, state="stopped", stop_requested=None, evidence="asked to stop; checkpoint at step 763")
        await until(pilot, lambda: "■ stopped" in bar(app, "head"))
        await pilot.press("r")
        await until(pilot, lambda: ("resume", RUNNING) in lab.calls and "… queued" in bar(app, "head"))


async def test_a_run_that_disappears_closes_its_screen(lab: FakeLab) -> None:
    async with running(lab, FINISHED) as (app, pilot):
        del lab.rows[FINISHED]
        lab.touch()
        await until(pilot, lambda: app.screen is app.runs_screen)
        await until(pilot, lambda: "not in the lab any more" in notes(app))


async def test_resize_storm(lab: FakeLab) -> None:
    sizes = [(1, 1), (20, 5), (59, 14), (60, 15), (80, 24), (200, 60), (300, 4), (10, 100), (120, 40)]
    dice = random.Random(0)
    async with running(lab, RUNNING) as (app, pilot):
        for _ in range(2):
            for width, height in dice.sample(sizes, len(sizes)):
                await pilot.resize_terminal(width, height)
                await pilot.press(dice.choice(["tab", "l", "plus", "X", "j", "escape", "enter"]))
                lab.change(RUNNING, step=dice.randrange(1230), journal_offset=dice.randrange(10**9))
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert app.is_running and len(screen_text(app).splitlines()) == 24


@pytest.mark.parametrize("run_id", [None, RUNNING, DIVERGED])
async def test_too_small_says_so_and_nothing_else(lab: FakeLab, run_id: str | None) -> None:
    async with running(lab, run_id, size=(50, 10)) as (app, pilot):
        if run_id is None:
            await pilot.press("/")
        assert screen_text(app).strip() == "50x10 is too small: 60x15 is needed"
        await pilot.resize_terminal(20, 5)
        await until(pilot, lambda: screen_text(app).strip() == "needs 60x15")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "/30" in screen_text(app))


async def test_a_long_reason_goes_on_in_a_second_line(lab: FakeLab) -> None:
    why = (
        "the dataset cifar10 is not in the home any more; add it again with vitui data add cifar10, then resume the run"
    )
    lab.change(DIVERGED, state="failed", evidence=why)
    async with running(lab, DIVERGED) as (app, pilot):
        assert why in " ".join(screen_text(app).split())
        assert words.broken(why, 40)[0] == "the dataset cifar10 is not in the home"
        await pilot.resize_terminal(160, 40)
        await until(pilot, lambda: why in screen_text(app))
        assert not app.screen.query_one("#why-more").display
