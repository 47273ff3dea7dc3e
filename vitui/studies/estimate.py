"""What launching a study would queue, and what that costs: device hours and disk, before anything is queued."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.recipe.fingerprint import SEED
from vitui.composition import roots
from vitui.drafts.estimate import estimate
from vitui.studies.launching import lacking
from vitui.studies.plan import Shelf, composed
from vitui.studies.variants import BROKEN, MISSING, Cell, Planned

if TYPE_CHECKING:
    from vitui.composition import Composed
    from vitui.reading import Reading

_DECIDES = ("model.", "data.", "train.", "evaluate.", "distill.", "optim.name")
"""Fields that an estimate looks at, but for how much the optimiser and an average of the weights keep: variants that
differ in others cost the same."""


@dataclass(frozen=True, slots=True)
class StudyEstimate:
    """`queue` new runs, `resume` old ones, `reuse` cells that have a run. Device seconds and bytes of the new runs, as
    far as they are known: `unknown_time` and `unknown_disk` of them are not in the sums. `basis`: what it rests on."""

    queue: int
    resume: int
    reuse: int
    seconds: float | None
    disk_bytes: int | None
    unknown_time: int = 0
    unknown_disk: int = 0
    basis: str = ""
    fits: str = ""


def study_estimate(lab: Reading, planned: Planned, only: Collection[tuple[str, int]] | None = None) -> StudyEstimate:
    """The cost of what `launch_study` would queue. Composes a recipe of each variant: call it in a thread."""
    fresh, again = lacking(planned, only)
    reuse = sum(1 for cell in planned.cells if cell.status not in (MISSING, *BROKEN))
    seconds = disk = 0.0
    no_time = no_disk = 0
    basis: Counter[str] = Counter()
    fits: Counter[str] = Counter()
    for found, n in alike(lab, planned, fresh):
        one = estimate(lab, found, planned.study.device, n)
        basis[one.time_basis] += n
        if one.fits.startswith("does not fit"):
            fits[one.fits] += n
        if one.total_seconds is None:
            no_time += n
        else:
            seconds += one.total_seconds
        if one.total_disk_bytes is None:
            no_disk += n
        else:
            disk += one.total_disk_bytes
    total = len(fresh)
    return StudyEstimate(
        total, len(again), reuse,
        seconds if total > no_time or not total else None, int(disk) if total > no_disk or not total else None,
        no_time, no_disk, "; ".join(text for text, _ in basis.most_common(2)), "; ".join(fits),
    )  # fmt: skip


def alike(lab: Reading, planned: Planned, cells: Collection[Cell]) -> list[tuple[Composed, int]]:
    """The recipes of these cells, those that cost the same as one, each with the number of its runs."""
    runs = Counter(cell.variant for cell in cells)
    shelf = Shelf(roots(lab.home))
    groups: dict[str, tuple[Composed, int]] = {}
    for variant in planned.variants:
        if n := runs[variant.name]:
            found = composed(variant, shelf)
            flat = found.recipe.flat()
            told = [(name, flat[name]) for name in flat if name.startswith(_DECIDES) and name != SEED]
            key = repr((told, bool(flat.get("optim.momentum")), found.recipe.regularize.ema > 0))
            first, count = groups.get(key, (found, 0))
            groups[key] = (first, count + n)
    return list(groups.values())
