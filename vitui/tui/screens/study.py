"""Study: the table of one study, its seeds, its heat map, its curves; live."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from vitui.text import cell_width, safe
from vitui.tui.actions import Action, bindings
from vitui.tui.screens import study_cells as told
from vitui.tui.screens import study_words as words
from vitui.tui.screens.charting import FAR
from vitui.tui.screens.jump import Target
from vitui.tui.screens.launch_info import InfoScreen
from vitui.tui.screens.study_choice import PANES, StudyChoice
from vitui.tui.screens.study_details import about_cell, about_heat, about_row
from vitui.tui.views.study import StudyView, StudyWatch
from vitui.tui.widgets.bar import Bar, Part, link
from vitui.tui.widgets.chart_grid import ChartGrid
from vitui.tui.widgets.field import Field
from vitui.tui.widgets.heat_map import HeatMap, legend
from vitui.tui.widgets.lines import Line, Lines
from vitui.tui.widgets.listing import Row
from vitui.tui.widgets.look import Look
from vitui.tui.widgets.table import Column, Table
from vitui.tui.words import fitted

if TYPE_CHECKING:
    from vitui.tui.theme import Palette

SIDEWAYS = frozenset({"chart.pan-left", "chart.pan-right", "chart.far-left", "chart.far-right"})
"""Actions of charts that move the column cursor where no charts are in front."""
WIDE, HIGH = 120, 30
"""From so many columns on names have more room; from so many lines on the notes stand under the table."""
CURVES_HIGH = 16
"""Where so many lines are left under the table, they are for the curves."""
STATES = 12


class StudyScreen(StudyChoice):
    """Shows what the poller reads of one study."""

    KIND = "study"
    BINDINGS = bindings("study")

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name_shown = name
        self._told_gone = False

    def compose_body(self) -> ComposeResult:
        p = self.vitui.palette
        for name in ("head", "unfair", "tabs"):
            yield Bar(id=name)
        with Container(id="body"):
            yield Table(p, self._draw, id="table")
            yield Bar(id="legend")
            yield HeatMap(p, id="heat")
            yield ChartGrid(p, empty="no curves yet", id="grid")
        yield Lines(id="nothing")
        yield Lines(id="notes")
        yield Bar(id="detail", classes="detail")
        yield Bar(id="detail-more", classes="detail")
        yield Field(id="study-search", placeholder="only variants with these words")

    def on_mount(self) -> None:
        kept = self.vitui.remembered.get(self.KIND)
        same = kept.get("study") == self.name_shown
        look = Look.from_json(kept.get("look"))
        self.grid.set_look(look if same else look.whole())
        if same and kept.get("pane") in PANES:
            self.pane = str(kept["pane"])
        series = kept.get("series")
        self.series = tuple(key for key in series if isinstance(key, str)) if isinstance(series, list) else ()
        self.show_pane()
        self._show()

    def on_screen_resume(self) -> None:
        self.watch_study()

    def fit(self, width: int, height: int) -> None:
        self.set_class(height >= HIGH, "high")
        for widget in (self.grid, self.table, self.heat_map):
            widget.restyle(self.vitui.palette)
        self._show()

    def remember(self) -> None:
        """Keep how the study is looked at."""
        self.vitui.remembered.put(
            self.KIND,
            {
                "study": self.name_shown, "pane": self.pane, "look": self.grid.look.as_json(),
                "series": list(self.series),
            },
        )  # fmt: skip

    # -- what is shown -------------------------------------------------------------------------------------------

    def watch_study(self) -> None:
        """Tell the poller what is in view now."""
        if self.is_current:
            drawn = self.drawn() if self.pane == "curves" or self.has_class("both") else ()
            self.vitui.poller.watch(
                StudyWatch(
                    self.name_shown, self.baseline, drawn, self.series, self.grid.look.span, self.pane == "heat map"
                )
            )

    def see(self, view: object) -> None:
        if not isinstance(view, StudyView) or view.name != self.name_shown:
            return
        first = self.view is None
        self.view = view
        if self.report is not None:
            known = {row.variant.name for row in self.report.rows}
            self.marked &= known
            if first and self.pane == "curves":
                self.watch_study()
        self._show()
        self.show_keys()

    def gone(self, subject: Hashable) -> None:
        if subject == StudyWatch(self.name_shown).subject:
            if not self._told_gone:
                self.vitui.tell(f"study {self.name_shown} is not there any more", "warning")
            self.left(self.name_shown)

    def left(self, name: str) -> None:
        self._told_gone = True
        if self.is_current:
            self.app.pop_screen()

    def show_trouble(self) -> None:
        self._show_head()

    def show_busy(self) -> None:
        self._show_head()

    def _show(self) -> None:
        """Bring everything up to date; what has not changed is not drawn."""
        view = self.view
        empty = view is None or self.report is None or not self.report.rows
        self.set_class(empty, "empty")
        self.query_one("#nothing", Lines).show(self._nothing() if empty else [])
        if not empty:
            self._show_pane()
        self._show_head()
        self._show_tabs()
        self._show_legend()
        self._show_notes()
        self._show_detail()

    def _show_pane(self) -> None:
        """Only the pane in front is filled."""
        report, view = self.report, self.view
        assert report is not None and view is not None
        match self.pane:
            case "table" | "seeds":
                whole, wide = self.pane == "table", self.size.width >= WIDE
                columns = told.columns(report, wide=wide) if whole else told.seed_columns(report, wide=wide)
                rows = [Row(row.variant.name, row) for row in self.rows_shown()]
                empty = f"no variant has the words {safe(self.sought, 40)}" if self.sought else ""
                self.table.show(rows, columns, self._draw if whole else self._draw_seed, empty)
                self.table.mark(self.marked)
                self._show_curves_below(len(rows), view)
            case "heat map":
                self.heat_map.show(self.heat(), safe(view.no_heat, 300) or "making the heat map …")
            case "curves":
                self.grid.show(view.panels)

    def _show_curves_below(self, rows: int, view: StudyView) -> None:
        """The curves under a short table, where there is room for both."""
        notes = self.query_one("#notes", Lines).size.height if self.has_class("high") else 0
        both = self.size.height - notes - rows - 9 >= CURVES_HIGH and bool(self.drawn())
        self.table.styles.height = rows + 2 if both else "1fr"
        if both != self.has_class("both"):
            self.set_class(both, "both")
            self.watch_study()
        if both:
            self.grid.show(view.panels)

    def _draw(self, row: Row, column: Column, p: Palette) -> Part:
        return told.draw(row.content, column.key, self.report, p) if self.report is not None else ("", p.dim)

    def _draw_seed(self, row: Row, column: Column, p: Palette) -> Part:
        return told.seed_cell(row.content, column.key, self.report, p) if self.report is not None else ("", p.dim)

    def _show_head(self) -> None:
        p, report = self.vitui.palette, self.report
        parts: list[Part] = [("study ", p.dim), (safe(self.name_shown, 40), p.strong)]
        right: list[Part] = []
        said = (
            (f"  {self.busy}", p.warn)
            if self.busy
            else (f"  {self.vitui.trouble}", p.bad)
            if self.vitui.trouble
            else None
        )
        if report is not None:
            right = [*told.states_bar(report.counts, STATES, p), ("  ", p.dim), (told.summary(report.counts), p.text)]
        elif self.view is None and said is None:
            said = ("  planning it …", p.dim)
        if said is not None:
            parts.append(said)
        elif report is not None and report.title != report.name:
            used = sum(cell_width(text) for text, _ in (*parts, *right)) + 6
            parts.append((f"  {safe(report.title, max(0, self.size.width - used))}", p.text))
        self.query_one("#head", Bar).show(parts, right)
        unfair = [note.text for note in report.notes if note.unfair] if report is not None else []
        self.set_class(bool(unfair), "unfair")
        more = f"  ({len(unfair) - 1} more: {self.key('study.about')})" if len(unfair) > 1 else ""
        self.query_one("#unfair", Bar).show([(f"! {safe(unfair[0])}", p.warn)] if unfair else [], [(more, p.dim)])

    def _nothing(self) -> list[Line]:
        p, view = self.vitui.palette, self.view
        if view is None:
            return [[("The study is being planned: every recipe is put together and checked.", p.dim)]]
        width = max(20, self.size.width - 6)
        problem = view.problem or "; ".join(self.report.planned.waiting if self.report is not None else ())
        lines: list[Line] = [*words.paragraph(problem or "this study has no variants", width, p.warn), ""]
        edit, fork = self.key("study.edit"), self.key("study.fork")
        todo = f"{edit} edits its file" if view.own else f"it comes with vitui; {fork} copies it to change it"
        return [*lines, [(todo, p.text)]]

    def _show_tabs(self) -> None:
        p, parts, report = self.vitui.palette, list[Part](), self.report
        for name in PANES:
            here = name == self.pane
            parts.append(
                (f"[{name}]" if here else f" {name} ", link(p.strong if here else p.dim, f"screen.go_to('{name}')"))
            )
        facts: list[tuple[int, Part | None]] = []
        if report is not None and report.rows:
            shown = len(self.table.rows)
            base = safe(report.rows[report.baseline].label, 30)
            zoom = "" if self.grid.look.span is None else ", zoomed"
            by_pane: dict[str, list[tuple[int, Part | None]]] = {
                "heat map": [(0, (self.values_told(), p.text))],
                "curves": [(1, (f"x: {self.grid.window.kind.value}{zoom}", p.dim)), (2, (self.curves_told(), p.dim))],
            }  # fmt: skip
            facts = by_pane.get(self.pane) or [
                (0, (f"/{safe(self.sought, 24)}: {shown:,} of {len(report.rows):,}", p.mark) if self.sought else None),
                (1, (f"{len(self.marked)} marked", p.mark) if self.marked else None),
                (2, (f"to {base}", p.dim)),
            ]
        room = self.size.width - 4 - sum(len(text) for text, _ in parts)
        self.query_one("#tabs", Bar).show(parts, fitted(facts, p.dim, room))

    def _show_legend(self) -> None:
        """Letters of the variants over the curves, what colours and signs mean over the heat map."""
        p, view, bar = self.vitui.palette, self.view, self.query_one("#legend", Bar)
        parts: list[Part] = []
        if self.pane == "heat map" and (heat := self.heat()) is not None:
            parts = legend(heat, p, bar.rich_style, self.size.width - 2)
        elif (
            (self.pane == "curves" or self.has_class("both"))
            and view is not None
            and view.drawn
            and self.report is not None
        ):
            labels = {row.variant.name: row.label for row in self.report.rows}
            room = max(4, (self.size.width - 2) // len(view.drawn) - 3)
            for ink, name in enumerate(view.drawn):
                letter = chr(ord("A") + ink)
                parts.append((f"{letter} {safe(labels.get(name, name), room - 2)}  ", p.curves[ink % len(p.curves)]))
        self.set_class(bool(parts), "told")
        bar.show(parts)

    def _show_notes(self) -> None:
        p, report = self.vitui.palette, self.report
        if report is None or not self.has_class("high"):
            return
        heat = self.heat() if self.pane == "heat map" else None
        notes = (
            [(note.text, note.unfair) for note in report.notes]
            if heat is None
            else [(text, False) for text in heat.notes]
        )
        lines: list[Line] = []
        for text, unfair in notes:
            sign, style = ("! ", p.warn) if unfair else ("- ", p.dim)
            lines += words.paragraph(sign + text, self.size.width - 4, style, indent="  ")
        self.query_one("#notes", Lines).show(lines[: self.size.height // 4])
        self.query_one("#notes").styles.height = min(len(lines), self.size.height // 4)

    def _show_detail(self) -> None:
        p, report = self.vitui.palette, self.report
        first, second = self.query_one("#detail", Bar), self.query_one("#detail-more", Bar)
        above: list[Part] = []
        below: list[Part] = []
        if report is not None and report.rows:
            if self.pane == "heat map":
                heat, row = self.heat(), self.heat_map.row
                if heat is not None and row is not None:
                    above, below = about_heat(heat, row, self.heat_map.place, p)
            elif (row_ := self.current_row) is not None and self.pane != "curves":
                above = about_row(row_, report, p)
                below = about_cell(row_, self.table.column, self.current_cell, report, p, self.vitui.clock())
        first.show(above)
        second.show(below)

    def show_pane(self) -> None:
        """Bring the pane in front that the keys go to."""
        for name in PANES:
            self.set_class(name == self.pane, f"-{name.partition(' ')[0]}")
        self.watch_study()
        self.show_keys()

    def jump_targets(self) -> list[Target]:
        targets = super().jump_targets()
        if self.pane == "curves":
            left, top = self.grid.content_region.offset
            targets += [
                Target(left + x, top + y, key, partial(self.grid.bring_to_front, key))
                for x, y, key in self.grid.targets()
            ]
        return sorted(targets, key=lambda target: (target.y, target.x))

    def why_not(self, action: Action) -> str:
        if action.id.startswith("chart.") and self.pane != "curves" and action.id not in SIDEWAYS:
            return "only where curves are in front"
        return self.refused(action.id)

    # -- moving --------------------------------------------------------------------------------------------------

    def move(self, lines: int) -> None:
        if self.pane == "curves":
            self.grid.select(max(-1, min(1, lines)))
        elif self.pane == "heat map":
            self.heat_map.move_by(lines)
        else:
            self.table.move_by(lines)

    def page(self) -> int:
        return {"curves": 1, "heat map": self.heat_map.page}.get(self.pane, self.table.page)

    def _sideways(self, dots: int) -> None:
        if self.pane == "curves":
            super()._sideways(dots)
        else:
            self.move_column(dots if abs(dots) < FAR else dots * 2)

    @on(Table.Moved)
    @on(HeatMap.Moved)
    def _moved(self) -> None:
        self._show_detail()
        self.show_keys()

    @on(ChartGrid.Changed)
    def _look_changed(self) -> None:
        self._show_tabs()
        self.watch_study()
        self.remember()

    # -- actions: see vitui.tui.actions --------------------------------------------------------------------------

    def action_go_to(self, name: str) -> None:
        if name != self.pane and name in PANES:
            self.close_search()
            self.pane = name
            self.show_pane()
            self._show()
            self.remember()

    def action_pane(self) -> None:
        self._next_pane(1)

    def action_pane_back(self) -> None:
        self._next_pane(-1)

    def _next_pane(self, step: int) -> None:
        """Over the heat map where the study has no grid."""
        index = (PANES.index(self.pane) + step) % len(PANES)
        axes = len(self.report.planned.study.axis) if self.report is not None else 0
        if PANES[index] == "heat map" and axes < 2:
            index = (index + step) % len(PANES)
        self.action_go_to(PANES[index])

    def changed(self) -> None:
        """Marks, words, order, what a cell shows or which series are others."""
        self._show()
        self.watch_study()
        self.show_keys()
        self.remember()

    def action_about(self) -> None:
        """Its question and description, what it trains, and every note."""
        report, lab, name = self.report, self.vitui.lab, self.name_shown

        def show(line: object) -> None:
            from vitui.studies.listing import StudyLine

            assert isinstance(line, StudyLine)
            notes = [note.text for note in report.notes] if report is not None else []
            fork, p = self.key("study.fork"), self.vitui.palette
            page = lambda width, _: words.page(line, report, notes, fork, width, p)  # noqa: E731
            self.app.push_screen(InfoScreen(safe(name, 60), page, p))

        self.in_thread("", partial(lab.study_line, name), show)

    def action_back(self) -> None:
        """Peel one layer: the search, the crosshair, the zoom, the pane, the marks, the screen."""
        if self.end_search():
            return
        if self.pane == "curves" and self.charts_back():
            return
        if self.pane != "table":
            self.action_go_to("table")
        elif self.marked:
            self.action_unmark()
        else:
            self.app.pop_screen()
