"""torchvision's adjust_hue of Pillow images: to HSV of 8 bits each, the hue turned, and back; a batch on any device.

Pillow (Convert.c, rgb2hsv and hsv2rgb) mixes float and double. What depends on two or three small numbers is looked up
in tables made with the same roundings, so the result is Pillow's to the bit.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.data.randaugment import Floats
from engine.data.resample import to_device

# Red, green and blue in each sixth of the circle of hues: 0 the brightest level, 1 the middle one, 2 the darkest.
_PLACES = ((0, 1, 2), (1, 0, 2), (2, 0, 1), (2, 1, 0), (1, 2, 0), (0, 2, 1))

_Array = npt.NDArray[np.generic]


class _Tables(NamedTuple):
    hue: Tensor
    """int32 [6 * 256 * 256] by order of the channels, brightest minus middle, brightest minus darkest."""
    saturation: Tensor
    """int32 [256 * 256] by brightest minus darkest, brightest."""
    dark: Tensor
    """uint8 [256 * 256]: the darkest level by saturation, brightest."""
    fraction: Tensor
    """float64 [256] by saturation."""
    share: Tensor
    """float64 [256]: how far the middle level is from the brightest, by hue."""
    odd: Tensor
    """bool [256]: whether the sixth of the circle is an odd one, by hue."""
    place: Tensor
    """uint8 [3, 256]: what red, green and blue are, by hue."""


def turn(x: Tensor, turns: Floats) -> Tensor:
    """Hue of uint8 [B, C, S, S] images turned by `turns` [B], from -0.5 to 0.5; images of one channel stay."""
    if x.shape[1] == 1:
        return x
    tables = _tables(x.device)
    r, g, b = x.int().unbind(1)
    low, high = (v.int() for v in torch.aminmax(x, dim=1))
    spread, gap = high - low, 2 * high + low - (r + g + b)
    # Twice the brightest channel (the first of equals), plus one if the channel before it (red: blue) is not darkest.
    order = torch.where(r == high, (b > g).int(), torch.where(g == high, 2 + (r > b).int(), 4 + (g > r).int()))
    shift = to_device(np.trunc(turns * 255).astype(np.int32), x.device)[:, None, None]
    hue = (_look_up(tables.hue, (order * 256 + gap) * 256 + spread) + shift) & 255
    saturation = _look_up(tables.saturation, spread * 256 + high)
    share = _look_up(tables.fraction, saturation) * _look_up(tables.share, hue)
    # Pillow multiplies two floats in the odd sixths, a float and a double in the even ones.
    share = torch.where(_look_up(tables.odd, hue), share.float().double(), share)
    middle = (high * (1.0 - share)).add_(0.5).to(torch.uint8)
    dark = _look_up(tables.dark, saturation * 256 + high)
    bright, grey, out = high.to(torch.uint8), saturation == 0, torch.empty_like(x)
    for channel in range(3):
        place = _look_up(tables.place[channel], hue)
        out[:, channel] = torch.where((place == 0) | grey, bright, torch.where(place == 1, middle, dark))
    return out


def _look_up(table: Tensor, at: Tensor) -> Tensor:
    return table.index_select(0, at.flatten()).view_as(at)


@lru_cache(maxsize=4)
def _tables(device: torch.device) -> _Tables:
    at = np.arange(256, dtype=np.float64) * 6.0 / 255.0
    sixth = np.floor(at).astype(np.int64)
    part = (at - sixth).astype(np.float32).astype(np.float64)
    odd = sixth % 2 == 1
    fraction = (np.arange(256) / 255.0).astype(np.float32).astype(np.float64)
    dark = np.floor(np.arange(256) * (1.0 - fraction[:, None]) + 0.5)
    arrays: tuple[_Array, ...] = (
        _hues().ravel(), _saturations().ravel(), dark.ravel().astype(np.uint8), fraction,
        np.where(odd, part, 1.0 - part), odd, np.array(_PLACES, np.uint8)[sixth % 6].T.copy(),
    )  # fmt: skip
    return _Tables(*(torch.from_numpy(a).to(device) for a in arrays))


def _hues() -> _Array:
    """rgb2hsv: int32 [6, 256, 256]."""
    gap, spread = np.arange(256, dtype=np.float32)[:, None], np.maximum(1, np.arange(256, dtype=np.float32))
    share = gap / spread  # float, as there; what the darkest channel has in its place is 1
    wide = share.astype(np.float64)
    orders: tuple[_Array, ...] = (1 - share, share - 1, 2.0 + 1 - wide, 2.0 + wide - 1, 4.0 + 1 - wide, 4.0 + wide - 1)
    # Red is brightest and blue darkest: hue = 1 - share; and so on, in the numbering of `turn`.
    by_order = np.stack([orders[n].astype(np.float32).astype(np.float64) for n in range(6)])
    hue = np.fmod(by_order / 6.0 + 1.0, 1.0).astype(np.float32).astype(np.float64)
    out = np.clip(np.trunc(hue * 255.0), 0, 255)
    out[:, :, 0] = 0
    return out.astype(np.int32)


def _saturations() -> _Array:
    spread, high = np.arange(256, dtype=np.float32)[:, None], np.maximum(1, np.arange(256, dtype=np.float32))
    return np.clip(np.trunc((spread / high).astype(np.float64) * 255.0), 0, 255).astype(np.int32)
