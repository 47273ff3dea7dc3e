"""Where each chart of a grid goes. Pure."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_WIDTH, LEAST_HEIGHT = 38, 10
"""Cells a chart needs with its title, axes and labels: about 30 x 7 of curves."""
_ASPECT = 2.8
"""Columns for each row of a chart that is good to look at; cells are about twice as high as wide."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Chart number `index` in the cells from (x, y) on."""

    index: int
    x: int
    y: int
    width: int
    height: int

    def holds(self, x: int, y: int) -> bool:
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


def tiles(count: int, front: int, width: int, height: int) -> list[Tile]:
    """Tiles for as many of `count` charts as have room in `width` x `height` cells; chart `front` is among them.

    Charts that do not fit are on further pages, of which the one with `front` is given.
    """
    if count < 1 or width < 1 or height < 1:
        return []
    columns, rows = _shape(count, width, height)
    page = columns * rows
    first = front // page * page
    # The last page is filled up, so that all room is used.
    first = max(0, min(first, count - page))
    shown = list(range(first, min(first + page, count)))
    rows = -(-len(shown) // columns)
    out = []
    for row in range(rows):
        inside = shown[row * columns : (row + 1) * columns]
        top, bottom = row * height // rows, (row + 1) * height // rows
        for place, index in enumerate(inside):
            left, right = place * width // len(inside), (place + 1) * width // len(inside)
            out.append(Tile(index, left, top, right - left, bottom - top))
    return out


def _shape(count: int, width: int, height: int) -> tuple[int, int]:
    """Columns and rows: all charts where they fit, then shaped well and few cells left empty."""
    most_columns, most_rows = max(1, width // LEAST_WIDTH), max(1, height // LEAST_HEIGHT)
    if count >= most_columns * most_rows:
        return most_columns, most_rows

    def cost(columns: int) -> float:
        rows = -(-count // columns)
        aspect = (width / columns) / (height / rows) / _ASPECT
        return max(aspect, 1 / aspect) + (columns * rows - count) * 0.2

    fitting = [c for c in range(1, most_columns + 1) if -(-count // c) <= most_rows]
    columns = min(fitting, key=cost)
    return columns, -(-count // columns)
