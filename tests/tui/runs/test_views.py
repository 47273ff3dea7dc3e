"""How the list is arranged: columns, order, groups, saved views, and that all of it is there next time."""

from __future__ import annotations

from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.driving import bar, current, listed, notes, running, screen_text, table, until
from tests.tui.fake_lab import DIVERGED, FINISHED, QUEUED, RUNNING, FakeLab, run
from vitui.query.groups import Group
from vitui.tui.app import VituiApp
from vitui.tui.screens.pick import PickScreen
from vitui.tui.screens.prompt import PromptScreen
from vitui.tui.screens.runs_preview import Preview
from vitui.tui.widgets.chart import Chart
from vitui.tui.widgets.lines import Lines


async def pick(app: VituiApp, pilot: Pilot[None], *ids: str) -> None:
    """Answer the list in front."""
    await until(pilot, lambda: isinstance(app.screen, PickScreen))
    app.screen.dismiss(list(ids))
    await until(pilot, lambda: not isinstance(app.screen, PickScreen))
    await pilot.pause()


async def fill(app: VituiApp, pilot: Pilot[None], text: str) -> None:
    """Answer the prompt in front."""
    await until(pilot, lambda: isinstance(app.screen, PromptScreen))
    app.screen.query_one(Input).value = text
    await pilot.press("enter")
    await until(pilot, lambda: not isinstance(app.screen, PromptScreen))
    await pilot.pause()


async def test_the_filter_is_completed_and_says_what_is_wrong(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("/", *"tag:ba")
        await until(pilot, lambda: "[baseline]" in bar(app, "hints"))
        await pilot.press("tab")
        assert app.screen.query_one(Input).value == "tag:baseline"
        assert [r.id for r in listed(app)] == [FINISHED]
        await pilot.press(*" sta", "down", "tab")
        assert app.screen.query_one(Input).value != "tag:baseline sta"
        app.screen.query_one(Input).value = "stat:x"
        await until(pilot, lambda: "^ no field stat" in bar(app, "hints"))
        await pilot.press("escape", "tab")
        assert len(table(app).rows) == 8


async def test_columns_are_chosen_sized_and_sorted_by(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("C")
        await pick(app, pilot, "state", "name", "best", "optim.lr", "age")
        assert table(app).shown_columns == ["state", "name", "best", "optim.lr", "age"]
        await until(pilot, lambda: "0.002" in screen_text(app))
        await pilot.press("right", "left")
        assert table(app).column == "optim.lr", "it starts where the order is told"
        await pilot.press("left")
        assert table(app).column == "best"
        before = table(app).column_width("best")
        await pilot.press("}", "}", "{")
        assert table(app).column_width("best") == (before or 0) + 2
        await pilot.press("s")
        assert "by best ▼" in bar(app, "title") and current(app) == QUEUED
        await pilot.press("s")
        assert "by best ▲" in bar(app, "title")
        await pilot.press("escape")
        assert table(app).column == ""


async def test_order_by_several_fields(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("o")
        await fill(app, pilot, "preset,-best")
        presets = [r.preset for r in listed(app)]
        assert presets == sorted(presets) and "by preset ▲ (+1)" in bar(app, "title")
        digits = [r.best for r in listed(app) if r.preset == "demo-digits" and r.best]
        assert digits == sorted(digits)
        await pilot.press("o")
        await fill(app, pilot, "smooth(minival/top1)")
        await until(pilot, lambda: table(app).rows[0].id == FINISHED)


async def test_only_differing_columns(lab: FakeLab) -> None:
    lab.recipes[RUNNING] = {**lab.recipes[RUNNING], "optim.lr": 0.004}
    async with running(lab) as (app, pilot):
        await pilot.press("/", *"has:optim.name", "enter")
        await until(pilot, lambda: len(table(app).rows) == 3)
        await pilot.press("=")
        await until(pilot, lambda: "optim.lr" in table(app).columns.keys)
        await until(pilot, lambda: "0.004" in screen_text(app))
        assert "optim.name" not in table(app).columns.keys and "model" not in table(app).columns.keys
        await pilot.press("=")
        assert "model" in table(app).columns.keys and "optim.lr" not in table(app).columns.keys


async def test_groups_open_are_marked_and_are_acted_on(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("b")
        await pick(app, pilot, "preset")
        rows = table(app).rows
        assert all(isinstance(row, Group) for row in rows) and len(rows) == 4
        assert "in groups of preset" in bar(app, "title")
        index = next(i for i, row in enumerate(rows) if isinstance(row, Group) and row.label == "demo-digits")
        table(app).move_to(index)
        await pilot.pause()
        assert "best 97.55±1.48 of 2" in bar(app, "detail-more") and "3 runs" in bar(app, "detail")
        assert {r.id for r in app.runs_screen.chosen()} == {QUEUED, RUNNING, FINISHED}
        await pilot.press("space")
        assert table(app).marked == {QUEUED, RUNNING, FINISHED}
        await pilot.press("u")
        table(app).move_to(index)
        await pilot.press("enter")
        assert len(table(app).rows) == 7
        await pilot.press("enter")
        assert len(table(app).rows) == 4
        await pilot.press("b")
        await pick(app, pilot, "")
        assert len(table(app).rows) == 8


async def test_marks(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("shift+down", "shift+down")
        assert table(app).marked == {QUEUED, RUNNING, FINISHED}
        await pilot.press("i")
        assert len(table(app).marked) == 5 and QUEUED not in table(app).marked
        await pilot.press("/", *"digits", "enter")
        assert "5 marked, 5 of them not shown" in bar(app, "title") or "not shown" in bar(app, "title")
        await pilot.press("u", "ctrl+a")
        assert table(app).marked == {r.id for r in listed(app)}


async def test_views_are_saved_chosen_and_deleted(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("/", *"preset~cifar", "enter", "s", "V")
        await fill(app, pilot, "cifar")
        await until(pilot, lambda: "view cifar saved" in notes(app))
        await pilot.press("v")
        await pick(app, pilot, "\0plain")
        assert len(table(app).rows) == 8 and "by age" in bar(app, "title")
        await pilot.press("v")
        await pick(app, pilot, "cifar")
        assert len(table(app).rows) == 3 and "by age" not in bar(app, "title")
        await pilot.press("v")
        await pick(app, pilot, "\0delete")
        await pick(app, pilot, "cifar")
        assert app.runs_screen.saved_views() == {}


async def test_the_view_is_there_the_next_time(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("/", *"preset~cifar", "enter", "S", "C")
        await pick(app, pilot, "state", "name", "best")
    async with running(lab) as (app, pilot):
        assert len(table(app).rows) == 3 and table(app).shown_columns == ["state", "name", "best"]
        assert "by age ▼" in bar(app, "title")
        await pilot.press("/")
        assert app.screen.query_one(Input).value == "preset~cifar"
    (lab.home / "tui.json").write_text('{"runs": {"filter": 3, "columns": "x", "groups": [[]]}, "views": []}')
    async with running(lab) as (app, pilot):
        assert len(table(app).rows) == 8
        await pilot.press("v")
        assert isinstance(app.screen, PickScreen)


async def test_the_preview_beside_a_large_list(lab: FakeLab) -> None:
    async with running(lab, size=(200, 40)) as (app, pilot):
        await pilot.press("j", "j")
        facts = app.screen.query_one("#preview-facts", Lines)
        await until(pilot, lambda: "mix.mixup  0 → 0.2" in "\n".join(facts.text_lines()))
        assert "took      58s" in "\n".join(facts.text_lines())
        chart = app.screen.query_one("#preview-accuracy", Chart)
        await until(pilot, lambda: chart.panel.key == "minival/top1")
        await pilot.press("k", "k")
        assert chart.panel.key == "" and "digits seed 1" in facts.text_lines()[0]
    async with running(lab) as (app, pilot):
        assert not app.screen.query_one(Preview).display


async def test_a_deleted_run_leaves_the_list_everywhere(lab: FakeLab) -> None:
    """Another program deletes a marked run."""
    async with running(lab) as (app, pilot):
        await pilot.press("j", "j", "j", "space")
        assert table(app).marked == {DIVERGED}
        lab.delete([DIVERGED])
        await until(pilot, lambda: not table(app).marked and "7 in all" in bar(app, "title"))


async def test_ten_thousand_marked_runs_cost_nothing_per_key(lab: FakeLab, tmp_path: object) -> None:
    lab.rows = {f"26{n:04d}": run(f"26{n:04d}", created=1e9 + n) for n in range(10_000)}
    async with running(lab) as (app, pilot):
        await until(pilot, lambda: len(table(app).rows) == 10_000)
        await pilot.press("ctrl+a")
        chosen = app.runs_screen.chosen()
        assert len(chosen) == 10_000
        await pilot.press("j", "j", "G")
        assert app.runs_screen.chosen() is chosen, "asked for at every key, made once"
