"""Rows of the sources' tables as toggles: flipping switches leads to the preset of that row, and to its number."""

from __future__ import annotations

from functools import cache

import pytest

from engine.recipe import Preset, diff, presets, toggles

TIN = {
    "abl-randaugment": "randaugment", "abl-no-erasing": "no-erasing", "abl-crop": "simple-random-crop",
    "abl-no-drop-path": "no-drop-path", "abl-no-label-smoothing": "no-label-smoothing",
    "abl-autoaugment": "autoaugment", "abl-no-mixup": "no-mixup", "abl-rrc": "random-resized-crop",
    "abl-no-cutmix": "no-cutmix", "abl-ema": "ema", "opt-sgd": "sgd", "opt-sgd-nesterov": "sgd nesterov",
}  # fmt: skip
DEIT = {
    "bn": "bn", "bn-relu6": "bn relu6", "bn-wn": "bn weight-norm", "bn-wn-relu6": "bn weight-norm relu6",
    "bn-ffnbn": "bn ffn-bn", "ln-bn": "ln-bn", "ln-bn-relu6": "ln-bn relu6", "ln-bn-wn": "ln-bn weight-norm",
    "ln-bn-wn-relu6": "ln-bn weight-norm relu6",
}  # fmt: skip
NORMS = ("bn", "gn", "rescale")
ROWS = [
    *(("tin-swin-l-probe", words, f"tin-swin-l-{row}") for row, words in TIN.items()),
    *(
        (f"in1k-deit-{size}-ln", words, f"in1k-deit-{size}-{row}")
        for size in ("t", "s", "b", "l12")
        for row, words in DEIT.items()
    ),
    *(
        (f"{data}-vit-{model}-ln", norm, f"{data}-vit-{model}-{norm}")
        for data in ("c10", "c100")
        for model in ("b16", "b32", "l16", "l32")
        for norm in NORMS
    ),
    *(("c10-vit-ln-mini", norm, f"c10-vit-{norm}-mini") for norm in NORMS),
    *((f"in1k-swin-{s}-bn-wn", "relu6", f"in1k-swin-{s}-bn-wn-relu6") for s in ("t", "s")),
    *((f"in1k-swin-{s}-bn-wn-relu6", "no-weight-norm", f"in1k-swin-{s}-bn-relu6") for s in ("t", "s")),
]


@cache
def shipped() -> dict[str, Preset]:
    return {preset.name: preset for preset in presets.load_all()}


def test_flipping_switches_leads_to_the_preset_of_the_row() -> None:
    assert len(ROWS) == 12 + 36 + 24 + 3 + 4
    for base, words, row in ROWS:
        flipped = toggles.apply(shipped()[base].recipe, words.split(), shipped()[base].toggles)
        assert diff(flipped, shipped()[row].recipe) == [], (base, words, row)
        assert diff(flipped, shipped()[base].recipe), (base, words)


@pytest.mark.parametrize(("base", "words", "row"), [ROWS[6], ROWS[11], ROWS[38], ROWS[48], ROWS[-1]])
def test_the_row_is_found_again_as_a_twin(base: str, words: str, row: str) -> None:
    flipped = toggles.apply(shipped()[base].recipe, words.split(), shipped()[base].toggles)
    found = presets.twin(flipped, shipped()[base].family)
    assert found is not None and found.name == row and found.references == shipped()[row].references


def test_what_is_no_preset_has_no_twin() -> None:
    base = shipped()["tin-swin-l-probe"]
    both = toggles.apply(base.recipe, ["no-mixup", "no-cutmix"], base.toggles)
    assert presets.twin(both, base.family) is None
    assert presets.twin(base.recipe, "compact") is None


@pytest.mark.parametrize(
    ("prefix", "side"),
    [
        *((f"augreg-transfer-{data}", 448) for data in ("pets", "flowers", "c10", "c100")),
        ("augreg-transfer-kitti", 384), ("augreg-transfer-in1k-b16-384", 384), ("c100-vit-l16-orig-384", 384),
        ("augreg-grid-i1k300-ti16", 256), ("augreg-scratch-pets-b32", 256), ("in1k-deit-b-ln", 256),
        ("in1k-swin-s-ln", 256), ("in1k-cct14-7x2-224", 248), ("in1k-cct14-7x2-384", 426), ("tin-swin-l-probe", 384),
        ("c10-vit-b16-ln", 224),
    ],
)  # fmt: skip
def test_evaluation_images_are_resized_to_the_side_of_the_source(prefix: str, side: int) -> None:
    recipe = shipped()[prefix].recipe
    assert isinstance(recipe.data.img_size, int) and isinstance(recipe.evaluate.crop_pct, float)
    # timm's rule, which is the trainer's too: the whole part.
    assert int(recipe.data.img_size / recipe.evaluate.crop_pct) == side
