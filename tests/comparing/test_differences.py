"""Recipes and circumstances beside each other, and whether the comparison is fair."""

from __future__ import annotations

from typing import Any

import pytest

from tests.comparing.making import facts
from vitui.comparing import RunFacts, side_by_side
from vitui.comparing.recipes import field_rows


def differing(*runs: RunFacts) -> dict[str, list[str]]:
    return {row.key: [cell.text for cell in row.cells] for row in field_rows(runs) if row.differs}


def test_fields_that_differ_come_first_and_the_rest_on_wish() -> None:
    found = side_by_side([facts("a"), facts("b", config={"optim.lr": 0.01})])
    sections = {section.key: [row.key for row in section.rows] for section in found.sections(all_fields=True)}
    assert sections["fields"] == ["optim.lr"]
    assert sections["other fields"] == ["train.epochs", "train.seed", "evaluate.batch_size"]
    assert "other fields" not in {section.key for section in found.sections()}


def test_what_was_automatic_is_compared_by_what_became_of_it() -> None:
    auto = facts("a", raw={"evaluate.batch_size": "auto"})
    assert differing(auto, facts("b")) == {}, "auto became 64, which is what the other asked for"
    assert differing(auto, facts("b", config={"evaluate.batch_size": 32})) == {
        "evaluate.batch_size": ["auto → 64", "32"]
    }


def test_a_run_that_has_not_started_is_compared_by_what_it_asks_for() -> None:
    waits = facts("b", resolved=False, config={"evaluate.batch_size": "auto"})
    assert differing(facts("a", raw={"evaluate.batch_size": "auto"}), waits) == {}
    assert differing(facts("a"), waits) == {"evaluate.batch_size": ["64", "auto"]}


def test_a_field_that_one_recipe_lacks_differs() -> None:
    assert differing(facts("a"), facts("b", config={"model.options.depth": 4})) == {"model.options.depth": ["–", "4"]}


def test_an_unreadable_recipe_is_told_and_makes_nothing_differ() -> None:
    broken = RunFacts(facts("b").run, problem="recipe.toml is damaged")
    assert differing(facts("a"), broken) == {}
    assert "B: recipe.toml is damaged" in side_by_side([facts("a"), broken]).unfair


def provenance(**changed: Any) -> dict[str, Any]:
    base = facts().provenance
    return {**base, **changed}


def test_environment_rows_show_what_differs() -> None:
    dirty = {"commit": "d" * 40, "dirty": True, "patch": "+1"}
    other = facts("b", provenance=provenance(packages={"torch": "2.9.0"}, git=dirty), run_placed="GPU 0 NVIDIA H200")
    found = side_by_side([facts("a"), other])
    shown = {row.title: [cell.text for cell in row.cells] for row in found.sections()[-1].rows}
    assert shown["commit"] == ["cccccccccc", "dddddddddd"] and shown["torch"] == ["2.8.0", "2.9.0"]
    assert shown["device"] == ["cpu", "GPU 0 NVIDIA H200"] and "host" not in shown
    assert shown["uncommitted changes"][0] == "none" and shown["uncommitted changes"][1].endswith("2 B")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"run_dataset": "cifar10"}, "other data: A digits; B cifar10"),
        ({"data": {"fingerprint": "0" * 64}}, "other images under the same name: A ffffffffffff; B 000000000000"),
        ({"run_report_split": "val"}, "reported on another split: A test; B val"),
        ({"run_selected_on": "val"}, "selected on another split: A minival; B val"),
        ({"images": 500}, "other numbers of test images: A 1000; B 500"),
        ({"run_metric": "top5"}, "other metric: A top1; B top5"),
        ({"run_total_epochs": 10.0}, "other length: A 30 epochs; B 10 epochs"),
        ({"run_select_is_report": True}, "B selected on the split that is reported (†): its best value flatters"),
        ({"run_state": "running", "run_epoch": 12.4}, "B is not finished: it is running at epoch 12.4/30"),
        ({"run_state": "diverged"}, "B is not finished: it ended as diverged at epoch 30/30"),
        ({"run_state": "queued", "run_total_epochs": None}, "B is not finished: it waits"),
    ],
)
def test_each_reason_why_it_is_not_fair(other: dict[str, Any], said: str) -> None:
    assert said in side_by_side([facts("a"), facts("b", **other)]).unfair


def test_a_fair_comparison_has_no_reasons() -> None:
    found = side_by_side([facts("a"), facts("b", config={"optim.lr": 0.01})])
    assert found.unfair == [] and any(note.text.startswith("±") for note in found.notes)


def test_steps_that_make_no_whole_epochs_are_no_other_length() -> None:
    assert side_by_side([facts("a"), facts("b", run_total_epochs=30.02)]).unfair == []


def test_runs_that_differ_in_nothing_but_the_seed_are_called_so() -> None:
    notes = [note.text for note in side_by_side([facts("a"), facts("b", config={"train.seed": 1})]).notes]
    assert "the same recipe apart from the seed: what differs is chance" in notes


def test_other_code_and_devices_are_told_but_not_unfair() -> None:
    found = side_by_side([facts("a"), facts("b", run_placed="GPU 0", provenance=provenance(git={"commit": "d" * 40}))])
    assert found.unfair == []
    assert any("other device" in note.text for note in found.notes)
    assert any("launched from another commit" in note.text for note in found.notes)


def test_runs_of_one_name_are_told_apart() -> None:
    found = side_by_side([facts("same", run_id="261117-164010-aaaa"), facts("same", run_id="261117-164010-bbbb")])
    assert [column.label for column in found.columns] == ["same aaaa", "same bbbb"]
