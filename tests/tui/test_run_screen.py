"""The screen of one run through its keys."""

from __future__ import annotations

import math
import random
from pathlib import Path

import numpy as np
import pytest

from tests.tui.driving import bar, notes, running, screen_text, until
from tests.tui.fake_lab import DIVERGED, FINISHED, RUNNING, Curve, FakeLab, run, train
from vitui.tui import words
from vitui.tui.screens.run import RunScreen
from vitui.tui.series import XAxis
from vitui.tui.widgets.chart import Chart
from vitui.tui.widgets.lines import Lines


def screen(app: object) -> RunScreen:
    found = app.screen  # type: ignore[attr-defined]
    assert isinstance(found, RunScreen)
    return found


def chart(app: object, name: str = "loss") -> Chart:
    return screen(app).query_one(f"#{name}", Chart)


async def test_what_is_to_be_seen(lab: FakeLab) -> None:
    async with running(lab, RUNNING, (120, 40)) as (app, _):
        assert "▶ running" in bar(app, "head") and "digits mixup 0.2" in bar(app, "head")
        progress = bar(app, "progress")
        assert "62 %" in progress and "epoch 18.6/30" in progress and "left" in progress and "734 img/s" in progress
        assert "best 96.50 (epoch 17)" in bar(app, "result") and "reference 97.00" in bar(app, "result")
        loss = "\n".join(chart(app).text_lines())
        assert "A train" in loss and "B minival" in loss and any("\u2800" < c < "\u2900" for c in loss)
        assert "╌ ref 97" in chart(app, "accuracy").text_lines()[0]
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
        before = chart(app).text_lines()
        train(lab, RUNNING, 1000, 1230, 41, final=96.6, start=0, seed=1)
        lab.change(RUNNING, step=1000, epoch=24.4, journal_offset=2)
        await until(pilot, lambda: "epoch 24.4/30" in bar(app, "progress"))
        assert chart(app).text_lines() != before
        with lab.run_dir(RUNNING).console.open("a") as file:
            file.write("\x1b[1mepoch 25\x1b[0m\r\n")
        await until(pilot, lambda: "epoch 25" in screen_text(app))


async def test_smoothing_axes_zoom_and_top5(lab: FakeLab) -> None:
    async with running(lab, RUNNING, (120, 40)) as (app, pilot):
        await pilot.press("]")
        assert chart(app).view.smoothing == 0.97
        await pilot.press("[", "[", "[", "[", "[")
        assert chart(app).view.smoothing == 0.0
        await pilot.press("X")
        assert chart(app).view.x is XAxis.EPOCH and "x: epoch" in bar(app, "tabs")
        await pilot.press("X", "X", "L")
        assert chart(app).view.log_y and not chart(app, "accuracy").view.log_y
        await pilot.press("+")
        assert chart(app).view.window == (763 / 2, None) == chart(app, "accuracy").view.window
        await pilot.press("left")
        assert "zoomed" in bar(app, "tabs") and "following" not in bar(app, "tabs")
        await pilot.press("right", "minus")
        assert chart(app).view.window is None
        await pilot.press("plus", "0")
        assert chart(app).view.window is None
        assert len(chart(app, "accuracy").traces) == 1
        await pilot.press("t")
        assert [t.label for t in chart(app, "accuracy").traces] == ["minival", "minival top5"]


async def test_panes(lab: FakeLab) -> None:
    async with running(lab, RUNNING, (100, 30)) as (app, pilot):
        await pilot.press("tab")
        assert "[log]" in bar(app, "tabs") and "207,882 parameters" in screen_text(app)
        await pilot.press("tab")
        assert (
            "≠ mix.mixup" in screen_text(app)
            and "preset: 0" in screen_text(app)
            and "--toggle mixup" in screen_text(app)
        )
        await pilot.press("G")
        assert "evaluate.every_epochs" in screen_text(app)
        await pilot.press("tab")
        assert "best so far: top1" in screen_text(app), "events follow their end"
        await pilot.press("g")
        assert "attempt started on gpu-box (cpu, pid 4711)" in screen_text(app)
        await pilot.press("shift+tab", "escape")
        assert "[curves]" in bar(app, "tabs")
        tail = screen(app).query_one("#tail", Lines)
        assert tail.display
        await pilot.press("l")
        assert not tail.display
        await pilot.press("l")
        assert tail.display


async def test_reading_back_in_the_log_is_not_interrupted(lab: FakeLab) -> None:
    path = lab.run_dir(RUNNING).console
    path.write_text("".join(f"line {n}\n" for n in range(500)))
    async with running(lab, RUNNING) as (app, pilot):
        await pilot.press("tab", "g")
        assert "line 0" in screen_text(app)
        with path.open("a") as file:
            file.write("the newest\n")
        log = screen(app).query_one("#log", Lines)
        await until(pilot, lambda: log.text_lines()[-1] == "the newest")
        assert "line 0" in screen_text(app)
        await pilot.press("G")
        with path.open("a") as file:
            file.write("newer still\n")
        await until(pilot, lambda: "newer still" in screen_text(app))


async def test_a_run_with_nan_is_drawn_and_explained(lab: FakeLab) -> None:
    async with running(lab, DIVERGED) as (app, pilot):
        assert "NaN at epoch 3.4, step 1300; best top1 44.10 (epoch 2)" in screen_text(app)
        lines = chart(app).text_lines()
        assert "×" in lines[-2], "marked on the axis"
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
    async with running(FakeLab(tmp_path, [run("r", state="starting")]), "r") as (app, pilot):
        assert "no loss yet" in screen_text(app)
        assert not screen(app).query_one("#tail").display, "an empty log takes no room"
        await pilot.press("tab")
        assert "nothing printed yet" in screen_text(app)
        await pilot.press("tab", "tab", "+", "left", "0")
        assert app.is_running


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
        for _ in range(3):
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
