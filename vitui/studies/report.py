"""What a study shows: a row for each variant with its seeds, its difference to the baseline and how sure that is, the
published value, and what it cost. Plain data; `vitui.studies.formats` and the app's Study screen draw it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING

from engine.recipe.fingerprint import BOOKKEEPING, SEED
from vitui.comparing.judged import SELECTED
from vitui.comparing.noise import standard_error
from vitui.comparing.table import Note
from vitui.query.groups import Stat, statistics
from vitui.references import comparable, within
from vitui.store.costs import Cost, costs
from vitui.store.series import direction
from vitui.studies.report_notes import notes
from vitui.studies.reported import Published, published_of
from vitui.studies.statistics import Difference, judge
from vitui.studies.variants import Cell, Planned, Variant

if TYPE_CHECKING:
    from vitui.reading import Reading
    from vitui.store import Run


@dataclass(frozen=True, slots=True)
class Costs:
    """What a variant costs. `seconds`: of one run, mean over those that finished; the others as its first such run
    says. None: not known."""

    seconds: float | None = None
    params: int | None = None
    macs: float | None = None
    images_per_s: float | None = None
    """In training, mean over finished runs."""
    memory_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One variant. Values are in units of the metric (percent), differences in its points."""

    variant: Variant
    cells: tuple[Cell, ...]
    value: Stat | None
    """On the split that reports, of the weights that the selecting split picked, over seeds."""
    last: Stat | None
    """There, of the weights of the last epoch."""
    error: float | None
    """Binomial standard error of one value from the size of that split, in points."""
    difference: Difference | None
    verdict: str
    """"better", "worse", "same", "noise", "unsure" (too few seeds), or nothing."""
    words: str
    """The same in a sentence."""
    stands_out: bool
    """Better than the baseline by more than noise, and the best of all: the only reason to print anything bold."""
    published: Published | None
    gap: float | None
    """Own mean less the published value, on the same split and metric; None where what the study itself sets makes its
    recipes others than the published ones."""
    within: bool | None
    """Whether that is inside the tolerance of the published value."""
    costs: Costs
    mark: str = ""
    """Where the split that selects is the one that reports."""

    @property
    def label(self) -> str:
        return self.variant.label

    @property
    def diverged(self) -> int:
        """Seeds that ended in NaN."""
        return sum(1 for cell in self.cells if cell.status == "diverged")


@dataclass(frozen=True, slots=True)
class Report:
    """A study as a table. `baseline`: the place of the row that differences are to."""

    planned: Planned
    rows: tuple[Row, ...]
    baseline: int
    metric: str
    split: str
    """The split that reports; several, joined with commas, where runs differ in it; empty before any has ended."""
    notes: tuple[Note, ...]
    comparisons: int
    """How many differences p is corrected for."""
    counts: Mapping[str, int] = field(default_factory=dict)
    made_at: float = 0.0

    @property
    def name(self) -> str:
        return self.planned.name

    @property
    def title(self) -> str:
        return self.planned.study.title or self.planned.name

    @property
    def seeds(self) -> tuple[int, ...]:
        return self.planned.seeds

    @property
    def unit(self) -> str:
        return "%" if self.metric in ("top1", "top5") else ""

    @property
    def alpha(self) -> float:
        return self.planned.study.report.alpha


def report(lab: Reading, planned: Planned) -> Report:
    """The report of a study as its runs are now."""
    done = [cell.run.id for cell in planned.cells if cell.run is not None and cell.status == "finished"]
    known = costs(lab.store.reading(), done) if done else {}
    return report_of(planned, known, time.time())


def report_of(planned: Planned, known: Mapping[str, Cost], now: float) -> Report:
    """The report from what was read; pure. `known`: costs of the finished runs, by id."""
    layout = planned.study.report
    cells = [planned.cells_of(place) for place in range(len(planned.variants))]
    values = [_by_seed(row) for row in cells]
    splits = sorted({cell.run.report_split for cell in planned.cells if cell.run and cell.value is not None})
    images = [_images(row, known) for row in cells]
    errors = [_error(row, size, layout.metric) for row, size in zip(values, images, strict=True)]
    judged = judge(
        values,
        planned.baseline,
        alpha=layout.alpha,
        power=layout.power,
        resolve=layout.resolve,
        errors=errors,
        images=min((size for size in images if size), default=None) if layout.metric != "loss" else None,
        better=direction(layout.metric) or 1,
        diverged=[sum(1 for cell in row if cell.status == "diverged") for row in cells],
        unit="points" if layout.metric != "loss" else "",
    )
    foreign = any(key != SEED and key not in BOOKKEEPING for key in planned.study.set)
    rows = []
    for variant, row, error, said in zip(planned.variants, cells, errors, judged, strict=True):
        published = published_of(variant, layout.metric)
        gap = None if foreign else _gap(row, published)
        rows.append(
            Row(
                variant,
                row,
                statistics([cell.value for cell in row]),
                statistics([cell.last for cell in row]),
                error,
                said.difference,
                said.verdict,
                said.words,
                said.stands_out,
                published,
                gap,
                None if gap is None or published is None else within(gap, published.tolerance),
                _costs(row, known),
                SELECTED
                if any(cell.run.select_is_report for cell in row if cell.run and cell.value is not None)
                else "",
            )
        )
    compared = sum(1 for one in judged if one.difference is not None and one.difference.p is not None)
    found = Report(
        planned, tuple(rows), planned.baseline, layout.metric, ", ".join(splits), (), compared, planned.counts, now
    )
    return Report(
        planned, found.rows, found.baseline, found.metric, found.split, notes(found), compared, found.counts, now
    )


def _by_seed(cells: Sequence[Cell]) -> dict[int, float]:
    return {cell.seed: cell.value for cell in cells if cell.value is not None}


def _images(cells: Sequence[Cell], known: Mapping[str, Cost]) -> int | None:
    return next((cost.images for run in _finished(cells) if (cost := known.get(run.id)) and cost.images), None)


def _error(values: Mapping[int, float], images: int | None, metric: str) -> float | None:
    return standard_error(fmean(values.values()), images) if values and metric != "loss" else None


def _finished(cells: Sequence[Cell]) -> list[Run]:
    return [cell.run for cell in cells if cell.run is not None and cell.status == "finished"]


def _gap(cells: Sequence[Cell], published: Published | None) -> float | None:
    """Own mean less the published value: on the split that reports, or on the selecting one where it is about that."""
    if published is None or published.value is None:
        return None
    told = {"metric": published.metric, "split": published.split}
    own = [value for run in _finished(cells) if (value := comparable(run, told)[0]) is not None]
    return fmean(own) - published.value if own else None


def _costs(cells: Sequence[Cell], known: Mapping[str, Cost]) -> Costs:
    runs = _finished(cells)
    if not runs:
        live = next((cell.run for cell in cells if cell.run is not None), None)
        return Costs(params=live.params if live is not None else None)
    told = [known[run.id] for run in runs if run.id in known]
    seconds = [cost.seconds for cost in told if cost.seconds is not None]
    speeds = [run.images_per_s for run in runs if run.images_per_s is not None]
    memory = next((cost.memory_gb for cost in told if cost.memory_gb is not None), None)
    return Costs(
        fmean(seconds) if seconds else None,
        runs[0].params,
        next((cost.macs for cost in told if cost.macs is not None), None),
        fmean(speeds) if speeds else None,
        memory * 2**30 if memory is not None else None,
    )
