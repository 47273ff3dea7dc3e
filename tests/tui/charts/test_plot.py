"""Whole pictures: axes, letters, levels, markers; every size and every kind of data draws something."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style

from vitui.tui.series import Pace, Span, XAxis, enveloped, exact
from vitui.tui.theme import OKABE_ITO
from vitui.tui.widgets import axes
from vitui.tui.widgets.derived import Derived
from vitui.tui.widgets.legend import legend
from vitui.tui.widgets.look import Level, Look, Mark, Panel, Trace
from vitui.tui.widgets.plot import Ink, Picture, paint
from vitui.tui.widgets.signs import BRAILLE, SETS, Signs
from vitui.tui.widgets.window import axis_of, whole, window_of

RUN = Pace(steps_per_epoch=100, images_per_step=32, started=1000)


def trace(
    values: list[float], *, smooth: bool = False, key: str = "a", steps: list[float] | None = None, ink: int = 0
) -> Trace:
    x = np.arange(1.0, len(values) + 1) if steps is None else np.array(steps, dtype=float)
    return Trace(exact(key, x, np.array(values, dtype=float), 1000 + x), key, smooth, RUN, ink)


def draw(
    panel: Panel, look: Look | None = None, width: int = 40, height: int = 10, signs: Signs = BRAILLE
) -> Picture:  # fmt: skip
    look, derived = look or Look(smoothing=0.0), Derived()
    kind = axis_of(panel.traces, look.x)
    return paint(panel, look, window_of(look, kind, whole([panel], kind, derived)), width, height, derived, signs)


def panel(*traces: Trace, levels: Sequence[Level] = (), marks: Sequence[Mark] = (), log: bool = False) -> Panel:
    return Panel("p", "loss", traces, tuple(levels), tuple(marks), log=log)


def test_golden_of_two_curves_and_a_level() -> None:
    up, down = trace([0, 5, 10, 15, 20]), trace([20, 10, 5, 2, 0], key="b", ink=1)
    lines = draw(panel(up, down, levels=[Level(18.0, "ref")])).lines()
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


def test_golden_in_ascii() -> None:
    noisy = trace([3, 4, 1, 2, 0, 1, 0, 1, 0, 1], smooth=True)
    mark = Mark(5, 1005, "best", pace=RUN)
    picture = draw(panel(noisy, levels=[Level(3.5, "ref")], marks=[mark]), Look(smoothing=0.9), 40, 9, SETS["ascii"])
    assert [line.rstrip() for line in picture.lines()] == ASCII_GOLDEN
    assert "".join(picture.lines()).isascii()


ASCII_GOLDEN = [
    "    4 +     .:",
    "      |- -**#*#* - - - - - - - - - - -",
    "      |       :*#***",
    "    2 +        :  .**#****",
    "      |        '::'':    ***#********* A",
    "      |         '   ': .:':. .:':. .:'",
    "    0 +              ':'   ':'   ':'",
    "      ++--------------@--------------+",
    "step   0              5             10",
]


def test_a_nan_is_marked_on_the_axis_and_breaks_the_line() -> None:
    picture = draw(panel(trace([1, 1, 1, math.nan, 1, 1, math.inf])), height=8)
    assert picture.lines()[6].count("×") == 2
    assert (picture.ink == Ink.BAD).sum() == 2


def test_one_point_is_a_dot_that_can_be_seen() -> None:
    assert sum(line.count("•") for line in draw(panel(trace([5]))).lines()) == 1


def test_letters_stand_at_the_ends_and_never_on_each_other() -> None:
    curves = [trace([1, 1, 1], key=str(n), ink=n) for n in (0, 3, 30)]
    last = [line[-1] for line in draw(panel(*curves)).lines()]
    assert sorted(c for c in last if c != " ") == ["A", "D", "E"]  # ink 30 is letter 30 - 26


def test_the_average_cuts_through_its_band() -> None:
    noisy = trace(list(np.random.default_rng(0).normal(0, 1, 4000)), smooth=True, ink=2)
    picture = draw(panel(noisy), Look(smoothing=0.99), 60, 16)
    assert (picture.ink == Ink.BAND + 2).sum() > 200
    assert 20 < (picture.ink == Ink.CURVE + 2).sum() < 200
    assert not (draw(panel(noisy), Look(smoothing=0.0), 60, 16).ink >= Ink.BAND).any()


def test_a_logarithmic_axis_leaves_out_what_it_has_no_place_for() -> None:
    picture = draw(panel(trace([100, 10, 0, -5, 1, 0.1]), log=True))
    column = [line[7:38] for line in picture.lines()[:8]]
    assert picture.plot.log and math.isclose(picture.plot.y0, -1.12) and math.isclose(picture.plot.y1, 2.12)
    assert all(row[17] == " " for row in column)  # nothing is drawn across the values at and below zero
    envelope = enveloped("e", *(np.array(a, dtype=float) for a in ([1, 2], [0, 0], [-1, 1], [10, 10], [-1, 1], [1, 10],
                         [-0.5, 5], [5, 5], [0, 0])))  # fmt: skip
    lowest = draw(panel(Trace(envelope, "e"), log=True)).plot
    assert lowest.y0 > -0.1  # a bucket with a negative value does not reach down to nothing


def test_a_logarithmic_x_axis_begins_at_the_first_step() -> None:
    lines = draw(panel(trace([4, 3, 2, 1], steps=[1, 10, 100, 1000])), Look(log_x=True), 60).lines()
    assert lines[-1].split() == ["step", "1", "10", "100", "1000"]


def test_axes_in_all_units() -> None:
    curve = panel(trace([1, 2, 3, 4], steps=[100, 200, 300, 400]))
    bottoms = {kind: draw(curve, Look(kind), 60).lines()[-1].split() for kind in XAxis}
    assert bottoms[XAxis.EPOCH] == ["epoch", "0", "1", "2", "3", "4"]
    assert bottoms[XAxis.IMAGES] == ["images", "0", "5k", "10k"]
    assert bottoms[XAxis.RELATIVE] == ["time", "0", "2m", "4m", "6m"]
    assert bottoms[XAxis.WALL] == ["clock", "00:19", "00:20", "00:21", "00:22", "00:23"]
    unknown = Panel("p", "p", (Trace(curve.traces[0].series, "a"),))
    assert draw(unknown, Look(XAxis.EPOCH)).lines()[-1].split()[0] == "step"


def test_marks_stand_on_the_axis_and_the_gravest_wins() -> None:
    curve = trace([1, 2, 3, 4], steps=[100, 200, 300, 400])
    marks = [
        Mark(200, 1200, "diverged", pace=RUN),
        Mark(200, 1200, "checkpoint", pace=RUN),
        Mark(300, 0, "best", pace=RUN),
    ]
    picture = draw(panel(curve, marks=marks))
    axis = picture.lines()[8]
    assert axis.count("×") == 1 and axis.count("◆") == 1 and "◇" not in axis
    by_time = draw(panel(curve, marks=marks), Look(XAxis.RELATIVE)).lines()[8]
    assert "×" in by_time and "◆" not in by_time  # the moment of the best is not known


def test_many_routine_marks_leave_the_axis_to_be_read() -> None:
    curve = trace([1, 2, 3, 4], steps=[100, 200, 300, 400])
    kinds = ["best", "warning", *["checkpoint"] * 38]
    steps = [150.0, 200.0, *(10.0 * n for n in range(1, 39))]
    marks = [Mark(step, 0, kind, pace=RUN) for step, kind in zip(steps, kinds, strict=True)]
    axis = draw(panel(curve, marks=marks)).lines()[8]
    assert [axis.count(sign) for sign in "◆!◇"] == [1, 1, 1]
    few = draw(panel(curve, marks=[*marks[:2], *marks[2:30:6]])).lines()[8]
    assert [few.count(sign) for sign in "◆!◇"] == [1, 1, 5]


def limits(curve: Panel, look: Look) -> tuple[float, float]:
    plot = draw(curve, look).plot
    return plot.y0, plot.y1


def test_clipping_and_typed_limits() -> None:
    spiky = panel(trace([1.0] * 100 + [1000.0] + [2.0] * 100))
    assert limits(spiky, Look())[1] > 1000
    low, high = limits(spiky, Look(clip=True))
    assert 0.9 < low < 1 and 2 < high < 2.1
    assert draw(spiky, Look(clip=True)).plot.clipped and not draw(panel(trace([1.0] * 9)), Look(clip=True)).plot.clipped
    assert limits(spiky, Look().with_range("p", (0.0, 5.0))) == (0, 5)
    assert limits(spiky, Look().with_range("p", (None, 5.0)))[1] == 5
    below = limits(spiky, Look().with_range("p", (None, -7.0)))
    assert below[0] < below[1] == -7


def test_what_is_remembered_of_one_series_is_not_used_for_another() -> None:
    derived, look = Derived(), Look(smoothing=0.9)
    pictures = []
    for values in ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]):
        one = panel(trace(values, smooth=True))
        kind = XAxis.STEP
        pictures.append(paint(one, look, window_of(look, kind, whole([one], kind, derived)), 40, 10, derived).lines())
    assert pictures[0] != pictures[1]


numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(-1, 1),
    st.sampled_from([0.0, 1e300, -1e300, 1e-300, 1e99]),
)
curves = st.lists(st.tuples(st.lists(numbers, max_size=40), st.booleans(), st.booleans()), max_size=3)
moments = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.floats(900, 2000))
ends = st.none() | st.floats(-1e9, 1e12)
looks = st.builds(
    Look, x=st.sampled_from(list(XAxis)), smoothing=st.sampled_from([0.0, 0.9]), log_x=st.booleans(),
    log_y=st.sampled_from([frozenset(), frozenset({"p"})]), clip=st.booleans(),
    span=st.none() | st.builds(Span, st.sampled_from(list(XAxis)), st.floats(-1e9, 1e12), ends),
    ranges=st.none() | st.tuples(ends, ends),
)  # fmt: skip


@given(
    curves, st.data(), st.integers(0, 70), st.integers(0, 20), looks, st.sampled_from(sorted(SETS)),
    st.builds(Pace, st.sampled_from([0.0, 7.0]), st.sampled_from([0.0, 64.0]), st.sampled_from([0.0, 990.0, 1e9])),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_anything_can_be_drawn_at_any_size(
    data: list[tuple[list[float], bool, bool]], more: st.DataObject, width: int, height: int, look: Look, name: str,
    pace: Pace,
) -> None:  # fmt: skip
    ranges: Mapping[str, tuple[float | None, float | None]] | None = {"p": look.ranges} if look.ranges else {}  # type: ignore[dict-item]
    look = Look(look.x, look.smoothing, look.log_x, look.log_y, look.span, ranges, clip=look.clip)  # type: ignore[arg-type]
    traces = []
    for index, (values, smooth, bucketed) in enumerate(data):
        v, n = np.array(values, dtype=float), len(values)
        at = np.array(more.draw(st.lists(moments, min_size=n, max_size=n)), dtype=float)
        steps, ones = np.arange(n, dtype=float) * 3, np.ones(n)
        with np.errstate(all="ignore"):
            series = (
                enveloped("e", steps, at, v - 1, v + 1, v, v, v, ones * 5, ones * (v > 0.5))
                if bucketed
                else exact("e", steps, v, at)
            )
        traces.append(Trace(series, str(index), smooth, pace, index * 13))
    marks = [Mark(5, 1005, "best", pace=pace), Mark(-3, -1e300, "x"), Mark(math.inf, math.nan, "stopped", pace=pace)]
    picture = draw(panel(*traces, levels=[Level(0.3, "ref"), Level(math.nan, "nan")], marks=marks), look, width, height,
                   SETS[name])  # fmt: skip
    assert picture.chars.shape == (height, width)
    assert all(len(line) == width for line in picture.lines())


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


def test_ticks_of_steps_time_clock_and_logarithms() -> None:
    assert axes.count_labels(axes.count_ticks(0, 30_000, 3)) == ["0", "10k", "20k", "30k"]
    assert axes.count_labels([3e9]) == ["3G"]
    assert axes.count_ticks(0, 3, 10) == [0, 1, 2, 3]
    assert axes.time_labels(axes.time_ticks(0, 7200, 4)) == ["0", "30m", "1h", "1h30", "2h"]
    assert axes.time_labels(axes.time_ticks(0, 10 * 86_400, 3)) == ["0", "5d", "10d"]
    assert axes.clock_labels(axes.clock_ticks(10, 130, 4)) == ["00:00:30", "00:01:00", "00:01:30", "00:02:00"]
    assert axes.clock_labels(axes.clock_ticks(0, 3 * 86_400, 3)) == ["01 Jan", "02 Jan", "03 Jan", "04 Jan"]
    assert axes.clock(1e300) == "?"
    assert axes.log_labels(axes.log_ticks(-2, 2, 5)) == ["0.01", "0.1", "1", "10", "100"]
    assert axes.log_labels(axes.log_ticks(0.0, 1.0, 4)) == ["1", "2", "5", "10"]


@given(st.floats(-1e90, 1e90), st.floats(0, 1e90), st.integers(1, 20))
def test_ticks_lie_inside_and_are_few(low: float, span: float, most: int) -> None:
    found = axes.ticks(low, low + span, most)
    slack = 1e-6 * max(abs(low), span, 1e-300)
    assert all(low - slack <= t <= low + span + slack for t in found)
    assert len(found) <= max(3, 2 * most + 2)


def test_a_low_chart_has_a_scale() -> None:
    lines = draw(panel(trace([2.3, 1.9, 1.2, 0.4, 0.14])), height=8).lines()
    assert sum("┤" in line for line in lines) >= 2, lines


def test_a_narrow_legend_says_which_letter_is_what_or_else_the_values() -> None:
    two = panel(trace([3.0, 2.0], key="train"), trace([2.5, 1.5], key="minival", ink=1))

    def said(width: int) -> str:
        return legend(two, Look(smoothing=0.0), False, width, Style(), OKABE_ITO, BRAILLE, False, "1 of 8").text

    assert "A train 2" in said(60) and "B minival 1.5" in said(60)
    assert "A train  B minival" in said(34)
    assert "A 2.000  B 1.500" in said(31)
