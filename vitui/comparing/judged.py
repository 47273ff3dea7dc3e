"""The value of a metric on a split that a run is judged by, how sure it is, and the one reported elsewhere. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitui.comparing.facts import RunFacts
from vitui.comparing.noise import standard_error
from vitui.references import same_split
from vitui.store.series import direction

if TYPE_CHECKING:
    from vitui.store.metrics import Eval

SELECTED = "†"
"""Beside values of the split that the checkpoint was picked on, where it is also the one that is reported."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value. `of`: what it was measured on; only what was measured on the same can be compared.

    `whole`: the run went to its end; where it did not, less (of time) is no merit.
    """

    value: float
    of: str = ""
    error: float | None = None
    mark: str = ""
    note: str = ""
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Reported:
    """A value that somebody else reported."""

    metric: str
    split: str
    value: float
    tolerance: float

    @property
    def better(self) -> int:
        return direction(self.metric)


def judged(facts: RunFacts, which: str, metric: str) -> Figure | None:
    """`which`: best or last (of the split that selects), report_best or report_last. None where it was not measured."""
    run, found = facts.run, _eval(facts, which)
    value = found.values.get(metric) if found is not None else None
    if value is None and metric == (run.metric or "top1"):
        value = getattr(run, which)
    if value is None:
        return None
    split = found.split if found is not None else run.selected_on if which in ("best", "last") else run.report_split
    images = found.images if found is not None else None
    accuracy = metric in ("top1", "top5")
    epoch = f"epoch {found.epoch:g}" if found is not None and found.epoch is not None else ""
    counted = f"{images:,} images" if images else ""
    weights = "averaged weights" if found is not None and found.weights == "ema" else ""
    return Figure(
        float(value),
        split,
        standard_error(value, images) if accuracy else None,
        SELECTED if run.select_is_report and accuracy and which in ("best", "report_best") else "",
        ", ".join(part for part in (epoch, counted, weights) if part),
    )


def _eval(facts: RunFacts, which: str) -> Eval | None:
    """The evaluation behind a value: of the averaged weights where the run selects with them."""
    run, evals = facts.run, facts.evals
    weights = "ema" if any(e.role == "select" and e.weights == "ema" for e in evals) else "model"
    selecting = [e for e in evals if e.role == "select" and e.weights == weights]
    best = next((e for e in reversed(selecting) if e.step == run.best_step), None)
    match which:
        case "best":
            return best
        case "last":
            return max(selecting, key=lambda e: e.step, default=None)
        case "report_best" | "report_last":
            role = which.replace("_", "-")
            return next((e for e in reversed(evals) if e.role == role and e.weights == weights), None)
    raise ValueError(which)


def reference_of(facts: RunFacts) -> Reported | None:
    """The number it is measured against, None where there is none (or none that can be read)."""
    told = facts.reference
    value, tolerance = told.get("value"), told.get("tolerance", 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    loose = float(tolerance) if isinstance(tolerance, int | float) and math.isfinite(tolerance) else 0.0
    return Reported(str(told.get("metric", "top1")), str(told.get("split", "test")), float(value), loose)


def on_reference_split(facts: RunFacts, told: Reported) -> Figure | None:
    """The run's own value of that metric on that split: the one it reports, else the best of those it selects by."""
    for which in ("report_best", "best"):
        found = judged(facts, which, told.metric)
        if found is not None and same_split(found.of, told.split):
            return found
    return None
