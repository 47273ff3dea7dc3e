"""What picking one checkpoint by its upstream score costs, against fine-tuning all of them.

"How to train your ViT?" (Steiner et al., 2022), section 4.5 and figure 5, left: for each model, the test score after
transfer of the checkpoint with the best upstream validation score, beside that of the checkpoint with the best
validation score after transfer. The paper shows the first less the second; `cost` is the second less the first, above 0
for a rule that loses something. It can be below 0: the expensive choice is made on a validation split, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, Final

from vitui import display
from vitui.comparing.judged import SELECTED
from vitui.comparing.noise import combined, standard_error
from vitui.comparing.table import Note
from vitui.errors import UsageError
from vitui.query.groups import Stat, statistics
from vitui.store.costs import costs, selecting_images
from vitui.store.series import direction
from vitui.studies.picking import WEIGHTS, Candidate, candidates, unfinished, upstream_of
from vitui.studies.picking import picked as rule
from vitui.studies.plan import Start
from vitui.studies.statistics import Difference, judge

if TYPE_CHECKING:
    from vitui.reading import Reading
    from vitui.studies.definition import Upstream
    from vitui.studies.variants import Cell, Planned

MISSING: Final = "not fine-tuned"


@dataclass(frozen=True, slots=True)
class Adapted:
    """A checkpoint and what became of it.

    `variant` of this study started from it; of several (a sweep) the one with the best `select`, mean over seeds on
    the split that selects, out of `tried`. `value`: of that one on the split that reports. `status`: why there is none.
    `error`: standard error of `candidate.score`, over its seeds or, of one, from the size of the split; None: unknown.
    """

    candidate: Candidate
    error: float | None
    variant: str = ""
    tried: int = 0
    select: float | None = None
    value: Stat | None = None
    status: str = MISSING
    picked: bool = False
    """By the rule: the best upstream score of its group."""
    best: bool = False
    """The best `select` of its group: what fine-tuning all of them leads to."""


@dataclass(frozen=True, slots=True)
class Group:
    """One model, or whatever the rule picks one for. `cost`: score of the best less that of the picked, in points (of a
    loss: more loss); None while one of the two has no score. `difference`: the same with its noise, the other way
    round; None where both are the same checkpoint. `words`: a sentence."""

    name: str
    rows: tuple[Adapted, ...]
    cost: float | None
    difference: Difference | None
    words: str

    @property
    def picked(self) -> Adapted:
        return next(row for row in self.rows if row.picked)

    @property
    def best(self) -> Adapted | None:
        return next((row for row in self.rows if row.best), None)


@dataclass(frozen=True, slots=True)
class PickedTable:
    """Checkpoints of an upstream study with what the rule picks, group by group."""

    name: str
    title: str
    upstream: str
    each: str
    """The axis whose levels the groups are; empty: one group."""
    metric: str
    unit: str
    split: str
    """After transfer, the one that reports."""
    upstream_split: str
    groups: tuple[Group, ...]
    notes: tuple[Note, ...]


def picked_table(lab: Reading, planned: Planned) -> PickedTable:
    """What the rule picks out of the upstream study of a study, and what that costs as far as runs tell.

    Raises UsageError for a study that starts from no other, and where nothing upstream has a score yet.
    """
    found = upstream_of(lab, planned.study, (planned.name,))
    if found is None:
        raise UsageError(f"study {planned.name} starts from no other study, so there is nothing to pick ([upstream])")
    upstream, source = found
    known = candidates(source, upstream.each)
    if not known:
        raise UsageError(
            f"no run of study {source.name} has a score to pick by yet; `vitui study run {source.name}` trains them"
        )
    chosen = rule(known)
    errors = _upstream_errors(lab, source, known)
    cells = _by_weights(planned)
    images = _images(lab, planned)
    groups = []
    for name in unfinished(source, upstream.each):  # in the order of the upstream study
        if name not in chosen:
            continue
        rows = [
            _adapted(planned, one, errors.get(one.name), cells.get(_sets(lab, one), ()), one is chosen[name])
            for one in known
            if one.group == name
        ]
        groups.append(_group(planned, name, rows, images))
    layout = planned.study.report
    runs = [cell.run for row in cells.values() for part in row for cell in part if cell.run and cell.value is not None]
    splits = sorted({run.report_split for run in runs})
    return PickedTable(
        planned.name,
        planned.study.title or planned.name,
        source.name,
        upstream.each,
        layout.metric,
        "%" if layout.metric in ("top1", "top5") else "",
        ", ".join(splits),
        ", ".join(sorted({one.images_split for one in known if one.images_split})),
        tuple(groups),
        tuple(_notes(planned, upstream, source, groups, any(run.select_is_report for run in runs))),
    )


# -- from runs ---------------------------------------------------------------------------------------------------


def _sets(lab: Reading, one: Candidate) -> tuple[str, ...]:
    """The words that start a run from a checkpoint: what its variants are known by."""
    return Start(one.name, one.label, str(lab.run_dir(one.run).model / WEIGHTS)).sets


def _by_weights(planned: Planned) -> dict[tuple[str, ...], list[tuple[Cell, ...]]]:
    """Cells of the variants that start from a file, variant by variant, by the words that say so."""
    out: dict[tuple[str, ...], list[tuple[Cell, ...]]] = {}
    for place, variant in enumerate(planned.variants):
        words = variant.sets[-2:]
        if len(words) == 2 and words[1].startswith("model.weights="):
            out.setdefault(words, []).append(planned.cells_of(place))
    return out


def _upstream_errors(lab: Reading, source: Planned, known: Sequence[Candidate]) -> dict[str, float]:
    """Standard errors of upstream scores: over seeds where there are two or more, else of the number of images."""
    images = selecting_images(lab.store.reading(), [one.run for one in known])
    places = {variant.name: place for place, variant in enumerate(source.variants)}
    out = {}
    for one in known:
        scores = [cell.run.last for cell in source.cells_of(places[one.name]) if cell.run and cell.status == "finished"]
        found = statistics(scores)
        if found is not None and found.deviation is not None:
            out[one.name] = found.deviation / found.n**0.5
        elif (error := standard_error(one.score, images.get(one.run))) is not None:
            out[one.name] = error
    return out


def _images(lab: Reading, planned: Planned) -> int | None:
    run = next((cell.run for cell in planned.cells if cell.run is not None and cell.value is not None), None)
    return None if run is None else costs(lab.store.reading(), [run.id])[run.id].images


def _adapted(
    planned: Planned, one: Candidate, error: float | None, variants: Sequence[tuple[Cell, ...]], picked: bool
) -> Adapted:
    if not variants:
        return Adapted(one, error, picked=picked)
    scored = [(select, cells) for cells in variants if (select := _select(cells)) is not None]
    if not scored:
        cell = next((cell for cell in variants[0] if cell.status != "missing"), variants[0][0])
        status = MISSING if cell.status == "missing" else cell.text
        return Adapted(one, error, variants[0][0].variant, len(variants), status=status, picked=picked)
    select, cells = max(scored, key=lambda pair: pair[0])
    value = statistics([cell.value for cell in cells])
    return Adapted(one, error, cells[0].variant, len(variants), select, value, "", picked)


def _select(cells: Sequence[Cell]) -> float | None:
    """Best score on the split that selects, mean over the seeds that have a value to report."""
    found = [cell.run.best for cell in cells if cell.run and cell.value is not None and cell.run.best is not None]
    return fmean(found) if found else None


def _group(planned: Planned, name: str, rows: Sequence[Adapted], images: int | None) -> Group:
    """The rows of a group with the best marked. Of equal scores, the picked one and then the earlier one is best."""
    scored = [row for row in rows if row.select is not None]
    best = max(scored, key=lambda row: (row.select or 0.0, row.picked), default=None)
    rows = [replace(row, best=row is best) for row in rows]
    picked = next(row for row in rows if row.picked)
    best = next((row for row in rows if row.best), None)
    missing = sum(1 for row in rows if row.value is None)
    alone = len(rows) > 1 and missing == len(rows) - 1
    if best is None or picked.value is None or best.value is None or alone:
        return Group(name, tuple(rows), None, None, _unknown(planned, rows, picked, missing))
    better = direction(planned.study.report.metric) or 1
    cost = (best.value.mean - picked.value.mean) * better
    difference = None if picked is best else _difference(planned, picked, best, images)
    return Group(name, tuple(rows), cost, difference, _words(planned, rows, picked, best, cost, difference, missing))


def _difference(planned: Planned, picked: Adapted, best: Adapted, images: int | None) -> Difference | None:
    """The picked less the best, paired by seed; of one seed, only the error of the evaluation images is known."""
    layout = planned.study.report
    values: list[Mapping[int, float]] = [
        {cell.seed: cell.value for cell in _cells_of(planned, row.variant) if cell.value is not None}
        for row in (best, picked)
    ]
    counted = images if layout.metric != "loss" else None
    errors = [standard_error(fmean(own.values()), counted) for own in values]
    return judge(values, 0, alpha=layout.alpha, errors=errors, images=counted)[1].difference


def _cells_of(planned: Planned, name: str) -> tuple[Cell, ...]:
    return next(planned.cells_of(n) for n, variant in enumerate(planned.variants) if variant.name == name)


# -- words -------------------------------------------------------------------------------------------------------


def _unknown(planned: Planned, rows: Sequence[Adapted], picked: Adapted, missing: int) -> str:
    said = f"the rule picks {_quoted(picked)}{_lead(rows, picked)}"
    if planned.study.upstream is not None and planned.study.upstream.adapt == "picked":
        return f'{said}; what that costs, only fine-tuning all of them tells (adapt = "all")'
    return f"{said}; {missing} of {len(rows)} checkpoints have no score after transfer yet"


def _words(
    planned: Planned,
    rows: Sequence[Adapted],
    picked: Adapted,
    best: Adapted,
    cost: float,
    difference: Difference | None,
    missing: int,
) -> str:
    points = " points" if planned.study.report.metric != "loss" else ""
    said = f"the rule picks {_quoted(picked)}{_lead(rows, picked)}"
    if picked.best:
        equal = [_quoted(row) for row in rows if not row.picked and row.select == picked.select]
        best_too = (
            f"as good after transfer as {equal[0]}, and no other is better" if equal else "the best after transfer, too"
        )
        said += f", which is {best_too}: it costs nothing"
    else:
        size = display.number(abs(cost), 3) if not points else f"{abs(cost):.2f}"
        verb = "costs" if cost >= 0 else "gains"
        said += f"; best after transfer is {_quoted(best)}: the rule {verb} {size}{points}{_noise(difference)}"
    if missing:
        said += f" (over {len(rows) - missing} of {len(rows)} checkpoints: the others have no score yet)"
    return said


def _quoted(row: Adapted) -> str:
    return f'"{row.candidate.label}"'


def _lead(rows: Sequence[Adapted], picked: Adapted) -> str:
    """How sure the pick is: its lead over the next upstream score, beside the noise of the two."""
    others = sorted((row for row in rows if not row.picked), key=lambda row: -row.candidate.score)
    if not others:
        return ""
    lead = picked.candidate.score - others[0].candidate.score
    error = combined(picked.error, others[0].error)
    if lead == 0:
        return f" (as good upstream as {_quoted(others[0])}; the earlier variant counts)"
    noise = "" if error is None else f" ± {error:.2f}"
    return f" ({lead:.2f}{noise} points ahead of {_quoted(others[0])} upstream)"


def _noise(difference: Difference | None) -> str:
    if difference is None or difference.error is None:
        return ""
    said = f" ± {difference.error:.2f}"
    if difference.low is not None and difference.high is not None and difference.low <= 0 <= difference.high:
        said += ", within the noise"
    return said


def _notes(
    planned: Planned, upstream: Upstream, source: Planned, groups: Sequence[Group], selected_on_report: bool
) -> list[Note]:
    out = []
    if missing := sum(unfinished(source, upstream.each).values()):
        out.append(Note(f"{missing} runs of study {source.name} have no result yet: what is picked may change", True))
    if selected_on_report:
        out.append(Note(f"{SELECTED}: the best after transfer is chosen on the split that is reported, too", True))
    out.append(Note(
        "picked: the best final score upstream, on the split that selects there (AugReg, section 4.5); best: the best "
        "score after transfer on the split that selects here; cost: the reported score of the best less that of the "
        "picked (figure 5, left, with the sign turned)"
    ))  # fmt: skip
    if any(row.tried > 1 for group in groups for row in group.rows):
        out.append(Note("of each checkpoint's sweep, the run with the best score on the split that selects counts"))
    known = [group.cost for group in groups if group.cost is not None]
    if len(known) > 1:
        over = f"cost over {len(known)} of {len(groups)} groups"
        out.append(Note(f"{over}: {fmean(known):.2f} on average, {max(known):.2f} at most"))
    if any(group.difference is not None for group in groups):
        out.append(Note("± of a cost: standard error over pairs of one seed; of one seed, of the evaluation images"))
    return out
