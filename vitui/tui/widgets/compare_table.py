"""CompareTable: runs as columns, what they are compared in as rows; the titles and the head stay in view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from vitui.comparing import Cell, Comparison
from vitui.comparing.formats import lines
from vitui.text import safe
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Part
from vitui.tui.widgets.listing import cells
from vitui.tui.words import broken

HEAD = 2
"""Lines of the head."""
TITLE, LEAST, MOST = 28, 14, 27
"""Cells of the titles at most, and of a run's column."""
ENOUGH = 20
"""A run's column that is so wide is cut rather than scrolled away; two runs are beside each other in any case."""
GAP = 2


@dataclass(frozen=True, slots=True)
class _Line:
    """A heading or a piece of a note (no cells), or a row. `about`: what the detail line adds."""

    title: str
    cells: tuple[Cell, ...] = ()
    about: str = ""
    kind: str = "row"


class CompareTable(ScrollView, can_focus=False, inherit_bindings=False):
    """A cursor on a row and one on a column (a run). Columns that do not fit are scrolled to by the column cursor."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    CompareTable { width: 1fr; height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """

    class Moved(Message):
        """A cursor is elsewhere; `clicked`: put there by the mouse."""

        def __init__(self, *, clicked: bool = False) -> None:
            super().__init__()
            self.clicked = clicked

    class Opened(Message):
        """A run under the cursor was clicked once more."""

        def __init__(self, run_id: str) -> None:
            super().__init__()
            self.run_id = run_id

    def __init__(self, palette: Palette, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._palette = palette
        self._found: Comparison | None = None
        self._all_fields = False
        self._lines: list[_Line] = []
        self._widths: list[int] = []
        self._title_width = TITLE
        self._row = 0
        self._column = 0
        self._first = 0
        self._active = False

    # -- what is shown -------------------------------------------------------------------------------------------

    def show(self, found: Comparison, all_fields: bool) -> None:
        """Replace the content; of the same columns only lines that changed are drawn again."""
        if found is self._found and all_fields == self._all_fields:
            return
        here = self.current_run
        old, self._found, self._all_fields = self._found, found, all_fields
        ids = [column.id for column in found.columns]
        self._column = ids.index(here) if here in ids else min(self._column, len(ids) - 1)
        self._lay_out(old)

    def restyle(self, palette: Palette) -> None:
        if palette != self._palette:
            self._palette = palette
            self.refresh()

    def set_active(self, active: bool) -> None:
        """Whether the keys come here: the row cursor is shown then."""
        if active != self._active:
            self._active = active
            self.refresh()

    def _lay_out(self, old: Comparison | None = None) -> None:
        found = self._found
        if found is None:
            return
        before, widths = self._lines, self._widths
        self._lines = self._made(found)
        rows = [line for line in self._lines if line.cells]
        longest = max((len(line.title) for line in rows), default=0)
        self._title_width = min(TITLE, longest, max(10, self.size.width // 3))
        wanted = [
            min(MOST, max(LEAST, len(column.label) + 4, *(len(line.cells[n].text) + 1 for line in rows)))
            for n, column in enumerate(found.columns)
        ]
        most = MOST
        if sum(wanted) + GAP * len(wanted) > self._room:
            beside = min(len(wanted), max(2, self._room // (ENOUGH + GAP)))
            most = max(LEAST, self._room // beside - GAP)
        self._widths = [min(width, most) for width in wanted]
        self._row = min(self._row, max(0, len(self._lines) - 1))
        if self._lines and self._lines[self._row].kind in ("space", "heading"):
            self._row = next((n for n in range(self._row, len(self._lines)) if self._lines[n].kind == "row"), self._row)
        self.virtual_size = Size(self.size.width, len(self._lines) + HEAD)
        self._show_column()
        if old is None or old.columns != found.columns or old.baseline != found.baseline or (
            len(before) != len(self._lines) or widths != self._widths
        ):  # fmt: skip
            self.refresh()
            return
        for index, (was, now) in enumerate(zip(before, self._lines, strict=True)):
            if was != now:
                self._redraw(index)

    def _made(self, found: Comparison) -> list[_Line]:
        made = list[_Line]()
        for line in lines(found, self._all_fields):
            if line.heading:
                made += [*([_Line("", kind="space")] if made else []), _Line(safe(line.title), kind="heading")]
            else:
                made.append(_Line(safe(line.title), line.cells, line.row.help if line.row is not None else ""))
        if found.notes:
            made += [_Line("", kind="space"), _Line("is it fair?", kind="heading")]
        for note in found.notes:
            left, sign = safe(note.text), "! " if note.unfair else "- "
            while left:
                piece, left = broken(left, max(20, self.size.width - 4))
                made.append(_Line(sign + piece, kind="unfair" if note.unfair else "note"))
                sign = "  "
        return made

    # -- cursors -------------------------------------------------------------------------------------------------

    @property
    def current_run(self) -> str | None:
        """The id of the run under the column cursor."""
        if self._found is None or not self._found.columns:
            return None
        return self._found.columns[min(self._column, len(self._found.columns) - 1)].id

    @property
    def columns_shown(self) -> list[str]:
        """Letters of the runs in view."""
        return [] if self._found is None else [self._found.columns[n].letter for n in self._placed()]

    def move_column(self, by: int) -> None:
        """To another run."""
        self.move_column_to(self._column + by)

    def move_column_to(self, column: int) -> None:
        """To the run with this number; out of range goes to the end."""
        if self._found is not None:
            self._column = min(max(0, column), len(self._found.columns) - 1)
            self._show_column()
            self.refresh()
            self.post_message(self.Moved())

    def move_by(self, rows: int) -> None:
        """Move the row cursor; what no run has a part in (headings) is passed over, notes are not."""
        target = min(max(0, self._row + rows), max(0, len(self._lines) - 1))
        step = 1 if rows > 0 else -1
        while 0 <= target < len(self._lines) and self._lines[target].kind in ("space", "heading"):
            target += step
        if not 0 <= target < len(self._lines):  # only a heading is beyond: at least bring it into view
            self.scroll_to(y=0 if rows < 0 else self.virtual_size.height, animate=False, force=True)
            return
        if target != self._row:
            before, self._row = self._row, target
            self._redraw(before)
            self._redraw(target)
            self._keep_in_view()
            self.post_message(self.Moved())

    @property
    def page(self) -> int:
        return max(1, self.size.height - HEAD - 1)

    def detail(self) -> list[Part]:
        """What the cell under the cursors says, whole."""
        p, found = self._palette, self._found
        if found is None or not self._lines:
            return []
        line = self._lines[self._row]
        column = found.columns[self._column]
        name: Part = (f"{column.letter} {safe(column.name, 40)}", self._ink(self._column))
        if not line.cells:
            return [name, (f"  {column.id}  {column.shown_state}", p.dim)]
        cell = line.cells[self._column]
        more = "; ".join(part for part in (cell.note, line.about) if part)
        return [
            name,
            (f"  {line.title.strip()}: ", p.dim),
            (safe(cell.text), p.text),
            (f"  ({safe(more)})" if more else "", p.dim),
        ]

    def on_resize(self, event: Resize) -> None:
        self._lay_out()
        self._keep_in_view()

    def _show_column(self) -> None:
        self._first = min(self._first, self._column)
        while self._first < self._column and self._column not in self._placed():
            self._first += 1

    @property
    def _room(self) -> int:
        """Cells for the columns of runs; those of the scroll bar are always kept free."""
        return self.size.width - self.styles.scrollbar_size_vertical - 1 - self._title_width

    def _placed(self) -> list[int]:
        """Numbers of the columns in view; the first always is."""
        room, shown = self._room, list[int]()
        for n in range(self._first, len(self._widths)):
            room -= GAP + self._widths[n]
            if room < 0 and shown:
                break
            shown.append(n)
        return shown

    def _keep_in_view(self) -> None:
        top, room = round(self.scroll_y), max(1, self.size.height - HEAD)
        above = next((n for n in range(self._row - 1, -1, -1) if self._lines[n].kind == "row"), -1) + 1
        first = above if self._row - above <= 2 else self._row  # a heading comes into view with its first row
        if first < top or self._row >= top + room:
            self.scroll_to(y=first if first < top else self._row - room + 1, animate=False, force=True)

    # -- drawing -------------------------------------------------------------------------------------------------

    def _ink(self, column: int) -> Style:
        return self._palette.curves[column % len(self._palette.curves)]

    def _redraw(self, index: int) -> None:
        y = index - round(self.scroll_y) + HEAD
        if HEAD <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        base, width = self.rich_style, self.size.width
        if self._found is None or not self._found.columns:
            return Strip.blank(width, base)
        if y < HEAD:
            return self._strip(self._head(self._found, y), base)
        index = round(self.scroll_y) + y - HEAD
        if index >= len(self._lines):
            return Strip.blank(width, base)
        here, p = self._active and index == self._row, self._palette
        ground = base + p.cursor if here else base
        parts = [("▌" if here else " ", p.key), *self._parts(self._lines[index])]
        if here and not p.cursor_tones:
            parts = [(text, Style()) for text, _ in parts]
        return self._strip(parts, ground)

    def _strip(self, parts: Sequence[Part], ground: Style) -> Strip:
        segments = [Segment(text, ground + style) for text, style in parts if text]
        return Strip(segments).adjust_cell_length(self.size.width, ground)

    def _head(self, found: Comparison, y: int) -> list[Part]:
        """Letter and name of each run, under it its state; the run under the column cursor in brackets."""
        p, shown = self._palette, self._placed()
        part = f"{shown[0] + 1}-{shown[-1] + 1} of {len(found.columns)}" if len(shown) < len(found.columns) else ""
        parts: list[Part] = [
            (" ", p.text),
            cells("" if y else f"runs {part}" if part else "", self._title_width, p.dim),
        ]
        for n in shown:
            column, width = found.columns[n], self._widths[n]
            parts.append((" " * GAP, p.text))
            if y == 0:
                name = f"{column.letter} {safe(column.label, width - 4)}"
                text = f"[{name}]" if n == self._column else f" {name}"
                parts.append(cells(text, width, self._ink(n) + p.strong if n == self._column else self._ink(n)))
            else:
                role = ", baseline" if n == found.baseline and len(found.columns) > 1 else ""
                parts.append(cells(f" {column.shown_state}{role}", width, p.state(column.state)))
        return parts

    def _parts(self, line: _Line) -> list[Part]:
        p = self._palette
        if not line.cells:
            style = {"heading": p.key, "unfair": p.warn}.get(line.kind, p.dim)
            return [(line.title, style)]
        parts = [cells(line.title, self._title_width, p.dim if line.title.startswith(" ") else p.text)]
        for n in self._placed():
            cell = line.cells[n]
            parts += [(" " * GAP, p.text), cells(" " + cell.text, self._widths[n], self._tone(cell))]
        return parts

    def _tone(self, cell: Cell) -> Style:
        p = self._palette
        if cell.stands_out:
            return p.strong
        tones = {"better": p.good, "worse": p.warn, "noise": p.dim, "same": p.dim}
        return tones.get(cell.verdict, p.dim if cell.text in ("–", "baseline") else p.text)

    # -- mouse ---------------------------------------------------------------------------------------------------

    def on_click(self, event: Click) -> None:
        """A click puts the cursors there; one on the head of the run under the cursor opens it."""
        event.stop()
        if self._found is None:
            return
        left, before = 1 + self._title_width, self._column
        for n in self._placed():
            if left <= event.x < left + GAP + self._widths[n]:
                self._column = n
            left += GAP + self._widths[n]
        if event.y < HEAD:
            if self._column == before and event.x > self._title_width and self.current_run is not None:
                self.post_message(self.Opened(self.current_run))
        elif (index := round(self.scroll_y) + event.y - HEAD) < len(self._lines) and self._lines[index].title:
            self._row = index
        self.refresh()
        self.post_message(self.Moved(clicked=True))
