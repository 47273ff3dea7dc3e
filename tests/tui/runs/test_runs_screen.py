"""The runs screen through its keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import Key
from textual.widgets import Input

from tests.tui.driving import bar, current, listed, notes, running, screen_text, table, until
from tests.tui.fake_lab import DIVERGED, FINISHED, QUEUED, RUNNING, FakeLab, run
from vitui.tui.screens.ask import AskScreen
from vitui.tui.screens.help import HelpScreen
from vitui.tui.screens.run import RunScreen
from vitui.tui.screens.runs import RunsScreen
from vitui.tui.widgets.lines import Lines


async def test_every_run_is_in_the_table_newest_first(lab: FakeLab) -> None:
    async with running(lab) as (app, _):
        assert [r.id for r in listed(app)] == sorted(lab.rows, reverse=True)
        assert "8 in all" in bar(app, "title") and "1 training" in bar(app, "title")
        shown = screen_text(app)
        assert "▶ running" in shown and "≈ diverged" in shown and "18.6/30" in shown


async def test_moving(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        for keys, index in [
            ("j", 1),
            ("down", 2),
            ("k", 1),
            ("G", 7),
            ("g", 0),
            ("ctrl+d", 7),
            ("ctrl+u", 0),
            ("end", 7),
            ("j", 7),
        ]:
            await pilot.press(keys)
            assert table(app).cursor == index, keys


async def test_the_line_below_explains_the_chosen_run(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        assert current(app) == QUEUED
        assert "waits, number 1 in the queue: the CPU is busy with" in bar(app, "detail-more")
        await pilot.press("j", "j")
        assert current(app) == FINISHED
        assert "test 97.78" in bar(app, "detail-more") and "reference 97.00" in bar(app, "detail-more")
        await pilot.press("j")
        assert current(app) == DIVERGED
        assert "NaN at epoch 3.4, step 1300; best top1 44.10" in bar(app, "detail-more")


async def test_live_update_of_one_row(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("j")
        lab.change(RUNNING, epoch=21.3, last=97.1)
        await until(pilot, lambda: "21.3/30" in screen_text(app) and "97.10" in screen_text(app))
        assert current(app) == RUNNING
        lab.change(RUNNING, state="finished", epoch=30.0, images_per_s=None)
        await until(pilot, lambda: "30/30" in screen_text(app) and "training" not in bar(app, "title"))


async def test_a_new_run_appears_and_the_cursor_stays_on_its_run(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("j", "j")
        lab.add(run("261118-000000-new1", name="brand new", state="queued", created=2e9))
        await until(pilot, lambda: "brand new" in screen_text(app))
        assert listed(app)[0].name == "brand new"
        assert current(app) == FINISHED


async def test_filter(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("/", *"preset~cifar")
        assert {r.preset for r in listed(app)} == {"demo-cifar10"}
        assert "3 of 8 shown" in bar(app, "title")
        await pilot.press("enter")
        assert len(table(app).rows) == 3, "the filter stays when its line closes"
        await pilot.press("j", "j")
        assert table(app).cursor == 2, "keys move again, not type"
        await pilot.press("escape")
        assert len(table(app).rows) == 8


async def test_a_filter_that_matches_nothing_or_cannot_be_read_says_so(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("/", *"nosuchrun")
        assert "none of the 8 runs matches nosuchrun" in "\n".join(app.screen.query_one("#nothing", Lines).text_lines())
        app.screen.query_one(Input).value = "stat:x"
        await until(pilot, lambda: "did you mean state?" in bar(app, "title"))
        await pilot.press("escape")
        assert len(table(app).rows) == 8


async def test_keys_typed_into_the_filter_are_not_commands(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("/", *"xqrsS?:", "space", "j")
        assert app.is_running and not lab.calls
        assert app.screen.query_one(Input).value == "xqrsS?: j"


async def test_what_is_typed_after_the_filter_key_in_one_go_is_the_filter(lab: FakeLab) -> None:
    """Over a slow line keys arrive together, before the app has opened the filter line for the first of them."""
    async with running(lab) as (app, pilot):
        for key in "/x:q/":
            app.post_message(Key({"/": "slash", ":": "colon"}.get(key, key), key))
        await until(pilot, lambda: app.screen.query_one(Input).value == "x:q/")
        assert app.is_running and app.screen is app.runs_screen and not lab.calls


async def test_sorting(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press(*"s" * (2 + table(app).shown_columns.index("best") - 1))
        assert "by best ▼" in bar(app, "title")
        best = [r.best for r in listed(app) if r.best is not None]
        assert best == sorted(best, reverse=True) and best
        await pilot.press("S")
        best = [r.best for r in listed(app) if r.best is not None]
        assert best == sorted(best) and listed(app)[-1].best is None
        await pilot.press("a")
        assert table(app).rows[0].id == QUEUED


async def test_stop_asks_first(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("j", "x")
        assert isinstance(app.screen, AskScreen) and "Stop digits mixup 0.2 (261117-191210-m3xw)?" in screen_text(app)
        await pilot.press("enter", "n")
        assert not lab.calls
        await pilot.press("x", "y")
        await until(pilot, lambda: lab.calls == [("stop", RUNNING)])
        await until(pilot, lambda: "▶ stopping" in screen_text(app))


async def test_stopping_what_has_ended_says_so(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("j", "j", "x")
        assert not isinstance(app.screen, AskScreen)
        await until(pilot, lambda: "already ended, nothing to stop" in notes(app))


async def test_resume(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("j", "j", "j", "r")
        await until(pilot, lambda: lab.calls == [("resume", DIVERGED)])
        await until(pilot, lambda: lab.rows[DIVERGED].state == "queued" and "2 waiting" in bar(app, "title"))


async def test_another_one_was_faster(lab: FakeLab) -> None:
    """Two people stop the same run: the second is told, nothing breaks."""
    async with running(lab) as (app, pilot):
        await pilot.press("j", "x")
        lab.rows[RUNNING] = lab.rows[RUNNING]._replace(state="stopped")
        await pilot.press("y")
        await until(pilot, lambda: "has already ended (stopped)" in notes(app))
        assert app.is_running


async def test_marks(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("space", "space")
        assert table(app).marked == {QUEUED, RUNNING} and "2 marked" in bar(app, "title")
        await pilot.press("x", "y")
        await until(pilot, lambda: sorted(lab.calls) == [("stop", RUNNING), ("stop", QUEUED)])
        await pilot.press("u")
        assert not table(app).marked


async def test_open_and_back(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.view is not None)
        opened = app.screen
        assert isinstance(opened, RunScreen) and opened.run_id == RUNNING
        await pilot.press("escape")
        assert isinstance(app.screen, RunsScreen) and current(app) == RUNNING
        lab.change(RUNNING, epoch=22.2)
        await until(pilot, lambda: "22.2/30" in screen_text(app))


async def test_help_finds_an_action_and_carries_it_out(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("?")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await pilot.press(*"turn")
        await until(pilot, lambda: "Turn the order round" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.runs_screen and "by age ▼" in bar(app, "title"))


async def test_quit_and_what_the_key_line_promises(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        assert "quit, training goes on" in screen_text(app).splitlines()[-1]
        await pilot.press("q")
        await until(pilot, lambda: app._exit)


async def test_ctrl_c_leaves_even_from_the_filter_line(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("/", "a", "ctrl+c")
        await pilot.pause()
        assert app._exit


async def test_an_empty_lab_says_what_to_type(tmp_path: Path) -> None:
    async with running(FakeLab(tmp_path)) as (app, pilot):
        assert "vitui demo" in screen_text(app) and "vitui run PRESET" in screen_text(app)
        await pilot.press("enter", "x", "r", "space", "j", "G", "s")
        assert app.is_running


async def test_a_lab_that_cannot_be_read(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        lab.broken = OSError("disk [/gone]")
        app.poller.wake()
        await until(pilot, lambda: "the lab cannot be read: OSError: disk [/gone]" in bar(app, "title"))
        lab.broken = None
        app.poller.wake()
        await until(pilot, lambda: "cannot be read" not in bar(app, "title"))


@pytest.mark.parametrize(
    "name",
    [
        "[/bold] [red]markup[/]",
        "\x1b[31mred\x1b[2J",
        "🦊 日本語 👩‍👩‍👧",
        "x" * 300,
        "../../etc/passwd",
        "\u202eesrever",
        "[a=1]",
        "\ud800",
        "a\nb",
    ],
)
async def test_names_that_try_something(tmp_path: Path, name: str) -> None:
    lab = FakeLab(
        tmp_path, [run("261117-164010-qd7k", name=name, tags=(name,), notes=name, state="failed", evidence=name)]
    )
    async with running(lab) as (app, pilot):
        lines = screen_text(app).splitlines()
        assert len(lines) == 24
        assert "\x1b" not in screen_text(app) and "\u202e" not in screen_text(app)
        await pilot.press("r", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.view is not None)
        await pilot.press("tab", "tab", "tab", "escape", "escape", "x")
        assert app.is_running


async def test_ten_thousand_runs(tmp_path: Path) -> None:
    rows = [run(f"26{n:04d}", name=f"run {n}", best=n % 97 + 0.5, created=1e9 + n) for n in range(10_000)]
    async with running(FakeLab(tmp_path, rows)) as (app, pilot):
        assert "run 9999" in screen_text(app)
        await pilot.press("G")
        assert current(app) == "260000" and "run 0 " in screen_text(app)
        await pilot.press("/", *"best>96")
        assert len(table(app).rows) == 104 - 1
