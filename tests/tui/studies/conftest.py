"""A home with a study whose cells are in every state; nothing starts the runs that wait, the engine answers at once."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.cli.conftest import TINY_INSPECT
from tests.studies.homes import StudyHome
from tests.tui.driving import until
from vitui import inspecting
from vitui.lab import Lab
from vitui.store.series import Series
from vitui.studies import definition
from vitui.studies.definition import SHIPPED
from vitui.tui.app import VituiApp
from vitui.tui.screens.studies import StudiesScreen
from vitui.tui.screens.study import StudyScreen
from vitui.tui.widgets.table import Table

NOW = 1.7e9 + 3600
ABLATION = """
title = "Ablation of the demo"
question = "What matters?"
base = "demo-digits"
seeds = [0, 1, 2]
leave_out = ["label-smoothing", "warmup"]
add = ["mixup", "cutmix"]
"""
GRID = """
title = "Learning rate against weight decay"
base = "demo-digits"
[[axis]]
name = "lr"
field = "optim.lr"
values = [2e-3, 5e-4]
[[axis]]
name = "wd"
field = "optim.weight_decay"
values = [0.05, 0.3, 0.0]
[report]
rows = ["lr"]
columns = ["wd"]
side = "wd"
"""
VALUES: dict[str, list[float | None]] = {
    "base": [91.0, 91.2, 91.1],
    "no-label-smoothing": [91.1, 91.0, 91.3],
    "mixup": [93.0, 93.1, 93.2],
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyHome:
    """`ab`: results of three variants; a fourth with one seed running, one failed, one missing; a fifth untouched."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(Lab, "_wake", lambda self: None)
    monkeypatch.setattr(inspecting, "COMMAND", (sys.executable, "-S", str(TINY_INSPECT)))
    monkeypatch.setenv("QUESTIONS", str(tmp_path / "questions"))
    ship(monkeypatch, tmp_path, "tin-microbatch", "compact-large")
    made = StudyHome(tmp_path / "home")
    made.write("ab", ABLATION)
    made.write("grid", GRID)
    made.fill("ab", VALUES)
    warmup = made.planned("ab").variants[2]
    made.run(warmup, 0, state="running", step=120, total_steps=300, started=1.7e9, batch_size=32)
    made.run(warmup, 1, state="failed", evidence="killed by SIGKILL at step 12", epoch=0.4)
    made.fill(
        "grid",
        {"0.002/0.05": [91.0], "0.002/0.3": [93.0], "0.002/0.0": [92.0], "0.0005/0.05": [88.0], "0.0005/0.3": [80.0]},
    )
    return made


def ship(monkeypatch: pytest.MonkeyPatch, folder: Path, *names: str) -> None:
    """Have these studies come with vitui and no others: planning them all takes seconds."""
    shipped = folder / "shipped"
    shipped.mkdir(exist_ok=True)
    for name in names:
        shutil.copy(SHIPPED / f"{name}.toml", shipped)
    monkeypatch.setattr(definition, "SHIPPED", shipped)


def curves(home: StudyHome) -> None:
    """Points for the runs of the variants that have results."""
    planned = home.planned("ab")
    with home.lab.store.writing() as db:
        for cell in planned.cells:
            if cell.run is None or cell.value is None:
                continue
            series = Series(db, cell.run.id)
            steps = list(range(10, 310, 10))
            series.add("train/loss", steps, [2.0 - step / 300 + cell.seed / 10 for step in steps], 1.7e9 + 60, 1)
            evals = [100, 200, 300]
            series.add("minival/top1", evals, [cell.value - 60 / (n + 1) + cell.seed for n in range(3)], 1.7e9 + 60, 1)
            series.flush()


def put_on(table: Table, key: str) -> bool:
    """Put the cursor on a row; False where there is none with this key."""
    keys = [row.key for row in table.rows]
    if key in keys:
        table.move_to(keys.index(key))
    return key in keys


@asynccontextmanager
async def running(home: StudyHome, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[VituiApp, Pilot[None]]]:
    app = VituiApp(home.lab, clock=lambda: NOW)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.runs_screen._view is not None)
        yield app, pilot
        app.poller.stop()
        await pilot.pause()


@asynccontextmanager
async def listed(
    home: StudyHome, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[VituiApp, Pilot[None], StudiesScreen]]:
    """The list of studies, with the user's own counted."""
    async with running(home, size) as (app, pilot):
        await pilot.press("5")
        screen = app.screen
        assert isinstance(screen, StudiesScreen)
        await until(pilot, lambda: screen._view is not None and not {"ab", "grid"} & screen._view.uncounted)
        await pilot.pause()
        yield app, pilot, screen


@asynccontextmanager
async def opened(
    home: StudyHome, name: str = "ab", size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[VituiApp, Pilot[None], StudyScreen]]:
    """The screen of one study, with its first picture."""
    async with running(home, size) as (app, pilot):
        screen = app.open_study(name)
        await until(pilot, lambda: screen.view is not None and app.screen is screen)
        await pilot.pause()
        yield app, pilot, screen
