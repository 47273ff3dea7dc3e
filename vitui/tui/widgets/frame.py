"""One chart as strips: painted when something about it changes, cut into lines, crossed by the crosshair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from vitui.text import safe
from vitui.tui.theme import Palette
from vitui.tui.widgets.derived import Derived
from vitui.tui.widgets.legend import legend
from vitui.tui.widgets.look import LETTERS, Look, Panel
from vitui.tui.widgets.plot import Ink, Picture, Plot, paint
from vitui.tui.widgets.signs import signs_of
from vitui.tui.widgets.window import Window

Rows = list[tuple[int, int, int]]
"""What changed: row, first column, number of columns."""


@dataclass(frozen=True)
class _Seen:
    """All that a picture depends on."""

    panel: Panel
    smoothing: float
    log: bool
    limits: object
    clip: bool
    window: Window
    size: tuple[int, int]


class Frame:
    """A legend line and a picture of one panel."""

    def __init__(self, palette: Palette, derived: Derived, empty: str) -> None:
        self._palette, self._derived, self._empty = palette, derived, empty
        self._signs = signs_of(palette)
        self._seen: _Seen | None = None
        self._legend_of: tuple[object, ...] = ()
        self._picture: Picture | None = None
        self._strips: list[Strip] = []
        self._base = Style()
        self._crossed: list[tuple[int, int]] = []

    @property
    def plot(self) -> Plot | None:
        """Where the curves are, None while there is nothing to draw. Its rows count from below the legend."""
        return self._picture.plot if self._picture is not None else None

    @property
    def height(self) -> int:
        return len(self._strips)

    def update(
        self,
        panel: Panel,
        look: Look,
        window: Window,
        width: int,
        height: int,
        base: Style,
        chosen: bool = False,
        page: str = "",
        dashed: bool = False,
    ) -> Rows:
        """Paint what is new and say which cells have changed. `dashed`: the crosshair is, which is fewer bytes."""
        limits = look.ranges.get(panel.key)
        seen = _Seen(panel, look.smoothing, look.is_log(panel), limits, look.clip, window, (width, height))
        old, fresh = self._picture, seen != self._seen
        changed: Rows = []
        if fresh:
            points = any(len(t.series) or len(t.series.bad_step) for t in panel.traces)
            size = (width, max(height - 1, 0))
            self._picture = paint(panel, look, window, *size, self._derived, self._signs) if points else None
            changed = _difference(old, self._picture, width, height)
            self._seen = seen
        cross = self._cross(look, window, dashed)
        if cross != self._crossed:
            changed += [(row + 1, column, 1) for row, column in set(cross) ^ set(self._crossed)]
        shown_as = (panel, _told(look), chosen, page, width)
        if shown_as != self._legend_of:
            changed.append((0, 0, width))
        if changed or base != self._base or len(self._strips) != height:
            self._crossed, self._legend_of, self._base = cross, shown_as, base
            self._strips = self._cut(panel, look, width, height, chosen, page)
        return [(row, column, count) for row, column, count in changed if row < height]

    def _cross(self, look: Look, window: Window, dashed: bool) -> list[tuple[int, int]]:
        """Rows and columns of the picture where the crosshair is seen: where there is nothing else."""
        picture = self._picture
        at = None if look.cursor is None or picture is None else window.place(look.cursor)
        if picture is None or at is None or (column := picture.plot.column(at)) is None:
            return []
        rows, inks = picture.plot.rows, picture.ink[:, column]
        free = [row for row in range(0, rows, 2 if dashed else 1) if inks[row] == Ink.BLANK]
        if picture.plot.framed and inks[rows] == Ink.AXIS:
            free.append(rows)
        return [(row, column) for row in free]

    def strip(self, row: int) -> Strip:
        return self._strips[row]

    def _cut(self, panel: Panel, look: Look, width: int, height: int, chosen: bool, page: str) -> list[Strip]:
        base, picture = self._base, self._picture
        if height < 1 or width < 1:
            return []
        clipped = picture is not None and picture.plot.clipped
        first = legend(panel, look, clipped, width, base, self._palette, self._signs, chosen, page)
        if picture is None:
            style = base + self._palette.dim
            texts = [safe(self._empty, width).center(width) if row == height // 2 else "" for row in range(1, height)]
            return [first, *(Strip([Segment(t, style)]).adjust_cell_length(width, base) for t in texts)]
        return [first, *self._lines(picture, width)]

    def _lines(self, picture: Picture, width: int) -> list[Strip]:
        chars, ink = picture.chars, picture.ink
        if self._crossed:
            chars, ink = chars.copy(), ink.copy()
            for row, column in self._crossed:
                on_axis = row == picture.plot.rows
                chars[row, column] = self._signs.cross if on_axis else self._signs.crosshair
                ink[row, column] = Ink.CROSS if on_axis else Ink.LABEL
        styles, strips = self._styles(), []
        for row, inks in zip(chars.tolist(), _fewest_inks(chars, ink), strict=True):
            text = "".join(row)
            cuts = (np.flatnonzero(inks[1:] != inks[:-1]) + 1).tolist()
            strips.append(
                Strip(
                    [Segment(text[a:b], styles[int(inks[a])]) for a, b in zip([0, *cuts], [*cuts, width], strict=True)],
                    width,
                )
            )
        return strips

    def _styles(self) -> dict[int, Style]:
        base, p = self._base, self._palette
        styles: dict[int, Style] = {
            Ink.BLANK: base,
            Ink.AXIS: base + p.dim,
            Ink.LABEL: base + p.dim,
            Ink.LEVEL: base + p.text,
            Ink.BAD: base + p.bad,
            Ink.WARN: base + p.warn,
            Ink.MARK: base + p.key,
            Ink.CROSS: base + p.strong,
        }
        for index in range(len(LETTERS)):
            styles[Ink.CURVE + index] = base + p.curves[index % len(p.curves)]
            styles[Ink.BAND + index] = base + p.bands[index % len(p.bands)]
        return styles


def _fewest_inks(chars: NDArray[np.str_], ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`ink` with as few changes along a line as look the same: every change is some thirty bytes over the link."""
    columns = np.arange(ink.shape[1])
    seen = np.maximum.accumulate(np.where(chars == " ", 0, columns), axis=1)  # a space looks the same in any ink
    alike = np.where(ink == Ink.LABEL, np.uint8(Ink.AXIS), ink)
    found: NDArray[np.uint8] = np.take_along_axis(alike, seen, axis=1)
    return found


def _told(look: Look) -> tuple[object, ...]:
    """What of a look the legend tells."""
    return look.smoothing, look.log_y, look.ranges, look.clip


def _difference(old: Picture | None, new: Picture | None, width: int, height: int) -> Rows:
    """The part of each row in which two pictures differ; everything where they cannot be compared."""
    if old is None or new is None or old.chars.shape != new.chars.shape:
        return [(row, 0, width) for row in range(height)]
    different = (old.chars != new.chars) | (old.ink != new.ink)
    out: Rows = []
    for row in np.flatnonzero(different.any(axis=1)).tolist():
        columns = np.flatnonzero(different[row])
        out.append((row + 1, int(columns[0]), int(columns[-1] - columns[0] + 1)))
    return out
