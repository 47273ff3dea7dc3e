"""Order by several fields."""

from __future__ import annotations

import math

import pytest

from tests.tui.fake_lab import NOW, run
from vitui.errors import UsageError
from vitui.query.fields import ANY
from vitui.query.order import arrange, parse_order, written
from vitui.query.run_fields import RUN_FIELDS

ROWS = [run("none"), run("low", best=1.0), run("high", best=9.0), run("nan", best=math.nan)]


def ids(rows: list, text: str, values: dict | None = None) -> list[str]:  # type: ignore[type-arg]
    return [r.id for r in arrange(rows, parse_order(text), values or {}, NOW)]


def test_unknown_values_come_last_either_way() -> None:
    assert ids(ROWS, "best") == ["high", "low", "none", "nan"]
    assert ids(ROWS, "-best") == ["low", "high", "none", "nan"]


@pytest.mark.parametrize("key", [*RUN_FIELDS, "optim.lr", "train/loss"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_sorting_by_any_field_keeps_every_run(key: str, sign: str) -> None:
    rows = [run("a", best=1.0, name="B"), run("b"), run("c", best=math.nan, state="running", tags=("x",)), run("d")]
    values = {"optim.lr": {"a": 0.1, "c": "auto"}, "train/loss": {"a": math.nan, "b": 1.0}}
    assert set(ids(rows, sign + key, values)) == {"a", "b", "c", "d"}


def test_several_keys_the_first_counting_most() -> None:
    rows = [run("a", best=1.0, seed=2), run("b", best=2.0, seed=1), run("c", best=1.0, seed=1), run("d", best=2.0)]
    assert ids(rows, "best,seed") == ["b", "d", "c", "a"]
    assert ids(rows, "best,-seed") == ["b", "d", "a", "c"]
    assert ids(rows, "seed") == ["b", "c", "a", "d"]


def test_recipe_fields_sort_as_numbers_and_texts_behind() -> None:
    rows = [run(name) for name in "abcd"]
    assert ids(rows, "data.img_size", {"data.img_size": {"a": "auto", "b": 224, "c": 32}}) == ["c", "b", "a", "d"]


def test_natural_directions() -> None:
    rows = [
        run("old", created=NOW - 99, state="finished", loss=0.1),
        run("new", created=NOW, state="running", loss=0.9),
    ]
    assert ids(rows, "age") == ["new", "old"] and ids(rows, "-age") == ["old", "new"]
    assert ids(rows, "state") == ["new", "old"] and ids(rows, "loss") == ["old", "new"]


def test_an_order_can_be_written_and_read_back() -> None:
    order = parse_order(" best, -lr,best ,smooth(val/top1)")
    assert written(order) == "best,-optim.lr,smooth(val/top1)" and parse_order(written(order)) == order
    assert parse_order("") == ()
    with pytest.raises(UsageError, match="did you mean best"):
        parse_order("bst", ANY)
