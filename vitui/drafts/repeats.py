"""Runs that a launch would only repeat: the same recipe with the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vitui.store import LIVE, WAITING

if TYPE_CHECKING:
    from engine.recipe import Recipe
    from vitui.reading import Reading
    from vitui.store import Run


def repeats(lab: Reading, recipe: Recipe, seeds: Sequence[int] = ()) -> list[Run]:
    """Runs that wait, train or have finished with this very recipe and one of the seeds, the newest first.

    `seeds`: empty: the recipe's own.
    """
    from vitui.store import runs
    from vitui.store.speeds import same_recipe

    if not lab.store.exists:
        return []
    db, flat = lab.store.reading(), recipe.flat()
    found = [
        run
        for seed in seeds or (recipe.train.seed,)
        for run_id in same_recipe(db, {**flat, "train.seed": seed})
        if (run := runs.get(db, run_id)) is not None and run.state in {*LIVE, *WAITING, "finished"}
    ]
    return sorted(found, key=lambda run: (run.created, run.id), reverse=True)
