"""The raster: goldens, and the promise that nothing is lost between a million points and four hundred dots."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from vitui.tui.widgets import raster
from vitui.tui.widgets.signs import ASCII, BLOCK, BRAILLE, SETS, Signs, signs_of


def picture(
    x: list[float], y: list[float], width: int, height: int, x0: float, x1: float, y0: float, y1: float, broken: tuple[int, ...] = ()
) -> list[str]:  # fmt: skip
    xs, ys = np.array(x, dtype=float), np.array(y, dtype=float)
    gaps = np.cumsum(np.isin(np.arange(len(xs)), broken))
    columns = raster.reduce(xs, ys, ys, ys, ys, x0, x1, width * 2, gaps)
    patterns = raster.pack(raster.dots(columns, y0, y1, height * 4), BRAILLE.bits)
    return ["".join(row) for row in BRAILLE.line[patterns].tolist()]


@pytest.mark.parametrize(
    ("got", "golden"),
    [
        (picture([0, 1], [0, 1], 4, 2, 0, 1, 0, 1), ["  ⡤⠞", "⡤⠏⠁ "]),
        (picture([0, 9], [1, 1], 5, 1, 0, 9, 0, 2), ["⠤⠤⠤⠤⠤"]),
        (picture([0, 1, 2, 3], [0, 3, 3, 0], 6, 2, 0, 3, 0, 3), [" ⣰⠋⠙⣆ ", "⡼⠁  ⠈⢧"]),
        (picture(list(range(100)), [0] * 50 + [1] + [0] * 49, 8, 2, 0, 99, 0, 1), ["    ⡇   ", "⣀⣀⣀⣸⣇⣀⣀⣀"]),
        (picture([5], [1], 3, 1, 0, 10, 0, 2), [" ⠠ "]),
        (picture([-10, 10], [0, 1], 4, 2, 0, 5, 0, 1), ["⣀⣀⡤⠤", "⠁   "]),
        (picture([0, 1, 2, 3], [0, 0, 1, 1], 4, 1, 0, 3, 0, 1, broken=(2,)), ["⣀⡀⠈⠉"]),
        (picture([], [], 3, 1, 0, 1, 0, 1), ["   "]),
    ],
    ids=["rising", "flat", "plateau", "spike", "one-point", "from-outside", "gap", "empty"],
)
def test_goldens(got: list[str], golden: list[str]) -> None:
    assert got == golden


points = st.lists(
    st.tuples(st.integers(0, 500), st.floats(-5, 5, allow_nan=False)), min_size=1, max_size=60, unique_by=lambda p: p[0]
)


@given(points, st.integers(2, 40), st.integers(1, 6), st.integers(0, 400), st.integers(1, 300))
@settings(max_examples=200)
def test_every_point_in_view_has_its_dot(
    data: list[tuple[int, float]], width: int, height: int, x0: int, span: int
) -> None:
    """The oracle is one dot for each point, computed alone."""
    data.sort()
    x, y = np.array([p[0] for p in data], dtype=float), np.array([p[1] for p in data])
    n = width * 2
    grid = raster.dots(raster.reduce(x, y, y, y, y, x0, x0 + span, n), -5.0, 5.0, height * 4)
    for px, py in zip(x, y, strict=True):
        if x0 <= px <= x0 + span:
            column = (px - x0) / span * (n - 1)
            row = (5.0 - py) / 10 * (height * 4 - 1)
            near = grid[
                max(0, int(np.floor(row))) : int(np.ceil(row)) + 1, int(np.floor(column)) : int(np.ceil(column)) + 1
            ]
            assert near.any(), (px, py)


@given(points, st.integers(2, 40), st.integers(1, 6))
@settings(max_examples=200)
def test_the_curve_has_no_holes(data: list[tuple[int, float]], width: int, height: int) -> None:
    data.sort()
    x, y = np.array([p[0] for p in data], dtype=float), np.array([p[1] for p in data])
    low, high = float(x[0]), float(max(x[-1], x[0] + 1))
    grid = raster.dots(raster.reduce(x, y, y, y, y, low, high, width * 2), -5.0, 5.0, height * 4)
    spans = [(rows[0], rows[-1]) for column in grid.T if len(rows := np.flatnonzero(column))]
    assert all(not (b[0] > a[1] + 1 or b[1] < a[0] - 1) for a, b in pairwise(spans))
    if len(x) > 1 and high == x[-1]:
        assert len(spans) == width * 2


def test_one_step_among_a_million_is_seen() -> None:
    x, y = np.arange(1e6), np.zeros(1_000_000)
    y[123_456] = 1.0
    grid = raster.dots(raster.reduce(x, y, y, y, y, 0, 1e6 - 1, 400), 0.0, 1.0, 40)
    assert grid[0].sum() == 1
    assert grid[-1].sum() == 400


def test_an_envelope_keeps_its_extremes() -> None:
    x = np.arange(4.0)
    low, high, mean = np.array([0, 0, -9, 0.0]), np.array([1, 9, 1, 1.0]), np.full(4, 0.5)
    columns = raster.reduce(x, low, high, mean, mean, 0, 3, 8)
    assert columns.range() == (-9.0, 9.0)


def test_huge_values_do_not_overflow() -> None:
    x, y = np.arange(3.0), np.array([-1e99, 1e99, 0.0])
    grid = raster.dots(raster.reduce(x, y, y, y, y, 0, 2, 10), -1e-9, 1e-9, 16)
    assert grid.any()


def test_marks_are_cells_of_positions_in_view() -> None:
    assert raster.marks(np.array([0.0, 5.0, 5.1, 10.0, 11.0]), 0.0, 10.0, 11, 2).tolist() == [0, 5, 10]
    assert raster.marks(np.array([3.0]), 3.0, 3.0, 9, 2).tolist() == [4]


@pytest.mark.parametrize("signs", SETS.values(), ids=lambda s: s.name)
def test_signs_are_one_cell_wide_and_every_dot_is_seen(signs: Signs) -> None:
    single = [signs.vertical, signs.horizontal, signs.corner, signs.tick_left, signs.tick_below, signs.point, signs.bad]
    single += [signs.crosshair, signs.cross, signs.chosen, signs.dash, *signs.level, *signs.marks.values()]
    assert {cell_len(sign) for sign in [*single, *signs.line, *signs.band]} == {1}
    assert len(signs.level) == signs.dots_y
    assert len(signs.line) == len(signs.band) == 1 << signs.bits.size == int(signs.bits.sum()) + 1
    assert all(sign != " " for sign in [*signs.line[1:], *signs.band[1:]])


def test_blocks_and_ascii() -> None:
    grid = np.zeros((2, 4), dtype=bool)
    grid[0, 0] = grid[1, 1] = grid[:, 2:] = True
    assert "".join(BLOCK.line[raster.pack(grid, BLOCK.bits)][0]) == "▚█"
    assert "".join(ASCII.band[raster.pack(grid, ASCII.bits)][0]) == "'.::"
    assert "".join([*ASCII.line, *ASCII.band, *ASCII.marks.values(), *ASCII.level]).isascii()


def test_signs_of_a_palette() -> None:
    assert signs_of(object()) is BRAILLE
    assert signs_of(SimpleNamespace(glyphs="ascii")) is ASCII
    assert signs_of(SimpleNamespace(glyphs="runes")) is BRAILLE
