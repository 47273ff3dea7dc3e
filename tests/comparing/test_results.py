"""Results beside each other: values, differences, and how sure they are."""

from __future__ import annotations

import math

import pytest

from tests.comparing.making import REFERENCE, facts
from vitui.comparing import Comparison, Row, RunFacts, side_by_side
from vitui.comparing.noise import combined, standard_error, verdict
from vitui.query.run_fields import RUN_FIELDS


def row(found: Comparison, key: str) -> Row:
    return next(r for r in found.results if r.key == key)


def texts(*runs: RunFacts, key: str, baseline: int = 0) -> tuple[list[str], list[str]]:
    found = row(side_by_side(runs, baseline), key)
    return [cell.text for cell in found.cells], [cell.text for cell in found.deltas]


def test_the_standard_error_is_that_of_a_binomial_share() -> None:
    assert standard_error(95.0, 1000) == pytest.approx(100 * math.sqrt(0.95 * 0.05 / 1000))
    assert standard_error(95.0, None) is None and standard_error(math.nan, 10) is None


@pytest.mark.parametrize("percent", [0.0, 100.0])
def test_nothing_wrong_of_few_images_is_not_beyond_doubt(percent: float) -> None:
    error = standard_error(percent, 50)
    assert error is not None and error == pytest.approx(100 * math.sqrt(0.01 * 0.99 / 50))


def test_a_difference_counts_beyond_what_both_sides_may_be_off() -> None:
    error = combined(0.3, 0.4)
    assert error == pytest.approx(0.5)
    assert (
        verdict(0.9, error, 1) == "noise" and verdict(1.1, error, 1) == "better" and verdict(-1.1, error, 1) == "worse"
    )
    assert verdict(-1.1, error, -1) == "better" and verdict(0.0, error, 1) == "same" and verdict(3.0, None, 0) == ""


def test_accuracies_come_with_their_error_and_differences_with_sign_and_word() -> None:
    cells, deltas = texts(facts("a"), facts("b", top1=95.4), facts("c", top1=80.0), key="report_best")
    assert cells == ["95.00 ±0.69", "95.40 ±0.66", "80.00 ±1.26"]
    assert deltas == ["baseline", "+0.40 ±0.96 ≈ noise", "-15.00 ±1.44 ▼ worse"]


def test_differences_are_to_the_chosen_baseline() -> None:
    _, deltas = texts(facts("a"), facts("b", top1=80.0), key="report_best", baseline=1)
    assert deltas == ["+15.00 ±1.44 ▲ better", "baseline"]


def test_only_what_is_beyond_noise_stands_out() -> None:
    clear = row(side_by_side([facts("a"), facts("b", top1=80.0)]), "report_best")
    close = row(side_by_side([facts("a"), facts("b", top1=94.8)]), "report_best")
    assert [cell.stands_out for cell in clear.cells] == [True, False]
    assert not any(cell.stands_out for cell in close.cells)
    losses = row(side_by_side([facts("a"), facts("b", run_loss=3.0)]), "report_loss")
    assert not any(cell.stands_out for cell in losses.cells), "of a loss nobody knows the noise"


def test_values_of_different_splits_are_named_and_not_subtracted() -> None:
    found = row(side_by_side([facts("a"), facts("b", run_report_split="val")]), "report_best")
    assert found.title == "reported top1, best epoch"
    assert [cell.text for cell in found.cells] == ["95.00 ±0.69 (test)", "95.00 ±0.69 (val)"]
    assert found.deltas[1].value is None and "not the same: val, test" in found.deltas[1].text


def test_the_best_epoch_is_the_one_that_selection_picked() -> None:
    found = side_by_side([facts("a"), facts("b")])
    assert (
        row(found, "best").cells[0].text == "96.00 ±1.39" and row(found, "best").cells[0].note == "epoch 20, 200 images"
    )
    assert row(found, "last").cells[0].text.startswith("94.00") and row(found, "select_loss").cells[0].value == 0.5
    assert row(found, "report_top5").cells[0].value == 99.5


def test_averaged_weights_are_those_that_count_where_they_select() -> None:
    from vitui.store.metrics import Eval

    one = facts("a", run_best=97.0)
    ema = Eval(20, 20.0, "minival", "ema", "select", 200, 2.0, {"top1": 97.0})
    changed = side_by_side([RunFacts(one.run, evals=(*one.evals, ema))])
    assert row(changed, "best").cells[0].value == 97.0 and "averaged weights" in row(changed, "best").cells[0].note


def test_time_speed_and_memory_as_parts_of_the_baseline() -> None:
    slow = facts("b", seconds=150.0, speed=400.0, memory=2.0**31, run_params=2000)
    assert texts(facts("a"), slow, key="seconds")[1][1] == "+50 % ▼ worse"
    assert texts(facts("a"), slow, key="images_per_s")[1][1] == "-20 % ▼ worse"
    assert texts(facts("a"), slow, key="memory")[1][1] == "+100 % ▼ worse"
    assert texts(facts("a"), slow, key="params")[1][1] == "+100 %", "a larger model is neither better nor worse"


def test_a_run_that_did_not_get_to_its_end_was_not_faster() -> None:
    assert texts(facts("a"), facts("b", seconds=50.0, run_state="diverged"), key="seconds")[1][1] == "-50 %"
    assert texts(facts("a", run_state="running"), facts("b", seconds=50.0), key="seconds")[1][1] == "-50 %"


def test_results_asked_for_by_name_are_not_subtracted_across_splits() -> None:
    runs = [facts("a"), facts("b", run_selected_on="val")]
    values = {facts.run.id: 90.0 + n for n, facts in enumerate(runs)}
    [found] = side_by_side(runs, 0, ["smooth"], {"smooth": (RUN_FIELDS["smooth"], values)}).results
    assert found.deltas[1].value is None and "not the same" in found.deltas[1].text


def test_memory_of_a_gpu_is_not_compared_with_main_memory() -> None:
    _, deltas = texts(facts("a"), facts("b", memory_kind="main memory"), key="memory")
    assert deltas[1].startswith("not the same")


def test_states_and_outcomes_are_results() -> None:
    gone = facts("b", run_state="diverged", run_evidence="NaN at epoch 35", run_epoch=34.2)
    found = side_by_side([facts("a"), gone])
    assert [c.text for c in row(found, "state").cells] == ["✓ finished", "≈ diverged"]
    assert [c.text for c in row(found, "outcome").cells] == ["–", "NaN at epoch 35"]
    assert [c.text for c in row(found, "epochs").cells] == ["30/30", "34.2/30"]
    assert row(found, "report_best").cells[1].text == "–"


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"top1": 96.8}, "-0.20 ±0.56 = within 0.5"),
        ({"top1": 90.0}, "-7.00 ±0.95 ▼ worse"),
        ({"top1": 98.9}, "+1.90 ±0.33 ▲ better"),
        ({"run_report_split": "val"}, "no top1 on test: reported on val here"),
        ({"run_report_split": "val", "run_selected_on": "test"}, "-1.00 ±1.39 ≈ noise"),
        ({"run_state": "running"}, "no top1 on test: no value yet"),
        (
            {"run_state": "running", "run_report_split": "val", "reference": {**REFERENCE, "split": "valid"}},
            "no top1 on valid: no value yet",
        ),
    ],
)
def test_the_reference_counts_only_for_its_own_metric_and_split(changed: dict[str, object], text: str) -> None:
    assert texts(facts("a", **changed), key="to_reference")[0] == [text]


@pytest.mark.parametrize("told", [{}, {**REFERENCE, "value": "many"}, {**REFERENCE, "value": math.nan}])
def test_without_a_reference_nothing_is_said_about_one(told: dict[str, object]) -> None:
    assert not {"reference", "to_reference"} & {r.key for r in side_by_side([facts("a", reference=told)]).results}


def test_a_reference_that_tells_an_outcome_is_shown_as_it_is() -> None:
    told = facts("a", reference={"outcome": "NaN at epoch 35", "source": "a paper"})
    assert row(side_by_side([told]), "reference").cells[0].text == "NaN at epoch 35"


def test_what_selects_and_reports_on_one_split_is_marked() -> None:
    same = facts("a", run_selected_on="test", run_select_is_report=True)
    assert texts(same, key="report_best")[0] == ["95.00 ±0.69†"]


def test_nothing_known_leaves_no_line_and_never_fails() -> None:
    from tests.tui.fake_lab import run

    found = side_by_side([RunFacts(run("261117-164010-aaaa")), RunFacts(run("261117-164010-bbbb", best=math.nan))])
    assert {"state", "params"} <= {r.key for r in found.results} <= {"state", "params", "best"}
