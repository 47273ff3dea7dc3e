"""Learning from a teacher through the second head of a distilled model (DeiT, Touvron et al., 2021)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.models.errors import ModelError
from engine.recipe.fields.model import Distill


@dataclass(frozen=True)
class Distillation:
    """A teacher, and how much of it is learned."""

    how: Distill
    """The recipe's section, `kind` not "none"."""
    teach: Callable[[Tensor], Tensor]
    """Images as the student sees them, augmented and normalised [B, C, S, S] -> the teacher's logits [B, K]."""

    def taught(self, images: Tensor) -> Tensor:
        """The teacher's logits, float32 [B, K], outside the graph."""
        with torch.no_grad():
            return self.teach(images).float()

    def combine(self, base: Tensor, student: Tensor, teacher: Tensor) -> Tensor:
        """``(1 - alpha) * base + alpha * distillation``: `base` is the class head's loss, a scalar.

        `student` are the distillation head's logits, float32 [B, K]. Raises ModelError where the teacher's have another
        shape.
        """
        if student.shape != teacher.shape:
            raise ModelError(
                f"distill.teacher = {self.how.teacher!r} knows {teacher.shape[1]} classes and the model learns "
                f"{student.shape[1]}; use a teacher of the same dataset"
            )
        assert self.how.kind != "none"
        learned = distillation_loss(student, teacher, self.how.kind, self.how.tau)
        return (1 - self.how.alpha) * base + self.how.alpha * learned


def distillation_loss(student: Tensor, teacher: Tensor, kind: Literal["hard", "soft"], tau: float) -> Tensor:
    """How far the student's logits are from the teacher's, both float32 [B, K]; a scalar (DeiT, losses.py).

    hard: cross-entropy with the teacher's top class, the mean over images. soft: the Kullback-Leibler divergence of the
    distributions at temperature `tau`, summed over images and classes, times tau^2, divided by B * K (not by B).
    """
    if kind == "hard":
        return F.cross_entropy(student, teacher.argmax(dim=1))
    ours, theirs = F.log_softmax(student / tau, dim=1), F.log_softmax(teacher / tau, dim=1)
    return F.kl_div(ours, theirs, reduction="sum", log_target=True) * tau**2 / student.numel()
