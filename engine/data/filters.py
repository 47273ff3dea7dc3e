"""Pillow's filters on uint8 [B, C, S, S] images: blending, sharpening, Gaussian blur."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.data.randaugment import Floats
from engine.data.resample import to_device

_FIXED_POINT = 1 << 24
_PASSES = 3


def blend(first: Tensor, second: Tensor, factor: Tensor) -> Tensor:
    """Pillow's blend in float32: factor 0 gives `first`, 1 `second`, beyond that extrapolates; uint8, truncated."""
    return (first + factor * (second - first)).clamp(0, 255).to(torch.uint8)


def sharpen(x: Tensor, factor: Tensor) -> Tensor:
    """ImageEnhance.Sharpness: 0 smooths, 1 leaves alone, more sharpens; `factor` float32 [B, 1, 1, 1]."""
    smooth = x.float()
    if min(x.shape[2:]) >= 3:
        i = x.int()
        rows = i[:, :, :-2] + i[:, :, 1:-1] + i[:, :, 2:]
        total = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:] + 4 * i[:, :, 1:-1, 1:-1]
        # Pillow leaves the outermost pixels as they are.
        smooth[:, :, 1:-1, 1:-1] = torch.div(2 * total + 13, 26, rounding_mode="floor").float()
    return blend(smooth, x.float(), factor)


def blur(x: Tensor, radius: Floats) -> Tensor:
    """ImageFilter.GaussianBlur of `radius` [B] px, each above 0 and at most 2.

    Pillow's approximation (BoxBlur.c, after Gwosdek et al., 2011): three boxes with soft edges along rows, then three
    along columns, in integers of 24 fractional bits.
    """
    inner, middle, outer = (to_device(w.astype(np.int32), x.device)[:, None, None, None] for w in _box(radius))
    levels = x.int()
    for axis in (3, 2):
        for _ in range(_PASSES):
            length = levels.shape[axis]
            ends = (levels.narrow(axis, 0, 1), levels.narrow(axis, length - 1, 1))
            wide = torch.cat([ends[0], ends[0], levels, ends[1], ends[1]], axis)
            total = levels * inner
            total += (wide.narrow(axis, 1, length) + wide.narrow(axis, 3, length)) * middle
            total += (wide.narrow(axis, 0, length) + wide.narrow(axis, 4, length)) * outer
            # The sum needs all of 32 bits: as in Pillow's unsigned numbers the top 8 are the level, whatever the sign.
            levels = total.add_(_FIXED_POINT // 2).bitwise_right_shift_(24).bitwise_and_(255)
    return levels.to(torch.uint8)


def _box(radius: Floats) -> tuple[Floats, Floats, Floats]:
    """Weights of a pixel, its neighbours and theirs, times 2**24, for each radius; in float32 where Pillow's C is."""
    one, two = np.float32(1), np.float32(2)
    r = radius.astype(np.float32)
    variance = r * r / np.float32(_PASSES)
    length = np.sqrt(12.0 * variance.astype(np.float64) + 1.0).astype(np.float32)
    whole = np.floor((length.astype(np.float64) - 1.0) / 2.0).astype(np.float32)
    part = (two * whole + one) * (whole * (whole + one) - np.float32(3) * variance)
    part = part / (np.float32(6) * (variance - (whole + one) * (whole + one)))
    size = (whole + part) * two + one
    full = np.floor((np.float32(_FIXED_POINT) / size).astype(np.float64))
    soft = np.floor((_FIXED_POINT - (2 * whole + 1) * full) / 2)
    narrow = whole == 0
    return full, np.where(narrow, soft, full), np.where(narrow, 0.0, soft)
