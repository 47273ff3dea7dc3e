"""The catalogue against independent sources: torchvision's constants and the data itself."""

from __future__ import annotations

import numpy as np
import pytest
from torchvision import datasets as torchvision_datasets

from engine.data.build import build
from engine.data.sources import digits
from engine.recipe import datasets


def test_cifar_files_are_those_torchvision_downloads() -> None:
    for name, theirs in (("cifar10", torchvision_datasets.CIFAR10), ("cifar100", torchvision_datasets.CIFAR100)):
        (ours,) = datasets.get(name).files
        assert (ours.url, ours.md5, ours.filename) == (theirs.url, theirs.tgz_md5, theirs.filename)


def test_fashion_mnist_files_and_classes_are_those_of_torchvision() -> None:
    spec, theirs = datasets.get("fashion-mnist"), torchvision_datasets.FashionMNIST
    assert [(f.filename, f.md5) for f in spec.files] == theirs.resources
    assert {f.url.removesuffix(f.filename) for f in spec.files} == set(theirs.mirrors)
    assert list(spec.classes) == theirs.classes


def test_every_entry_is_consistent() -> None:
    for name, spec in datasets.known().items():
        assert spec.name == name
        assert len(set(spec.classes)) == len(spec.classes)
        assert len(spec.mean) == len(spec.std) == spec.channels
        assert set(spec.splits) == {"train", "test"}
        assert spec.embedded == (spec.download_mb == 0)
    assert len(datasets.get("cifar100").classes) == 100
    assert list(datasets.get("cifar100").classes) == sorted(datasets.get("cifar100").classes)
    with pytest.raises(KeyError):
        datasets.get("imagenet")


def test_digits_statistics_and_split_are_those_written_down(tmp_path) -> None:
    spec, packed = datasets.get("digits"), build(tmp_path, "digits", digits())
    train = packed.split("train").images / 255
    assert train.mean() == pytest.approx(spec.mean[0], abs=5e-5)
    assert train.std() == pytest.approx(spec.std[0], abs=5e-5)
    # Which images are test images must never change: results would no longer compare.
    assert packed.split("test").labels[:12].tolist() == DIGITS_TEST_HEAD
    assert packed.fingerprint == DIGITS_FINGERPRINT


def test_digits_test_split_holds_a_fifth_of_every_class_and_shares_nothing_with_train(tmp_path) -> None:
    packed = build(tmp_path, "digits", digits())
    train, test = packed.split("train"), packed.split("test")
    assert (len(train), len(test)) == (1437, 360)
    share = np.bincount(test.labels) / (np.bincount(test.labels) + np.bincount(train.labels))
    assert np.all(np.abs(share - 0.2) < 0.005)
    together = np.concatenate([train.images, test.images]).reshape(1797, -1)
    from sklearn.datasets import load_digits

    # Grey levels 0..16 come back exactly, and every digit is in exactly one split.
    theirs = load_digits().data
    assert sorted(map(bytes, np.rint(together * (16 / 255)).astype(np.uint8))) == sorted(
        map(bytes, theirs.astype(np.uint8))
    )


DIGITS_TEST_HEAD = [6, 0, 4, 7, 9, 5, 8, 3, 5, 7, 0, 3]
DIGITS_FINGERPRINT = "2ac98369b7e8b23f703d7cea9ac47af2f2b511c490fc09a991773ae41d685c02"
