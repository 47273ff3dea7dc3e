"""What is chosen on the screen of a study: rows, cells, marks, their order; and the actions on that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from textual import on
from textual.widgets import Input

from vitui.store import LIVE, WAITING
from vitui.studies.variants import BROKEN, MISSING
from vitui.text import safe
from vitui.tui.finding import find, fold
from vitui.tui.screens import study_cells as told
from vitui.tui.screens.charting import ChartActions
from vitui.tui.screens.pick import Choice, PickScreen
from vitui.tui.screens.study_output import StudyOutput
from vitui.tui.widgets.chart_grid import ChartGrid
from vitui.tui.widgets.heat_map import HeatMap
from vitui.tui.widgets.table import Table

if TYPE_CHECKING:
    from vitui.store import Run
    from vitui.studies.heat import Heat
    from vitui.studies.report import Report, Row
    from vitui.studies.variants import Cell
    from vitui.tui.views.study import StudyView

PANES: Final = ("table", "seeds", "heat map", "curves")
MOST_DRAWN: Final = 20
"""Variants in one picture at most."""
ALWAYS: Final = frozenset(
    f"study.{name}"
    for name in ("new", "about", "edit", "fork", "pane", "pane-back", "column-left", "column-right", "queue-all")
)
"""Actions that need no table."""
ROWS: Final = ("table", "seeds")
"""Panes with a row for each variant."""


class StudyChoice(ChartActions, StudyOutput):
    """Holds what is looked at; `changed` is told when it is something else."""

    view: StudyView | None = None
    name_shown: str
    pane = "table"
    sought = ""
    """Words that variants have to have."""
    series: tuple[str, ...] = ()
    """Series that are drawn; none: those that tell most."""
    marked: frozenset[str] = frozenset()
    order: tuple[str, bool] = ("", False)
    """Column that rows are sorted by, and whether the other way round; empty: as in the file."""
    show_values = ""
    """What cells of the heat map show; empty: own values where there are any."""

    def changed(self) -> None:
        """Something else is chosen: show it."""
        raise NotImplementedError

    def action_go_to(self, name: str) -> None:
        """Bring a pane in front."""
        raise NotImplementedError

    @property
    def report(self) -> Report | None:
        return self.view.report if self.view is not None else None

    @property
    def table(self) -> Table:
        return self.query_one("#table", Table)

    @property
    def heat_map(self) -> HeatMap:
        return self.query_one("#heat", HeatMap)

    @property
    def grid(self) -> ChartGrid:
        return self.query_one("#grid", ChartGrid)

    @property
    def study_name(self) -> str:
        return self.name_shown

    def is_own(self) -> bool:
        return self.view is not None and self.view.own

    # -- rows and cells ------------------------------------------------------------------------------------------

    def rows_shown(self) -> Sequence[Row]:
        """The rows that have the words, in their order."""
        report = self.report
        if report is None:
            return ()
        rows: Sequence[Row] = report.rows
        if self.sought.strip():
            folded = [fold(f"{one.label} {one.variant.name} {one.variant.preset}") for one in rows]
            rows = [rows[index] for index in sorted(find(self.sought, folded, loose=False))]
        key, reverse = self.order
        return told.ordered(rows, key, better=told.better(report), reverse=reverse) if key else rows

    @property
    def current_row(self) -> Row | None:
        """The row under the cursor of the table."""
        row = self.table.current
        return row.content if row is not None else None

    @property
    def current_cell(self) -> Cell | None:
        """The cell under the cursor, where seeds are in front."""
        row, column = self.current_row, self.table.column
        return told.cell_of(row, column.key) if row is not None and column is not None else None

    def rows_here(self) -> list[Row]:
        """The row under the cursor; over the heat map those that are in the cell there."""
        report = self.report
        if report is None:
            return []
        if self.pane != "heat map":
            return [self.current_row] if self.current_row is not None else []
        heat, row, place = self.heat(), self.heat_map.row, self.heat_map.place
        if heat is None or row is None or place is None:
            return []
        wanted = dict(zip((*heat.down, *heat.across), (*row.names, *place.levels), strict=True))
        return [one for one in report.rows if wanted.items() <= dict(one.variant.levels).items()]

    def rows_chosen(self) -> list[Row]:
        """The marked rows, in the order of the study; else those here."""
        report = self.report
        if report is None or not self.marked:
            return self.rows_here()
        return [row for row in report.rows if row.variant.name in self.marked]

    def cells_here(self) -> list[Cell]:
        """The cell under the cursor; where it is on a whole row, its cells that lack a result."""
        cell = self.current_cell if self.pane == "seeds" else None
        if cell is not None:
            return [cell]
        return [one for row in self.rows_here() for one in row.cells if one.status in (MISSING, *BROKEN)]

    def heat(self) -> Heat | None:
        """The heat map of what cells are to show."""
        heats = self.view.heats if self.view is not None else {}
        return heats.get(self.show_values) or next(iter(heats.values()), None)

    def values_told(self) -> str:
        """What the heat map shows."""
        heat = self.heat()
        if heat is None:
            return ""
        what = "own less published" if heat.show == "difference" else f"{heat.show} values"
        more = f" ({self.key('study.values')} changes it)" if self.view is not None and len(self.view.heats) > 1 else ""
        return f"{what}{more}"

    def drawn(self) -> tuple[str, ...]:
        """Variants whose curves are drawn: the marked ones, else the baseline and the best."""
        from vitui.studies.bands import chosen

        report = self.report
        if report is None:
            return ()
        rows = [row for row in report.rows if row.variant.name in self.marked]
        if not rows:
            rows = [row for row in chosen(report) if any(cell.run is not None and cell.run.step for cell in row.cells)]
        return tuple(row.variant.name for row in rows[:MOST_DRAWN])

    def curves_told(self) -> str:
        """Which of the variants are drawn."""
        report, view = self.report, self.view
        if report is None or view is None or len(view.drawn) == len(report.rows):
            return ""
        if len(self.marked) > MOST_DRAWN:
            return f"the first {MOST_DRAWN} of {len(self.marked)} marked"
        if self.marked:
            return f"{len(view.drawn)} marked"
        return f"{len(view.drawn)} of {len(report.rows):,}; {self.key('study.mark')} in the table marks others"

    # -- what cannot be done -------------------------------------------------------------------------------------

    def refused(self, action: str) -> str:
        """Why an action cannot be carried out now; empty where it can."""
        if not action.startswith("study.") or action in ALWAYS:
            return ""
        if action == "study.remove":
            return "" if self.is_own() else "it comes with vitui"
        report = self.report
        if report is None or not report.rows:
            return "the study is being planned" if self.view is None else "there is no table of this study"
        match action:
            case "study.values" if self.pane != "heat map":
                return "only where the heat map is in front"
            case "study.values" if self.view is None or len(self.view.heats) < 2:
                return "there is one kind of value only"
            case "study.series" if self.pane != "curves":
                return "only where curves are in front"
            case "study.mark" | "study.sort" | "study.baseline" | "study.search" if self.pane not in ROWS:
                return "only in the table"
            case "study.unmark" if not self.marked:
                return "nothing is marked"
            case "study.open-run" if self.pane == "curves":
                return "choose a row or a cell in another view"
            case "study.queue-cell" | "study.queue-row" if not self.cells_here() and not self.marked:
                return "no run is missing or broken here"
            case "study.queue-cell" if self.pane == "table" and len(self.cells_here()) > 1:
                return f"several are missing; {self.key('study.pane')} shows each seed"
        return ""

    # -- actions: see vitui.tui.actions --------------------------------------------------------------------------

    def action_column_left(self) -> None:
        self.move_column(-1)

    def action_column_right(self) -> None:
        self.move_column(1)

    def move_column(self, by: int) -> None:
        """The column cursor of the table or of the heat map."""
        if self.pane == "heat map":
            self.heat_map.move_column(by)
        elif self.pane != "curves":
            self.table.move_column(by)

    def action_mark(self) -> None:
        if (row := self.current_row) is not None:
            self.marked ^= {row.variant.name}
            self.table.move_by(1)
            self.changed()

    def action_unmark(self) -> None:
        self.marked = frozenset()
        self.changed()

    @on(Table.TitleClicked)
    def action_sort(self) -> None:
        """By the column under the column cursor; again: the other way round; again: as in the file."""
        column = self.table.column
        if column is None:
            return
        key, reverse = self.order
        self.order = (column.key, False) if key != column.key else ("", False) if reverse else (key, True)
        falling = told.falls(column.key, told.better(self.report)) != self.order[1]
        self.table.sorted_by(self.order[0], "▼" if falling else "▲")
        self.changed()
        self.table.move_to(0)

    def action_baseline(self) -> None:
        """Differences to the variant under the cursor, as long as the screen is open."""
        if (row := self.current_row) is not None:
            self.baseline = row.variant.name
            hint = f"; baseline = in its file ({self.key('study.edit')}) keeps it" if self.is_own() else ""
            self.vitui.tell(f"differences are to {row.label}, until you leave{hint}")
            self.changed()

    def action_values(self) -> None:
        """The next of own, published and their difference."""
        heats = list(self.view.heats) if self.view is not None else []
        if heats:
            now = self.heat()
            index = heats.index(now.show) if now is not None and now.show in heats else 0
            self.show_values = heats[(index + 1) % len(heats)]
            self.changed()

    def action_series(self) -> None:
        view = self.view
        if view is None or not view.plottable:
            self.vitui.tell("no run of these variants has curves yet", "warning")
            return

        def picked(keys: list[str] | None) -> None:
            if keys is not None:
                self.series = tuple(keys)
                self.changed()

        now = self.series or view.series
        choices = [Choice(key, key) for key in sorted(view.plottable, key=lambda key: key not in now)]
        self.app.push_screen(
            PickScreen("Series to draw", choices, self.vitui.palette, many=True, picked=now), picked
        )  # fmt: skip

    def action_queue_row(self) -> None:
        rows = self.rows_chosen()
        what = f"variant {rows[0].label}" if len(rows) == 1 else f"{len(rows)} variants"
        self._queue([cell for row in rows for cell in row.cells], what)

    def action_queue_cell(self) -> None:
        cells = self.cells_here()
        one = cells[0] if len(cells) == 1 else None
        self._queue(cells, f"{one.variant}, seed {one.seed}" if one else f"{len(cells)} cells")

    def _queue(self, cells: Sequence[Cell], what: str) -> None:
        lacking = {(cell.variant, cell.seed) for cell in cells if cell.status in (MISSING, *BROKEN)}
        if lacking:
            self.queue(self.name_shown, lacking, what)
        else:
            self.vitui.tell(f"nothing to queue: {what} has a run in every cell")

    def stop_runs(self) -> list[Run] | None:
        report = self.report
        if report is None:
            return None
        rows = self.rows_chosen() if self.marked else report.rows
        found = [cell.run for row in rows for cell in row.cells if cell.run is not None]
        return [run for run in found if run.state in LIVE | WAITING] or found

    def action_compare(self) -> None:
        """All runs of the chosen variants; one of each where those are too many."""
        from vitui.comparing import LEAST, MOST

        rows = self.rows_chosen()
        runs = [[cell.run.id for cell in row.cells if cell.run is not None] for row in rows]
        ids = [id for row in runs for id in row]
        if len(ids) > MOST:
            ids = [row[0] for row in runs if row]
        if len(ids) < LEAST:
            mark = self.key("study.mark")
            self.vitui.tell(f"mark variants that have runs ({mark}); there are {len(ids)} here", "warning")
            return
        self.vitui.compare(ids)

    # -- opening runs --------------------------------------------------------------------------------------------

    @on(Table.Opened)
    @on(HeatMap.Opened)
    def action_open_run(self) -> None:
        """The run of the cell; of a row, its only run, or one that is picked."""
        cell = self.current_cell if self.pane == "seeds" else None
        cells = [cell] if cell is not None else [one for row in self.rows_here() for one in row.cells]
        found = [one for one in cells if one.run is not None]
        if not found:
            self.vitui.tell(f"there is no run yet; {self.key('study.queue-row')} queues what is missing", "warning")
        elif len(found) == 1 and found[0].run is not None:
            self.vitui.open_run(found[0].run.id)
        else:
            self._pick_run(found)

    def _pick_run(self, cells: Sequence[Cell]) -> None:
        several = len({cell.variant for cell in cells}) > 1

        def picked(ids: list[str] | None) -> None:
            if ids:
                self.vitui.open_run(ids[0])

        choices = [
            Choice(
                cell.run.id,
                (f"{cell.variant}, " if several else "") + f"seed {cell.seed}",
                f"{told.sign(cell.status)} {cell.text}   {cell.run.id}",
            )
            for cell in cells
            if cell.run is not None
        ]
        title = safe(f"Runs of {cells[0].variant}", 60) if not several else "Runs of the cell"
        self.app.push_screen(PickScreen(title, choices, self.vitui.palette), picked)

    # -- searching -----------------------------------------------------------------------------------------------

    def action_search(self) -> None:
        field = self.query_one("#study-search", Input)
        field.value = self.sought
        self.set_class(True, "searching")
        field.focus()

    @on(Input.Changed, "#study-search")
    def _searching(self, event: Input.Changed) -> None:
        if self.has_class("searching"):
            self.sought = event.value
            self.changed()

    @on(Input.Submitted, "#study-search")
    def close_search(self) -> None:
        """Leave the line; the words stay."""
        if self.has_class("searching"):
            self.set_class(False, "searching")
            self.set_focus(None)

    def end_search(self) -> bool:
        """Leave the line and forget the words; False where there was neither."""
        if not self.has_class("searching") and not self.sought:
            return False
        self.sought = ""
        self.close_search()
        self.changed()
        return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A slash is a character like any other while something is typed."""
        return False if action == "search" and self.has_class("searching") else super().check_action(action, parameters)
