"""What somebody who reads a study's table must know beside it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vitui.comparing.judged import SELECTED
from vitui.comparing.table import Note
from vitui.studies.variants import BROKEN, MISSING

if TYPE_CHECKING:
    from vitui.studies.report import Report


def notes(report: Report) -> tuple[Note, ...]:
    """Reasons why the table may not show what it seems to first, then how it was made."""
    found = [*_reasons(report), *_facts(report)]
    return tuple(sorted(found, key=lambda note: not note.unfair))


def _reasons(report: Report) -> Iterator[Note]:
    planned = report.planned
    for line in planned.changed:
        yield Note(f"since these runs were queued, {line}; the table shows what was trained then", True)
    for line in planned.waiting:
        yield Note(line, True)
    if ", " in report.split:
        yield Note(f"values are of different splits ({report.split}) and cannot be compared", True)
    used = [cell.run for cell in planned.cells if cell.run is not None and cell.value is not None]
    for what, names in (
        ("hosts", {run.host for run in used if run.host}),
        ("devices", {run.placed for run in used if run.placed}),
    ):
        if len(names) > 1:
            told = ", ".join(sorted(names)[:4])
            yield Note(f"runs are from different {what}: {told}; times cannot be compared", True)
    if any(row.mark for row in report.rows):
        yield Note(f"{SELECTED}: the epoch was picked on the split that is reported, which flatters", True)
    if more := sum(cell.more for cell in planned.cells):
        yield Note(f"{more} further runs have the recipe and seed of a cell; the newest result counts", True)


def _facts(report: Report) -> Iterator[Note]:
    planned, layout = report.planned, report.planned.study.report
    counts = Counter(cell.status for cell in planned.cells)
    open_ones = [f"{counts[name]} {name}" for name in (MISSING, *sorted(BROKEN), "queued", "starting", "running")
                 if counts[name]]  # fmt: skip
    if open_ones:
        yield Note(f"of {len(planned.cells)} runs, {', '.join(open_ones)}")
    if report.comparisons:
        yield Note(
            f"differences are to {report.rows[report.baseline].label}, paired by seed where both have two or more, "
            f"with {1 - layout.alpha:.0%} confidence intervals of each alone; p is of a two-sided t test, corrected "
            f"for {report.comparisons} comparisons (Holm), and decides the verdict at {layout.alpha:g}"
        )
    if any(row.error is not None for row in report.rows):
        yield Note("±: standard deviation over seeds; of one, the binomial standard error of the evaluation images")
    if planned.study.set and any(row.published for row in report.rows):
        told = ", ".join(planned.study.sets)
        yield Note(f"published values are of recipes without what this study sets, {told}: no difference is taken")
