"""Chart: curves of one quantity on the line API. The frame is painted once per change and only cut into lines then."""

from __future__ import annotations

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.events import Resize
from textual.strip import Strip
from textual.widget import Widget

from vitui.text import safe
from vitui.tui.format import number
from vitui.tui.theme import Palette
from vitui.tui.widgets.plot import LETTERS, Ink, Level, Smoother, Trace, View, paint


class Chart(Widget):
    """A title line with the legend, then the picture. Nothing is computed while nothing has changed."""

    DEFAULT_CSS = """
    Chart { width: 1fr; height: 1fr; }
    """

    def __init__(self, title: str, palette: Palette, *, empty: str = "no points yet", id: str | None = None) -> None:
        super().__init__(id=id)
        self._title = title
        self._palette = palette
        self._empty = empty
        self._traces: list[Trace] = []
        self._levels: list[Level] = []
        self._view = View()
        self._smoother = Smoother()
        self._strips: list[Strip] | None = None

    def show(
        self, traces: list[Trace] | None = None, levels: list[Level] | None = None, view: View | None = None
    ) -> None:
        """Replace what is given; repaint if that is anything new."""
        changed = False
        if traces is not None and traces != self._traces:
            self._traces, changed = traces, True
        if levels is not None and levels != self._levels:
            self._levels, changed = levels, True
        if view is not None and view != self._view:
            self._view, changed = view, True
        if changed:
            self._strips = None
            self.refresh()

    @property
    def traces(self) -> list[Trace]:
        return self._traces

    @property
    def view(self) -> View:
        return self._view

    def on_resize(self, event: Resize) -> None:
        self._strips = None

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = None

    def render_line(self, y: int) -> Strip:
        if self._strips is None or len(self._strips) != self.size.height:
            self._strips = self._paint()
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def text_lines(self) -> list[str]:
        """The chart as plain text."""
        return ["".join(segment.text for segment in self.render_line(y)) for y in range(self.size.height)]

    def _paint(self) -> list[Strip]:
        width, height = self.size
        if width < 1 or height < 1:
            return []
        base = self.rich_style
        if not any(len(t.series) or len(t.series.bad_step) for t in self._traces):
            return self._blank(width, height, base)
        picture = paint(self._traces, self._levels, self._view, width, height - 1, self._smoother)
        styles = self._styles(base)
        strips = [self._legend(width, base)]
        for row, inks in zip(picture.lines(), picture.ink, strict=True):
            cuts = (np.flatnonzero(inks[1:] != inks[:-1]) + 1).tolist()
            segments = [
                Segment(row[a:b], styles[int(inks[a])])
                for a, b in zip([0, *cuts], [*cuts, width], strict=True)
            ]  # fmt: skip
            strips.append(Strip(segments, width))
        return strips

    def _styles(self, base: Style) -> dict[int, Style]:
        p = self._palette
        styles: dict[int, Style] = {
            Ink.BLANK: base,
            Ink.AXIS: base + p.dim,
            Ink.LABEL: base + p.dim,
            Ink.LEVEL: base + p.text,
            Ink.BAD: base + p.bad,
        }
        for index in range(len(self._traces)):
            styles[Ink.CURVE + index] = base + p.curves[index % len(p.curves)]
            styles[Ink.BAND + index] = base + p.bands[index % len(p.bands)]
        return styles

    def _legend(self, width: int, base: Style) -> Strip:
        """Title, then letter, label and latest value of each curve, as many as fit."""
        p = self._palette
        segments, used = [Segment(self._title, base + p.strong)], len(self._title)
        entries: list[tuple[str, Style]] = []
        for index, trace in enumerate(self._traces):
            latest = number(trace.series.latest) if len(trace.series) else "–"
            letter = LETTERS[index % len(LETTERS)]
            entries.append((f"{letter} {safe(trace.label, 24)} {latest}", base + p.curves[index % len(p.curves)]))
        entries += [(f"╌ {safe(level.label, 24)} {level.value:g}", base + p.text) for level in self._levels]
        if bad := sum(len(t.series.bad_step) for t in self._traces):
            entries.append((f"× {bad} not finite", base + p.bad))
        if self._view.log_y:
            entries.append(("log", base + p.dim))
        if self._view.smoothing and any(t.smooth for t in self._traces):
            entries.append((f"ema {self._view.smoothing:g}", base + p.dim))
        for text, style in entries:
            segment = Segment("  " + text, style)
            if used + segment.cell_length > width:
                continue
            segments.append(segment)
            used += segment.cell_length
        return Strip(segments, used).adjust_cell_length(width, base)

    def _blank(self, width: int, height: int, base: Style) -> list[Strip]:
        strips = [self._legend(width, base)]
        for row in range(1, height):
            text = safe(self._empty, width).center(width) if row == height // 2 else ""
            strips.append(Strip([Segment(text, base + self._palette.dim)]).adjust_cell_length(width, base))
        return strips
