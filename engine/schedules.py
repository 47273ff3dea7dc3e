"""Learning-rate curves as pure functions of the optimiser step. Torch-free, so that a form can plot them."""

from __future__ import annotations

import math

from engine.recipe.schema import Cosine, Recipe


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Learning rate used by optimiser update number `step` (0-based) of train.epochs * steps_per_epoch.

    Warm-up is linear from schedule.warmup_lr to optim.lr. The cosine is ``min + (lr - min) * (1 + cos(pi * t)) / 2``
    (Loshchilov and Hutter, SGDR, 2017, eq. 5, one cycle), with t running over the steps after the warm-up
    (warmup_prefix) or over all steps (timm's default, engine.md section 3).
    """
    schedule, peak = recipe.schedule, recipe.optim.lr
    total = recipe.train.epochs * steps_per_epoch
    warmup = round(schedule.warmup_epochs * steps_per_epoch)
    if step < warmup:
        return schedule.warmup_lr + (peak - schedule.warmup_lr) * step / warmup
    if not isinstance(schedule, Cosine):
        return peak
    start = warmup if schedule.warmup_prefix else 0
    t = min(1.0, (step - start) / max(1, total - start))
    return schedule.min_lr + (peak - schedule.min_lr) * 0.5 * (1 + math.cos(math.pi * t))
