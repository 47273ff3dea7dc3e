"""When a run counts as diverged, step by step and as a whole run."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from engine import journal
from engine.journal import read_all
from engine.recipe import validate
from engine.train.checkpoint import Progress
from engine.train.guard import HIGH_PATIENCE, SCALER_PATIENCE, SPIKE, Guard
from engine.train.meter import Step
from tests.engine.train.test_session import TINY, finish, make_run

LIMIT = 10 * math.log(10)


def first_reason(losses: list[float], progress: Progress | None = None, *, norm: float = 1.0, scaled: bool = False,
                 **train: float) -> tuple[int, str]:  # fmt: skip
    """Number of the step (1-based) after which the guard gave up, and why; (0, "") if it never did."""
    guard, progress = Guard(validate({"train": train}), 10, scaled), progress or Progress()
    for number, loss in enumerate(losses, 1):
        step = Step(number, loss, norm, skipped=not (math.isfinite(loss) and math.isfinite(norm)))
        guard.count(step, progress)
        if reason := guard.reason(step, progress):
            return number, reason
    return 0, ""


def test_nonfinite_steps_count_in_a_row_only() -> None:
    nan = math.nan
    assert first_reason([1, nan, nan, 1, nan, nan, nan]) == (7, "loss was not finite 3 steps in a row, first at step 5")
    assert first_reason([1, nan, nan, 1, nan, nan]) == (0, "")


def test_a_scaler_may_overflow_longer_but_a_loss_may_not_be_nan() -> None:
    assert first_reason([1.0] * 99, norm=math.inf, scaled=True)[0] == SCALER_PATIENCE
    assert first_reason([1.0] * 99, norm=math.inf)[0] == 3
    assert first_reason([math.nan] * 99, scaled=True)[0] == 3


def test_a_loss_that_stays_far_above_guessing_is_divergence_and_a_spike_is_not() -> None:
    high = LIMIT + 1
    number, reason = first_reason([2.3] + [high] * HIGH_PATIENCE)
    assert number == 1 + HIGH_PATIENCE and "above 23 (train.loss_limit = 10) 50 steps in a row, now 24" in reason
    assert first_reason([2.3] + ([high] * (HIGH_PATIENCE - 1) + [LIMIT - 1]) * 5) == (0, "")
    assert first_reason([2.3] + [LIMIT - 0.1] * 999) == (0, "")
    assert first_reason([2.3] + [high] * 999, loss_limit=0) == (0, "")


def test_a_model_that_starts_with_a_high_loss_is_given_room() -> None:
    assert first_reason([40.0] * 999) == (0, "")
    assert first_reason([40.0] + [401.0] * 999)[0] == 1 + HIGH_PATIENCE


def test_counts_go_on_where_an_earlier_attempt_stopped() -> None:
    progress = Progress(nonfinite=2, high_loss=0, first_loss=2.3)
    assert first_reason([math.nan], progress)[0] == 1
    progress = Progress(high_loss=HIGH_PATIENCE - 1, first_loss=2.3)
    assert first_reason([LIMIT + 1], progress)[0] == 1


@pytest.mark.slow
def test_an_adaptive_optimiser_whose_losses_stay_finite_ends_as_diverged_too(tmp_path: Path) -> None:
    recipe = {
        **TINY, "optim": {"name": "adamw", "lr": 10.0}, "mix": {}, "regularize": {}, "augment": {},
        "schedule": {"name": "constant", "warmup_epochs": 7, "warmup_lr": 1e-4},
        "train": {"epochs": 8, "batch_size": 32},
    }  # fmt: skip
    run = make_run(tmp_path, "r", recipe)
    code, errors = finish(run)
    assert code == journal.EXIT_DIVERGED and "Traceback" not in errors
    events = list(read_all(run.journal))
    assert events[-1]["kind"] == "diverged" and "train.loss_limit" in events[-1]["reason"]
    assert not [e for e in events if e["kind"] == "nonfinite"]
    last = torch.load(run.last, weights_only=True)["progress"]
    assert last["high_loss"] < SPIKE and last["step"] < events[-1]["step"] - HIGH_PATIENCE + SPIKE
    assert run.best.exists() and all(
        torch.isfinite(v).all() for v in torch.load(run.best, weights_only=True)["model"].values()
    )

    code, _ = finish(run)
    assert code == journal.EXIT_DIVERGED
    again = list(read_all(run.journal))[len(events) :]
    assert any(e["kind"] == "warning" and "expect it to diverge again" in e["message"] for e in again)
    assert again[-1]["reason"] == events[-1]["reason"] and again[-1]["step"] == events[-1]["step"]
