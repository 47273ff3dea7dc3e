"""What the runs of studies cost, and their accuracy against that: from the database to the points of a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vitui import display
from vitui.comparing.judged import SELECTED
from vitui.comparing.table import Note
from vitui.errors import UsageError
from vitui.store.costs import Cost, Start, costs, starts
from vitui.store.series import direction
from vitui.studies.definition import COMPUTE
from vitui.studies.picking import upstream_of
from vitui.studies.search import DRAWS, Band, Frontier, Point, budgets_of, frontier, groups_of, simulate
from vitui.studies.tradeoff_words import words
from vitui.studies.variants import Planned, Variant

if TYPE_CHECKING:
    from vitui.reading import Reading
    from vitui.store import Run
    from vitui.studies.definition import Study

BACKWARD: Final = 3
"""Multiply-adds of a forward and a backward pass, in forward passes: gradients for inputs and weights are one each."""
AUTO: Final = "auto"
START, MODEL, NONE = "start", "model", "none"
"""What runs can be grouped by, besides an axis: scratch or transfer, the model, nothing."""
SCRATCH, TRANSFER, ALL = "scratch", "transfer", "all runs"
OUTSIDE: Final = "(none)"
"""The group of runs that have no level of the axis."""


@dataclass(frozen=True, slots=True)
class Axis:
    """What a plot has across. `log`: at equal ratios."""

    key: str
    title: str
    unit: str
    log: bool = True

    def text(self, value: float) -> str:
        """A value with its unit, short: ``1.20 GMACs``, ``12m 05s``, ``36.0k``."""
        if self.key == "seconds":
            return display.duration(value) if value >= 1 else f"{value:.2f}s"
        if self.key == "macs":
            return scaled(value) + self.unit
        return display.count(value) if self.key == "images" else f"{value:.3g}"


AXES: Final[Mapping[str, Axis]] = {
    "macs": Axis("macs", "multiply-adds of training", "MACs"),
    "seconds": Axis("seconds", "time on the device", "s"),
    "images": Axis("images", "images seen in training", "images"),
}
"""In the order of preference, where nothing is asked for: what other machines would have counted, too, comes first."""
assert tuple(AXES) == COMPUTE


def scaled(value: float) -> str:
    """Three digits and a prefix of the SI, with a space before it: ``1.20 P``."""
    for limit, prefix in ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            part = value / limit
            return f"{part:.{2 if part < 10 else 1 if part < 100 else 0}f} {prefix}"
    return f"{value:.0f} "


def usual_axis(study: Study, kind: str) -> str:
    """What the plot of a kind ("search" or "compute") of a study has across where nothing else is asked for: what its
    [report] x says, but compute always where the plot is about that."""
    return study.report.x if kind == "search" or study.report.x in AXES else AUTO


@dataclass(frozen=True, slots=True)
class Tradeoff:
    """Accuracy against compute: what `vitui study report --plot search` and `--plot compute` show.

    `metric` in `unit` on `split`, `axis` across. `words`: what can be read off it, as sentences. Where a sampled field
    is across there are points alone.
    """

    names: tuple[str, ...]
    title: str
    metric: str
    unit: str
    split: str
    better: int
    axis: Axis
    grouped: str
    points: tuple[Point, ...]
    bands: tuple[Band, ...] = ()
    frontiers: tuple[Frontier, ...] = ()
    words: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


def tradeoff(
    lab: Reading,
    studies: Sequence[Planned],
    *,
    axis: str = "",
    by: str = START,
    upstream: bool = False,
    draws: int = DRAWS,
    seed: int = 0,
) -> Tradeoff:
    """Accuracy against compute of all finished runs of studies, each run once, with its simulated random search.

    `axis`: "macs", "seconds", "images" or a sampled field; empty: as [report] x of the first study says, else the
    first of them that is known of every run ("auto" asks for that, whatever the file says).

    - macs: multiply-adds of a forward pass x 3 (forward and backward; 1 where only the classifier is trained) x images
      seen. Evaluations and a teacher are not counted.
    - seconds: as measured, all attempts and evaluations, times GPUs. Of other machines it would be another number.
    - images: optimiser updates x batch size.

    `by`: "start" (scratch or transfer), "model", "none", or an axis of a grid. `upstream`: add to a run what its
    weights from an upstream study cost: the one run that made them, or with adapt = "picked" all runs of that study,
    since all were needed to pick. A simulated search pays it with every run that it draws. Weights from elsewhere cost
    nothing here.

    Raises UsageError for studies of unlike metrics, an unknown axis or grouping, and where no run has a result or none
    has its compute known.
    """
    first = studies[0]
    metric = first.study.report.metric
    if other := next((one for one in studies if one.study.report.metric != metric), None):
        raise UsageError(f"study {first.name} reports {metric}, {other.name} reports {other.study.report.metric}")
    gathered = _gather(lab, studies, by)
    wanted = axis or first.study.report.x or AUTO
    if wanted not in (AUTO, *AXES):
        return _against_field(studies, gathered, wanted, by)
    known = {key: _compute(gathered, key) for key in AXES}
    if upstream:
        known = {key: _with_upstream(lab, studies, gathered, found, key) for key, found in known.items()}
    key = wanted
    if wanted == AUTO:
        key = max(AXES, key=lambda one: (len(known[one]), -COMPUTE.index(one)))
    points = tuple(
        replace(one.point, compute=known[key][one.point.run]) for one in gathered if one.point.run in known[key]
    )
    if not points:
        raise UsageError(f"of no run of {first.name} with a result the {AXES[key].title} are known")
    better = direction(metric) or 1
    found = _drawn(studies, gathered, AXES[key], by, points)
    budgets = budgets_of(points)
    groups = groups_of(points).values()
    found = replace(
        found,
        bands=tuple(simulate(group, budgets, draws=draws, seed=seed, better=better) for group in groups),
        frontiers=tuple(frontier(group, better) for group in groups),
        notes=(*_reasons(gathered, key), *_facts(gathered, found, len(gathered) - len(points), upstream)),
    )
    return replace(found, words=words(found))


# -- runs --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Gathered:
    """A run with its cost, as a point whose compute is not decided yet."""

    point: Point
    run: Run
    cost: Cost
    start: Start
    variant: Variant


def _gather(lab: Reading, studies: Sequence[Planned], by: str) -> list[_Gathered]:
    cells = {
        cell.run.id: (cell, variant)
        for planned in studies
        for place, variant in enumerate(planned.variants)
        for cell in planned.cells_of(place)
        if cell.run is not None
        and (cell.status == "diverged" or (cell.status == "finished" and cell.value is not None))
    }
    if not any(cell.value is not None for cell, _ in cells.values()):
        names = " and ".join(one.name for one in studies)
        raise UsageError(f"no run of {names} has a result yet; `vitui study run {studies[0].name}` trains them")
    _check_grouping(studies, by)
    db = lab.store.reading()
    cost, start = costs(db, list(cells)), starts(db, list(cells))
    out = []
    for run, (cell, variant) in cells.items():
        assert cell.run is not None
        select = cell.run.best if cell.status == "finished" else None
        group = _group(variant, start[run], by)
        out.append(
            _Gathered(
                Point(run, variant.name, variant.label, cell.seed, group, 0.0, cell.value, select),
                cell.run,
                cost[run],
                start[run],
                variant,
            )
        )
    return out


def _check_grouping(studies: Sequence[Planned], by: str) -> None:
    axes = list(dict.fromkeys(axis.name for planned in studies for axis in planned.study.axis))
    if by not in (START, MODEL, NONE, *axes):
        raise UsageError(f'runs cannot be grouped by "{by}"; known: {", ".join((START, MODEL, NONE, *axes))}')


def _group(variant: Variant, start: Start, by: str) -> str:
    if by == START:
        return TRANSFER if start.pretrained else SCRATCH
    if by == MODEL:
        return variant.model
    return ALL if by == NONE else variant.levels.get(by, OUTSIDE)


def _compute(gathered: Sequence[_Gathered], key: str) -> dict[str, float]:
    """Run -> its compute, for the runs it is known of."""
    found = {one.point.run: compute_of(one.run, one.cost, one.start, key) for one in gathered}
    return {run: value for run, value in found.items() if value is not None and value > 0}


def compute_of(run: Run, cost: Cost, start: Start, key: str) -> float | None:
    """The compute of one run, in the unit of an axis; None where it is not known."""
    if key == "seconds":
        seconds = cost.seconds
        if seconds is None and run.attempt <= 1 and run.started is not None and run.ended is not None:
            seconds = run.ended - run.started  # one that diverged does not say how long it took
        return None if seconds is None else seconds * max(1, run.gpus)
    if run.batch_size is None:
        return None
    images = float(run.step * run.batch_size)
    if key == "images":
        return images
    return None if cost.macs is None else cost.macs * (1 if start.head_only else BACKWARD) * images


def _with_upstream(
    lab: Reading, studies: Sequence[Planned], gathered: Sequence[_Gathered], known: Mapping[str, float], key: str
) -> dict[str, float]:
    """As `known`, with what the weights cost; a run whose weights' cost is not known is left out."""
    all_of: dict[str, list[Run]] = {}
    for planned in studies:
        found = upstream_of(lab, planned.study, (planned.name,))
        if found is None:
            continue
        runs = [cell.run for cell in found[1].cells if cell.run is not None and cell.status in ("finished", "diverged")]
        for run in runs:
            all_of[run.id] = runs if found[0].adapt == "picked" else [run]
    if not all_of:
        return dict(known)
    needed = {run.id: run for runs in all_of.values() for run in runs}
    db = lab.store.reading()
    cost, start = costs(db, list(needed)), starts(db, list(needed))
    out = {}
    for one in gathered:
        if one.point.run not in known:
            continue
        made = all_of.get(maker(lab, one.start.weights), ())
        parts = [compute_of(run, cost[run.id], start[run.id], key) for run in made]
        if None not in parts:
            out[one.point.run] = known[one.point.run] + sum(part for part in parts if part is not None)
    return out


def maker(lab: Reading, weights: str) -> str:
    """The run of this home that exported a file of weights; empty where none did."""
    folder = lab.home / "runs"
    path = Path(weights)
    return path.relative_to(folder).parts[0] if weights and path.is_relative_to(folder) else ""


# -- what is shown -----------------------------------------------------------------------------------------------


def _drawn(
    studies: Sequence[Planned], gathered: Sequence[_Gathered], axis: Axis, by: str, points: tuple[Point, ...]
) -> Tradeoff:
    metric = studies[0].study.report.metric
    splits = sorted({one.run.report_split for one in gathered if one.point.score is not None})
    return Tradeoff(
        tuple(one.name for one in studies),
        " and ".join(one.study.title or one.name for one in studies),
        metric,
        "%" if metric in ("top1", "top5") else "",
        ", ".join(splits),
        direction(metric) or 1,
        axis,
        by,
        points,
    )


def _against_field(studies: Sequence[Planned], gathered: Sequence[_Gathered], field: str, by: str) -> Tradeoff:
    """Scores over a field that a random search drew."""
    searches = [one.study.search for one in studies if one.study.search is not None]
    ranges = [search.fields[field] for search in searches if field in search.fields]
    if not ranges:
        names = list(dict.fromkeys([*AXES, *(name for search in searches for name in search.fields)]))
        raise UsageError(f'"{field}" is nothing a plot can have across; known: {", ".join(names)}')
    points = []
    for one in gathered:
        value = one.variant.sampled.get(field)
        if isinstance(value, int | float) and not isinstance(value, bool):
            points.append(replace(one.point, compute=1.0, x=float(value)))
        elif value is not None:
            raise UsageError(f"{field} is drawn from choices that are no numbers; plot over {', '.join(AXES)} instead")
    if not points:
        raise UsageError(f"no run with a result has a value of {field} that the search drew")
    log = any(one.log for one in ranges)
    found = _drawn(studies, gathered, Axis(field, field, "", log), by, tuple(points))
    return replace(found, notes=tuple(_reasons(gathered, "")))


def _reasons(gathered: Sequence[_Gathered], key: str) -> list[Note]:
    """Why the picture may not show what it seems to."""
    out = []
    used = [one.run for one in gathered if one.point.score is not None]
    splits = sorted({run.report_split for run in used})
    if len(splits) > 1:
        out.append(Note(f"values are of different splits ({', '.join(splits)}) and cannot be compared", True))
    datasets = sorted({run.dataset for run in used})
    if len(datasets) > 1:
        out.append(Note(f"runs are of different datasets: {', '.join(datasets[:4])}; scores cannot be compared", True))
    places = sorted({f"{run.host} {run.placed}".strip() for run in used})
    if key == "seconds" and len(places) > 1:
        out.append(Note(f"runs are from different devices: {', '.join(places[:4])}; times cannot be compared", True))
    if any(run.select_is_report for run in used):
        out.append(Note(f"{SELECTED}: runs are picked on the split that is reported, which flatters", True))
    return out


def _facts(gathered: Sequence[_Gathered], found: Tradeoff, unknown: int, upstream: bool) -> list[Note]:
    out = []
    if found.axis.key == "macs":
        said = f"multiply-adds: of a forward pass x {BACKWARD} for training x images seen; evaluations are not counted"
        if any(one.start.head_only for one in gathered):
            said += "; x 1 where only the classifier is trained"
        out.append(Note(said))
    if any(one.start.pretrained for one in gathered):
        counted = "is not counted"
        if upstream:
            counted = "is counted as far as runs of an upstream study made them, in a random search with every run anew"
        out.append(Note(f"transfer: what its weights cost {counted}"))
    if diverged := sum(1 for one in gathered if one.point.score is None):
        out.append(Note(f"{diverged} runs diverged: they cost compute and have no score"))
    if unknown:
        out.append(Note(f"{unknown} runs are left out: their {found.axis.title} are not known"))
    return out
