"""Whole pictures: axes, letters, levels, markers; every size and every kind of data draws something."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitui.tui.series import XAxis, exact
from vitui.tui.widgets import axes
from vitui.tui.widgets.plot import Ink, Level, Trace, View, extent, paint, panned, zoomed


def trace(values: list[float], *, smooth: bool = False, key: str = "a", steps: list[float] | None = None) -> Trace:
    x = np.arange(1.0, len(values) + 1) if steps is None else np.array(steps, dtype=float)
    return Trace(exact(key, x, np.array(values, dtype=float), 1000 + x), key, smooth)


def test_golden_of_two_curves_and_a_level() -> None:
    up, down = trace([0, 5, 10, 15, 20]), trace([20, 10, 5, 2, 0], key="b")
    lines = paint([up, down], [Level(18.0, "ref")], View(), 40, 10).lines()
    assert [line.rstrip() for line in lines] == GOLDEN


GOLDEN = [
    "   20 ┤      ⢦⡀                    ⢀⣠⠖ A",
    "      │⠉ ⠉ ⠉ ⠉⠙⣆ ⠉ ⠉ ⠉ ⠉ ⠉ ⠉ ⠉ ⠉⣀⡤⠞⠉ ⠉",
    "      │        ⠈⠳⣄           ⣠⠴⠚⠁",
    "      │          ⠘⢦⡀     ⢀⣠⠖⠋⠁",
    "      │            ⠉⠓⢦⣀⡴⠚⠉",
    "      │           ⢀⡤⠖⠋⠉⠙⠲⢤⣀",
    "      │        ⣀⡴⠚⠉       ⠈⠉⠓⠲⠤⣄⣀",
    "    0 ┤      ⠴⠋⠁                ⠈⠉⠙⠒⠒⠦ B",
    "      └┴───────────┴───────────┴──────",
    "step   0           2           4",
]


def test_a_nan_is_marked_on_the_axis_and_breaks_the_line() -> None:
    picture = paint([trace([1, 1, 1, math.nan, 1, 1, math.inf])], [], View(), 40, 8)
    axis = picture.lines()[6]
    assert axis.count("×") == 2
    assert (picture.ink == Ink.BAD).sum() == 2


def test_one_point_is_a_dot_that_can_be_seen() -> None:
    assert sum(line.count("•") for line in paint([trace([5])], [], View(), 40, 8).lines()) == 1


def test_letters_stand_at_the_ends_and_never_on_each_other() -> None:
    curves = [trace([1, 1, 1], key=str(n)) for n in range(3)]
    last = [line[-1] for line in paint(curves, [], View(), 40, 10).lines()]
    assert sorted(c for c in last if c != " ") == ["A", "B", "C"]


def test_the_average_cuts_through_its_band() -> None:
    noisy = trace(list(np.random.default_rng(0).normal(0, 1, 4000)), smooth=True)
    picture = paint([noisy], [], View(smoothing=0.99), 60, 16)
    assert (picture.ink == Ink.BAND).sum() > 200
    assert 20 < (picture.ink == Ink.CURVE).sum() < 200
    raw = paint([noisy], [], View(smoothing=0.0), 60, 16)
    assert not (raw.ink == Ink.BAND).any()


def test_axes_in_epochs_and_time() -> None:
    curve = trace([1, 2, 3, 4], steps=[100, 200, 300, 400])
    assert extent([curve], View(x=XAxis.EPOCH, steps_per_epoch=100)) == (0, 4)
    assert extent([curve], View(x=XAxis.TIME, started=1000)) == (0, 400)
    bottom = paint([curve], [], View(x=XAxis.TIME, started=1000), 60, 8).lines()[-1]
    assert bottom.split() == ["time", "0", "2m", "4m", "6m"]


values = st.lists(st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.floats(-1, 1)), max_size=40)


@given(
    st.lists(values, max_size=3), st.integers(0, 70), st.integers(0, 20), st.booleans(), st.sampled_from(list(XAxis)),
    st.sampled_from([0.0, 0.9]), st.none() | st.tuples(st.floats(0, 30), st.none() | st.floats(0, 60)),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_anything_can_be_drawn_at_any_size(
    data: list[list[float]], width: int, height: int, log_y: bool, kind: XAxis, smoothing: float,
    window: tuple[float, float | None] | None,
) -> None:  # fmt: skip
    view = View(kind, smoothing, log_y, window, steps_per_epoch=7, started=990)
    picture = paint(
        [trace(v, smooth=True, key=str(i)) for i, v in enumerate(data)], [Level(0.3, "ref")], view, width, height
    )
    assert picture.chars.shape == (height, width)
    assert all(len(line) == width for line in picture.lines())


def test_zoom_follows_the_end_and_pans_back_to_it() -> None:
    view = zoomed(View(), 1000, 0.5)
    assert view.window == (500, None)
    left = panned(view, 1000, -0.5)
    assert left.window == (250, 750)
    assert panned(left, 1000, 0.5).window == (500, None)
    assert zoomed(left, 1000, 0.5).window == (375, 625)
    assert zoomed(view, 1000, 4).window is None
    assert panned(View(), 1000, 0.5).window is None
    assert panned(view, 1000, -9).window == (0, 500)


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 10, 5, ["0", "2", "4", "6", "8", "10"]),
        (0.61, 0.64, 3, ["0.61", "0.62", "0.63", "0.64"]),
        (96.2, 97.9, 4, ["96.5", "97.0", "97.5"]),
        (-3, 3, 3, ["-2", "0", "2"]),
        (0, 3e8, 3, ["0", "1e8", "2e8", "3e8"]),
        (0, 4e-5, 2, ["0", "2e-5", "4e-5"]),
    ],
)
def test_ticks_are_round(low: float, high: float, most: int, expected: list[str]) -> None:
    assert axes.labels(axes.ticks(low, high, most)) == expected


def test_ticks_of_steps_time_and_logarithms() -> None:
    assert axes.count_labels(axes.count_ticks(0, 30_000, 3)) == ["0", "10k", "20k", "30k"]
    assert axes.count_ticks(0, 3, 10) == [0, 1, 2, 3]
    assert axes.time_labels(axes.time_ticks(0, 7200, 4)) == ["0", "30m", "1h", "1h30", "2h"]
    assert axes.time_labels(axes.time_ticks(0, 10 * 86_400, 3)) == ["0", "5d", "10d"]
    assert axes.log_labels(axes.log_ticks(-2, 2, 5)) == ["0.01", "0.1", "1", "10", "100"]
    assert axes.log_labels(axes.log_ticks(0.0, 1.0, 4)) == ["1", "2", "5", "10"]


@given(st.floats(-1e90, 1e90), st.floats(0, 1e90), st.integers(1, 20))
def test_ticks_lie_inside_and_are_few(low: float, span: float, most: int) -> None:
    found = axes.ticks(low, low + span, most)
    slack = 1e-6 * max(abs(low), span, 1e-300)
    assert all(low - slack <= t <= low + span + slack for t in found)
    assert len(found) <= max(3, 2 * most + 2)
