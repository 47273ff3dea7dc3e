"""RandAugment against timm: every operation on photographs with Pillow as the judge, and what is drawn how often."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats
from timm.data import auto_augment as timm_aa

from engine.data import randaugment as ra
from engine.data.draw import draw
from engine.data.operations import operate
from engine.recipe import RecipeError, validate
from engine.recipe.randaugment import RandAugment, parse
from engine.recipe.schema import Augment, Mix

TIMM = {
    "AutoContrast": timm_aa.auto_contrast, "Equalize": timm_aa.equalize, "Invert": timm_aa.invert,
    "Rotate": timm_aa.rotate, "Posterize": timm_aa.posterize, "Solarize": timm_aa.solarize,
    "SolarizeAdd": timm_aa.solarize_add, "Color": timm_aa.color, "Contrast": timm_aa.contrast,
    "Brightness": timm_aa.brightness, "Sharpness": timm_aa.sharpness, "ShearX": timm_aa.shear_x,
    "ShearY": timm_aa.shear_y, "TranslateX": timm_aa.translate_x_rel, "TranslateY": timm_aa.translate_y_rel,
}  # fmt: skip
FILL = (124, 116, 104)
COUNT = 48


def by_pillow(image: np.ndarray, name: str, arg: float, cubic: bool) -> np.ndarray:
    """What timm does to one uint8 [S, S, C] image."""
    grey = image.shape[2] == 1
    fill = FILL[0] if grey else FILL
    resample = Image.Resampling.BICUBIC if cubic else Image.Resampling.BILINEAR
    if name in ("AutoContrast", "Equalize", "Invert"):
        args: tuple[float, ...] = ()
    else:
        args = (int(arg),) if name in ("Posterize", "Solarize", "SolarizeAdd") else (arg,)
    picture = Image.fromarray(image[..., 0] if grey else image)
    return np.asarray(TIMM[name](picture, *args, fillcolor=fill, resample=resample)).reshape(image.shape)


def ours(images: np.ndarray, op: np.ndarray, arg: np.ndarray, cubic: np.ndarray) -> np.ndarray:
    x = torch.from_numpy(images.copy()).permute(0, 3, 1, 2).contiguous()
    return operate(x, op, arg, fill=list(FILL[: images.shape[3]]), cubic=cubic).permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("name", ra.OPS)
@pytest.mark.parametrize(("side", "channels"), [(8, 1), (32, 3), (32, 1), (75, 3)])
def test_operation_equals_pillows(photos: Callable[..., np.ndarray], name: str, side: int, channels: int) -> None:
    images, rng = photos(side, COUNT, channels), np.random.default_rng(side)
    op = np.full(COUNT, ra.OPS.index(name))
    magnitude = np.clip(rng.normal(8, 3, COUNT), 0, 9.9)  # at 10 Posterize keeps no bit: another test
    arg = ra.arguments(op, magnitude, rng.random(COUNT) < 0.5, increasing=True)
    cubic = rng.random(COUNT) < 0.5
    got = ours(images, op[:, None], arg[:, None], cubic[:, None])
    wanted = np.stack([by_pillow(images[n], name, arg[n], bool(cubic[n])) for n in range(COUNT)])
    difference = np.abs(got.astype(int) - wanted.astype(int))
    # Bit for bit on x86-64; a compiler that fuses multiply and add may move a rare pixel by one level.
    assert difference.max() <= 1 and (difference > 0).mean() < 1e-3
    # Pillow leaves alone the colour of grey images, and the histogram of images of fewer than 255 pixels.
    if not (name == "Color" and channels == 1) and not (name == "Equalize" and side == 8):
        assert (got != images).any()


def test_posterize_to_no_bits_is_black(photos) -> None:
    out = ours(photos(16, 2), np.full((2, 1), ra.POSTERIZE), np.zeros((2, 1)), np.ones((2, 1), bool))
    assert not out.any()


@pytest.mark.parametrize("channels", [1, 3])
def test_flat_and_tiny_images_do_not_break_any_operation(channels: int) -> None:
    for side in (1, 2, 3):
        images = np.full((15, side, side, channels), 77, np.uint8)
        op = np.arange(15)
        arg = ra.arguments(op, np.full(15, 9.0), np.zeros(15, bool), increasing=True)
        out = ours(images, op[:, None], arg[:, None], np.arange(15)[:, None] % 2 == 0)
        for n, name in enumerate(ra.OPS):
            wanted = by_pillow(images[n], name, arg[n], n % 2 == 0)
            assert np.abs(out[n].astype(int) - wanted).max() <= 1, (name, side)


def test_layers_are_applied_one_after_the_other(photos) -> None:
    images = photos(32, 60)
    t = draw(Augment(randaugment="rand-m9-mstd0.5-inc1-n3", interpolation="random"), Mix(), seed=4, epoch=0, step=0,
             batch=60, in_size=(32, 32), out_size=32)  # fmt: skip
    got = ours(images, t.op, t.arg, t.op_cubic)
    wanted = images.copy()
    for n in range(60):
        for layer in range(3):
            name = ra.OPS[t.op[n, layer]] if t.op[n, layer] >= 0 else None
            if name == "Posterize" and t.arg[n, layer] == 0:
                wanted[n] = 0
            elif name:
                wanted[n] = by_pillow(wanted[n], name, t.arg[n, layer], bool(t.op_cubic[n, layer]))
    difference = np.abs(got.astype(int) - wanted.astype(int))
    assert (difference > 1).mean() < 1e-3 and (difference > 0).mean() < 5e-3
    untouched = (t.op < 0).all(1)
    assert untouched.any() and np.array_equal(got[untouched], images[untouched])


def recorded_from_timm(text: str, images: int) -> tuple[dict[str, list[float]], int]:
    """Arguments timm would have used, by operation, and the number of images no operation touched."""
    transform = timm_aa.rand_augment_transform(text, {"img_mean": (124, 116, 104)})
    calls: dict[str, list[float]] = defaultdict(list)
    touched = [0]
    for op in transform.ops:

        def record(img, *args, name=op.name, **_):
            calls[name].append(float(args[0]) if args else 0.0)
            touched[0] += 1
            return img

        op.aug_fn = record
    idle = 0
    picture = Image.new("RGB", (4, 4))
    for _ in range(images):
        touched[0] = 0
        transform(picture)
        idle += touched[0] == 0
    return calls, idle


@pytest.mark.parametrize(
    "text", ["rand-m9-mstd0.5-inc1", "rand-m7-mstd101-inc1-p0.8", "rand-m6-n3-mstd2", "rand-m15-mmax20-inc1"]
)
def test_drawn_operations_and_arguments_follow_timms_distribution(text: str) -> None:
    import random

    random.seed(1)
    np.random.seed(1)
    n = 4000
    theirs, their_idle = recorded_from_timm(text, n)
    t = draw(Augment(randaugment=text), Mix(), seed=1, epoch=2, step=3, batch=n, in_size=(32, 32), out_size=32)
    our_counts = [int((t.op == o).sum()) for o in range(15)]
    names = [name + ("Rel" if name.startswith("Translate") else "") for name in ra.OPS]
    if "inc1" in text:
        increasing = ("Posterize", "Solarize", "Color", "Contrast", "Brightness", "Sharpness")
        names = [name + ("Increasing" if name in increasing else "") for name in names]
    their_counts = [len(theirs[name]) for name in names]
    assert sum(their_counts) > 0 and set(theirs) == set(names)
    assert stats.chi2_contingency([our_counts, their_counts]).pvalue > 1e-5
    our_idle = int((t.op < 0).all(1).sum())
    assert stats.chi2_contingency([[our_idle + 1, n - our_idle], [their_idle + 1, n - their_idle]]).pvalue > 1e-5
    for o, name in enumerate(names):
        mine = t.arg[t.op == o]
        assert stats.ks_2samp(mine, theirs[name]).pvalue > 1e-5, (name, mine[:5], theirs[name][:5])
        assert mine.min() == pytest.approx(min(theirs[name]), abs=0.2 * max(1e-9, np.ptp(mine)) + 1e-9)


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("rand-m9-tweights", "tweights"), ("rand-x3", "x3"), ("rand-m9.5", "m9.5"), ("rand-", '""'), ("aug-m9", "aug"),
        ("rand-p1.5", "p from 0 to 1"), ("rand-n0", "n from 1"), ("rand-m9-mstd", "mstd"), ("rand-w1", "w1"),
        ("rand-m9-m3", "m twice"), ("tv-m31", "m from 0 to 30"), ("tv-n0", "n from 1"), ("tf-m21", "m from 0 to 20"),
        ("tv-n2-mstd0.5", "mstd0.5.*allowed are n2, m9"), ("tf-p0.5", "p0.5.*allowed are n2, m15"),
    ],
)  # fmt: skip
def test_an_unknown_piece_is_named(text: str, piece: str) -> None:
    with pytest.raises(ValueError, match=piece):
        parse(text)


def test_parse() -> None:
    assert parse("rand-m9-mstd0.5-inc1") == RandAugment(9, 0.5, True, 2, 0.5, 10)
    assert parse("rand-m3-n1-p0.7-mmax30-mstd101") == RandAugment(3, float("inf"), False, 1, 0.7, 30)
    assert parse("rand") == RandAugment()
    assert parse("tv-n3-m0") == RandAugment(0, 0.0, False, 3, 1.0, 30, "tv")
    assert parse("tv") == RandAugment(9, 0.0, False, 2, 1.0, 30, "tv")
    assert parse("tf-m15") == RandAugment(15, 0.0, False, 2, 1.0, 20, "tf")


def test_trap_T16_a_magnitude_above_its_cap_is_refused_and_never_clipped() -> None:
    # timm clips m15 to 10 without mmax and says nothing, which makes AugReg's medium and strong levels one.
    for text, cap in (("rand-m15", "mmax10"), ("rand-m20-mmax15", "mmax15"), ("rand-m11-mstd101", "mmax10")):
        with pytest.raises(ValueError, match=rf"above its cap {cap}, .*add mmax"):
            parse(text)
    with pytest.raises(RecipeError, match=r'augment.randaugment: m15 in "rand-m15-inc1" is above its cap mmax10'):
        validate({"augment": {"randaugment": "rand-m15-inc1"}})
    drawn = [
        draw(Augment(randaugment=text), Mix(), seed=1, epoch=0, step=0, batch=400, in_size=(32, 32), out_size=32)
        for text in ("rand-m10-n2-p1", "rand-m15-n2-p1-mmax20", "rand-m20-n2-p1-mmax20")
    ]
    largest = [np.abs(t.arg[t.op == ra.ROTATE]).max() for t in drawn]
    assert largest == pytest.approx([30, 45, 60])
