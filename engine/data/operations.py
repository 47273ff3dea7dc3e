"""Operations on batches of uint8 [B, C, S, S] images, each with its own argument, in Pillow's arithmetic.

Images of one channel are treated as Pillow treats grey ones: Color and Hue change nothing, the others work on that
channel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.data import randaugment as ra
from engine.data.filters import blend, blur, sharpen
from engine.data.hue import turn
from engine.data.randaugment import Flags, Floats, Ints
from engine.data.resample import to_device
from engine.data.sampling import along_x, along_y, colour, nearest, rotate

_LEVELS = np.arange(256)
_TABLES = (
    ra.AUTOCONTRAST, ra.EQUALIZE, ra.INVERT, ra.POSTERIZE, ra.SOLARIZE, ra.SOLARIZE_ADD, ra.CONTRAST, ra.BRIGHTNESS,
    ra.TF_CONTRAST,
)  # fmt: skip


@dataclass(frozen=True)
class _How:
    """What some operations need beside their argument, for the rows they are given."""

    fill: list[int]
    cubic: Flags | None
    cutout: Ints | None


_Function = Callable[[Tensor, Ints, Floats, _How], Tensor]


def operate(
    images: Tensor, op: Ints, arg: Floats, *, fill: list[int], cubic: Flags | None = None, cutout: Ints | None = None
) -> Tensor:
    """Apply the layers of `op` [B, layers] (-1: none) one after the other; `images` is changed and returned.

    `arg` [B, layers] as in `engine.data.randaugment`. `fill` are the levels, channel by channel, of what rotations,
    shears and translations bring in from outside and of cut-outs; `cubic` [B, layers] chooses the filter of the
    former, bicubic or bilinear, None being the nearest pixel. `cutout` [B, layers, 2] has the middle of each CUTOUT,
    row and column in px.
    """
    groups = (*_GROUPS, *(_NEAREST if cubic is None else _FILTERED))
    for layer in range(op.shape[1]):
        ops, args = op[:, layer], arg[:, layer]
        for members, function in groups:
            rows = np.flatnonzero(np.isin(ops, members))
            if len(rows):
                how = _How(
                    fill, None if cubic is None else cubic[rows, layer], None if cutout is None else cutout[rows, layer]
                )
                index = to_device(rows, images.device)
                images[index] = function(images[index], ops[rows], args[rows], how)
    return images


def _by_table(x: Tensor, op: Ints, arg: Floats, _how: _How) -> Tensor:
    """Everything that maps a level to a level: one 256-entry table for each image and channel."""
    n, c = x.shape[:2]
    lut = to_device(_fixed_tables(op, arg), x.device)[:, None].repeat(1, c, 1)
    for member, make in _IMAGE_TABLES:
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
    mixed = blend(mean, _levels(x, torch.float32), factor[:, None, None])
    return mixed.expand(-1, x.shape[1], -1)


def _tf_contrast(x: Tensor, factor: Tensor) -> Tensor:
    """TensorFlow's Contrast, which means to blend with the mean grey but sums a histogram's counts, not its levels.

    So the level blended with is the number of pixels / 256: 196 at 224 px (big_vision, pp/autoaugment.py, contrast).
    """
    level = torch.full((1, 1, 1), float(min(255, x.shape[2] * x.shape[3] // 256)), device=x.device)
    return blend(level, _levels(x, torch.float32), factor[:, None, None]).expand(-1, x.shape[1], -1)


def _luma(x: Tensor) -> Tensor:
    """Pillow's L of an RGB image, int64 [n, S, S]."""
    if x.shape[1] == 1:
        return x[:, 0].long()
    r, g, b = x.long().unbind(1)
    return (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16


def _factors(arg: Floats, x: Tensor) -> Tensor:
    return to_device(arg.astype(np.float32), x.device)[:, None, None, None]


def _color(x: Tensor, _op: Ints, arg: Floats, _how: _How) -> Tensor:
    return x if x.shape[1] == 1 else blend(_luma(x)[:, None].float(), x.float(), _factors(arg, x))


def _sharpness(x: Tensor, _op: Ints, arg: Floats, _how: _How) -> Tensor:
    return sharpen(x, _factors(arg, x))


def _hue(x: Tensor, _op: Ints, arg: Floats, _how: _How) -> Tensor:
    return turn(x, arg)


def _blur(x: Tensor, _op: Ints, arg: Floats, _how: _How) -> Tensor:
    return blur(x, arg)


def _cutout(x: Tensor, _op: Ints, arg: Floats, how: _How) -> Tensor:
    """Squares of twice `arg` px about their middle, as far as they are inside."""
    assert how.cutout is not None
    at = torch.arange(x.shape[2], device=x.device)
    half = to_device(arg.astype(np.int64), x.device)[:, None]
    rows, columns = (
        (at >= middle - half) & (at < middle + half) for middle in to_device(how.cutout, x.device)[:, :, None].unbind(1)
    )
    inside = (rows[:, :, None] & columns[:, None, :])[:, None]
    return torch.where(inside, colour(how.fill, x.dtype, x.device), x)


def _along_x(x: Tensor, op: Ints, arg: Floats, how: _How) -> Tensor:
    assert how.cubic is not None
    return along_x(x, op, arg, how.cubic, how.fill)


def _along_y(x: Tensor, op: Ints, arg: Floats, how: _How) -> Tensor:
    assert how.cubic is not None
    return along_y(x, op, arg, how.cubic, how.fill)


def _rotate(x: Tensor, _op: Ints, arg: Floats, how: _How) -> Tensor:
    assert how.cubic is not None
    return rotate(x, arg, how.cubic, how.fill)


def _nearest(x: Tensor, op: Ints, arg: Floats, how: _How) -> Tensor:
    return nearest(x, op, arg, how.fill)


_IMAGE_TABLES = (
    (ra.AUTOCONTRAST, _autocontrast), (ra.EQUALIZE, _equalize), (ra.CONTRAST, _contrast),
    (ra.TF_CONTRAST, _tf_contrast),
)  # fmt: skip
_GROUPS: tuple[tuple[tuple[int, ...], _Function], ...] = (
    (_TABLES, _by_table),
    ((ra.COLOR,), _color),
    ((ra.SHARPNESS,), _sharpness),
    ((ra.HUE,), _hue),
    ((ra.BLUR,), _blur),
    ((ra.CUTOUT,), _cutout),
)
_FILTERED: tuple[tuple[tuple[int, ...], _Function], ...] = (
    ((ra.SHEAR_X, ra.TRANSLATE_X), _along_x),
    ((ra.SHEAR_Y, ra.TRANSLATE_Y), _along_y),
    ((ra.ROTATE,), _rotate),
)
_NEAREST: tuple[tuple[tuple[int, ...], _Function], ...] = (
    (
        (ra.ROTATE, ra.SHEAR_X, ra.SHEAR_Y, ra.TRANSLATE_X, ra.TRANSLATE_Y, ra.TF_SHEAR_X, ra.TF_SHEAR_Y),
        _nearest,
    ),
)
