"""Exchanged modules and teachers inside the loop: stops, kills, averaging, mixing and accumulation together."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from torch import nn

from engine.models.norms import modify
from engine.models.rescale import BiasLayer
from engine.recipe.fields.model import Distill
from engine.recipe.schema import Model
from engine.train import checkpoint
from engine.train.distill import Distillation
from engine.train.loop import Trainer
from engine.train.stop import Stopped
from tests.engine.train.small import small_trainer
from tests.engine.train.test_loop import Killed, kill_after, stop_after, surviving
from tests.engine.train.test_trained import deit, teach

SOFT = {"kind": "soft", "teacher": "somebody", "alpha": 0.25, "tau": 2.0}
RECIPE: dict[str, Any] = {
    "train": {"batch_size": 8, "grad_accum_steps": 2, "steps": 13, "checkpoint_every_steps": 2},
    "evaluate": {"every_steps": 2},
    "regularize": {"ema": 0.9, "label_smoothing": 0.1},
    "mix": {"mixup": 0.5, "cutmix": 0.5, "off_epoch": 3},
}


def vit(**change: Any) -> nn.Module:
    torch.manual_seed(0)
    model: nn.Module = timm.create_model(
        "vit_tiny_patch16_224", img_size=4, patch_size=2, in_chans=1, num_classes=3, embed_dim=8, depth=2, num_heads=2,
        drop_path_rate=0.3, proj_drop_rate=0.2,
    )  # fmt: skip
    modify(model, Model(norm_eps=1e-5, **change), name="vit")
    return model


CASES: dict[str, tuple[Callable[[], nn.Module], dict[str, Any]]] = {
    "rescale": (lambda: vit(norm="rescale-paper"), {}),
    "weight-norm": (lambda: vit(norm="bn", weight_norm=True, ffn_norm="before-act"), {"optim": {"layer_decay": 0.7}}),
    "distilled": (lambda: deit(proj_drop_rate=0.2), {"distill": SOFT}),
}


def trainer_for(path: Path, case: str) -> Trainer:
    model, change = CASES[case]
    distillation = Distillation(Distill.model_validate(SOFT), teach) if "distill" in change else None
    return small_trainer(path, {**RECIPE, **change}, model=model(), distillation=distillation)


@pytest.mark.parametrize("case", CASES)
def test_stops_and_kills_leave_no_trace_in_changed_models(tmp_path: Path, case: str) -> None:
    """Rescale is interrupted inside its calibration, at 2 and 6 of 8 passes, and evaluated inside it."""
    whole = trainer_for(tmp_path / "whole", case)
    whole.train()
    broken = trainer_for(tmp_path / "broken", case)
    for ask, step in ((stop_after, 1), (kill_after, 3), (stop_after, 9), (kill_after, 12)):
        ask(broken, step)
        with contextlib.suppress(Stopped, Killed):
            broken.train()
        broken.journal.close()
        broken = trainer_for(tmp_path / "broken", case)
        content, _ = checkpoint.recover(broken.run)
        assert content is not None
        broken.restore(content)
        broken.journal.event("resumed", step=broken.progress.step, epoch=broken.epoch, path="")
    broken.train()
    for name in ("last", "best"):
        a, b = (checkpoint.load(getattr(trainer.run, name)) for trainer in (whole, broken))
        for part in ("model", "ema"):
            assert all(torch.equal(value, b[part][key]) for key, value in a[part].items())
    assert surviving(whole) == surviving(broken)
    for layer in (m for m in whole.model.modules() if isinstance(m, BiasLayer)):
        assert layer.count == 8


def test_a_distilled_accumulated_step_on_mixed_images_equals_one_by_hand(tmp_path: Path) -> None:
    """The teacher sees the mixed images; smoothing is in the soft targets once; every micro-batch counts its half."""
    plain = {
        "optim": {"name": "sgd", "lr": 0.5, "momentum": 0.0, "weight_decay": 0.0}, "schedule": {"name": "constant"},
        "train": {"batch_size": 8, "grad_accum_steps": 2}, "distill": SOFT, "mix": {"mixup": 0.8},
    }  # fmt: skip
    smooth = {**plain, "regularize": {"label_smoothing": 0.1}}
    distillation = Distillation(Distill.model_validate(SOFT), teach)
    trainer = small_trainer(tmp_path / "smooth", smooth, model=deit(), distillation=distillation)
    other = small_trainer(tmp_path / "plain", plain, model=deit(), distillation=distillation)
    pairs, unsmoothed = (list(t.splits.train.epoch(0))[:2] for t in (trainer, other))
    by_hand: Any = deit()
    by_hand.set_distilled_training(True)
    for images, targets in unsmoothed:
        first, second = by_hand(images)
        labels = -((0.9 * targets + 0.1 / 3) * first.log_softmax(1)).sum() / 4
        p, q = (teach(images) / 2).softmax(1), (second / 2).softmax(1)
        teacher = (p * (p / q).log()).sum() * 2**2 / (4 * 3)
        ((0.75 * labels + 0.25 * teacher) / 2).backward()
    trainer._step(iter(pairs), 2)
    for ours, reference in zip(trainer.model.parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(ours, reference - 0.5 * reference.grad)
