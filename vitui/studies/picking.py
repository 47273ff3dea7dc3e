"""One checkpoint to start from, out of the runs of an upstream study.

The rule of "How to train your ViT?" (Steiner et al., 2022, section 4.5): of all checkpoints of a model, fine-tune the
one with the highest final upstream validation score, and no other. `vitui.studies.picked` says what that costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Final

from engine.recipe.errors import nearest
from vitui.errors import UsageError
from vitui.studies.plan import Start

if TYPE_CHECKING:
    from vitui.reading import Reading
    from vitui.studies.definition import Study, Upstream
    from vitui.studies.variants import Cell, Planned

WEIGHTS: Final = "model.safetensors"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A variant of the upstream study that has been trained.

    `score`: its final accuracy (percent) on the split that selects, mean over the `seeds` that have one; `run` is the
    first of them, whose weights (those of the last epoch) are used. `group`: the level of `[upstream] each` that it was
    trained at, empty where one is picked of all.
    """

    name: str
    label: str
    score: float
    run: str
    images_split: str
    """The split of the score."""
    group: str = ""
    seeds: int = 1


def candidates(planned: Planned, each: str = "") -> tuple[Candidate, ...]:
    """Trained variants of an upstream study, the best score first; of equal ones, the earlier variant.

    Raises UsageError where `each` is no axis of it, or a variant has no level of that axis.
    """
    check_each(planned, each)
    found = []
    for place, variant in enumerate(planned.variants):
        scored = [(cell.run, cell.run.last) for cell in _finished(planned, place) if cell.run is not None]
        known = [(run, score) for run, score in scored if score is not None]
        if known:
            first, score = known[0][0], fmean(score for _, score in known)
            group = variant.levels[each] if each else ""
            found.append(
                Candidate(variant.name, variant.label, score, first.id, first.selected_on, group, len(known))
            )  # fmt: skip
    return tuple(sorted(found, key=lambda one: -one.score))


def check_each(planned: Planned, each: str) -> None:
    """Raises UsageError where one cannot be picked for each level of this axis."""
    if not each:
        return
    axes = [axis.name for axis in planned.study.axis]
    if each not in axes:
        raise UsageError(f'[upstream]: each = "{each}" is no axis of study {planned.name}{nearest(each, axes)}')
    if stray := next((one.name for one in planned.variants if each not in one.levels), None):
        raise UsageError(f'[upstream]: each = "{each}", but variant {stray} of study {planned.name} has no level of it')


def picked(known: Sequence[Candidate]) -> dict[str, Candidate]:
    """Group -> the candidate that the rule picks: the best score, of equal ones the first."""
    chosen: dict[str, Candidate] = {}
    for one in known:
        best = chosen.setdefault(one.group, one)
        if one.score > best.score:
            chosen[one.group] = one
    return chosen


def unfinished(planned: Planned, each: str = "") -> dict[str, int]:
    """Group -> cells that have no result yet, for every group there is."""
    counts: dict[str, int] = {}
    for place, variant in enumerate(planned.variants):
        group = variant.levels[each] if each else ""
        missing = sum(1 for cell in planned.cells_of(place) if cell.status not in ("finished", "diverged"))
        counts[group] = counts.get(group, 0) + missing
    return counts


def upstream_of(lab: Reading, study: Study, seen: Sequence[str]) -> tuple[Upstream, Planned] | None:
    """The study that another one starts from, planned; None where it starts from none.

    Raises NotFound for one that does not exist, UsageError for studies that wait for each other.
    """
    if study.upstream is None:
        return None
    name = study.upstream.study
    if name in seen:
        raise UsageError(f"studies wait for each other in a circle: {' -> '.join([*seen, name])}")
    return study.upstream, lab.planned(name, _seen=(*seen, name))


def starts(lab: Reading, study: Study, seen: Sequence[str] = ()) -> tuple[tuple[Start, ...], tuple[str, ...]]:
    """Weights that the variants of a study start from, and sentences about those that are not there yet.

    Raises NotFound for an upstream study that does not exist, UsageError for studies that wait for each other, and for
    an axis that the upstream study does not have.
    """
    found = upstream_of(lab, study, seen)
    if found is None:
        return (), ()
    upstream, planned = found
    known = candidates(planned, upstream.each)
    if upstream.adapt == "picked":
        known, waiting = _picked(planned, upstream.each, known)
    else:
        waiting = _lacking(planned, known)
    made = []
    for one in known:
        weights = lab.run_dir(one.run).model / WEIGHTS
        if weights.exists():
            made.append(
                Start(f"from-{one.name}", f"from {one.label}", str(weights), upstream.each, one.group)
            )  # fmt: skip
        else:
            waiting = (*waiting, f"lacks the exported model of run {one.run} to start from")
    return tuple(made), waiting


def _picked(planned: Planned, each: str, known: Sequence[Candidate]) -> tuple[tuple[Candidate, ...], tuple[str, ...]]:
    """The picked one of every group whose runs have all ended, and a sentence for every other group."""
    chosen = picked(known)
    ready, waiting = [], []
    for group, missing in unfinished(planned, each).items():
        of = f" with {each} {group}" if group else ""
        if missing:
            waiting.append(
                f"waits for study {planned.name}: {missing} of its runs{of} have no result; "
                f"`vitui study run {planned.name}`"
            )
        elif group in chosen:
            ready.append(chosen[group])
        else:
            waiting.append(f"waits for study {planned.name}: none of its runs{of} ended with a score")
    return tuple(ready), tuple(waiting)


def _lacking(planned: Planned, known: Sequence[Candidate]) -> tuple[str, ...]:
    names = {one.name for one in known}
    open_ones = sum(
        1
        for place, variant in enumerate(planned.variants)
        if variant.name not in names
        and any(cell.status not in ("finished", "diverged") for cell in planned.cells_of(place))
    )
    if open_ones:
        return (f"{open_ones} variants wait for study {planned.name}: `vitui study run {planned.name}`",)
    return () if known else (f"waits for study {planned.name}: none of its runs ended with a score",)


def _finished(planned: Planned, place: int) -> list[Cell]:
    return [cell for cell in planned.cells_of(place) if cell.status == "finished"]
