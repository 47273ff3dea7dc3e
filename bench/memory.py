"""An hour's updates in a minute or two: does the app grow? ``uv run python bench/memory.py [--updates 3600]``

The real app (without a terminal, with its full compositor) on a real home with eight runs that train. Every update is
one event of each run, written to its journal, read into the database by the worker's own code, and drawn before the
next one comes. Printed are the resident memory of this process and the objects that Python knows of, after a tenth of
the updates and at the end: of the list, the Run and the Compare screen.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import homes
from bench.pane import SIZE, machine
from bench.trainer import write_event
from engine.journal import Journal, RunDir
from vitui.lab import Lab
from vitui.store import Store
from vitui.store import runs as rows
from vitui.store.ingest import ingest
from vitui.tui.app import VituiApp

RUNS = 8


class Training:
    """Eight live runs, one event further at each step."""

    def __init__(self, home: Path, updates: int) -> None:
        self.plan = {"events": updates, "steps": 10}
        self.store, self.dice, self.number = Store(home), random.Random(0), 0
        self.runs: list[RunDir] = homes.queue(home, RUNS, "cpu", **self.plan)
        self.journals = [Journal(run.journal, 1) for run in self.runs]
        for journal in self.journals:
            journal.event("started", argv=[], pid=1, host="bench", device="cpu", engine_version="0")
            journal.event("data", dataset="none", steps_per_epoch=10, total_steps=10 * updates, total_epochs=updates)
        with self.store.writing() as db:
            for run in self.runs:
                rows.transition(db, run.id, {"queued"}, "starting")
                rows.transition(db, run.id, {"starting"}, "running")

    def step(self) -> None:
        self.number += 1
        for run, journal in zip(self.runs, self.journals, strict=True):
            write_event(journal, self.number, self.plan, self.dice)
            with open(run.console, "a") as log:
                log.write(f"epoch {self.number} loss 0.1234 top1 91.2\n")
            ingest(self.store, run)


def held() -> tuple[float, int]:
    """Resident memory, MB, and the number of objects."""
    gc.collect()
    return psutil.Process().memory_info().rss / 1e6, len(gc.get_objects())


async def one_screen(what: str, updates: int) -> None:
    with tempfile.TemporaryDirectory(prefix="vitui-memory-") as name:
        home = Path(name)
        lab = Lab.open(home, create=True)
        training = Training(home, updates)
        app = VituiApp(lab, training.runs[0].id if what == "Run" else None)
        drawn = 0
        done = app.poller.drawn

        def count() -> None:
            nonlocal drawn
            drawn += 1
            done()

        app.poller.drawn = count  # type: ignore[method-assign]
        async with app.run_test(size=SIZE) as pilot:
            if what == "Compare":
                app.compare([run.id for run in training.runs])
            begun, spent = time.monotonic(), time.process_time()
            first = (0.0, 0)
            for number in range(updates):
                seen = drawn
                training.step()
                app.poller.wake()
                while drawn == seen:
                    if not app.is_running:
                        raise SystemExit(f"the app has ended: {app.crash!r}")
                    await asyncio.sleep(0.001)
                await pilot.pause(0)
                if number == updates // 10:
                    first = held()
            last = held()
            cpu = (time.process_time() - spent) / updates * 1e3
            print(f"{what:<8} {first[0]:7.1f} -> {last[0]:7.1f} MB, {first[1]:,} -> {last[1]:,} objects; "
                  f"{cpu:.1f} ms CPU an update, writing and reading the journals included "
                  f"({time.monotonic() - begun:.0f} s)", flush=True)  # fmt: skip
        training.store.close()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=3600)
    options = parser.parse_args()
    print(f"{machine()}; {RUNS} runs, {options.updates:,} updates each\n")
    for what in ("list", "Run", "Compare"):
        await one_screen(what, options.updates)


if __name__ == "__main__":
    asyncio.run(main())
