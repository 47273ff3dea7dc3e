"""A chart as a picture of characters: curves, axes, markers. Pure; the widget only colours it."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vitui.tui.series import Floats, Series, XAxis, ema
from vitui.tui.widgets import axes, raster

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
GUTTER = 7
"""Cells left of the plot: a label of five, a space, the axis."""


class Ink(enum.IntEnum):
    """What a cell shows; the widget maps it to a style. Curve i is CURVE + i, its band BAND + i."""

    BLANK = 0
    AXIS = 1
    LABEL = 2
    LEVEL = 3
    BAD = 4
    CURVE = 16
    BAND = 48


@dataclass(frozen=True, slots=True)
class Trace:
    """A series in a chart. `smooth`: dense and noisy, so a moving average is drawn bright over its dim band."""

    series: Series
    label: str
    smooth: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """A horizontal dashed line: a published value."""

    value: float
    label: str


@dataclass(frozen=True, slots=True)
class View:
    """How to look at the series. `window`: first and last step in view, None for all (a None end follows the run)."""

    x: XAxis = XAxis.STEP
    smoothing: float = 0.0
    log_y: bool = False
    window: tuple[float, float | None] | None = None
    steps_per_epoch: float = 0.0
    started: float = 0.0


@dataclass(frozen=True, slots=True)
class Picture:
    """Characters U1 [h, w] and their inks uint8 [h, w]."""

    chars: NDArray[np.str_]
    ink: NDArray[np.uint8]

    def lines(self) -> list[str]:
        return ["".join(row) for row in self.chars.tolist()]


class Smoother:
    """Moving averages of series, remembered until a series or the smoothing changes."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Series, float, Floats]] = {}

    def __call__(self, series: Series, smoothing: float) -> Floats:
        known = self._known.get(series.key)
        if known is None or known[0] is not series or known[1] != smoothing:
            known = (series, smoothing, ema(series.mean, series.count, smoothing))
            self._known[series.key] = known
        return known[2]


@dataclass(slots=True)
class _Curve:
    index: int
    line: raster.Columns
    band: raster.Columns | None
    end: float | None  # where its letter goes
    single: tuple[float, float] | None


def extent(traces: list[Trace], view: View) -> tuple[float, float]:
    """The window on the x axis in its own unit. (0, 1) when there is nothing to see."""
    last = max((float(t.series.step[-1]) for t in traces if len(t.series)), default=0.0)
    last = max([last, *(float(t.series.bad_step[-1]) for t in traces if len(t.series.bad_step))])
    low, high = 0.0, last
    if view.window is not None:
        low, high = view.window[0], last if view.window[1] is None else view.window[1]
    if view.x is XAxis.TIME:
        low, high = _to_time(traces, view, low), _to_time(traces, view, high)
    elif view.x is XAxis.EPOCH and view.steps_per_epoch:
        low, high = low / view.steps_per_epoch, high / view.steps_per_epoch
    return (low, high) if high > low else (low, low + 1.0)


def _to_time(traces: list[Trace], view: View, step: float) -> float:
    longest = max(traces, key=lambda t: float(t.series.step[-1]) if len(t.series) else -1.0, default=None)
    if longest is None or not len(longest.series):
        return step
    if step <= 0:
        return 0.0
    return float(np.interp(step, longest.series.step, np.maximum.accumulate(longest.series.at - view.started)))


def paint(
    traces: list[Trace], levels: list[Level], view: View, width: int, height: int, smoother: Smoother | None = None
) -> Picture:
    """Draw into `width` x `height` cells, axes and labels included. Any size works; tiny ones lose the axes first."""
    chars = np.full((max(height, 0), max(width, 0)), " ", dtype="<U1")
    ink = np.zeros(chars.shape, dtype=np.uint8)
    picture = Picture(chars, ink)
    framed = width >= 24 and height >= 5
    if width < 1 or height < 1:
        return picture
    x0, x1 = extent(traces, view)
    rows = height - 2 if framed else height
    # Room for labels of five characters, more only where a label needs it: the plot must not jump as numbers change.
    gutter, margin = (GUTTER, 2) if framed else (0, 0)
    columns = width - gutter - margin
    smoother = smoother or Smoother()
    curves = _curves(traces, view, x0, x1, columns, smoother)
    y0, y1 = _value_range(curves, levels, view)
    ticks, names = _y_ticks(y0, y1, rows, view.log_y)
    if framed and (longest := max(map(len, names), default=0)) + 2 > GUTTER:
        gutter = min(longest + 2, width // 3)
        columns = width - gutter - margin
        curves = _curves(traces, view, x0, x1, columns, smoother)
    plot_chars, plot_ink = chars[:rows, gutter : gutter + columns], ink[:rows, gutter : gutter + columns]
    _draw_levels(plot_chars, plot_ink, levels, y0, y1, view.log_y)
    _draw_curves(plot_chars, plot_ink, curves, y0, y1)
    if framed:
        _draw_y_axis(picture, rows, gutter, ticks, names, y0, y1)
        _draw_x_axis(picture, rows, gutter, columns, x0, x1, view.x)
        _draw_letters(picture, rows, gutter + columns, curves, y0, y1)
        _draw_bad(picture, rows, gutter, columns, traces, view, x0, x1)
    return picture


def _curves(traces: list[Trace], view: View, x0: float, x1: float, columns: int, smoother: Smoother) -> list[_Curve]:
    out = []
    for index, trace in enumerate(traces):
        series = trace.series
        x, _ = series.x(view.x, view.steps_per_epoch, view.started)

        def reduced(*arrays: Floats, x: Floats = x, series: Series = series) -> raster.Columns:
            lo, hi, first, last = (_scaled(values, view.log_y) for values in arrays)
            return raster.reduce(x, lo, hi, first, last, x0, x1, columns * raster.DOTS_X, series.broken)

        band, line, last = None, reduced(series.lo, series.hi, series.first, series.last), series.last
        if trace.smooth and view.smoothing > 0:
            last = smoother(series, view.smoothing)
            band, line = line, reduced(last, last, last, last)
        single = None
        if len(series) == 1 and x0 <= x[0] <= x1:
            single = ((float(x[0]) - x0) / (x1 - x0), float(_scaled(last, view.log_y)[0]))
        visible = int(np.searchsorted(x, x1, side="right")) if len(x) else 0
        end = float(_scaled(last[visible - 1 : visible], view.log_y)[0]) if visible else None
        out.append(_Curve(index, line, band, end, single))
    return out


def _scaled(values: Floats, log_y: bool) -> Floats:
    if not log_y:
        return values
    positive = values[values > 0]
    floor = float(positive.min()) if len(positive) else 1.0
    return np.log10(np.maximum(values, floor))


def _value_range(curves: list[_Curve], levels: list[Level], view: View) -> tuple[float, float]:
    found = [r for c in curves for part in (c.line, c.band) if part is not None and (r := part.range()) is not None]
    if found:
        found += [(v, v) for level in levels if (v := _level(level, view.log_y)) is not None]
    if not found:
        return 0.0, 1.0
    low, high = min(r[0] for r in found), max(r[1] for r in found)
    if high - low < 1e-12 * max(abs(low), abs(high), 1e-300):
        pad = abs(low) * 0.1 or 1.0
        return low - pad, high + pad
    pad = (high - low) * 0.04
    return low - pad, high + pad


def _level(level: Level, log_y: bool) -> float | None:
    if not math.isfinite(level.value) or (log_y and level.value <= 0):
        return None
    return math.log10(level.value) if log_y else level.value


def _y_ticks(y0: float, y1: float, rows: int, log_y: bool) -> tuple[list[float], list[str]]:
    most = max(2, rows // 3)
    if log_y:
        values = axes.log_ticks(y0, y1, most)
        return values, axes.log_labels(values)
    values = axes.ticks(y0, y1, most)
    return values, axes.labels(values)


def _row(value: float, y0: float, y1: float, rows: int) -> int:
    """The cell row of a value; may lie outside."""
    dot = (y1 - value) / (y1 - y0) * (rows * raster.DOTS_Y - 1)
    return round(max(-1e6, min(1e6, dot))) // raster.DOTS_Y


def _draw_levels(
    chars: NDArray[np.str_], ink: NDArray[np.uint8], levels: list[Level], y0: float, y1: float, log_y: bool
) -> None:
    rows, columns = chars.shape
    for level in levels:
        value = _level(level, log_y)
        if value is None or not y0 <= value <= y1 or not columns:
            continue
        dot = round((y1 - value) / (y1 - y0) * (rows * raster.DOTS_Y - 1))
        dash = chr(0x2800 + (0x09, 0x12, 0x24, 0xC0)[dot % raster.DOTS_Y])
        chars[dot // raster.DOTS_Y, ::2] = dash
        ink[dot // raster.DOTS_Y, ::2] = Ink.LEVEL


def _draw_curves(chars: NDArray[np.str_], ink: NDArray[np.uint8], curves: list[_Curve], y0: float, y1: float) -> None:
    rows, columns = chars.shape
    if rows < 1 or columns < 1:
        return
    dots = np.zeros((rows, columns), dtype=np.uint8)
    kind = np.zeros((rows, columns), dtype=np.uint8)
    for curve in curves:
        if curve.band is not None:
            cells = raster.pack(raster.dots(curve.band, y0, y1, rows))
            hit = cells > 0
            dots[hit] |= cells[hit]
            kind[hit] = Ink.BAND + curve.index
    for curve in reversed(curves):
        cells = raster.pack(raster.dots(curve.line, y0, y1, rows))
        hit = cells > 0
        # A line cuts through bands, which would swallow it, and is joined with other lines.
        over_band = hit & (kind >= Ink.BAND)
        dots[over_band] = 0
        dots[hit] |= cells[hit]
        kind[hit] = Ink.CURVE + curve.index
    drawn = dots > 0
    chars[drawn] = _BRAILLE[dots[drawn]]
    ink[drawn] = kind[drawn]
    for curve in curves:
        if curve.single is not None:
            part, value = curve.single
            row, column = _row(value, y0, y1, rows), round(part * (columns - 1))
            if 0 <= row < rows:
                chars[row, column], ink[row, column] = "•", Ink.CURVE + curve.index


_BRAILLE = np.array([chr(0x2800 + p) for p in range(256)], dtype="<U1")


def _put(picture: Picture, row: int, column: int, text: str, ink: int) -> None:
    text = text[: max(0, picture.chars.shape[1] - column)]
    if text and column >= 0:
        picture.chars[row, column : column + len(text)] = list(text)
        picture.ink[row, column : column + len(text)] = ink


def _draw_y_axis(
    picture: Picture, rows: int, gutter: int, ticks: list[float], names: list[str], y0: float, y1: float
) -> None:
    picture.chars[:rows, gutter - 1] = "│"
    picture.ink[:rows, gutter - 1] = Ink.AXIS
    used: set[int] = set()
    for value, name in zip(ticks, names, strict=True):
        row = _row(value, y0, y1, rows)
        if 0 <= row < rows and not used & {row, row - 1, row + 1}:
            used.add(row)
            name = name[: gutter - 2]
            _put(picture, row, gutter - 2 - len(name), name, Ink.LABEL)
            _put(picture, row, gutter - 1, "┤", Ink.AXIS)


def _draw_x_axis(picture: Picture, rows: int, gutter: int, columns: int, x0: float, x1: float, kind: XAxis) -> None:
    _put(picture, rows, gutter - 1, "└" + "─" * columns, Ink.AXIS)
    _put(picture, rows + 1, 0, kind.value[: gutter - 1], Ink.LABEL)
    most = max(2, columns // 10)
    make, name = {
        XAxis.STEP: (axes.count_ticks, axes.count_labels),
        XAxis.EPOCH: (axes.ticks, axes.labels),
        XAxis.TIME: (axes.time_ticks, axes.time_labels),
    }[kind]
    values = make(x0, x1, most)
    taken = gutter - 2
    for value, label in zip(values, name(values), strict=True):
        column = gutter + round((value - x0) / (x1 - x0) * (columns * raster.DOTS_X - 1)) // raster.DOTS_X
        start = min(column - len(label) // 2, picture.chars.shape[1] - len(label))
        if start <= taken or not gutter <= column < gutter + columns:
            continue
        _put(picture, rows, column, "┴", Ink.AXIS)
        _put(picture, rows + 1, start, label, Ink.LABEL)
        taken = start + len(label)


def _draw_letters(picture: Picture, rows: int, column: int, curves: list[_Curve], y0: float, y1: float) -> None:
    """A letter beside each curve's end, so that curves are told apart without colour."""
    taken: set[int] = set()
    for curve in curves[: len(LETTERS)]:
        if curve.end is None:
            continue
        wanted = min(max(_row(curve.end, y0, y1, rows), 0), rows - 1)
        row = min((r for r in range(rows) if r not in taken), key=lambda r: abs(r - wanted), default=None)
        if row is None:
            return
        taken.add(row)
        _put(picture, row, column + 1, LETTERS[curve.index], Ink.CURVE + curve.index)


def _draw_bad(
    picture: Picture, rows: int, gutter: int, columns: int, traces: list[Trace], view: View, x0: float, x1: float
) -> None:
    for trace in traces:
        _, bad = trace.series.x(view.x, view.steps_per_epoch, view.started)
        for column in raster.marks(bad, x0, x1, columns).tolist():
            _put(picture, rows, gutter + column, "×", Ink.BAD)


def zoomed(view: View, last_step: float, factor: float) -> View:
    """`view` with a window `factor` times as wide, about its middle (about its end while it follows the run)."""
    low, high = view.window if view.window is not None else (0.0, None)
    follows, high = high is None, last_step if high is None else high
    span = max((high - low) * factor, 4.0)
    if span >= last_step:
        return replace(view, window=None)
    if follows:
        return replace(view, window=(max(0.0, high - span), None))
    low = min(max(0.0, (low + high - span) / 2), last_step - span)
    return replace(view, window=(low, low + span))


def panned(view: View, last_step: float, part: float) -> View:
    """`view` moved by `part` of its width; at the right end it follows the run again. Without a window: unchanged."""
    if view.window is None:
        return view
    low, end = view.window
    high = last_step if end is None else end
    span = high - low
    low = min(max(0.0, low + part * span), max(0.0, last_step - span))
    at_end = low + span >= last_step - 1e-9 * max(1.0, last_step)
    return replace(view, window=(low, None if at_end else low + span))
