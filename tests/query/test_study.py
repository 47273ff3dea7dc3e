"""The field `study`: which studies a run fills a cell of, in filters, order, groups and completion."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vitui.query.cells import cell
from vitui.query.complete import complete, seen
from vitui.query.fields import ANY, Values
from vitui.query.filters import parse
from vitui.query.groups import grouped
from vitui.query.order import arrange, parse_order
from vitui.query.run_fields import RUN_FIELDS
from vitui.query.values import read_values
from vitui.store import Run, Store, runs, studies

FIELD = RUN_FIELDS["study"]
RECIPES = {"a": (1.0, 0), "b": (1.0, 1), "c": (2.0, 0), "d": (3.0, 0)}
"""Run -> weight decay, seed."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Study `one` has the recipe of a and b with both seeds; `two` those of a, b and c with seed 0; d is in none."""
    made = Store(tmp_path)
    made.open()
    with made.writing() as db:
        marks = {}
        for name, (decay, seed) in RECIPES.items():
            new = runs.new_run(name, {"name": name, "created": 1.0}, {"optim.weight_decay": decay, "train.seed": seed})
            runs.insert(db, new)
            marks[name] = new.recipe_fingerprint
        assert marks["a"] == marks["b"] != marks["c"]
        for name, seeds, asked in (("one", (0, 1), "a"), ("two", (0,), "ac")):
            rows = [studies.VariantRow(r, r, "p", "m", marks[r], "[]", "[]", "{}", "{}", "[]") for r in asked]
            studies.save(db, name, title="", baseline="a", seeds=seeds, stamp="x", variants=rows)
    yield made
    made.close()


@pytest.fixture
def rows(store: Store) -> list[Run]:
    return sorted(runs.list_runs(store.reading()), key=lambda run: run.id)


@pytest.fixture
def values(store: Store) -> Values:
    return {"study": read_values(store.reading(), FIELD)}


def test_values_are_the_studies_of_each_run(store: Store, values: Values) -> None:
    assert values["study"] == {"a": ("one", "two"), "b": ("one",), "c": ("two",)}
    assert read_values(store.reading(), FIELD, ["c", "d", "nobody"]) == {"c": ("two",)}
    assert ANY.get("studies") is FIELD and FIELD.outside


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("study:one", "ab"), ("study:TWO", "ac"), ("study:one,two", "abc"), ("study!=one", "cd"), ("has:study", "abc"),
        ("-has:study", "d"), ("study~tw", "ac"), ("study:one study:two", "a"), ("study:three", ""), ("study~/^o/", "ab"),
    ],
)  # fmt: skip
def test_filters(rows: list[Run], values: Values, text: str, ids: str) -> None:
    wanted = parse(text)
    assert not wanted.problem and FIELD in wanted.fields
    assert "".join(run.id for run in wanted.select(rows, values)) == ids


def test_order_groups_and_cells(rows: list[Run], values: Values) -> None:
    assert [run.id for run in arrange(rows, parse_order("study"), values)] == ["b", "a", "c", "d"]
    found = {group.label: "".join(run.id for run in group.runs) for group in grouped(rows, [FIELD], values=values)}
    assert found == {"one two": "a", "one": "b", "two": "c", "(none)": "d"}
    assert [cell(FIELD, run, values, 0.0) for run in rows] == ["one two", "one", "two", ""]


def test_names_of_studies_are_offered(rows: list[Run], values: Values) -> None:
    offered = [one.text for one in complete("study:", 6, values=seen(rows, values))]
    assert sorted(offered) == ["one", "two"]
    assert [one.text for one in complete("study:tw", 8, values=seen(rows, values))] == ["two"]
    assert "study:" in [one.text for one in complete("stu", 3)]


def test_a_run_archived_or_removed_and_a_study_removed_count_no_more(store: Store) -> None:
    with store.writing() as db:
        runs.set_labels(db, "b", archived=True)
        studies.remove(db, "two")
    assert read_values(store.reading(), FIELD) == {"a": ("one",)}
    assert studies.names(store.reading()) == ["one"]


def test_the_app_asks_again_for_runs_that_have_not_changed(store: Store, rows: list[Run]) -> None:
    from vitui.lab import Lab
    from vitui.tui.views.runs import ValuesReader

    reader, by_id = ValuesReader(Lab(store.home, store, [])), {run.id: run for run in rows}
    assert reader.read((FIELD,), by_id, whole=True) and reader.all["study"]["c"] == ("two",)
    assert not reader.read((FIELD,), by_id, whole=True)
    with store.writing() as db:
        studies.remove(db, "two")
    assert reader.read((FIELD,), by_id, whole=True) and reader.all["study"] == {"a": ("one",), "b": ("one",)}
