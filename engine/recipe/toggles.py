"""Toggles: the named switches an ablation flips, as patches on a recipe. Torch-free.

Whether a toggle is on is computed from the recipe (some field differs from its off value), never stored beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.recipe.compose import Layer, Tree, compose, get
from engine.recipe.errors import RecipeError, nearest
from engine.recipe.schema import Recipe


@dataclass(frozen=True)
class Toggle:
    """A switch. `on` holds what turning it on sets where it was off; `off` what turning it off sets (dotted keys)."""

    id: str
    label: str
    group: str
    on: Mapping[str, Any]
    off: Mapping[str, Any]
    excludes: tuple[str, ...] = field(default=())
    """Toggles that are turned off when this one is turned on."""

    def is_on(self, recipe: Recipe) -> bool | None:
        """Whether the recipe has it; None where the recipe lacks the field (Nesterov momentum with AdamW).

        A toggle with rivals shares its field with them (augment.crop is "pad" or "resized"), so for it on means its
        own value; for the others on means anything but the off value.
        """
        try:
            if self.excludes:
                return all(get(recipe, key) == value for key, value in self.on.items())
            return any(get(recipe, key) != value for key, value in self.off.items())
        except KeyError:
            return None


TOGGLES: tuple[Toggle, ...] = (
    Toggle("hflip", "Horizontal flip", "augment", {"augment.hflip": 0.5}, {"augment.hflip": 0.0}),
    Toggle("random-crop", "Random crop with padding", "augment", {"augment.crop": "pad"}, {"augment.crop": "none"},
           excludes=("random-resized-crop",)),
    Toggle("random-resized-crop", "Random resized crop", "augment", {"augment.crop": "resized"},
           {"augment.crop": "none"}, excludes=("random-crop",)),
    Toggle("randaugment", "RandAugment", "augment", {"augment.randaugment": "rand-m9-mstd0.5-inc1"},
           {"augment.randaugment": ""}),
    Toggle("erasing", "Random erasing", "augment", {"augment.erasing": 0.25}, {"augment.erasing": 0.0}),
    Toggle("mixup", "Mixup", "mix", {"mix.mixup": 0.8}, {"mix.mixup": 0.0}),
    Toggle("cutmix", "CutMix", "mix", {"mix.cutmix": 1.0}, {"mix.cutmix": 0.0}),
    Toggle("label-smoothing", "Label smoothing", "regularize", {"regularize.label_smoothing": 0.1},
           {"regularize.label_smoothing": 0.0}),
    Toggle("drop-path", "Stochastic depth", "regularize", {"regularize.drop_path": 0.1},
           {"regularize.drop_path": 0.0}),
    Toggle("dropout", "Dropout", "regularize", {"regularize.dropout": 0.1}, {"regularize.dropout": 0.0}),
    Toggle("ema", "Moving average of weights", "regularize", {"regularize.ema": 0.999}, {"regularize.ema": 0.0}),
    Toggle("weight-decay", "Weight decay", "optimise", {"optim.weight_decay": 0.05}, {"optim.weight_decay": 0.0}),
    Toggle("nesterov", "Nesterov momentum", "optimise", {"optim.nesterov": True}, {"optim.nesterov": False}),
    Toggle("clip-grad", "Gradient clipping", "optimise", {"train.clip_grad": 1.0}, {"train.clip_grad": 0.0}),
    Toggle("warmup", "Warm-up", "optimise", {"schedule.warmup_epochs": 1.0}, {"schedule.warmup_epochs": 0.0}),
    Toggle("amp", "Mixed precision", "optimise", {"train.precision": "auto"}, {"train.precision": "fp32"}),
    Toggle("pretrained", "Pretrained weights", "model", {"model.pretrained": True},
           {"model.pretrained": False, "model.weights": ""}),
    Toggle("minival", "Select on a minival split", "data", {"data.minival": 0.1},
           {"data.minival": 0.0, "evaluate.select_on": "auto"}),
)  # fmt: skip

BY_ID = {toggle.id: toggle for toggle in TOGGLES}


def parse(word: str) -> tuple[Toggle, bool]:
    """``mixup`` or ``no-mixup`` as (toggle, wanted). Raises RecipeError with the nearest spelling."""
    wanted = not word.startswith("no-")
    toggle = BY_ID.get(word if wanted else word.removeprefix("no-"))
    if toggle is None:
        spellings = [*BY_ID, *(f"no-{i}" for i in BY_ID)]
        raise RecipeError(f"unknown toggle {word}{nearest(word, spellings) or '; `vitui toggles` lists them'}")
    return toggle, wanted


def patch(recipe: Recipe, words: Sequence[str]) -> list[Layer]:
    """The layers that flip `words` on `recipe`, in order. Flipping what is already so changes nothing.

    Raises RecipeError: unknown toggle, a toggle both on and off, two that exclude each other, or one whose field this
    recipe does not have.
    """
    chosen: dict[str, bool] = {}
    layers: list[Layer] = []
    for word in words:
        toggle, wanted = parse(word)
        if chosen.get(toggle.id, wanted) != wanted:
            raise RecipeError(f"toggle {toggle.id} is asked for both on and off; keep one of the two")
        for other in toggle.excludes if wanted else ():
            if chosen.get(other):
                raise RecipeError(f"toggles {other} and {toggle.id} exclude each other; keep one of the two")
        chosen[toggle.id] = wanted
        state = toggle.is_on(recipe)
        if state is None:
            field_name = next(iter(toggle.on))
            raise RecipeError(f"toggle {word}: this recipe has no {field_name} (optim.name = {recipe.optim.name})")
        if state != wanted:
            layers.append(Layer(f"toggle {word}", _tree(toggle.on if wanted else toggle.off)))
    return layers


def on(recipe: Recipe) -> list[str]:
    """Ids of the toggles that are on in a recipe."""
    return [t.id for t in TOGGLES if t.is_on(recipe)]


def _tree(values: Mapping[str, Any]) -> Tree:
    tree: Tree = {}
    for key, value in values.items():
        *sections, leaf = key.split(".")
        node = tree
        for section in sections:
            node = node.setdefault(section, {})
        node[leaf] = value
    return tree


def apply(recipe: Recipe, words: Sequence[str]) -> Recipe:
    """`recipe` with toggles flipped. Raises RecipeError as `patch`."""
    changed, _ = compose([Layer("recipe", recipe.model_dump(mode="json")), *patch(recipe, words)])
    return changed
