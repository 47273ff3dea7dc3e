"""From a draft to runs in the queue: one for each seed, all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vitui.drafts.draft import Draft
from vitui.drafts.ground import compose_draft, ground

if TYPE_CHECKING:
    from vitui.composition import Composed
    from vitui.lab import Lab


def runs_of(lab: Lab, draft: Draft) -> list[tuple[Composed, str]]:
    """The recipe and the name of each run of a draft; names end in the seed where there are several.

    Raises RecipeError, UsageError for a draft that makes no recipe.
    """
    preset = ground(lab, draft)
    name = draft.name or preset.name
    if not draft.seeds:
        return [(compose_draft(lab, draft, preset), name)]
    each = [compose_draft(lab, replace(draft, seeds=(seed,)), preset) for seed in draft.seeds]
    return list(zip(each, seeded(name, draft.seeds), strict=True))


def seeded(name: str, seeds: Sequence[int]) -> list[str]:
    """The name of each run: as it is for one, ending in the seed for several."""
    return [f"{name} seed {seed}" for seed in seeds] if len(seeds) > 1 else [name]


def launch(lab: Lab, draft: Draft, tell: Callable[[str], None] | None = None) -> list[str]:
    """Queue a draft; returns the run ids in the order of the seeds. `tell` hears what is waited for.

    Raises RecipeError, and UsageError and VitError as `Lab.launch`; nothing is queued then.
    """
    return lab.launch_all(
        runs_of(lab, draft), device=draft.device, tags=draft.tags, notes=draft.notes, question=draft.question, tell=tell
    )
