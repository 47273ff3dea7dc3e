"""What is drawn: timm's distributions, a function of seed, epoch and step alone."""

from __future__ import annotations

import random
from dataclasses import fields

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats
from timm.data.mixup import Mixup, cutmix_bbox_and_lam
from timm.data.random_erasing import RandomErasing
from timm.data.transforms import RandomResizedCropAndInterpolation

from engine.data.draw import CUTMIX, MIXUP, Table, draw
from engine.data.split import permutation, stratified
from engine.recipe.schema import Augment, Mix

EVERYTHING = Augment(hflip=0.5, crop="resized", interpolation="random", randaugment="rand-m9-mstd0.5-inc1", erasing=0.5)
BOTH = Mix(mixup=0.8, cutmix=1.0, prob=0.9)


def table(augment: Augment = EVERYTHING, mix: Mix = BOTH, **changes) -> Table:
    where = {"seed": 1, "epoch": 2, "step": 3, "batch": 64, "in_size": (32, 32), "out_size": 32} | changes
    return draw(augment, mix, **where)


def same(a: Table, b: Table) -> bool:
    return all(np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(Table) if f.name != "augment")


def test_a_table_depends_on_seed_epoch_and_step_alone() -> None:
    assert same(table(), table())
    for change in ({"seed": 2}, {"epoch": 3}, {"step": 4}):
        assert not same(table(), table(**change))
        other = table(**change)
        for name in ("crop", "flip", "cubic", "op", "arg", "op_cubic", "erase", "noise", "lam"):
            assert not np.array_equal(getattr(table(), name), getattr(other, name)), (change, name)


def test_turning_one_change_off_leaves_the_others_as_they_were() -> None:
    whole = table()
    for off, kept in (
        ({"randaugment": ""}, ("crop", "flip", "erase", "cubic")),
        ({"hflip": 0.0}, ("crop", "op", "arg", "erase")),
        ({"erasing": 0.0}, ("crop", "op", "flip")),
    ):
        part = table(EVERYTHING.model_copy(update=off))
        for name in kept:
            assert np.array_equal(getattr(whole, name), getattr(part, name)), (off, name)
    assert np.array_equal(table(mix=Mix()).crop, whole.crop)


def test_nothing_asked_for_is_nothing_drawn() -> None:
    nothing = table(Augment(), Mix())
    assert all(getattr(nothing, f.name) is None for f in fields(Table) if f.name not in ("samples", "parts", "augment"))
    # Resizing alone has nothing random but says which filter.
    assert table(Augment(), Mix(), in_size=(28, 28)).cubic.all()


def test_parts_of_a_table_put_together_are_the_table() -> None:
    whole = table(parts=4)
    parts = [whole.part(n, n + 1) for n in range(4)]
    assert [p.samples for p in parts] == [16] * 4 and len(parts[2].lam) == 1
    assert same(Table.concatenate(parts), whole)
    assert np.array_equal(parts[3].crop, whole.crop[48:])


@pytest.mark.parametrize(
    ("size", "scale", "ratio"),
    [
        ((32, 32), (0.08, 1.0), (3 / 4, 4 / 3)),
        ((32, 32), (0.8, 1.0), (3 / 4, 4 / 3)),
        ((40, 90), (0.5, 1.0), (0.9, 1.1)),
    ],
)
def test_resized_crops_follow_timm(size, scale, ratio) -> None:
    random.seed(2)
    n = 6000
    picture = Image.new("L", (size[1], size[0]))
    theirs = np.array([RandomResizedCropAndInterpolation.get_params(picture, scale, ratio) for _ in range(n)])
    mine = table(Augment(crop="resized", scale=scale, ratio=ratio), batch=n, in_size=size).crop
    for column in range(4):
        assert stats.ks_2samp(mine[:, column], theirs[:, column], method="asymp").pvalue > 1e-5, column
    assert (mine[:, 0] + mine[:, 2] <= size[0]).all() and (mine[:, 1] + mine[:, 3] <= size[1]).all()
    assert (mine[:, :2] >= 0).all() and (mine[:, 2:] >= 1).all()


def test_resized_crop_falls_back_to_the_largest_centre_crop() -> None:
    # No crop of this area and aspect fits, so each takes the fallback, as timm's does.
    augment = Augment(crop="resized", scale=(1.0, 1.0), ratio=(1.0, 1.0))
    wide = RandomResizedCropAndInterpolation.get_params(Image.new("L", (90, 40)), (1, 1), (1, 1))
    assert np.array_equal(table(augment, batch=5, in_size=(40, 90)).crop, [wide] * 5)
    tall = RandomResizedCropAndInterpolation.get_params(Image.new("L", (40, 90)), (1, 1), (1, 1))
    assert np.array_equal(table(augment, batch=5, in_size=(90, 40)).crop, [tall] * 5)


@pytest.mark.parametrize(("size", "resize", "whole"), [((32, 32), 40, (40, 40)), ((48, 72), 40, (40, 60))])
def test_crops_out_of_a_larger_image_are_uniform(size, resize, whole) -> None:
    t = table(Augment(crop="larger", resize=resize), batch=9000, in_size=size)
    for column in (0, 1):
        counts = np.bincount(t.crop[:, column])
        assert len(counts) == whole[column] - 32 + 1 and stats.chisquare(counts).pvalue > 1e-5
    assert (t.crop[:, 2:] == 32).all() and t.cubic.all()
    assert table(Augment(crop="larger", resize=40), in_size=(40, 44)).cubic is None  # it has that size already


def test_pad_crops_are_uniform() -> None:
    crop = table(Augment(crop="pad", pad=4), batch=9000).crop
    for column in (0, 1):
        counts = np.bincount(crop[:, column], minlength=9)
        assert len(counts) == 9 and stats.chisquare(counts).pvalue > 1e-5


def test_flips_and_filters_are_fair_coins_independent_of_each_other() -> None:
    t = table(EVERYTHING.model_copy(update={"vflip": 0.5}), batch=8000)
    assert np.array_equal(t.flip, table(batch=8000).flip)
    numbers = t.flip * 4 + t.vflip * 2 + t.cubic
    assert stats.chisquare(np.bincount(numbers, minlength=8)).pvalue > 1e-5
    few = table(Augment(vflip=0.3), batch=8000).vflip
    assert stats.binomtest(int(few.sum()), 8000, 0.3).pvalue > 1e-5


def test_off_epochs() -> None:
    augment = EVERYTHING.model_copy(update={"off_epoch": 5})
    mix = BOTH.model_copy(update={"off_epoch": 3})
    for epoch in range(7):
        t, wanted = table(augment, mix, epoch=epoch), table(epoch=epoch)
        assert (t.mix is None, t.lam is None, t.pairing is None) == (epoch >= 3,) * 3
        if epoch < 5:
            assert np.array_equal(t.crop, wanted.crop) and np.array_equal(t.erase, wanted.erase)
        else:
            assert same(t, table(Augment(), Mix(), epoch=epoch)) and t.augment.interpolation == "bilinear"
    assert same(table(EVERYTHING, BOTH, epoch=400), table(epoch=400))  # 0 is never


def test_big_visions_mixup_has_one_lambda_a_batch_and_never_below_a_half() -> None:
    mix = Mix(mixup=0.5, pairing="big-vision")
    drawn = [table(Augment(), mix, step=step, parts=4) for step in range(1500)]
    assert all((t.lam == t.lam[0]).all() and (t.mix == MIXUP).all() and len(t.lam) == 4 for t in drawn[:20])
    lam = np.array([t.lam[0] for t in drawn])
    theirs = np.random.default_rng(0).beta(0.5, 0.5, 3000)
    assert lam.min() >= 0.5 and stats.ks_2samp(lam, np.maximum(theirs, 1 - theirs)).pvalue > 1e-5
    cut = table(Augment(), Mix(cutmix=1.0, pairing="big-vision"), batch=512, parts=1)
    assert cut.mix.tolist() == [CUTMIX] and cut.lam[0] >= 0.5


def test_erased_rectangles_follow_timm() -> None:
    random.seed(3)
    n = 4000
    theirs = np.array([_box(RandomErasing(0.5, device="cpu")(torch.ones(1, 32, 32))[0].numpy()) for _ in range(n)])
    mine = table(batch=n).erase
    hits = [int((b[:, 2] > 0).sum()) for b in (mine, theirs)]
    assert stats.chi2_contingency([[hits[0], n - hits[0]], [hits[1], n - hits[1]]]).pvalue > 1e-5
    mine, theirs = mine[mine[:, 2] > 0], theirs[theirs[:, 2] > 0]
    for column in range(4):
        assert stats.ks_2samp(mine[:, column], theirs[:, column], method="asymp").pvalue > 1e-5
    assert (mine[:, 2:] < 32).all() and (mine[:, :2] + mine[:, 2:] <= 32).all()


def _box(image: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero((image == 0).any(1)), np.flatnonzero((image == 0).any(0))
    return (rows[0], columns[0], len(rows), len(columns)) if len(rows) else (0, 0, 0, 0)


@pytest.mark.parametrize(
    "mix", [Mix(mixup=0.8), Mix(cutmix=1.0), Mix(mixup=0.2, cutmix=1.0, prob=0.7, switch_prob=0.3)]
)
def test_mixing_follows_timm(mix: Mix) -> None:
    np.random.seed(4)
    n = 4000
    theirs = Mixup(mix.mixup, mix.cutmix, prob=mix.prob, switch_prob=mix.switch_prob)
    lam, kind = [], []
    for _ in range(n):
        value, cut = theirs._params_per_batch()
        kind.append(0 if value == 1 else CUTMIX if cut else MIXUP)
        if cut and value != 1:
            value = cutmix_bbox_and_lam((1, 32, 32), value)[1]
        lam.append(value)
    mine = table(Augment(), mix, batch=2 * n, parts=n)
    counts = [np.bincount(mine.mix, minlength=3), np.bincount(kind, minlength=3)]
    used = (counts[0] + counts[1]) > 0
    assert used.sum() < 2 or stats.chi2_contingency(np.array(counts)[:, used]).pvalue > 1e-5
    for which in np.flatnonzero(used):
        pair = mine.lam[mine.mix == which], np.array(lam)[np.array(kind) == which]
        assert stats.ks_2samp(*pair, method="asymp").pvalue > 1e-5
    cut = mine.mix == CUTMIX
    area = (mine.box[:, 1] - mine.box[:, 0]) * (mine.box[:, 3] - mine.box[:, 2])
    assert np.allclose(mine.lam[cut], 1 - area[cut] / 32**2) and not area[~cut].any()


def test_permutations() -> None:
    order = permutation(5, 0, 1000)
    assert sorted(order) == list(range(1000)) and order.dtype == np.int64
    assert np.array_equal(order, permutation(5, 0, 1000))
    assert not np.array_equal(order, permutation(5, 1, 1000)) and not np.array_equal(order, permutation(6, 0, 1000))
    # The stream is numpy's guaranteed one: the same for ever, or resumed runs would train on other images.
    assert permutation(0, 0, 10).tolist() == PERMUTATION_0_0_10
    assert permutation(3, 1, 0).tolist() == []
    # Every image is as likely at every place.
    places = np.array([permutation(9, epoch, 8) for epoch in range(4000)])
    assert min(stats.chisquare(np.bincount(places[:, n], minlength=8)).pvalue for n in range(8)) > 1e-5


def test_stratified() -> None:
    labels = np.repeat([0, 1, 2, 5], [50, 30, 15, 5])
    np.random.default_rng(0).shuffle(labels)
    chosen = stratified(labels, 20, seed=1)
    assert np.bincount(labels[chosen]).tolist() == [10, 6, 3, 0, 0, 1]
    assert (np.diff(chosen) > 0).all() and np.array_equal(chosen, stratified(labels, 20, seed=1))
    assert not np.array_equal(chosen, stratified(labels, 20, seed=2))
    assert [len(stratified(labels, n, 0)) for n in (0, 1, 33, 100)] == [0, 1, 33, 100]
    with pytest.raises(ValueError, match="cannot choose 101"):
        stratified(labels, 101, 0)


PERMUTATION_0_0_10 = [5, 3, 7, 8, 2, 4, 1, 0, 6, 9]
