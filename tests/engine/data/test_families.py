"""RandAugment as torchvision and as TensorFlow count it: what is drawn, and every operation on photographs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats
from torchvision.transforms import InterpolationMode, RandAugment
from torchvision.transforms import autoaugment as tv

from engine.data import randaugment as ra
from engine.data.apply import apply
from engine.data.draw import Table, draw
from engine.data.operations import operate
from engine.recipe.schema import Augment, Mix

Photos = Callable[..., np.ndarray]
TORCHVISION = tuple(RandAugment()._augmentation_space(31, (32, 32)))
CODES = {name: ra.OPS.index(name) for name in TORCHVISION if name != "Identity"}


def table(text: str, batch: int, side: int = 32, seed: int = 1) -> Table:
    where = {"seed": seed, "epoch": 0, "step": 0, "in_size": (side, side), "out_size": side}
    return draw(Augment(randaugment=text), Mix(), batch=batch, **where)


def run(images: np.ndarray, t: Table) -> np.ndarray:
    x = torch.from_numpy(images.copy()).permute(0, 3, 1, 2).contiguous()
    fill = [128 if t.augment.randaugment.startswith("tf") else 0] * images.shape[3]
    return operate(x, t.op, t.arg, fill=fill, cubic=t.op_cubic, cutout=t.cutout).permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("bins", [10, 31])
@pytest.mark.parametrize("side", [32, 64, 224, 384])
def test_torchvisions_arguments(bins: int, side: int) -> None:
    for name, (magnitudes, signed) in RandAugment()._augmentation_space(bins, (side, side)).items():
        for negative in (False, True):
            if name == "Identity" or magnitudes.ndim == 0:
                continue
            got = ra.torchvision_arguments(
                np.full(bins, CODES[name]), np.arange(bins), bins, np.full(bins, negative), side
            )
            wanted = magnitudes.double().numpy() * (-1 if signed and negative else 1)
            if name.startswith("Translate"):
                wanted = -np.trunc(wanted) / side
            elif signed and name[:5] not in ("Shear", "Rotat"):
                wanted = 1 + wanted
            assert np.allclose(got, wanted, rtol=1e-12, atol=0), name


@pytest.mark.parametrize("side", [16, 33])
@pytest.mark.parametrize("text", ["tv-n1-m9", "tv-n1-m30", "tv-n3-m17"])
def test_torchvisions_pipeline_equals_torchvisions_to_the_bit(photos: Photos, text: str, side: int) -> None:
    images, n = photos(side, 120), 120
    t = table(text, n, side)
    space = RandAugment()._augmentation_space(31, (side, side))
    names = {code: name for name, code in CODES.items()} | {-1: "Identity"}
    got = run(images, t)
    for k in range(n):
        picture = Image.fromarray(images[k])
        for op, arg in zip(t.op[k], t.arg[k], strict=True):
            magnitudes, signed = space[names[int(op)]]
            value = float(magnitudes[int(text.split("-m")[1])]) if magnitudes.ndim else 0.0
            zero = 1.0 if op in ra.ENHANCE else 0.0
            flipped = signed and (arg < zero) != names[int(op)].startswith("Translate")
            value = -value if flipped else value
            picture = tv._apply_op(picture, names[int(op)], value, InterpolationMode.NEAREST, None)
        assert np.array_equal(got[k], np.asarray(picture)), (k, t.op[k], t.arg[k])


def recorded_from_torchvision(text_m: int, images: int, monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, float]]:
    calls: Counter[tuple[str, float]] = Counter()

    def record(img, name, magnitude, interpolation, fill):
        calls[name, round(magnitude, 4)] += 1
        return img

    monkeypatch.setattr(tv, "_apply_op", record)
    torch.manual_seed(3)
    transform, picture = RandAugment(2, text_m), Image.new("RGB", (32, 32))
    for _ in range(images):
        transform(picture)
    return calls


def test_drawn_operations_and_signs_follow_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 3000
    theirs = recorded_from_torchvision(9, n, monkeypatch)
    t = table("tv-n2-m9", n)
    names = {code: name for name, code in CODES.items()} | {-1: "Identity"}
    ours: Counter[tuple[str, float]] = Counter()
    for op, arg in zip(t.op.ravel().tolist(), t.arg.ravel().tolist(), strict=True):
        value = -arg * 32 if op in (ra.TRANSLATE_X, ra.TRANSLATE_Y) else arg - 1 if op in ra.ENHANCE else arg
        ours[names[op], float(np.sign(value)) if op not in (ra.POSTERIZE, ra.SOLARIZE) else 1.0] += 1
    signs = Counter[tuple[str, float]]()
    for (name, value), count in theirs.items():
        signs[name, float(np.sign(value))] += count
    assert set(ours) == set(signs) and len(ours) == 9 * 2 + 5
    assert sum(ours.values()) == sum(signs.values()) == 2 * n
    keys = sorted(ours)
    assert stats.chi2_contingency([[ours[k] for k in keys], [signs[k] for k in keys]]).pvalue > 1e-5
    assert (t.cutout, t.op_cubic) == (None, None)


def test_trap_T06_torchvisions_magnitude_0_still_changes_a_quarter_of_the_images(photos: Photos) -> None:
    images, n = photos(32, 2000), 2000
    changed = (run(images, table("tv-n2-m0", n)) != images).any((1, 2, 3))
    torch.manual_seed(0)
    theirs = RandAugment(2, 0)
    wanted = [(np.asarray(theirs(Image.fromarray(i))) != i).any() for i in images[:1000]]
    assert 0.20 < changed.mean() < 0.32
    counts = [[changed.sum(), n - changed.sum()], [sum(wanted), 1000 - sum(wanted)]]
    assert stats.chi2_contingency(counts).pvalue > 1e-5
    # An empty string is no RandAugment at all.
    nothing = table("", n)
    assert nothing.op is None and nothing.extra_op is None
    x, _ = apply(torch.from_numpy(images), torch.zeros(n, dtype=torch.int64), nothing, mean=(0, 0, 0), std=(1, 1, 1),
                 out_size=32, classes=2)  # fmt: skip
    assert np.array_equal(np.rint((x * 255).permute(0, 2, 3, 1).numpy()), images)


def by_tensorflow(image: np.ndarray, op: int, arg: float, middle: tuple[int, int]) -> np.ndarray:
    """What big_vision's autoaugment.py does to one uint8 [S, S, 3] image, pixel by pixel where it moves pixels."""
    side, arg = len(image), float(np.float32(arg))
    if op in (ra.TF_SHEAR_X, ra.TF_SHEAR_Y, ra.TRANSLATE_X, ra.TRANSLATE_Y):
        out = np.full_like(image, 128)
        for y in range(side):
            for x in range(side):
                at_x = x + (arg * y if op == ra.TF_SHEAR_X else arg * side if op == ra.TRANSLATE_X else 0.0)
                at_y = y + (arg * x if op == ra.TF_SHEAR_Y else arg * side if op == ra.TRANSLATE_Y else 0.0)
                column, row = (math.floor(float(np.float32(at)) + 0.5) for at in (at_x, at_y))
                if 0 <= column < side and 0 <= row < side:
                    out[y, x] = image[row, column]
        return out
    if op == ra.CUTOUT:
        out = image.copy()
        top, left = max(0, middle[0] - int(arg)), max(0, middle[1] - int(arg))
        out[top : middle[0] + int(arg), left : middle[1] + int(arg)] = 128
        return out
    if op == ra.TF_CONTRAST:
        grey = np.float32(min(255, side * side // 256))
        return np.clip(grey + np.float32(arg) * (image.astype(np.float32) - grey), 0, 255).astype(np.uint8)
    if op == ra.BRIGHTNESS:
        return np.clip(np.float32(arg) * image.astype(np.float32), 0, 255).astype(np.uint8)
    if op == ra.POSTERIZE:
        return (image >> (8 - int(arg))) << (8 - int(arg))
    if op == ra.SOLARIZE:
        return np.where(image < arg, image, 255 - image)
    assert op == ra.SOLARIZE_ADD
    return np.where(image < 128, np.minimum(255, image.astype(int) + int(arg)), image).astype(np.uint8)


@pytest.mark.parametrize("magnitude", [0, 7, 15, 20])
def test_tensorflows_operations(photos: Photos, magnitude: int) -> None:
    side, codes = 40, [ra.TF_SHEAR_X, ra.TF_SHEAR_Y, ra.TRANSLATE_X, ra.TRANSLATE_Y, ra.CUTOUT, ra.TF_CONTRAST,
                       ra.BRIGHTNESS, ra.POSTERIZE, ra.SOLARIZE, ra.SOLARIZE_ADD]  # fmt: skip
    op = np.repeat(codes, 4)[:, None]
    n = len(op)
    rng = np.random.default_rng(magnitude)
    arg = ra.tensorflow_arguments(op, magnitude, rng.random((n, 1)) < 0.5, side)
    cutout, images = rng.integers(0, side, (n, 1, 2)), photos(side, n)
    got = run(images, Table(n, 1, Augment(randaugment="tf"), op=op, arg=arg, cutout=cutout))
    for k in range(n):
        wanted = by_tensorflow(images[k], int(op[k, 0]), float(arg[k, 0]), tuple(cutout[k, 0].tolist()))
        assert np.array_equal(got[k], wanted), (op[k], arg[k])


def test_tensorflows_arguments_by_hand() -> None:
    rows = {
        ra.ROTATE: (0, 30, 45, 60), ra.TF_SHEAR_X: (0, 0.3, 0.45, 0.6), ra.TRANSLATE_Y: (0, 100 / 64, 150 / 64, 200 / 64),
        ra.CUTOUT: (0, 40, 60, 80), ra.COLOR: (0.1, 1.9, 2.8, 3.7), ra.TF_CONTRAST: (0.1, 1.9, 2.8, 3.7),
        ra.SOLARIZE_ADD: (0, 110, 165, 220), ra.POSTERIZE: (1, 4, 6, 8), ra.SOLARIZE: (0, 0, 128, 0),
        ra.AUTOCONTRAST: (0, 0, 0, 0),
    }  # fmt: skip
    for magnitude, column in zip((0, 10, 15, 20), range(4), strict=True):
        op = np.array(list(rows))
        got = ra.tensorflow_arguments(op, magnitude, np.zeros(len(op), bool), 64)
        assert got == pytest.approx([values[column] for values in rows.values()], abs=1e-12), magnitude
        mirrored = ra.tensorflow_arguments(op, magnitude, np.ones(len(op), bool), 64)
        signed = np.isin(op, [ra.ROTATE, ra.TF_SHEAR_X, ra.TRANSLATE_Y])
        assert np.allclose(mirrored, np.where(signed, -got, got))


def test_tensorflow_always_applies_one_of_sixteen_with_fair_signs() -> None:
    t = table("tf-n2-m15", 4000)
    counts = [int((t.op == code).sum()) for code in ra.TENSORFLOW]
    assert len(counts) == len(set(ra.TENSORFLOW.tolist())) == 16 and sum(counts) == 8000
    assert stats.chisquare(counts).pvalue > 1e-5
    moved = t.arg[np.isin(t.op, [ra.ROTATE, ra.TF_SHEAR_X, ra.TF_SHEAR_Y, ra.TRANSLATE_X, ra.TRANSLATE_Y])]
    assert stats.binomtest(int((moved > 0).sum()), len(moved)).pvalue > 1e-5
    for axis in (0, 1):
        places = np.bincount(t.cutout[..., axis].ravel(), minlength=32)
        assert len(places) == 32 and stats.chisquare(places).pvalue > 1e-5


def test_trap_T16_tensorflows_levels_above_ten_are_not_those_of_ten(photos: Photos) -> None:
    images = photos(32, 200)
    outputs = {m: run(images, table(f"tf-n2-m{m}", 200)) for m in (0, 10, 15, 20)}
    untouched = {m: (out == images).all((1, 2, 3)).mean() for m, out in outputs.items()}
    # light1 is the weakest level, not none: factors of 0.1, one bit, everything inverted.
    assert untouched[0] < 0.35
    for low, high in ((0, 10), (10, 15), (15, 20)):
        assert (outputs[low] != outputs[high]).any((1, 2, 3)).mean() > 0.4
