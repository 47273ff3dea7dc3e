"""`vitui compare` on runs with real journals."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from tests.cli.conftest import Home
from tests.store.homes import append, data, evaluation, event, metrics, started

A, B = "250101-120000-aaaa", "250102-120000-bbbb"


def trained(home: Home, run_id: str, top1: float, **labels: Any) -> None:
    """A run that finished, as its journal tells it."""
    run = home.add(run_id, **labels)
    append(
        run, started(at=100.0), event("model", 100.5, name="vit", params=1000, trainable_params=1000, macs=5000),
        data("minival", "test"), metrics(10, at=110.0, train__loss=0.5, train__images_per_s=250.0),
        evaluation(10, top1 - 1, at=111.0, split="minival"), evaluation(30, top1, at=130.0, split="minival"),
        evaluation(30, top1, at=131.0, role="report-best"), evaluation(30, top1, at=132.0, role="report-last"),
        event("finished", 140.0, step=30, epoch=3.0, seconds=40.0, best={}, last={}),
    )  # fmt: skip


@pytest.fixture
def two(home: Home, idle: None) -> Home:
    reference = {"metric": "top1", "split": "test", "value": 90.0, "tolerance": 0.5, "source": "a paper"}
    trained(home, A, 90.0, name="base", reference=reference)
    trained(home, B, 70.0, name="other", reference=reference)
    (home.path / "runs" / B / "recipe.toml").write_text(
        (home.path / "runs" / A / "recipe.toml").read_text().replace("epochs = 3", "epochs = 4")
    )
    home("rebuild")
    return home


def test_the_table_shows_fields_results_and_notes(two: Home) -> None:
    lines = two("compare", A[:8], "@").out.splitlines()
    assert lines[0].split() == ["A", "base", "B", "other"] and lines[1].split() == ["run", A, B]
    assert next(line for line in lines if line.startswith("train.epochs")).split() == ["train.epochs", "3", "4"]
    result = next(n for n, line in enumerate(lines) if line.startswith("test top1, best epoch"))
    assert "90.00 ±3.00" in lines[result] and "-20.00 ±5.48 ▼ worse" in lines[result + 1]
    assert any("own less reference" in line and "0.00 ±3.00 = within 0.5" in line for line in lines)


def test_json_says_the_same_to_programs(two: Home) -> None:
    found = two("compare", A, B, "--baseline", B, "--json").json
    assert found["baseline"] == B and found["fields"]["train.epochs"]["runs"][A]["value"] == 3
    cell = found["results"]["report_best"]["runs"][A]
    assert cell["value"] == 90.0 and cell["difference"] == 20.0 and cell["verdict"] == "better"
    assert found["results"]["seconds"]["runs"][A]["value"] == pytest.approx(40.0)
    assert found["results"]["images_per_s"]["runs"][A]["value"] == 250.0
    assert found["results"]["macs"]["runs"][A]["value"] == 5000


def test_all_fields_and_chosen_metrics(two: Home) -> None:
    out = two("compare", A, B, "--all-fields", "--metrics", "best(minival/top1),train/loss", "-f", "csv").out
    rows = {row[1]: row for row in csv.reader(io.StringIO(out))}
    assert [float(cell) for cell in rows["best(minival/top1)"][4:]] == [90.0, 70.0]
    assert rows["data.dataset"][0] == "other fields" and "report_best" not in rows


def test_the_other_formats_are_what_they_are_called(two: Home) -> None:
    assert two("compare", A, B, "-f", "md").out.startswith("|  | A base | B other |")
    assert r"\toprule" in two("compare", A, B, "-f", "latex").out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((A,), 2, "one run alone cannot be compared; name two to 20"),
        ((A, "@", "--baseline", "nobody"), 3, "no run id starts with 'nobody'"),
        ((A, "nobody"), 3, "no run id starts with 'nobody'"),
        ((A, B, "--metrics", "tpo1"), 2, "no field tpo1"),
        ((A, B, "--metrics", "name"), 2, "name is not a number"),
        ((A, B, "--metrics", ","), 2, "--metrics is empty"),
        ((A, B, "--format", "pdf"), 2, "unknown format pdf; known: table, md, csv, latex, json"),
    ],
)
def test_bad_input_is_one_sentence(two: Home, words: tuple[str, ...], code: int, said: str) -> None:
    answer = two("compare", *words, code=code)
    assert said in answer.err and answer.out == "" and answer.err.count("\n") == 1


def test_a_damaged_recipe_is_told_and_the_rest_compared(two: Home) -> None:
    (two.path / "runs" / B / "recipe.toml").write_text("[model")
    out = two("compare", A, B).out
    assert "! B: " in out and "is damaged" in out and "test top1, best epoch" in out
