"""The table and the heat map as widgets: what is in view, how it is coloured, what is drawn again."""

from __future__ import annotations

import numpy as np
import pytest
from rich.color import ColorType
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color

from tests.studies.making import made
from tests.tui.test_themes import OF_RGB, contrast, ink
from vitui.tui.screens import study_cells as told
from vitui.tui.series import XAxis, exact
from vitui.tui.theme import OKABE_ITO, Palette
from vitui.tui.themes import APPEARANCES
from vitui.tui.views.seeds import Kept, VariantRuns, panels
from vitui.tui.widgets.derived import Derived
from vitui.tui.widgets.heat_map import ground
from vitui.tui.widgets.listing import Row
from vitui.tui.widgets.look import Look, Panel, Trace
from vitui.tui.widgets.plot import paint
from vitui.tui.widgets.table import Column, Table
from vitui.tui.widgets.window import whole, window_of

COLUMNS = (Column("name", "name", 10, 20, False), *(Column(f"c{n}", f"c{n}", 8) for n in range(8)))


class Shown(App[None]):
    def compose(self) -> ComposeResult:
        yield Table(OKABE_ITO, lambda row, column, p: (f"{row.content}{column.key}", p.text), id="table")


@pytest.mark.parametrize("width", [1, 12, 40, 60, 200])
async def test_every_column_can_be_reached_and_no_room_is_left_empty(width: int) -> None:
    async with Shown().run_test(size=(width, 10)) as pilot:
        table = pilot.app.query_one(Table)
        table.show([Row(f"r{n}", n) for n in range(30)], COLUMNS)
        seen = set()
        for number in range(len(COLUMNS)):
            table.move_column_to(number)
            await pilot.pause()
            assert table.column is COLUMNS[number]
            if width > 24:
                assert COLUMNS[number].key in table.columns_shown and table.columns_shown[0] == "name"
            seen |= set(table.columns_shown)
            assert all(table.render_line(y).cell_length == width for y in range(10))
        assert width <= 24 or seen == {column.key for column in COLUMNS}
        if width == 40:
            assert table.columns_shown == ["name", "c6", "c7"], "the last ones fill the room"
            table.move_column_to(0)
            table.move_column_to(1)
            assert table.columns_shown == ["name", "c0", "c1"]


async def test_cursor_and_marks_stay_on_their_rows() -> None:
    async with Shown().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(Table)
        table.show([Row(f"r{n}", n) for n in range(30)], COLUMNS)
        table.move_to(12)
        table.mark({"r12", "r3"})
        table.show([Row(f"r{n}", n) for n in range(29, 5, -1)], COLUMNS)
        await pilot.pause()
        row = table.current
        assert row is not None and row.key == "r12" and table.marked == {"r12", "r3"}
        table.show([], COLUMNS, empty="nothing here")
        await pilot.pause()
        assert table.current is None and "nothing here" in table.render_line(1).text


@pytest.mark.parametrize("name", OF_RGB)
def test_the_grounds_of_the_heat_map_can_be_told_apart_and_read(name: str) -> None:
    one = APPEARANCES[name]
    under = Style(bgcolor=str(one.theme.background))
    styles = [ground(grade, one.palette, under) for grade in (-3, -2, -1, 1, 2, 3)]
    grounds = [Color.from_rich_color(style.bgcolor) for style in styles if style.bgcolor is not None]
    assert len({colour.rgb for colour in grounds}) == 6
    assert all(contrast(ink(one.palette.text), colour) >= 4.5 for colour in grounds)


@pytest.mark.parametrize("name", ["ansi-dark", "ansi-light", "mono"])
def test_without_true_colours_a_cell_has_no_ground(name: str) -> None:
    palette: Palette = APPEARANCES[name].palette
    for grade in (-3, 0, 3):
        style = ground(grade, palette, Style(bgcolor="default"))
        assert style.bgcolor is None and not (name == "mono" and style.color)
        assert style.color is None or style.color.type is not ColorType.TRUECOLOR


def test_only_better_than_noise_is_bold() -> None:
    report = made(
        {"base": [90.0, 90.2, 90.1], "a": [90.1, 90.0, 90.3], "b": [95.0, 95.3, 95.0], "c": [70.0, 70.1, 70.2]}
    )
    bold = {
        (row.variant.name, column.key)
        for row in report.rows
        for column in told.columns(report, wide=True)
        if told.draw(row, column.key, report, OKABE_ITO)[1].bold
    }
    assert bold == {("b", "value"), ("b", "difference"), ("b", "verdict")}
    assert [row.variant.name for row in told.ordered(report.rows, "value", better=1, reverse=False)] == [
        "b",
        "a",
        "base",
        "c",
    ]


@pytest.mark.parametrize(
    ("counts", "bar"),
    [
        ({"finished": 4}, "━" * 12),
        ({"finished": 999, "running": 1, "failed": 1, "missing": 1}, "━━━━━━━━━▶✗┄"),
        ({"queued": 3, "missing": 3}, "○○○○○○┄┄┄┄┄┄"),
        ({}, "┄" * 12),
    ],
)
def test_the_bar_of_states_shows_all_there_is(counts: dict[str, int], bar: str) -> None:
    assert "".join(text for text, _ in told.states_bar(counts, 12, OKABE_ITO)) == bar


def test_a_band_is_an_area_between_few_points() -> None:
    steps = np.array([0.0, 100.0, 200.0])
    mean = np.array([10.0, 50.0, 60.0])
    from vitui.tui.series import enveloped

    none = np.zeros(3)
    series = enveloped("top1", steps, none, mean - 8, mean + 8, mean, mean, mean, none + 1, none)

    def drawn(banded: bool) -> int:
        panel = Panel("top1", "top-1", (Trace(series, "a", banded=banded),))
        window = window_of(Look(), XAxis.STEP, whole([panel], XAxis.STEP, Derived()))
        picture = paint(panel, Look(), window, 60, 20)
        return int(np.isin(picture.chars, list(" │┤└─┴")).sum())

    assert drawn(False) - drawn(True) > 100, "cells are filled between the points"


def test_means_are_the_same_objects_while_their_curves_are() -> None:
    from tests.tui.fake_lab import run

    runs = tuple(run(f"r{n}", steps_per_epoch=10, batch_size=4, started=1.7e9) for n in range(2))
    curves = {one.id: {"minival/top1": exact("minival/top1", np.array([10.0, 20.0]), np.array([50.0, 60.0 + n]))}
              for n, one in enumerate(runs)}  # fmt: skip
    kept: Kept = {}
    first = panels([VariantRuns("a", "A", runs, 0)], curves, ["minival/top1"], kept)
    again = panels([VariantRuns("a", "A", runs, 0)], curves, ["minival/top1"], kept)
    assert first == again and first[0].traces[0].series is again[0].traces[0].series
    assert first[0].traces[0].series.mean.tolist() == [50.0, 60.5] and first[0].unit == "%"
    curves["r1"] = {"minival/top1": exact("minival/top1", np.array([10.0, 20.0]), np.array([50.0, 70.0]))}
    assert panels([VariantRuns("a", "A", runs, 0)], curves, ["minival/top1"], kept)[0].traces[0].series.mean[-1] == 65.0
