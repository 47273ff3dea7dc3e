"""What others reported, beside what came out here: numbers, and outcomes that are none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.journal import Journal, read_json
from tests.cli.conftest import Home
from vitui.store import Store, runs
from vitui.store.ingest import ingest

OWN = """
title = "Falls apart"
extends = "demo-digits"
[[reference]]
value = 96.5
source = "Table 2, row 1"
[[reference]]
outcome = "NaN at epoch 35"
source = "Table 2, row 3"
when = { mix.mixup = 0.8 }
"""


@pytest.fixture
def preset(home: Home, idle: None) -> str:
    folder = home.path / "presets" / "mine"
    folder.mkdir(parents=True)
    (folder / "falls-apart.toml").write_text(OWN)
    return "falls-apart"


def test_an_outcome_goes_with_the_run_wherever_it_is_shown(home: Home, preset: str) -> None:
    run = home("run", preset, "-t", "mixup").out.strip()
    row = home.row(run)
    assert (row["reference"], row["reference_outcome"], row["reference_source"]) == (
        None, "NaN at epoch 35", "Table 2, row 3",
    )  # fmt: skip
    assert "  reference NaN at epoch 35 (Table 2, row 3)\n" in home("show", run, "--no-plot").out
    assert read_json(home.path / "runs" / run / "run.json")["reference"]["outcome"] == "NaN at epoch 35"
    (home.path / "lab.db").unlink()
    assert home.row(run)["reference_outcome"] == "NaN at epoch 35", "the run directory alone knows it"


def test_a_number_goes_with_a_run_it_is_about(home: Home, preset: str) -> None:
    run = home("run", preset).out.strip()
    row = home.row(run)
    assert (row["reference"], row["reference_outcome"]) == (96.5, "")
    assert "  reference 96.50 (Table 2, row 1)\n" in home("show", run, "--no-plot").out


def test_the_part_that_is_trained_is_told_and_a_length_in_steps(home: Home) -> None:
    run = home.add(state="running")
    journal = Journal(run.journal, 1)
    journal.event("model", name="vit", params=5_000_000, trainable_params=2_010, macs=1)
    journal.event("data", dataset="digits", select_split="test", report_split="test", steps_per_epoch=40, total_steps=100, total_epochs=2.5)  # fmt: skip
    journal.event("eval", step=40, epoch=1.0, split="test", weights="model", role="select", values={"top1": 50.0})
    journal.close()
    store = Store(home.path)
    store.open()
    ingest(store, run)
    with store.writing() as db:
        db.execute("UPDATE runs SET state = 'stopped'")
    assert runs.get(store.reading(), run.id).total_epochs == 2.5  # type: ignore[union-attr]
    store.close()
    shown = home("show", "@", "--no-plot")
    assert "model     vit_tiny_patch16_224 (5.00M parameters, 2.01k trained)" in shown.out
    assert "progress  epoch 1/2.5, step 40/100" in shown.out
    assert "selected on the split it is reported on" in shown.out
    listed = home("runs")
    assert (
        re.search(r" 1/2.5 +50.00 +50.00† ", listed.out) and listed.err == "† selected on the split it is reported on\n"
    )


def test_a_result_on_a_split_that_selected_nothing_is_not_marked(home: Home) -> None:
    home.add()
    with Store(home.path).writing() as db:
        db.execute("UPDATE runs SET best = 90, report_best = 89, selected_on = 'minival', report_split = 'test'")
    listed = home("runs")
    assert "†" not in listed.out and listed.err == ""


def test_a_recipe_in_steps_has_no_length_in_epochs_before_it_starts(home: Home, idle: None, tmp_path: Path) -> None:
    run = home("run", "demo-digits", "--set", "train.steps=100", "--set", "schedule.warmup_epochs=0").out.strip()
    assert home.row(run)["total_epochs"] is None
