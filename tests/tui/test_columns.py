"""Which columns fit, what they show, how they are changed and kept."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.fake_lab import NOW, run
from vitui.errors import UsageError
from vitui.query.cells import cell, fit
from vitui.query.columns import (
    DEFAULT,
    FIXED,
    GAP,
    LEAST_WIDTH,
    MARK_WIDTH,
    MOST_COLUMNS,
    MOST_WIDTH,
    Columns,
    last_first,
    layout,
    scrolled_to,
)
from vitui.query.fields import ANY, NO_VALUES, Fields
from vitui.query.run_fields import RUN_FIELDS

EVERYTHING = Columns(()).chosen([*RUN_FIELDS, "optim.lr", "train/loss", "best(val/top1)"])


def keys(width: int, first: int = 0, columns: Columns = DEFAULT) -> list[str]:
    return [placed.column.key for placed in layout(columns, width, first)]


@pytest.mark.parametrize("width", [1, 20, 40, 60, 79, 80, 100, 120, 200, 400])
@pytest.mark.parametrize("first", [0, 3, 99])
@pytest.mark.parametrize("grouped", [False, True])
def test_columns_fill_the_width_and_no_more(width: int, first: int, grouped: bool) -> None:
    for columns in (DEFAULT, EVERYTHING):
        placed = layout(columns, width, first, grouped=grouped)
        last = placed[-1]
        assert last.x + last.width <= max(width, MARK_WIDTH + 1)
        assert all(b.x == a.x + a.width + GAP for a, b in pairwise(placed))


def test_the_important_columns_come_first_and_the_others_by_scrolling() -> None:
    assert keys(79) == ["state", "name", "epoch", "last", "best", "test", "ref", "eta"]
    assert keys(199) == DEFAULT.keys
    assert keys(79, 6)[: FIXED + 1] == ["state", "name", "preset"]
    end = last_first(DEFAULT, 79)
    assert keys(79, end)[-1] == "id" and keys(79, end - 1)[-1] != "id"
    assert last_first(DEFAULT, 300) == 0


def test_scrolling_to_a_column_moves_no_more_than_needed() -> None:
    assert scrolled_to(DEFAULT, "eta", 79, 0) == 0
    assert scrolled_to(DEFAULT, "name", 79, 4) == 4
    first = scrolled_to(DEFAULT, "preset", 79, 0)
    assert "preset" in keys(79, first) and "preset" not in keys(79, first - 1)
    assert scrolled_to(DEFAULT, "last", 79, 5) == 1


def test_widths_set_by_hand_are_kept_and_bounded() -> None:
    columns = DEFAULT.resized("name", 40).resized("best", -5).resized("epoch", 10_000)
    assert [columns.items[i].width for i in (1, 4, 2)] == [40, LEAST_WIDTH, MOST_WIDTH]
    assert {p.column.key: p.width for p in layout(columns, 79)}["name"] == 40
    assert columns.resized("name", None).items[1] == DEFAULT.items[1]


def test_columns_are_chosen() -> None:
    chosen = DEFAULT.resized("best", 12).chosen(["id", "acc1", "lr", "best"])
    assert chosen.keys == ["id", "best", "optim.lr"] and chosen.items[1].width == 12
    assert [f.key for f in chosen.outside] == ["optim.lr"]
    gone = Columns(()).chosen(["state", "best(val/top1)"])
    assert gone.chosen(["best(val/top1)", "id"], Fields({}, ())).keys == ["best(val/top1)", "id"]
    added = chosen.with_fields([ANY.get("optim.lr"), ANY.get("mix.mixup")])
    assert added.keys == ["id", "best", "optim.lr", "mix.mixup"]
    with pytest.raises(UsageError, match="no field nosuch"):
        DEFAULT.chosen(["nosuch"])


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) |
                    st.sampled_from(["best", "name", "optim.lr"]), lambda x: st.lists(x, max_size=4))  # fmt: skip


@given(JSON)
def test_what_is_kept_between_sessions_may_be_damaged(data: object) -> None:
    columns = Columns.from_json(data)
    assert 1 <= len(columns) <= MOST_COLUMNS and Columns.from_json(columns.as_json()) == columns


def test_what_is_kept_comes_back() -> None:
    columns = EVERYTHING.resized("name", 33)
    assert Columns.from_json(columns.as_json()) == columns


def test_cells_are_exactly_as_wide_as_their_column() -> None:
    strange = run("x", name="日本語 [/b]\x1b[31m" * 20, model="m" * 300, preset="\u202e", best=100.0, last=math.nan,
                  select_is_report=True, total_epochs=100_000, epoch=99_999.5, reference=97.125, images_per_s=1.5e6,
                  placed="GPU 11 NVIDIA H200 NVL", tags=("\ud800", "a\nb"), notes="\r" * 500, params=10**12,
                  report_best=-math.inf, started=0.0, ended=1e9, question="👩‍👩‍👧" * 30)  # fmt: skip
    values = {"optim.lr": {"x": "\x1b]0;x\x07"}, "train/loss": {"x": 1e300}, "best(val/top1)": {"x": math.nan}}
    for one in (strange, run("y")):
        for placed in layout(EVERYTHING, 2000):
            for width in (placed.width, 3):
                text = fit(cell(placed.column.field, one, values, NOW), width, placed.column.field.right)
                assert cell_len(text) == width, placed.column.key
                assert text.isprintable(), placed.column.key


def test_a_progress_too_wide_for_its_column_loses_the_decimal_not_the_total() -> None:
    def shown(epoch: float, total: int) -> str:
        return cell(RUN_FIELDS["epoch"], run("x", epoch=epoch, total_epochs=total), NO_VALUES, NOW)

    assert shown(843.3, 20_000) == "843/20000"
    assert shown(123.4, 300) == "123.4/300"


@pytest.mark.parametrize(
    ("key", "values", "text"),
    [
        ("best", {"best": 80.704, "select_is_report": True}, "80.70†"), ("best", {"best": 80.704}, "80.70"),
        ("last", {"last": math.nan}, "NaN"), ("state", {"state": "running", "stop_requested": 1.0}, "▶ stopping"),
        ("state", {"state": "queued", "held": True}, "… held"), ("epoch", {"epoch": 18.62, "total_epochs": 30}, "18.6/30"),
        ("device", {"placed": "GPU 0 NVIDIA H200"}, "GPU 0"), ("name", {"name": "n", "star": True}, "★ n"),
        ("gap", {"report_best": 96.5, "reference": 97.0}, "-0.50"), ("gap", {"reference": 97.0}, ""),
        ("tag", {"tags": ("a", "b")}, "a b"), ("params", {"params": 5_700_000}, "5.70M"),
        ("took", {"started": NOW - 3700, "ended": NOW}, "1h 01m"), ("archived", {}, "no"),
    ],
)  # fmt: skip
def test_what_cells_say(key: str, values: dict[str, object], text: str) -> None:
    assert cell(RUN_FIELDS[key], run("x", **values), NO_VALUES, NOW) == text


@pytest.mark.parametrize(("value", "text"), [(0.001, "0.001"), (3, "3"), (224.0, "224"), ("true", "true"),
                                             (None, ""), (0.1234567, "0.123457")])  # fmt: skip
def test_what_cells_of_recipe_fields_say(value: object, text: str) -> None:
    assert cell(ANY.get("optim.lr"), run("x"), {"optim.lr": {"x": value}}, NOW) == text


def test_a_wide_window_gives_names_room_before_it_shows_another_column() -> None:
    placed = {p.column.key: p.width for p in layout(DEFAULT, 135)}
    assert placed["name"] >= 24 and "preset" in placed
    assert {"test", "ref", "eta"} <= {p.column.key for p in layout(DEFAULT, 80)}, "a narrow one has its columns"
