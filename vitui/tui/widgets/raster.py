"""Curves as dots: a min-max raster in numpy. Pure: arrays in, arrays out.

How many dots a cell has is the signs' affair (see vitui.tui.widgets.signs). A curve is first reduced to one
(lowest, highest, first, last) for each dot column, so a value that stands out in a single step among millions still
sets its dot; neighbouring columns are then joined at their midpoints, so the curve has no holes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_FAR = 1e6  # dots; further outside the window makes no difference and must not overflow an integer


@dataclass(frozen=True, slots=True)
class Columns:
    """A curve reduced to dot columns, all arrays [n]; NaN in columns the curve does not pass through.

    `joined[c]`: the curve comes to column c from column c - 1 without a gap.
    """

    lo: Floats
    hi: Floats
    first: Floats
    last: Floats
    joined: Bools

    def range(self) -> tuple[float, float] | None:
        """Lowest and highest value in view, None where there is none."""
        if np.isnan(self.lo).all():
            return None
        return float(np.nanmin(self.lo)), float(np.nanmax(self.hi))


def reduce(
    x: Floats,
    lo: Floats,
    hi: Floats,
    first: Floats,
    last: Floats,
    x0: float,
    x1: float,
    columns: int,
    gaps: NDArray[np.intp] | None = None,
) -> Columns:
    """Reduce points to `columns` dot columns over the window [x0, x1].

    x: float64 [n], ascending, finite; lo, hi, first, last: float64 [n], finite (one array four times for plain
    points, the columns of an envelope otherwise). `gaps` int [n]: how many gaps there are before each point, None for
    none at all; no line crosses a gap. Points outside the window only lead the line to its edge. Costs O(points in
    view + columns log points).
    """
    empty = np.full(columns, np.nan)
    if columns < 1 or len(x) == 0:
        return Columns(empty, empty, empty, empty, np.zeros(columns, dtype=bool))
    span = x1 - x0
    if not span > 0:  # a single step in view: the middle column
        x0, span = x0 - 0.5, 1.0
    scale = (columns - 1) / span if columns > 1 else 1.0
    edges = x0 + (np.arange(columns + 1) - 0.5) / scale
    bounds = np.searchsorted(x, edges, side="left")
    begin, end = bounds[:-1], bounds[1:]
    hit = np.flatnonzero(end > begin)
    out_lo, out_hi, out_first, out_last = empty, empty.copy(), empty.copy(), empty.copy()
    joined = np.zeros(columns, dtype=bool)
    if len(hit):
        starts, stop = begin[hit], end[hit[-1]]
        # Between one hit column's end and the next one's start there are no points, so reduceat's slices are exact.
        out_lo[hit] = np.minimum.reduceat(lo[:stop], starts)
        out_hi[hit] = np.maximum.reduceat(hi[:stop], starts)
        out_first[hit] = first[starts]
        out_last[hit] = last[end[hit] - 1]

    # Knots: where the curve is known, with its point numbers; one more beyond each edge of the window.
    where, left_point, right_point = hit.astype(np.float64), begin[hit], end[hit] - 1
    before, after = bounds[0] - 1, bounds[-1]
    if before >= 0:
        where = np.concatenate([[(x[before] - x0) * scale], where])
        left_point, right_point = np.concatenate([[before], left_point]), np.concatenate([[before], right_point])
    if after < len(x):
        where = np.concatenate([where, [(x[after] - x0) * scale]])
        left_point, right_point = np.concatenate([left_point, [after]]), np.concatenate([right_point, [after]])
    whole = np.ones(len(where), dtype=bool)  # whole[k]: knot k is joined to knot k - 1
    whole[0:1] = False
    if gaps is not None and len(where) > 1:
        whole[1:] = gaps[left_point[1:]] == gaps[right_point[:-1]]

    free = np.flatnonzero(end <= begin)
    right = np.searchsorted(where, free)
    inside = (right > 0) & (right < len(where))
    free, right = free[inside], right[inside]
    keep = whole[right]
    free, right = free[keep], right[keep]
    if len(free):
        start, goal = last[right_point[right - 1]], first[left_point[right]]
        part = (free - where[right - 1]) / (where[right] - where[right - 1])
        bridge = start + (goal - start) * part
        out_lo[free] = out_hi[free] = out_first[free] = out_last[free] = bridge
        joined[free] = True
    if len(hit):
        offset = 1 if before >= 0 else 0
        joined[hit] = whole[offset : offset + len(hit)]
    joined[0:1] = False
    joined[1:] &= ~np.isnan(out_lo[:-1])
    return Columns(out_lo, out_hi, out_first, out_last, joined)


def filled(columns: Columns, x: Floats, lo: Floats, hi: Floats, x0: float, x1: float) -> Columns:
    """`columns` of a band over [x0, x1], and those between its points as well: x, lo, hi, float64 [n], ascending x."""
    if len(x) < 2:
        return columns
    place = np.linspace(x0, x1, len(columns.lo))
    inside = (place >= x[0]) & (place <= x[-1])
    low, high = (np.where(inside, np.interp(place, x, edge), np.nan) for edge in (lo, hi))
    low, high = np.fmin(low, columns.lo), np.fmax(high, columns.hi)
    middle = (low + high) / 2
    return Columns(low, high, middle, middle, np.zeros(len(place), dtype=bool))


def dots(columns: Columns, y0: float, y1: float, rows: int) -> Bools:
    """Dots of a curve in the window [y0, y1], bool [rows, n]; row 0 is the top. Outside the window: clipped."""
    span = y1 - y0
    scale = (rows - 1) / span if span > 0 else 0.0

    def to_row(values: Floats) -> Floats:
        centred = (rows - 1) / 2 if scale == 0 else 0.0
        return np.clip((y1 - values) * scale + centred, -_FAR, _FAR)

    with np.errstate(over="ignore"):
        top, bottom = to_row(columns.hi), to_row(columns.lo)
        first, last = to_row(columns.first), to_row(columns.last)
    c = np.flatnonzero(columns.joined)
    middle = (last[c - 1] + first[c]) / 2
    top[c], bottom[c] = np.minimum(top[c], middle), np.maximum(bottom[c], middle)
    top[c - 1], bottom[c - 1] = np.minimum(top[c - 1], middle), np.maximum(bottom[c - 1], middle)
    gone = np.isnan(top)
    upper = np.where(gone, rows, np.round(top)).astype(np.int32)
    lower = np.where(gone, -1, np.round(bottom)).astype(np.int32)
    row = np.arange(rows, dtype=np.int32)[:, None]
    result: Bools = (row >= upper) & (row <= lower)
    return result


def pack(grid: Bools, bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Dots bool [dy * h, dx * w] -> one pattern a cell, uint8 [h, w]; `bits` [dy, dx] is the bit of each dot."""
    dots_y, dots_x = bits.shape
    height, width = grid.shape[0] // dots_y, grid.shape[1] // dots_x
    cells = grid.view(np.uint8).reshape(height, dots_y, width, dots_x)
    out = np.zeros((height, width), dtype=np.uint8)
    for dy in range(dots_y):
        for dx in range(dots_x):
            out |= cells[:, dy, :, dx] * bits[dy, dx]
    return out


def column_of(x: float, x0: float, x1: float, columns: int) -> int:
    """The dot column of a position; may lie outside 0 ... columns - 1, by at most a million."""
    if not x1 > x0:
        return (columns - 1) // 2
    return round(max(-_FAR, min(_FAR, (x - x0) / (x1 - x0) * (columns - 1))))


def marks(x: Floats, x0: float, x1: float, width: int, dots_x: int) -> NDArray[np.intp]:
    """Cell columns (unique, ascending) of the x positions that lie in the window; for markers on the axis."""
    if width < 1 or len(x) == 0:
        return np.zeros(0, dtype=np.intp)
    span = x1 - x0
    inside = x[(x >= x0) & (x <= x1)]
    if not span > 0:
        return np.unique(np.full(len(inside), (width - 1) // 2, dtype=np.intp))
    n = width * dots_x
    return np.unique(np.round((inside - x0) / span * (n - 1)).astype(np.intp) // dots_x)
