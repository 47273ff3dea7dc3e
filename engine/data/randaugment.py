"""timm's RandAugment strings and what each operation's argument is at a magnitude. Numpy only."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

OPS = (
    "AutoContrast", "Equalize", "Invert", "Rotate", "Posterize", "Solarize", "SolarizeAdd", "Color", "Contrast",
    "Brightness", "Sharpness", "ShearX", "ShearY", "TranslateX", "TranslateY",
)  # fmt: skip
(
    AUTOCONTRAST, EQUALIZE, INVERT, ROTATE, POSTERIZE, SOLARIZE, SOLARIZE_ADD, COLOR, CONTRAST,
    BRIGHTNESS, SHARPNESS, SHEAR_X, SHEAR_Y, TRANSLATE_X, TRANSLATE_Y,
) = range(15)  # fmt: skip
ENHANCE = (COLOR, CONTRAST, BRIGHTNESS, SHARPNESS)
AFFINE = (ROTATE, SHEAR_X, SHEAR_Y, TRANSLATE_X, TRANSLATE_Y)

# timm's magnitudes run from 0 to 10 whatever `mmax` allows.
_DENOMINATOR = 10.0


@dataclass(frozen=True)
class RandAugment:
    """A parsed string: `layers` operations an image, each applied with probability `prob`."""

    magnitude: float = 10.0
    std: float = 0.0
    """Standard deviation of the magnitude; infinite: uniform from 0 to `magnitude`."""
    increasing: bool = False
    layers: int = 2
    prob: float = 0.5
    maximum: float = _DENOMINATOR


def parse(text: str) -> RandAugment:
    """``rand-m9-mstd0.5-inc1-n2-p0.5-mmax10`` as numbers; every piece may be left out.

    Values mean what they mean in timm 1.0: mstd above 100 is uniform, inc0 is not increasing. Raises ValueError
    naming a wrong piece.
    """
    start, *pieces = text.split("-")
    if start != "rand":
        raise ValueError(f'"{text}" does not start with rand, as in rand-m9-mstd0.5-inc1')
    values: dict[str, float] = {}
    for piece in pieces:
        match = re.fullmatch(r"(mstd|mmax|m|inc|n|p)(\d+(?:\.\d+)?)", piece)
        if match is None:
            raise ValueError(f'"{piece}" in "{text}" is not known; allowed are m9, mstd0.5, inc1, n2, p0.5, mmax10')
        key, number = match.group(1), float(match.group(2))
        if key not in ("mstd", "p") and not number.is_integer():
            raise ValueError(f'"{piece}" in "{text}" must be a whole number')
        values[key] = number
    if values.get("p", 0.5) > 1 or not 1 <= values.get("n", 2) <= 15:
        raise ValueError(f'"{text}" needs p from 0 to 1 and n from 1 to 15')
    std = values.get("mstd", 0.0)
    return RandAugment(
        magnitude=values.get("m", _DENOMINATOR),
        std=math.inf if std > 100 else std,
        increasing=bool(values.get("inc", 0)),
        layers=int(values.get("n", 2)),
        prob=values.get("p", 0.5),
        # timm takes mmax0 for "not given".
        maximum=values.get("mmax", 0.0) or _DENOMINATOR,
    )


def arguments(op: Ints, magnitude: Floats, negative: npt.NDArray[np.bool_], increasing: bool) -> Floats:
    """The argument of each operation at its magnitude; `negative` is the fair coin where a sign is drawn.

    Degrees for Rotate, slope for Shear, fraction of the side for Translate, bits kept for Posterize, threshold for
    Solarize, summand for SolarizeAdd, blend factor for Color, Contrast, Brightness, Sharpness; 0 for the rest.
    """
    level = magnitude / _DENOMINATOR
    sign = np.where(negative, -1.0, 1.0)
    bits, threshold = np.trunc(level * 4), np.minimum(256, np.trunc(level * 256))
    enhance = np.maximum(0.1, 1 + sign * (level * 0.9)) if increasing else level * 1.8 + 0.1
    out = np.zeros_like(level)
    for choice, value in (
        ((ROTATE,), sign * (level * 30.0)),
        ((SHEAR_X, SHEAR_Y), sign * (level * 0.3)),
        ((TRANSLATE_X, TRANSLATE_Y), sign * (level * 0.45)),
        ((POSTERIZE,), 4 - bits if increasing else bits),
        ((SOLARIZE,), 256 - threshold if increasing else threshold),
        ((SOLARIZE_ADD,), np.minimum(128, np.trunc(level * 110))),
        (ENHANCE, enhance),
    ):
        out = np.where(np.isin(op, choice), value, out)
    return out
