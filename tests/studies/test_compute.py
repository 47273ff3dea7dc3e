"""What runs cost, from rows as the worker writes them, and their accuracy against it in every form."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from typer.testing import CliRunner

from vitui.cli import app
from vitui.cli.plot import WIDTH_LIMIT
from vitui.errors import UsageError
from vitui.studies.compute import Tradeoff, scaled
from vitui.studies.formats.search import TRADEOFF_FORMATS, text
from vitui.studies.formats.search_plots import plot
from vitui.text import cell_width

from .homes import StudyHome

SEARCH = """
title = "Searched"
base = "demo-digits"
seeds = [0]
[search]
n = 4
[search.fields]
optim.lr = { low = 1e-4, high = 1e-2, log = true }
"""
MACS, STEPS, BATCH = 1.1e7, 300, 32


@pytest.fixture
def searched(home: StudyHome) -> StudyHome:
    home.write("s", SEARCH)
    for variant, value in zip(home.planned("s").variants, (80.0, 82.0, 84.0, 86.0, 88.0), strict=True):
        home.run(variant, 0, value, batch_size=BATCH)
    return home


def changed(home: StudyHome, run: str, **columns: Any) -> None:
    with home.lab.store.writing() as db:
        for name, value in columns.items():
            db.execute(f"UPDATE runs SET {name} = ? WHERE id = ?", (value, run))


def configured(home: StudyHome, run: str, **fields: str) -> None:
    with home.lab.store.writing() as db:
        for name, value in fields.items():
            key = name.replace("__", ".")
            db.execute("UPDATE run_config SET value = ? WHERE run = ? AND key = ?", (value, run, key))


def by_run(found: Tradeoff) -> dict[str, float]:
    return {point.run: point.compute for point in found.points}


def test_multiply_adds_are_three_forward_passes_of_all_images(searched: StudyHome) -> None:
    found = searched.lab.study_tradeoff(["s"])
    assert found.axis.key == "macs" and {point.group for point in found.points} == {"scratch"}
    assert set(by_run(found).values()) == {MACS * 3 * STEPS * BATCH}
    assert (found.points[0].score, found.points[0].select) == (80.0, 81.0)
    # A frozen model is passed through once; its gradients are those of the classifier alone.
    run = found.points[0].run
    configured(searched, run, train__scope="head")
    again = searched.lab.study_tradeoff(["s"])
    assert by_run(again)[run] == MACS * STEPS * BATCH
    assert any("x 1 where only the classifier" in note.text for note in again.notes)


def test_seconds_are_of_all_gpus_and_images_of_all_updates(searched: StudyHome) -> None:
    run = searched.lab.study_tradeoff(["s"]).points[0].run
    changed(searched, run, gpus=4)
    seconds = by_run(searched.lab.study_tradeoff(["s"], axis="seconds"))
    assert seconds.pop(run) == 4 * 58.0 and set(seconds.values()) == {58.0}
    assert set(by_run(searched.lab.study_tradeoff(["s"], axis="images")).values()) == {float(STEPS * BATCH)}
    changed(searched, run, placed="GPU 0 NVIDIA H200")
    unfair = [note.text for note in searched.lab.study_tradeoff(["s"], axis="seconds").notes if note.unfair]
    assert unfair == ["runs are from different devices: gpubox GPU 0 NVIDIA H200, gpubox cpu; times cannot be compared"]


def test_what_is_known_of_all_runs_is_across_unless_the_study_says_otherwise(searched: StudyHome) -> None:
    run = searched.lab.study_tradeoff(["s"]).points[0].run
    with searched.lab.store.writing() as db:
        db.execute("DELETE FROM events WHERE run = ? AND kind = 'model'", (run,))
    assert searched.lab.study_tradeoff(["s"]).axis.key == "seconds"
    asked = searched.lab.study_tradeoff(["s"], axis="macs")
    assert len(asked.points) == 4 and any("1 runs are left out" in note.text for note in asked.notes)
    searched.write("s", f'{SEARCH}\n[report]\nx = "images"')
    assert searched.lab.study_tradeoff(["s"]).axis.key == "images"
    assert searched.lab.study_tradeoff(["s"], axis="auto").axis.key == "seconds"


def test_runs_that_diverged_are_counted_as_cost(home: StudyHome) -> None:
    home.write("s", SEARCH)
    first, second, *_ = home.planned("s").variants
    home.run(first, 0, 80.0, batch_size=BATCH)
    lost = home.run(second, 0, state="diverged", batch_size=BATCH)
    found = home.lab.study_tradeoff(["s"], axis="seconds")
    assert by_run(found)[lost] == 60.0  # from its start to its end: it does not say itself
    assert (found.bands[0].runs, len(found.frontiers[0].points)) == (2, 1)
    assert any("1 runs diverged" in note.text for note in found.notes)


def test_scratch_and_transfer_of_two_studies_are_compared(searched: StudyHome) -> None:
    searched.write("t", SEARCH.replace("Searched", "Moved").replace("seed = 0", "") + "[set]\ntrain.epochs = 3\n")
    for variant, value in zip(searched.planned("t").variants, (90.0, 91.0, 92.0, 93.0, 94.0), strict=True):
        configured(searched, searched.run(variant, 0, value, batch_size=BATCH, step=30), model__pretrained="true")
    found = searched.lab.study_tradeoff(["s", "t"])
    assert [band.group for band in found.bands] == ["scratch", "transfer"]
    assert found.title == "Searched and Moved"
    said = "\n".join(found.words)
    assert "transfer is as good as the best of scratch with 31.7 GMACs, 10 times less" in said
    assert "no run of scratch reaches the best of transfer; it is 6.00 points short" in said
    assert "the bands do not overlap" in said
    assert any(note.text == "transfer: what its weights cost is not counted" for note in found.notes)
    alone = searched.lab.study_tradeoff(["s", "t"], by="none")
    assert [(band.group, band.runs) for band in alone.bands] == [("all runs", 10)]
    assert searched.lab.study_tradeoff(["s"], by="model").bands[0].group == "vit_tiny_patch16_224"


def test_a_sampled_field_across(searched: StudyHome) -> None:
    found = searched.lab.study_tradeoff(["s"], axis="optim.lr")
    variants = {variant.name: variant.sampled for variant in searched.planned("s").variants}
    assert {point.variant: point.x for point in found.points} == {
        name: sampled["optim.lr"] for name, sampled in variants.items() if sampled
    }
    assert found.bands == () and found.axis.log
    assert "optim.lr" in plot(found, "search", 80) and "search-" in TRADEOFF_FORMATS["csv"](found, "search")


def test_what_cannot_be_shown_is_said(home: StudyHome) -> None:
    home.write("s", SEARCH)
    with pytest.raises(UsageError, match=r"no run of s has a result yet; `vitui study run s`"):
        home.lab.study_tradeoff(["s"])
    home.run(home.planned("s").variants[0], 0, 80.0)  # no batch size: neither images nor multiply-adds
    assert home.lab.study_tradeoff(["s"]).axis.key == "seconds"
    with pytest.raises(UsageError, match="of no run of s with a result the images seen in training are known"):
        home.lab.study_tradeoff(["s"], axis="images")
    with pytest.raises(
        UsageError, match=r'"optim\.lrr" is nothing a plot can have across; known: macs, seconds, images'
    ):
        home.lab.study_tradeoff(["s"], axis="optim.lrr")
    with pytest.raises(UsageError, match='cannot be grouped by "aug"; known: start, model, none'):
        home.lab.study_tradeoff(["s"], by="aug")
    home.write("loss", SEARCH + '[report]\nmetric = "loss"')
    with pytest.raises(UsageError, match="study s reports top1, loss reports loss"):
        home.lab.study_tradeoff(["s", "loss"])


@pytest.mark.parametrize("kind", ["search", "compute"])
def test_every_form_says_the_same(searched: StudyHome, kind: str) -> None:
    for n, run in enumerate(point.run for point in searched.lab.study_tradeoff(["s"]).points):
        changed(searched, run, step=STEPS * (n + 1))
    found = searched.lab.study_tradeoff(["s"])
    document = json.loads(TRADEOFF_FORMATS["json"](found, kind))
    assert len(document["points"]) == 5 and document["axis"]["unit"] == "MACs"
    lines = list(csv.DictReader(io.StringIO(TRADEOFF_FORMATS["csv"](found, kind))))
    if kind == "search":
        assert [float(line["budget"]) for line in lines] == document["bands"][0]["budgets"]
        assert [line["median"] for line in lines] == [
            "" if one is None else str(one) for one in document["bands"][0]["median"]
        ]
    else:
        assert [float(line["score"]) for line in lines if line["on_frontier"] == "true"] == [
            80.0,
            82.0,
            84.0,
            86.0,
            88.0,
        ]
    for form in ("table", "md", "latex", "html"):
        assert "88.00" in TRADEOFF_FORMATS[form](found, kind)
    assert all(cell_width(line) <= 80 for line in text(found, kind, 80).splitlines())
    picture = ElementTree.fromstring(TRADEOFF_FORMATS["svg"](found, kind))
    assert picture.tag.endswith("svg") and "88.00 %" in "".join(picture.itertext())
    for width in (60, WIDTH_LIMIT):
        drawn = plot(found, kind, width).splitlines()
        assert all(cell_width(line) <= width for line in drawn[:-1]) and max(map(cell_width, drawn[:-1])) > width - 4


def test_names_from_files_stay_text(searched: StudyHome) -> None:
    searched.write("s", SEARCH.replace('"Searched"', '"<b>&\\u001b[31m"'))
    found = searched.lab.study_tradeoff(["s"])
    for form, write in TRADEOFF_FORMATS.items():
        assert "\x1b" not in write(found, "compute"), form
    assert ElementTree.fromstring(TRADEOFF_FORMATS["svg"](found, "compute")) is not None


def test_numbers_of_any_size_are_short() -> None:
    assert [scaled(n) + "MACs" for n in (7.0, 1_500.0, 2.5e10, 1.234e15, 9.99e20)] == [
        "7 MACs", "1.50 kMACs", "25.0 GMACs", "1.23 PMACs", "999 EMACs",
    ]  # fmt: skip


def test_the_command_line_draws_it_and_a_whole_page_has_it(searched: StudyHome) -> None:
    def told(*words: str) -> str:
        result = CliRunner().invoke(app, ["--home", str(searched.lab.home), "study", "report", "s", *words])
        assert result.exit_code == 0, result.output
        return result.stdout

    drawn = told("--plot", "search")
    assert "● scratch: median, · 5th and 95th percentile" in drawn and "88.00" in drawn
    assert "optim.lr" in told("--plot", "search", "--x", "optim.lr")
    searched.write("s", f'{SEARCH}\n[report]\nx = "optim.lr"')
    assert "optim.lr, at equal ratios" in told("--plot", "search")
    assert "multiply-adds of training" in told("--plot", "compute") and "MACs" in told(
        "--plot", "search", "--x", "macs"
    )
    page = told("--format", "html")
    assert "Random search with a budget" in page and "Accuracy against compute" in page
