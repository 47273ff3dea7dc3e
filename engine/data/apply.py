"""A table of numbers applied to a batch of images: crop, flip, operations, mix, normalise, erase. On any device.

Every image depends on its own row of the table alone (and, when mixed, on its partner), never on the rest of the
batch, the number of micro-batches applied together, or the device.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.data.draw import CUTMIX, MIXUP, Table
from engine.data.noise import normals
from engine.data.operations import operate
from engine.data.policy import fill
from engine.data.resample import centre_weights, crop_weights, resample, to_device, window_weights


def apply(
    images: Tensor, labels: Tensor, table: Table, *, mean: Sequence[float], std: Sequence[float], out_size: int,
    classes: int, smoothing: float = 0.0,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """uint8 [B, H, W, C] and int64 [B] -> float32 [B, C, S, S] and targets.

    Targets stay int64 [B] when the recipe mixes nothing; otherwise they are float32 [B, classes] that sum to one and
    already hold the label smoothing. `mean` and `std` are on the scale 0 to 1.
    """
    x = _geometry(images, table, out_size)
    if table.op is not None and table.arg is not None:
        colour = fill(table.augment, tuple(mean))
        x = operate(x, table.op, table.arg, fill=colour, cubic=table.op_cubic, cutout=table.cutout)
    if table.extra_op is not None and table.extra_arg is not None:
        x = operate(x, table.extra_op, table.extra_arg, fill=[0] * x.shape[1])
    if table.mix is None:
        return _erase(normalize(x, mean, std), table), labels
    if table.augment.order == "mix-erase":
        # On levels 0 to 255 and, in timm's collate, rounded to whole ones; never on normalised values cast to uint8.
        x = _erase(normalize(_mix(x.float(), table, rounded=table.pairing == "timm"), mean, std), table)
    else:
        x = _mix(_erase(normalize(x, mean, std), table), table, rounded=False)
    return x, _soft(labels, table, classes, smoothing)


def normalize(x: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Levels 0 to 255 [B, C, H, W], uint8 or float, -> float32 with `mean` subtracted and divided by `std`."""
    shift = torch.tensor([255 * m for m in mean], dtype=torch.float32)[:, None, None]
    factor = torch.tensor([1 / (255 * s) for s in std], dtype=torch.float32)[:, None, None]
    shift, factor = shift.to(x.device, non_blocking=True), factor.to(x.device, non_blocking=True)
    return x.to(torch.float32, copy=True).sub_(shift).mul_(factor)


def _geometry(images: Tensor, table: Table, side: int) -> Tensor:
    """Crop, resize and flip: uint8 [B, H, W, C] -> uint8 [B, C, side, side], a tensor of its own."""
    height, width = images.shape[1:3]
    device, how = images.device, table.augment
    if how.crop == "resized" and table.crop is not None and table.cubic is not None:
        top, left, h, w = table.crop.T
        wy = crop_weights(top, h, table.cubic, table.vflip, height, side, device)
        return resample(images, wy, crop_weights(left, w, table.cubic, table.flip, width, side, device))
    if how.crop == "larger" and table.crop is not None and table.cubic is not None:
        weights = window_weights((height, width), how.resize, side, table.crop[:, :2], table.cubic, device)
        x = resample(images, *weights)
    elif table.cubic is not None:
        pairs = [centre_weights((height, width), side, side, cubic, device) for cubic in (False, True)]
        index = to_device(table.cubic.astype(np.int64), device)
        x = resample(images, *(torch.stack([pairs[0][axis], pairs[1][axis]])[index] for axis in (0, 1)))
    else:
        x = images.permute(0, 3, 1, 2).contiguous()
        if how.crop == "larger" and table.crop is not None:
            x = _cut(x, table.crop, side)
    if how.crop == "pad" and table.crop is not None:
        x = _cut(_pad(x, how.pad, how.pad_mode), table.crop, side)
    elif x.data_ptr() == images.data_ptr():
        x = x.clone()  # one channel: the permutation was no copy
    for mirrored, axis in ((table.flip, 3), (table.vflip, 2)):
        if mirrored is not None:
            rows = to_device(np.flatnonzero(mirrored), device)
            x[rows] = x[rows].flip(axis)
    return x


def _pad(x: Tensor, pad: int, mode: str) -> Tensor:
    if mode != "reflect":
        return F.pad(x, (pad, pad, pad, pad))
    # Reflection can be no wider than the picture; what is left over repeats the same mirror.
    side = x.shape[2]
    at = torch.arange(-pad, side + pad, device=x.device)
    at = (at.abs() % (2 * side - 2)) if side > 1 else at * 0
    at = torch.minimum(at, 2 * side - 2 - at) if side > 1 else at
    return x[:, :, at][:, :, :, at]


def _cut(x: Tensor, crop: np.ndarray, side: int) -> Tensor:
    """The square of `side` px at each image's own corner `crop` [B, 4]."""
    windows = x.unfold(2, side, 1).unfold(3, side, 1)
    top, left = to_device(crop[:, 0], x.device), to_device(crop[:, 1], x.device)
    rows = torch.arange(len(x), device=x.device)
    return windows[rows, :, top, left].contiguous()


def _mix(x: Tensor, table: Table, rounded: bool) -> Tensor:
    """Blend each image with its partner in its micro-batch. float [B, C, S, S] -> the same."""
    assert table.mix is not None and table.lam is not None and table.box is not None
    parts = x.view(table.parts, -1, *x.shape[1:])
    if (table.mix == MIXUP).any():
        lam = np.where(table.mix == MIXUP, table.lam, 1.0)
        own = to_device(lam.astype(np.float32), x.device).view(-1, 1, 1, 1, 1)
        other = to_device((1 - lam).astype(np.float32), x.device).view(-1, 1, 1, 1, 1)
        parts = parts * own + _partners(parts, table) * other
        if rounded:
            parts.round_()
    if (table.mix == CUTMIX).any():
        box = np.where((table.mix == CUTMIX)[:, None], table.box, 0)
        parts = torch.where(_inside(box, x.shape[-1], x.device)[:, None], _partners(parts, table), parts)
    return parts.reshape(x.shape)


def _partners(parts: Tensor, table: Table) -> Tensor:
    """[parts, B, ...]: the images (or targets) that those of each micro-batch are mixed with."""
    return parts.roll(1, 1) if table.pairing == "big-vision" else parts.flip(1)


def _inside(box: np.ndarray, side: int, device: torch.device) -> Tensor:
    """bool [K, 1, side, side]: where a box (top, bottom, left, right) is."""
    at = torch.arange(side, device=device)
    top, bottom, left, right = to_device(box, device).view(-1, 4, 1).unbind(1)
    rows, columns = (at >= top) & (at < bottom), (at >= left) & (at < right)
    return (rows[:, :, None] & columns[:, None, :])[:, None]


def _erase(x: Tensor, table: Table) -> Tensor:
    """Fill rectangles of normalised images [B, C, S, S] in place."""
    if table.erase is None or table.noise is None:
        return x
    rows = np.flatnonzero(table.erase[:, 2])
    if not len(rows):
        return x
    index = to_device(rows, x.device)
    top, left, h, w = table.erase[rows].T
    mask = _inside(np.stack([top, top + h, left, left + w], 1), x.shape[-1], x.device)
    chosen = x[index]
    if table.augment.erasing_mode == "const":
        x[index] = chosen.masked_fill_(mask, 0.0)
        return x
    keys = to_device(table.noise[rows].view(np.int32), x.device)
    count = chosen[0].numel() if table.augment.erasing_mode == "pixel" else x.shape[1]
    noise = normals(keys, count).view(len(rows), x.shape[1], *(x.shape[2:] if count > x.shape[1] else (1, 1)))
    x[index] = torch.where(mask, noise, chosen)
    return x


def _soft(labels: Tensor, table: Table, classes: int, smoothing: float) -> Tensor:
    """Targets of mixed images, float32 [B, classes]; smoothing is put in here and nowhere else."""
    assert table.lam is not None
    off = smoothing / classes
    one = torch.full((len(labels), classes), off, device=labels.device)
    one.scatter_(1, labels[:, None], 1 - smoothing + off)
    parts = one.view(table.parts, -1, classes)
    lam = to_device(table.lam.astype(np.float32), labels.device).view(-1, 1, 1)
    return (parts * lam + _partners(parts, table) * (1 - lam)).view(len(labels), classes)
