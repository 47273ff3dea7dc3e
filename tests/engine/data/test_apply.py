"""Tables applied to photographs: Pillow and timm as judges, and independence of everything but image and row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats
from timm.data.mixup import Mixup, mixup_target
from torchvision.transforms import functional as TF

from engine.data.apply import apply, normalize
from engine.data.draw import CUTMIX, MIXUP, Table, draw
from engine.data.noise import normals
from engine.data.resample import crop_weights, resample, resize_and_crop, weights
from engine.recipe.schema import Augment, Mix

MEAN, STD = (0.48, 0.45, 0.40), (0.25, 0.24, 0.26)
EVERYTHING = Augment(hflip=0.5, crop="resized", interpolation="random", randaugment="rand-m9-mstd0.5-inc1", erasing=0.5)
EVERY_OTHER_THING = Augment(
    hflip=0.5, vflip=0.5, crop="larger", resize=50, randaugment="tf-n2-m9", color_jitter=0.4, color_jitter_hue=0.1,
    color_jitter_prob=0.8, grayscale=0.2, equalize=0.3, sharpness=0.3, rotation=10, erasing=0.2, erasing_mode="rand",
)  # fmt: skip
THREE = Augment(autoaugment="3a", color_jitter=0.3, vflip=0.5)
Photos = Callable[..., np.ndarray]


def table(augment: Augment, mix: Mix, batch: int, size: tuple[int, int], out: int, **more) -> Table:
    return draw(augment, mix, **({"seed": 7, "epoch": 0, "step": 0} | more), batch=batch, in_size=size, out_size=out)


def run(images: np.ndarray, t: Table, out: int, labels=None, smoothing=0.0, classes=10):
    y = torch.arange(len(images)) % classes if labels is None else labels
    c = images.shape[3]
    return apply(
        torch.from_numpy(images), y, t, mean=MEAN[:c], std=STD[:c], out_size=out, classes=classes, smoothing=smoothing
    )


def levels(x: torch.Tensor) -> np.ndarray:
    """Normalised images back on 0..255, [B, H, W, C]."""
    c = x.shape[1]
    mean, std = torch.tensor(MEAN[:c]).view(-1, 1, 1), torch.tensor(STD[:c]).view(-1, 1, 1)
    return ((x * std + mean) * 255).permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize(("side", "out"), [(32, 32), (32, 112), (96, 64), (8, 8), (48, 20), (64, 64)])
@pytest.mark.parametrize("channels", [1, 3])
def test_resized_crop_and_flip_equal_pillows_to_the_bit(photos: Photos, side: int, out: int, channels: int) -> None:
    images, n = photos(side, 24, channels), 24
    t = table(Augment(crop="resized", hflip=0.5, interpolation="random"), Mix(), n, (side, side), out)
    got = np.rint(levels(run(images, t, out)[0]))
    for k in range(n):
        top, left, h, w = t.crop[k].tolist()
        filter_ = Image.Resampling.BICUBIC if t.cubic[k] else Image.Resampling.BILINEAR
        picture = Image.fromarray(images[k].squeeze()).crop((left, top, left + w, top + h))
        # In two calls, because Pillow 13 may otherwise resize along columns first.
        picture = picture.resize((out, h), filter_).resize((out, out), filter_)
        wanted = np.asarray(TF.hflip(picture) if t.flip[k] else picture).reshape(out, out, channels)
        assert np.array_equal(got[k], wanted), (k, t.crop[k], t.cubic[k])


def test_resized_crop_is_within_a_level_or_so_of_timms_own_call(photos: Photos) -> None:
    images, n = photos(32, 60), 60
    t = table(Augment(crop="resized", scale=(0.3, 1.0)), Mix(), n, (32, 32), 32)
    got = levels(run(images, t, 32)[0])
    wanted = np.stack(
        [
            np.asarray(
                TF.resized_crop(Image.fromarray(images[k]), *t.crop[k].tolist(), (32, 32), TF.InterpolationMode.BICUBIC)
            )
            for k in range(n)
        ]
    )
    assert (np.abs(got - wanted) > 1.01).mean() < 2e-3


def test_matrices_kept_and_matrices_computed_are_the_same() -> None:
    rng = np.random.default_rng(0)
    start, length = rng.integers(0, 10, 40), rng.integers(1, 20, 40)
    cubic, flip = rng.random(40) < 0.5, rng.random(40) < 0.5
    kept = crop_weights(start, length, cubic, flip, 30, 16, torch.device("cpu"))
    for k in range(40):
        w = weights(torch.tensor([start[k]]), torch.tensor([length[k]]), torch.tensor([cubic[k]]), 30, 16)
        assert torch.equal(kept[k], w[0].flip(0) if flip[k] else w[0])
    assert torch.allclose(kept.sum(2), torch.ones(40, 16, dtype=torch.float64), atol=1e-5)


@pytest.mark.parametrize(
    ("height", "width", "out", "crop_pct", "cubic"),
    [
        (32, 32, 32, 0.875, True),
        (64, 48, 32, 0.9, True),
        (48, 64, 56, 0.95, False),
        (60, 100, 112, 0.875, True),
        (33, 57, 29, 1.0, True),
    ],
)
def test_evaluation_equals_timms_transform_to_the_bit(photos: Photos, height, width, out, crop_pct, cubic) -> None:
    from timm.data.transforms_factory import transforms_imagenet_eval

    images = photos(128, 4)[:, :height, :width].copy()
    theirs = transforms_imagenet_eval(
        out, crop_pct=crop_pct, interpolation="bicubic" if cubic else "bilinear", use_prefetcher=True
    )
    wanted = np.stack([np.asarray(theirs(Image.fromarray(image))) for image in images])
    assert np.array_equal(resize_and_crop(torch.from_numpy(images), int(out / crop_pct), out, cubic).numpy(), wanted)


def test_no_augmentation_only_normalises(photos: Photos) -> None:
    # Trap: "no RandAugment" must be none at all; torchvision's at magnitude 0 still changes a quarter of the images.
    images = photos(32, 64)
    before = images.copy()
    x, targets = run(images, table(Augment(), Mix(), 64, (32, 32), 32), 32)
    theirs = (torch.from_numpy(images).permute(0, 3, 1, 2) / 255 - torch.tensor(MEAN).view(-1, 1, 1)) / torch.tensor(
        STD
    ).view(-1, 1, 1)
    assert torch.allclose(x, theirs, atol=1e-5) and np.array_equal(np.rint(levels(x)), images)
    assert targets.dtype == torch.int64 and np.array_equal(images, before)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "augment",
    [
        Augment(hflip=1.0),
        Augment(hflip=1.0, randaugment="rand-m9", erasing=1.0),
        EVERYTHING,
        THREE,
        EVERY_OTHER_THING,
        Augment(crop="larger", resize=32),
        Augment(vflip=1.0),
    ],
)
def test_what_is_given_is_never_changed(photos: Photos, channels: int, augment: Augment) -> None:
    images = photos(32, 16, channels)
    before = images.copy()
    run(images, table(augment, Mix(mixup=1.0), 16, (32, 32), 32), 32)
    assert np.array_equal(images, before)


@pytest.mark.parametrize("mode", ["constant", "reflect"])
@pytest.mark.parametrize("channels", [1, 3])
def test_pad_crop_equals_torchvisions(photos: Photos, mode: str, channels: int) -> None:
    images = photos(32, 40, channels)
    t = table(Augment(crop="pad", pad=5, pad_mode=mode, hflip=0.5), Mix(), 40, (32, 32), 32)
    got = np.rint(levels(run(images, t, 32)[0]))
    for k in range(40):
        picture = TF.pad(Image.fromarray(images[k].squeeze()), 5, padding_mode=mode)
        top, left = t.crop[k, :2].tolist()
        picture = picture.crop((left, top, left + 32, top + 32))
        wanted = np.asarray(TF.hflip(picture) if t.flip[k] else picture).reshape(32, 32, channels)
        assert np.array_equal(got[k], wanted)


def test_padding_wider_than_the_image(photos: Photos) -> None:
    t = table(Augment(crop="pad", pad=20, pad_mode="reflect"), Mix(), 6, (8, 8), 8)
    images = photos(8, 6)
    got = np.rint(levels(run(images, t, 8)[0]))
    for k in range(6):
        wide = np.pad(images[k], ((20, 20), (20, 20), (0, 0)), mode="reflect")
        top, left = t.crop[k, :2]
        assert np.array_equal(got[k], wide[top : top + 8, left : left + 8])


def test_resizing_comes_before_padding(photos: Photos) -> None:
    images = photos(28, 4)
    t = replace(table(Augment(crop="pad", pad=4), Mix(), 4, (28, 28), 32), crop=np.array([[4, 4, 32, 32]] * 4))
    wanted = np.stack([np.asarray(Image.fromarray(i).resize((32, 32), Image.Resampling.BICUBIC)) for i in images])
    assert np.array_equal(np.rint(levels(run(images, t, 32)[0])), wanted)


@pytest.mark.parametrize(
    ("everything", "mix", "order"),
    [
        (EVERYTHING, Mix(), "mix-erase"),
        (EVERYTHING, Mix(mixup=0.8, cutmix=1.0), "mix-erase"),
        (EVERYTHING, Mix(mixup=0.8, cutmix=1.0), "erase-mix"),
        (EVERY_OTHER_THING, Mix(mixup=0.8, pairing="big-vision"), "mix-erase"),
        (THREE, Mix(), "mix-erase"),
    ],
)
def test_micro_batches_together_and_one_by_one_are_the_same(photos, everything: Augment, mix: Mix, order: str) -> None:
    augment = everything.model_copy(update={"order": order})
    images, labels = photos(32, 64), torch.arange(64) % 10
    t = table(augment, mix, 64, (32, 32), 32, parts=4)
    whole = run(images, t, 32, labels, 0.1)
    for n in range(4):
        rows = slice(16 * n, 16 * n + 16)
        part = run(images[rows], t.part(n, n + 1), 32, labels[rows], 0.1)
        assert torch.equal(whole[0][rows], part[0]) and torch.equal(whole[1][rows], part[1])


@pytest.mark.parametrize(
    ("everything", "side", "out"),
    [(EVERYTHING, 32, 32), (EVERYTHING, 32, 48), (EVERYTHING, 64, 24), (EVERY_OTHER_THING, 32, 48), (THREE, 32, 32)],
)
def test_an_image_does_not_depend_on_its_batch(photos: Photos, everything: Augment, side: int, out: int) -> None:
    images, n = photos(side, 24), 24
    t = table(everything, Mix(), n, (side, side), out)
    whole = run(images, t, out)[0]
    order = np.random.default_rng(1).permutation(n)
    names = ("crop", "flip", "vflip", "cubic", "op", "arg", "op_cubic", "cutout", "extra_op", "extra_arg", "erase",
             "noise")  # fmt: skip
    names = tuple(name for name in names if getattr(t, name) is not None)
    shuffled = replace(t, **{name: getattr(t, name)[order] for name in names})
    assert torch.equal(run(images[order], shuffled, out)[0], whole[order])
    for k in range(0, n, 5):
        alone = replace(t, samples=1, **{name: getattr(t, name)[k : k + 1] for name in names})
        assert torch.equal(run(images[k : k + 1], alone, out)[0][0], whole[k])


def test_the_same_input_gives_the_same_bits_whatever_torch_drew_before(photos: Photos) -> None:
    images, t = photos(32, 32), table(EVERYTHING, Mix(mixup=0.8), 32, (32, 32), 32)
    torch.manual_seed(1)
    first = run(images, t, 32)
    torch.manual_seed(2)
    torch.rand(100)
    second = run(images, t, 32)
    assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1])


def mixed_table(kind: int, lam: float, box=(0, 0, 0, 0), order="mix-erase", batch=8, side=32) -> Table:
    t = table(Augment(order=order), Mix(mixup=1.0), batch, (side, side), side)
    return replace(t, mix=np.array([kind]), lam=np.array([lam]), box=np.array([box]))


@pytest.mark.parametrize("how", [Augment(vflip=0.5, hflip=0.5), Augment(vflip=0.5, hflip=0.5, crop="resized")])
def test_vertical_flips(photos: Photos, how: Augment) -> None:
    images = photos(32, 40)
    t = table(how, Mix(), 40, (32, 32), 32)
    got, plain = (run(images, t if flip else replace(t, vflip=None), 32)[0] for flip in (True, False))
    for k in range(40):
        assert torch.equal(got[k], plain[k].flip(1) if t.vflip[k] else plain[k])
    assert 5 < t.vflip.sum() < 35


@pytest.mark.parametrize(
    ("height", "width", "resize", "out"), [(32, 32, 40, 28), (40, 56, 32, 32), (50, 30, 44, 32), (40, 52, 40, 32)]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_crops_out_of_a_resized_image_equal_pillows_to_the_bit(photos, height, width, resize, out, channels) -> None:
    images, n = photos(56, 24, channels)[:, :height, :width].copy(), 24
    how = Augment(crop="larger", resize=resize, interpolation="random", hflip=0.5)
    t = table(how, Mix(), n, (height, width), out)
    got = np.rint(levels(run(images, t, out)[0]))
    for k in range(n):
        picture = Image.fromarray(images[k].squeeze())
        short, (top, left) = min(height, width), t.crop[k, :2].tolist()
        whole = int(resize * width / short), int(resize * height / short)
        if t.cubic is not None:
            filter_ = Image.Resampling.BICUBIC if t.cubic[k] else Image.Resampling.BILINEAR
            picture = picture.resize((whole[0], height), filter_).resize(whole, filter_)
        picture = picture.crop((left, top, left + out, top + out))
        wanted = np.asarray(TF.hflip(picture) if t.flip[k] else picture).reshape(out, out, channels)
        assert np.array_equal(got[k], wanted), k


@pytest.mark.parametrize("order", ["mix-erase", "erase-mix"])
def test_big_vision_mixes_neighbours_without_rounding(photos: Photos, order: str) -> None:
    images, lam = photos(32, 8), 0.7
    t = replace(mixed_table(MIXUP, lam, order=order), pairing="big-vision")
    x, targets = run(images, t, 32, smoothing=0.1)
    plain = normalize(torch.from_numpy(images).permute(0, 3, 1, 2), MEAN, STD)
    assert torch.allclose(x, lam * plain + (1 - lam) * torch.roll(plain, 1, 0), atol=1e-5)
    one = torch.nn.functional.one_hot(torch.arange(8), 10) * 0.9 + 0.01
    assert torch.allclose(targets, lam * one + (1 - lam) * torch.roll(one, 1, 0), atol=1e-6)
    # In two micro-batches the first of each has the last of its own for a neighbour.
    halves = replace(t, parts=2, mix=np.full(2, MIXUP), lam=np.full(2, lam), box=np.zeros((2, 4), np.int64))
    x2, _ = run(images, halves, 32)
    assert torch.allclose(x2[4], lam * plain[4] + (1 - lam) * plain[7], atol=1e-5) and torch.equal(x2[5], x[5])


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.3])
def test_trap_T02_smoothing_in_mixed_targets_follows_its_field(photos: Photos, smoothing: float) -> None:
    # The reproduction of Tiny ImageNet had 0.1 built into its mixer, so that its ablation of smoothing was a rerun.
    _, targets = run(photos(32, 8), mixed_table(MIXUP, 0.75), 32, smoothing=smoothing)
    off = smoothing / 10
    assert targets[0].tolist() == pytest.approx([0.75 * (1 - smoothing) + off, *[off] * 6, 0.25 * (1 - smoothing) + off,
                                                 off, off], abs=1e-6)  # fmt: skip


def test_trap_T08_mixup_keeps_pixel_values(photos: Photos) -> None:
    # Maevit fed normalised floats to a mixer of uint8: 0, 1, 2, 3, 253, 254, 255 were all that was left of a picture.
    images = photos(32, 8)
    x, targets = run(images, mixed_table(MIXUP, 0.3), 32, smoothing=0.1)
    wanted = np.rint(images.astype(np.float32) * np.float32(0.3) + images[::-1].astype(np.float32) * np.float32(0.7))
    assert np.array_equal(np.rint(levels(x)), wanted)
    assert all(len(np.unique(image)) > 20 for image in np.rint(levels(x)))
    assert torch.allclose(targets, mixup_target(torch.arange(8), 10, 0.3, 0.1), atol=1e-6)
    assert torch.allclose(targets.sum(1), torch.ones(8), atol=1e-6)


def test_mixup_after_normalising_equals_timms_mixup(photos: Photos) -> None:
    images, labels = photos(32, 8), torch.arange(8)
    x, targets = run(images, mixed_table(MIXUP, 0.3, order="erase-mix"), 32, smoothing=0.1)
    theirs = Mixup(mixup_alpha=1.0, num_classes=10, label_smoothing=0.1)
    theirs._params_per_batch = lambda: (0.3, False)
    wanted, wanted_targets = theirs(normalize(torch.from_numpy(images).permute(0, 3, 1, 2), MEAN, STD), labels)
    assert torch.allclose(x, wanted, atol=1e-5) and torch.allclose(targets, wanted_targets, atol=1e-6)


def test_cutmix_puts_the_partners_rectangle_in(photos: Photos) -> None:
    images = photos(32, 8)
    lam = 1 - 10 * 12 / 32**2
    x, targets = run(images, mixed_table(CUTMIX, lam, (5, 15, 20, 32)), 32)
    wanted = images.copy()
    wanted[:, 5:15, 20:32] = images[::-1][:, 5:15, 20:32]
    assert np.array_equal(np.rint(levels(x)), wanted)
    assert torch.allclose(targets, mixup_target(torch.arange(8), 10, lam, 0.0), atol=1e-6)


def test_an_unmixed_batch_of_a_mixing_recipe_has_soft_targets_still(photos: Photos) -> None:
    images = photos(32, 8)
    x, targets = run(images, mixed_table(0, 1.0), 32, smoothing=0.2)
    assert np.array_equal(np.rint(levels(x)), images)
    assert targets[3, 3] == pytest.approx(0.8 + 0.02) and targets[3, 4] == pytest.approx(0.02)


@pytest.mark.parametrize("mode", ["const", "rand", "pixel"])
def test_erasing_fills_its_rectangle_after_normalisation(photos: Photos, mode: str) -> None:
    images = photos(32, 200)
    t = table(Augment(erasing=0.6, erasing_mode=mode), Mix(), 200, (32, 32), 32)
    x = run(images, t, 32)[0]
    plain = run(images, table(Augment(), Mix(), 200, (32, 32), 32), 32)[0]
    filled = []
    for k in range(200):
        top, left, h, w = t.erase[k].tolist()
        inside = torch.zeros(32, 32, dtype=torch.bool)
        inside[top : top + h, left : left + w] = True
        assert torch.equal(x[k][:, ~inside], plain[k][:, ~inside])
        if h:
            filled.append(x[k][:, inside])
    assert len(filled) > 80
    if mode == "const":
        assert not torch.cat([f.flatten() for f in filled]).any()
    elif mode == "rand":
        assert all((f == f[:, :1]).all() for f in filled)
        assert stats.kstest(torch.stack([f[:, 0] for f in filled]).flatten().numpy(), "norm").pvalue > 1e-5
    else:
        assert stats.kstest(torch.cat([f.flatten() for f in filled]).numpy()[::7], "norm").pvalue > 1e-5


def test_erasing_before_mixing_shows_through_both_images(photos: Photos) -> None:
    images = photos(32, 2)
    box = np.array([[4, 4, 8, 8], [20, 20, 8, 8]])
    for order, value in (("erase-mix", None), ("mix-erase", 0.0)):
        t = replace(mixed_table(MIXUP, 0.5, order=order, batch=2), erase=box, noise=np.zeros((2, 2), np.uint32),
                    augment=Augment(order=order, erasing_mode="const", erasing=1.0))  # fmt: skip
        x = run(images, t, 32)[0]
        if value is None:  # half of the partner is still there
            assert x[0, :, 4:12, 4:12].abs().sum() > 0 and torch.allclose(x[0], x[1])
        else:
            assert not x[0, :, 4:12, 4:12].any() and not x[1, :, 20:28, 20:28].any() and x[0, :, 20:28, 20:28].any()


def test_noise_is_normal_and_follows_its_key() -> None:
    rng = np.random.default_rng(0)
    keys = torch.from_numpy(rng.integers(0, 2**32, (64, 2), np.uint32).view(np.int32))
    z = normals(keys, 3001)
    assert z.shape == (64, 3001) and torch.isfinite(z).all()
    assert stats.kstest(z.flatten().numpy()[::5], "norm").pvalue > 1e-5
    correlation = np.corrcoef(z.numpy())
    assert np.abs(correlation - np.eye(64)).max() < 0.1
    shifted = np.corrcoef(z[:, :-1].flatten().numpy(), z[:, 1:].flatten().numpy())[0, 1]
    assert abs(shifted) < 0.01
    assert torch.equal(normals(keys[5:6], 3001)[0], z[5])


def test_resampling_by_identity_changes_nothing(photos: Photos) -> None:
    images = torch.from_numpy(photos(16, 3))
    eye = torch.eye(16, dtype=torch.float64)[None]
    assert torch.equal(resample(images, eye, eye), images.permute(0, 3, 1, 2))


def test_histogram_of_the_whole_pipeline_follows_timms(photos: Photos) -> None:
    import random

    from timm.data.transforms_factory import transforms_imagenet_train

    random.seed(5)
    np.random.seed(5)
    torch.manual_seed(5)
    n = 1500
    images = photos(32, n)
    # Magnitudes of 8: at 10, timm's own Posterize fails on Pillow 13.
    theirs = transforms_imagenet_train(
        32, auto_augment="rand-m8-inc1", interpolation="random", mean=MEAN, color_jitter=None, use_prefetcher=True
    )
    wanted = np.stack([np.asarray(theirs(Image.fromarray(image))) for image in images]).transpose(0, 2, 3, 1)
    augment = Augment(crop="resized", hflip=0.5, interpolation="random", randaugment="rand-m8-inc1")
    got = np.rint(levels(run(images, table(augment, Mix(), n, (32, 32), 32), 32)[0]))
    assert got.mean() == pytest.approx(wanted.mean(), abs=3) and got.std() == pytest.approx(wanted.std(), abs=2.5)
    ours, other = (np.histogram(v, 32, (0, 256))[0] / v.size for v in (got, wanted))
    assert np.abs(np.cumsum(ours) - np.cumsum(other)).max() < 0.02
