"""Evaluation that counts every image exactly once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.train.loss import Loss, loss_per_image


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
    loss: Loss = "cross-entropy",
) -> Score | None:
    """Score `model` on (images float32 [B,C,H,W], labels int64 [B]) batches; None if `stop` said so in between.

    Counts are integers summed on the device, the loss a float64 sum; read once at the end. `loss` is what the run
    minimises, so that training and evaluation are curves of one kind; labels are not smoothed. Dropout is off, and
    every module is put back into the mode it was in.
    """
    modes = [(module, module.training) for module in model.modules()]
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
                    loss_per_image(logits, labels, loss).sum().double(),
                )
            )
            totals = batch if totals is None else totals + batch
            images += labels.shape[0]
    finally:
        for module, training in modes:
            module.training = training
    if totals is None:
        raise ValueError("there is no image to evaluate on")
    correct1, correct5, loss_sum = totals.tolist()
    return Score(images, int(correct1), int(correct5), loss_sum, classes)
