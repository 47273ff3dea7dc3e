"""One study: its report, and the curves of the variants that are drawn."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vitui.errors import NotFound, VitError
from vitui.tui.views.curves import RunCurves
from vitui.tui.views.seeds import Kept, VariantRuns, panels, plottable

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.studies.heat import Heat
    from vitui.studies.report import Report
    from vitui.tui.series import Span
    from vitui.tui.widgets.look import Panel


@dataclass(frozen=True, slots=True)
class StudyView:
    """`problem`: why there is no report. `own`: its file is the user's. `heats`: its heat map, for each of what a cell
    can show; `no_heat`: why there is none.

    `panels` show `series` of the variants `drawn`, in the order of their letters; `plottable`: what else can be drawn.
    """

    name: str
    report: Report | None
    problem: str = ""
    own: bool = False
    heats: Mapping[str, Heat] = field(default_factory=dict)
    no_heat: str = ""
    drawn: tuple[str, ...] = ()
    panels: tuple[Panel, ...] = ()
    series: tuple[str, ...] = ()
    plottable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StudyWatch:
    """A study. `baseline`: another one than its own; `drawn`: names of variants whose curves are wanted, `series`: of
    which series (none: those that tell most), `span`: what of them is in view; `heat`: the heat map is wanted."""

    name: str
    baseline: str = ""
    drawn: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    span: Span | None = None
    heat: bool = False

    period = 0.7

    @property
    def subject(self) -> tuple[str, str]:
        return ("study", self.name)

    def reader(self, lab: Lab) -> StudyReader:
        return StudyReader(lab, self.name)


@dataclass
class _Curves:
    """What is kept of the curves that are drawn."""

    readers: dict[str, RunCurves] = field(default_factory=dict)
    means: Kept = field(default_factory=dict)
    panels: tuple[Panel, ...] = ()
    series: tuple[str, ...] = ()
    plottable: tuple[str, ...] = ()


class StudyReader:
    """Makes the report when the database or the study's file has changed, but spends at most PART of the time on it: a
    study may have ten thousand runs. Used by one thread."""

    PART = 0.25

    def __init__(self, lab: Lab, name: str) -> None:
        self._lab, self._name = lab, name
        self._report: Report | None = None
        self._problem, self._own = "", False
        self._heats: dict[str, Heat] = {}
        self._no_heat = ""
        self._of: object = None
        self._again_at = 0.0
        self._curves = _Curves()
        self._watch: StudyWatch | None = None
        self._token: int | None = None
        self._given = False

    def read(self, now: float, watch: StudyWatch) -> StudyView | None:
        """The picture, or None when it is what it was. Raises NotFound when there is no such study any more."""
        token, clock = self._lab.changes_token(), time.monotonic()
        before, self._watch = self._watch, watch
        of = (token, self._stamp(), watch.baseline)
        other = before is None or before.baseline != watch.baseline
        made = of != self._of and (other or clock >= self._again_at)
        if made:
            self._make(of, watch)
        moved = before is None or (before.drawn, before.series, before.span) != (
            watch.drawn, watch.series, watch.span,
        )  # fmt: skip
        warmer = watch.heat and (made or before is None or not before.heat)
        if warmer:
            self._heat_up()
        if moved or made or (watch.drawn and token != self._token):
            self._draw(watch)
        elif self._given and not warmer:
            return None
        self._token, self._given = token, True
        names = {row.variant.name for row in self._report.rows} if self._report is not None and watch.drawn else set()
        drawn = tuple(name for name in watch.drawn if name in names)
        c = self._curves
        return StudyView(
            self._name, self._report, self._problem, self._own, self._heats, self._no_heat, drawn, c.panels,
            c.series, c.plottable,
        )  # fmt: skip

    def _stamp(self) -> int:
        try:
            return self._lab.study_files()[self._name].stat().st_mtime_ns
        except (KeyError, OSError):
            return 0

    def _make(self, of: object, watch: StudyWatch) -> None:
        start = time.monotonic()
        self._of = of
        try:
            self._report, self._problem = self._lab.study_report(self._name, watch.baseline), ""
        except NotFound:
            raise
        except (VitError, ValueError) as error:
            self._report, self._problem = None, str(error)
        self._own = not self._lab.study_line(self._name, counted=False).shipped
        done = time.monotonic()
        self._again_at = done + (done - start) / self.PART

    def _heat_up(self) -> None:
        """The heat map for each of what its cells can show."""
        from vitui.studies.heat import available, heat

        self._heats, self._no_heat = {}, ""
        if self._report is None:
            return
        try:
            self._heats = {show: heat(self._report, show) for show in available(self._report)}
            if not self._heats:
                heat(self._report)  # raises with the reason
        except VitError as error:
            self._no_heat = str(error)

    def _draw(self, watch: StudyWatch) -> None:
        """Read the curves that are wanted as far as they have grown."""
        report = self._report
        if report is None or not watch.drawn:
            self._curves = _Curves()
            return
        variants, old = drawn_runs(report, watch.drawn), self._curves
        known = plottable(self._lab, variants)
        series = tuple(key for key in watch.series if key in known.all) or known.foremost
        runs = [run for one in variants for run in one.runs]
        readers = {run.id: old.readers.get(run.id) or RunCurves(self._lab, run.id) for run in runs}
        found = {run.id: readers[run.id].read(run, watch.span, series) for run in runs}
        shown = panels(variants, found, series, old.means)
        self._curves = _Curves(readers, old.means, shown, series, known.all)

    def forget(self) -> None:
        """Give the whole picture again at the next reading."""
        self._given, self._watch = False, None


def drawn_runs(report: Report, names: Sequence[str]) -> list[VariantRuns]:
    """The variants of these names with their runs that have begun, in the given order."""
    rows = {row.variant.name: row for row in report.rows}
    out: list[VariantRuns] = []
    for name in names:
        if (row := rows.get(name)) is not None:
            runs = tuple(cell.run for cell in row.cells if cell.run is not None and cell.run.step)
            out.append(VariantRuns(name, row.label, runs, len(out)))
    return out
