"""Color jitter, sharpening, equalisation, grey and rotation: torchvision as the judge, drawn and applied."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats
from torchvision.transforms import ColorJitter, InterpolationMode
from torchvision.transforms import functional as TF

from engine.data import randaugment as ra
from engine.data.apply import apply
from engine.data.draw import Table, draw
from engine.data.hue import turn
from engine.recipe.schema import Augment, Mix

Photos = Callable[..., np.ndarray]
ADJUST = {
    ra.BRIGHTNESS: TF.adjust_brightness, ra.CONTRAST: TF.adjust_contrast, ra.COLOR: TF.adjust_saturation,
    ra.HUE: TF.adjust_hue,
}  # fmt: skip
JITTER = (ra.BRIGHTNESS, ra.CONTRAST, ra.COLOR, ra.HUE)
ALL = {
    "color_jitter": 0.4, "color_jitter_hue": 0.1, "color_jitter_prob": 0.8, "grayscale": 0.2, "equalize": 0.3,
    "sharpness": 0.25, "rotation": 7.0,
}  # fmt: skip


def table(batch: int, side: int = 32, step: int = 0, **augment) -> Table:
    where = {"seed": 1, "epoch": 0, "step": step, "in_size": (side, side), "out_size": side}
    return draw(Augment(**augment), Mix(), batch=batch, **where)


def run(images: np.ndarray, t: Table) -> np.ndarray:
    n, side, c = len(images), images.shape[1], images.shape[3]
    x, _ = apply(torch.from_numpy(images), torch.zeros(n, dtype=torch.int64), t, mean=(0.0,) * c, std=(1.0,) * c,
                 out_size=side, classes=2)  # fmt: skip
    return np.rint((x * 255).permute(0, 2, 3, 1).numpy()).astype(np.uint8)


def test_hue_equals_pillows_for_every_kind_of_colour() -> None:
    rng = np.random.default_rng(0)
    # A quarter of all of one plane of colours, those near grey, and others at random.
    plane = np.stack(np.meshgrid(np.arange(256), np.arange(256), [0, 85, 127, 255]), -1).reshape(-1, 3)
    near = rng.integers(0, 250, (100_000, 1)) + rng.integers(0, 6, (100_000, 3))
    colours = (
        np.concatenate([plane, near, rng.integers(0, 256, (137_856, 3))]).astype(np.uint8).reshape(1, 500, 1000, 3)
    )
    for turns in (0.0, 0.07, -0.5):
        got = turn(torch.from_numpy(colours).permute(0, 3, 1, 2), np.array([turns]))[0].permute(1, 2, 0).numpy()
        assert np.array_equal(got, np.asarray(TF.adjust_hue(Image.fromarray(colours[0]), turns))), turns
    assert (got != colours[0]).mean() > 0.5
    grey = torch.from_numpy(colours[..., :1]).permute(0, 3, 1, 2)
    assert torch.equal(turn(grey, np.array([0.3])), grey)


@pytest.mark.parametrize("channels", [1, 3])
def test_everything_equals_torchvisions_in_the_documented_order(photos: Photos, channels: int) -> None:
    images, n = photos(33, 150, channels), 150
    t = table(n, 33, **ALL)
    assert t.extra_op.shape == (n, 8) and t.op is None
    got = run(images, t)
    for k in range(n):
        picture = Image.fromarray(images[k].squeeze())
        op, arg = t.extra_op[k].tolist(), t.extra_arg[k].tolist()
        for code, value in zip(op[:4], arg[:4], strict=True):
            picture = picture if code < 0 else ADJUST[code](picture, value)
        picture = picture if op[4] < 0 else TF.adjust_sharpness(picture, 2.0)
        picture = picture if op[5] < 0 else TF.equalize(picture)
        picture = picture if op[6] < 0 else TF.to_grayscale(picture, channels)
        picture = TF.rotate(picture, arg[7], InterpolationMode.NEAREST, fill=0)
        assert op[4:] == [o if o < 0 else w for o, w in zip(op[4:], JITTER_REST, strict=True)]
        assert np.array_equal(got[k], np.asarray(picture).reshape(33, 33, channels)), (op, arg)


JITTER_REST = [ra.SHARPNESS, ra.EQUALIZE, ra.COLOR, ra.ROTATE]


@pytest.mark.parametrize(("jitter", "hue"), [(0.4, 0.1), (1.0, 0.5), (0.3, 0.0), (0.0, 0.2)])
def test_jitter_is_drawn_as_torchvision_draws_it(jitter: float, hue: float) -> None:
    n = 5000
    t = table(n, color_jitter=jitter, color_jitter_hue=hue)
    active = (JITTER[:3] if jitter else ()) + (JITTER[3:] if hue else ())
    assert t.extra_op.shape == (n, len(active)) and (t.extra_op >= 0).all()
    orders = dict.fromkeys(permutations(active), 0)
    for row in t.extra_op.tolist():
        orders[tuple(row)] += 1
    assert len(active) == 1 or stats.chisquare(list(orders.values())).pvalue > 1e-5
    theirs = ColorJitter(jitter, jitter, jitter, hue)
    ranges = (theirs.brightness, theirs.contrast, theirs.saturation, theirs.hue)
    torch.manual_seed(2)
    drawn = [ColorJitter.get_params(*ranges)[1:] for _ in range(n)]
    for number, code in enumerate(JITTER):
        mine = t.extra_arg[t.extra_op == code]
        if code not in active:
            assert drawn[0][number] is None and not len(mine)
            continue
        assert stats.ks_2samp(mine, [d[number] for d in drawn]).pvalue > 1e-5
        assert mine.min() == pytest.approx(ranges[number][0], abs=0.01) and mine.max() <= ranges[number][1]


def test_probabilities_and_angles() -> None:
    n = 8000
    t = table(n, **ALL)
    applied = (t.extra_op >= 0).mean(0)
    assert (applied[:4] == applied[0]).all() and applied[7] == 1
    for column, prob in ((0, 0.8), (4, 0.25), (5, 0.3), (6, 0.2)):
        assert stats.binomtest(int(applied[column] * n), n, prob).pvalue > 1e-5
    assert stats.kstest(t.extra_arg[:, 7], stats.uniform(-7, 14).cdf).pvalue > 1e-5
    # Independent of each other.
    pair = (t.extra_op[:, 5] >= 0), (t.extra_op[:, 6] >= 0)
    counts = [[int(np.sum((pair[0] == a) & (pair[1] == b))) for a in (0, 1)] for b in (0, 1)]
    assert stats.chi2_contingency(counts).pvalue > 1e-5


def test_turning_one_off_leaves_the_others_as_they_were() -> None:
    whole = table(200, **ALL, vflip=0.3, randaugment="rand-m9")
    columns = {"sharpness": 4, "equalize": 5, "grayscale": 6, "rotation": 7}
    for name, column in columns.items():
        part = table(200, **(ALL | {name: 0.0}), vflip=0.3, randaugment="rand-m9")
        assert np.array_equal(np.delete(whole.extra_arg, column, 1), part.extra_arg)
        assert np.array_equal(whole.op, part.op) and np.array_equal(whole.vflip, part.vflip)
    assert table(200, randaugment="rand-m9").extra_op is None


def test_policy_comes_before_jitter_and_jitter_before_grey(photos: Photos) -> None:
    images = photos(24, 40)
    t = table(40, 24, autoaugment="3a", color_jitter=0.3, grayscale=1.0)
    got = run(images, t)
    assert (got == got[..., :1]).all()  # nothing brings colour back after the grey
    solarised = np.flatnonzero(t.op[:, 0] == ra.SOLARIZE)
    for k in solarised[:6].tolist():
        picture = TF.solarize(Image.fromarray(images[k]), 128)
        for code, value in zip(t.extra_op[k, :3].tolist(), t.extra_arg[k, :3].tolist(), strict=True):
            picture = ADJUST[code](picture, value)
        assert np.array_equal(got[k], np.asarray(TF.to_grayscale(picture, 3)))
