"""Variants, the cells they have with seeds, and a planned study: plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from engine.recipe import Reference
    from vitui.store import Run
    from vitui.studies.definition import Study

MISSING: Final = "missing"
STATUSES: Final = ("finished", "diverged", "running", "starting", "queued", "stopped", "failed", "lost", MISSING)
"""What a cell can be: the state of the run that fills it, or missing."""
RESULTS: Final = frozenset({"finished", "diverged"})
"""A divergence is a result, too."""
BROKEN: Final = frozenset({"stopped", "failed", "lost"})
"""Ended without a result, and can go on."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One recipe of a study, with all seeds: a row of its table."""

    name: str
    label: str
    preset: str
    toggles: tuple[str, ...]
    sets: tuple[str, ...]
    """Words of --set, the study's own [set] among them."""
    levels: Mapping[str, str]
    """Axis -> level, empty outside a grid."""
    fingerprint: str
    """See engine.recipe.fingerprint."""
    model: str
    references: tuple[Reference, ...] = ()
    """What others reported for this very recipe (as it is without the study's own [set]), in the order of its file."""
    sampled: Mapping[str, Any] = field(default_factory=dict)
    """Fields that a random search drew."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A variant with one seed. Values are of the report's metric on the split that reports; None: not measured.

    `value` is of the weights that the selecting split picked, `last` of those of the last epoch; `text` is what a table
    shows. `more`: other runs of the same recipe and seed, which do not count.
    """

    variant: str
    seed: int
    status: str
    run: Run | None = None
    value: float | None = None
    last: float | None = None
    text: str = "–"
    more: int = 0


@dataclass(frozen=True, slots=True)
class Planned:
    """A study with its variants and the runs there are. Cells: variant by variant, each with every seed in order."""

    name: str
    study: Study
    variants: tuple[Variant, ...]
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...]
    waiting: tuple[str, ...] = ()
    """Sentences about variants that cannot be made yet."""
    changed: tuple[str, ...] = ()
    """What is different, in presets or in what toggles mean, from when its runs were queued; shown is what was then."""

    @property
    def counts(self) -> Counter[str]:
        """Cells by status."""
        return Counter(cell.status for cell in self.cells)

    @property
    def baseline(self) -> int:
        """Place of the variant that differences are to; 0 where the study names none."""
        names = [variant.name for variant in self.variants]
        return names.index(self.study.baseline) if self.study.baseline in names else 0

    def against(self, baseline: str) -> Planned:
        """The same with differences to another variant."""
        return replace(self, study=self.study.model_copy(update={"baseline": baseline}))

    def cells_of(self, place: int) -> tuple[Cell, ...]:
        """The cells of the variant at a place."""
        return self.cells[place * len(self.seeds) : (place + 1) * len(self.seeds)]
