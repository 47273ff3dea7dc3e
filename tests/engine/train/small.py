"""A trainer in this process on twenty-four random images, for what needs no whole run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.data.batches import EvalBatches, TrainBatches
from engine.data.pack import Split
from engine.journal import Journal, RunDir
from engine.recipe import validate
from engine.recipe.resolve import Facts, resolve
from engine.train.distill import Distillation
from engine.train.loop import Splits, Trainer
from engine.train.stop import StopFlag


def small_trainer(
    path: Path, recipe: dict[str, Any], fingerprint: str = "f", model: nn.Module | None = None,
    distillation: Distillation | None = None,
) -> Trainer:  # fmt: skip
    """BatchNorm and a linear layer on 4x4 images of three classes; 6 steps of 4 images an epoch unless said otherwise.

    The journal is `path`/journal.jsonl, its writes unbuffered.
    """
    run = RunDir(path)
    run.checkpoints.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    split = Split("train", rng.integers(0, 256, (24, 4, 4, 1), np.uint8), np.arange(24) % 3)
    train = {"batch_size": 4, "epochs": 2, **recipe.get("train", {})}
    resolved = resolve(validate({**recipe, "train": train}), Facts(image_size=4, train_bytes=384, free_memory=10**9))
    device = torch.device("cpu")
    torch.set_num_threads(1)  # as the session decides for so small a model
    batches = TrainBatches(split, None, resolved, mean=[0.5], std=[0.3], classes=3, device=device)
    evaluation = EvalBatches(split, None, resolved, mean=[0.5], std=[0.3], device=device)
    if model is None:
        torch.manual_seed(0)
        model = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(16, 3))
    splits = Splits(batches, evaluation, "test", evaluation, "test", fingerprint)
    return Trainer(run, resolved, model, splits, Journal(run.journal, 1), device, StopFlag(), distillation)
