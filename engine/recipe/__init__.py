"""What to train: the recipe tree, presets, toggles, overrides. Torch-free, so that interfaces can import it."""

from engine.recipe.compose import Change, Layer, compose, diff, parse_set, validate
from engine.recipe.errors import RecipeError
from engine.recipe.presets import Preset, Reference
from engine.recipe.schema import Recipe

__all__ = [
    "Change",
    "Layer",
    "Preset",
    "Recipe",
    "RecipeError",
    "Reference",
    "compose",
    "diff",
    "parse_set",
    "validate",
]
