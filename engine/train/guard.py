"""When a run has gone off the rails: counted over single steps, kept in the checkpoint, decided by two rules."""

from __future__ import annotations

import math

from engine.recipe.schema import Recipe
from engine.train.checkpoint import Progress
from engine.train.loss import loss_of_guessing
from engine.train.meter import Step

# fp16's loss scaler finds its scale by overflowing; only a long row of overflows is a sign of anything.
SCALER_PATIENCE = 20
# Updates in a row with a loss above the limit. A spike is over after a few; a ruined model stays where it is.
SPIKE, HIGH_PATIENCE = 10, 50


class Guard:
    """Decides from steps, seen in order, whether a run has diverged.

    Rule one: train.nonfinite_patience updates in a row had a loss or gradient that is not finite. Rule two:
    HIGH_PATIENCE updates in a row had a finite loss above train.loss_limit times the larger of what guessing costs
    (engine.train.loss) and what the first step cost. Adaptive optimisers need rule two: they bound the step
    and not the gradient, so that an absurd learning rate gives losses of thousands but rarely a NaN.
    """

    def __init__(self, recipe: Recipe, classes: int, scaled: bool) -> None:
        """`scaled`: whether a loss scaler is at work (fp16)."""
        self._patience, self._factor, self._scaled = recipe.train.nonfinite_patience, recipe.train.loss_limit, scaled
        self._guessing = loss_of_guessing(recipe.train.loss, classes)

    def count(self, step: Step, progress: Progress) -> str:
        """Take note of one step in `progress`. Returns what was not finite, loss or grad_norm; "" where all was."""
        if not step.skipped:
            if progress.first_loss is None:
                progress.first_loss = step.loss
            progress.nonfinite = 0
            limit = self._limit(progress)
            progress.high_loss = progress.high_loss + 1 if limit and step.loss > limit else 0
            return ""
        progress.nonfinite += 1
        return "grad_norm" if math.isfinite(step.loss) else "loss"

    def reason(self, step: Step, progress: Progress) -> str:
        """Why to give up after the step that was counted last; "" while there is no reason."""
        patience = self._patience
        if self._scaled and math.isfinite(step.loss):
            patience = max(SCALER_PATIENCE, patience)
        if progress.nonfinite >= patience:
            what = "grad_norm" if math.isfinite(step.loss) else "loss"
            first = step.number - progress.nonfinite + 1
            return f"{what} was not finite {progress.nonfinite} steps in a row, first at step {first}"
        if progress.high_loss >= HIGH_PATIENCE:
            return (
                f"loss was above {self._limit(progress):.3g} (train.loss_limit = {self._factor:g}) "
                f"{progress.high_loss} steps in a row, now {step.loss:.3g}"
            )
        return ""

    def doubtful(self, progress: Progress) -> bool:
        """Whether the weights are on the way to ruin: should the run diverge, good ones must not be overwritten."""
        return progress.high_loss >= SPIKE

    def _limit(self, progress: Progress) -> float:
        return self._factor * max(self._guessing, progress.first_loss or 0.0)
