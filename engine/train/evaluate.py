"""Evaluation that counts every image exactly once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Score:
    """Sums over a split turned into metrics: top1 and top5 in percent, loss in nats an image."""

    images: int
    correct1: int
    correct5: int
    loss_sum: float
    classes: int

    @property
    def values(self) -> dict[str, float]:
        """Metric name -> value. top5 is left out where there are five classes or fewer, since it says nothing then."""
        out = {"top1": 100 * self.correct1 / self.images}
        if self.classes > 5:
            out["top5"] = 100 * self.correct5 / self.images
        out["loss"] = self.loss_sum / self.images
        return out


@torch.inference_mode()
def evaluate(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    autocast: Callable[[], AbstractContextManager[object]],
    stop: Callable[[], bool] = lambda: False,
) -> Score | None:
    """Score `model` on (images float32 [B,C,H,W], labels int64 [B]) batches; None if `stop` said so in between.

    Counts are integers summed on the device, the loss a float64 sum; read once at the end. Dropout is off, and the
    model is put back into the mode it was in.
    """
    was_training = model.training
    model.eval()
    totals: Tensor | None = None
    images = classes = 0
    try:
        for inputs, labels in batches:
            if stop():
                return None
            with autocast():
                logits = model(inputs)
            logits = logits.float()
            classes = logits.shape[1]
            ranked = logits.topk(min(5, classes), dim=1).indices == labels[:, None]
            batch = torch.stack(
                (
                    ranked[:, 0].sum().double(),
                    ranked.any(1).sum().double(),
                    F.cross_entropy(logits, labels, reduction="sum").double(),
                )
            )
            totals = batch if totals is None else totals + batch
            images += labels.shape[0]
    finally:
        model.train(was_training)
    if totals is None:
        raise ValueError("there is no image to evaluate on")
    correct1, correct5, loss = totals.tolist()
    return Score(images, int(correct1), int(correct5), loss, classes)
