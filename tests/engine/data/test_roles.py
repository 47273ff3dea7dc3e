"""What every image of a run is for: counted by hand, never twice, and refused where a split would judge itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.data.batches import EvalBatches, TrainBatches
from engine.data.build import Source, build
from engine.data.errors import DataError
from engine.data.pack import Joined, PackedDataset
from engine.data.roles import Part, Roles, assign, train_bytes
from engine.recipe import RecipeError, validate
from engine.recipe.resolve import Facts, resolve
from engine.recipe.schema import Recipe
from engine.recipe.splits import SplitRoles, split_roles, train_images

COUNTS = {"train": 100, "val": 20, "test": 30}
FIRST = {"train": 0, "val": 100, "test": 120}


def make(
    root: Path, name: str = "mine", counts: dict[str, int] = COUNTS, classes: str = "abcd", first: int = 0, side: int = 4,
    **more: Any,
) -> PackedDataset:  # fmt: skip
    """Images of side x side whose pixels are all their number in the dataset (from `first`), of classes in turn."""

    def read(split: str):
        numbers = np.arange(counts[split]) + FIRST[split] + first
        yield np.broadcast_to(numbers[:, None, None, None], (len(numbers), side, side, 1)).astype(np.uint8), numbers % 4

    if "train" not in counts:
        more = {"mean": (0.5,), "std": (0.5,), **more}
    return build(root, name, Source(name, tuple(classes), 1, (side, side), counts, read, "here", **more))


@pytest.fixture
def dataset(tmp_path: Path) -> PackedDataset:
    return make(tmp_path)


def recipe(dataset: PackedDataset | None = None, **sections: dict[str, Any]) -> Recipe:
    tree = {"data": {"dataset": "mine"}, "train": {"batch_size": 8}}
    for section, values in sections.items():
        tree[section] = tree.get(section, {}) | values
    splits = tuple(dataset.splits) if dataset else tuple(COUNTS)
    return resolve(validate(tree), Facts(image_size=4, train_bytes=1, splits=splits, free_memory=10**9))


def numbers(part: Part) -> list[int]:
    rows = np.arange(len(part.images)) if part.rows is None else part.rows
    out = np.empty((len(rows), *part.images.shape), np.uint8)
    part.images.take(rows, out)
    assert part.images.labels[rows].tolist() == [int(image[0, 0, 0]) % 4 for image in out]
    assert len(part) == len(rows)
    return out[:, 0, 0, 0].tolist()


def roles(dataset: PackedDataset, **sections: dict[str, Any]) -> Roles:
    return assign(recipe(dataset, **sections), dataset, dataset.folder.parent)


def test_val_selects_and_test_reports_where_all_three_are_there(dataset: PackedDataset) -> None:
    found = roles(dataset)
    assert (found.train.name, found.select.name, found.report.name) == ("train", "val", "test")
    assert numbers(found.train) == list(range(100)) and numbers(found.select) == list(range(100, 120))
    assert numbers(found.report) == list(range(120, 150)) and found.warnings == ()


def test_train_and_val_together(dataset: PackedDataset) -> None:
    found = roles(dataset, data={"train_split": "train+val"})
    assert numbers(found.train) == list(range(120)) and found.train.name == "train+val"
    # Nothing is left to select on but the split that is reported on, and that is the very same part.
    assert found.select is found.report and found.report.name == "test"
    held = roles(dataset, data={"train_split": "train+val", "minival": 0.2})
    assert held.select.name == "minival" and len(held.select) == 24
    assert sorted(numbers(held.train) + numbers(held.select)) == list(range(120))
    assert max(numbers(held.select)) >= 100  # of both splits


def test_a_fraction_is_taken_before_minival_and_keeps_the_classes_in_proportion(dataset: PackedDataset) -> None:
    found = roles(dataset, data={"train_fraction": 0.4, "minival": 0.25}, train={"seed": 5})
    train, minival = numbers(found.train), numbers(found.select)
    assert (len(train), len(minival)) == (30, 10) and not set(train) & set(minival)
    assert sorted(np.bincount(np.array(train + minival) % 4).tolist()) == [10, 10, 10, 10]
    assert np.ptp(np.bincount(np.array(minival) % 4)) <= 1 and max(train + minival) < 100
    assert numbers(roles(dataset, data={"train_fraction": 0.4, "minival": 0.25}, train={"seed": 5}).train) == train
    other = roles(dataset, data={"train_fraction": 0.4, "minival": 0.25}, train={"seed": 6})
    assert set(numbers(other.train) + numbers(other.select)) != set(train + minival)
    # The same fraction without minival is the same forty images.
    assert set(numbers(roles(dataset, data={"train_fraction": 0.4}, train={"seed": 5}).train)) == set(train + minival)


def test_what_is_left_to_train_on_is_known_before(dataset: PackedDataset) -> None:
    for data in ({}, {"minival": 0.13}, {"train_fraction": 0.37}, {"train_fraction": 0.37, "minival": 0.3},
                 {"train_split": "train+val", "train_fraction": 0.9, "minival": 0.07}):  # fmt: skip
        asked = recipe(dataset, data=data)
        assert train_images(asked, COUNTS) == len(assign(asked, dataset, dataset.folder.parent).train)
        assert train_bytes(asked, dataset) == 16 * train_images(asked, COUNTS)
    assert train_images(recipe(data={"train_fraction": 0.37, "minival": 0.3}), COUNTS) == 26  # 37 less 11


def test_minival_of_a_recipe_without_fraction_is_what_it_always_was(dataset: PackedDataset) -> None:
    assert numbers(roles(dataset, data={"minival": 0.06}, train={"seed": 3}).select) == MINIVAL_OF_SEED_3


@pytest.mark.parametrize(
    ("sections", "splits", "says"),
    [
        ({}, {"test": 5}, 'data.dataset = "mine" has nothing to train on, only test; it can select for another'),
        ({"data": {"train_split": "train+val"}}, {"train": 5, "test": 5}, "but mine has no val split, only train, test"),
        ({"evaluate": {"report_on": "test"}}, {"train": 5, "val": 5}, r'evaluate.report_on is "test", but mine has no'),
        ({"evaluate": {"select_on": "val"}}, {"train": 5, "test": 5}, r'evaluate.select_on is "val", but mine has no val'),
        ({}, {"train": 5}, r'evaluate.report_on is "val", but mine has no val split, only train'),
        ({"data": {"train_split": "train+val"}}, {"train": 5, "val": 5}, "trains on the val split, so evaluate.report_on"),
        (
            {"data": {"train_split": "train+val"}, "evaluate": {"select_on": "val"}}, COUNTS,
            "trains on the val split, so evaluate.select_on",
        ),
        ({"evaluate": {"select_dataset": "mine"}}, COUNTS, "is the dataset itself; use evaluate.select_on"),
    ],
)  # fmt: skip
def test_splits_that_cannot_play_their_roles(sections: dict[str, Any], splits: dict[str, int], says: str) -> None:
    raw = validate({**sections, "data": {"dataset": "mine", **sections.get("data", {})}})
    with pytest.raises(RecipeError, match=says):
        split_roles(raw, splits)


def test_roles_of_recipes_as_written() -> None:
    """`auto` still in them, as a launch is checked."""
    for sections, splits, wanted in (
        ({}, COUNTS, (("train",), "val", "test")),
        ({}, {"train": 5, "test": 5}, (("train",), "test", "test")),
        ({}, {"train": 5, "val": 5}, (("train",), "val", "val")),
        ({"data": {"minival": 0.1}}, {"train": 50, "val": 5}, (("train",), "minival", "val")),
        ({"evaluate": {"report_on": "val"}}, COUNTS, (("train",), "val", "val")),
        ({"evaluate": {"select_on": "report"}}, COUNTS, (("train",), "test", "test")),
        ({"evaluate": {"select_dataset": "v2"}}, {"train": 5, "val": 5}, (("train",), "v2", "val")),
    ):
        assert split_roles(validate(sections), splits) == SplitRoles(*wanted)


def test_another_dataset_selects(dataset: PackedDataset, tmp_path: Path) -> None:
    make(tmp_path, "second", {"test": 12}, first=50)
    found = roles(dataset, evaluate={"select_dataset": "second"})
    assert found.select.name == "second" and numbers(found.select) == list(range(170, 182))
    assert found.report.name == "test" and found.select is not found.report


def test_a_selecting_dataset_that_does_not_fit(dataset: PackedDataset, tmp_path: Path) -> None:
    make(tmp_path, "others", {"test": 4}, classes="abdc")
    make(tmp_path, "more", {"test": 4}, classes="abcde")
    make(tmp_path, "copy")
    for name, says in (
        (
            "others",
            r'has other classes than mine \(number 2 is "d", not "c"\); it must have the same in the same order',
        ),
        ("more", "has 5 classes, mine has 4"),
        ("copy", "holds the very images of mine; use evaluate.select_on"),
        ("absent", r'there is no dataset "absent"'),
    ):
        with pytest.raises(DataError, match=says):
            roles(dataset, evaluate={"select_dataset": name})


def test_parts_without_images_are_refused(dataset: PackedDataset) -> None:
    with pytest.raises(
        RecipeError, match=r"data.train_fraction = 0.004 of 100 training images is none; use at least 0.01"
    ):
        roles(dataset, data={"train_fraction": 0.004})
    with pytest.raises(RecipeError, match=r"data.minival = 0.01 of 40 training images is none; use at least 0.025"):
        roles(dataset, data={"train_fraction": 0.4, "minival": 0.01})


@pytest.mark.parametrize(
    ("before", "crop", "size", "warns"),
    [
        (500, "resized", 5, True), (500, "resized", 4, False), (500, "none", 8, False), (None, "resized", 8, False),
        (8, "resized", 8, False),
    ],
)  # fmt: skip
def test_packing_too_small_is_said(tmp_path: Path, before: int | None, crop: str, size: int, warns: bool) -> None:
    made = make(tmp_path, side=8, original_side=before)
    warnings = assign(recipe(made, augment={"crop": crop}, data={"img_size": size}), made, tmp_path).warnings
    assert len(warnings) == warns
    if warns:
        assert "shorter sides of 500 px or more, now 8)" in warnings[0] and "--size 10" in warnings[0]


@pytest.mark.parametrize("tier", ["resident", "packed"])
def test_two_splits_train_and_evaluate_as_one(dataset: PackedDataset, tier: str) -> None:
    asked = recipe(dataset, data={"train_split": "train+val", "minival": 0.1, "tier": tier}, train={"batch_size": 27})
    found = assign(asked, dataset, dataset.folder.parent)
    assert isinstance(found.train.images, Joined)
    plain = {"mean": (0.0,), "std": (1.0,), "device": torch.device("cpu")}
    batches = TrainBatches(found.train.images, found.train.rows, asked, classes=4, **plain)
    assert (batches.images, batches.steps_per_epoch) == (108, 4)
    pairs = list(batches.epoch(0))
    seen = torch.cat([torch.round(x[:, 0, 0, 0] * 255).long() for x, _ in pairs])
    assert sorted(seen.tolist()) == numbers(found.train)
    assert torch.equal(torch.cat([y for _, y in pairs]), seen % 4)
    evaluation = EvalBatches(found.select.images, found.select.rows, asked, **plain)
    shown = torch.cat([torch.round(x[:, 0, 0, 0] * 255).long() for x, _ in evaluation.batches()])
    assert shown.tolist() == numbers(found.select)


MINIVAL_OF_SEED_3 = [31, 32, 72, 93, 97, 98]
