"""Series and their moving average against the plain loops they stand for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vitui.tui.series import SMOOTHING, Pace, Span, XAxis, ema, enveloped, exact, steps_in


def by_loop(values: np.ndarray, count: np.ndarray, smoothing: float) -> list[float]:
    """W&B's debiased average, one point after another."""
    total = weight = 0.0
    out = []
    for value, n in zip(values, count, strict=True):
        for _ in range(int(n)):
            total, weight = total * smoothing + (1 - smoothing) * value, weight * smoothing + (1 - smoothing)
        out.append(total / weight)
    return out


@pytest.mark.parametrize("smoothing", SMOOTHING[1:])
@pytest.mark.parametrize("length", [1, 2, 50, 5000])
def test_average_of_points(smoothing: float, length: int) -> None:
    values = np.random.default_rng(length).normal(3, 2, length)
    assert np.allclose(ema(values, np.ones(length), smoothing), by_loop(values, np.ones(length), smoothing), rtol=1e-9)


@pytest.mark.parametrize("smoothing", [0.6, 0.99])
def test_average_of_buckets_weighs_their_points(smoothing: float) -> None:
    rng = np.random.default_rng(0)
    values, count = rng.normal(0, 1, 300), rng.integers(1, 60, 300).astype(float)
    assert np.allclose(ema(values, count, smoothing), by_loop(values, count, smoothing), atol=1e-9)


def test_no_smoothing_is_the_series() -> None:
    values = np.arange(4.0)
    assert ema(values, np.ones(4), 0.0) is values
    assert len(ema(np.zeros(0), np.zeros(0), 0.9)) == 0


def test_what_is_not_finite_becomes_a_break() -> None:
    steps = np.arange(1.0, 8.0)
    series = exact("train/loss", steps, np.array([1, 2, math.nan, 3, math.inf, -math.inf, 4]), steps * 10)
    assert series.step.tolist() == [1, 2, 4, 7]
    assert series.broken.tolist() == [False, False, True, True]
    assert series.bad_step.tolist() == [3, 5, 6]
    assert series.bad_at.tolist() == [30, 50, 60]
    assert series.latest == 4


def test_a_series_of_nothing_but_nan() -> None:
    series = exact("x", np.arange(3.0), np.full(3, math.nan))
    assert len(series) == 0 and series.latest is None and len(series.bad_step) == 3


def test_an_envelope_marks_its_stained_buckets() -> None:
    nan = math.nan
    series = enveloped(
        "train/loss", np.array([10.0, 20, 30]), np.array([1.0, 2, 3]), lo=np.array([0.0, nan, 1]), hi=np.array([5.0, nan, 2]),
        first=np.array([nan, nan, 1.0]), last=np.array([2.0, nan, 2]), mean=np.array([1.0, nan, 1.5]),
        count=np.array([10, 10, 10]), bad=np.array([1, 10, 0]),
    )  # fmt: skip
    assert series.step.tolist() == [10, 30]
    assert series.first.tolist() == [1.0, 1.0]  # the NaN it began with is replaced by its mean
    assert series.count.tolist() == [9, 10]
    assert series.broken.tolist() == [False, True]
    assert series.bad_step.tolist() == [10, 20]


RUN = Pace(steps_per_epoch=10, images_per_step=64, started=90)


def test_x_axes() -> None:
    series = exact("x", np.array([10.0, 20, 30]), np.ones(3), np.array([100.0, 90, 130]))

    def x(kind: XAxis, pace: Pace = RUN) -> list[float]:
        return series.x(kind, pace)[0].tolist()

    assert x(XAxis.STEP) == [10, 20, 30]
    assert x(XAxis.EPOCH) == [1, 2, 3]
    assert x(XAxis.IMAGES) == [640, 1280, 1920]
    assert x(XAxis.RELATIVE) == [10, 10, 40]  # a clock set back does not turn the curve back
    assert x(XAxis.WALL) == [100, 100, 130]
    assert x(XAxis.EPOCH, Pace()) == [10, 20, 30]  # not known yet
    assert [series.knows(kind, Pace()) for kind in XAxis] == [True, False, False, False, True]
    assert XAxis.WALL.next() is XAxis.STEP and XAxis.STEP.next() is XAxis.EPOCH


def test_moments_that_are_none_are_not_known() -> None:
    series = exact("x", np.arange(3.0), np.ones(3), np.array([math.nan, math.inf, 1e300]))
    assert series.at.tolist() == [0, 0, 0]
    assert not series.knows(XAxis.WALL, RUN)


@pytest.mark.parametrize(
    ("span", "steps"),
    [
        (None, None),
        (Span(XAxis.STEP, 12, None), (12, None)),
        (Span(XAxis.EPOCH, 1, 2.5), (10, 25)),
        (Span(XAxis.IMAGES, 640, 1280), (10, 20)),
        (Span(XAxis.RELATIVE, 15, 25), (10, 30)),
        (Span(XAxis.WALL, 110, None), (20, None)),
        (Span(XAxis.WALL, 500, 600), (40, 40)),
    ],
)
def test_the_steps_a_span_shows(span: Span | None, steps: tuple[float, float | None] | None) -> None:
    steps_of = np.array([10.0, 20, 30, 40])
    series = exact("x", steps_of, np.ones(4), 90 + steps_of)
    assert steps_in(span, RUN, series) == steps


def test_a_span_on_an_axis_the_run_does_not_know_shows_all() -> None:
    series = exact("x", np.array([10.0, 20]), np.ones(2))
    assert steps_in(Span(XAxis.EPOCH, 1, 2), Pace(), series) is None
    assert steps_in(Span(XAxis.WALL, 1, 2), RUN, series) is None
    assert steps_in(Span(XAxis.WALL, 1, 2), RUN, exact("x", np.zeros(0), np.zeros(0))) is None
