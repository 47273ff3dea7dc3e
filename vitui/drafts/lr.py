"""The learning rate of a whole run in as many points as a chart needs, its extremes kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from engine.recipe import RecipeError
from engine.schedules import learning_rate, total_steps

if TYPE_CHECKING:
    from engine.recipe import Recipe

POINTS = 2000
SAMPLES = 2 * POINTS
"""Steps at which a curve is looked at, at most."""


@dataclass(frozen=True)
class Rates:
    """Learning rates of a run by optimiser step (0-based)."""

    steps: tuple[int, ...]
    values: tuple[float, ...]
    steps_per_epoch: int
    total: int
    """Optimiser steps of the run."""
    known: bool = True
    """False: the size of the dataset is not known, and 1,000 steps an epoch are a guess."""
    problem: str = ""
    """Why there is no curve: warm-up and cool-down leave nothing of the run."""


GUESS = 1000


def rates(recipe: Recipe, steps_per_epoch: int | None) -> Rates:
    """At most `POINTS` points: the lowest and the highest of each of so many stretches of the run, and both ends."""
    known, each = steps_per_epoch is not None, steps_per_epoch or GUESS
    try:
        total = total_steps(recipe, each)
    except RecipeError as error:
        return Rates((), (), each, 0, known, str(error))
    matters = repr((recipe.optim, recipe.schedule, recipe.train.epochs, recipe.train.steps))
    steps, values = _points(_Known(matters, recipe), each, total)
    return Rates(steps, values, each, total, known)


class _Known:
    """A recipe known by what its curve depends on."""

    def __init__(self, key: str, recipe: Recipe) -> None:
        self.key, self.recipe = key, recipe

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Known) and self.key == other.key


@lru_cache(maxsize=32)
def _points(of: _Known, each: int, total: int) -> tuple[tuple[int, ...], tuple[float, ...]]:
    if total <= SAMPLES:
        sampled = list(range(total))
    else:
        sampled = [round(i * (total - 1) / (SAMPLES - 1)) for i in range(SAMPLES)]
    points = [(step, learning_rate(of.recipe, step, each)) for step in sampled]
    if len(points) > POINTS:
        size = -(-2 * len(points) // (POINTS - 2))
        kept = {points[0], points[-1]}
        for start in range(0, len(points), size):
            stretch = points[start : start + size]
            kept |= {min(stretch, key=lambda point: point[1]), max(stretch, key=lambda point: point[1])}
        points = sorted(kept)
    return tuple(step for step, _ in points), tuple(value for _, value in points)
