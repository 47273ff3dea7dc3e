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


def test_mnist_flowers_and_pets_files_are_those_torchvision_downloads() -> None:
    mnist, theirs = datasets.get("mnist"), torchvision_datasets.MNIST
    assert [(f.filename, f.md5) for f in mnist.files] == theirs.resources
    assert {f.url.removesuffix(f.filename) for f in mnist.files} <= set(theirs.mirrors)
    flowers, theirs = datasets.get("flowers-102"), torchvision_datasets.Flowers102
    assert {(f.filename, f.md5) for f in flowers.files} == set(theirs._file_dict.values())
    assert {f.url.removesuffix(f.filename) for f in flowers.files} == {theirs._download_url_prefix}
    pets = [(f.url, f.md5) for f in datasets.get("pets").files]
    assert pets == list(torchvision_datasets.OxfordIIITPet._RESOURCES)


def test_every_entry_is_consistent() -> None:
    for name, spec in datasets.known().items():
        assert spec.name == name
        assert len(set(spec.classes)) == len(spec.classes)
        assert spec.class_count > 1 and len(spec.classes) in (0, spec.class_count)
        assert len(spec.mean) == len(spec.std) and len(spec.mean) in (0, spec.channels)
        assert set(spec.splits) <= {"train", "val", "test"} and min(spec.splits.values()) > 0
        # Without training images there is nothing to compute statistics from.
        assert "train" in spec.splits or spec.mean
        assert (spec.size is None) == (spec.pack_size > 0)
        assert bool(spec.files) + bool(spec.page) + spec.embedded == 1
        assert spec.remedy == f"vitui data add {name}" + " --from PATH" * bool(spec.page)
        assert bool(spec.download_mb) == bool(spec.files)
    assert len(datasets.get("cifar100").classes) == 100
    assert list(datasets.get("cifar100").classes) == sorted(datasets.get("cifar100").classes)
    with pytest.raises(KeyError):
        datasets.get("imagenet-21k")


def test_a_name_for_timms_factory_is_told_from_a_path(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "torch" / "mine").mkdir(parents=True)
    named = ["hfds/ylecun/mnist", "torch/kmnist", "tfds/mnist", "torch/mine", "./hfds/x", "pictures", "hfds/", "hf/x"]
    assert [datasets.is_factory_name(text) for text in named] == [True] * 3 + [False] * 5


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
