"""Rotations, shears and translations of uint8 [B, C, S, S] images as Pillow's Image.transform does them.

Output pixel x has its centre at x + 0.5 and takes its value where the transformation puts that point; what lies outside
the image is filled.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from engine.data import randaugment as ra
from engine.data.randaugment import Flags, Floats, Ints
from engine.data.resample import to_device

_FIXED_POINT = 1 << 16
# TensorFlow rounds halves up. Its slopes are multiples of 0.03, so points half-way between two pixels are frequent, and
# no other is this close below: more than fixed point loses over a line, less than the 0.01 between points.
_TIE = 1 / 256


def nearest(x: Tensor, op: Ints, arg: Floats, fill: list[int]) -> Tensor:
    """The nearest pixel, by Pillow's 16-bit fixed-point arithmetic (Geometry.c, affine_fixed): exact on any device."""
    side, device = x.shape[3], x.device
    rows = np.array([_matrix(o, a, side) for o, a in zip(op.tolist(), arg.tolist(), strict=True)])
    # Coordinates are of pixel centres: half a step along both axes.
    rows[:, [2, 5]] += (rows[:, [0, 3]] + rows[:, [1, 4]]) * 0.5
    fixed = to_device(np.floor(rows * _FIXED_POINT + 0.5).astype(np.int32), device)[:, :, None, None]
    at = torch.arange(side, dtype=torch.int32, device=device)
    across, down = at, at[:, None]
    at_x = (fixed[:, 2] + fixed[:, 0] * across + fixed[:, 1] * down) >> 16
    at_y = (fixed[:, 5] + fixed[:, 3] * across + fixed[:, 4] * down) >> 16
    inside = ((at_x >= 0) & (at_x < side) & (at_y >= 0) & (at_y < side))[:, None]
    flat = (at_y.clamp(0, side - 1) * side + at_x.clamp(0, side - 1)).long().flatten(1)[:, None]
    values = x.flatten(2).gather(2, flat.expand(-1, x.shape[1], -1)).view_as(x)
    return torch.where(inside, values, colour(fill, torch.uint8, device))


def colour(fill: list[int], dtype: torch.dtype, device: torch.device) -> Tensor:
    """[C, 1, 1] levels, one for each channel."""
    return torch.tensor(fill, dtype=dtype).to(device, non_blocking=True)[:, None, None]


def _matrix(op: int, arg: float, side: int) -> list[float]:
    """From output to input: x' = m0 x + m1 y + m2, y' = m3 x + m4 y + m5."""
    if op == ra.ROTATE:
        return _rotation(arg, side)
    # TensorFlow shears the numbers of pixels, not their centres: half a pixel's share of the slope less.
    less = -arg / 2 + _TIE if op in (ra.TF_SHEAR_X, ra.TF_SHEAR_Y) else 0.0
    if op in (ra.SHEAR_X, ra.TF_SHEAR_X):
        return [1.0, arg, less, 0.0, 1.0, 0.0]
    if op in (ra.SHEAR_Y, ra.TF_SHEAR_Y):
        return [1.0, 0.0, 0.0, arg, 1.0, less]
    shift = arg * side
    return [1.0, 0.0, shift if op == ra.TRANSLATE_X else 0.0, 0.0, 1.0, shift if op == ra.TRANSLATE_Y else 0.0]


def along_x(x: Tensor, op: Ints, arg: Floats, cubic: Flags, fill: list[int]) -> Tensor:
    """Shear and translation along rows: each row moves by itself, so one dimension of taps is enough."""
    side = x.shape[3]
    centres = torch.arange(side, dtype=torch.float64, device=x.device) + 0.5
    slope = to_device(np.where(np.isin(op, (ra.SHEAR_X, ra.SHEAR_Y)), arg, 0.0), x.device)[:, None, None, None]
    shift = to_device(np.where(np.isin(op, (ra.SHEAR_X, ra.SHEAR_Y)), 0.0, arg * side), x.device)[:, None, None, None]
    at = (centres + slope * centres[:, None]) + shift
    return _split_by_filter(x, (at,), cubic, fill)


def along_y(x: Tensor, op: Ints, arg: Floats, cubic: Flags, fill: list[int]) -> Tensor:
    """`along_x` with rows and columns exchanged."""
    return along_x(x.transpose(2, 3).contiguous(), op, arg, cubic, fill).transpose(2, 3)


def rotate(x: Tensor, arg: Floats, cubic: Flags, fill: list[int]) -> Tensor:
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
    return torch.where(inside, value.clamp(0, 255), colour(fill, torch.float64, x.device)).to(torch.uint8)


def _linear(v: list[Tensor], d: Tensor) -> Tensor:
    return v[0] + (v[1] - v[0]) * d


def _bicubic(v: list[Tensor], d: Tensor) -> Tensor:
    """Pillow's transform filter: a = -1, unlike that of its resize."""
    p2 = -v[0] + v[2]
    p3 = 2 * (v[0] - v[1]) + v[2] - v[3]
    p4 = -v[0] + v[1] - v[2] + v[3]
    return v[1] + d * (p2 + d * (p3 + d * p4))
