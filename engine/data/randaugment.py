"""Operations by number, and what the argument of each is at a magnitude, in timm's, torchvision's and TensorFlow's
way of counting. Numpy only.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

OPS = (
    "AutoContrast", "Equalize", "Invert", "Rotate", "Posterize", "Solarize", "SolarizeAdd", "Color", "Contrast",
    "Brightness", "Sharpness", "ShearX", "ShearY", "TranslateX", "TranslateY",
)  # fmt: skip
(
    AUTOCONTRAST, EQUALIZE, INVERT, ROTATE, POSTERIZE, SOLARIZE, SOLARIZE_ADD, COLOR, CONTRAST,
    BRIGHTNESS, SHARPNESS, SHEAR_X, SHEAR_Y, TRANSLATE_X, TRANSLATE_Y,
) = range(15)  # fmt: skip
# What timm's RandAugment does not have. TF_…: TensorFlow's own arithmetic where it differs from Pillow's by far.
BLUR, HUE, CUTOUT, TF_CONTRAST, TF_SHEAR_X, TF_SHEAR_Y = range(15, 21)
NONE = -1
ENHANCE = (COLOR, CONTRAST, BRIGHTNESS, SHARPNESS)

# torchvision.transforms.RandAugment._augmentation_space, in its order; Identity is NONE.
TORCHVISION = np.array([
    NONE, SHEAR_X, SHEAR_Y, TRANSLATE_X, TRANSLATE_Y, ROTATE, BRIGHTNESS, COLOR, CONTRAST, SHARPNESS, POSTERIZE,
    SOLARIZE, AUTOCONTRAST, EQUALIZE,
])  # fmt: skip
TORCHVISION_BINS = 31
# big_vision, pp/autoaugment.py, distort_image_with_randaugment: available_ops.
TENSORFLOW = np.array([
    AUTOCONTRAST, EQUALIZE, INVERT, ROTATE, POSTERIZE, SOLARIZE, COLOR, TF_CONTRAST, BRIGHTNESS, SHARPNESS,
    TF_SHEAR_X, TF_SHEAR_Y, TRANSLATE_X, TRANSLATE_Y, CUTOUT, SOLARIZE_ADD,
])  # fmt: skip

# timm's and TensorFlow's magnitudes run from 0 to 10 whatever a string allows.
_DENOMINATOR = 10.0


def _choose(op: Ints, choices: tuple[tuple[tuple[int, ...], Floats], ...]) -> Floats:
    """For each operation the value that its choice gives; 0 for those in none."""
    out = np.zeros(op.shape)
    for members, value in choices:
        out = np.where(np.isin(op, members), value, out)
    return out


def arguments(op: Ints, magnitude: Floats, negative: Flags, increasing: bool) -> Floats:
    """timm's argument of each operation at its magnitude; `negative` is the fair coin where a sign is drawn.

    Degrees for Rotate, slope for Shear, fraction of the side for Translate, bits kept for Posterize, threshold for
    Solarize, summand for SolarizeAdd, blend factor for Color, Contrast, Brightness, Sharpness; 0 for the rest.
    """
    level = magnitude / _DENOMINATOR
    sign = np.where(negative, -1.0, 1.0)
    bits, threshold = np.trunc(level * 4), np.minimum(256, np.trunc(level * 256))
    enhance = np.maximum(0.1, 1 + sign * (level * 0.9)) if increasing else level * 1.8 + 0.1
    return _choose(op, (
        ((ROTATE,), sign * (level * 30.0)),
        ((SHEAR_X, SHEAR_Y), sign * (level * 0.3)),
        ((TRANSLATE_X, TRANSLATE_Y), sign * (level * 0.45)),
        ((POSTERIZE,), 4 - bits if increasing else bits),
        ((SOLARIZE,), 256 - threshold if increasing else threshold),
        ((SOLARIZE_ADD,), np.minimum(128, np.trunc(level * 110))),
        (ENHANCE, enhance),
    ))  # fmt: skip


def torchvision_arguments(op: Ints, level: Ints, bins: int, negative: Flags, side: int) -> Floats:
    """torchvision's argument of each operation at a level from 0 to `bins` - 1, as `arguments` counts them.

    `side` of the image in px: translations are whole pixels, at most 150/331 of it. Source: _augmentation_space and
    _apply_op of torchvision.transforms.autoaugment.
    """
    sign = np.where(negative, -1.0, 1.0)
    # A positive translation moves the picture, so the sampling point goes the other way.
    pixels = np.trunc(_linspace(0.0, 150.0 / 331.0 * side, bins)[level])
    return _choose(op, (
        ((SHEAR_X, SHEAR_Y), np.tan(np.arctan(sign * _linspace(0.0, 0.3, bins)[level]))),
        ((TRANSLATE_X, TRANSLATE_Y), -sign * pixels / side),
        ((ROTATE,), sign * _linspace(0.0, 30.0, bins)[level]),
        (ENHANCE, 1.0 + sign * _linspace(0.0, 0.9, bins)[level]),
        ((POSTERIZE,), 8 - np.rint(np.arange(bins, dtype=np.float32) / np.float32((bins - 1) / 4))[level]),
        ((SOLARIZE,), _linspace(255.0, 0.0, bins)[level]),
    ))  # fmt: skip


def _linspace(start: float, stop: float, count: int) -> Floats:
    """torch.linspace in float32: counted from both ends towards the middle."""
    step, at = float((np.float32(stop) - np.float32(start)) / np.float32(count - 1)), np.arange(count)
    exact = np.where(at < count // 2, float(np.float32(start)) + step * at, float(np.float32(stop)) - step * at[::-1])
    return exact.astype(np.float32).astype(np.float64)


def tensorflow_arguments(op: Ints, magnitude: float, negative: Flags, side: int) -> Floats:
    """The argument TensorFlow's RandAugment gives each operation, as `arguments` counts them; half of the side in px
    for CUTOUT.

    `magnitude` from 0 to 20, on a scale where 10 is "full" and above which nothing is clipped. Translations (100 px at
    10) and cut-outs (40 px) do not scale with `side`, the side of the image. Two accidents are kept, since the
    published results were made with them: Solarize's threshold is a uint8 that overflows, so 10 and 20 invert
    everything (big_vision, issue 110), and Posterize to 0 bits keeps one (TensorFlow's shifts stop at 7 places).
    Source: level_to_arg in big_vision, pp/autoaugment.py.
    """
    level, sign = magnitude / _DENOMINATOR, np.where(negative, -1.0, 1.0)
    same = np.ones(op.shape)
    return _choose(op, (
        ((ROTATE,), sign * (level * 30.0)),
        ((TF_SHEAR_X, TF_SHEAR_Y), sign * (level * 0.3)),
        ((TRANSLATE_X, TRANSLATE_Y), sign * (level * 100.0) / side),
        ((POSTERIZE,), same * max(1, int(level * 4))),
        ((SOLARIZE,), same * (int(level * 256) % 256)),
        ((SOLARIZE_ADD,), same * int(level * 110)),
        ((COLOR, TF_CONTRAST, BRIGHTNESS, SHARPNESS), same * (level * 1.8 + 0.1)),
        ((CUTOUT,), same * int(level * 40)),
    ))  # fmt: skip
