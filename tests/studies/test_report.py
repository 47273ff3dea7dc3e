"""The table of a study: numbers, differences, verdicts, published values, costs, notes."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from vitui.comparing.noise import standard_error

from .homes import IMAGES, StudyHome

STUDY = 'base = "demo-digits"\nseeds = [0, 1, 2, 3]\nleave_out = ["label-smoothing"]\nadd = ["mixup"]'
BASE = [97.0, 97.4, 97.2, 97.1]
OTHER = [95.1, 95.3, 95.2, 94.9]
MIXUP: list[float | None] = [97.1, 97.2, None, None]


@pytest.fixture
def filled(home: StudyHome) -> StudyHome:
    home.write("s", STUDY)
    home.fill("s", {"base": list(BASE), "no-label-smoothing": list(OTHER), "mixup": MIXUP})
    return home


def test_numbers_of_a_row(filled: StudyHome) -> None:
    report = filled.lab.study_report("s")
    base, other, mixup = report.rows
    assert other.value is not None and other.last is not None
    assert (other.value.n, other.value.mean) == (4, pytest.approx(95.125))
    assert other.value.deviation == pytest.approx(float(stats.tstd(OTHER)))
    assert other.last.mean == pytest.approx(95.025)
    assert mixup.value is not None and mixup.value.n == 2
    assert base.difference is None and base.verdict == ""
    assert base.error == pytest.approx(standard_error(97.175, IMAGES))
    assert (base.costs.seconds, base.costs.macs, base.costs.params) == (58.0, 1.1e7, 142_000)
    assert (report.metric, report.split, report.baseline, report.unit) == ("top1", "test", 0, "%")


def test_differences_are_those_of_scipy_with_holms_correction(filled: StudyHome) -> None:
    report = filled.lab.study_report("s")
    other, mixup = report.rows[1].difference, report.rows[2].difference
    assert other is not None and mixup is not None
    expected = stats.ttest_rel(OTHER, BASE)
    assert (other.kind, other.n, other.p) == ("paired", 4, pytest.approx(expected.pvalue, rel=1e-6))
    interval = expected.confidence_interval(0.95)
    assert (other.low, other.high) == (pytest.approx(interval.low), pytest.approx(interval.high))
    assert other.p_adjusted == pytest.approx(2 * expected.pvalue, rel=1e-6)
    assert (mixup.kind, mixup.n) == ("paired", 2)
    assert report.comparisons == 2
    assert report.rows[1].verdict == "worse" and report.rows[2].verdict == "noise"
    assert "more seed" in report.rows[2].words
    assert not any(row.stands_out for row in report.rows)


def test_a_better_variant_stands_out_alone(home: StudyHome) -> None:
    home.write("s", STUDY)
    home.fill("s", {"base": list(OTHER), "no-label-smoothing": list(BASE), "mixup": [95.2, 95.2, 95.3, 94.9]})
    rows = home.lab.study_report("s").rows
    assert [row.stands_out for row in rows] == [False, True, False]
    assert rows[1].verdict == "better"


def test_one_seed_is_never_a_verdict(home: StudyHome) -> None:
    home.write("s", STUDY.replace("[0, 1, 2, 3]", "[0]"))
    home.fill("s", {"base": [90.0], "no-label-smoothing": [99.0], "mixup": [90.1]})
    rows = home.lab.study_report("s").rows
    assert [row.verdict for row in rows] == ["", "unsure", "unsure"]
    assert "noise of seeds is not known" in rows[1].words and "sampling error" in rows[2].words
    assert not any(row.stands_out for row in rows)


def test_a_divergence_is_a_result_and_forbids_praise(home: StudyHome) -> None:
    home.write("s", STUDY)
    home.fill("s", {"base": list(OTHER), "no-label-smoothing": [99.0, 99.1, 99.2, None]})
    home.run(home.planned("s").variants[1], 3, state="diverged", evidence="loss was not finite 3 steps in a row")
    row = home.lab.study_report("s").rows[1]
    assert row.verdict == "unsure" and "1 of 4 seeds diverged" in row.words and row.diverged == 1
    assert not row.stands_out


def test_published_value_and_gap(filled: StudyHome) -> None:
    base, other, _ = filled.lab.study_report("s").rows
    assert base.published is not None
    assert (base.published.value, base.published.kind) == (98.06, "measured")
    assert base.gap == pytest.approx(97.175 - 98.06) and base.within is True
    assert other.published is None and other.gap is None


def test_what_a_study_sets_makes_another_recipe_and_no_gap_is_told(home: StudyHome) -> None:
    for name, told, gap in (("s", "train.epochs = 3", False), ("t", "train.threads = 1", True)):
        home.write(name, f'base = "demo-digits"\nseeds = [0]\n[set]\n{told}')
        home.run(home.planned(name).variants[0], 0, 90.0)
        (row,) = home.lab.study_report(name).rows
        assert row.published is not None and (row.gap is not None, row.within is not None) == (gap, gap)


def test_a_published_value_on_another_split_is_shown_and_not_subtracted(home: StudyHome) -> None:
    home.write("s", 'presets = ["tin-swin-l-probe"]\nseeds = [0]')
    home.run(home.planned("s").variants[0], 0, 91.0)  # on test; the published value is on val
    (row,) = home.lab.study_report("s").rows
    assert row.published is not None and row.published.value == 91.35
    assert row.gap is None and row.within is None


def test_a_published_value_on_the_selecting_split_is_compared_with_that(home: StudyHome) -> None:
    home.write("s", 'presets = ["augreg-grid-i1k300-b16"]\nseeds = [0]')
    home.run(home.planned("s").variants[0], 0, 68.0, best=71.0, report_split="val")
    (row,) = home.lab.study_report("s").rows
    assert row.published is not None and row.published.split == "minival"
    assert row.gap == pytest.approx(71.0 - row.published.value)  # type: ignore[operator]


def test_notes_say_what_must_be_known(home: StudyHome) -> None:
    home.write("s", STUDY + "\n[set]\ntrain.epochs = 3")
    base, other, mixup = home.planned("s").variants
    home.run(base, 0, 97.0, select_is_report=1, host="a")
    home.run(base, 0, 97.5, host="b")
    home.run(other, 0, 96.0, report_split="val", host="b")
    home.run(mixup, 1, state="failed")
    report = home.lab.study_report("s")
    unfair = [note.text for note in report.notes if note.unfair]
    other_notes = [note.text for note in report.notes if not note.unfair]
    assert any("different splits (test, val)" in text for text in unfair)
    assert any("1 further runs have the recipe and seed of a cell" in text for text in unfair)
    assert any("9 missing, 1 failed" in text for text in other_notes)
    assert any("train.epochs=3" in text for text in other_notes)


def test_no_image_right_is_a_value_that_was_selected_on_the_split_it_reports(home: StudyHome) -> None:
    home.write("s", 'base = "demo-digits"\nseeds = [0]')
    home.run(home.planned("s").variants[0], 0, 0.0, select_is_report=1)
    (row,) = home.lab.study_report("s").rows
    assert row.value is not None and row.mark == "†"


def test_an_empty_study_has_rows_and_says_what_is_missing(home: StudyHome) -> None:
    home.write("s", STUDY)
    report = home.lab.study_report("s")
    assert [row.value for row in report.rows] == [None] * 3
    assert [cell.text for cell in report.rows[0].cells] == ["–"] * 4
    assert any("12 missing" in note.text for note in report.notes)


def test_what_is_not_finite_is_no_value(home: StudyHome) -> None:
    home.write("s", STUDY)
    home.run(home.planned("s").variants[0], 0, report_best=math.inf)
    assert home.lab.study_report("s").rows[0].value is None
