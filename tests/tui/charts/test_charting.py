"""The keys of charts on the screen of a run."""

from __future__ import annotations

from tests.tui.driving import running, screen_text, until
from tests.tui.fake_lab import FakeLab
from vitui.tui.screens.prompt import PromptScreen
from vitui.tui.screens.run import RunScreen


async def test_keys_change_how_all_charts_are_looked_at(lab: FakeLab) -> None:
    run_id = next(r.id for r in lab.runs() if r.state == "finished")
    async with running(lab, run_id) as (app, pilot):
        screen = app.screen
        assert isinstance(screen, RunScreen)
        grid = screen.grid
        await until(pilot, lambda: grid.panels and grid.plot)
        before = grid.look
        await pilot.press("right_square_bracket", "H", "O", "plus", "z", "full_stop", "L")
        assert grid.look.smoothing > before.smoothing and grid.look.log_x and grid.look.clip and grid.look.single
        assert grid.look.span is not None and grid.front is grid.panels[1] and grid.look.log_y == {grid.front.key}
        await pilot.press("L", "H", "0", "comma", "z", "greater_than_sign", "shift+up", "v", "left", "shift+left")
        cursor, last = grid.look.cursor, grid.window.x1
        assert cursor is not None and cursor < last and grid.front is not None
        assert grid.look.ranges.keys() == {grid.front.key}
        assert f"step {round(cursor):,}"[:6] in screen_text(app)
        await pilot.press("escape")
        assert grid.look.cursor is None and grid.zoomed
        await pilot.press("escape")
        assert not grid.zoomed and app.screen is screen
        assert not screen.charts_back()


async def test_limits_are_typed(lab: FakeLab) -> None:
    run_id = next(r.id for r in lab.runs() if r.state == "finished")
    async with running(lab, run_id) as (app, pilot):
        screen = app.screen
        assert isinstance(screen, RunScreen)
        grid = screen.grid
        await until(pilot, lambda: grid.front)
        assert grid.front is not None
        await pilot.press("Y")
        await until(pilot, lambda: isinstance(app.screen, PromptScreen))
        await pilot.press(*"2:1", "enter")
        assert isinstance(app.screen, PromptScreen) and "low must be less than high" in screen_text(app)
        await pilot.press("backspace", "3", "enter")
        await until(pilot, lambda: app.screen is screen)
        assert grid.look.ranges == {grid.front.key: (2.0, 3.0)}
        await pilot.press("plus", "minus")
        assert grid.look.span is None
