"""What presets say of models, held against the models: parameters, and the constants of pretrained weights."""

from __future__ import annotations

import json
import re

import pytest

pytest.importorskip("torch")

from timm.models import get_pretrained_cfg

from engine.data.normalize import mean_std
from engine.models.build import build
from engine.recipe import datasets, presets


def test_parameters_in_descriptions_are_those_of_the_models() -> None:
    counted: dict[str, tuple[int, int]] = {}
    claims = 0
    for preset in presets.load_all():
        text = " ".join(preset.description.split())
        said = re.match(r"All ([\d.]+)M parameters|([\d.]+)M parameters", text)
        if not said or preset.recipe.model.activation == "relu6":  # which has no parameters: as without it
            continue
        model, data = preset.recipe.model, datasets.get(preset.recipe.data.dataset)
        classes = 10 if "with 10 classes" in text else data.class_count
        size = preset.recipe.data.img_size
        side = size if isinstance(size, int) else 32
        key = json.dumps([model.model_dump(mode="json"), classes, side, preset.recipe.train.scope])
        if key not in counted:
            made = build(preset.recipe, channels=3, classes=classes, img_size=side, device="meta").model
            parameters = list(made.parameters())
            counted[key] = sum(p.numel() for p in parameters), sum(p.numel() for p in parameters if p.requires_grad)
        digits = said[1] or said[2]
        decimals = len(digits.partition(".")[2])
        assert round(counted[key][0] / 1e6, decimals) == float(digits), preset.name
        if head := re.search(r"the ([\d,]+) of the (?:two )?new classifiers? (?:is|are) trained", text):
            assert counted[key][1] == int(head[1].replace(",", "")), preset.name
            claims += 1
    assert claims == 4 and len(counted) > 25


def test_trap_T18_presets_normalise_as_their_pretrained_weights_do() -> None:
    others = {}
    for preset in presets.load_all():
        model, data = preset.recipe.model, preset.recipe.data
        if not model.pretrained:
            continue
        cfg = get_pretrained_cfg(model.name)
        kind = "weights" if data.normalize == "auto" else data.normalize
        used = mean_std(kind, datasets.get(data.dataset), {"mean": cfg.mean, "std": cfg.std})
        if used != (cfg.mean, cfg.std):
            others[preset.name] = kind
    # As their sources do: ImageNet's constants for weights that had 0.5, and those of the flowers.
    assert others == {"tin-vit-l-probe": "imagenet", "flowers-cct14-384": "dataset"}
