"""Values of many runs from a real database."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitui.query.fields import ANY
from vitui.query.run_fields import RUN_FIELDS
from vitui.query.values import SMOOTHING, known_fields, read_values, smoothed_best
from vitui.store import Store, runs
from vitui.store import values as stored
from vitui.store.series import Series


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    made.open()
    with made.writing() as db:
        for number, (name, lr) in enumerate((("a", 0.1), ("b", 0.1), ("c", 0.2))):
            config = {"optim.lr": lr, "train.seed": number, "model.pretrained": True, "optim.betas": [0.9, 0.99],
                      "data.minival": None, "model.name": "m"}  # fmt: skip
            if name == "c":
                config["model.options.depth"] = 4
            runs.insert(db, runs.new_run(name, {"name": f"run {name}"}, config))
            db.execute("UPDATE runs SET selected_on = 'val', metric = 'top1' WHERE id = ?", (name,))
        for name, key, points in (
            ("a", "val/top1", [10.0, 60.0, 20.0]), ("a", "val/ema_top1", [5.0, 15.0, 25.0]),
            ("a", "val/top5", [80.0]), ("a", "val/ema_top5", [70.0]), ("b", "val/top1", [50.0, math.nan, 40.0]),
            ("b", "val/top5", [90.0]), ("b", "train/loss", [3.0, 1.0, 2.0]),
        ):  # fmt: skip
            series = Series(db, name)
            series.add(key, range(1, len(points) + 1), points, 1.0, 1)
            series.flush()
    yield made
    made.close()


def read(store: Store, name: str, ids: list[str] | None = None) -> dict[str, object]:
    return read_values(store.reading(), ANY.get(name), ids)


def test_recipe_fields(store: Store) -> None:
    assert read(store, "optim.lr") == {"a": 0.1, "b": 0.1, "c": 0.2}
    assert read(store, "optim.lr", ["c", "nobody"]) == {"c": 0.2}
    assert read(store, "model.pretrained", ["a"]) == {"a": "true"} and read(store, "optim.betas", ["a"]) == {
        "a": "[0.9, 0.99]"
    }
    assert read(store, "data.minival") == {} and read(store, "model.options.depth") == {"c": 4}


def test_metrics(store: Store) -> None:
    assert read(store, "train/loss") == {"b": 2.0} and read(store, "best(train/loss)") == {"b": 1.0}
    assert read(store, "val/top1") == {"a": 20.0, "b": 40.0} and read(store, "best(val/top1)", ["a"]) == {"a": 60.0}
    assert read(store, "acc5") == {"a": 70.0, "b": 90.0}, "of the averaged weights where there are any"
    assert read(store, "acc5", ["b"]) == {"b": 90.0}


def test_the_smoothed_best_is_that_of_the_weights_that_select(store: Store) -> None:
    assert read(store, "smooth")["a"] == pytest.approx(smoothed_best([5.0, 15.0, 25.0], 1))
    assert read(store, "smooth(val/top1)")["a"] == pytest.approx(smoothed_best([10.0, 60.0, 20.0], 1))
    assert read(store, "smooth(best)", ["c"]) == {"c": None}
    assert len(read_values(store.reading(), RUN_FIELDS["smooth"], ["a", "b", "c"], until=time.monotonic() - 1)) == 1


def test_recipes_that_differ_in_the_seed_alone_are_the_same(store: Store) -> None:
    recipe = RUN_FIELDS["recipe"]
    a, b, c = (recipe.get(run, {}, 0.0) for run in sorted(runs.list_runs(store.reading()), key=lambda run: run.id))
    assert a == b != c and a


def test_which_fields_there_are(store: Store) -> None:
    few, all_ = known_fields(store.reading(), described=False), known_fields(store.reading())
    assert "model.options.depth" in few.names() and "smooth(val/top1)" in few.names()
    assert "mix.mixup" in all_.names() and "mix.mixup" not in few.names()
    assert known_fields(None).get("lr").help.startswith("Peak")


def test_what_differs_among_runs(store: Store) -> None:
    assert stored.differing_keys(store.reading(), ["a", "b"]) == ["train.seed"]
    assert stored.differing_keys(store.reading(), ["a", "c"]) == ["model.options.depth", "optim.lr", "train.seed"]
    assert stored.differing_keys(store.reading(), ["a", "a"]) == [] == stored.differing_keys(store.reading(), [])


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.sampled_from([1, -1]))
def test_the_moving_average_against_its_definition(values: list[float], sign: int) -> None:
    averages = []
    for n in range(1, len(values) + 1):
        weights = [SMOOTHING ** (n - 1 - i) for i in range(n)]
        averages.append(sum(w * v for w, v in zip(weights, values, strict=False)) / sum(weights))
    wanted = max(averages) if sign > 0 else min(averages)
    assert smoothed_best([math.nan, *values, math.inf], sign) == pytest.approx(wanted, abs=1e-6)


def test_a_series_without_finite_values_has_no_smoothed_best() -> None:
    assert smoothed_best([], 1) is None and smoothed_best([math.nan], 1) is None
