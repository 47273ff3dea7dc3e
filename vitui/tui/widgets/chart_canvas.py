"""The drawing half of ChartGrid: panels as a grid of charts in one widget on the line API."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.events import Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from vitui.text import cell_width
from vitui.tui.theme import Palette
from vitui.tui.widgets import crosshair
from vitui.tui.widgets.derived import Derived
from vitui.tui.widgets.frame import Frame
from vitui.tui.widgets.look import Look, Panel
from vitui.tui.widgets.plot import Plot
from vitui.tui.widgets.signs import signs_of
from vitui.tui.widgets.tiling import LEAST_HEIGHT, Tile, tiles
from vitui.tui.widgets.window import Window, axis_of, whole, window_of

Part = crosshair.Part


class ChartCanvas(Widget):
    """Draws panels as a grid, or the one in front alone. Nothing is painted while nothing has changed."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    ChartCanvas { width: 1fr; height: 1fr; }
    """

    def __init__(self, palette: Palette, *, empty: str = "no points yet", id: str | None = None) -> None:
        super().__init__(id=id)
        self._palette, self._empty = palette, empty
        self._signs = signs_of(palette)
        self._derived = Derived()
        self._panels: tuple[Panel, ...] = ()
        self._look = Look()
        self._window = window_of(self._look, self._look.x, (0.0, 1.0, 1.0))
        # While a window is in view, long series may hold only its part: the run's end is what was seen of it before.
        self._reach: tuple[object, tuple[float, float, float]] | None = None
        self._frames: dict[str, Frame] = {}
        self._tiles: list[Tile] = []
        self._told: list[list[Part]] = []
        self._told_rows = 0

    # -- what is shown -------------------------------------------------------------------------------------------

    def show(self, panels: Sequence[Panel]) -> None:
        """Replace the charts; only those whose content changed are drawn again."""
        if tuple(panels) != self._panels:
            self._panels = tuple(panels)
            keys = {panel.key for panel in self._panels}
            self._frames = {key: frame for key, frame in self._frames.items() if key in keys}
            self._arrange()

    @property
    def panels(self) -> tuple[Panel, ...]:
        return self._panels

    @property
    def look(self) -> Look:
        return self._look

    def set_look(self, look: Look) -> None:
        """Look otherwise, without telling anybody."""
        if look != self._look:
            self._look = look
            self._arrange()

    def restyle(self, palette: Palette) -> None:
        """Other colours and signs."""
        if palette is not self._palette:
            self._palette, self._signs = palette, signs_of(palette)
            self._frames = {}
            self._arrange()

    @property
    def front(self) -> Panel | None:
        """The selected chart."""
        return self._panels[self._front] if self._panels else None

    @property
    def window(self) -> Window:
        return self._window

    @property
    def shown(self) -> list[str]:
        """Keys of the charts that have room now."""
        return [self._panels[tile.index].key for tile in self._tiles]

    def plot_of(self, key: str) -> Plot | None:
        """Where the curves of a shown chart are inside it; None while it is not shown or has no points."""
        frame = self._frames.get(key)
        return frame.plot if frame is not None and key in self.shown else None

    def targets(self) -> list[tuple[int, int, str]]:
        """Column, row and key of each shown chart, for jumping to one."""
        return [(tile.x, tile.y, self._panels[tile.index].key) for tile in self._tiles]

    def readout(self) -> list[list[Part]]:
        """What the curves say where the crosshair is; nothing while it is off."""
        front, cursor, w = self.front, self._look.cursor, self._window
        if front is None or cursor is None or (place := w.place(cursor)) is None:
            return []
        plot = self.plot
        columns = max(1, plot.columns if plot is not None else 1)
        cell = abs(w.unplace(place + (w.x1 - w.x0) / columns / 2) - cursor)
        dot = cell / (plot.dots_x if plot is not None else 1)
        return crosshair.readout(
            self._panels, front, w.kind, cursor, dot, cell, self._look.smoothing, self._derived, self._palette,
            self._signs,
        )  # fmt: skip

    # -- drawing -------------------------------------------------------------------------------------------------

    @property
    def _front(self) -> int:
        return next((n for n, panel in enumerate(self._panels) if panel.key == self._look.front), 0)

    @property
    def plot(self) -> Plot | None:
        """Where the curves of the selected chart are inside it."""
        return self.plot_of(self.front.key) if self.front is not None else None

    def on_resize(self, event: Resize) -> None:
        self._arrange()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._arrange()

    def _arrange(self) -> None:
        """Bring every shown chart up to date and ask for what changed to be drawn."""
        width, height = self.size
        self._window = self._find_window()
        if width < 1 or height < 1:  # hidden: what was arranged may be of other panels when it is drawn again
            self._tiles, self._told_rows = [], 0
            return
        told_rows = self._room_for_readout(height)
        found = self._find_tiles(width, height - told_rows)
        moved = found != self._tiles or told_rows != self._told_rows
        self._tiles, self._told_rows = found, told_rows
        base, several = self.rich_style, len(self._panels) > 1
        page = f"{self._front + 1} of {len(self._panels)}" if len(found) < len(self._panels) else ""
        dirty: list[Region] = []
        for tile in found:
            panel, chosen = self._panels[tile.index], several and tile.index == self._front
            frame = self._frames.get(panel.key)
            if frame is None:
                frame = self._frames[panel.key] = Frame(self._palette, self._derived, self._empty)
            size, dashed = (tile.width, tile.height), several and not chosen
            rows = frame.update(panel, self._look, self._window, *size, base, chosen, page if chosen else "", dashed)
            dirty += [Region(tile.x + column, tile.y + row, count, 1) for row, column, count in rows]
        told = self.readout()[:told_rows] if told_rows else []
        for row in range(told_rows):
            old, new = (lines[row] if row < len(lines) else [] for lines in (self._told, told))
            if old != new:
                same = _same_cells(old, new)
                end = min(width, max(sum(cell_width(text) for text, _ in line) for line in (old, new)))
                if end > same:
                    dirty.append(Region(same, height - told_rows + row, end - same, 1))
        self._told = told
        if moved or not self._panels:
            self.refresh()
        elif dirty:
            self.refresh(*dirty)

    def _find_window(self) -> Window:
        traces = [trace for panel in self._panels for trace in panel.traces]
        kind = axis_of(traces, self._look.x)
        ends = whole(self._panels, kind, self._derived)
        span, subject = self._look.span, (kind, tuple(p.key for p in self._panels))
        if span is not None and self._reach is not None and self._reach[0] == subject:
            known = self._reach[1]
            ends = min(ends[0], known[0]), min(ends[1], known[1]), max(ends[2], known[2])
        self._reach = (subject, ends)
        return window_of(self._look, kind, ends)

    def _room_for_readout(self, height: int) -> int:
        """Rows of the strip under the charts: events and place, each trace in front, one line more for the others."""
        if self._look.cursor is None or self.front is None or height < 6:
            return 0
        wanted = 1 + len(self.front.traces) + (len(self._panels) - 1 if height >= 3 * LEAST_HEIGHT else 0)
        return min(wanted, max(2, height - LEAST_HEIGHT if height < 2 * LEAST_HEIGHT else height // 3))

    def _find_tiles(self, width: int, height: int) -> list[Tile]:
        if self._look.single and self._panels:
            return [Tile(self._front, 0, 0, width, height)]
        return tiles(len(self._panels), self._front, width, height)

    def render_line(self, y: int) -> Strip:
        base, width = self.rich_style, self.size.width
        told_from = self.size.height - self._told_rows
        if self._told_rows and y >= told_from:
            line = self._told[y - told_from] if y - told_from < len(self._told) else []
            return Strip([Segment(text, base + style) for text, style in line if text]).adjust_cell_length(width, base)
        strips = [self._frames[self.key_of(t)].strip(y - t.y) for t in self._tiles if t.y <= y < t.y + t.height]
        if strips:
            return Strip.join(strips).adjust_cell_length(width, base)
        text = self._empty.center(width) if not self._panels and y == self.size.height // 2 else ""
        return Strip([Segment(text, base + self._palette.dim)]).adjust_cell_length(width, base)

    def text_lines(self) -> list[str]:
        """The charts as plain text."""
        return ["".join(segment.text for segment in self.render_line(y)) for y in range(self.size.height)]

    def tile_at(self, x: int, y: int) -> Tile | None:
        """The chart at a cell of the widget."""
        return next((tile for tile in self._tiles if tile.holds(x, y)), None)

    def key_of(self, tile: Tile) -> str:
        """The key of the panel in a tile."""
        return self._panels[tile.index].key


def _same_cells(old: list[Part], new: list[Part]) -> int:
    """How many cells at the beginning of two lines are the same."""
    cells = 0
    for (text, style), (other, others) in zip(old, new, strict=False):
        if (text, style) != (other, others):
            alike = next((n for n, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), 0)
            return cells + (cell_width(text[:alike]) if style == others else 0)
        cells += cell_width(text)
    return cells
