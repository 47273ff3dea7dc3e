"""What the terminal app costs: charts, table, log, first frame. ``uv run python bench/tui.py``

Prints medians of processor time (user + system of this process, milliseconds), which other jobs on the machine
disturb less than wall time. No terminal is needed: the app draws into memory, with its full compositor.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from textual.app import App, ComposeResult

from tests.tui.fake_lab import NOW, FakeLab, run
from vitui.query.columns import DEFAULT
from vitui.query.complete import seen
from vitui.query.fields import ANY
from vitui.query.filters import parse
from vitui.query.groups import flat, grouped
from vitui.query.order import arrange, parse_order
from vitui.query.run_fields import RUN_FIELDS
from vitui.tui.app import VituiApp
from vitui.tui.series import Pace, Series, Span, XAxis, ema, exact
from vitui.tui.theme import OKABE_ITO
from vitui.tui.widgets.chart_grid import ChartGrid
from vitui.tui.widgets.derived import Derived
from vitui.tui.widgets.lines import Lines
from vitui.tui.widgets.look import Look, Panel, Trace
from vitui.tui.widgets.plot import Picture, paint
from vitui.tui.widgets.run_table import RunTable
from vitui.tui.widgets.window import whole, window_of

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
    return exact(str(seed), steps, np.exp(-steps / points * 3) + rng.normal(0, 0.1, points), 1.0 + steps)


class Stage(App[None]):
    """One widget, all of the screen."""

    def __init__(self, widget: Any) -> None:
        super().__init__()
        self.widget = widget

    def compose(self) -> ComposeResult:
        yield self.widget


PACE = Pace(steps_per_epoch=400, images_per_step=64, started=1.0)


def panel(points: int, count: int, *, smooth: bool = False, key: str = "loss") -> Panel:
    return Panel(key, key, tuple(Trace(series(points, n), f"s{n}", smooth, PACE, n) for n in range(count)))


def draw(panel: Panel, look: Look, start: float, derived: Derived, width: int = 200, height: int = 49) -> Picture:
    """One picture of a window that begins at `start`."""
    window = window_of(look, look.x, whole([panel], look.x, derived))
    return paint(panel, look, replace(window, x0=window.x0 + start), width, height, derived)


async def charts() -> None:
    print("\nchart, 200x50 cells: reduce, raster, axes (pure), and in a running app with the compositor")
    turn, plain = itertools.count(1), Look(smoothing=0.0)
    for points, count in ((1_000, 1), (10_000, 8), (100_000, 1), (100_000, 8), (1_000_000, 1), (1_000_000, 8)):
        one, known = panel(points, count), Derived()
        measure(f"  paint, {points:,} points x {count}", lambda p=one, k=known: draw(p, plain, next(turn) / 8, k))
        grid = ChartGrid(OKABE_ITO)
        async with Stage(grid).run_test(size=(200, 50)) as pilot:
            grid.show([one])

            def redraw(number: int, g: ChartGrid = grid) -> None:
                g.set_look(replace(plain, span=Span(plain.x, float(number), None)))

            await measure_drawn(f"  in the app, {points:,} points x {count}", pilot, redraw)
    long, known = panel(1_000_000, 8, smooth=True), Derived()
    looks = {
        "bands and averages": Look(), "and logarithmic values": Look(log_y=frozenset({"loss"})),
        "and clipped": Look(log_y=frozenset({"loss"}), clip=True), "by the clock": Look(XAxis.WALL),
    }  # fmt: skip
    for what, look in looks.items():
        measure(f"  paint, 1,000,000 points x 8, {what}", lambda lk=look: draw(long, lk, next(turn) / 8, known))
    dense = long.traces[0].series
    measure("  moving average of 1,000,000 points", lambda: ema(dense.mean, dense.count, 0.9))


async def grids() -> None:
    print("\ngrid of nine charts, 4,000 points x 3 each, 160x45 cells, with the compositor")
    grid = ChartGrid(OKABE_ITO)
    panels = [panel(4000, 3, smooth=True, key=f"chart {n}") for n in range(9)]
    async with Stage(grid).run_test(size=(160, 45)) as pilot:
        grid.show(panels)
        await pilot.pause()
        await measure_drawn("  shown again, nothing new", pilot, lambda n: grid.show(list(panels)))
        newer = [replace(panels[0], traces=panel(4000, 3, smooth=True).traces) for _ in range(REPEATS + 1)]
        await measure_drawn("  one chart has new points", pilot, lambda n: grid.show([newer[n], *panels[1:]]))
        await measure_drawn("  zoom", pilot, lambda n: grid.set_look(Look(span=Span(XAxis.STEP, n * 9.0, None))))
        grid.put_cursor(2000)
        await measure_drawn("  crosshair moves by ten dots", pilot, lambda n: grid.move_cursor(10))
        await measure_drawn("  the next one is selected", pilot, lambda n: grid.select(1))


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
        values = {"optim.lr": {r.id: 1e-3 * (n % 7) for n, r in enumerate(rows)}}
        for order in ("best", "preset,-best,optim.lr"):
            by = parse_order(order)
            measure(f"  {count:,} rows: sort by {order}", lambda r=rows, o=by, v=values: arrange(r, o, v, NOW))
        for text in ("preset~preset-7 best>80 run", "acc1>80 and (model~vit or tag:x) and lr<3e-3 and age<30d"):
            wanted = parse(text)
            measure(f"  {count:,} rows: filter {text}", lambda r=rows, w=wanted, v=values: w.select(r, v, NOW))
        by, fields, lr = parse_order("best"), [RUN_FIELDS["preset"]], ANY.get("lr")
        measure(
            f"  {count:,} rows: group by preset, sort by mean best",
            lambda r=rows, f=fields, b=by, v=values: flat(grouped(r, f, b, v, NOW)),
        )
        measure(f"  {count:,} rows: values to complete with", lambda r=rows: seen(r))
        table = RunTable(OKABE_ITO)
        async with Stage(table).run_test(size=(160, 45)) as pilot:
            table.set_columns(DEFAULT.with_fields([lr]), grouped=True)
            groups = grouped(rows, fields, by, values, NOW)
            closed = {group.id for group in groups}

            def show_groups(
                number: int, t: RunTable = table, g: Any = groups, c: Any = closed, v: Any = values
            ) -> None:
                hidden = c if number % 2 else set()
                t.show(flat(g, hidden), NOW, v, hidden)

            await measure_drawn(f"  {count:,} rows: open and close all groups", pilot, show_groups)


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
    await grids()
    await tables()
    await logs()
    await whole_app()


if __name__ == "__main__":
    asyncio.run(main())
