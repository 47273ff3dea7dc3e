"""Which split of a dataset trains, selects and reports, and how many images are left to train on. Torch-free.

Here so that a launch is refused, and its length known, by the rules the trainer follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.recipe.errors import RecipeError
from engine.recipe.resolve import judging
from engine.recipe.schema import Recipe


@dataclass(frozen=True)
class SplitRoles:
    """Names of splits by what they are for."""

    train: tuple[str, ...]
    """Splits trained on: train, or train and val."""
    select: str
    """What picks the best checkpoint: a split, "minival", or the name of another dataset."""
    report: str
    """The split the result is reported on."""


def split_roles(recipe: Recipe, splits: Mapping[str, int]) -> SplitRoles:
    """The roles of `splits` (name -> number of images) of data.dataset. `recipe` may have "auto" left.

    Raises RecipeError for a split that is asked for and not there, for one that is trained on and judges as well, and
    for a part of the training images that has none.
    """
    name, have = recipe.data.dataset, ", ".join(splits)
    if not splits.get("train"):
        raise RecipeError(
            f'data.dataset = "{name}" has nothing to train on, only {have}; '
            f"it can select for another dataset: evaluate.select_dataset={name}"
        )
    train = tuple(recipe.data.train_split.split("+"))
    if "val" in train and "val" not in splits:
        raise RecipeError(f'data.train_split = "train+val", but {name} has no val split, only {have}; use "train"')
    select, report = judging(recipe, splits)
    select = report if select == "report" else select
    for field, split in (("report_on", report), ("select_on", select)):
        if split != "minival" and split not in splits:
            raise RecipeError(f'evaluate.{field} is "{split}", but {name} has no {split} split, only {have}')
        if split in train:
            raise RecipeError(
                f'data.train_split = "{recipe.data.train_split}" trains on the {split} split, so evaluate.{field} '
                f'cannot be "{split}"; use data.train_split = "train" or another split to judge on'
            )
    other = recipe.evaluate.select_dataset
    if other == name:
        raise RecipeError(f'evaluate.select_dataset = "{other}" is the dataset itself; use evaluate.select_on')
    _check_parts(recipe, splits)
    return SplitRoles(train, other or select, report)


def _check_parts(recipe: Recipe, splits: Mapping[str, int]) -> None:
    images = sum(splits[split] for split in recipe.data.train_split.split("+"))
    left = fraction_images(recipe, splits)
    for field, share, of, count in (
        ("train_fraction", recipe.data.train_fraction, images, left),
        ("minival", recipe.data.minival, left, minival_images(recipe, splits)),
    ):
        if share and not count:
            raise RecipeError(f"data.{field} = {share:g} of {of} training images is none; use at least {1 / of:.2g}")


def fraction_images(recipe: Recipe, splits: Mapping[str, int]) -> int:
    """Images of the training splits that data.train_fraction leaves, minival among them."""
    images = sum(splits.get(split, 0) for split in recipe.data.train_split.split("+"))
    return round(images * recipe.data.train_fraction)


def minival_images(recipe: Recipe, splits: Mapping[str, int]) -> int:
    """Images that data.minival holds out of those."""
    return round(fraction_images(recipe, splits) * recipe.data.minival)


def train_images(recipe: Recipe, splits: Mapping[str, int]) -> int:
    """Images trained on: what data.train_fraction leaves, less minival."""
    return fraction_images(recipe, splits) - minival_images(recipe, splits)
