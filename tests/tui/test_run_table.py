"""The table of runs: columns, cursor, marks, groups, mouse; and what its reader gives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.style import Style
from textual.app import App, ComposeResult

from tests.tui.fake_lab import NOW, FakeLab, run
from vitui.query.columns import DEFAULT, layout
from vitui.query.fields import ANY
from vitui.query.groups import flat, grouped
from vitui.query.order import parse_order
from vitui.query.run_fields import RUN_FIELDS
from vitui.tui.theme import OKABE_ITO
from vitui.tui.views.runs import RunsReader, RunsView, RunsWatch
from vitui.tui.widgets.run_rows import Look, group_row, header, run_row
from vitui.tui.widgets.run_table import RunTable

HOSTILE = [
    "[/bold] [red]",
    "\x1b[31m\x1b[2J",
    "🦊 日本語 👩‍👩‍👧",
    "x" * 500,
    "\u202eesrever",
    "\ud800",
    "a\nb\rc",
    "é" * 80,
]
ROWS = [run(f"r{n}", name=f"run {n}", best=50.0 + n, preset=f"p{n % 2}", created=NOW - n) for n in range(40)]


def look(width: int, first: int = 0, palette: Any = OKABE_ITO) -> Look:
    return Look(palette, Style(), width, layout(DEFAULT, width, first, grouped=True), {}, NOW)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("width", [10, 79, 200])
def test_rows_are_as_wide_as_the_table_whatever_runs_are_called(name: str, width: int) -> None:
    bad = run("x", name=name, preset=name, model=name, dataset=name, placed=name, tags=(name,))
    group = grouped([bad, run("y", preset=name)], [RUN_FIELDS["preset"]])[0]
    strips = [
        run_row(bad, look(width), here=True, marked=True),
        group_row(group, look(width, 3, replace(OKABE_ITO, cursor_tones=False)), here=False, marked="+", open=True),
        header(look(width), parse_order("best,name"), "name", left=True, right=True),
    ]
    for strip in strips:
        assert strip.cell_length == width == cell_len(strip.text)
        assert strip.text.isprintable()


def test_a_group_line_says_name_states_and_means() -> None:
    group = grouped(ROWS[:4], [RUN_FIELDS["preset"]])[0]
    text = group_row(group, look(120), here=False, marked=" ", open=False).text
    assert "▸ p0" in text and "2✓" in text and "51.00±1.41" in text


def test_the_header_shows_order_rank_and_that_there_are_more_columns() -> None:
    text = header(look(100), parse_order("-best,epoch"), "", left=False, right=True).text
    assert "best▲" in text and "epoch▼2" in text and text.endswith("›")


class Stage(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.table = RunTable(OKABE_ITO)
        self.said: list[Any] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_run_table_resized(self, event: RunTable.Resized) -> None:
        self.said.append((event.key, event.width))
        self.table.set_columns(self.table.columns.resized(event.key, event.width))

    def on_run_table_header_clicked(self, event: RunTable.HeaderClicked) -> None:
        self.said.append(event.key)


@asynccontextmanager
async def stage() -> AsyncIterator[tuple[Stage, RunTable, Any]]:
    app = Stage()
    async with app.run_test(size=(80, 12)) as pilot:
        app.table.show(ROWS, NOW)
        await pilot.pause()
        yield app, app.table, pilot


async def test_the_column_cursor_scrolls_and_the_fixed_columns_stay() -> None:
    async with stage() as (_, table, pilot):
        table.sorted_by(parse_order("best"))
        table.move_column(1)
        assert table.column == "best", "it starts at what is sorted by"
        for _ in range(20):
            table.move_column(1)
        await pilot.pause()
        assert table.column == "id" and table.shown_columns[:2] == ["state", "name"] and "id" in table.shown_columns
        assert table.render_line(0).text.startswith("‹ ") and "r0" in table.render_line(1).text
        for _ in range(20):
            table.move_column(-1)
        assert table.column == "state" and table.shown_columns[2] == "epoch"
        table.set_columns(table.columns.chosen(["id", "best"]))
        assert table.column == "" and table.shown_columns == ["id", "best"]


async def test_dragging_the_edge_of_a_title_resizes_and_does_not_sort() -> None:
    async with stage() as (app, table, pilot):
        edge = 2 + 10  # marks, the width of "state"

        await pilot.mouse_down(RunTable, offset=(edge, 0))
        await pilot.hover(RunTable, offset=(edge + 5, 0))
        await pilot.mouse_up(RunTable, offset=(edge + 5, 0))
        assert app.said == [("state", 15)] and table.column_width("state") == 15
        assert app.mouse_captured is None
        await pilot.click(RunTable, offset=(30, 0))
        assert app.said[1:] == ["name"]


async def test_the_cursor_stays_on_its_run_when_the_order_changes_and_groups_close() -> None:
    async with stage() as (_, table, _):
        table.move_to(7)
        table.show(list(reversed(ROWS)), NOW)
        assert table.current is not None and table.current.id == "r7" and table.cursor == 32
        groups = grouped(ROWS, [RUN_FIELDS["preset"]], parse_order("best"))
        table.show(flat(groups), NOW)
        assert table.current is not None and table.current.id == "r7"
        closed = {g.id for g in groups}
        table.show(flat(groups, closed), NOW, closed=closed)
        assert table.current is None and table.current_row in groups


async def test_a_group_is_marked_with_all_its_runs() -> None:
    async with stage() as (_, table, _):
        table.show(flat(grouped(ROWS[:4], [RUN_FIELDS["preset"]])), NOW)
        table.move_to(0)
        table.toggle_mark()
        assert table.marked == {"r0", "r2"} and table.render_line(1).text[1] == "*"
        table.move_to(1)
        table.toggle_mark()
        assert table.marked == {"r2"} and table.render_line(1).text[1] == "+"
        table.set_marked(r.id for r in ROWS[:3])
        assert table.marked == {"r0", "r1", "r2"} and table.render_line(2).text[1] == "*"
        table.clear_marks()
        assert not table.marked and table.render_line(2).text[1] == " "


async def test_only_rows_that_changed_are_drawn_again() -> None:
    async with stage() as (_, table, pilot):
        table.set_columns(DEFAULT.chosen(["id", "best", "optim.lr"]))
        await pilot.pause()
        drawn: list[int] = []
        redraw = table._redraw
        table._redraw = lambda index: (drawn.append(index), redraw(index))  # type: ignore[method-assign,assign]
        changed = list(ROWS)
        changed[3] = changed[3]._replace(best=1.0)
        table.show(changed, NOW)
        assert drawn == [3]
        await pilot.pause()
        table.show(changed, NOW, {"optim.lr": {"r2": 0.5}})
        assert drawn == [3, 2]


# -- what the reader gives ---------------------------------------------------------------------------------------


def lab(tmp_path: Path) -> FakeLab:
    made = FakeLab(tmp_path, [run("b", state="running", journal_offset=1), run("a")])
    made.recipes = {"a": {"optim.lr": 0.1}, "b": {"optim.lr": 0.2}}
    return made


def test_values_come_with_the_runs_and_are_read_once_for_each_recipe(tmp_path: Path) -> None:
    fake = lab(tmp_path)
    reader, watch = RunsReader(fake), RunsWatch((ANY.get("optim.lr"),))  # type: ignore[arg-type]
    view = reader.read(NOW, watch)
    assert isinstance(view, RunsView) and view.values == {"optim.lr": {"a": 0.1, "b": 0.2}}
    again = reader.read(NOW, watch)
    assert again is not None and "optim.lr" in again.fields.names(), "the second look tells which fields there are"
    assert reader.read(NOW, watch) is None
    fake.change("b", journal_offset=2)
    assert reader.read(NOW, watch) is not None
    assert fake.calls_for_values == ["optim.lr"], "a recipe does not change"
    fewer = reader.read(NOW, RunsWatch())
    assert fewer is not None and not fewer.values


def test_metrics_are_read_again_with_the_journal_of_their_run_alone(tmp_path: Path) -> None:
    fake = lab(tmp_path)
    asked: list[Any] = []

    def values(field: Any, run_ids: Any = None, *, until: float | None = None) -> dict[str, Any]:
        asked.append(run_ids)
        return {"b": float(len(asked))}

    fake.values = values  # type: ignore[method-assign]
    reader, watch = RunsReader(fake), RunsWatch((ANY.get("train/loss"),))  # type: ignore[arg-type]
    reader.read(NOW, watch)
    for _ in range(8):
        fake.add(run(f"old{_}"))
    reader._whole_due = 0
    reader.read(NOW, watch)
    fake.change("b", journal_offset=2)
    reader._whole_due = 0
    view = reader.read(NOW, watch)
    assert view is not None and view.values["train/loss"] == {"b": 3.0} and asked[-1] == ["b"]


def test_slow_values_come_in_parts(tmp_path: Path) -> None:
    fake = FakeLab(tmp_path, [run(f"r{n}") for n in range(5)])
    fake.values = lambda field, run_ids, *, until: dict.fromkeys(run_ids[:2], 1.0)  # type: ignore[method-assign]
    reader, watch = RunsReader(fake), RunsWatch((RUN_FIELDS["smooth"],))  # type: ignore[arg-type]
    sizes = []
    while (view := reader.read(NOW, watch)) is not None:
        sizes.append((len(view.values["smooth"]), view.pending))
    assert sizes == [(2, True), (4, True), (5, False)]


def test_a_run_that_ended_and_was_deleted_goes(tmp_path: Path) -> None:
    fake = lab(tmp_path)
    reader = RunsReader(fake)  # type: ignore[arg-type]
    reader.read(NOW, RunsWatch())
    reader._whole_due = float("inf")
    del fake.rows["b"]
    fake.touch()
    view = reader.read(NOW, RunsWatch())
    assert view is not None and [r.id for r in view.rows] == ["a"]


async def test_it_closes_with_groups_shut() -> None:
    """Textual has attributes of its own; one of the same name here once kept the app from leaving."""
    async with stage() as (_, table, _):
        groups = grouped(ROWS, [RUN_FIELDS["preset"]])
        ids = {group.id for group in groups}
        table.show(flat(groups, ids), NOW, closed=ids)
        assert table._closed is False and table._closing is False
