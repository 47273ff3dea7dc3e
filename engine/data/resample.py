"""Pillow's resampling as matrix products: the same weights, the same rounding, for a whole batch on any device.

Pillow works in integers with weights of 22 fractional bits. Products and sums of those are exact in float64 in any
order, so the result is Pillow's to the bit, and depends on neither device nor batch.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_FIXED_POINT = 1 << 22
# Matrices of every possible crop are kept when they take no more than this; up to about 32 px they do.
_BANK_BYTES = 64 << 20


def to_device(array: npt.NDArray[np.generic], device: torch.device) -> Tensor:
    """A host array on `device`, without making the host wait for a GPU."""
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def resample(images: Tensor, wy: Tensor, wx: Tensor) -> Tensor:
    """uint8 [B, H, W, C] -> uint8 [B, C, S, S'] by float64 weights wy [B or 1, S, H] and wx [B or 1, S', W].

    Along rows first, then along columns, rounded to uint8 in between, as Pillow does. (Since version 13 Pillow swaps
    the two where that is less work, which can move a level; here the order is that of all versions before.)
    """
    b, h, w, c = images.shape
    x = images.permute(0, 1, 3, 2).contiguous().double().view(b, h * c, w)
    x = _round(torch.matmul(x, wx.transpose(1, 2)))
    x = _round(torch.matmul(wy, x.view(b, h, c * wx.shape[1])))
    return x.view(b, wy.shape[1], c, wx.shape[1]).permute(0, 2, 1, 3).to(torch.uint8).contiguous()


def _round(x: Tensor) -> Tensor:
    return x.add_(0.5).floor_().clamp_(0, 255)


def weights(start: Tensor, length: Tensor, cubic: Tensor, in_size: int, out_size: int) -> Tensor:
    """float64 [K, out, in]: resampling of [start, start + length) of a line of `in_size` pixels to `out_size`.

    `start` and `length` int64 [K] in px, `cubic` bool [K]: bicubic (a = -0.5), else bilinear; both widen when
    shrinking. What lies outside the interval is not looked at, as if it had been cut out before.
    """
    low, size = start.double()[:, None, None], length.double()[:, None, None]
    scale = size / out_size
    spread = scale.clamp(min=1.0)
    support = spread * torch.where(cubic[:, None, None], 2.0, 1.0)
    out = torch.arange(out_size, dtype=torch.float64, device=start.device)[None, :, None]
    x = torch.arange(in_size, dtype=torch.float64, device=start.device)[None, None, :] - low
    centre = (out + 0.5) * scale
    first, last = (centre - support + 0.5).trunc().clamp(min=0), (centre + support + 0.5).trunc()
    at = ((x - centre + 0.5) * (1.0 / spread)).abs()
    near = ((-0.5 + 2.0) * at - (-0.5 + 3.0)) * at * at + 1
    far = (((at - 5) * at + 8) * at - 4) * -0.5
    zero = torch.zeros((), dtype=torch.float64, device=start.device)
    bicubic = torch.where(at < 1, near, torch.where(at < 2, far, zero))
    w = torch.where(cubic[:, None, None], bicubic, (1 - at).clamp(min=0))
    w = torch.where((x >= first) & (x < torch.minimum(last, size)), w, zero)
    w = w / w.sum(2, keepdim=True) * _FIXED_POINT
    # Half away from zero, as Pillow's cast does.
    return torch.where(w < 0, (w - 0.5).ceil(), (w + 0.5).floor()) / _FIXED_POINT


def crop_weights(
    start: Ints, length: Ints, cubic: Flags, flip: Flags | None, in_size: int, out_size: int, device: torch.device
) -> Tensor:
    """`weights` for crops given as host arrays [B]; where `flip`, the output is mirrored."""
    mirrored = np.zeros(len(start), np.bool_) if flip is None else flip
    crops = in_size * (in_size + 1) // 2
    if crops * 4 * in_size * out_size * 8 <= _BANK_BYTES:
        # Crops are numbered by start, then by length.
        number = start * in_size - start * (start - 1) // 2 + length - 1
        return _bank(in_size, out_size, device)[to_device((number * 2 + cubic) * 2 + mirrored, device)]
    w = weights(to_device(start, device), to_device(length, device), to_device(cubic, device), in_size, out_size)
    return w if flip is None else torch.where(to_device(flip, device)[:, None, None], w.flip(1), w)


@lru_cache(maxsize=8)
def _bank(in_size: int, out_size: int, device: torch.device) -> Tensor:
    """Every crop of a line, bilinear and bicubic, plain and mirrored: float64 [crops * 4, out, in]."""
    start = np.repeat(np.arange(in_size), np.arange(in_size, 0, -1))
    length = np.concatenate([np.arange(1, in_size - s + 1) for s in range(in_size)])
    each = [np.repeat(start, 2), np.repeat(length, 2), np.tile([False, True], len(start))]
    first, size, cubic = (torch.from_numpy(a) for a in each)
    w = weights(first, size, cubic, in_size, out_size)
    return torch.stack([w, w.flip(1)], 1).flatten(0, 1).to(device)


@lru_cache(maxsize=32)
def centre_weights(
    in_size: tuple[int, int], resize: int, out_size: int, cubic: bool, device: torch.device
) -> tuple[Tensor, Tensor]:
    """(wy [out, H], wx [out, W]) of: resize the shorter side to `resize`, cut out the centre `out_size` square.

    The rounding is torchvision's, which timm's evaluation uses. `out_size` must not be more than `resize`.
    """
    short = min(in_size)
    out = []
    for side in in_size:
        full = resize if side == short else int(resize * side / short)
        first = round((full - out_size) / 2.0)
        line = torch.tensor([0]), torch.tensor([side]), torch.tensor([cubic])
        out.append(weights(*line, side, full)[0, first : first + out_size].contiguous().to(device))
    return out[0], out[1]


def window_weights(
    in_size: tuple[int, int], resize: int, side: int, corner: Ints, cubic: Flags, device: torch.device
) -> tuple[Tensor, Tensor]:
    """(wy [B, side, H], wx [B, side, W]) of: resize the shorter side to `resize`, cut out a square of `side` px.

    `corner` [B, 2] is its top and left in px of the resized image, `cubic` [B] the filter of each image.
    """
    out = []
    for axis, length in enumerate(in_size):
        lines = _whole_weights(length, min(in_size), resize, device)
        rows = to_device(corner[:, axis, None] + np.arange(side), device)
        out.append(lines[to_device(cubic.astype(np.int64), device)[:, None], rows])
    return out[0], out[1]


@lru_cache(maxsize=8)
def _whole_weights(length: int, short: int, resize: int, device: torch.device) -> Tensor:
    """float64 [2, resized, length], bilinear and bicubic: a line of an image whose shorter side becomes `resize`."""
    full = resize if length == short else int(resize * length / short)
    start, size = torch.zeros(2, dtype=torch.int64), torch.full((2,), length)
    return weights(start, size, torch.tensor([False, True]), length, full).to(device)


def resize_and_crop(images: Tensor, resize: int, out_size: int, cubic: bool) -> Tensor:
    """uint8 [B, H, W, C] -> uint8 [B, C, out, out] as `centre_weights` says; no arithmetic where nothing changes."""
    size = (images.shape[1], images.shape[2])
    if size == (out_size, out_size) and resize == out_size:
        return images.permute(0, 3, 1, 2).contiguous()
    wy, wx = centre_weights(size, resize, out_size, cubic, images.device)
    return resample(images, wy[None], wx[None])
