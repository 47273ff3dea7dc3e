"""From a preset's name, toggles and overrides to a recipe, with everything that was changed on the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.journal import read_toml
from engine.recipe import (
    Change,
    Layer,
    Preset,
    Recipe,
    Reference,
    compose,
    diff,
    parse_set,
    presets,
    toggles,
    validate,
)
from engine.recipe.schema import flatten
from vitui.errors import UsageError

LOCAL = "local-dir:"
"""How a teacher's name begins that is a folder on disk."""


@dataclass(frozen=True)
class Composed:
    """A recipe ready to launch. `changes` are against the preset; `origins` say where each leaf's value comes from.

    `reference` and `outcome` are what is known about this recipe: a number, and a result that is none. They are the
    preset's; where changes made it another preset of the family (--toggle no-mixup on an ablation's base), that one's.
    """

    preset: str
    family: str
    recipe: Recipe
    changes: tuple[Change, ...]
    origins: dict[str, str]
    reference: Reference | None
    outcome: Reference | None

    @property
    def telling(self) -> Reference | None:
        """The one of the two that is shown beside results."""
        return telling(self.reference, self.outcome)


def telling(reference: Reference | None, outcome: Reference | None) -> Reference | None:
    """The number, unless it is about any recipe and the outcome about this very one."""
    if outcome is not None and (reference is None or (outcome.when and not reference.when)):
        return outcome
    return reference


def roots(home: Path) -> list[Path]:
    """Folders presets are looked for in: the shipped ones, then the user's own in <home>/presets."""
    own = home / "presets"
    return [presets.SHIPPED, own] if own.is_dir() else [presets.SHIPPED]


def read_recipe(path: Path) -> dict[str, Any]:
    """The tree in a run's recipe.toml or resolved.toml. Raises UsageError where it is gone or damaged."""
    try:
        return read_toml(path)
    except FileNotFoundError:
        raise UsageError(f"{path} is gone; without it the run cannot go on, launch it anew") from None
    except ValueError as error:
        raise UsageError(f"{path} is damaged ({error}); put right what was changed in it") from None


def compose_run(
    preset: str, switches: Sequence[str] = (), sets: Sequence[str] = (), *, where: Sequence[Path]
) -> Composed:
    """Preset, then overrides (``FIELD=VALUE``), then toggles (``mixup``, ``no-mixup``).

    Toggles come last and flip only what is not so already: ``--toggle mixup --set mix.mixup=0.2`` gives 0.2.
    Paths of weights and teachers become absolute, since the trainer stands elsewhere.
    Raises RecipeError for anything unknown or impossible.
    """
    return compose_preset(presets.load(preset, where), switches, sets, where=where)


Twin = Callable[[Recipe, str], Preset | None]
"""Finds the preset of a family that is this very recipe; see `engine.recipe.presets.twin`."""


def compose_preset(
    base: Preset,
    switches: Sequence[str] = (),
    sets: Sequence[str] = (),
    *,
    where: Sequence[Path],
    twin: Twin | None = None,
) -> Composed:
    """As `compose_run`, for a preset that has been read. `twin`: for whoever composes many, and keeps what was read."""
    layers = [*base.layers, *(Layer("--set", parse_set(s)) for s in sets)]
    recipe, origins = compose(layers)
    if switches:
        layers += toggles.patch(recipe, switches, base.toggles)
        recipe, origins = compose(layers)
    recipe = _anchored(recipe)
    changes = tuple(diff(base.recipe, recipe))
    find = twin or (lambda recipe, family: presets.twin(recipe, family, where))
    known = (find(recipe, base.family) if changes else None) or base
    return Composed(
        base.name, base.family, recipe, changes, origins, known.reference_for(recipe), known.outcome_for(recipe)
    )


def _anchored(recipe: Recipe) -> Recipe:
    """`recipe` with every path in it seen from here."""
    tree = recipe.model_dump(mode="json")
    places = ((tree["model"], "weights", ""), (tree["distill"], "teacher", LOCAL))
    for section, leaf, prefix in places:
        path = section[leaf].removeprefix(prefix)
        if path and section[leaf].startswith(prefix):
            section[leaf] = f"{prefix}{_absolute(path)}"
    return validate(tree) if flatten(tree) != recipe.flat() else recipe


def _absolute(path: str) -> str:
    try:
        return os.path.abspath(os.path.expanduser(path))
    except OSError:  # the current directory has been deleted
        return path
