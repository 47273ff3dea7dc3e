"""What the terminal app costs: charts, table, log, first frame. ``uv run python bench/tui.py``

Prints medians of processor time (user + system of this process, milliseconds), which other jobs on the machine
disturb less than wall time. No terminal is needed: the app draws into memory, with its full compositor.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from textual.app import App, ComposeResult

from tests.tui.fake_lab import NOW, FakeLab, run
from vitui.tui.app import VituiApp
from vitui.tui.columns import arrange
from vitui.tui.filters import parse
from vitui.tui.series import Series, ema, exact
from vitui.tui.theme import OKABE_ITO
from vitui.tui.widgets.chart import Chart
from vitui.tui.widgets.lines import Lines
from vitui.tui.widgets.plot import Trace, View, paint
from vitui.tui.widgets.run_table import RunTable

REPEATS = 9


def report(what: str, milliseconds: list[float]) -> None:
    print(f"{what:<64} {statistics.median(milliseconds):9.2f} ms   (min {min(milliseconds):.2f})")


def measure(what: str, work: Callable[[], Any], repeats: int = REPEATS) -> None:
    work()
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append((time.process_time() - start) * 1e3)
    report(what, taken)


async def measure_drawn(what: str, pilot: Any, work: Callable[[int], Awaitable[None] | None]) -> None:
    """As `measure`, up to the frame being composed."""
    taken = []
    for number in range(REPEATS + 1):
        start = time.process_time()
        result = work(number)
        if result is not None:
            await result
        await pilot.pause()
        taken.append((time.process_time() - start) * 1e3)
    report(what, taken[1:])


def series(points: int, seed: int) -> Series:
    rng = np.random.default_rng(seed)
    steps = np.arange(1.0, points + 1)
    return exact(str(seed), steps, np.exp(-steps / points * 3) + rng.normal(0, 0.1, points))


class Stage(App[None]):
    """One widget, all of the screen."""

    def __init__(self, widget: Any) -> None:
        super().__init__()
        self.widget = widget

    def compose(self) -> ComposeResult:
        yield self.widget


async def charts() -> None:
    print("\nchart, 200x50 cells: reduce, raster, axes (pure), and in a running app with the compositor")
    for points, count in ((1_000, 1), (10_000, 8), (100_000, 1), (100_000, 8), (1_000_000, 1), (1_000_000, 8)):
        traces = [Trace(series(points, n), f"s{n}") for n in range(count)]
        measure(f"  paint, {points:,} points x {count}", lambda t=traces: paint(t, [], View(), 200, 49))
        chart = Chart("loss", OKABE_ITO)
        async with Stage(chart).run_test(size=(200, 50)) as pilot:

            def redraw(number: int, c: Chart = chart, t: list[Trace] = traces) -> None:
                c.show(t, [], View(window=(float(number), None)))

            await measure_drawn(f"  in the app, {points:,} points x {count}", pilot, redraw)
    dense = Trace(series(100_000, 0), "train", smooth=True)
    measure("  moving average of 100,000 points", lambda: ema(dense.series.mean, dense.series.count, 0.9))
    view = View(smoothing=0.9)
    measure("  paint with band and average, 100,000 points x 1", lambda: paint([dense], [], view, 200, 49))


def many(count: int) -> list[Any]:
    rng = np.random.default_rng(0)
    return [
        run(f"26{n:06d}-abcd", name=f"run {n}", preset=f"preset-{n % 40}", model="vit_tiny_patch16_224",
            dataset="cifar100", state="finished" if n > 8 else "running", best=float(rng.normal(80, 5)), last=79.0,
            report_best=79.0, epoch=300.0, total_epochs=300, created=NOW - n * 60.0, images_per_s=1234.5, placed="cpu")
        for n in range(count)
    ]  # fmt: skip


async def tables() -> None:
    print("\ntable, 160x45 cells, 15 columns")
    for count in (1_000, 10_000, 50_000):
        rows = many(count)
        table = RunTable(OKABE_ITO)
        async with Stage(table).run_test(size=(160, 45)) as pilot:
            await measure_drawn(f"  {count:,} rows: show all", pilot, lambda n, r=rows, t=table: t.show(r[n:], NOW))
            await measure_drawn(f"  {count:,} rows: cursor down", pilot, lambda n, t=table: t.move_to(n % 2))
            await measure_drawn(f"  {count:,} rows: page down", pilot, lambda n, t=table: t.move_by(44))
            table.move_to(0)
            await pilot.pause()

            def change_one(number: int, t: RunTable = table) -> None:
                changed = list(t.rows)
                changed[3] = changed[3]._replace(epoch=float(number))
                t.show(changed, NOW)

            await measure_drawn(f"  {count:,} rows: one row changes", pilot, change_one)
        measure(f"  {count:,} rows: sort by best", lambda r=rows: arrange(r, "best", False))
        wanted = parse("preset~preset-7 best>80 run")
        measure(f"  {count:,} rows: filter of three terms", lambda r=rows, w=wanted: [x for x in r if w.matches(x)])


async def logs() -> None:
    print("\nlog, 160x45 cells")
    log = Lines(follow=True)
    lines = tuple(f"epoch {n} loss 0.1234 top1 91.2 lr 1e-3 img/s 734" for n in range(5000))
    async with Stage(log).run_test(size=(160, 45)) as pilot:
        await measure_drawn("  5,000 lines, one more each time", pilot, lambda n: log.show((*lines[n:], f"new {n}")))
        await measure_drawn("  page up", pilot, lambda n: log.scroll_by(-44 if n % 2 else 44))


async def whole_app() -> None:
    print("\nthe app")
    code = "import time; a = time.process_time(); import vitui.tui.app; print((time.process_time() - a) * 1e3)"
    spent = [float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
             for _ in range(5)]  # fmt: skip
    report("  import", spent)
    with tempfile.TemporaryDirectory() as home:
        lab = FakeLab(Path(home), many(10_000))
        taken = []
        for _ in range(5):
            app = VituiApp(lab, clock=lambda: NOW)  # type: ignore[arg-type]
            start = time.process_time()
            async with app.run_test(size=(160, 45)) as pilot:
                while not app.runs_screen.table.rows:
                    await pilot.pause()
                await pilot.pause()
                taken.append((time.process_time() - start) * 1e3)
        report("  first frame with 10,000 runs (after import; rows from memory)", taken)
        app = VituiApp(lab, clock=time.time)  # type: ignore[arg-type]
        async with app.run_test(size=(160, 45)):
            await asyncio.sleep(2)
            start, began = time.process_time(), time.monotonic()
            await asyncio.sleep(10)
            used = (time.process_time() - start) / (time.monotonic() - began) * 100
            print(f"  idle, nothing changes: {used:.2f} % of one core")
            start, began = time.process_time(), time.monotonic()
            for step in range(20):
                for number in range(8):
                    lab.change(f"26{number:06d}-abcd", step=step, epoch=step / 10)
                await asyncio.sleep(0.5)
            used = (time.process_time() - start) / (time.monotonic() - began) * 100
            print(f"  10,000 runs, 8 of them changing twice a second: {used:.2f} % of one core")


async def main() -> None:
    await charts()
    await tables()
    await logs()
    await whole_app()


if __name__ == "__main__":
    asyncio.run(main())
