"""Driving the app in tests: wait for what is on the screen, never for time to pass."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from tests.tui.fake_lab import NOW, FakeLab
from vitui.store import Run
from vitui.tui.app import VituiApp
from vitui.tui.screens.run import RunScreen
from vitui.tui.widgets.bar import Bar
from vitui.tui.widgets.run_table import RunTable


async def until(pilot: Pilot[None], condition: Callable[[], object], timeout: float = 15.0) -> None:
    """Let the app work until `condition` holds. Fails with what is on the screen when it does not."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "waited in vain; on the screen:\n" + screen_text(pilot.app)
        await pilot.pause()
        await asyncio.sleep(0.01)


def screen_text(app: object) -> str:
    """Everything on the screen as plain lines."""
    screen = app.screen  # type: ignore[attr-defined]
    return "\n".join(strip.text for strip in screen._compositor.render_strips())


@asynccontextmanager
async def running(
    lab: FakeLab, run_id: str | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[VituiApp, Pilot[None]]]:
    """The app on `lab`, with its first picture on the screen."""
    app = VituiApp(lab, run_id, clock=lambda: NOW)  # type: ignore[arg-type]
    async with app.run_test(size=size, notifications=True) as pilot:
        if run_id is None:
            await until(pilot, lambda: app.runs_screen._view is not None)
        else:
            await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.view is not None)
        await pilot.pause()
        yield app, pilot
        app.poller.stop()  # no picture may arrive while the widgets are being removed
        await pilot.pause()


def notes(app: VituiApp) -> str:
    """What the notes in the corner say, whole (on the screen they are wrapped), and only while one can be seen."""
    seen = [toast for toast in app.screen.query("Toast") if toast.region]
    return " ".join(note.message for note in app._notifications) if seen else ""


def bar(app: VituiApp, name: str) -> str:
    return app.screen.query_one(f"#{name}", Bar).text


def table(app: VituiApp) -> RunTable:
    return app.runs_screen.query_one(RunTable)


def current(app: VituiApp) -> str:
    run = table(app).current
    assert run is not None
    return run.id


def listed(app: VituiApp) -> list[Run]:
    """The runs in the list, where it has no groups."""
    rows = table(app).rows
    assert all(isinstance(row, Run) for row in rows)
    return [row for row in rows if isinstance(row, Run)]
