"""How published values are laid out as a table, and how they read."""

from __future__ import annotations

import pytest

from engine.recipe import Reference
from vitui.references import described, text_of
from vitui.studies.definition import Axis
from vitui.studies.published import NOTHING, Told, pivot, table


def told(value: float | None = None, metric: str = "top1", **more: object) -> Reference:
    return Reference.model_validate({"metric": metric, "value": value, "source": "a paper", **more})


def test_results_come_first_then_kinds_then_labels_as_they_appear() -> None:
    made = table([
        Told("a", (told(5.7e6, "params"), told(1.0, label="z"), told(2.0, kind="draft"), told(9.0, "top5"))),
        Told("b", (told(3.0, label="y"), told(4.0), told(5.0, kind="measured"), told(1.0, "epoch_seconds"),
                   told(6.0, kind="reproduction"))),
        Told("c", ()),
    ])  # fmt: skip
    assert [column.title for column in made.columns] == [
        "top-1 (published)", "top-1 (published, z)", "top-1 (published, y)", "top-1 (reproduction)",
        "top-1 (measured)", "top-1 (draft)", "top-5 (published)", "parameters (published)", "time per epoch (published)",
    ]  # fmt: skip
    texts = [[cell.text for cell in row.cells] for row in made.rows]
    assert texts[0] == ["–", "1.00", "–", "–", "–", "2.00", "9.00", "5.7M", "–"]
    assert texts[1] == ["4.00", "–", "3.00", "6.00", "5.00", "–", "–", "–", "0:01"]
    assert set(made.rows[2].cells) == {NOTHING}
    assert [column.judged for column in made.columns] == [True] * 7 + [False] * 2


AXES = [
    Axis.model_validate({"name": "model", "label": "Model", "levels": [{"name": "m", "label": "M"}, {"name": "n"}]}),
    Axis.model_validate({"name": "data", "levels": [{"name": "d", "label": "D"}, {"name": "e"}]}),
    Axis.model_validate({"name": "wd", "levels": [{"name": "0.1"}, {"name": "0.03"}]}),
]


def test_a_pivot_keeps_every_value_and_says_once_what_does_not_change() -> None:
    def row(model: str, data: str, wd: str, *references: Reference) -> Told:
        return Told(f"{model}/{data}/{wd}", references, {"model": model, "data": data, "wd": wd})

    seven, time = told(7e6, "params"), told(3.0, "train_minutes")
    made = pivot(
        [
            row("n", "e", "0.1", told(4.0), seven),
            row("m", "d", "0.1", told(1.0), seven, time),
            row("m", "d", "0.03", told(1.0), seven),
            row("m", "e", "0.1", told(2.0), seven, told(4.0, "train_minutes")),
            row("m", "e", "0.03", told(2.5, source="elsewhere")),
            row("n", "d", "0.1", told(outcome="NaN at epoch 3")),
            Told("beside the grid", (told(9.0),)),
        ],
        AXES[:1],
        AXES[1:2],
    )
    assert (made.down, made.across) == (("Model",), ("data",))
    assert [column.heading for column in made.columns] == [
        "D: top-1 (published)", "e: top-1 (published)", "top-1 (published)", "D: training time (published)",
        "e: training time (published)", "parameters (published)",
    ]  # fmt: skip
    assert [(row.label, *(cell.text for cell in row.cells)) for row in made.rows] == [
        ("M", "1.00", "2.00 / 2.50", "–", "3", "4", "7M"),
        ("n", "NaN at epoch 3", "4.00", "–", "–", "–", "7M"),
        ("beside the grid", "–", "–", "9.00", "–", "–", "–"),
    ]
    assert made.rows[0].levels == ("M",) and made.rows[0].cells[1].source == "a paper; elsewhere"
    assert made.rows[1].cells[0].value is None and made.rows[1].cells[1].value == 4.0


def test_a_pivot_has_a_row_for_variants_of_which_nobody_reported_anything() -> None:
    made = pivot([Told("x", (), {"model": "m", "data": "d"})], AXES[:1], AXES[1:2])
    assert [row.label for row in made.rows] == ["M"] and made.columns == ()


@pytest.mark.parametrize(
    ("reference", "text", "line"),
    [
        (told(91.1, split="val", tolerance=0.3), "91.10", "91.10 ± 0.3  top1 on val, published"),
        (told(70.0, decimals=0, label="x"), "70", "70 ± 0.5  top1 on test, published (x)"),
        (told(2.3, "loss", kind="draft"), "2.3", "2.3 ± 0.5  loss on test, draft"),
        (told(5.7e6, "params"), "5.7M", "5.7M  parameters, published"),
        (told(3.19e6, "params", decimals=3), "3.190M", "3.190M  parameters, published"),
        (told(330e9, "macs"), "330G", "330G  MACs, published"),
        (told(781e6, "checkpoint_bytes"), "781 MB", "781 MB  checkpoint, published"),
        (told(1.13e9, "checkpoint_bytes"), "1.13 GB", "1.13 GB  checkpoint, published"),
        (told(560.0, "epoch_seconds"), "9:20", "9:20 min  time per epoch, published"),
        (told(73.0, "train_minutes", decimals=1), "73.0", "73.0 min  training time, published"),
        (told(9371.0, "images_per_s"), "9371", "9371 images/s  throughput, published"),
        (told(-4.0, "gain"), "−4", "−4 points  gain, published"),
        (told(50.5, "coco_box_ap", decimals=1), "50.5", "50.5 %  COCO box AP, published"),
        (told(metric="train_minutes", outcome="about a day"), "about a day", "about a day  training time, published"),
        (told(outcome="NaN at epoch 3"), "NaN at epoch 3", "NaN at epoch 3  top1 on test, published"),
    ],
)
def test_a_value_reads_as_its_source_writes_it(reference: Reference, text: str, line: str) -> None:
    assert text_of(reference) == text
    assert described(reference) == line
