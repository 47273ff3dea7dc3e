"""A chart as a picture of characters: curves, axes, markers. Pure; the widgets only colour it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitui.tui.widgets import axes, raster
from vitui.tui.widgets.derived import Derived, Placed
from vitui.tui.widgets.look import LETTERS, Level, Look, Mark, Panel, Trace
from vitui.tui.widgets.signs import BRAILLE, Signs
from vitui.tui.widgets.values import level_place, value_range
from vitui.tui.widgets.window import Window

GUTTER = 7
"""Cells left of the plot: a label of five, a space, the axis."""


class Ink(enum.IntEnum):
    """What a cell shows; the widget maps it to a style. Curve i is CURVE + i, its band BAND + i."""

    BLANK = 0
    AXIS = 1
    LABEL = 2
    LEVEL = 3
    BAD = 4
    WARN = 5
    MARK = 6
    CROSS = 7
    CURVE = 16
    BAND = 48


@dataclass(frozen=True, slots=True)
class Plot:
    """Where in a picture the curves are: `columns` x `rows` cells from column `left` on, showing `window` and values
    y0 ... y1 (their logarithms where `log`). `framed`: there are axes."""

    left: int
    columns: int
    rows: int
    window: Window
    y0: float
    y1: float
    log: bool
    framed: bool
    dots_x: int
    clipped: bool = False

    def column(self, place: float) -> int | None:
        """The cell column of a place of the x axis, None outside."""
        w = self.window
        if self.columns < 1 or not w.x0 <= place <= w.x1:
            return None
        return self.left + raster.column_of(place, w.x0, w.x1, self.columns * self.dots_x) // self.dots_x

    def place(self, column: float) -> float:
        """The place of the x axis at the middle of a cell column; may lie outside the window."""
        w = self.window
        return w.x0 + (column - self.left + 0.5) / max(self.columns, 1) * (w.x1 - w.x0)

    def value(self, row: float) -> float:
        """The value (its logarithm where `log`) at the middle of a row."""
        return self.y1 - (row + 0.5) / max(self.rows, 1) * (self.y1 - self.y0)


@dataclass(frozen=True, slots=True)
class Picture:
    """Characters U1 [h, w] and their inks uint8 [h, w]."""

    chars: NDArray[np.str_]
    ink: NDArray[np.uint8]
    plot: Plot

    def lines(self) -> list[str]:
        return ["".join(row) for row in self.chars.tolist()]


@dataclass(slots=True)
class Curve:
    """A trace reduced to dot columns. `end`: the value where its letter goes; `single`: its only point in view.
    `stippled`: its band is an area of every other dot, through which others can be seen."""

    ink: int
    letter: str
    line: raster.Columns
    band: raster.Columns | None
    end: float | None
    single: tuple[float, float] | None
    placed: Placed
    stippled: bool = False


def paint(
    panel: Panel,
    look: Look,
    window: Window,
    width: int,
    height: int,
    derived: Derived | None = None,
    signs: Signs = BRAILLE,
) -> Picture:
    """Draw into `width` x `height` cells, axes and labels included. Any size works; tiny ones lose the axes first."""
    chars = np.full((max(height, 0), max(width, 0)), " ", dtype="<U1")
    ink = np.zeros(chars.shape, dtype=np.uint8)
    framed = width >= 24 and height >= 5
    log = look.is_log(panel)
    if width < 1 or height < 1:
        return Picture(chars, ink, Plot(0, 0, 0, window, 0.0, 1.0, log, False, signs.dots_x))
    derived = derived or Derived()
    rows = height - 2 if framed else height
    # Room for labels of five characters, more only where a label needs it: the plot must not jump as numbers change.
    gutter, margin = (GUTTER, 2) if framed else (0, 0)
    columns = width - gutter - margin
    curves = _curves(panel, look, window, columns * signs.dots_x, derived)
    y0, y1, clipped = value_range(curves, panel, look, window)
    ticks, names = _y_ticks(y0, y1, rows, log)
    if framed and (longest := max(map(len, names), default=0)) + 2 > GUTTER:
        gutter = min(longest + 2, width // 3)
        columns = width - gutter - margin
        curves = _curves(panel, look, window, columns * signs.dots_x, derived)
    plot = Plot(gutter, columns, rows, window, y0, y1, log, framed, signs.dots_x, clipped)
    picture = Picture(chars, ink, plot)
    inner = Picture(chars[:rows, gutter : gutter + columns], ink[:rows, gutter : gutter + columns], plot)
    _draw_levels(inner, panel.levels, signs)
    _draw_curves(inner, curves, signs)
    if framed:
        _draw_y_axis(picture, ticks, names, signs)
        _draw_x_axis(picture, signs)
        _draw_letters(picture, curves)
        _draw_marks(picture, panel.marks, signs)
        for curve in curves:
            for column in raster.marks(curve.placed.bad, window.x0, window.x1, columns, signs.dots_x).tolist():
                _put(picture, rows, gutter + column, signs.bad, Ink.BAD)
    return picture


def _curves(panel: Panel, look: Look, window: Window, dots: int, derived: Derived) -> list[Curve]:
    return [_curve(panel, trace, look, window, dots, derived) for trace in panel.traces]


def _curve(panel: Panel, trace: Trace, look: Look, window: Window, dots: int, derived: Derived) -> Curve:
    series, log_y = trace.series, look.is_log(panel)
    smoothing = look.smoothing if trace.smooth else 0.0
    key = (window.kind, trace.pace, window.log, log_y, smoothing)
    placed = derived.placed(series, *key)
    x0, x1 = window.x0, window.x1
    line = derived.columns(series, panel.key, placed, key, x0, x1, dots, False)
    band = None
    if smoothing > 0 or trace.banded:
        band, line = line, derived.columns(series, panel.key, placed, key, x0, x1, dots, True)
        if trace.banded:
            band = raster.filled(band, placed.x, placed.lo, placed.hi, x0, x1)
    x = placed.x
    begin, visible = np.searchsorted(x, [x0, x1], side="left").tolist()
    visible += int(np.searchsorted(x[visible:], x1, side="right"))
    single = None
    if visible - begin == 1 and (len(x) == 1 or not line.joined.any()):
        single = ((float(x[begin]) - x0) / (x1 - x0), float(placed.smooth[begin]))
    end = float(placed.smooth[visible - 1]) if visible else None
    ink = trace.ink % len(LETTERS)
    return Curve(ink, trace.letter, line, band, end, single, placed, trace.banded)


def _y_ticks(y0: float, y1: float, rows: int, log: bool) -> tuple[list[float], list[str]]:
    most = max(2, rows // 3)
    if log:
        values = axes.log_ticks(y0, y1, most)
        return values, axes.log_labels(values)
    values = axes.ticks(y0, y1, most)
    if len(values) < 2:  # one alone says nothing of the scale
        values = axes.ticks(y0, y1, 2 * most)
    return values, axes.labels(values)


def _row(value: float, plot: Plot, dots_y: int) -> int:
    """The cell row of a value; may lie outside."""
    dot = (plot.y1 - value) / (plot.y1 - plot.y0) * (plot.rows * dots_y - 1)
    return round(max(-1e6, min(1e6, dot))) // dots_y


def _draw_levels(inner: Picture, levels: tuple[Level, ...], signs: Signs) -> None:
    plot, dots_y = inner.plot, signs.dots_y
    for level in levels:
        value = level_place(level, plot.log)
        if value is None or not plot.y0 <= value <= plot.y1 or plot.columns < 1:
            continue
        dot = round((plot.y1 - value) / (plot.y1 - plot.y0) * (plot.rows * dots_y - 1))
        inner.chars[dot // dots_y, ::2] = signs.level[dot % dots_y]
        inner.ink[dot // dots_y, ::2] = Ink.LEVEL


def _draw_curves(inner: Picture, curves: list[Curve], signs: Signs) -> None:
    plot, dots_y = inner.plot, signs.dots_y
    rows, columns = plot.rows, plot.columns
    if rows < 1 or columns < 1:
        return
    dots = np.zeros((rows, columns), dtype=np.uint8)
    kind = np.zeros((rows, columns), dtype=np.uint8)

    def cells(part: raster.Columns, stippled: bool = False) -> NDArray[np.uint8]:
        grid = raster.dots(part, plot.y0, plot.y1, rows * dots_y)
        if stippled:
            grid &= np.add.outer(np.arange(grid.shape[0]), np.arange(grid.shape[1])) % 2 == 0
        return raster.pack(grid, signs.bits)

    for curve in curves:
        if curve.band is not None:
            found = cells(curve.band, curve.stippled)
            hit = found > 0
            dots[hit] |= found[hit]
            kind[hit] = Ink.BAND + curve.ink
    for curve in reversed(curves):
        found = cells(curve.line)
        hit = found > 0
        # A line cuts through bands, which would swallow it, and is joined with other lines.
        over_band = hit & (kind >= Ink.BAND)
        dots[over_band] = 0
        dots[hit] |= found[hit]
        kind[hit] = Ink.CURVE + curve.ink
    for drawn, characters in ((kind >= Ink.BAND, signs.band), ((kind > 0) & (kind < Ink.BAND), signs.line)):
        inner.chars[drawn] = characters[dots[drawn]]
        inner.ink[drawn] = kind[drawn]
    for curve in curves:
        if curve.single is not None:
            part, value = curve.single
            row, column = _row(value, plot, dots_y), round(part * (columns - 1))
            if 0 <= row < rows:
                inner.chars[row, column], inner.ink[row, column] = signs.point, Ink.CURVE + curve.ink


def _put(picture: Picture, row: int, column: int, text: str, ink: int) -> None:
    text = text[: max(0, picture.chars.shape[1] - column)]
    if text and column >= 0:
        picture.chars[row, column : column + len(text)] = list(text)
        picture.ink[row, column : column + len(text)] = ink


def _draw_y_axis(picture: Picture, ticks: list[float], names: list[str], signs: Signs) -> None:
    plot = picture.plot
    rows, gutter = plot.rows, plot.left
    picture.chars[:rows, gutter - 1] = signs.vertical
    picture.ink[:rows, gutter - 1] = Ink.AXIS
    used: set[int] = set()
    for value, name in zip(ticks, names, strict=True):
        row = _row(value, plot, signs.dots_y)
        if 0 <= row < rows and not used & {row, row - 1, row + 1}:
            used.add(row)
            name = name[: gutter - 2]
            _put(picture, row, gutter - 2 - len(name), name, Ink.LABEL)
            _put(picture, row, gutter - 1, signs.tick_left, Ink.AXIS)


def _draw_x_axis(picture: Picture, signs: Signs) -> None:
    plot, window = picture.plot, picture.plot.window
    rows, gutter, columns, width = plot.rows, plot.left, plot.columns, picture.chars.shape[1]
    _put(picture, rows, gutter - 1, signs.corner + signs.horizontal * columns, Ink.AXIS)
    _put(picture, rows + 1, 0, window.kind.value[: gutter - 1], Ink.LABEL)
    places, names = axes.place_ticks(window.x0, window.x1, max(2, columns // 10), window.kind, window.log)
    taken = gutter - 2
    for place, name in zip(places, names, strict=True):
        column = plot.column(place)
        if column is None:
            continue
        start = min(column - len(name) // 2, width - len(name))
        if start <= taken:
            continue
        _put(picture, rows, column, signs.tick_below, Ink.AXIS)
        _put(picture, rows + 1, start, name, Ink.LABEL)
        taken = start + len(name)


def _draw_letters(picture: Picture, curves: list[Curve]) -> None:
    """A letter beside each curve's end, so that curves are told apart without colour."""
    plot, taken = picture.plot, set[int]()
    for curve in curves:
        if curve.end is None:
            continue
        wanted = min(max(_row(curve.end, plot, 4), 0), plot.rows - 1)
        row = min((r for r in range(plot.rows) if r not in taken), key=lambda r: abs(r - wanted), default=None)
        if row is None:
            return
        taken.add(row)
        _put(picture, row, plot.left + plot.columns + 1, curve.letter, Ink.CURVE + curve.ink)


_WEIGHT = ("evaluated", "checkpoint", "best", "resumed", "stopped", "warning", "nonfinite", "failed", "diverged")
_INKS = {
    "warning": Ink.WARN, "stopped": Ink.WARN, "nonfinite": Ink.BAD, "failed": Ink.BAD, "diverged": Ink.BAD,
}  # fmt: skip


def weight(mark: Mark) -> int:
    """Which of several marks in one place is shown: the one that matters most."""
    return _WEIGHT.index(mark.kind) if mark.kind in _WEIGHT else 0


_ROUTINE = ("evaluated", "checkpoint", "best")
_CROWDED = 4
"""Routine marks in more than every fourth column would hide the axis: then only the newest of each kind is shown."""


def _draw_marks(picture: Picture, marks: tuple[Mark, ...], signs: Signs) -> None:
    plot = picture.plot
    placed: list[tuple[int, Mark]] = []
    for mark in marks:
        x = mark.x(plot.window.kind)
        place = None if x is None else plot.window.place(x)
        if place is not None and (column := plot.column(place)) is not None:
            placed.append((column, mark))
    routine = [(column, mark) for column, mark in placed if mark.kind in _ROUTINE]
    if len({column for column, _ in routine}) * _CROWDED > plot.columns:
        newest = {mark.kind: (column, mark) for column, mark in sorted(routine, key=lambda pair: pair[0])}
        placed = [*newest.values(), *((c, m) for c, m in placed if m.kind not in _ROUTINE)]
    for column, mark in sorted(placed, key=lambda pair: weight(pair[1])):
        _put(picture, plot.rows, column, signs.mark(mark.kind), _INKS.get(mark.kind, Ink.MARK))
