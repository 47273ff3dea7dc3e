"""The charts of a screen in an app of their own: keys' methods, mouse, crosshair, and how little is drawn again."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from vitui.tui.series import Pace, Span, XAxis, exact
from vitui.tui.theme import OKABE_ITO
from vitui.tui.widgets.chart import Chart
from vitui.tui.widgets.chart_grid import ChartGrid
from vitui.tui.widgets.look import Look, Mark, Panel, Trace

RUN = Pace(steps_per_epoch=100, images_per_step=64, started=1000)
NAMES = ("loss", "top1", "lr", "grad", "memory")


def trace(values: Sequence[float], key: str, every: float = 1, ink: int = 0, smooth: bool = False) -> Trace:
    steps = np.arange(1.0, len(values) + 1) * every
    return Trace(exact(key, steps, np.array(values, dtype=float), 1000 + steps), key, smooth, RUN, ink)


LINE = np.linspace(3.0, 1.0, 1000)


def panel(name: str, values: Sequence[float] = LINE.tolist()) -> Panel:
    return Panel(name, name, (trace(values, "train", smooth=True), trace([1, 2, 3], "val", 300, 1)),
                 marks=(Mark(500, 1500, "best", "top1 81", RUN),))  # fmt: skip


class Stage(App[None]):
    def __init__(self, widget: Any) -> None:
        super().__init__()
        self.widget = widget
        self.told: list[Look] = []

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_chart_grid_changed(self, message: ChartGrid.Changed) -> None:
        self.told.append(message.look)


@asynccontextmanager
async def staged(
    size: tuple[int, int] = (80, 16), palette: Any = OKABE_ITO
) -> AsyncIterator[tuple[ChartGrid, Stage, Pilot[None]]]:
    grid = ChartGrid(palette)
    app = Stage(grid)
    async with app.run_test(size=size) as pilot:
        grid.show([panel(name) for name in NAMES])
        await pilot.pause()
        yield grid, app, pilot


def text(grid: ChartGrid) -> str:
    return "\n".join(grid.text_lines())


async def test_the_selected_chart_is_always_in_view() -> None:
    async with staged() as (grid, app, pilot):
        assert grid.shown == ["loss", "top1"] and "1 of 5" in text(grid)
        grid.select(-1)
        assert grid.shown == ["grad", "memory"] and "5 of 5" in text(grid)
        grid.toggle_single()
        assert grid.shown == ["memory"]
        grid.select(1)
        assert grid.shown == ["loss"] and "▸loss" in text(grid)
        await pilot.pause()
        assert [look.front for look in app.told] == ["memory", "memory", "loss"]
        await pilot.resize_terminal(200, 60)
        grid.toggle_single()
        assert grid.shown == list(NAMES)
        for width, height in ((1, 1), (3, 2), (24, 5), (60, 15)):
            await pilot.resize_terminal(width, height)
            assert [len(line) for line in grid.text_lines()] == [width] * height


async def test_zooming_panning_and_taking_it_back() -> None:
    async with staged() as (grid, _, _pilot):
        grid.zoom_x(0.5)
        assert grid.look.span == Span(XAxis.STEP, 500, None)
        grid.pan_x(-0.5)
        assert grid.look.span == Span(XAxis.STEP, 250, 750)
        grid.next_axis()
        assert grid.look.span == Span(XAxis.EPOCH, 2.5, 7.5)  # the same part of the run
        before = grid.plot
        grid.zoom_y(0.5)
        plot = grid.plot
        assert before is not None and plot is not None
        assert plot.y1 - plot.y0 == pytest.approx((before.y1 - before.y0) / 2)
        grid.pan_y(0.5)
        assert grid.plot is not None and grid.plot.y0 == pytest.approx((plot.y0 + plot.y1) / 2)
        assert grid.look.ranges.keys() == {"loss"} and grid.zoomed
        grid.reset()
        assert not grid.zoomed and grid.look.x is XAxis.EPOCH
        grid.toggle_log_y()
        grid.select(1)
        grid.toggle_log_y()
        grid.toggle_log_y()
        assert grid.look.log_y == {"loss"}
        grid.set_range("top1", None, 2.0)
        grid.toggle_clip()
        assert "y :2.000" in text(grid) and "clipped 1-99%" in text(grid)


async def test_the_crosshair_reads_every_chart() -> None:
    async with staged((120, 32)) as (grid, app, pilot):
        grid.toggle_cursor()
        assert grid.look.cursor == 1000
        grid.put_cursor(500)
        said = ["".join(part for part, _ in line) for line in grid.readout()]
        assert said[0].startswith("step 500  epoch 5  32.0k images  after 8m 20s  at 00:25:00  ◆ best top1 81")
        assert said[1].startswith("A train  2.001  smoothed 2.0") and said[1].endswith("step 500")
        assert said[2] == "B val  2.000  step 600"
        assert said[3] == "top1  A 2.001  B 2.000"
        assert "A train  2.001" in text(grid) and "┼" not in text(grid)  # the mark keeps its place
        grid.put_cursor(700)
        assert text(grid).count("┼") == len(NAMES)
        grid.put_cursor(500)
        grid.move_cursor(-10)
        columns = grid.plot_of("loss").columns * 2  # type: ignore[union-attr]
        assert grid.look.cursor == pytest.approx(500 - 10 * 1000 / (columns - 1), abs=1000 / columns)
        grid.move_cursor(-10_000)
        assert grid.look.cursor == 0
        await pilot.pause()
        assert [look.cursor for look in app.told] == [1000]  # moving alone is not told
        grid.zoom_x(0.25)
        assert grid.look.span == Span(XAxis.STEP, 0, 250)  # about the crosshair
        for _ in range(20):
            grid.move_cursor(10)
        assert grid.look.span is not None and grid.look.span.low > 0  # the window goes along
        grid.toggle_cursor()
        assert grid.readout() == [] and "┼" not in text(grid)


async def test_a_value_that_is_not_finite_is_read_as_such() -> None:
    async with staged() as (grid, _, _pilot):
        values = LINE.copy()
        values[499] = np.nan
        grid.show([panel("loss", values.tolist())])
        grid.put_cursor(500)
        assert "× not finite" in text(grid) and "× 1 not finite" in text(grid)


async def test_only_what_changed_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged((120, 32)) as (grid, _, _pilot):
        drawn: list[Region] = []
        monkeypatch.setattr(grid, "refresh", lambda *regions, **_: drawn.extend(regions or [grid.size.region]))
        same = grid.panels
        grid.show(list(same))
        grid.set_look(grid.look)
        assert drawn == []
        grid.show([replace(same[0], traces=(same[0].traces[0],)), *same[1:]])
        tile = grid.tile_at(0, 0)
        assert (
            tile is not None
            and drawn
            and all(tile.holds(r.x, r.y) and tile.holds(r.right - 1, r.bottom - 1) for r in drawn)
        )
        grid.show(same)
        grid.put_cursor(500)
        drawn.clear()
        grid.move_cursor(4)
        charts = [region for region in drawn if region.y < 32 - len(grid.readout())]
        assert charts and {region.width for region in charts} == {1}  # columns of one cell, and the readout below
        drawn.clear()
        longer = [*LINE.tolist(), *[1.0] * 10]
        grid.show([panel("loss", longer), *same[1:]])
        assert sum(region.area for region in drawn) < 120 * 32  # rows that stay are left alone


async def test_the_mouse() -> None:
    async with staged() as (grid, app, pilot):
        await pilot.hover(grid, offset=(60, 5))

        def wheel(
            kind: type[events.MouseScrollUp] | type[events.MouseScrollDown], x: int, y: int, shift: bool = False
        ) -> None:
            handler = grid.on_mouse_scroll_up if kind is events.MouseScrollUp else grid.on_mouse_scroll_down
            handler(kind(grid, x, y, 0, 0, 0, shift, False, False))  # type: ignore[arg-type]

        wheel(events.MouseScrollUp, 8, 5)
        assert grid.look.span is not None and grid.look.span.low < 30 and grid.look.span.high is not None
        wheel(events.MouseScrollDown, 8, 5)
        assert grid.look.span is None
        wheel(events.MouseScrollUp, 60, 5, shift=True)
        assert grid.look.front == "top1" and "top1" in grid.look.ranges
        grid.zoom_x(0.5)
        await pilot.mouse_down(grid, offset=(60, 5))
        await pilot.hover(grid, offset=(70, 5))
        await pilot.mouse_up(grid, offset=(70, 5))
        span = grid.look.span
        assert span is not None and span.low < 500 and span.high is not None
        await pilot.click(grid, offset=(10, 5))
        assert grid.look.front == "loss" and grid.look.span == span
        await pilot.click(grid, offset=(10, 5), times=2)
        assert not grid.zoomed
        grid.put_cursor(1)
        await pilot.hover(grid, offset=(30, 5))
        assert grid.look.cursor is not None and 500 < grid.look.cursor < 1000
        assert app.told


async def test_ascii_charts_are_ascii() -> None:
    palette = SimpleNamespace(
        **{f: getattr(OKABE_ITO, f) for f in OKABE_ITO.__dataclass_fields__} | {"glyphs": "ascii"}
    )
    async with staged(palette=palette) as (grid, _, _pilot):
        grid.put_cursor(500)
        assert text(grid).isascii() and "#" in text(grid)
        grid.restyle(OKABE_ITO)
        assert not text(grid).isascii()


async def test_one_chart_alone_and_nothing_to_show() -> None:
    chart = Chart(OKABE_ITO, empty="nothing yet")
    async with Stage(chart).run_test(size=(60, 10)) as pilot:
        assert "nothing yet" in "\n".join(chart.text_lines())
        chart.show(panel("lr"), Look(XAxis.EPOCH))
        await pilot.pause()
        lines = chart.text_lines()
        assert lines[0].startswith(" lr  A train") and lines[-1].startswith("epoch")
    async with staged() as (grid, _, _pilot):
        grid.show([])
        assert "no points yet" in text(grid)
        for method in (grid.toggle_cursor, grid.next_axis, grid.toggle_log_y, grid.reset, grid.toggle_single):
            method()
        grid.zoom_x(0.5), grid.zoom_y(0.5), grid.pan_x(1), grid.pan_y(1), grid.select(1), grid.move_cursor(1)
        assert grid.readout() == []


def awkward(r: random.Random) -> list[Panel]:
    """Charts of whatever a damaged run may hold."""
    found = []
    for key in "abcde"[: r.choice([0, 1, 5])]:
        traces = []
        for ink in range(r.choice([0, 1, 3])):
            n, strange = r.choice([0, 1, 2, 200]), [0, -1, np.nan, np.inf, 1e300, -1e300, 1e-300, r.random()]
            values = np.array([r.choice(strange) for _ in range(n)], dtype=float)
            at = np.array([r.choice([0, 1e9 + i, 1e300, np.nan, -5]) for i in range(n)], dtype=float)
            pace = Pace(r.choice([0, 7]), r.choice([0, 64]), r.choice([0, 1e9, 2e9]))
            steps = np.arange(n) * r.choice([1.0, 1e6])
            traces.append(Trace(exact(key, steps, values, at), "l", r.random() < 0.5, pace, ink))
        mark = Mark(r.choice([0, 1e9]), r.choice([0, 1e9]), "diverged", pace=RUN)
        found.append(Panel(key, key, tuple(traces), marks=(mark,), log=r.random() < 0.3))
    return found


async def test_no_sequence_of_keys_and_data_breaks_it() -> None:
    async with staged() as (grid, _, pilot):
        for seed in range(30):
            r = random.Random(seed)
            grid.set_look(Look())
            if seed % 6 == 0:
                await pilot.resize_terminal(r.choice([1, 10, 80, 160]), r.choice([1, 4, 24, 50]))
            todo: list[Callable[[], object]] = [
                lambda r=r: grid.show(awkward(r)), lambda r=r: grid.zoom_x(r.choice([0.1, 2]), r.choice([None, 5.0])),
                lambda r=r: grid.zoom_y(r.choice([0.5, 1e-9, 2])), lambda r=r: grid.pan_x(r.choice([-1, 0.25])),
                lambda: grid.pan_y(1), lambda r=r: grid.move_cursor(r.choice([-10, 3])), grid.toggle_cursor, grid.next_axis,
                grid.toggle_log_x, grid.toggle_log_y, grid.toggle_single, grid.toggle_clip, lambda: grid.select(1),
                lambda r=r: grid.set_range("a", r.choice([None, -1.0, 1e90]), r.choice([None, 2.0])), grid.reset,
                lambda r=r: grid.put_cursor(r.choice([0, -5, 1e9, 3.0])),
            ]  # fmt: skip
            for _ in range(20):
                r.choice(todo)()
                assert [len(line) for line in grid.text_lines()] == [grid.size.width] * grid.size.height


async def test_other_panels_while_it_is_hidden() -> None:
    """Metrics come and go while the table is in front: what was arranged before must not be drawn of them."""
    async with staged() as (grid, _, pilot):
        grid.show([panel(name) for name in NAMES])
        await pilot.pause()
        grid.display = False
        await pilot.pause()
        assert grid.size == (0, 0)
        grid.show([panel("other")])
        assert all(not line.strip() for line in grid.text_lines())
        grid.display = True
        await pilot.pause()
        assert grid.shown == ["other"] and "other" in "\n".join(grid.text_lines())
