"""What a study that is not saved yet would be: its variants, the runs that fill cells already, what the rest costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.recipe import toggles
from vitui.composition import roots
from vitui.drafts.fields import form_fields
from vitui.errors import VitError
from vitui.studies.cells import fill
from vitui.studies.definition import parse
from vitui.studies.estimate import StudyEstimate, study_estimate
from vitui.studies.picking import starts
from vitui.studies.plan import Shelf, seeds_of, variants_of
from vitui.studies.variants import Planned

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.reading import Reading


@dataclass(frozen=True, slots=True)
class StudyPreview:
    """`problem`: why the text makes no study, in sentences, a line each; there is neither plan nor cost then."""

    planned: Planned | None = None
    estimate: StudyEstimate | None = None
    problem: str = ""


def preview(lab: Reading, name: str, text: str) -> StudyPreview:
    """The study that a TOML text makes. Composes every recipe, up to a few milliseconds each: call it in a thread."""
    shelf = Shelf(roots(lab.home))
    try:
        study = parse(text, name or "new")
        begun, waiting = starts(lab, study, (name,))
        variants = variants_of(study, shelf, begun, f"study {name or 'new'}")
        seeds = seeds_of(study, variants, shelf)
        db = lab.store.reading() if lab.store.exists else None
        cells = tuple(fill(db, variants, seeds, study.report.metric))
        planned = Planned(name, study, variants, seeds, cells, waiting)
        return StudyPreview(planned, study_estimate(lab, planned))
    except (VitError, ValueError) as error:
        return StudyPreview(problem=str(error))


@dataclass(frozen=True, slots=True)
class Switchable:
    """A toggle of a preset: `on` in it or not."""

    id: str
    label: str
    group: str
    on: bool


@dataclass(frozen=True, slots=True)
class Ground:
    """What a study can vary of a base: its toggles, and the names of its fields."""

    toggles: tuple[Switchable, ...] = ()
    fields: tuple[str, ...] = ()


def ground(lab: Lab, base: str, sets: Sequence[str] = ()) -> Ground:
    """Of a preset, with fields that are set in every run. Raises UsageError, RecipeError."""
    preset = Shelf(roots(lab.home)).preset(base)
    recipe = lab.compose(base, (), sets).recipe
    states = toggles.states(recipe, preset.toggles)
    known = preset.toggles
    found = (Switchable(id, known[id].label, known[id].group, bool(on)) for id, on in states.items() if on is not None)
    return Ground(tuple(found), tuple(one.key for one in form_fields(recipe)))
