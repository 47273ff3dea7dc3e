"""Curves on stdout with plotext."""

from __future__ import annotations

import math
import os
import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vitui.lab import Lab

WIDTH_LIMIT = 100
HEIGHT = 14


def plot_run(lab: Lab, run_id: str) -> str:
    """Training loss and accuracy over steps as text, colourless on a pipe; empty while there is nothing to draw.

    plotext dies of infinities and slows with points (its time is linear in them), so it gets finite means of as many
    buckets as it has columns.
    """
    import plotext

    run = lab.run(run_id)
    width = min(WIDTH_LIMIT, shutil.get_terminal_size((WIDTH_LIMIT, 24)).columns)
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
        plotext.clear_figure()
        plotext.plotsize(width, HEIGHT)
        plotext.plot(*map(list, zip(*points, strict=True)), marker="braille", color=colour)
        plotext.title(title)
        plotext.xlabel("step")
        text = plotext.build()
        plots.append(text if _colours() else plotext.uncolorize(text))
    return "\n".join(plots)


def _colours() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
