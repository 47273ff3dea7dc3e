"""Groups: tree, mean and deviation, order, labels."""

from __future__ import annotations

import math
import statistics as reference

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.fake_lab import NOW, run
from vitui.query.fields import ANY
from vitui.query.groups import NONE, flat, grouped, mean_text, states_text, statistics
from vitui.query.order import parse_order
from vitui.query.run_fields import RUN_FIELDS
from vitui.text import cell_width

ROWS = [
    run("a1", preset="a", model="m", best=90.0, name="run a seed 0"),
    run("a2", preset="a", model="m", best=92.0, state="running"),
    run("a3", preset="a", model="n", best=math.nan, state="diverged"),
    run("b1", preset="b", model="m", best=95.0),
    run("c1", preset="", model="m"),
]
BEST = RUN_FIELDS["best"]


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_mean_and_deviation_are_those_of_the_standard_library(numbers: list[float]) -> None:
    stat = statistics([*numbers, None, math.nan, "auto"])
    assert stat is not None and stat.n == len(numbers)
    assert stat.mean == pytest.approx(reference.fmean(numbers), abs=1e-6)
    assert stat.deviation == pytest.approx(reference.stdev(numbers), abs=1e-6)


def test_one_value_has_no_deviation_and_none_no_mean() -> None:
    one = statistics([3.0])
    assert one is not None and one.deviation is None
    assert statistics([None, math.nan]) is None


def test_groups_with_their_numbers_and_states() -> None:
    a, b, none = grouped(ROWS, [RUN_FIELDS["preset"]])
    assert (a.label, b.label, none.label) == ("a", "b", NONE)
    stat = a.stat(BEST)
    assert stat is not None and (stat.n, stat.mean) == (2, 91.0) and stat.deviation == pytest.approx(math.sqrt(2))
    assert a.best(BEST) == 92.0 and a.best(RUN_FIELDS["ref"]) is None and none.stat(BEST) is None
    assert states_text(a) == "1▶ 1✓ 1≈"
    assert a.same(RUN_FIELDS["preset"]) == "a" and a.same(RUN_FIELDS["model"]) is None


@pytest.mark.parametrize(("order", "labels"), [("best", ["b", "a", NONE]), ("-best", ["a", "b", NONE]),
                                               ("-preset", ["b", "a", NONE])])  # fmt: skip
def test_sorting_sorts_groups_by_their_mean(order: str, labels: list[str]) -> None:
    assert [g.label for g in grouped(ROWS, [RUN_FIELDS["preset"]], parse_order(order))] == labels


def test_a_tree_opens_and_closes() -> None:
    tree = grouped(ROWS, [RUN_FIELDS["preset"], RUN_FIELDS["model"]], parse_order("best"))
    lines = flat(tree)
    assert len(lines) == 3 + 4 + 5 and len({line.id for line in lines}) == len(lines)
    assert [g.depth for g in tree] == [0, 0, 0] and {c.depth for g in tree for c in g.children} == {1}
    assert flat(tree, {g.id for g in tree}) == tree
    assert len(flat(tree, {tree[0].id})) == len(lines) - 2, "one model and its run are hidden with their preset"


def test_the_same_recipe_apart_from_the_seed_is_called_as_its_runs_without_it() -> None:
    recipe = RUN_FIELDS["recipe"]
    values = {"recipe": {"a1": "x", "a2": "x", "b1": "y"}}
    labels = [g.label for g in grouped(ROWS, [recipe], (), values, NOW)]
    assert labels[0] == "run a"


def test_groups_of_numbers_say_what_the_number_is() -> None:
    lr = ANY.get("lr")
    assert [g.label for g in grouped(ROWS[:2], [lr], (), {"optim.lr": {"a1": 0.001}})] == ["optim.lr 0.001", NONE]


@pytest.mark.parametrize(("width", "text"), [(12, "91.00±1.41"), (9, "91.0±1.4"), (6, "91±1"), (5, "91±1"), (3, "91")])
def test_a_mean_loses_digits_before_it_loses_itself(width: int, text: str) -> None:
    stat = statistics([90.0, 92.0])
    assert mean_text(stat, BEST, width) == text and cell_width(text) <= width


@pytest.mark.parametrize("other", [{"selected_on": "test"}, {"dataset": "cifar10"}])
def test_there_is_no_mean_over_results_on_other_splits_or_data(other: dict[str, str]) -> None:
    base = {"best": 90.0, "selected_on": "val", "dataset": "digits", "preset": "p", "loss": 1.0}
    rows = [run("r1", **base), run("r2", **base), run("r3", **{**base, **other}, report_best=80.0)]
    [alike] = grouped(rows[:2], [RUN_FIELDS["preset"]])
    [group] = grouped(rows, [RUN_FIELDS["preset"]])
    assert alike.stat(BEST) is not None and not alike.mixed(BEST)
    assert group.stat(BEST) is None and group.best(BEST) is None and group.mixed(BEST)
    assert group.stat(RUN_FIELDS["loss"]) is not None
    assert group.stat(RUN_FIELDS["test"]) is not None, "only one of them has that"
