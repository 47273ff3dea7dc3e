"""Compare: a few runs beside each other, as curves in the same charts and as columns of a table."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from vitui.text import safe
from vitui.tui.actions import Action, bindings, key_of
from vitui.tui.screens.charting import FAR, ChartActions
from vitui.tui.screens.compare_output import CompareOutput
from vitui.tui.screens.compare_runs import CompareRuns, valid_ids
from vitui.tui.screens.jump import Target
from vitui.tui.views.compare import CompareView, CompareWatch
from vitui.tui.widgets.bar import Bar, Part, link
from vitui.tui.widgets.chart_grid import ChartGrid
from vitui.tui.widgets.compare_table import CompareTable
from vitui.tui.widgets.lines import Line, Lines
from vitui.tui.widgets.look import Look

if TYPE_CHECKING:
    from vitui.comparing import Comparison

PANES = ("charts", "table")
SIDE_BY_SIDE, STACKED = 150, 40
"""From so many columns or rows on there is room for both panes."""
SIDEWAYS = frozenset({"chart.pan-left", "chart.pan-right", "chart.far-left", "chart.far-right"})
"""Actions of charts that move the column cursor where the table is in front."""


class CompareScreen(ChartActions, CompareRuns, CompareOutput):
    """Shows what the poller reads of the chosen runs."""

    KIND = "compare"
    BINDINGS = bindings("compare")

    def __init__(self) -> None:
        super().__init__()
        self._view: CompareView | None = None
        self._pane = "charts"
        self.all_fields = False

    def compose_body(self) -> ComposeResult:
        palette = self.vitui.palette
        for name in ("head", "unfair", "tabs", "legend"):
            yield Bar(id=name)
        with Container(id="body"):
            yield ChartGrid(palette, empty="none of these runs has curves yet", id="grid")
            yield CompareTable(palette, id="table")
        yield Lines(id="nothing")
        yield Bar(id="detail")

    def on_mount(self) -> None:
        self._restore()
        self.show_pane()

    def on_screen_resume(self) -> None:
        self.watch_runs()

    def fit(self, width: int, height: int) -> None:
        """Both panes where there is room: side by side, else one above the other."""
        self.set_class(width >= SIDE_BY_SIDE, "wide")
        self.set_class(width >= SIDE_BY_SIDE or height >= STACKED, "both")
        self.grid.restyle(self.vitui.palette)
        self.table.restyle(self.vitui.palette)
        self._show()

    # -- what is remembered --------------------------------------------------------------------------------------

    def _restore(self) -> None:
        """As it was left; runs that were chosen since come first."""
        kept = self.vitui.remembered.get(self.KIND)
        if not self.run_ids:
            self.run_ids = valid_ids(kept.get("runs"))
            self.baseline = kept["baseline"] if kept.get("baseline") in self.run_ids else None
        same = self.run_ids == valid_ids(kept.get("runs"))
        look = Look.from_json(kept.get("look"))
        self.grid.set_look(look if same else look.whole())
        self.all_fields = kept.get("all_fields") is True
        if kept.get("pane") in PANES:
            self._pane = str(kept["pane"])
        if not same:
            self.remember()

    def remember(self) -> None:
        """Keep the runs and how they are looked at."""
        self.vitui.remembered.put(
            self.KIND,
            {
                "runs": list(self.run_ids), "baseline": self.baseline, "all_fields": self.all_fields,
                "pane": self._pane, "look": self.grid.look.as_json(),
            },
        )  # fmt: skip

    # -- what is shown -------------------------------------------------------------------------------------------

    @property
    def view(self) -> CompareView | None:
        """The newest picture, None before the first of these runs."""
        return self._view

    @property
    def found(self) -> Comparison | None:
        return None if self._view is None else self._view.found

    @property
    def grid(self) -> ChartGrid:
        return self.query_one("#grid", ChartGrid)

    @property
    def table(self) -> CompareTable:
        return self.query_one("#table", CompareTable)

    @property
    def pane(self) -> str:
        """The pane the keys go to."""
        return self._pane

    @property
    def current_run(self) -> str | None:
        return self.table.current_run if self.found is not None else None

    def watch_runs(self) -> None:
        """Tell the poller what is in view now; nothing while no run is chosen."""
        if self.is_current:
            watch = CompareWatch(self.run_ids, self.baseline, self.grid.look.span) if self.run_ids else None
            self.vitui.poller.watch(watch)

    def runs_changed(self) -> None:
        if not self.run_ids:
            self._view = None
        self.watch_runs()
        self.remember()
        self._show()

    def see(self, view: object) -> None:
        if not isinstance(view, CompareView) or view.run_ids != self.run_ids:
            return
        if view.gone:
            who = ", ".join(view.gone[:3]) + (f" and {len(view.gone) - 3} more" if len(view.gone) > 3 else "")
            are = "is" if len(view.gone) == 1 else "are"
            self.vitui.tell(f"{who} {are} not in the lab any more, and not compared", "warning")
            self.drop(view.gone)
            return
        self._view = view
        self._show()

    def show_trouble(self) -> None:
        self._show_head()

    def _show(self) -> None:
        """Bring everything up to date; what has not changed is not drawn."""
        self.set_class(not self.run_ids, "empty")
        self._show_head()
        if self.found is not None and self._view is not None:
            self.grid.show(self._view.panels)
            self.table.show(self.found, self.all_fields)
        self._show_tabs()
        self._show_legend()
        self._show_detail()
        self.query_one("#nothing", Lines).show(self._nothing() if not self.run_ids else [])

    def _show_head(self) -> None:
        p, found = self.vitui.palette, self.found
        parts: list[Part] = [("Compare", p.strong)]
        if found is not None and len(found.columns) > 1:
            base = found.columns[found.baseline]
            parts += [
                (f"  {len(found.columns)} runs, differences to ", p.dim),
                (f"{base.letter} {safe(base.name, 40)}", p.text),
            ]
        elif found is not None:
            parts += [(f"  one run; {self.key('compare.choose-runs')} adds others", p.dim)]
        elif self.run_ids:
            parts += [(f"  reading {len(self.run_ids)} runs", p.dim)]
        trouble = [(self.vitui.trouble, p.bad)] if self.vitui.trouble else []
        self.query_one("#head", Bar).show(parts, trouble)
        unfair = found.unfair if found is not None else []
        self.set_class(bool(unfair), "unfair")
        more = f"  ({len(unfair) - 1} more at the end of the table)" if len(unfair) > 1 else ""
        self.query_one("#unfair", Bar).show([(f"! {safe(unfair[0])}", p.warn)] if unfair else [], [(more, p.dim)])

    def _nothing(self) -> list[Line]:
        p, actions = self.vitui.palette, self.vitui.actions
        return [
            [("No runs to compare yet.", p.strong)],
            "",
            [("On the first screen (", p.text), (key_of("app.go-runs", actions), p.key),
             (") mark two to twenty runs with ", p.text), (key_of("runs.mark", actions), p.key),
             (" and press ", p.text), (key_of("run.compare", actions), p.key), (";", p.text)],
            [("or press ", p.text), (self.key("compare.choose-runs"), p.key), (" here to choose them.", p.text)],
        ]  # fmt: skip

    def _show_tabs(self) -> None:
        p, parts = self.vitui.palette, list[Part]()
        for name in PANES:
            here = name == self._pane
            parts.append(
                (f"[{name}]" if here else f" {name} ", link(p.strong if here else p.dim, f"screen.go_to('{name}')"))
            )
        told = "whole recipes" if self.all_fields else "what differs"
        look, window = self.grid.look, self.grid.window
        zoom = "" if look.span is None else ", zoomed" + (", following" if window.follows else "")
        right = f"x: {window.kind.value}{zoom}"
        both = self.has_class("both")
        self.query_one("#tabs", Bar).show(
            parts, [(f"{right}  {told}" if both else right if self._pane == "charts" else told, p.dim)]
        )

    def _show_legend(self) -> None:
        """Letter and name of every run over the charts, the one under the column cursor in brackets."""
        found, here = self.found, self.current_run
        if found is None:
            return
        p, parts = self.vitui.palette, list[Part]()
        room = (self.size.width - 2) // len(found.columns) - 5
        for n, column in enumerate(found.columns):
            name = f"{column.letter} {safe(column.label, room)}" if room > 2 else column.letter
            ink = p.curves[n % len(p.curves)]
            chosen = column.id == here
            style = link(ink + p.strong if chosen else ink, f"screen.point_at({n})")
            parts.append((f"[{name}]" if chosen else f" {name} ", style))
        self.query_one("#legend", Bar).show(parts)

    def _show_detail(self) -> None:
        self.query_one("#detail", Bar).show(self.table.detail() if self.found is not None else [])

    def show_pane(self) -> None:
        """Bring the pane the keys go to in front."""
        for name in PANES:
            self.set_class(name == self._pane, f"-{name}")
        self.table.set_active(self._pane == "table")
        self._show_tabs()
        self.show_keys()

    def why_not(self, action: Action) -> str:
        group, _, _ = action.id.partition(".")
        if action.id == "compare.choose-runs" or group not in ("compare", "chart"):
            return ""
        if self.found is None:
            return "no runs are chosen" if not self.run_ids else "the runs are being read"
        if group == "chart" and self._pane == "table" and action.id not in SIDEWAYS:
            return "only in the charts pane"
        if action.id == "compare.baseline" and len(self.run_ids) < 2:
            return "there is only one run"
        return ""

    def jump_targets(self) -> list[Target]:
        targets = super().jump_targets()
        if self.grid.display and self.found is not None:
            left, top = self.grid.content_region.offset
            targets += [
                Target(left + x, top + y, key, partial(self._to_chart, key)) for x, y, key in self.grid.targets()
            ]
        return sorted(targets, key=lambda target: (target.y, target.x))

    def _to_chart(self, key: str) -> None:
        self.action_go_to("charts")
        self.grid.bring_to_front(key)

    # -- moving --------------------------------------------------------------------------------------------------

    def move(self, lines: int) -> None:
        if self._pane == "table":
            self.table.move_by(lines)
        else:
            self.grid.select(max(-1, min(1, lines)))

    def page(self) -> int:
        return self.table.page if self._pane == "table" else 1

    def _sideways(self, dots: int) -> None:
        if self._pane == "table":
            self.table.move_column(dots if abs(dots) < FAR else dots * 2)
        else:
            super()._sideways(dots)

    def action_point_at(self, column: int) -> None:
        """Put the column cursor on a run."""
        self.table.move_column_to(column)

    def action_column_left(self) -> None:
        self.table.move_column(-1)

    def action_column_right(self) -> None:
        self.table.move_column(1)

    @on(CompareTable.Moved)
    def _moved(self, event: CompareTable.Moved) -> None:
        if event.clicked:
            self.action_go_to("table")
        self._show_detail()
        self._show_legend()

    @on(ChartGrid.Changed)
    def _look_changed(self) -> None:
        self.action_go_to("charts")
        self._show_tabs()
        self.watch_runs()
        self.remember()

    # -- actions: see vitui.tui.actions --------------------------------------------------------------------------

    def action_go_to(self, name: str) -> None:
        if name != self._pane:
            self._pane = name
            self.show_pane()
            self._show_detail()
            self.remember()

    def action_pane(self) -> None:
        self.action_go_to(PANES[1 - PANES.index(self._pane)])

    action_pane_back = action_pane

    def action_fields(self) -> None:
        """Whole recipes, or only what differs."""
        self.all_fields = not self.all_fields
        self._show()
        self.action_go_to("table")
        self.remember()

    def action_open(self) -> None:
        if (here := self.current_run) is not None:
            self.vitui.open_run(here)

    @on(CompareTable.Opened)
    def _opened(self, event: CompareTable.Opened) -> None:
        self.vitui.open_run(event.run_id)

    def action_back(self) -> None:
        """Peel one layer: the crosshair, the zoom, the screen."""
        if self._pane != "charts" or not self.charts_back():
            self.vitui.go("runs")
