"""A model card says what the database says, in a form the Hugging Face hub reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard

from engine.journal import write_json
from tests.exporting.making import OTHER, RUN, exported, opened, trained
from tests.exporting.test_tables import HOSTILE, silent
from tests.store.homes import Home
from vitui.errors import Busy, UsageError
from vitui.exporting import Request, export
from vitui.exporting.card import read
from vitui.exporting.card_subject import licence, licences

REFERENCE = {
    "metric": "top1", "split": "test", "value": 60.0, "tolerance": 1.0, "kind": "published", "source": "a paper, table 2",
}  # fmt: skip


def carded(home: Home, **labels: Any) -> tuple[dict[str, Any], str]:
    """Front matter and text of a run's card."""
    run = home.path / "runs" / RUN
    if not run.exists():
        exported(trained(home, **labels))
    [place] = export(opened(home), "card", Request((RUN,), force=True), silent)
    assert place == str(run / "model" / "README.md")
    content = Path(place).read_text(encoding="utf-8")
    _, front, text = content.split("---\n", 2)
    return yaml.safe_load(front), text


def test_the_front_matter_is_that_of_the_database(home: Home) -> None:
    front, _ = carded(home)
    [model] = front.pop("model-index")
    assert front == {
        "library_name": "timm", "pipeline_tag": "image-classification", "license": "cc-by-4.0",
        "tags": ["image-classification", "timm", "vitui"], "datasets": ["digits"], "metrics": ["accuracy"],
    }  # fmt: skip
    [results] = model["results"]
    assert model["name"] == "first" and results["task"]["type"] == "image-classification"
    assert results["dataset"] == {"name": "Handwritten digits", "type": "digits", "split": "test"}
    lab = opened(home)
    known = {(e.role, m): v for e in lab.evals(RUN) for m, v in e.values.items()}
    told = {m["name"]: (m["type"], m["value"]) for m in results["metrics"]}
    picked = "epoch picked on minival"
    assert told == {
        f"top-1 accuracy in percent, {picked}": ("accuracy", known["report-best", "top1"]),
        f"top-5 accuracy in percent, {picked}": ("top-5-accuracy", known["report-best", "top5"]),
        f"loss, {picked}": ("loss", known["report-best", "loss"]),
        "top-1 accuracy in percent, last epoch": ("accuracy", known["report-last", "top1"]),
        "top-5 accuracy in percent, last epoch": ("top-5-accuracy", known["report-last", "top5"]),
        "loss, last epoch": ("loss", known["report-last", "loss"]),
    }
    assert lab.run(RUN).report_best == 59.5 == told[f"top-1 accuracy in percent, {picked}"][1]


def test_the_hub_reads_it(home: Home) -> None:
    carded(home, name=HOSTILE)
    card = ModelCard.load(home.path / "runs" / RUN / "model" / "README.md")
    assert card.data.license == "cc-by-4.0" and card.data.library_name == "timm"
    found = {(r.metric_name, r.metric_value, r.dataset_split, r.dataset_type) for r in card.data.eval_results}
    assert ("top-1 accuracy in percent, last epoch", 54.0, "test", "digits") in found and len(found) == 6


def test_the_text_has_the_numbers(home: Home) -> None:
    _, text = carded(home, reference=REFERENCE)
    assert "# first" in text and "(1.00k parameters, 900 trained, 5.00k multiply-adds an image)" in text
    assert "| picked epoch | test | epoch 2, 360 images | 59.50 ±2.59 | 99.00 ±0.52 | 0.5000 |" in text
    assert "| last epoch | test | epoch 3, 360 images | 54.00 ±2.63 | 99.00 ±0.52 | 0.5000 |" in text
    assert "| best on the selecting split | minival | epoch 2, 72 images | 60.00 ±5.77 |" in text
    assert "| published | test | a paper, table 2 | 60.00 | – | – |" in text
    assert "-0.50 points, inside its tolerance of 1." in text
    assert "the weights of epoch 2, picked on minival" in text
    assert 'timm.create_model("local-dir:PATH/TO/THIS/FOLDER", pretrained=True)' in text
    assert f"commit `{'c' * 40}` with uncommitted changes" in text and "Python 3.11.7, torch 2.8.0" in text
    assert "Input: 1 channel of 8x8 px, cropped to 0.9 of the resized side" in text
    assert "Evaluated on 360 images of test and nothing else" in text and "not by the images it is judged by" in text
    assert "| `train.seed` | `7` |" in text and "deterministic = true" in text


def test_nothing_of_who_and_where_is_published(home: Home) -> None:
    _, text = carded(home, notes="a private note", tags=["private-tag"])
    for word in ("secret", "alice", "private", str(home.path)):
        assert word not in text


def test_a_reference_that_is_no_number(home: Home) -> None:
    _, text = carded(home, reference={**REFERENCE, "value": None, "outcome": "NaN at epoch 35"})
    assert "| published | test | a paper, table 2 | NaN at epoch 35 | – | – |" in text and "Own less" not in text


def test_selected_on_test_is_said_first(home: Home) -> None:
    run = trained(home)
    exported(run)
    with home.store.writing() as db:
        db.execute("UPDATE runs SET select_is_report = 1, selected_on = 'test'")
    front, text = carded(home)
    assert "> **Selected on test.**" in text.split("## How to load")[0]
    names = [m["name"] for m in front["model-index"][0]["results"][0]["metrics"]]
    assert names[0] == "top-1 accuracy in percent, epoch picked on test, the split it is reported on"


def test_a_model_that_timm_cannot_build(home: Home) -> None:
    exported(trained(home), architecture="vit_tiny_patch16_224+modified")
    front, text = carded(home)
    assert front["library_name"] == "vitui" and "timm" not in front["tags"]
    assert "engine.models.exported.load(" in text and "timm.create_model" not in text


def test_hostile_names(home: Home) -> None:
    run = trained(home, name="---\n# not me | x`\x1b[31m<script>alert(1)</script>", tags=[])
    classes = ["a|b", "<img src=x>", *(f"class {n}" for n in range(98))]
    exported(run, label_names=classes)
    front, text = carded(home)
    assert front["model-index"][0]["name"] == "---\\n# not me | x`\\x1b[31m<script>alert(1)</script>"
    assert "\x1b" not in text and "<script>" not in text.replace("\\<script", "")
    assert "100 classes apart: a\\|b, \\<img src=x\\>, class 0" in text and "class 27 and 70 more." in text


CASES = [
    ({}, "digits", "cc-by-4.0"),
    ({"model.pretrained": True}, "digits", "unknown"),  # apache-2.0 and CC BY 4.0: two that nobody may choose between
    ({}, "tiny-imagenet", "unknown"),
    ({}, "mnist", "cc-by-sa-3.0"),
    ({}, "fashion-mnist", "mit"),
    ({"model.pretrained": True}, "my-photos", "unknown"),
    ({"model.weights": "/x.npz", "model.pretrained": True}, "digits", "unknown"),
    ({"distill.teacher": "regnety_160"}, "digits", "unknown"),
]


@pytest.mark.parametrize(("config", "dataset", "expected"), CASES, ids=str)
def test_licences(home: Home, config: dict[str, Any], dataset: str, expected: str) -> None:
    """From scratch, the licence in timm's config is that of weights which were not used."""
    exported(trained(home))
    with home.store.writing() as db:
        db.execute("UPDATE runs SET dataset = ?", (dataset,))
    subject = read(opened(home), RUN)
    subject.facts.config.update(config)  # type: ignore[attr-defined]
    assert licence(subject) == expected
    assert all(one.stated for one in licences(subject))


def test_where_cards_go(home: Home, tmp_path: Path) -> None:
    for run in (RUN, OTHER):
        exported(trained(home, run))
    lab = opened(home)
    assert export(lab, "card", Request((RUN, OTHER), tmp_path / "cards"), silent) == [
        str(tmp_path / "cards" / f"{run}.md") for run in (RUN, OTHER)
    ]
    assert export(lab, "card", Request((RUN,), tmp_path / "own.md"), silent) == [str(tmp_path / "own.md")]
    with pytest.raises(UsageError, match="one file for 2 cards"):
        export(lab, "card", Request((RUN, OTHER), tmp_path / "two.md"), silent)
    (home.path / "runs" / OTHER / "model" / "README.md").write_text("by hand")
    with pytest.raises(UsageError, match="is there already; --force"):
        export(lab, "card", Request((RUN, OTHER)), silent)
    assert not (home.path / "runs" / RUN / "model" / "README.md").exists(), "all or none"
    assert (home.path / "runs" / OTHER / "model" / "README.md").read_text() == "by hand"


def test_a_run_without_a_model_has_no_card(home: Home) -> None:
    trained(home, state="diverged")
    with pytest.raises(Busy, match="is diverged and has no model/ to describe"):
        export(opened(home), "card", Request((RUN,)), silent)


def test_a_recipe_that_cannot_be_read_leaves_the_rest(home: Home) -> None:
    run = trained(home)
    exported(run)
    run.recipe.write_text("[model\n")
    write_json(run.labels, {"name": "first", "origins": 3})
    front, text = carded(home)
    assert front["model-index"] and "Trained again by" not in text and "| picked epoch |" in text
