"""One real preset of every family takes an optimiser step: its own model, augmentation, mixing, loss, groups and rates.

Sizes of models are the published ones; weights are random, images are noise, batches tiny.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.data.batches import EvalBatches, TrainBatches
from engine.data.normalize import mean_std
from engine.data.pack import Split
from engine.journal import Journal, RunDir, read_all
from engine.models.build import build
from engine.models.rescale import BiasLayer
from engine.recipe import Recipe, compose, datasets, parse_set, presets, toggles
from engine.recipe.compose import Layer
from engine.recipe.resolve import Facts, resolve
from engine.train.loop import Splits, Trainer
from engine.train.stop import StopFlag
from engine.train.trained import set_training_mode

# A batch of four, no half precision on a CPU, no pretrained weights, and a warm-up that fits so short a run.
SMALL = ("train.batch_size=4", "train.grad_accum_steps=1", "train.precision=fp32", "model.pretrained=false")


def adjusted(name: str, sets: tuple[str, ...], words: tuple[str, ...]) -> Recipe:
    """The resolved recipe of a preset with overrides and toggles."""
    preset = presets.load(name)
    recipe, _ = compose([*preset.layers, *(Layer("--set", parse_set(s)) for s in (*SMALL, *sets))])
    recipe = toggles.apply(recipe, words, preset.toggles)
    spec = datasets.get(recipe.data.dataset)
    facts = Facts(image_size=(spec.size or (spec.pack_size,))[0], train_bytes=1, splits=tuple(spec.splits))
    return resolve(recipe, facts)


class Stepped:
    """A trainer of a preset, `steps` optimiser steps later, and what was seen on the way."""

    def __init__(self, folder: Path, recipe: Recipe, steps: int) -> None:
        spec = datasets.get(recipe.data.dataset)
        side = (spec.size or (spec.pack_size,))[0]
        rng, count = np.random.default_rng(0), recipe.train.batch_size * steps
        images = rng.integers(0, 256, (count, side, side, spec.channels), np.uint8)
        split = Split("train", images, rng.integers(0, spec.class_count, count))
        assert isinstance(recipe.data.img_size, int)
        built = build(recipe, channels=spec.channels, classes=spec.class_count, img_size=recipe.data.img_size)
        mean, std = mean_std(recipe.data.normalize, spec, {})
        device = torch.device("cpu")
        train = TrainBatches(split, None, recipe, mean=mean, std=std, classes=spec.class_count, device=device)
        judge = EvalBatches(split, None, recipe, mean=mean, std=std, device=device)
        run = RunDir(folder)
        run.path.mkdir(exist_ok=True)
        journal = Journal(run.journal, 1)
        self.model = built.model
        splits = Splits(train, judge, "val", judge, "val", "f")
        trainer = Trainer(run, recipe, self.model, splits, journal, device, StopFlag())
        self.before = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.trainable = {name for name, p in self.model.named_parameters() if p.requires_grad}
        self.gradients: list[dict[str, Tensor]] = []
        self.rates: list[float] = []
        trainer.optimizer.register_step_pre_hook(lambda optimizer, *_: self._note(optimizer))
        set_training_mode(self.model, recipe)
        batches = train.epoch(0)
        for _ in range(steps):
            trainer._step(batches, recipe.train.grad_accum_steps)
        trainer._log(everything=True)
        journal.close()
        told = [event for event in read_all(run.journal) if event["kind"] == "metrics"]
        self.losses: list[float] = [loss for event in told for loss in event["values"]["train/loss"]]

    def _note(self, optimizer: torch.optim.Optimizer) -> None:
        self.gradients.append({n: p.grad.clone() for n, p in self.model.named_parameters() if p.grad is not None})
        self.rates.append(optimizer.param_groups[0]["lr"])

    def changed(self) -> set[str]:
        """Parameters and buffers that are not what they were."""
        now = self.model.state_dict()
        return {name for name, value in self.before.items() if not torch.equal(now[name], value)}


# Learning rates of the first step are worked out by hand from the sources, losses are those of guessing.
CASES: dict[str, dict[str, Any]] = {
    "demo-digits": {"rate": 1e-6, "loss": math.log(10)},
    "tin-deit-b-dist-probe": {
        # At 96 px in place of 384, since everything below the two classifiers of 200 on 768 features is frozen.
        "sets": ("data.img_size=96", "train.grad_accum_steps=2"), "rate": 1e-3, "loss": math.log(200),
        "trained": 2 * 200 * 769,
    },
    # Harmonic: a fifth of the peak in the first of five epochs.
    "c10-cct-2-3x2-200": {"rate": 5e-4 / 5, "loss": math.log(10), "trained": 283_723},
    "c10-cct7-300": {"rate": 1e-5, "loss": math.log(10), "trained": 3_760_139},
    "augreg-grid-i1k300-ti16": {
        # The new classifier starts at zero, so that the first step reaches nothing below it: hence two. Its bias alone
        # makes the loss of the first: 1,000 times what a "no" at -6.9 costs, and 6.9 for the one "yes".
        "sets": ("schedule.warmup_steps=0",), "words": ("augreg-medium2", "augreg-reg"), "steps": 2, "rate": 1e-3,
        "loss": 1000 * math.log1p(math.exp(-6.9)) + 6.9, "within": 1e-3, "trained": 5_717_416,
    },
    "in1k-deit-t-bn-wn-relu6": {"rate": 1e-6, "loss": math.log(1000), "statistics": 25},
    "in1k-swin-t-bn-wn-relu6": {"rate": 2.5e-7, "loss": math.log(1000), "statistics": 29},
    "c10-vit-b32-rescale": {"sets": ("schedule.warmup_steps=0",), "rate": 0.05, "loss": math.log(10)},
}  # fmt: skip


pytestmark = pytest.mark.usefixtures("one_thread")


def test_every_family_has_a_case() -> None:
    assert {presets.load(name).family for name in CASES} == {preset.family for preset in presets.load_all()}


@pytest.mark.parametrize("name", CASES)
def test_a_step_of_a_real_preset(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    recipe = adjusted(name, case.get("sets", ()), case.get("words", ()))
    done = Stepped(tmp_path / "run", recipe, steps := case.get("steps", 1))
    assert len(done.losses) == steps and all(math.isfinite(loss) for loss in done.losses)
    assert done.losses[0] == pytest.approx(case["loss"], abs=case.get("within", 0.6))
    assert done.rates[0] == pytest.approx(case["rate"], rel=1e-6)
    for gradients in done.gradients:
        assert gradients.keys() == done.trainable
        assert all(bool(gradient.isfinite().all()) for gradient in gradients.values())

    parameters = dict(done.model.named_parameters())
    assert done.changed() & parameters.keys() == done.trainable, "each of them, and nothing that is frozen"
    trained = sum(parameters[n].numel() for n in done.trainable)
    assert trained == case.get("trained", trained)
    means = [key for key in done.before if key.endswith("running_mean")]
    assert len(means) == case.get("statistics", 0) and done.changed().issuperset(means)
    counts = [int(module.count) for module in done.model.modules() if isinstance(module, BiasLayer)]
    assert counts == [steps] * (2 * 12 if recipe.model.norm == "rescale" else 0), "two a block"
    if recipe.train.scope == "head":
        assert done.changed() == {"head.weight", "head.bias", "head_dist.weight", "head_dist.bias"}
