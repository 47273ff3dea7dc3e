"""The ten features by which terminal programs for training runs are measured, each as a person would use it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from textual.events import MouseScrollUp
from textual.widgets import Input

from tests.tui.driving import bar, listed, notes, running, screen_text, table, until
from tests.tui.fake_lab import DIVERGED, FINISHED, NOW, QUEUED, RUNNING, FakeLab
from tests.tui.launch.conftest import Opened, home, opened
from tests.tui.runs.test_views import fill, pick
from vitui.lab import Lab
from vitui.query.groups import Group
from vitui.reading import QueueView
from vitui.settings import Settings
from vitui.supervisor.devices import Device, Inventory, Process
from vitui.tui import clipboard
from vitui.tui.app import VituiApp
from vitui.tui.screens.compare import CompareScreen
from vitui.tui.screens.devices import DevicesScreen
from vitui.tui.screens.launch import LaunchScreen
from vitui.tui.screens.pick import PickScreen
from vitui.tui.screens.run import RunScreen
from vitui.tui.series import XAxis
from vitui.tui.widgets.chart_grid import ChartGrid
from vitui.tui.widgets.plot import Ink

__all__ = ["home", "opened"]  # fixtures: a real lab, and the app on it with the Launch screen in front


def grid(app: VituiApp) -> ChartGrid:
    return app.screen.query_one(ChartGrid)


def braille(text: str) -> int:
    return sum("\u2801" <= c <= "\u28ff" for c in text)


def asked(form: LaunchScreen, words: str) -> bool:
    """Whether the command of the form says so."""
    return form.sheet is not None and form.sheet.preview is not None and words in form.sheet.preview.command


async def test_1_launch_queue_watch_and_compare_in_one_place(home: Lab, opened: Opened) -> None:
    """Adoption after a crash and lost connections are in tests/e2e (test_kill, test_terminal, test_day)."""
    async with opened(home, preset="demo-digits") as (form, pilot):
        app = form.vitui
        for seed in ("1", "2"):
            await pilot.press("tab", "slash", *"train.seed", "enter", "backspace", seed, "enter")
            await until(pilot, partial(asked, form, f"train.seed={seed}"))
            await pilot.press("ctrl+l")
            await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.view is not None)
            assert "waits" in screen_text(app)
            await pilot.press("2")
            await until(pilot, lambda: app.screen is form)
        await pilot.press("4")
        await until(pilot, lambda: isinstance(app.screen, DevicesScreen) and "Queue: 2 waiting" in screen_text(app))
        assert "CPU" in screen_text(app)
        await pilot.press("1")
        await until(pilot, lambda: len(app.runs_known) == 2 and app.screen is app.runs_screen)
        await pilot.press("ctrl+a", "c")
        await until(
            pilot,
            lambda: (
                isinstance(app.screen, CompareScreen)
                and "train.seed" in "".join(r.key for r in app.screen.found.fields if r.differs)
                if app.screen.found
                else False
            ),
        )  # type: ignore[attr-defined]


async def test_2_a_smoothed_line_over_its_raw_band(lab: FakeLab) -> None:
    async with running(lab, RUNNING, (120, 40)) as (app, pilot):
        await pilot.press("z")
        picture = grid(app)._frames["loss"]._picture
        assert picture is not None and {Ink.BAND, Ink.CURVE} <= set(picture.ink.flat), "the average over its raw band"
        assert "ema 0.9" in grid(app).text_lines()[0]
        await pilot.press("right_square_bracket")
        assert "ema 0.97" in grid(app).text_lines()[0] and grid(app)._frames["loss"]._picture is not picture
        await pilot.press(*["left_square_bracket"] * 9)
        assert grid(app).look.smoothing == 0 and "ema" not in grid(app).text_lines()[0]


async def test_3_a_keyboard_crosshair_read_in_every_chart(lab: FakeLab) -> None:
    async with running(lab, RUNNING, (120, 40)) as (app, pilot):
        await pilot.press("v", "shift+left", "left")
        cursor = grid(app).look.cursor
        told = "\n".join("".join(text for text, _ in line) for line in grid(app).readout())
        assert cursor is not None and "step" in told and "epoch" in told and "smooth" in told, told
        crossed = [key for key in grid(app).shown if grid(app)._frames[key]._crossed]
        assert crossed == grid(app).shown and len(crossed) >= 2, "in all charts at once"
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, PickScreen))
        await pilot.press(*"demo-digits", "enter")
        await until(
            pilot, lambda: len([1 for line in grid(app).readout() for text, _ in line if "digits" in text]) >= 2
        )


async def test_4_a_run_table_that_answers(lab: FakeLab) -> None:
    for run_id in lab.rows:
        lab.recipes.setdefault(run_id, lab.recipes[FINISHED])
    async with running(lab, size=(160, 40)) as (app, pilot):
        await pilot.press("C")
        await pick(app, pilot, "state", "name", "best", "optim.lr", "minival/loss", "age")
        await until(pilot, lambda: "0.002" in screen_text(app))
        await pilot.press("o")
        await fill(app, pilot, "smooth(minival/top1)")
        await until(pilot, lambda: "by smooth" in bar(app, "title") and listed(app)[0].id == FINISHED)
        await pilot.press("slash", *"tag:ba")
        await until(pilot, lambda: "[baseline]" in bar(app, "hints"))
        await pilot.press("tab", "enter")
        assert app.screen.query_one("#filter", Input).value == "tag:baseline" and len(listed(app)) == 1
        await pilot.press("escape", "b")
        await pick(app, pilot, "preset")
        rows = table(app).rows
        assert all(isinstance(row, Group) for row in rows) and "±" in screen_text(app)
        lab.recipes[RUNNING] = {**lab.recipes[RUNNING], "mix.mixup": 0.5}
        await pilot.press("equals_sign")
        await until(
            pilot, lambda: "mix.mixup" in table(app).shown_columns and "optim.lr" not in table(app).shown_columns
        )


async def test_5_any_axis_linear_or_logarithmic_clipped_or_limited(lab: FakeLab) -> None:
    async with running(lab, DIVERGED, (120, 40)) as (app, pilot):
        seen = []
        for _ in XAxis:
            seen.append(grid(app).look.x)
            await pilot.press("X")
        assert set(seen) == set(XAxis) and grid(app).look.x is seen[0]
        plain = grid(app).text_lines()
        await pilot.press("L", "H")
        assert grid(app).look.log_y == {"loss"} and grid(app).look.log_x and grid(app).text_lines() != plain
        await pilot.press("L", "H", "O")
        assert "clipped 1-99%" in screen_text(app)
        await pilot.press("O", "Y")
        await fill(app, pilot, "0:2")
        await until(pilot, lambda: "y 0:2" in " ".join(screen_text(app).split()))


async def test_6_zoom_and_pan_on_both_axes_and_the_tail_followed(lab: FakeLab) -> None:
    async with running(lab, RUNNING, (120, 40)) as (app, pilot):
        await pilot.press("plus", "plus")
        span = grid(app).look.span
        assert span is not None and span.high is None and "zoomed, following" in bar(app, "tabs")
        await pilot.press("left")
        fixed = grid(app).look.span
        assert fixed is not None and fixed.high is not None and "following" not in bar(app, "tabs")
        await pilot.press("greater_than_sign", "shift+up")
        assert "loss" in grid(app).look.ranges
        await pilot.press("0")
        assert grid(app).look.span is None and not grid(app).look.ranges
        grid_at = grid(app).region
        await pilot._post_mouse_events([MouseScrollUp], offset=(grid_at.x + 40, grid_at.y + 5))
        await until(pilot, lambda: grid(app).look.span is not None)


async def test_7_results_beside_each_other_and_out_again(lab: FakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leader board, what differs, export. The matrix of an ablation is made of studies, which are another matter."""
    lab.recipes[RUNNING] = {**lab.recipes[FINISHED], "mix.mixup": 0.8}
    async with running(lab, size=(120, 40)) as (app, pilot):
        await pilot.press("o")
        await fill(app, pilot, "best")
        assert [run.best for run in listed(app)][:2] == [98.6, 96.5], "the best first"
        app.compare([FINISHED, RUNNING])
        await until(pilot, lambda: app.compare_screen.found is not None)
        found = app.compare_screen.found
        assert found is not None and [row.key for row in found.fields if row.differs] == ["mix.mixup"]
        copied: list[str] = []
        monkeypatch.setattr(app, "copy", lambda text, what: copied.append(text))
        for word, sign in (
            ("latex", r"\toprule"),
            ("csv", "section,key"),
            ("json", '"baseline"'),
            ("markdown", "|---"),
        ):
            await pilot.press("y")
            await until(pilot, lambda: isinstance(app.screen, PickScreen))
            await pilot.press(*word, "enter")
            await until(pilot, lambda: copied)
            assert sign in copied.pop(), word


async def test_8_help_that_acts_commands_other_keys_and_jumps(lab: FakeLab) -> None:
    app = VituiApp(lab, clock=lambda: NOW, settings=Settings(keys={"runs.archived": ("ctrl+t",)}))  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: app.runs_known)
        await pilot.press("question_mark", *"archived")
        assert "ctrl+t" in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: "with archived" in bar(app, "title"))
        await pilot.press("ctrl+t")
        await until(pilot, lambda: "with archived" not in bar(app, "title"))
        await pilot.press("colon", *"mixup 0.2", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.view is not None)
        await pilot.press("ctrl+o")
        await pilot.pause()
        letters = {target.label.strip("[] "): name for name, target in app.screen._targets.items()}  # type: ignore[attr-defined]
        await pilot.press(letters["events"])
        await until(pilot, lambda: "[events]" in bar(app, "tabs"))


async def test_9_devices_strangers_time_left_and_alarms(lab: FakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Model FLOPs utilisation is not shown: no figure of a device's peak is measured here."""
    stranger = Process(1 << 30, "alice", "python", 20 << 30)
    card = Device("GPU-a", 0, "NVIDIA H200", 1, 140 << 30, 100 << 30, (stranger,), 78, 62, 540.0)
    lab.machine = Inventory((card, *lab.machine.devices))
    monkeypatch.setattr(lab, "queue", lambda: QueueView(None, [lab.rows[QUEUED]], True, 1))
    async with running(lab, size=(120, 40)) as (app, pilot):
        await pilot.press("4")
        await until(pilot, lambda: "alice" in screen_text(app))
        shown = screen_text(app)
        assert "78 %" in shown and "40.0/140.0 GiB" in shown and "540 W" in shown and "not one of these runs" in shown
        assert "img/s" in shown and " left" in shown and "the CPU is busy" in shown
        app.open_run(RUNNING)
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.view is not None)
        assert "734 img/s" in bar(app, "progress") and "left" in bar(app, "progress")
        lab.change(RUNNING, state="diverged", evidence="NaN at epoch 19", ended=NOW)
        await until(pilot, lambda: "diverged" in notes(app) and "NaN at epoch 19" in screen_text(app))


@pytest.mark.parametrize("terminal", ["small", "16 colours", "no colour"])
async def test_10_small_terminals_few_colours_and_an_honest_clipboard(
    lab: FakeLab, terminal: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Start, idle and bytes are measured in bench/; tmux's buffer is filled in test_away and tests/e2e."""
    if terminal == "16 colours":
        monkeypatch.delenv("COLORTERM")
        monkeypatch.setenv("TERM", "xterm-16color")
    if terminal == "no colour":
        monkeypatch.setenv("NO_COLOR", "1")
    async with running(lab, RUNNING, (80, 24)) as (app, pilot):
        assert braille(screen_text(app)) > 20 and "q quit, training goes on" in screen_text(app)
        colours = {
            (segment.style.color, segment.style.bgcolor)
            for strip in app.screen._compositor.render_strips() for segment in strip if segment.style
        }  # fmt: skip
        named = {colour for pair in colours for colour in pair if colour is not None}
        if terminal != "small":
            assert all(colour.is_default or (colour.number is not None and colour.number < 16) for colour in named), (
                named
            )
        monkeypatch.setattr(clipboard, "_tmux", lambda *_: False)
        monkeypatch.setenv("TMUX", "/tmp/none")
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, PickScreen))
        await pilot.press("enter")
        await until(pilot, lambda: "could not be copied: tmux does not answer" in notes(app))
        assert (lab.home / "copied.txt").read_text() == RUNNING
