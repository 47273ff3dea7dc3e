"""Batches: the same from any starting point and any tier; evaluation sees every image once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from timm.data.distributed_sampler import RepeatAugSampler

from engine.data.batches import EvalBatches, TrainBatches
from engine.data.build import Source, build
from engine.data.errors import DataError
from engine.data.pack import PackedDataset
from engine.data.roles import minival_split
from engine.data.split import permutation
from engine.recipe import RecipeError, validate
from engine.recipe.schema import Recipe

CPU = torch.device("cpu")
STATISTICS = {"mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}
AUGMENT = {
    "hflip": 0.5,
    "crop": "resized",
    "interpolation": "random",
    "randaugment": "rand-m9-mstd0.5-inc1",
    "erasing": 0.3,
}
MIX = {"mixup": 0.8, "cutmix": 1.0}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> PackedDataset:
    """100 training and 37 validation pictures of 16x16; the first pixel of picture n is n, so that each can be told."""
    from tests.engine.data.conftest import crops

    images, labels = crops(16, 137), np.arange(137) % 5
    images[:, 0, 0] = np.arange(137)[:, None]

    def read(split: str):
        rows = slice(0, 100) if split == "train" else slice(100, 137)
        yield images[rows], labels[rows]

    source = Source("t", tuple("abcde"), 3, (16, 16), {"train": 100, "val": 37}, read, "here")
    return build(tmp_path_factory.mktemp("data"), "mine", source)


def recipe(
    augment: dict[str, Any] | None = None,
    mix: dict[str, Any] | None = None,
    tier: str = "resident",
    img_size: int = 16,
    **train: Any,
) -> Recipe:
    return validate(
        {
            "data": {"tier": tier, "img_size": img_size, "normalize": "dataset"},
            "augment": augment or {},
            "mix": mix or {},
            "regularize": {"label_smoothing": 0.1},
            "train": {"batch_size": 12, "seed": 3} | train,
            "evaluate": {"crop_pct": 1.0, "interpolation": "bicubic", "batch_size": 10},
        }
    )


def batches(dataset: PackedDataset, r: Recipe, indices=None) -> TrainBatches:
    return TrainBatches(dataset.split("train"), indices, r, **STATISTICS, classes=5, device=CPU)


def numbers(x: torch.Tensor) -> list[int]:
    return torch.round((x[:, 0, 0, 0] * 0.25 + 0.5) * 255).int().tolist()


def test_an_epoch_shows_each_image_at_most_once_in_another_order_each_time(dataset: PackedDataset) -> None:
    made = batches(dataset, recipe())
    assert (made.steps_per_epoch, made.images) == (8, 100)
    epochs = []
    for epoch in range(3):
        pairs = list(made.epoch(epoch))
        assert [len(x) for x, _ in pairs] == [12] * 8  # the last four images are left out
        seen = [n for x, _ in pairs for n in numbers(x)]
        assert len(set(seen)) == 96 and set(seen) <= set(range(100))
        assert torch.cat([y for _, y in pairs]).tolist() == [n % 5 for n in seen]
        epochs.append(seen)
    assert epochs[0] != epochs[1] and set(epochs[0]) != set(epochs[1])


@pytest.mark.parametrize("tier", ["resident", "packed"])
@pytest.mark.parametrize("accumulate", [1, 3])
def test_starting_inside_an_epoch_gives_the_batches_of_a_straight_run(
    dataset: PackedDataset, tier: str, accumulate: int
) -> None:
    r = recipe(AUGMENT, MIX, tier, batch_size=12, grad_accum_steps=accumulate)
    straight = list(batches(dataset, r).epoch(4))
    assert len(straight) == 8 * accumulate and straight[0][0].shape == (12 // accumulate, 3, 16, 16)
    assert straight[0][1].shape == (12 // accumulate, 5) and straight[0][1].dtype == torch.float32
    for start in (0, 3, 7, 8):
        resumed = list(batches(dataset, r).epoch(4, start_step=start))
        assert len(resumed) == (8 - start) * accumulate
        for (x, y), (x2, y2) in zip(straight[start * accumulate :], resumed, strict=True):
            assert torch.equal(x, x2) and torch.equal(y, y2)


def test_both_tiers_give_the_same_bits(dataset: PackedDataset) -> None:
    chosen = np.arange(1, 99, 2)
    resident = batches(dataset, recipe(AUGMENT, MIX), chosen).epoch(1)
    packed = batches(dataset, recipe(AUGMENT, MIX, "packed"), chosen).epoch(1)
    for (x, y), (x2, y2) in zip(resident, packed, strict=True):
        assert torch.equal(x, x2) and torch.equal(y, y2)


def test_another_seed_is_another_order_and_another_augmentation(dataset: PackedDataset) -> None:
    first, second = (next(iter(batches(dataset, recipe(seed=s)).epoch(0))) for s in (3, 4))
    assert numbers(first[0]) != numbers(second[0])


def test_steps_applied_together_equal_steps_applied_alone(
    dataset: PackedDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    r = recipe(AUGMENT, MIX, grad_accum_steps=2)
    alone = list(batches(dataset, r).epoch(2, start_step=1))
    made = batches(dataset, r)
    monkeypatch.setattr(made, "_chunk_steps", lambda: 3)  # as on a GPU
    together = list(made.epoch(2, start_step=1))
    assert len(alone) == len(together) == 14
    for (x, y), (x2, y2) in zip(alone, together, strict=True):
        assert torch.equal(x, x2) and torch.equal(y, y2)


def test_images_are_resized_to_what_the_model_sees(dataset: PackedDataset) -> None:
    for augment in ({}, {"crop": "pad", "hflip": 0.5}, {"crop": "resized"}, {"crop": "larger", "resize": 30}):
        x, y = next(iter(batches(dataset, recipe(augment, img_size=24)).epoch(0)))
        assert x.shape == (12, 3, 24, 24) and x.dtype == torch.float32 and y.dtype == torch.int64


@pytest.mark.parametrize(("repeats", "batch", "parts"), [(3, 24, 1), (3, 24, 4), (2, 10, 1), (5, 12, 2)])
def test_repeated_augmentation_shows_what_timms_sampler_shows(
    dataset: PackedDataset, repeats: int, batch: int, parts: int
) -> None:
    made = batches(dataset, recipe({"repeats": repeats}, batch_size=batch, grad_accum_steps=parts))
    assert made.steps_per_epoch == 100 // batch
    pairs = list(made.epoch(1))
    seen = [n for x, _ in pairs for n in numbers(x)]
    order = permutation(3, 1, 100)
    for step in range(made.steps_per_epoch):
        # timm's RepeatAugSampler with `repeats` GPUs: each takes every so-many-th of the repeated order.
        sampler = [RepeatAugSampler(order, repeats, rank, False, repeats, 0) for rank in range(repeats)]
        theirs = np.stack([order[list(s)] for s in sampler], 1).ravel()[step * batch : (step + 1) * batch]
        assert sorted(seen[step * batch : (step + 1) * batch]) == sorted(theirs)
    counts = np.bincount(seen)
    assert counts[counts > 0].max() == repeats and (counts == repeats).sum() >= len(seen) // repeats - 1
    if parts > repeats:  # copies of an image are in different micro-batches
        assert all(len(set(numbers(x))) == len(x) for x, _ in pairs)
    assert torch.cat([y for _, y in pairs]).tolist() == [n % 5 for n in seen]


def test_repeated_images_are_changed_differently_and_resume_exactly(dataset: PackedDataset) -> None:
    r = recipe({"repeats": 3, "crop": "resized", "randaugment": "rand-m9-mstd0.5-inc1"})
    straight = list(batches(dataset, r).epoch(0))
    assert len({image.numpy().tobytes() for x, _ in straight for image in x}) > 0.9 * 96
    for (x, y), (x2, y2) in zip(straight[5:], batches(dataset, r).epoch(0, start_step=5), strict=True):
        assert torch.equal(x, x2) and torch.equal(y, y2)


def test_augmentation_and_mixing_end_at_their_epochs(dataset: PackedDataset) -> None:
    made = batches(dataset, recipe(AUGMENT | {"off_epoch": 3}, MIX | {"off_epoch": 2}))
    first = [next(iter(made.epoch(epoch))) for epoch in range(5)]
    assert [y.dtype for _, y in first] == [torch.float32] * 2 + [torch.int64] * 3
    for epoch, (x, y) in enumerate(first[2:], 2):
        order = permutation(3, epoch, 100)[:12]
        assert y.tolist() == [n % 5 for n in order]
        assert (numbers(x) == order.tolist()) == (epoch >= 3)
    plain = next(iter(batches(dataset, recipe()).epoch(4)))
    assert torch.equal(first[4][0], plain[0]) and torch.equal(first[4][1], plain[1])


def test_nothing_is_repeated_once_augmentation_has_ended(dataset: PackedDataset) -> None:
    made = batches(dataset, recipe({"repeats": 3, "hflip": 0.5, "off_epoch": 1}))
    repeated, plain = ([n for x, _ in made.epoch(epoch) for n in numbers(x)] for epoch in (0, 1))
    assert len(set(plain)) == len(plain) == 96 > len(set(repeated))
    assert plain == [n for x, _ in batches(dataset, recipe()).epoch(1) for n in numbers(x)]


def test_erase_mix_blends_unrounded_levels_after_augmentation_has_ended_too(dataset: PackedDataset) -> None:
    augment = {"erasing": 0.5, "order": "erase-mix", "off_epoch": 1}
    levels = [
        (x * 0.25 + 0.5) * 255
        for x, _ in batches(dataset, recipe(augment, {"mixup": 0.8, "cutmix": 0.0})).epoch(1)
    ]  # fmt: skip
    # DeiT's own loop mixes floats; rounded to whole levels it would be timm's collate.
    assert max(float((x - x.round()).abs().max()) for x in levels) > 0.4


def test_leaving_an_epoch_early_does_not_hang(dataset: PackedDataset) -> None:
    made = batches(dataset, recipe(tier="packed"))
    iterator = made.epoch(0)
    next(iterator)
    iterator.close()
    assert len(list(made.epoch(0))) == 8


def test_a_batch_that_is_too_large_is_refused(dataset: PackedDataset) -> None:
    with pytest.raises(
        DataError, match=r"train.batch_size = 128 is more than the 100 training images; set it to 100 or less"
    ):
        batches(dataset, recipe(batch_size=128))


def test_a_wrong_randaugment_string_is_refused_before_training(dataset: PackedDataset) -> None:
    with pytest.raises(RecipeError, match=r'augment.randaugment: "tweights" in "rand-m9-tweights"'):
        batches(dataset, recipe({"randaugment": "rand-m9-tweights"}))
    with pytest.raises(RecipeError, match=r"augment.resize = 14 is less than data.img_size = 16.*set it to 16 or more"):
        batches(dataset, recipe({"crop": "larger", "resize": 14}))


@pytest.mark.parametrize("tier", ["resident", "packed"])
@pytest.mark.parametrize(("img_size", "crop_pct"), [(16, 1.0), (12, 0.75), (20, 1.0)])
def test_evaluation_sees_every_image_once_in_order_and_the_same_each_time(
    dataset: PackedDataset, tier: str, img_size: int, crop_pct: float
) -> None:
    r = recipe(tier=tier, img_size=img_size)
    r = r.model_copy(update={"evaluate": r.evaluate.model_copy(update={"crop_pct": crop_pct})})
    made = EvalBatches(dataset.split("val"), None, r, **STATISTICS, device=CPU)
    first, second = list(made.batches()), list(made.batches())
    assert made.images == 37 and [len(x) for x, _ in first] == [10, 10, 10, 7]
    assert torch.cat([y for _, y in first]).tolist() == [n % 5 for n in range(100, 137)]
    for (x, y), (x2, y2) in zip(first, second, strict=True):
        assert torch.equal(x, x2) and torch.equal(y, y2) and x.shape[1:] == (3, img_size, img_size)
    if img_size == 16:
        assert [n for x, _ in first for n in numbers(x)] == list(range(100, 137))
    else:
        assert len({bytes(i.numpy()) for x, _ in first for i in x}) == 37


def test_evaluating_chosen_images(dataset: PackedDataset) -> None:
    made = EvalBatches(dataset.split("train"), np.array([5, 7, 50]), recipe(), **STATISTICS, device=CPU)
    assert [n for x, _ in made.batches() for n in numbers(x)] == [5, 7, 50]
    with pytest.raises(DataError, match="no image"):
        EvalBatches(dataset.split("train"), np.array([], np.int64), recipe(), **STATISTICS, device=CPU)


def test_minival() -> None:
    labels = np.arange(1000) % 7
    train, minival = minival_split(labels, 100, seed=3)
    assert sorted([*train, *minival]) == list(range(1000)) and len(minival) == 100
    assert np.ptp(np.bincount(labels[minival])) <= 1
    assert np.array_equal(minival, minival_split(labels, 100, seed=3)[1])
    assert not np.array_equal(minival, minival_split(labels, 100, seed=4)[1])
    everything, none = minival_split(labels, 0, seed=3)
    assert len(everything) == 1000 and len(none) == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("tier", ["resident", "packed"])
@pytest.mark.parametrize(
    "augment",
    [
        AUGMENT,
        {"crop": "larger", "resize": 20, "randaugment": "tf-n2-m5", "vflip": 0.5, "repeats": 3},
        {"autoaugment": "3a", "color_jitter": 0.4, "color_jitter_hue": 0.2, "rotation": 10.0, "sharpness": 0.5},
        {"autoaugment": "svhn", "grayscale": 0.2, "equalize": 0.5},
    ],
)
def test_a_gpu_gives_what_the_cpu_gives(dataset: PackedDataset, tier: str, augment: dict[str, Any]) -> None:
    r = recipe(augment, MIX, tier, grad_accum_steps=2)
    on_cpu = batches(dataset, r).epoch(0)
    made = TrainBatches(dataset.split("train"), None, r, **STATISTICS, classes=5, device=torch.device("cuda"))
    for (x, y), (x2, y2) in zip(on_cpu, made.epoch(0), strict=True):
        # Levels are equal to the bit; noise goes through the device's own logarithm and cosine.
        assert torch.allclose(x, x2.cpu(), atol=1e-4) and torch.allclose(y, y2.cpu(), atol=1e-6)
    both = [
        EvalBatches(dataset.split("val"), None, recipe(tier=tier, img_size=20), **STATISTICS, device=torch.device(d))
        for d in ("cpu", "cuda")
    ]
    for (x, y), (x2, y2) in zip(*(made.batches() for made in both), strict=True):
        assert torch.allclose(x, x2.cpu(), atol=1e-5) and torch.equal(y, y2.cpu())
