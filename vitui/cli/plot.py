"""Curves on stdout with plotext."""

from __future__ import annotations

import math
import os
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.recipe import Recipe
    from vitui.lab import Lab

WIDTH_LIMIT = 100
HEIGHT = 14
LR_SAMPLES = 20_000
"""Steps at which a learning-rate curve is looked at, at most."""


def plot_run(lab: Lab, run_id: str) -> str:
    """Training loss and accuracy over steps as text, colourless on a pipe; empty while there is nothing to draw.

    plotext dies of infinities and slows with points (its time is linear in them), so it gets finite means of as many
    buckets as it has columns.
    """
    run = lab.run(run_id)
    width = _width()
    loss = lab.envelope(run_id, "train/loss", width)
    losses = [(s, v) for s, v in zip(loss.step_last.tolist(), loss.mean.tolist(), strict=True) if math.isfinite(v)]
    key = f"{run.selected_on}/{'ema_' if f'{run.selected_on}/ema_top1' in lab.keys(run_id) else ''}{run.metric}"
    accuracy = lab.curve(run_id, key)
    accuracies = [
        (s, v) for s, v in zip(accuracy.steps.tolist(), accuracy.values.tolist(), strict=True) if math.isfinite(v)
    ]
    plots = []
    for title, points, colour in (("train/loss", losses, "orange"), (f"{key} (%)", accuracies, "blue")):
        if len(points) < 2:
            continue
        plots.append(_drawn(points, title, "step", colour, width))
    return "\n".join(plots)


def plot_learning_rate(recipe: Recipe, steps_per_epoch: int) -> str:
    """The learning rate of a whole run as text: over epochs, or over steps where train.steps gives its length.

    Each column shows the lowest and the highest of its steps, so a wave faster than the columns keeps its bounds.
    Raises RecipeError for a warm-up that is longer than the run.
    """
    from engine.schedules import learning_rate, total_steps

    total = total_steps(recipe, steps_per_epoch)
    width = _width()
    by_steps = recipe.train.steps > 0
    chosen = (
        [round(i * (total - 1) / (LR_SAMPLES - 1)) for i in range(LR_SAMPLES)] if total > LR_SAMPLES else range(total)
    )
    rates = [
        (step if by_steps else step / steps_per_epoch, learning_rate(recipe, step, steps_per_epoch)) for step in chosen
    ]
    size = max(1, len(rates) // (2 * width))
    points: list[tuple[float, float]] = []
    for start in range(0, len(rates), size):
        bucket = rates[start : start + size]
        extremes = {min(bucket, key=lambda point: point[1]), max(bucket, key=lambda point: point[1])}
        points += sorted(extremes)
    first, last = rates[0][1], rates[-1][1]
    top = max(rate for _, rate in rates)
    ticks = [top * part / 4 for part in range(5)]  # plotext's own labels have five decimals, which is nothing here
    drawn = _drawn(points, recipe.schedule.name, "step" if by_steps else "epoch", "orange", width, ticks)
    length = f"{total} steps" + ("" if by_steps else f", {steps_per_epoch} an epoch")
    return f"{drawn}\nfrom {first:.3g} to {last:.3g}, at most {top:.3g}; {length}"


def _drawn(
    points: Sequence[tuple[float, float]], title: str, x: str, colour: str, width: int, ticks: Sequence[float] = ()
) -> str:
    import plotext

    plotext.clear_figure()
    plotext.plotsize(width, HEIGHT)
    plotext.plot(*map(list, zip(*points, strict=True)), marker="braille", color=colour)
    plotext.title(title)
    plotext.xlabel(x)
    if ticks:
        plotext.yticks(ticks, [f"{tick:.3g}" for tick in ticks])
    text: str = plotext.build()
    return text if _colours() else str(plotext.uncolorize(text))


def _width() -> int:
    return min(WIDTH_LIMIT, shutil.get_terminal_size((WIDTH_LIMIT, 24)).columns)


def _colours() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
