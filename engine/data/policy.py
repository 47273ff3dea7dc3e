"""What RandAugment and AutoAugment do to each image, drawn: operations and arguments, layer by layer."""

from __future__ import annotations

import math
from typing import TypedDict

import numpy as np

from engine.data import randaugment as ra
from engine.data.policies import POLICIES
from engine.recipe.randaugment import RandAugment, parse
from engine.recipe.schema import Augment

# torchvision's AutoAugment divides its ranges into ten levels where its RandAugment has 31.
_AUTOAUGMENT_BINS = 10
_TORCHVISION_POLICIES = ("imagenet", "cifar10", "svhn")
# timm's policy 3a (DeiT III, Touvron et al., 2022): threshold of Solarize, range of the blur's radius in px.
_THREE_SOLARIZE, _THREE_BLUR = 128.0, (0.1, 2.0)


class Layers(TypedDict, total=False):
    """Columns of a table; see `engine.data.draw.Table`."""

    op: ra.Ints
    arg: ra.Floats
    op_cubic: ra.Flags
    cutout: ra.Ints


def fill(augment: Augment, mean: tuple[float, ...]) -> list[int]:
    """Levels of what a policy's rotations, shears and translations bring in from outside, one for each channel.

    timm's take `mean` (scale 0 to 1), torchvision's black, TensorFlow's 128.
    """
    if augment.autoaugment in _TORCHVISION_POLICIES or augment.randaugment.startswith("tv"):
        return [0] * len(mean)
    if augment.randaugment.startswith("tf"):
        return [128] * len(mean)
    return [min(255, round(255 * m)) for m in mean]


def draw_randaugment(rng: np.random.Generator, n: int, augment: Augment, side: int) -> Layers:
    """RandAugment for `n` images of `side` px, by the string of the recipe. Raises ValueError for a wrong string."""
    how = parse(augment.randaugment)
    if how.family == "rand":
        return _timm(rng, n, augment, how)
    shape = (n, how.layers)
    if how.family == "tv":
        op = ra.TORCHVISION[np.floor(rng.random(shape) * len(ra.TORCHVISION)).astype(np.int64)]
        level = np.full(shape, int(how.magnitude))
        negative = rng.random(shape) < 0.5
        return {"op": op, "arg": ra.torchvision_arguments(op, level, ra.TORCHVISION_BINS, negative, side)}
    op = ra.TENSORFLOW[np.floor(rng.random(shape) * len(ra.TENSORFLOW)).astype(np.int64)]
    arg = ra.tensorflow_arguments(op, how.magnitude, rng.random(shape) < 0.5, side)
    return {"op": op, "arg": arg, "cutout": np.floor(rng.random((*shape, 2)) * side).astype(np.int64)}


def _timm(rng: np.random.Generator, n: int, augment: Augment, how: RandAugment) -> Layers:
    shape = (n, how.layers)
    op = np.floor(rng.random(shape) * len(ra.OPS)).astype(np.int64)
    applied = rng.random(shape) < how.prob
    if math.isinf(how.std):
        magnitude = rng.random(shape) * how.magnitude
    else:
        magnitude = how.magnitude + how.std * rng.standard_normal(shape)
    magnitude = np.clip(magnitude, 0.0, how.maximum)
    negative, coin = rng.random(shape) < 0.5, rng.random(shape) < 0.5
    arg = ra.arguments(op, magnitude, negative, how.increasing)
    return {"op": np.where(applied, op, ra.NONE), "arg": arg, "op_cubic": _filter(coin, augment)}


def _filter(coin: ra.Flags, augment: Augment) -> ra.Flags:
    """timm's: the loader's filter, or a fair coin for each operation."""
    return coin if augment.interpolation == "random" else np.full(coin.shape, augment.interpolation == "bicubic")


def draw_autoaugment(rng: np.random.Generator, n: int, augment: Augment, side: int) -> Layers:
    """AutoAugment for `n` images of `side` px: one of a policy's pairs, each half of it with its own probability."""
    name = augment.autoaugment
    if name == "3a":
        return _three_augment(rng, n)
    posterize = {"v0r": "increasing", "originalr": "increasing", "original": "original"}.get(name, "")
    rows = POLICIES[{"v0r": "v0", "original": "imagenet", "originalr": "imagenet"}.get(name, name)]
    table = np.array(rows, np.float64)[np.floor(rng.random(n) * len(rows)).astype(np.int64)]
    op, prob, level = table[..., 0].astype(np.int64), table[..., 1], table[..., 2]
    applied, negative, coin = rng.random((3, n, 2))
    chosen = np.where(applied < prob, op, ra.NONE)
    if name in _TORCHVISION_POLICIES:
        at = level.astype(np.int64)
        return {"op": chosen, "arg": ra.torchvision_arguments(op, at, _AUTOAUGMENT_BINS, negative < 0.5, side)}
    arg = ra.arguments(op, level, negative < 0.5, increasing=False)
    if posterize:
        # timm's PosterizeOriginal keeps 4 to 8 bits, PosterizeIncreasing 4 to 0.
        arg = np.where(op == ra.POSTERIZE, arg + 4 if posterize == "original" else 4 - arg, arg)
    return {"op": chosen, "arg": arg, "op_cubic": _filter(coin < 0.5, augment)}


def _three_augment(rng: np.random.Generator, n: int) -> Layers:
    choice, radius = np.floor(rng.random((n, 1)) * 3).astype(np.int64), rng.random((n, 1))
    low, high = _THREE_BLUR
    # Colour taken away altogether is grey.
    args = (np.full((n, 1), _THREE_SOLARIZE), np.zeros((n, 1)), low + (high - low) * radius)
    return {"op": np.array([ra.SOLARIZE, ra.COLOR, ra.BLUR])[choice], "arg": np.choose(choice, args)}
