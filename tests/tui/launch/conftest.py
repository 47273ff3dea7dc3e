"""A real lab in a home of its own; the engine answers at once, and nothing starts the runs that wait."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.cli.conftest import TINY_INSPECT
from tests.tui.driving import until
from vitui import inspecting
from vitui.lab import Lab
from vitui.tui.app import VituiApp
from vitui.tui.screens import launch
from vitui.tui.screens.launch import LaunchScreen

Opened = Callable[..., AbstractAsyncContextManager[tuple[LaunchScreen, Pilot[None]]]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr(inspecting, "COMMAND", (sys.executable, "-S", str(TINY_INSPECT)))
    monkeypatch.setattr(Lab, "_wake", lambda self: None)
    monkeypatch.setattr(launch, "QUIET_S", 0.05)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("QUESTIONS", str(tmp_path / "questions"))
    return Lab.open(tmp_path / "home", create=True)


@asynccontextmanager
async def _opened(
    lab: Lab, size: tuple[int, int] = (80, 24), preset: str = ""
) -> AsyncIterator[tuple[LaunchScreen, Pilot[None]]]:
    app = VituiApp(lab)
    async with app.run_test(size=size, notifications=True) as pilot:
        app.go("launch")
        form = app.launch_screen
        await until(pilot, lambda: form._entries is not None and form.sheet is not None)
        if preset:
            form.query_one("#presets").put_on(preset)  # type: ignore[attr-defined]
            await pilot.press("enter")
            await until(pilot, lambda: form.sheet and form.sheet.draft and form.sheet.draft.preset == preset)
        await pilot.pause()
        yield form, pilot


@pytest.fixture
def opened() -> Opened:
    """The app on a lab with the Launch screen in front, a preset in its form if one is named."""
    return _opened
