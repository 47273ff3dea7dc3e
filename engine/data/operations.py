"""RandAugment's operations on batches of uint8 [B, C, S, S] images, each with its own argument, in Pillow's arithmetic.

Images of one channel are treated as Pillow treats grey ones: Color changes nothing, the others work on that channel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.data import randaugment as ra
from engine.data.resample import to_device

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_LEVELS = np.arange(256)
_TABLES = (
    ra.AUTOCONTRAST, ra.EQUALIZE, ra.INVERT, ra.POSTERIZE, ra.SOLARIZE, ra.SOLARIZE_ADD, ra.CONTRAST, ra.BRIGHTNESS,
)  # fmt: skip


def randaugment(images: Tensor, op: Ints, arg: Floats, cubic: Flags, mean: Sequence[float]) -> Tensor:
    """Apply the layers of `op` [B, layers] (-1: none) one after the other; `images` is changed and returned.

    `mean` (scale 0 to 1) colours what rotations, shears and translations bring in from outside.
    """
    fill = [min(255, round(255 * m)) for m in mean]
    for layer in range(op.shape[1]):
        ops, args, cubics = op[:, layer], arg[:, layer], cubic[:, layer]
        for members, function in _GROUPS:
            rows = np.flatnonzero(np.isin(ops, members))
            if len(rows):
                index = to_device(rows, images.device)
                images[index] = function(images[index], ops[rows], args[rows], cubics[rows], fill)
    return images


def _by_table(x: Tensor, op: Ints, arg: Floats, _cubic: Flags, _fill: list[int]) -> Tensor:
    """Everything that maps a level to a level: one 256-entry table for each image and channel."""
    n, c = x.shape[:2]
    lut = to_device(_fixed_tables(op, arg), x.device)[:, None].repeat(1, c, 1)
    for member, make in ((ra.AUTOCONTRAST, _autocontrast), (ra.EQUALIZE, _equalize), (ra.CONTRAST, _contrast)):
        rows = np.flatnonzero(op == member)
        if len(rows):
            index = to_device(rows, x.device)
            lut[index] = make(x[index], to_device(arg[rows].astype(np.float32), x.device))
    return lut.gather(2, x.view(n, c, -1).long()).view_as(x)


def _fixed_tables(op: Ints, arg: Floats) -> npt.NDArray[np.uint8]:
    """Tables [n, 256] of the operations that do not look at the image; the identity for those that do."""
    out = np.tile(_LEVELS.astype(np.uint8), (len(op), 1))
    for row, (member, value) in enumerate(zip(op.tolist(), arg.tolist(), strict=True)):
        if member == ra.INVERT:
            out[row] = 255 - _LEVELS
        elif member == ra.POSTERIZE:
            # 0 bits is black here; Pillow 13 raises.
            out[row] = _LEVELS & ~((1 << (8 - min(8, int(value)))) - 1) & 255
        elif member == ra.SOLARIZE:
            out[row] = np.where(value > _LEVELS, _LEVELS, 255 - _LEVELS)
        elif member == ra.SOLARIZE_ADD:
            out[row] = np.where(_LEVELS < 128, np.minimum(255, _LEVELS + int(value)), _LEVELS)
        elif member == ra.BRIGHTNESS:
            out[row] = np.clip(np.float32(value) * _LEVELS.astype(np.float32), 0, 255).astype(np.uint8)
    return out


def _levels(like: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.arange(256, dtype=dtype, device=like.device)


def _autocontrast(x: Tensor, _arg: Tensor) -> Tensor:
    low, high = (v.double()[..., None] for v in torch.aminmax(x.flatten(2), dim=2))
    levels = _levels(x, torch.float64)
    # Not "255.0 /": torch multiplies by the reciprocal then, which rounds differently.
    scale = torch.full_like(low, 255.0) / (high - low).clamp(min=1)
    stretched = (levels * scale + -low * scale).trunc().clamp(0, 255)
    return torch.where(high > low, stretched, levels).to(torch.uint8)


def _equalize(x: Tensor, _arg: Tensor) -> Tensor:
    n, c = x.shape[:2]
    rows = torch.arange(n * c, device=x.device)[:, None] * 256
    at = (x.view(n * c, -1) + rows).flatten()
    # Not bincount: it makes the host wait for a GPU.
    histogram = torch.zeros(n * c * 256, dtype=torch.int32, device=x.device)
    histogram = histogram.scatter_add_(0, at, torch.ones_like(at, dtype=torch.int32)).view(n, c, 256).long()
    levels = _levels(x, torch.int64)
    brightest = torch.where(histogram > 0, levels, -1).amax(2, keepdim=True)
    total = histogram.sum(2, keepdim=True)
    step = torch.div(total - histogram.gather(2, brightest), 255, rounding_mode="floor")
    before = histogram.cumsum(2) - histogram
    safe = step.clamp(min=1)
    spread = torch.div(torch.div(safe, 2, rounding_mode="floor") + before, safe, rounding_mode="floor").clamp(max=255)
    return torch.where(step > 0, spread, levels).to(torch.uint8)


def _contrast(x: Tensor, factor: Tensor) -> Tensor:
    grey = _luma(x).flatten(1)
    count = grey.shape[1]
    mean = torch.div(2 * grey.sum(1) + count, 2 * count, rounding_mode="floor").float()[:, None, None]
    mixed = _blend(mean, _levels(x, torch.float32), factor[:, None, None])
    return mixed.expand(-1, x.shape[1], -1)


def _luma(x: Tensor) -> Tensor:
    """Pillow's L of an RGB image, int64 [n, S, S]."""
    if x.shape[1] == 1:
        return x[:, 0].long()
    r, g, b = x.long().unbind(1)
    return (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16


def _blend(first: Tensor, second: Tensor, factor: Tensor) -> Tensor:
    """Pillow's blend in float32: factor 0 gives `first`, 1 `second`, beyond that extrapolates; uint8, truncated."""
    return (first + factor * (second - first)).clamp(0, 255).to(torch.uint8)


def _factors(arg: Floats, x: Tensor) -> Tensor:
    return to_device(arg.astype(np.float32), x.device)[:, None, None, None]


def _color(x: Tensor, _op: Ints, arg: Floats, _cubic: Flags, _fill: list[int]) -> Tensor:
    return x if x.shape[1] == 1 else _blend(_luma(x)[:, None].float(), x.float(), _factors(arg, x))


def _sharpness(x: Tensor, _op: Ints, arg: Floats, _cubic: Flags, _fill: list[int]) -> Tensor:
    smooth = x.float()
    if min(x.shape[2:]) >= 3:
        i = x.int()
        rows = i[:, :, :-2] + i[:, :, 1:-1] + i[:, :, 2:]
        total = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:] + 4 * i[:, :, 1:-1, 1:-1]
        # Pillow leaves the outermost pixels as they are.
        smooth[:, :, 1:-1, 1:-1] = torch.div(2 * total + 13, 26, rounding_mode="floor").float()
    return _blend(smooth, x.float(), _factors(arg, x))


def _along_x(x: Tensor, op: Ints, arg: Floats, cubic: Flags, fill: list[int]) -> Tensor:
    """Shear and translation along rows: each row moves by itself, so one dimension of taps is enough."""
    side = x.shape[3]
    centres = torch.arange(side, dtype=torch.float64, device=x.device) + 0.5
    slope = to_device(np.where(np.isin(op, (ra.SHEAR_X, ra.SHEAR_Y)), arg, 0.0), x.device)[:, None, None, None]
    shift = to_device(np.where(np.isin(op, (ra.SHEAR_X, ra.SHEAR_Y)), 0.0, arg * side), x.device)[:, None, None, None]
    at = (centres + slope * centres[:, None]) + shift
    return _split_by_filter(x, (at,), cubic, fill)


def _along_y(x: Tensor, op: Ints, arg: Floats, cubic: Flags, fill: list[int]) -> Tensor:
    return _along_x(x.transpose(2, 3).contiguous(), op, arg, cubic, fill).transpose(2, 3)


def _rotate(x: Tensor, _op: Ints, arg: Floats, cubic: Flags, fill: list[int]) -> Tensor:
    """About the middle, counter-clockwise."""
    side = x.shape[3]
    a = to_device(np.array([_rotation(degrees, side) for degrees in arg.tolist()]), x.device)[:, :, None, None, None]
    centres = torch.arange(side, dtype=torch.float64, device=x.device) + 0.5
    across, down = centres, centres[:, None]
    at_x = (a[:, 0] * across + a[:, 1] * down) + a[:, 2]
    at_y = (a[:, 3] * across + a[:, 4] * down) + a[:, 5]
    return _split_by_filter(x, (at_x, at_y), cubic, fill)


def _rotation(degrees: float, side: int) -> list[float]:
    """Pillow's matrix from output to input pixels."""
    angle = -math.radians(degrees % 360.0)
    cos, sin, middle = round(math.cos(angle), 15), round(math.sin(angle), 15), side / 2
    minus_sin = round(-math.sin(angle), 15)
    return [
        cos, sin, (cos * -middle + sin * -middle + 0.0) + middle,
        minus_sin, cos, (minus_sin * -middle + cos * -middle + 0.0) + middle,
    ]  # fmt: skip


def _split_by_filter(x: Tensor, at: tuple[Tensor, ...], cubic: Flags, fill: list[int]) -> Tensor:
    """Sample at `at` (x, and y where rows mix): bicubic where `cubic`, else bilinear; `fill` where `at` is outside."""
    out = torch.empty_like(x)
    for wanted, taps, combine in ((False, (0, 1), _linear), (True, (-1, 0, 1, 2), _bicubic)):
        rows = np.flatnonzero(cubic == wanted)
        if len(rows) == len(cubic):
            return _sample(x, at, taps, combine, fill)
        if len(rows):
            index = to_device(rows, x.device)
            out[index] = _sample(x[index], tuple(v[index] for v in at), taps, combine, fill)
    return out


def _sample(
    x: Tensor, at: tuple[Tensor, ...], taps: tuple[int, ...], combine: Callable[[list[Tensor], Tensor], Tensor],
    fill: list[int],
) -> Tensor:  # fmt: skip
    n, c, side = x.shape[:3]
    inside = torch.ones((), dtype=torch.bool, device=x.device)
    for v in at:
        inside = inside & (v >= 0) & (v < side)
    base = [(v - 0.5).floor() for v in at]
    part = [v - 0.5 - b for v, b in zip(at, base, strict=True)]
    low = [b.long() for b in base]
    if len(at) == 1:
        lines = [x.gather(3, (low[0] + tap).clamp(0, side - 1).expand(n, c, side, side)).double() for tap in taps]
        value = combine(lines, part[0])
    else:
        flat = x.view(n, c, -1)
        columns = [(low[0] + tap).clamp(0, side - 1) for tap in taps]
        rows = []
        for tap in taps:
            start = (low[1] + tap).clamp(0, side - 1) * side
            row = [flat.gather(2, (start + col).view(n, 1, -1).expand(n, c, -1)).view_as(x).double() for col in columns]
            rows.append(combine(row, part[0]))
        value = combine(rows, part[1])
    colour = torch.tensor(fill, dtype=torch.float64).to(x.device, non_blocking=True)[:, None, None]
    return torch.where(inside, value.clamp(0, 255), colour).to(torch.uint8)


def _linear(v: list[Tensor], d: Tensor) -> Tensor:
    return v[0] + (v[1] - v[0]) * d


def _bicubic(v: list[Tensor], d: Tensor) -> Tensor:
    """Pillow's transform filter: a = -1, unlike that of its resize."""
    p2 = -v[0] + v[2]
    p3 = 2 * (v[0] - v[1]) + v[2] - v[3]
    p4 = -v[0] + v[1] - v[2] + v[3]
    return v[1] + d * (p2 + d * (p3 + d * p4))


_GROUPS = (
    (_TABLES, _by_table),
    ((ra.COLOR,), _color),
    ((ra.SHARPNESS,), _sharpness),
    ((ra.SHEAR_X, ra.TRANSLATE_X), _along_x),
    ((ra.SHEAR_Y, ra.TRANSLATE_Y), _along_y),
    ((ra.ROTATE,), _rotate),
)
