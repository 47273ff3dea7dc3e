"""What is minimised, an image at a time."""

from __future__ import annotations

import math
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

Loss = Literal["cross-entropy", "sigmoid"]


def loss_per_image(logits: Tensor, targets: Tensor, kind: Loss, smoothing: float = 0.0) -> Tensor:
    """Loss of each image in nats, float32 [B], from logits float32 [B, K].

    `targets` are classes, int64 [B], to which `smoothing` is applied, or soft ones, float32 [B, K], which hold theirs
    already (as timm's Mixup makes them). "sigmoid" is the binary cross-entropy of every class, *summed* over the
    classes (big_vision, utils.py, sigmoid_xent): K times what torch's own mean would give, and so the gradients.
    """
    soft = targets.is_floating_point()
    if kind == "cross-entropy":
        return F.cross_entropy(logits, targets, reduction="none", label_smoothing=0.0 if soft else smoothing)
    if not soft:
        classes = logits.shape[1]
        targets = F.one_hot(targets, classes).to(logits.dtype) * (1 - smoothing) + smoothing / classes
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(1)


def loss_of_guessing(kind: Loss, classes: int) -> float:
    """Loss in nats of a model whose logits are all zero, as those of a new one nearly are."""
    return math.log(classes) if kind == "cross-entropy" else classes * math.log(2)
