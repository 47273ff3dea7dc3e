"""Learning-rate curves as pure functions of the optimiser step. Torch-free, so that a form can plot them.

What spans what. A run has N = `total_steps` updates, numbered 0 to N - 1, of S an epoch. W = `warmup_steps` of them are
the warm-up and C = schedule.cooldown_epochs * S the cool-down; both are inside N. The curve itself spans the N - C - W
steps between them (schedule.warmup_prefix), or the first N - C steps, its beginning hidden under the warm-up (timm's
default). In the cool-down the value stays where the curve ends.

schedule.unit says when a new value is taken: "step" at every step, "epoch" at the first step of each epoch, which then
keeps it. Epoch e gets the value that belongs to e: timm's `_get_lr(e)`, not that of the epoch before, which scripts
that call ``scheduler.step(epoch)`` after an epoch use twice at the start.
"""

from __future__ import annotations

import math
from typing import assert_never

from engine.recipe.errors import RecipeError
from engine.recipe.schema import Constant, Cosine, HandCosine, Lec, MultiStep, Recipe, WarmRestarts

# Cycles whose end is a whole step but for rounding end there.
_SLACK = 1e-12


def total_steps(recipe: Recipe, steps_per_epoch: int) -> int:
    """Optimiser updates of the whole run: train.steps, else train.epochs of `steps_per_epoch` (1 or more) each.

    Raises RecipeError when warm-up and cool-down, one of them counted in epochs and the other in steps, leave nothing.
    """
    total = recipe.train.steps or recipe.train.epochs * steps_per_epoch
    warmup, cooldown = warmup_steps(recipe, steps_per_epoch), _cooldown_steps(recipe, steps_per_epoch)
    if warmup + cooldown >= total:
        names = {"schedule.warmup_epochs": warmup, "schedule.cooldown_epochs": cooldown}
        if recipe.schedule.warmup_steps:
            names = {"schedule.warmup_steps": warmup, "schedule.cooldown_epochs": cooldown}
        parts = " and ".join(f"{name} ({steps} steps)" for name, steps in names.items() if steps)
        raise RecipeError(
            f"{parts} must be less than the whole run, which has {total} steps at {steps_per_epoch} an epoch"
        )
    return total


def warmup_steps(recipe: Recipe, steps_per_epoch: int) -> int:
    """Optimiser updates of the warm-up: schedule.warmup_steps, else schedule.warmup_epochs, rounded to whole steps."""
    return recipe.schedule.warmup_steps or round(recipe.schedule.warmup_epochs * steps_per_epoch)


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Learning rate of optimiser update number `step` (0-based); optim.lr is the peak, used as it stands.

    A linear warm-up rises from schedule.warmup_lr at step 0 to the peak at step W, where it would arrive. A harmonic
    one is ``lr / (W - t)`` (Compact-Transformers, examples/main.py), W and t counted in epochs, or in steps where
    schedule.warmup_steps gives its length; it never exceeds the peak. Raises RecipeError as `total_steps` does.
    """
    schedule, peak = recipe.schedule, recipe.optim.lr
    at = step if schedule.unit == "step" else step // steps_per_epoch * steps_per_epoch
    warmup = warmup_steps(recipe, steps_per_epoch)
    end = total_steps(recipe, steps_per_epoch) - _cooldown_steps(recipe, steps_per_epoch)
    if at < warmup:
        if schedule.warmup_kind == "linear":
            return schedule.warmup_lr + (peak - schedule.warmup_lr) * at / warmup
        left = (warmup - at) if schedule.warmup_steps else (warmup - at) / steps_per_epoch
        return peak / max(1.0, left)
    at = min(at, end)
    start = warmup if schedule.warmup_prefix else 0
    x, length = at - start, end - start
    match schedule:
        case Cosine():
            return _cosine(schedule, peak, x, length)
        case WarmRestarts():
            return _warm_restarts(schedule, peak, x, length, steps_per_epoch)
        case Lec():
            return _lec(schedule, peak, x, length)
        case HandCosine():
            return _hand_cosine(schedule, peak, x)
        case MultiStep():
            # Milestones are epochs of the run, wherever the warm-up ends (torch's MultiStepLR).
            return peak * schedule.gamma ** sum(at >= m * steps_per_epoch * (1 - _SLACK) for m in schedule.milestones)
        case Constant():
            return peak
        case _:
            assert_never(schedule)


def _cooldown_steps(recipe: Recipe, steps_per_epoch: int) -> int:
    return round(recipe.schedule.cooldown_epochs * steps_per_epoch)


def _cosine(schedule: Cosine, peak: float, x: int, length: int) -> float:
    """timm's CosineLRScheduler: `cycles` half cosines that fill `length`, each from its own peak to min_lr.

    Cycle i is cycle_mul**i times as long as the first, and its peak cycle_decay**i times optim.lr. After the last one:
    min_lr. (t_initial is the length of the first cycle, cycle_limit the number of cycles.)
    """
    mul, cycles = schedule.cycle_mul, schedule.cycles
    first = length / cycles if mul == 1 else length * (mul - 1) / (mul**cycles - 1)
    cycle, fraction = _cycle(x, first, mul)
    if cycle >= cycles:
        return schedule.min_lr
    return _half_cosine(peak * schedule.cycle_decay**cycle, schedule.min_lr, fraction)


def _warm_restarts(schedule: WarmRestarts, peak: float, x: int, length: int, steps_per_epoch: int) -> float:
    """torch's CosineAnnealingWarmRestarts; the run ends wherever it is, at min_lr where a cycle ends with it."""
    cycle, fraction = _cycle(x, schedule.first_cycle_epochs * steps_per_epoch, schedule.cycle_mul)
    if x == length and cycle and fraction < 1e-9:
        return schedule.min_lr
    return _half_cosine(peak, schedule.min_lr, fraction)


def _lec(schedule: Lec, peak: float, x: int, length: int) -> float:
    """Maevit's LECosineAnnealing (py/LECosineAnnealing.py): a wave of lengthening periods between two falling bounds.

    ``(f - g) / 2 * cos(x / (a x + b)) + (f + g) / 2``: f at step 0, g (which is low_end_lr) after `length` steps.
    """
    done = x / length
    if schedule.bound == "linear":
        upper = peak + (schedule.end_lr - peak) * done
    else:
        upper = peak * (schedule.end_lr / peak) ** done
    lower = schedule.low_lr * (schedule.low_end_lr / schedule.low_lr) ** done
    folds = schedule.folds
    peaks = math.ceil(0.625 * folds - 0.25)
    a = 1 / ((2 * peaks + 1) * math.pi) - 1 / (2.5 * math.pi * folds)
    b = length / (2.5 * math.pi * folds)
    return _between(lower, upper, math.cos(x / (a * x + b)))


def _hand_cosine(schedule: HandCosine, peak: float, x: int) -> float:
    """Maevit's first wave (train.py of commit 65134cc), its numbers counted in steps whatever the run's length."""
    upper = max(0.0, peak - schedule.slope * x)
    lower = schedule.low_lr * schedule.low_decay**x
    return _between(lower, upper, math.cos(x / (schedule.period + schedule.stretch * x)))


def _between(lower: float, upper: float, wave: float) -> float:
    return 0.5 * (upper - lower) * wave + 0.5 * (upper + lower)


def _half_cosine(top: float, bottom: float, fraction: float) -> float:
    """From `top` at 0 to `bottom` at 1 (Loshchilov and Hutter, SGDR, 2017, eq. 5)."""
    return bottom + (top - bottom) * 0.5 * (1 + math.cos(math.pi * fraction))


def _cycle(x: float, first: float, mul: float) -> tuple[int, float]:
    """Number (0-based) of the cycle in which `x` lies, and how far inside it, from 0 to 1; the next starts at its end.

    `first` is the length of cycle 0; each later one is `mul` times as long as the one before.
    """
    reach = x * (1 + _SLACK)
    if mul == 1:
        cycle = int(reach // first)
        return cycle, max(0.0, x / first - cycle)
    cycle, begin, size = 0, 0.0, first
    while reach >= begin + size:
        cycle, begin, size = cycle + 1, begin + size, size * mul
    return cycle, max(0.0, (x - begin) / size)
