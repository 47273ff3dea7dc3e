"""Which run fills which cell."""

from __future__ import annotations

import pytest

from .homes import StudyHome

STUDY = 'base = "demo-digits"\nseeds = [0, 1]\nleave_out = ["label-smoothing"]'


@pytest.fixture
def study(home: StudyHome) -> StudyHome:
    home.write("s", STUDY)
    return home


def cells(home: StudyHome) -> dict[tuple[str, int], str]:
    return {(cell.variant, cell.seed): cell.text for cell in home.planned("s").cells}


def test_every_cell_is_missing_at_first(study: StudyHome) -> None:
    assert study.planned("s").counts == {"missing": 4}
    assert set(cells(study).values()) == {"–"}


def test_any_run_of_the_recipe_and_seed_fills_a_cell(study: StudyHome) -> None:
    base, other = study.planned("s").variants
    study.run(base, 1, 91.2)
    study.run(other, 5, 80.0)  # a seed the study does not have
    assert cells(study) == {
        ("base", 0): "–", ("base", 1): "91.20", ("no-label-smoothing", 0): "–", ("no-label-smoothing", 1): "–",
    }  # fmt: skip


def test_what_a_cell_says_of_each_state(study: StudyHome) -> None:
    base, other = study.planned("s").variants
    study.run(base, 0, state="diverged", epoch=35.4, best=80.7, evidence="loss was not finite 3 steps in a row")
    study.run(base, 1, state="running", step=30, total_steps=120)
    study.run(other, 0, state="failed", epoch=1.5)
    study.run(other, 1, state="queued")
    assert list(cells(study).values()) == [
        "NaN at epoch 35, best 80.70",
        "running 25%",
        "failed at epoch 1.5",
        "queued",
    ]


def test_a_diverged_run_has_no_value_even_where_it_was_evaluated(study: StudyHome) -> None:
    base, _ = study.planned("s").variants
    study.run(base, 0, 70.0, state="diverged")
    assert study.planned("s").cells[0].value is None


def test_another_metric_of_a_diverged_run_is_no_value_either(home: StudyHome) -> None:
    home.write("s", f'{STUDY}\n[report]\nmetric = "top5"')
    home.run(home.planned("s").variants[0], 0, 70.0, state="diverged")
    assert home.planned("s").cells[0].value is None


def test_results_count_before_what_may_become_one_and_the_newest_of_them(study: StudyHome) -> None:
    base, _ = study.planned("s").variants
    study.run(base, 0, 90.0)
    newest = study.run(base, 0, 91.0)
    study.run(base, 0, state="running", total_steps=10)
    study.run(base, 0, state="failed")
    cell = study.planned("s").cells[0]
    assert (cell.text, cell.more) == ("91.00", 3)
    assert cell.run is not None and cell.run.id == newest


def test_archived_runs_do_not_count(study: StudyHome) -> None:
    base, _ = study.planned("s").variants
    study.run(base, 0, 90.0, archived=1)
    assert study.planned("s").cells[0].status == "missing"


def test_two_studies_share_runs(study: StudyHome) -> None:
    study.write("t", 'presets = ["demo-digits"]\nseeds = [0]')
    study.run(study.planned("s").variants[0], 0, 88.0)
    assert study.planned("t").cells[0].text == "88.00"


def test_bookkeeping_is_no_other_recipe(study: StudyHome) -> None:
    study.write("t", 'base = "demo-digits"\nseeds = [0]\n[set]\ntrain.log_every = 3\ntrain.threads = 1')
    study.run(study.planned("t").variants[0], 0, 88.0)
    assert study.planned("s").cells[0].text == "88.00"


def test_another_metric_comes_from_the_closing_evaluations(home: StudyHome) -> None:
    home.write("s", f'{STUDY}\n[report]\nmetric = "loss"')
    home.run(home.planned("s").variants[0], 0, 90.0, last=80.0)
    cell = home.planned("s").cells[0]
    assert cell.value == pytest.approx(1.1) and cell.last == pytest.approx(1.2) and cell.text == "1.100"
