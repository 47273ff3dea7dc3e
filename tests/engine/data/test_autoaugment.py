"""AutoAugment: the tables against torchvision's and timm's, what is drawn of them, and the whole on photographs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from scipy import stats
from timm.data import auto_augment as timm_aa
from torchvision.transforms import AutoAugment, AutoAugmentPolicy, InterpolationMode
from torchvision.transforms import autoaugment as tv

from engine.data import randaugment as ra
from engine.data.apply import apply
from engine.data.draw import Table, draw
from engine.data.filters import blur
from engine.data.policies import POLICIES
from engine.recipe.schema import Augment, Mix

Photos = Callable[..., np.ndarray]
TORCHVISION, TIMM = ("imagenet", "cifar10", "svhn"), ("original", "originalr", "v0", "v0r")
UNSIGNED = {"AutoContrast", "Equalize", "Invert", "Posterize", "Solarize", "SolarizeAdd"}


def table(policy: str, batch: int, side: int = 32, **more) -> Table:
    augment = Augment(autoaugment=policy, **more)
    return draw(augment, Mix(), seed=1, epoch=0, step=0, batch=batch, in_size=(side, side), out_size=side)


@pytest.mark.parametrize("name", TORCHVISION)
def test_tables_are_torchvisions(name: str) -> None:
    theirs = AutoAugment(AutoAugmentPolicy(name)).policies
    ours = [[(ra.OPS[op], p, m) for op, p, m in pair] for pair in POLICIES[name]]
    assert len(ours) == 25
    for pair, wanted in zip(ours, theirs, strict=True):
        for (op, p, m), (their_op, their_p, their_m) in zip(pair, wanted, strict=True):
            assert (op, p) == (their_op, their_p) and (their_m is None or m == their_m)


@pytest.mark.parametrize("name", TIMM)
def test_tables_are_timms(name: str) -> None:
    theirs = timm_aa.auto_augment_policy(name)
    ours = POLICIES[{"original": "imagenet", "originalr": "imagenet", "v0r": "v0"}.get(name, name)]
    for pair, wanted in zip(ours, theirs, strict=True):
        names = [op.name.removesuffix("Increasing").removesuffix("Original").removesuffix("Rel") for op in wanted]
        assert [(ra.OPS[op], p, m) for op, p, m in pair] == [
            (name, op.prob, op.magnitude) for name, op in zip(names, wanted, strict=True)
        ]


def recorded_from_torchvision(
    name: str, images: int, monkeypatch: pytest.MonkeyPatch
) -> Counter[tuple[tuple[str, float], ...]]:
    """How often each sequence of operations and arguments was applied to an image."""
    out: Counter[tuple[tuple[str, float], ...]] = Counter()
    calls: list[tuple[str, float]] = []

    def record(img, name, magnitude, interpolation, fill):
        calls.append((name, round(magnitude, 4)))
        return img

    with monkeypatch.context() as patch:
        patch.setattr(tv, "_apply_op", record)
        torch.manual_seed(5)
        transform, picture = AutoAugment(AutoAugmentPolicy(name)), Image.new("RGB", (32, 32))
        for _ in range(images):
            calls.clear()
            transform(picture)
            out[tuple(calls)] += 1
    return out


def recorded_from_timm(name: str, images: int) -> Counter[tuple[tuple[str, float], ...]]:
    out: Counter[tuple[tuple[str, float], ...]] = Counter()
    calls: list[tuple[str, float]] = []
    transform = timm_aa.auto_augment_transform(name, {"img_mean": (124, 116, 104)})
    for pair in transform.policy:
        for op in pair:

            def record(img, *args, name=op.name, **_):
                plain = name.removesuffix("Increasing").removesuffix("Original").removesuffix("Rel")
                calls.append((plain, round(float(args[0]), 4) if args else 0.0))
                return img

            op.aug_fn = record
    random.seed(6)
    picture = Image.new("RGB", (4, 4))
    for _ in range(images):
        calls.clear()
        transform(picture)
        out[tuple(calls)] += 1
    return out


def ours(t: Table, torchvision: bool) -> Counter[tuple[tuple[str, float], ...]]:
    out: Counter[tuple[tuple[str, float], ...]] = Counter()
    for ops, args in zip(t.op.tolist(), t.arg.tolist(), strict=True):
        applied = []
        for op, arg in zip(ops, args, strict=True):
            if op < 0:
                continue
            name = ra.OPS[op]
            if torchvision and name.startswith("Translate"):
                arg = -arg * 32
            elif torchvision and op in ra.ENHANCE:
                arg -= 1
            applied.append((name, round(arg, 4) + 0.0))
        out[tuple(applied)] += 1
    return out


@pytest.mark.parametrize("name", [*TORCHVISION, *TIMM])
def test_drawn_sequences_follow_the_library(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n = 5000
    torchvision = name in TORCHVISION
    theirs = recorded_from_torchvision(name, n, monkeypatch) if torchvision else recorded_from_timm(name, n)
    if torchvision:
        # Their record holds translations in fractions of a pixel, which are cut to whole ones when applied.
        theirs = Counter({
            tuple((op, float(int(m)) if op.startswith("Translate") else m + 0.0) for op, m in key): count
            for key, count in theirs.items()
        })  # fmt: skip
    mine = ours(table(name, n), torchvision)
    frequent = sorted(key for key in set(theirs) | set(mine) if theirs[key] + mine[key] >= 20)
    assert len(frequent) > 40 and all(theirs[key] and mine[key] for key in frequent)
    rows = [[c[key] for key in frequent] for c in (theirs, mine)]
    rows = [[*row, n - sum(row)] for row in rows]
    assert stats.chi2_contingency(rows).pvalue > 1e-5
    # No rare sequence with an argument of its own either.
    assert {pair for key in mine for pair in key} == {pair for key in theirs for pair in key}


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvisions_policies_on_photographs(photos: Photos, name: str) -> None:
    side, n = 40, 80
    images = photos(side, n)
    t = table(name, n, side)
    x, _ = apply(torch.from_numpy(images), torch.zeros(n, dtype=torch.int64), t, mean=(0, 0, 0), std=(1, 1, 1),
                 out_size=side, classes=2)  # fmt: skip
    got = np.rint((x * 255).permute(0, 2, 3, 1).numpy())
    for k in range(n):
        picture = Image.fromarray(images[k])
        for op, arg in zip(t.op[k].tolist(), t.arg[k].tolist(), strict=True):
            if op >= 0:
                value = -arg * side if ra.OPS[op].startswith("Tr") else arg - 1 if op in ra.ENHANCE else arg
                value = round(value) if ra.OPS[op].startswith("Tr") else value
                picture = tv._apply_op(picture, ra.OPS[op], value, InterpolationMode.NEAREST, None)
        assert np.array_equal(got[k], np.asarray(picture)), (t.op[k], t.arg[k])


def test_timms_policies_use_the_loaders_filter_or_a_coin() -> None:
    assert table("original", 50).op_cubic.all()
    assert not table("v0", 50, interpolation="bilinear").op_cubic.any()
    coin = table("v0r", 2000, interpolation="random").op_cubic
    assert stats.binomtest(int(coin.sum()), coin.size).pvalue > 1e-5


def test_three_augment_is_one_of_grey_solarised_and_blurred(photos: Photos) -> None:
    side, n = 24, 3000
    t = table("3a", n, side)
    assert t.op.shape == (n, 1)
    counts = [int((t.op == code).sum()) for code in (ra.SOLARIZE, ra.COLOR, ra.BLUR)]
    assert sum(counts) == n and stats.chisquare(counts).pvalue > 1e-5
    radius = t.arg[t.op == ra.BLUR]
    assert stats.kstest(radius, stats.uniform(0.1, 1.9).cdf).pvalue > 1e-5
    # timm's own policy: the same three, at what it calls full magnitude.
    grey, solarised, blurred = (
        timm_aa.desaturate, timm_aa.solarize, lambda img, r: img.filter(ImageFilter.GaussianBlur(radius=r))
    )  # fmt: skip
    images, part = photos(side, 60), t.part(0, 1)
    x, _ = apply(torch.from_numpy(np.resize(images, (n, side, side, 3))), torch.zeros(n, dtype=torch.int64), part,
                 mean=(0, 0, 0), std=(1, 1, 1), out_size=side, classes=2)  # fmt: skip
    got = np.rint((x[:60] * 255).permute(0, 2, 3, 1).numpy())
    for k in range(60):
        picture, op = Image.fromarray(images[k]), int(t.op[k, 0])
        if op == ra.BLUR:
            wanted = blurred(picture, float(t.arg[k, 0]))
        else:
            wanted = grey(picture, 1.0) if op == ra.COLOR else solarised(picture, 128)
        assert np.array_equal(got[k], np.asarray(wanted)), (op, t.arg[k])


@pytest.mark.parametrize(("side", "channels"), [(1, 3), (3, 3), (32, 1), (47, 3)])
def test_blur_equals_pillows_to_the_bit(side: int, channels: int) -> None:
    rng = np.random.default_rng(side)
    images, radius = rng.integers(0, 256, (50, side, side, channels), np.uint8), rng.uniform(0.1, 2.0, 50)
    images[0] = 255
    got = blur(torch.from_numpy(images).permute(0, 3, 1, 2), radius).permute(0, 2, 3, 1).numpy()
    for image, result, r in zip(images, got, radius.tolist(), strict=True):
        picture = Image.fromarray(image[..., 0] if channels == 1 else image).filter(ImageFilter.GaussianBlur(r))
        assert np.array_equal(result, np.asarray(picture).reshape(image.shape)), r
    assert side == 1 or (got[1:] != images[1:]).mean() > 0.5
