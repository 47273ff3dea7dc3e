"""RandAugment strings as numbers: timm's (rand-…), torchvision's (tv-…) and TensorFlow's (tf-…). Standard library only.

The same two numbers mean different things in the three: ``tv-n2-m9`` rotates by 9 degrees at most, ``rand-m9`` and
``tf-n2-m9`` by 27; ``rand`` applies each chosen operation with probability 0.5, the others always.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

Family = Literal["rand", "tv", "tf"]

# The values timm 1.0 takes where a piece is left out; magnitudes above `maximum` are clipped there.
_TIMM_MAXIMUM = 10.0
# torchvision.transforms.RandAugment: num_magnitude_bins = 31, numbered from 0; num_ops = 2, magnitude = 9.
_TORCHVISION_MAXIMUM = 30
# big_vision, pp/autoaugment.py: posterize shifts by 8 - int(m / 10 * 4) bits, which is negative above 20.
_TENSORFLOW_MAXIMUM = 20
_EXAMPLES = {"rand": "m9, mstd0.5, inc1, n2, p0.5, mmax10", "tv": "n2, m9", "tf": "n2, m15"}
_MOST_LAYERS = 15


@dataclass(frozen=True)
class RandAugment:
    """A parsed string: `layers` operations an image, each applied with probability `prob`."""

    magnitude: float = 10.0
    std: float = 0.0
    """Standard deviation of the magnitude; infinite: uniform from 0 to `magnitude`."""
    increasing: bool = False
    layers: int = 2
    prob: float = 0.5
    maximum: float = _TIMM_MAXIMUM
    family: Family = "rand"


def parse(text: str) -> RandAugment:
    """``rand-m9-mstd0.5-inc1-n2-p0.5-mmax10``, ``tv-n2-m9`` or ``tf-n2-m15`` as numbers; any piece may be left out.

    Pieces of ``rand`` mean what they mean in timm 1.0: mstd above 100 is uniform, inc0 is not increasing. But where
    timm clips a magnitude above mmax (10 unless given) without a word, this refuses it. Raises ValueError: one
    sentence that names the wrong piece.
    """
    start, *pieces = text.split("-")
    if start == "rand":
        return _timm(text, _numbers(text, start, pieces, r"mstd|mmax|m|inc|n|p"))
    if start == "tv":
        values = _numbers(text, start, pieces, r"m|n")
        return _always(text, "tv", values, 9.0, _TORCHVISION_MAXIMUM, "torchvision has 31 levels")
    if start == "tf":
        values = _numbers(text, start, pieces, r"m|n")
        return _always(text, "tf", values, 10.0, _TENSORFLOW_MAXIMUM, "its operations make no sense beyond")
    raise ValueError(f'"{text}" does not start with rand, tv or tf, as in rand-m9-mstd0.5-inc1, tv-n2-m9, tf-n2-m15')


def _numbers(text: str, start: str, pieces: list[str], keys: str) -> dict[str, float]:
    values: dict[str, float] = {}
    for piece in pieces:
        match = re.fullmatch(rf"({keys})(\d+(?:\.\d+)?)", piece)
        if match is None:
            raise ValueError(f'"{piece}" in "{text}" is not known; allowed are {_EXAMPLES[start]}')
        key, number = match.group(1), float(match.group(2))
        if key not in ("mstd", "p") and not number.is_integer():
            raise ValueError(f'"{piece}" in "{text}" must be a whole number')
        if key in values:
            raise ValueError(f'"{text}" gives {key} twice; keep one of them')
        values[key] = number
    return values


def _timm(text: str, values: dict[str, float]) -> RandAugment:
    if values.get("p", 0.5) > 1 or not 1 <= values.get("n", 2) <= _MOST_LAYERS:
        raise ValueError(f'"{text}" needs p from 0 to 1 and n from 1 to {_MOST_LAYERS}')
    # timm takes mmax0 for "not given".
    magnitude, maximum = values.get("m", 10.0), values.get("mmax", 0.0) or _TIMM_MAXIMUM
    if magnitude > maximum:
        raise ValueError(
            f'm{magnitude:g} in "{text}" is above its cap mmax{maximum:g}, and timm would clip it silently; '
            f"add mmax{magnitude:g} or write m{maximum:g}"
        )
    std = values.get("mstd", 0.0)
    return RandAugment(
        magnitude=magnitude, std=math.inf if std > 100 else std, increasing=bool(values.get("inc", 0)),
        layers=int(values.get("n", 2)), prob=values.get("p", 0.5), maximum=maximum,
    )  # fmt: skip


def _always(
    text: str, family: Family, values: dict[str, float], default: float, maximum: float, why: str
) -> RandAugment:
    """The two families in which every chosen operation is applied, at one fixed magnitude."""
    magnitude, layers = values.get("m", default), values.get("n", 2)
    if magnitude > maximum or not 1 <= layers <= _MOST_LAYERS:
        raise ValueError(f'"{text}" needs m from 0 to {maximum:g} ({why}) and n from 1 to {_MOST_LAYERS}')
    return RandAugment(magnitude=magnitude, layers=int(layers), prob=1.0, maximum=maximum, family=family)
