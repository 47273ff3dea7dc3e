"""Chart: one panel to look at, without keys or mouse of its own."""

from __future__ import annotations

from dataclasses import replace

from textual.events import Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from vitui.tui.theme import Palette
from vitui.tui.widgets.derived import Derived
from vitui.tui.widgets.frame import Frame
from vitui.tui.widgets.look import Look, Panel
from vitui.tui.widgets.window import axis_of, whole, window_of


class Chart(Widget):
    """A legend line, then the picture. Nothing is computed while nothing has changed."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Chart { width: 1fr; height: 1fr; }
    """

    def __init__(self, palette: Palette, *, empty: str = "no points yet", id: str | None = None) -> None:
        super().__init__(id=id)
        self._empty = empty
        self._derived = Derived()
        self._frame = Frame(palette, self._derived, empty)
        self._panel = Panel("", "", ())
        self._look = Look()

    def show(self, panel: Panel, look: Look | None = None) -> None:
        """Replace what is shown; only what changed is drawn again."""
        look = self._look if look is None else look
        if (panel, look) != (self._panel, self._look):
            self._panel, self._look = panel, look
            self._arrange()

    @property
    def panel(self) -> Panel:
        return self._panel

    def restyle(self, palette: Palette) -> None:
        """Other colours and signs."""
        self._frame = Frame(palette, self._derived, self._empty)
        self._arrange()
        self.refresh()

    def on_resize(self, event: Resize) -> None:
        self._arrange()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._arrange()

    def _arrange(self) -> None:
        width, height = self.size
        if width < 1 or height < 1:
            return
        kind = axis_of(self._panel.traces, self._look.x)
        window = window_of(self._look, kind, whole([self._panel], kind, self._derived))
        look = replace(self._look, cursor=None)
        changed = self._frame.update(self._panel, look, window, width, height, self.rich_style)
        if changed:
            self.refresh(*(Region(column, row, count, 1) for row, column, count in changed))

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        return self._frame.strip(y) if y < self._frame.height else Strip.blank(self.size.width, base)

    def text_lines(self) -> list[str]:
        """The chart as plain text."""
        return ["".join(segment.text for segment in self.render_line(y)) for y in range(self.size.height)]
