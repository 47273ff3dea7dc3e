"""AutoAugment's policies (Cubuk et al., 2019): 25 pairs of operation, probability, level from 0 to 10. Data only.

The numbers are those of timm.data.auto_augment (original, v0) and torchvision.transforms.autoaugment (imagenet,
cifar10, svhn). torchvision's imagenet is the paper's, which timm calls original; operations without a level ignore it.
"""

from __future__ import annotations

from engine.data.randaugment import OPS

Operation = tuple[int, float, int]
"""Number in `randaugment.OPS`, probability, level."""

_IMAGENET = """
Posterize .4 8  Rotate .6 9
Solarize .6 5  AutoContrast .6 5
Equalize .8 8  Equalize .6 3
Posterize .6 7  Posterize .6 6
Equalize .4 7  Solarize .2 4
Equalize .4 4  Rotate .8 8
Solarize .6 3  Equalize .6 7
Posterize .8 5  Equalize 1 2
Rotate .2 3  Solarize .6 8
Equalize .6 8  Posterize .4 6
Rotate .8 8  Color .4 0
Rotate .4 9  Equalize .6 2
Equalize 0 7  Equalize .8 8
Invert .6 4  Equalize 1 8
Color .6 4  Contrast 1 8
Rotate .8 8  Color 1 2
Color .8 8  Solarize .8 7
Sharpness .4 7  Invert .6 8
ShearX .6 5  Equalize 1 9
Color .4 0  Equalize .6 3
Equalize .4 7  Solarize .2 4
Solarize .6 5  AutoContrast .6 5
Invert .6 4  Equalize 1 8
Color .6 4  Contrast 1 8
Equalize .8 8  Equalize .6 3
"""

_CIFAR10 = """
Invert .1 0  Contrast .2 6
Rotate .7 2  TranslateX .3 9
Sharpness .8 1  Sharpness .9 3
ShearY .5 8  TranslateY .7 9
AutoContrast .5 0  Equalize .9 0
ShearY .2 7  Posterize .3 7
Color .4 3  Brightness .6 7
Sharpness .3 9  Brightness .7 9
Equalize .6 0  Equalize .5 0
Contrast .6 7  Sharpness .6 5
Color .7 7  TranslateX .5 8
Equalize .3 0  AutoContrast .4 0
TranslateY .4 3  Sharpness .2 6
Brightness .9 6  Color .2 8
Solarize .5 2  Invert 0 0
Equalize .2 0  AutoContrast .6 0
Equalize .2 0  Equalize .6 0
Color .9 9  Equalize .6 0
AutoContrast .8 0  Solarize .2 8
Brightness .1 3  Color .7 0
Solarize .4 5  AutoContrast .9 0
TranslateY .9 9  TranslateY .7 9
AutoContrast .9 0  Solarize .8 3
Equalize .8 0  Invert .1 0
TranslateY .7 9  AutoContrast .9 0
"""

_SVHN = """
ShearX .9 4  Invert .2 0
ShearY .9 8  Invert .7 0
Equalize .6 0  Solarize .6 6
Invert .9 0  Equalize .6 0
Equalize .6 0  Rotate .9 3
ShearX .9 4  AutoContrast .8 0
ShearY .9 8  Invert .4 0
ShearY .9 5  Solarize .2 6
Invert .9 0  AutoContrast .8 0
Equalize .6 0  Rotate .9 3
ShearX .9 4  Solarize .3 3
ShearY .8 8  Invert .7 0
Equalize .9 0  TranslateY .6 6
Invert .9 0  Equalize .6 0
Contrast .3 3  Rotate .8 4
Invert .8 0  TranslateY 0 2
ShearY .7 6  Solarize .4 8
Invert .6 0  Rotate .8 4
ShearY .3 7  TranslateX .9 3
ShearX .1 6  Invert .6 0
Solarize .7 2  TranslateY .6 7
ShearY .8 4  Invert .8 0
ShearX .7 9  TranslateY .8 3
ShearY .8 5  AutoContrast .7 0
ShearX .7 2  Invert .1 0
"""

_V0 = """
Equalize .8 1  ShearY .8 4
Color .4 9  Equalize .6 3
Color .4 1  Rotate .6 8
Solarize .8 3  Equalize .4 7
Solarize .4 2  Solarize .6 2
Color .2 0  Equalize .8 8
Equalize .4 8  SolarizeAdd .8 3
ShearX .2 9  Rotate .6 8
Color .6 1  Equalize 1 2
Invert .4 9  Rotate .6 0
Equalize 1 9  ShearY .6 3
Color .4 7  Equalize .6 0
Posterize .4 6  AutoContrast .4 7
Solarize .6 8  Color .6 9
Solarize .2 4  Rotate .8 9
Rotate 1 7  TranslateY .8 9
ShearX 0 0  Solarize .8 4
ShearY .8 0  Color .6 4
Color 1 0  Rotate .6 2
Equalize .8 4  Equalize 0 8
Equalize 1 4  AutoContrast .6 2
ShearY .4 7  SolarizeAdd .6 7
Posterize .8 2  Solarize .6 10
Solarize .6 8  Equalize .6 1
Color .8 6  Rotate .4 5
"""


def _read(text: str) -> tuple[tuple[Operation, Operation], ...]:
    rows = [line.split() for line in text.split("\n") if line]
    return tuple(
        ((OPS.index(a), float(p), int(m)), (OPS.index(b), float(q), int(k))) for a, p, m, b, q, k in rows
    )  # fmt: skip


POLICIES = {"imagenet": _read(_IMAGENET), "cifar10": _read(_CIFAR10), "svhn": _read(_SVHN), "v0": _read(_V0)}
