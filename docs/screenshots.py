"""The pictures of the README: real runs of the real trainer in a lab of their own, drawn by the app itself.

    uv run python docs/screenshots.py [--to docs/img] [--home DIR] [--studies]

Trains ten short runs on the CPU (about eight minutes on two cores) in a temporary home, which is removed afterwards,
and draws every screen while one of them trains; then a study of twenty shorter ones (about three minutes), which
--studies makes alone. Nothing in them is made up: every number was measured while it ran, or is a published one.
With --home the runs are kept there, and those that are there already are not trained again.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from vitui.lab import Lab
    from vitui.tui.app import VituiApp

PRESET = "demo-digits"
LIST, WIDE, TALL, SMALL = (120, 20), (120, 36), (120, 44), (80, 24)
WIDER = (132, 37)
HISTORY_S = 12.0
"""Seconds for which the devices are looked at before they are drawn."""
PATIENCE = 1200.0
"""Seconds after which something must be wrong."""


@dataclass(frozen=True)
class Plan:
    """A run to make."""

    name: str
    toggles: Sequence[str] = ()
    sets: Sequence[str] = ()
    tags: Sequence[str] = ("ablation",)
    end: str = "finished"
    star: bool = False


SGD = ("optim.name=sgd", "train.precision=fp32")
ENDED = (
    Plan("baseline", star=True),
    Plan("baseline, seed 1", sets=["train.seed=1"]),
    Plan("no warm-up", toggles=["no-warmup"]),
    Plan("no warm-up, seed 1", toggles=["no-warmup"], sets=["train.seed=1"]),
    Plan("mixup", toggles=["mixup"]),
    Plan("average of weights", toggles=["ema"]),
    Plan("SGD, lr rising to 1", sets=[*SGD, "optim.lr=1", "schedule.warmup_epochs=39"], tags=[], end="diverged"),
)
STOPPED = Plan("200 epochs", sets=["train.epochs=200"], tags=[])
LIVE = Plan("mixup, seed 1", toggles=["mixup"], sets=["train.seed=1"])
WAITING = (
    Plan("drop path", toggles=["drop-path"]),
    Plan("drop path, seed 1", toggles=["drop-path"], sets=["train.seed=1"]),
)

STUDY = "digits-parts"
STUDY_FILE = """
title = "Parts of the digits demo, in five epochs"
question = "What matters on small data?"
base = "demo-digits"
seeds = 4
leave_out = ["label-smoothing", "warmup"]
add = ["mixup"]

[set]
train.epochs = 5

[[variant]]
name = "small-lr"
label = "A third of the learning rate"
set = { optim.lr = 3e-4 }
"""
GRID = "augreg-i21k300"

COMPARED = ("baseline", "no warm-up", "mixup", "average of weights")


def launch(lab: Lab, plan: Plan) -> str:
    run = lab.launch(lab.compose(PRESET, plan.toggles, plan.sets), name=plan.name, tags=plan.tags)
    lab.set_star(run, plan.star)
    return run


def wait(lab: Lab, what: str, condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds. Raises TimeoutError."""
    print(f"waiting: {what}", flush=True)
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {PATIENCE:g} s; the lab is {lab.home}")
        time.sleep(0.1)


def stop_all(lab: Lab) -> None:
    """Stop what waits or trains, and wait until nothing does."""
    for run in lab.runs(states={"queued", "starting", "running"}):
        lab.stop(run.id)
    wait(lab, "everything to stop", lambda: not lab.queue().worker_alive)


def make_runs(lab: Lab) -> str:
    """Train, up to a lab with runs of every kind; the id of the one that trains."""
    from vitui.store.runs import ENDED as OVER

    stop_all(lab)
    there = {run.name for run in lab.runs() if run.state in OVER}
    for plan in ENDED:
        if plan.name not in there:
            run = launch(lab, plan)
            wait(lab, plan.name, lambda run=run: lab.run(run).state in OVER)  # type: ignore[misc]
            if (found := lab.run(run)).state != plan.end:
                raise SystemExit(f"{plan.name} is {found.state}, not {plan.end}: {found.evidence}")
    if STOPPED.name not in there:
        run = launch(lab, STOPPED)
        wait(lab, STOPPED.name, lambda: (lab.run(run).epoch or 0) > 15)
        lab.stop(run)
        wait(lab, f"{STOPPED.name} to stop", lambda: lab.run(run).state in OVER)
    for run in lab.runs():
        if run.name == LIVE.name or run.name in {plan.name for plan in WAITING}:
            lab.delete([run.id])
    live = launch(lab, LIVE)
    for plan in WAITING:
        launch(lab, plan)
    wait(lab, f"{LIVE.name} to be half-way", lambda: (lab.run(live).epoch or 0) > 14)
    return live


def make_study(lab: Lab) -> None:
    """Train every cell of the study that is not there yet."""
    from vitui.studies.variants import RESULTS

    stop_all(lab)
    lab.save_study(STUDY, STUDY_FILE, replace=True)
    lab.launch_study(STUDY)
    wait(lab, STUDY, lambda: all(cell.status in RESULTS for cell in lab.planned(STUDY).cells))


# -- the pictures ------------------------------------------------------------------------------------------------


async def draw(lab: Lab, live: str, to: Path) -> None:
    """Write the pictures: first those of what trains, while it does."""
    ids = {run.name: run.id for run in lab.runs()}
    await draw_live(lab, live, to)
    if lab.run(live).state != "running":
        raise SystemExit("the run had ended before it was drawn; try again on a less busy machine")
    await draw_compare(lab, [ids[name] for name in COMPARED], to)
    await draw_launch(lab, to)
    await draw_groups(lab, to)
    await draw_small(lab, ids[COMPARED[0]], to)
    await draw_help(lab, to)


@asynccontextmanager
async def opened(
    lab: Lab, size: tuple[int, int], theme: str = "dark", run: str | None = None
) -> AsyncIterator[tuple[VituiApp, Pilot[None]]]:
    """The app as it is on its first day, with its first picture on the screen."""
    from vitui.settings import Settings
    from vitui.tui.app import VituiApp

    (lab.home / "tui.json").unlink(missing_ok=True)
    app = VituiApp(lab, run, settings=Settings(theme=theme))
    async with app.run_test(size=size) as pilot:
        await shown(pilot, "in all" if run is None else "best")
        yield app, pilot


async def draw_live(lab: Lab, live: str, to: Path) -> None:
    async with opened(lab, LIST) as (app, pilot):
        await pilot.press("4")
        await shown(pilot, "devices", LIVE.name)
        opened_at = time.monotonic()
        await pilot.press("1")
        table = app.runs_screen.table
        ids = [run.id for run in table.rows]
        table.move_to(next(i for i, run in enumerate(ids) if lab.run(run).state == "diverged"))
        await shown(pilot, "at epoch", "r resume")
        save(app, to / "runs.svg")
        await pilot.resize_terminal(*WIDE)
        table.move_to(ids.index(live))
        await pilot.press("enter")
        await shown(pilot, "top-1", "img/s")
        save(app, to / "run.svg")
        await pilot.resize_terminal(*LIST)
        await pilot.press("4")
        await asyncio.sleep(max(0.0, HISTORY_S - (time.monotonic() - opened_at)))
        await shown(pilot, "devices", LIVE.name)
        save(app, to / "devices.svg")


async def draw_compare(lab: Lab, ids: Sequence[str], to: Path) -> None:
    async with opened(lab, TALL) as (app, pilot):
        app.compare(ids)
        await shown(pilot, "test top1", "differs")
        save(app, to / "compare.svg")


async def draw_launch(lab: Lab, to: Path) -> None:
    async with opened(lab, WIDE) as (app, pilot):
        await pilot.press("2")
        await shown(pilot, "demo-digits")
        await pilot.press("enter")
        await shown(pilot, "ready")
        await pilot.press("tab", "slash", *"mixup", "enter", "escape")
        await shown(pilot, "mix.mixup 0", "parameters", "learning rate  A", "CutMix")
        save(app, to / "launch.svg")


async def draw_groups(lab: Lab, to: Path) -> None:
    """Runs of the same recipe together, whatever their seed, with mean and spread."""
    from vitui.query.order import parse_order

    async with opened(lab, LIST) as (app, pilot):
        here = app.runs_screen
        here.arranged(replace(here.arrangement, groups=(here.fields.get("recipe"),), order=parse_order("test")))
        await shown(pilot, "±")
        save(app, to / "groups.svg")


async def draw_small(lab: Lab, run: str, to: Path) -> None:
    """A run in a terminal of eighty columns, in the light theme."""
    async with opened(lab, SMALL, "light", run) as (app, pilot):
        await shown(pilot, "top-1", "B")
        save(app, to / "small.svg")


async def draw_help(lab: Lab, to: Path) -> None:
    async with opened(lab, SMALL) as (app, pilot):
        await pilot.press("question_mark")
        await shown(pilot, "Keys of the runs screen")
        save(app, to / "help.svg")


async def draw_studies(lab: Lab, to: Path) -> None:
    """A study's table over its curves, and the values that were published for a grid, before any of it is trained."""
    async with opened(lab, WIDER) as (app, pilot):
        screen = app.open_study(STUDY)
        await shown(pilot, "20 of 20 done", "+ Mixup", "loss", "A base")
        screen.table.move_to(3)
        await shown(pilot, "mixup: demo-digits")
        save(app, to / "studies.svg")
        await pilot.press("escape")
        await pilot.resize_terminal(*LIST)
        screen = app.open_study(GRID)
        await shown(pilot, "252 missing")
        screen.action_go_to("heat map")
        await shown(pilot, "published values", "R50+L/32")
        await pilot.press(*"jjjjjj", *"lll")
        await shown(pilot, "B/16, no regularisation, medium1")
        save(app, to / "heat.svg")


async def shown(pilot: Pilot[None], *texts: str) -> None:
    """Wait until all `texts` are on the screen."""
    deadline = time.monotonic() + 30
    while True:
        await pilot.pause()
        screen = "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())
        if all(text in screen for text in texts):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{texts} not on the screen:\n{screen}")
        await asyncio.sleep(0.05)


def save(app: VituiApp, path: Path) -> None:
    path.write_text(app.export_screenshot(title="vitui"), encoding="utf-8")
    print(f"{path}: {path.stat().st_size // 1000} kB")


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the pictures of the README from real runs.")
    parser.add_argument("--to", type=Path, default=Path(__file__).parent / "img", help="where the pictures go")
    parser.add_argument("--home", type=Path, help="where the runs are kept (default: a directory that is removed)")
    parser.add_argument("--studies", action="store_true", help="only the pictures of studies")
    given = parser.parse_args()
    os.environ.pop("NO_COLOR", None)
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
    from vitui.lab import Lab

    given.to.mkdir(parents=True, exist_ok=True)
    kept: AbstractContextManager[object] = nullcontext(given.home)
    if given.home is None:
        kept = tempfile.TemporaryDirectory(prefix="vitui-pictures-", ignore_cleanup_errors=True)
    with kept as home:
        lab = Lab.open(Path(str(home)), create=True)
        try:
            if not given.studies:
                live = make_runs(lab)
                asyncio.run(draw(lab, live, given.to))
            make_study(lab)
            asyncio.run(draw_studies(lab, given.to))
        finally:
            stop_all(lab)


if __name__ == "__main__":
    main()
