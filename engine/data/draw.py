"""Everything random about a training step, drawn on the host as a table of numbers.

A table is a function of (seed, epoch, step) and the recipe alone: not of the device, the number of workers or what
was drawn before. Each kind of change has a random stream of its own, so that turning one off leaves the others
as they were. Distributions are those of timm, torchvision or big_vision, number for number.

An image goes through crop, horizontal and vertical flip, RandAugment or AutoAugment, color jitter, sharpening,
equalisation, loss of colour and rotation, in this order (see `engine.data.color` for its sources); then batches are
mixed, normalised and erased.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.data.color import draw_color
from engine.data.policy import draw_autoaugment, draw_randaugment
from engine.data.split import permutation
from engine.data.streams import Purpose, streams
from engine.recipe.schema import Augment, Mix

__all__ = ["Table", "draw", "permutation"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_ATTEMPTS = 10
_ERASE_LOG_ASPECT = (math.log(0.3), math.log(1 / 0.3))

NO_MIX, MIXUP, CUTMIX = 0, 1, 2


@dataclass(frozen=True)
class Table:
    """Parameters of `samples` images and of the `parts` micro-batches they form. None: that change is off."""

    samples: int
    parts: int
    augment: Augment
    """What is not random: kind of crop, padding, fill, order."""
    crop: Ints | None = None
    """[B, 4] top, left, height, width: in source px for "resized", in px of the padded image for "pad", of the resized
    image for "larger"."""
    flip: Flags | None = None
    """[B] left and right exchanged"""
    vflip: Flags | None = None
    """[B] top and bottom exchanged"""
    cubic: Flags | None = None
    """[B] bicubic rather than bilinear resampling of the crop; None: nothing is resampled."""
    op: Ints | None = None
    """[B, layers] RandAugment's or AutoAugment's operations, numbered as in engine.data.randaugment; -1: none."""
    arg: Floats | None = None
    """[B, layers] see randaugment.arguments."""
    op_cubic: Flags | None = None
    """[B, layers] bicubic rather than bilinear sampling of rotations, shears and translations; None: nearest pixel."""
    cutout: Ints | None = None
    """[B, layers, 2] row and column of the middle of a Cutout in px."""
    extra_op: Ints | None = None
    """[B, layers] color jitter, sharpening, equalisation, loss of colour and rotation: operations as above."""
    extra_arg: Floats | None = None
    """[B, layers]"""
    erase: Ints | None = None
    """[B, 4] top, left, height, width in output px; height 0 where nothing is erased."""
    noise: npt.NDArray[np.uint32] | None = None
    """[B, 2] keys of the noise that fills erased rectangles."""
    mix: Ints | None = None
    """[parts] NO_MIX, MIXUP or CUTMIX. None where the recipe mixes nothing: targets are then class numbers."""
    lam: Floats | None = None
    """[parts] weight of the image itself; its partner has 1 - lam. For CutMix corrected to the clipped box."""
    box: Ints | None = None
    """[parts, 4] top, bottom, left, right of the CutMix box in output px."""
    pairing: str | None = None
    """The recipe's mix.pairing: who is mixed with whom."""

    def part(self, start: int, stop: int) -> Table:
        """The table of micro-batches `start` to `stop`."""
        size = self.samples // self.parts
        rows, parts = slice(start * size, stop * size), slice(start, stop)
        changed: dict[str, Any] = {n: value[rows] for n in _PER_SAMPLE if (value := getattr(self, n)) is not None}
        changed |= {name: value[parts] for name in _PER_PART if (value := getattr(self, name)) is not None}
        return replace(self, samples=(stop - start) * size, parts=stop - start, **changed)

    @staticmethod
    def concatenate(tables: list[Table]) -> Table:
        """Tables of one recipe, one after the other, so that they can be applied in one go."""
        first = tables[0]
        if len(tables) == 1:
            return first
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(t, name) for t in tables])
            for name in (*_PER_SAMPLE, *_PER_PART)
            if getattr(first, name) is not None
        }
        return replace(first, samples=sum(t.samples for t in tables), parts=sum(t.parts for t in tables), **joined)


_PER_SAMPLE = (
    "crop", "flip", "vflip", "cubic", "op", "arg", "op_cubic", "cutout", "extra_op", "extra_arg", "erase", "noise",
)  # fmt: skip
_PER_PART = ("mix", "lam", "box")


def draw(
    augment: Augment, mix: Mix, *, seed: int, epoch: int, step: int, batch: int, parts: int = 1,
    in_size: tuple[int, int], out_size: int,
) -> Table:  # fmt: skip
    """The table of optimiser step `step` (counted inside its epoch): `batch` images in `parts` equal micro-batches.

    `in_size` is height and width of the packed images, `out_size` the side the model sees, in px. From
    `augment.off_epoch` on images are only resized, from `mix.off_epoch` on nothing is mixed. Raises ValueError for a
    RandAugment string that cannot be parsed.
    """
    augment = at_epoch(augment, epoch)
    if mix.off_epoch and epoch >= mix.off_epoch:
        mix = Mix()
    stream = streams(seed, epoch, step)
    fields: dict[str, Any] = {}
    if augment.crop == "resized":
        fields["crop"] = _resized(stream(Purpose.CROP), batch, in_size, augment.scale, augment.ratio)
    elif augment.crop == "pad" and augment.pad:
        fields["crop"] = _window(stream(Purpose.CROP), batch, (out_size + 2 * augment.pad,) * 2, out_size)
    elif augment.crop == "larger":
        fields["crop"] = _window(stream(Purpose.CROP), batch, shorter_side_to(augment.resize, in_size), out_size)
    if _resamples(augment, in_size, out_size):
        if augment.interpolation == "random":
            fields["cubic"] = stream(Purpose.INTERPOLATION).random(batch) < 0.5
        else:
            fields["cubic"] = np.full(batch, augment.interpolation == "bicubic")
    if augment.hflip:
        fields["flip"] = stream(Purpose.FLIP).random(batch) < augment.hflip
    if augment.vflip:
        fields["vflip"] = stream(Purpose.VFLIP).random(batch) < augment.vflip
    if augment.randaugment:
        fields |= draw_randaugment(stream(Purpose.RANDAUGMENT), batch, augment, out_size)
    elif augment.autoaugment:
        fields |= draw_autoaugment(stream(Purpose.AUTOAUGMENT), batch, augment, out_size)
    if (extra := draw_color(stream, batch, augment)) is not None:
        fields["extra_op"], fields["extra_arg"] = extra
    if augment.erasing:
        fields |= _erase(stream(Purpose.ERASE), batch, out_size, augment)
    if mix.mixup or mix.cutmix:
        fields |= _mix(stream(Purpose.MIX), parts, out_size, mix)
    return Table(batch, parts, augment, **fields)


def at_epoch(augment: Augment, epoch: int) -> Augment:
    """`augment` itself, or from its off_epoch on no change but the resizing, and every image once.

    Then bilinear where the filter was random, as timm does without augmentation.
    """
    if not augment.off_epoch or epoch < augment.off_epoch:
        return augment
    interpolation = "bilinear" if augment.interpolation == "random" else augment.interpolation
    return Augment(interpolation=interpolation, order=augment.order)


def shorter_side_to(short: int, size: tuple[int, int]) -> tuple[int, int]:
    """Height and width after the shorter side became `short` px, rounded as torchvision's Resize does."""
    return (short, int(short * size[1] / size[0])) if size[0] <= size[1] else (int(short * size[0] / size[1]), short)


def _resamples(augment: Augment, in_size: tuple[int, int], out_size: int) -> bool:
    if augment.crop == "larger":
        return min(in_size) != augment.resize
    return augment.crop == "resized" or in_size != (out_size, out_size)


def _window(rng: np.random.Generator, n: int, size: tuple[int, int], side: int) -> Ints:
    """A square of `side` px at a uniformly random place inside images of `size`."""
    free = np.array([size[0] - side + 1, size[1] - side + 1])
    corner = np.floor(rng.random((n, 2)) * free).astype(np.int64)
    return np.concatenate([corner, np.full((n, 2), side, np.int64)], 1)


def _first_valid(valid: Flags) -> tuple[Ints, Flags]:
    """For each row of attempts: the first valid one, and whether there is any."""
    return np.argmax(valid, 1), np.asarray(valid.any(1))


def _resized(
    rng: np.random.Generator, n: int, size: tuple[int, int], scale: tuple[float, float], ratio: tuple[float, float]
) -> Ints:
    """Random resized crop: ten attempts at area and aspect, then the largest centre crop of allowed aspect."""
    height, width = size
    area = (scale[0] + (scale[1] - scale[0]) * rng.random((n, _ATTEMPTS))) * (height * width)
    low, high = math.log(ratio[0]), math.log(ratio[1])
    aspect = np.exp(low + (high - low) * rng.random((n, _ATTEMPTS)))
    w, h = np.rint(np.sqrt(area * aspect)), np.rint(np.sqrt(area / aspect))
    # A crop without a pixel can come up in tiny images; PIL cannot resize it, so it does not count as an attempt.
    first, found = _first_valid((w <= width) & (h <= height) & (w >= 1) & (h >= 1))
    rows = np.arange(n)
    w, h = w[rows, first], h[rows, first]
    corner = rng.random((n, 2))
    top, left = np.floor(corner[:, 0] * (height - h + 1)), np.floor(corner[:, 1] * (width - w + 1))
    fh, fw = height, width
    if width / height < ratio[0]:
        fh = min(height, max(1, round(width / ratio[0])))
    elif width / height > ratio[1]:
        fw = min(width, max(1, round(height * ratio[1])))
    fallback = np.array([(height - fh) // 2, (width - fw) // 2, fh, fw])
    return np.where(found[:, None], np.stack([top, left, h, w], 1), fallback).astype(np.int64)


def _erase(rng: np.random.Generator, n: int, side: int, augment: Augment) -> dict[str, Any]:
    """One rectangle in an image with probability `erasing`: ten attempts at area and aspect, then none."""
    chosen = rng.random(n) < augment.erasing
    low, high = augment.erasing_area
    area = (low + (high - low) * rng.random((n, _ATTEMPTS))) * (side * side)
    log_low, log_high = _ERASE_LOG_ASPECT
    aspect = np.exp(log_low + (log_high - log_low) * rng.random((n, _ATTEMPTS)))
    h, w = np.rint(np.sqrt(area * aspect)), np.rint(np.sqrt(area / aspect))
    first, found = _first_valid((w < side) & (h < side))
    rows = np.arange(n)
    w, h = w[rows, first], h[rows, first]
    corner = rng.random((n, 2))
    box = np.stack([np.floor(corner[:, 0] * (side - h + 1)), np.floor(corner[:, 1] * (side - w + 1)), h, w], 1)
    return {
        "erase": np.where((chosen & found)[:, None], box, 0).astype(np.int64),
        "noise": rng.integers(0, 2**32, (n, 2), np.uint32),
    }


def _mix(rng: np.random.Generator, parts: int, side: int, mix: Mix) -> dict[str, Any]:
    """One kind and one lambda a micro-batch, as timm's batch mode; one for all of them as in big_vision.

    big_vision (utils.get_mixup) makes lambda the larger of itself and 1 - lambda.
    """
    draws = 1 if mix.pairing == "big-vision" else parts
    active, coin, centre = rng.random(draws) < mix.prob, rng.random(draws), rng.random((draws, 2))
    cut = coin < mix.switch_prob if mix.mixup and mix.cutmix else np.full(draws, mix.cutmix > 0)
    lam_mix = rng.beta(mix.mixup, mix.mixup, draws) if mix.mixup else np.ones(draws)
    lam_cut = rng.beta(mix.cutmix, mix.cutmix, draws) if mix.cutmix else np.ones(draws)
    if mix.pairing == "big-vision":
        lam_mix, lam_cut = np.maximum(lam_mix, 1 - lam_mix), np.maximum(lam_cut, 1 - lam_cut)
    length = np.floor(side * np.sqrt(1 - lam_cut)).astype(np.int64)
    middle = np.floor(centre * side).astype(np.int64)
    start = np.clip(middle - (length // 2)[:, None], 0, side)
    stop = np.clip(middle + ((length + 1) // 2)[:, None], 0, side)
    box = np.stack([start[:, 0], stop[:, 0], start[:, 1], stop[:, 1]], 1)
    lam_box = 1 - (box[:, 1] - box[:, 0]) * (box[:, 3] - box[:, 2]) / (side * side)
    repeat = parts // draws
    return {
        "mix": np.repeat(np.where(active, np.where(cut, CUTMIX, MIXUP), NO_MIX), repeat),
        "lam": np.repeat(np.where(active, np.where(cut, lam_box, lam_mix), 1.0), repeat),
        "box": np.repeat(np.where((active & cut)[:, None], box, 0), repeat, 0),
        "pairing": mix.pairing,
    }
