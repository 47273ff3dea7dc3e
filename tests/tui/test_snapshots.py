"""Pictures of the screens. After a change that is meant: ``pytest tests/tui/test_snapshots.py --snapshot-update``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.driving import until
from tests.tui.fake_lab import DIVERGED, FINISHED, NOW, RUNNING, FakeLab, populated
from vitui.tui.app import VituiApp
from vitui.tui.screens.run import RunScreen

SMALL, LARGE = (80, 24), (200, 60)


@pytest.mark.parametrize(
    ("run_id", "size", "keys"),
    [
        pytest.param(None, SMALL, ["j"], id="runs-80x24"),
        pytest.param(None, LARGE, ["j", "j", "space"], id="runs-200x60"),
        pytest.param(RUNNING, SMALL, [], id="run-80x24"),
        pytest.param(RUNNING, LARGE, [], id="run-200x60"),
        pytest.param(DIVERGED, (120, 40), ["L"], id="run-diverged"),
        pytest.param(RUNNING, (100, 30), ["tab", "tab"], id="run-recipe"),
        pytest.param(RUNNING, (120, 40), ["v", "left", "left", "left"], id="run-crosshair"),
        pytest.param(None, (120, 30), ["b", *"preset", "space", "enter"], id="runs-grouped"),
        pytest.param(None, SMALL, ["?"], id="help"),
    ],
)
def test_screens(snap_compare: Any, run_id: str | None, size: tuple[int, int], keys: list[str]) -> None:
    with tempfile.TemporaryDirectory() as home:
        app = VituiApp(populated(Path(home)), run_id, clock=lambda: NOW)  # type: ignore[arg-type]

        async def prepare(pilot: Pilot[None]) -> None:
            if run_id is None:
                await until(pilot, lambda: app.runs_screen._view is not None)
            else:
                await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.view is not None)
            await pilot.press(*keys)
            await pilot.pause()

        assert snap_compare(app, terminal_size=size, run_before=prepare)


def test_compare(snap_compare: Any) -> None:
    """Launch and Devices have no picture here: they show this machine's free memory and load."""
    with tempfile.TemporaryDirectory() as home:
        app = VituiApp(populated(Path(home)), clock=lambda: NOW)  # type: ignore[arg-type]

        async def prepare(pilot: Pilot[None]) -> None:
            await until(pilot, lambda: app.runs_screen._view is not None)
            app.compare([FINISHED, RUNNING])
            await until(pilot, lambda: app.compare_screen.found is not None)
            await pilot.pause()

        assert snap_compare(app, terminal_size=(160, 45), run_before=prepare)


def test_empty_lab(snap_compare: Any) -> None:
    app = VituiApp(FakeLab(Path("/home/ada/vitui")), clock=lambda: NOW)  # type: ignore[arg-type]

    async def prepare(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.runs_screen._view is not None)

    assert snap_compare(app, terminal_size=SMALL, run_before=prepare)
