"""Keys that come in a burst, as over a slow line, do what the same keys do one by one."""

from __future__ import annotations

from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.driving import current, running, table, until
from tests.tui.fake_lab import FakeLab
from vitui.tui.screens.prompt import PromptScreen
from vitui.tui.screens.run import RunScreen


def burst(pilot: Pilot[None], *keys: str) -> None:
    """All keys at once, before the app gets to look at the first."""
    for key in keys:
        pilot.app.post_message(Key("space" if key == " " else key, key if len(key) == 1 else None))


async def test_what_follows_a_key_goes_where_that_key_leads(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        order = app.runs_screen.arrangement.order
        burst(pilot, "slash", *"digits", "enter", "j", "k", "enter", "tab")
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.pane == "log")
        assert app.runs_screen.arrangement.filter == "digits"
        assert app.runs_screen.arrangement.order == order


async def test_a_dialog_gets_what_was_typed_before_it_stood(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await until(pilot, lambda: table(app).current_row is not None)
        assert current(app)
        burst(pilot, "V", *"paper x")
        await until(pilot, lambda: isinstance(app.screen, PromptScreen) and app.screen.query_one(Input).value)
        await until(pilot, lambda: app.screen.query_one(Input).value == "paper x")
