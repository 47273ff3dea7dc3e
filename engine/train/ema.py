"""Exponential moving average of weights and buffers."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


def decay_at(update: int, decay: float, warmup: bool) -> float:
    """Decay of update `update` (0-based): ``min(decay, (1 + t) / (10 + t))`` with warm-up, as TensorFlow's average."""
    return min(decay, (1 + update) / (10 + update)) if warmup else decay


class Ema:
    """A second copy of the model that follows it. Floating buffers (BatchNorm) are averaged, counters copied."""

    def __init__(self, model: nn.Module, decay: float, warmup: bool) -> None:
        self.decay = decay
        self.warmup = warmup
        self.module = copy.deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, model: nn.Module, step: int, applied: Tensor | None = None) -> None:
        """Move towards `model` after update number `step` (0-based).

        `applied` is a float scalar on the device, 1 where the update happened and 0 where it was skipped for a
        non-finite gradient; the average then stays, without the host having to know.
        """
        weight = 1 - decay_at(step, self.decay, self.warmup)
        own = self.module.state_dict()
        source = model.state_dict()
        averaged = [k for k, v in own.items() if v.is_floating_point()]
        shadow = [own[k] for k in averaged]
        delta = torch._foreach_sub([source[k].to(own[k].dtype) for k in averaged], shadow)
        if applied is not None:
            torch._foreach_mul_(delta, applied * weight)
        else:
            torch._foreach_mul_(delta, weight)
        torch._foreach_add_(shadow, delta)
        for key, value in own.items():
            if not value.is_floating_point():
                value.copy_(source[key])
