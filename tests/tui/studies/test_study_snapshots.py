"""Pictures of the screens of studies. After a change that is meant: pytest with ``--snapshot-update``."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from tests.studies.homes import StudyHome
from tests.tui.driving import until
from vitui.tui.app import VituiApp
from vitui.tui.screens.studies import StudiesScreen

from .conftest import NOW, curves


@pytest.mark.parametrize(
    ("study", "size", "keys"),
    [
        pytest.param("ab", (80, 24), ["j", "j"], id="table-80x24"),
        pytest.param("ab", (200, 40), ["space", "j", "l"], id="table-200x40"),
        pytest.param("ab", (100, 20), ["tab", "j", "j", "l", "l"], id="seeds"),
        pytest.param("grid", (100, 30), ["tab", "tab", "l"], id="heat-map"),
        pytest.param("ab", (120, 36), ["shift+tab"], id="curves"),
        pytest.param("", (120, 30), [], id="list"),
    ],
)
def test_pictures(snap_compare: Any, home: StudyHome, study: str, size: tuple[int, int], keys: list[str]) -> None:
    curves(home)
    app = VituiApp(home.lab, clock=lambda: NOW)

    async def prepare(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.runs_screen._view is not None)
        if not study:
            await pilot.press("5")
            screen = app.screen
            assert isinstance(screen, StudiesScreen)
            await until(pilot, lambda: screen._view is not None and not screen._view.uncounted)
        else:
            one = app.open_study(study)
            await until(pilot, lambda: one.view is not None)
            await pilot.press(*keys)
            if one.pane == "heat map":
                await until(pilot, lambda: one.heat_map.heat is not None)
            if one.pane == "curves":
                await until(pilot, lambda: one.grid.panels)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=prepare)
