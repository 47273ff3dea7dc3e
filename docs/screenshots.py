"""The pictures of the README: real runs of the real trainer in a lab of their own, drawn by the app itself.

    uv run python docs/screenshots.py [--to docs/img]

Trains eight short runs on the CPU (about five minutes on two cores) in a temporary home, which is removed afterwards,
and writes ``runs.svg`` and ``run.svg``. Nothing in them is made up: every number was measured while it ran.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from vitui.lab import Lab

PRESET = "demo-digits"
RUNS_SIZE, RUN_SIZE = (120, 20), (120, 30)
PATIENCE = 1200.0
"""Seconds after which something must be wrong."""


@dataclass(frozen=True)
class Plan:
    """A run to make."""

    name: str
    toggles: Sequence[str] = ()
    sets: Sequence[str] = ()
    tags: Sequence[str] = ()
    end: str = "finished"


SGD = ("optim.name=sgd", "train.precision=fp32")
ENDED = (
    Plan("baseline", tags=["ablation"]),
    Plan("no warm-up", toggles=["no-warmup"], tags=["ablation"]),
    Plan("mixup", toggles=["mixup"], tags=["ablation"]),
    Plan("average of weights", toggles=["ema"], tags=["ablation"]),
    Plan("SGD, lr rising to 1", sets=[*SGD, "optim.lr=1", "schedule.warmup_epochs=39"], end="diverged"),
)
STOPPED = Plan("200 epochs", sets=["train.epochs=200"])
LIVE = Plan("seed 1", sets=["train.seed=1"], tags=["ablation"])
WAITING = Plan("drop path", toggles=["drop-path"], tags=["ablation"])


def launch(lab: Lab, plan: Plan) -> str:
    return lab.launch(lab.compose(PRESET, plan.toggles, plan.sets), name=plan.name, tags=plan.tags)


def wait(lab: Lab, what: str, condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds. Raises TimeoutError."""
    print(f"waiting: {what}", flush=True)
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {PATIENCE:g} s; the lab is {lab.home}")
        time.sleep(0.1)


def make_runs(lab: Lab) -> str:
    """Train, up to a lab with runs of every kind; the id of the one that trains."""
    from vitui.store.runs import ENDED as OVER

    for plan in ENDED:
        run = launch(lab, plan)
        wait(lab, plan.name, lambda run=run: lab.run(run).state in OVER)  # type: ignore[misc]
        if (found := lab.run(run)).state != plan.end:
            raise SystemExit(f"{plan.name} is {found.state}, not {plan.end}: {found.evidence}")
    run = launch(lab, STOPPED)
    wait(lab, STOPPED.name, lambda: (lab.run(run).epoch or 0) > 15)
    lab.stop(run)
    wait(lab, f"{STOPPED.name} to stop", lambda: lab.run(run).state in OVER)
    live = launch(lab, LIVE)
    launch(lab, WAITING)
    wait(lab, f"{LIVE.name} to be half-way", lambda: (lab.run(live).epoch or 0) > 22)
    return live


async def draw(lab: Lab, live: str, to: Path) -> None:
    """Write the pictures while `live` trains."""
    from vitui.tui.app import VituiApp

    app = VituiApp(lab)
    async with app.run_test(size=RUNS_SIZE) as pilot:
        await shown(pilot, "in all")
        ids = [run.id for run in app.runs_screen.table.rows]
        app.runs_screen.table.move_to(next(i for i, run in enumerate(ids) if lab.run(run).state == "diverged"))
        await shown(pilot, "not finite")
        save(app.export_screenshot(title="vitui"), to / "runs.svg")
        await pilot.resize_terminal(*RUN_SIZE)
        app.runs_screen.table.move_to(ids.index(live))
        await pilot.press("enter")
        await shown(pilot, "accuracy", "img/s")
        save(app.export_screenshot(title="vitui"), to / "run.svg")
    if lab.run(live).state != "running":
        raise SystemExit("the run had ended before it was drawn; try again on a less busy machine")


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


def save(svg: str, path: Path) -> None:
    path.write_text(svg, encoding="utf-8")
    print(f"{path}: {len(svg.encode()) // 1000} kB")


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the pictures of the README from real runs.")
    parser.add_argument("--to", type=Path, default=Path(__file__).parent / "img", help="where the pictures go")
    to = parser.parse_args().to
    os.environ.pop("NO_COLOR", None)
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
    from vitui.lab import Lab

    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="vitui-pictures-", ignore_cleanup_errors=True) as home:
        lab = Lab.open(Path(home), create=True)
        try:
            live = make_runs(lab)
            asyncio.run(draw(lab, live, to))
        finally:
            for run in lab.runs(states={"queued", "starting", "running"}):
                lab.stop(run.id)
            wait(lab, "everything to stop", lambda: not lab.queue().worker_alive)


if __name__ == "__main__":
    main()
