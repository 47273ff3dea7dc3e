"""Learning-rate curves against timm's and torch's schedulers, the scripts they come from, and values worked by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from timm.scheduler import CosineLRScheduler
from torch import nn

from engine.recipe import RecipeError, validate
from engine.recipe.schema import Recipe
from engine.schedules import learning_rate, total_steps, warmup_steps


def recipe(lr: float, epochs: int = 10, *, steps: int = 0, **schedule: Any) -> Recipe:
    return validate({"optim": {"lr": lr}, "schedule": schedule, "train": {"epochs": epochs, "steps": steps}})


def optimizer(lr: float) -> torch.optim.Optimizer:
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)


def every_epoch(how: Recipe, epochs: int, size: int = 3) -> list[float]:
    return [learning_rate(how, epoch * size, size) for epoch in range(epochs)]


MAEVIT = {
    "cycles": 2, "cycle_decay": 0.1, "min_lr": 1e-5, "warmup_lr": 1e-5, "warmup_epochs": 10, "cooldown_epochs": 10,
    "warmup_prefix": False,
}  # fmt: skip


def test_the_final_recipe_of_maevit_has_the_values_its_own_timm_call_gives() -> None:
    rates = every_epoch(recipe(5.5e-4, 310, unit="epoch", **MAEVIT), 310, 390)
    expected = {0: 1e-5, 5: 2.8e-4, 9: 4.96e-4, 10: 5.44e-4, 75: 2.8e-4, 149: 1.006e-5, 150: 5.5e-5, 200: 4.375e-5,
                225: 3.25e-5}  # fmt: skip
    for epoch, rate in expected.items():
        assert rates[epoch] == pytest.approx(rate, rel=5e-4), epoch
    assert rates[300:] == [1e-5] * 10


@pytest.mark.parametrize("prefix", [True, False])
def test_cosine_equals_timms_at_every_step(prefix: bool) -> None:
    how = recipe(5e-4, 20, warmup_epochs=3, warmup_lr=1e-6, min_lr=1e-5, warmup_prefix=prefix)
    group = optimizer(5e-4)
    theirs = CosineLRScheduler(
        group, t_initial=200 - 30 * prefix, lr_min=1e-5, warmup_t=30, warmup_lr_init=1e-6, warmup_prefix=prefix,
        t_in_epochs=False,
    )  # fmt: skip
    for step in range(200):
        theirs.step_update(step)
        assert learning_rate(how, step, 10) == pytest.approx(group.param_groups[0]["lr"], rel=1e-9), step


@settings(max_examples=150, deadline=None)
@given(
    epochs=st.integers(12, 40), warmup=st.integers(0, 5), cooldown=st.integers(0, 5), cycles=st.integers(1, 4),
    decay=st.sampled_from([1.0, 0.5, 0.1]), mul=st.sampled_from([1.0, 1.5, 2.0, 3.0]), prefix=st.booleans(),
    unit=st.sampled_from(["step", "epoch"]), size=st.integers(1, 7),
)  # fmt: skip
def test_cosine_with_cycles_equals_timms_curve_of_the_epoch(
    epochs: int, warmup: int, cooldown: int, cycles: int, decay: float, mul: float, prefix: bool, unit: str, size: int
) -> None:
    how = recipe(
        1e-3, epochs, cycles=cycles, cycle_decay=decay, cycle_mul=mul, min_lr=1e-5, warmup_epochs=warmup,
        warmup_lr=1e-6, warmup_prefix=prefix, cooldown_epochs=cooldown, unit=unit,
    )  # fmt: skip
    span = epochs - cooldown - warmup * prefix
    first = span / sum(mul**i for i in range(cycles))
    theirs = CosineLRScheduler(
        optimizer(1e-3), t_initial=first, lr_min=1e-5, cycle_mul=mul, cycle_decay=decay, cycle_limit=cycles,  # type: ignore[arg-type]
        warmup_t=warmup, warmup_lr_init=1e-6, warmup_prefix=prefix,
    )  # fmt: skip
    ends = [first * sum(mul**i for i in range(n)) for n in range(1, cycles + 1)]
    for step in range(epochs * size):
        t = step / size if unit == "step" else step // size
        x = t - warmup * prefix
        if all(abs(x - end) > 1e-6 for end in ends):  # there timm's logarithm rounds either way
            assert learning_rate(how, step, size) == pytest.approx(theirs._get_lr(t)[0], rel=1e-6), (t, ends)  # type: ignore[arg-type]


def test_a_cycle_begins_at_the_very_step_where_the_one_before_ends() -> None:
    def starts(epochs: int, **schedule: Any) -> dict[int, float]:
        rates = every_epoch(recipe(1.0, epochs, min_lr=0.0, unit="epoch", **schedule), epochs, 11)
        return {e: rates[e] for e in range(1, epochs) if rates[e] > rates[e - 1]}

    assert starts(70, cycles=3, cycle_mul=2.0, cycle_decay=0.5) == {10: 0.5, 30: 0.25}
    assert starts(21, cycles=2, cycle_mul=1.1) == {10: 1.0}
    assert starts(30, cycles=3) == {10: 1.0, 20: 1.0}
    assert starts(1110, cycles=3, cycle_mul=10.0) == {10: 1.0, 110: 1.0}
    # with cool-down the last cycle has its end, min_lr, to rest at
    assert every_epoch(recipe(1.0, 40, cycles=3, cooldown_epochs=10, min_lr=0.125), 40)[30:] == [0.125] * 10


@pytest.mark.parametrize(("first", "mul"), [(5, 2), (4, 1), (1, 3), (7, 1)])
def test_warm_restarts_equal_torchs(first: int, mul: int) -> None:
    group = optimizer(5e-4)
    theirs = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(group, first, mul, 5e-8)
    how = {"name": "warm-restarts", "first_cycle_epochs": first, "cycle_mul": mul, "min_lr": 5e-8}
    by_step, by_epoch = recipe(5e-4, 20, **how), recipe(5e-4, 20, unit="epoch", **how)
    group.step()
    for step in range(20 * 8):  # eighths of an epoch are exact
        theirs.step(step / 8)
        expected = group.param_groups[0]["lr"]
        assert learning_rate(by_step, step, 8) == pytest.approx(expected, rel=1e-9), step
        assert learning_rate(by_epoch, step // 8 * 8 + 7, 8) == learning_rate(by_step, step // 8 * 8, 8)


def test_warm_restarts_rest_where_they_end_and_start_after_the_warm_up() -> None:
    how = {"name": "warm-restarts", "first_cycle_epochs": 5, "min_lr": 0.25, "warmup_lr": 0.0}
    whole = every_epoch(recipe(1.0, 14, warmup_epochs=2, cooldown_epochs=2, **how), 14)
    assert whole[:3] == [0.0, 0.5, 1.0] and whole[7] == 1.0 and whole[12:] == [0.25, 0.25]
    cut = every_epoch(recipe(1.0, 9, cooldown_epochs=2, **how), 9)
    assert cut[5] == 1.0 and cut[7] == cut[8] == pytest.approx(0.25 + 0.375 * (1 + math.cos(math.pi * 2 / 5)))


@pytest.mark.parametrize("unit", ["step", "epoch"])
def test_multistep_equals_torchs_and_counts_epochs_of_the_run(unit: str) -> None:
    group = optimizer(5e-4)
    theirs = torch.optim.lr_scheduler.MultiStepLR(group, [10, 20, 30, 40], gamma=0.1)
    how = recipe(5e-4, 50, name="multistep", milestones=[10, 20, 30, 40], gamma=0.1, unit=unit, warmup_epochs=4)
    for epoch in range(50):
        if epoch >= 4:
            for step in (epoch * 7, epoch * 7 + 6):
                assert learning_rate(how, step, 7) == pytest.approx(group.param_groups[0]["lr"], rel=1e-9), epoch
        group.step()
        theirs.step()
    halves = recipe(1.0, 4, name="multistep", milestones=[1.5], gamma=0.5)
    assert [learning_rate(halves, step, 4) for step in range(4, 9)] == [1.0, 1.0, 0.5, 0.5, 0.5]


def lec_of_maevit(x: float, bounds: tuple[float, float, float, float], steps: int, folds: int, linear: bool) -> float:
    """As the class in py/LECosineAnnealing.py writes it."""
    max_start, max_end, min_start, min_end = bounds
    b = steps / (folds * 2.5 * math.pi)
    k = math.ceil(0.625 * folds - 0.25)
    a = 1 / (((k << 1) + 1) * math.pi) - 1 / (2.5 * math.pi * folds)
    f = (max_end - max_start) / steps * x + max_start
    if not linear:
        f = max_start * ((max_end / max_start) ** (1.0 / steps)) ** x
    g = min_start * ((min_end / min_start) ** (1.0 / steps)) ** x
    return 0.5 * (f - g) * math.cos(x / (a * x + b)) + (f + g) * 0.5


@pytest.mark.parametrize(
    ("bounds", "epochs", "size", "folds", "bound", "peaks"),
    [
        ((5e-4, 5e-5, 1e-4, 5e-7), 32, 782, 7, "exponential", [12, 26, 43, 62, 86]),
        ((5.5e-4, 1e-4, 1e-4, 1e-5), 135, 391, 64, "linear", 40),
    ],
)
def test_lec_is_maevits_wave(
    bounds: tuple[float, float, float, float], epochs: int, size: int, folds: int, bound: str, peaks: list[int] | int
) -> None:
    high, high_end, low, low_end = bounds
    how = {"name": "lec", "end_lr": high_end, "low_lr": low, "low_end_lr": low_end, "folds": folds, "bound": bound}
    curve, total = recipe(high, epochs, **how), epochs * size
    rates = [learning_rate(curve, step, size) for step in range(0, total, 10)]
    expected = [lec_of_maevit(x, bounds, total, folds, bound == "linear") for x in range(0, total, 10)]
    assert rates == pytest.approx(expected, rel=1e-6)
    assert rates[0] == high
    resting = recipe(high, epochs + 1, cooldown_epochs=1, **how)
    assert learning_rate(resting, total, size) == pytest.approx(low_end, rel=1e-9)
    tops = [i for i in range(1, len(rates) - 1) if rates[i - 1] < rates[i] > rates[i + 1]]
    if isinstance(peaks, int):
        assert len(tops) == peaks
    else:
        # The cosine is 1 there; the wave's own maxima come a little earlier, since both bounds fall.
        assert [1000 * i / total for i in tops] == pytest.approx(peaks, abs=1.2)


def test_the_hand_made_cosine_touches_both_bounds_and_never_falls_below_zero() -> None:
    how = recipe(5e-4, 40, name="hand-cosine")  # 40 epochs of 782, twice as long as it was used
    assert learning_rate(how, 0, 782) == 5e-4
    # cos is -1 where x / (100 + 0.0104167 x) = pi, at x = 324.8
    assert learning_rate(how, 325, 782) == pytest.approx(2.5e-4 * 0.99965**325, rel=1e-4)
    # and 1 where it is 2 pi, at x = 672.3
    assert learning_rate(how, 672, 782) == pytest.approx(5e-4 - 2.5575e-8 * 672, rel=1e-4)
    assert min(learning_rate(how, step, 782) for step in range(0, 40 * 782, 50)) >= 0


def test_constant_keeps_the_peak_after_the_warm_up() -> None:
    how = recipe(1e-3, 3, name="constant", warmup_epochs=1)
    rates = [learning_rate(how, step, 4) for step in range(12)]
    assert rates == sorted(rates) and rates[4:] == [1e-3] * 8 and rates[0] == how.schedule.warmup_lr


def compact_transformers(epoch: int, lr: float, warmup: int, epochs: int) -> float:
    """adjust_learning_rate of Compact-Transformers' examples/main.py."""
    if epoch < warmup:
        return lr / (warmup - epoch)
    return lr * 0.5 * (1.0 + math.cos(math.pi * (epoch - warmup) / (epochs - warmup)))


def test_harmonic_warm_up_is_that_of_compact_transformers() -> None:
    how = {"warmup_kind": "harmonic", "warmup_epochs": 5}
    by_epoch, by_step = recipe(5e-4, 200, unit="epoch", **how), recipe(5e-4, 200, **how)
    expected = [compact_transformers(epoch, 5e-4, 5, 200) for epoch in range(200)]
    assert every_epoch(by_epoch, 200, 391) == pytest.approx(expected, rel=1e-9)
    assert every_epoch(by_step, 200, 391) == pytest.approx(expected, rel=1e-9)
    # between epochs too, and never above the peak, which 1 / (W - t) would pass in the last of them
    assert learning_rate(by_step, 10, 4) == pytest.approx(5e-4 / 2.5)
    assert [learning_rate(by_step, step, 4) for step in range(16, 21)] == [5e-4] * 5
    counted = recipe(1.0, 200, warmup_kind="harmonic", warmup_steps=4)
    assert [learning_rate(counted, step, 391) for step in range(4)] == pytest.approx([1 / 4, 1 / 3, 1 / 2, 1])


def test_trap_T21_every_epoch_has_its_own_rate_and_keeps_it() -> None:
    """DeiT's script sets the rate after an epoch from that epoch's number: 0 and 1 both run at the warm-up's start."""
    how = recipe(1e-3, 300, unit="epoch", warmup_epochs=5, warmup_lr=1e-6, min_lr=1e-5, warmup_prefix=False)
    rates = every_epoch(how, 300, 5)
    assert rates[:3] == pytest.approx([1e-6, 1e-6 + 999e-6 / 5, 1e-6 + 2 * 999e-6 / 5])
    assert rates[150] == pytest.approx(1e-5 + 0.5 * 990e-6)
    for epoch in (0, 1, 150, 299):
        assert {learning_rate(how, epoch * 5 + inside, 5) for inside in range(5)} == {rates[epoch]}


def test_lengths_in_steps_epochs_and_fractions() -> None:
    how = recipe(1.0, 3, warmup_epochs=0.5)
    assert (total_steps(how, 7), warmup_steps(how, 7)) == (21, 4)
    counted = recipe(0.03, 10, steps=500, warmup_steps=100, warmup_lr=0.0)
    assert (total_steps(counted, 7), warmup_steps(counted, 7)) == (500, 100)
    rates = [learning_rate(counted, step, 7) for step in range(500)]
    assert rates[50] == pytest.approx(0.015) and rates[100] == 0.03 and rates[300] == pytest.approx(0.015)
    assert 0 < rates[499] < 1e-6


@pytest.mark.parametrize(
    ("steps", "schedule", "message"),
    [
        (40, {"warmup_epochs": 5}, r"warmup_epochs \(50 steps\) must be less than the whole run, which has 40 steps"),
        (0, {"warmup_steps": 300}, r"warmup_steps \(300 steps\) must .* 100 steps at 10 an epoch"),
        (0, {"warmup_steps": 60, "cooldown_epochs": 5}, r"warmup_steps \(60 .*\) and schedule.cooldown_epochs \(50"),
    ],
)
def test_a_warm_up_longer_than_the_run_is_refused(steps: int, schedule: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        total_steps(recipe(1.0, 10, steps=steps, **schedule), 10)
