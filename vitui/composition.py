"""From a preset's name, toggles and overrides to a recipe, with everything that was changed on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.journal import read_toml
from engine.recipe import Change, Layer, Preset, Recipe, Reference, compose, diff, parse_set, presets, toggles
from vitui.errors import UsageError


@dataclass(frozen=True)
class Composed:
    """A recipe ready to launch. `changes` are against the preset; `origins` say where each leaf's value comes from."""

    preset: str
    family: str
    recipe: Recipe
    changes: tuple[Change, ...]
    origins: dict[str, str]
    reference: Reference | None


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
    Raises RecipeError for anything unknown or impossible.
    """
    base: Preset = presets.load(preset, where)
    layers = [*base.layers, *(Layer("--set", parse_set(s)) for s in sets)]
    recipe, origins = compose(layers)
    if switches:
        layers += toggles.patch(recipe, switches)
        recipe, origins = compose(layers)
    changes = tuple(diff(base.recipe, recipe))
    return Composed(base.name, base.family, recipe, changes, origins, base.reference)
