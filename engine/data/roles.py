"""Images by what they are for: to train on, to pick the best checkpoint by, to report the result on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.data.errors import DataError
from engine.data.pack import Joined, PackedDataset, Split
from engine.data.split import Indices, stratified
from engine.recipe.schema import Recipe
from engine.recipe.splits import fraction_images, minival_images, split_roles, train_images

# Which draw of engine.data.split.stratified is for what.
_MINIVAL, _FRACTION = 0, 1


@dataclass(frozen=True)
class Part:
    """Some images of one or more splits. `rows`: which, ascending; None: all."""

    name: str
    images: Split | Joined
    rows: Indices | None = None

    def __len__(self) -> int:
        return len(self.images) if self.rows is None else len(self.rows)


@dataclass(frozen=True)
class Roles:
    """What every image of a run is for. `select` is `report` where a result is selected on what it is reported on."""

    train: Part
    select: Part
    report: Part
    warnings: tuple[str, ...] = ()
    """What the user should know, one sentence each."""


def assign(recipe: Recipe, dataset: PackedDataset, root: Path) -> Roles:
    """The roles that `recipe` (resolved) gives to the images of `dataset`, and of evaluate.select_dataset in `root`.

    First data.train_fraction is taken of the training images, then data.minival of those; both of every class in
    proportion, by train.seed. Raises RecipeError for a split that is not there or both trains and judges and for a part
    without images, DataError for a selecting dataset that is missing or has other classes.
    """
    counts = {name: len(split) for name, split in dataset.splits.items()}
    names = split_roles(recipe, counts)
    images = _joined(dataset, names.train)
    rows = np.arange(len(images))
    if recipe.data.train_fraction < 1:
        rows = stratified(images.labels, fraction_images(recipe, counts), recipe.train.seed, draw=_FRACTION)
    train, minival = minival_split(images.labels[rows], minival_images(recipe, counts), recipe.train.seed)
    report = Part(names.report, dataset.split(names.report))
    if recipe.evaluate.select_dataset:
        select = _other(recipe.evaluate.select_dataset, dataset, root)
    elif names.select == "minival":
        select = Part("minival", images, rows[minival])
    else:
        select = report if names.select == names.report else Part(names.select, dataset.split(names.select))
    trained = Part("+".join(names.train), images, None if len(train) == len(images) else rows[train])
    return Roles(trained, select, report, _warnings(recipe, dataset))


def minival_split(labels: Indices, count: int, seed: int) -> tuple[Indices, Indices]:
    """Indices to train on and `count` to select on (both ascending), every class in proportion.

    Depends on its arguments alone.
    """
    chosen = stratified(labels, count, seed, draw=_MINIVAL)
    return np.setdiff1d(np.arange(len(labels)), chosen), chosen


def train_bytes(recipe: Recipe, dataset: PackedDataset) -> int:
    """Bytes of the packed images that `recipe` trains on. Raises RecipeError as `assign`."""
    counts = {name: len(split) for name, split in dataset.splits.items()}
    split_roles(recipe, counts)
    height, width = dataset.size
    return train_images(recipe, counts) * height * width * dataset.channels


def _joined(dataset: PackedDataset, names: tuple[str, ...]) -> Split | Joined:
    splits = [dataset.split(name) for name in names]
    return splits[0] if len(splits) == 1 else Joined.of(splits)


def _other(name: str, dataset: PackedDataset, root: Path) -> Part:
    """The report split of another dataset, whose pictures may have another size but must be of the same classes."""
    other = PackedDataset.open(root / name)
    what = f'evaluate.select_dataset = "{name}"'
    if other.fingerprint == dataset.fingerprint:
        raise DataError(f"{what} holds the very images of {dataset.name}; use evaluate.select_on")
    if other.classes != dataset.classes:
        at = next((n for n, (a, b) in enumerate(zip(other.classes, dataset.classes, strict=False)) if a != b), -1)
        how = f"{len(other.classes)} classes, {dataset.name} has {len(dataset.classes)}"
        if at >= 0:
            how = (
                f'other classes than {dataset.name} (number {at} is "{other.classes[at]}", not "{dataset.classes[at]}")'
            )
        raise DataError(f"{what} has {how}; it must have the same in the same order")
    if other.channels != dataset.channels:
        raise DataError(f"{what} has {other.channels} channels a picture, {dataset.name} has {dataset.channels}")
    return Part(name, other.split(other.report_split))


def _warnings(recipe: Recipe, dataset: PackedDataset) -> tuple[str, ...]:
    side, before, wanted = min(dataset.size), dataset.original_side, recipe.data.img_size
    assert isinstance(wanted, int)
    if recipe.augment.crop != "resized" or before is None or before <= side or 2 * wanted <= side:
        return ()
    return (
        f"the pictures of {dataset.name} were made smaller when they were packed (half of them had shorter sides of "
        f'{before} px or more, now {side}), and augment.crop = "resized" enlarges parts of them to {wanted} px; '
        f"they would be sharper packed at {2 * wanted}: vitui data add NAME --from PATH --size {2 * wanted}",
    )
