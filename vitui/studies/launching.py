"""Queueing what a study lacks: missing cells as new runs, those that ended without a result resumed, others kept."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitui.composition import roots
from vitui.errors import UsageError, VitError
from vitui.labels import NAME_LIMIT
from vitui.studies import opening
from vitui.studies.keeping import index
from vitui.studies.plan import Shelf, composed
from vitui.studies.variants import BROKEN, MISSING, Cell, Planned

if TYPE_CHECKING:
    from vitui.composition import Composed
    from vitui.lab import Lab


@dataclass(frozen=True, slots=True)
class StudyLaunched:
    """What was done: runs queued anew and runs resumed, by id; cells that had a run; sentences about what could not."""

    queued: tuple[str, ...]
    resumed: tuple[str, ...]
    reused: int
    refused: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


def lacking(
    planned: Planned, only: Collection[tuple[str, int]] | None = None, *, retry: bool = True
) -> tuple[list[Cell], list[Cell]]:
    """Cells to queue, each recipe and seed once, and those to resume; of `only` these (variant, seed) where given."""
    fingerprints = {one.name: one.fingerprint for one in planned.variants}
    wanted = [cell for cell in planned.cells if only is None or (cell.variant, cell.seed) in only]
    fresh: dict[tuple[str, int], Cell] = {}
    again: dict[str, Cell] = {}
    for cell in wanted:
        if cell.status == MISSING:
            fresh.setdefault((fingerprints[cell.variant], cell.seed), cell)
        elif cell.status in BROKEN and retry and cell.run is not None:
            again.setdefault(cell.run.id, cell)
    return list(fresh.values()), list(again.values())


def launch_study(
    lab: Lab,
    name: str,
    *,
    retry: bool = True,
    only: Collection[tuple[str, int]] | None = None,
    tell: Callable[[str], None] | None = None,
) -> StudyLaunched:
    """Queue every missing cell of a study, all of them or none, and resume runs that were stopped, failed or lost.

    `only`: these cells, as (variant, seed). `retry`: resume, too. A run of the same recipe and seed is never repeated,
    whoever launched it. Raises NotFound, UsageError for a study that is broken, whose presets mean something else than
    when its runs were queued, or whose runs cannot be launched here; nothing is queued then.
    """
    _adopt(lab)
    opening.check_lock(lab.home, name)
    planned = lab.planned(name)
    check_launchable(planned)
    fresh, again = lacking(planned, only, retry=retry)
    reused = sum(1 for cell in planned.cells if cell.status not in (MISSING, *BROKEN))
    shelf = Shelf(roots(lab.home))
    runs = _composed(planned, fresh, shelf)
    queued: list[str] = []
    if runs:
        # Before the first run is there, so that no crash leaves runs that nothing pins.
        undo = opening.write_lock(lab.home, name, planned.variants, shelf)
        try:
            queued = lab.launch_all(
                runs, device=planned.study.device, question=planned.study.question, tell=tell, once=True
            )
        except UsageError:  # nothing is queued then
            undo()
            raise
    index(lab, name)
    resumed, refused = [], []
    for cell in again:
        assert cell.run is not None
        try:
            lab.resume(cell.run.id)
            resumed.append(cell.run.id)
        except VitError as error:
            refused.append(f"{cell.variant}, seed {cell.seed}: {error}")
    return StudyLaunched(tuple(queued), tuple(resumed), reused, tuple(refused), planned.waiting)


def check_launchable(planned: Planned) -> None:
    """Raises UsageError for a study whose presets mean something else than when its runs were queued, with what differs
    now, and for one that waits for another with all it has."""
    name = planned.name
    if planned.changed:
        lines = "\n".join(f"  {line}" for line in planned.changed)
        raise UsageError(
            f"study {name} was queued when its presets said something else, so its runs could not be compared:\n{lines}"
            f"\nput the preset back, or plan the study anew under another name: vitui study fork {name} NEW"
        )
    if not planned.variants and planned.waiting:
        raise UsageError(f"study {name} {planned.waiting[0]}")


def _adopt(lab: Lab) -> None:
    """Take run directories into the database that a launch left behind which was killed before it wrote their rows."""
    folder = lab.home / "runs"
    if not lab.store.exists or not folder.is_dir():
        return
    known = {row[0] for row in lab.store.reading().execute("SELECT id FROM runs").fetchall()}
    if any(place.name not in known and (place / "recipe.toml").exists() for place in folder.glob("[!.]*")):
        lab.rebuild()


def _composed(planned: Planned, cells: Collection[Cell], shelf: Shelf) -> list[tuple[Composed, str]]:
    variants = {one.name: one for one in planned.variants}
    return [
        (composed(variants[cell.variant], shelf, cell.seed), _name(planned.name, cell.variant, cell.seed))
        for cell in cells
    ]


def _name(study: str, variant: str, seed: int) -> str:
    end = f" seed {seed}"
    return f"{study}: {variant}"[: NAME_LIMIT - len(end)] + end
