"""How charts are looked at: what is kept between sessions, windows and limits, and where charts go."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitui.tui.series import Pace, Span, XAxis, exact
from vitui.tui.widgets import values
from vitui.tui.widgets.derived import Derived
from vitui.tui.widgets.look import Look, Panel, Trace
from vitui.tui.widgets.tiling import LEAST_HEIGHT, LEAST_WIDTH, tiles
from vitui.tui.widgets.values import parse_limits
from vitui.tui.widgets.window import Window, axis_of, whole, window_of


def test_a_look_survives_being_written_and_read() -> None:
    look = Look(
        XAxis.EPOCH, 0.97, True, frozenset({"loss"}), Span(XAxis.EPOCH, 1.5, None), single=True, front="lr", clip=True
    )
    look = look.with_range("loss", (None, 2.5))
    assert Look.from_json(json.loads(json.dumps(look.as_json()))) == look
    assert replace(look, cursor=3.0).whole() == replace(look, span=None, ranges={})


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6,
)  # fmt: skip


@given(anything | st.fixed_dictionaries({}, optional=dict.fromkeys(Look().as_json(), anything)))
@settings(max_examples=100)
def test_a_damaged_look_is_a_look(data: object) -> None:
    look = Look.from_json(data)
    assert Look.from_json(json.loads(json.dumps(look.as_json()))) == look


def test_damage_to_one_thing_leaves_the_others() -> None:
    good = Look(XAxis.EPOCH, clip=True).as_json()
    assert Look.from_json({**good, "smoothing": "much", "span": ["epoch", 9, 3], "ranges": {"a": [2, 1]}}) == Look(
        XAxis.EPOCH, clip=True
    )
    assert Look.from_json({**good, "span": ["step", 3, 9]}).span is None  # of another axis than the one that is shown


def window(span: Span | None = None, *, last: float = 1000, log_x: bool = False) -> Window:
    return window_of(Look(span=span, log_x=log_x), XAxis.STEP, (1.0, 1.0, last))


def test_zoom_follows_the_end_and_pans_back_to_it() -> None:
    half = window().scaled(0.5)
    assert half == Span(XAxis.STEP, 500, None)
    left = window(half).moved(-0.5)
    assert left == Span(XAxis.STEP, 250, 750)
    assert window(left).moved(0.5) == half
    assert window(left).scaled(0.5) == Span(XAxis.STEP, 375, 625)
    assert window(half).scaled(4) is None
    assert window().moved(0.5) is None
    assert window(half).moved(-9) == Span(XAxis.STEP, 0, 500)


def test_zoom_at_a_place_keeps_it_where_it_is() -> None:
    w = window(window().scaled(0.5, 200.0))
    assert (w.x0, w.x1) == (100, 600)
    assert not w.follows
    assert window(Span(XAxis.STEP, 500, 504)).scaled(0.01) == Span(XAxis.STEP, 500, 504)  # four steps are the least


def test_zoom_on_a_logarithmic_axis_is_in_decades() -> None:
    span = window(log_x=True).scaled(1 / 3)
    assert span is not None and span.low == pytest.approx(100) and span.high is None


@given(
    st.floats(1, 1e7), st.booleans(),
    st.lists(st.tuples(st.booleans(), st.floats(-3, 3), st.none() | st.floats(-1e8, 1e8)), max_size=8),
)  # fmt: skip
@settings(max_examples=100)
def test_no_zooming_leaves_the_run(last: float, log: bool, moves: list[tuple[bool, float, float | None]]) -> None:
    span: Span | None = None
    for zoom, amount, about in moves:
        w = window(span, last=last, log_x=log)
        span = w.scaled(2**amount, about) if zoom else w.moved(amount)
        w = window(span, last=last, log_x=log)
        slack = 1e-6 * max(1.0, abs(w.whole1))
        assert w.whole0 - slack <= w.x0 < w.x1 <= w.whole1 + slack


def test_a_window_beyond_the_points_shows_something() -> None:
    w = window(Span(XAxis.STEP, 5000, None))
    assert w.x0 < w.x1


def test_an_axis_not_every_run_knows_gives_way_to_steps() -> None:
    series = exact("a", np.array([10.0, 20]), np.ones(2))
    known, unknown = Trace(series, "a", pace=Pace(10)), Trace(series, "b")
    assert axis_of([known], XAxis.EPOCH) is XAxis.EPOCH
    assert axis_of([known, unknown], XAxis.EPOCH) is XAxis.STEP
    panel = Panel("a", "a", (known,))
    assert whole([panel], XAxis.EPOCH, Derived()) == (1, 1, 2)
    assert whole([], XAxis.STEP, Derived()) == (0, 1, 1)


@pytest.mark.parametrize(
    ("text", "log", "found"),
    [
        ("0.1:2.5", False, (0.1, 2.5)),
        (" : 3", False, (None, 3.0)),
        ("-1e3:", False, (-1000.0, None)),
        ("", False, (None, None)),
        (":", True, (None, None)),
        ("5", False, "write low:high with a colon between, as in 0.1:2.5; an end left empty is automatic"),
        ("a:2", False, "low must be a number, not 'a'"),
        ("1:2:3", False, "high must be a number, not '2:3'"),
        ("1:nan", False, "high must be a finite number of reasonable size, not nan"),
        ("1e99:", False, "low must be a finite number of reasonable size, not 1e99"),
        ("2:1", False, "low must be less than high: 2 is not less than 1"),
        ("1:1", False, "low must be less than high: 1 is not less than 1"),
        ("0:1", True, "low must be above 0 on a logarithmic axis, not 0"),
    ],
)
def test_typed_limits(text: str, log: bool, found: object) -> None:
    assert parse_limits(text, log) == found


def test_zooming_values() -> None:
    assert values.scaled(0, 10, 0.5, False) == (2.5, 7.5)
    assert values.scaled(0, 10, 0.5, False, about=0) == (0, 5)
    assert values.moved(0, 10, 0.2, False) == (2, 12)
    assert values.scaled(0, 2, 0.5, True) == pytest.approx((10**0.5, 10**1.5))
    assert values.scaled(1, 1 + 1e-12, 0.5, False) == (None, None)  # finer than numbers can tell
    assert values.scaled(-1e90, 1e90, 4, False) == (None, None)


@given(st.integers(0, 30), st.integers(0, 29), st.integers(0, 250), st.integers(0, 80))
@settings(max_examples=200)
def test_tiles_are_apart_inside_large_enough_and_hold_the_selected_one(
    count: int, front: int, width: int, height: int
) -> None:
    found = tiles(count, min(front, max(0, count - 1)), width, height)
    if count and width and height:
        assert min(front, count - 1) in [tile.index for tile in found]
    for tile in found:
        assert tile.x >= 0 and tile.y >= 0 and tile.x + tile.width <= width and tile.y + tile.height <= height
        assert tile.width >= min(LEAST_WIDTH, width) and tile.height >= min(LEAST_HEIGHT, height)
    for a, b in combinations(found, 2):
        assert a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y
    if found:
        assert sum(t.width * t.height for t in found) == width * height


def test_how_many_charts_a_terminal_shows() -> None:
    assert len(tiles(9, 0, 80, 19)) == 2
    assert len(tiles(9, 0, 120, 32)) == 9
    assert len(tiles(9, 0, 160, 48)) == 9
    assert len(tiles(2, 0, 200, 50)) == 2
