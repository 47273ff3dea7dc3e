"""Packed datasets: written whole or not at all, checked when opened, the same bytes back."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.data import build as build_module
from engine.data.build import Source, build
from engine.data.errors import DataError
from engine.data.pack import PackedDataset, verify


def source(images: np.ndarray, labels: np.ndarray, classes: tuple[str, ...] = ("a", "b", "c")) -> Source:
    def read(split: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        rows = slice(0, None, 2) if split == "train" else slice(1, None, 2)
        for start in range(0, len(images[rows]), 7):
            yield images[rows][start : start + 7], labels[rows][start : start + 7]

    n = len(images)
    counts = {"train": (n + 1) // 2, "val": n // 2}
    return Source("Some pictures", classes, images.shape[3], images.shape[1:3], counts, read, "here")


@pytest.fixture
def labels() -> np.ndarray:
    return np.arange(30) // 2 % 3


def test_round_trip(tmp_path: Path, photos: Callable[..., np.ndarray], labels: np.ndarray) -> None:
    images = photos(12, 30)
    packed = build(tmp_path, "mine", source(images, labels))
    assert PackedDataset.open(tmp_path / "mine").fingerprint == packed.fingerprint
    assert (packed.name, packed.title, packed.classes) == ("mine", "Some pictures", ("a", "b", "c"))
    assert (packed.channels, packed.size, packed.report_split) == (3, (12, 12), "val")
    train, val = packed.split("train"), packed.split("val")
    assert np.array_equal(train.images, images[::2]) and np.array_equal(val.images, images[1::2])
    assert np.array_equal(train.labels, labels[::2]) and train.labels.dtype == np.int64
    assert isinstance(train.images, np.memmap) and not train.images.flags.writeable
    assert train.shape == (12, 12, 3)
    pixels = images[::2].astype(np.float64).reshape(-1, 3) / 255
    assert packed.mean == pytest.approx(pixels.mean(0), abs=1e-6)
    assert packed.std == pytest.approx(pixels.std(0), abs=1e-6)
    manifest = json.loads((tmp_path / "mine" / "manifest.json").read_text())
    assert manifest["splits"]["train"]["per_class"] == np.bincount(labels[::2]).tolist()
    verify(tmp_path / "mine")


def test_fingerprint_is_of_the_data_not_of_name_and_date(tmp_path: Path, photos, labels) -> None:
    images = photos(8, 30)
    first = build(tmp_path, "one", source(images, labels))
    assert build(tmp_path, "two", source(images, labels)).fingerprint == first.fingerprint
    other = images.copy()
    other[29, 7, 7, 2] ^= 1
    assert build(tmp_path, "three", source(other, labels)).fingerprint != first.fingerprint


def test_one_flipped_bit_is_found_by_verify(tmp_path: Path, photos, labels) -> None:
    build(tmp_path, "mine", source(photos(8, 30), labels))
    path = tmp_path / "mine" / "val.images.npy"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    PackedDataset.open(tmp_path / "mine")  # the quick look does not read the images
    with pytest.raises(DataError, match="split val"):
        verify(tmp_path / "mine")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (
            lambda f: (f / "train.images.npy").write_bytes((f / "train.images.npy").read_bytes()[:-1]),
            "train.images.npy",
        ),
        (lambda f: (f / "train.images.npy").write_bytes((f / "train.images.npy").read_bytes() + b"x"), "wrong length"),
        (lambda f: (f / "train.images.npy").unlink(), "train.images.npy is missing"),
        (lambda f: (f / "val.labels.npy").write_bytes(b""), "val.labels.npy"),
        (lambda f: np.save(f / "val.labels.npy", np.full(15, 3)), "beyond the 3 classes"),
        (lambda f: np.save(f / "val.labels.npy", np.zeros(15, np.float32)), "float32"),
        (lambda f: np.save(f / "val.labels.npy", np.array([{}] * 15)), "val.labels.npy"),
        (lambda f: (f / "manifest.json").write_text("{"), "not JSON"),
        (lambda f: (f / "manifest.json").write_text('{"format": 1}'), "manifest.json lacks"),
        (lambda f: (f / "manifest.json").write_text('{"format": 2}'), "format 2"),
        (lambda f: _edit(f, lambda m: m["splits"]["val"].update(images="../val.images.npy")), "outside"),
    ],
)
def test_damage_is_named_when_opening(tmp_path: Path, photos, labels, damage, says: str) -> None:
    build(tmp_path, "mine", source(photos(8, 30), labels))
    damage(tmp_path / "mine")
    with pytest.raises(DataError, match=says):
        PackedDataset.open(tmp_path / "mine")


def _edit(folder: Path, change) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_missing_dataset_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"vitui data add cifar10 \(downloads 170.5 MB\)"):
        PackedDataset.open(tmp_path / "cifar10")
    with pytest.raises(DataError, match=r'no dataset "flowers".*vitui data add flowers --from PATH'):
        PackedDataset.open(tmp_path / "flowers")


def test_a_source_that_fails_leaves_nothing(tmp_path: Path, photos, labels) -> None:
    good = source(photos(8, 30), labels)

    def read(split: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        yield from good.read("train")
        raise DataError("picture 7 is broken")

    with pytest.raises(DataError, match="picture 7 is broken"):
        build(tmp_path, "mine", Source("t", good.classes, 3, (8, 8), good.counts, read, "here"))
    assert [p.name for p in tmp_path.iterdir() if not p.name.endswith(".lock")] == []


def test_labels_beyond_the_classes_are_refused(tmp_path: Path, photos, labels) -> None:
    with pytest.raises(DataError, match="label 2 but there are only 2"):
        build(tmp_path, "mine", source(photos(8, 30), labels, ("a", "b")))
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "UPPER", "x" * 65, "white space", "a\nb"])
def test_names_that_cannot_be_folders_are_refused(tmp_path: Path, photos, labels, name: str) -> None:
    with pytest.raises(DataError, match="cannot be the name"):
        build(tmp_path / "root", name, source(photos(8, 30), labels))
    assert list(tmp_path.iterdir()) == []


def test_eight_builders_at_once_build_once(tmp_path: Path, photos, labels) -> None:
    images, opened = photos(8, 30), []
    calls: list[str] = []
    good = source(images, labels)

    def read(split: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        calls.append(split)
        return good.read(split)

    counted = Source("t", good.classes, 3, (8, 8), good.counts, read, "here")
    threads = [
        threading.Thread(target=lambda: opened.append(build(tmp_path, "mine", counted).fingerprint)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(calls) == ["train", "val"] and len(opened) == 8 and len(set(opened)) == 1


def test_too_little_space_is_said_before_anything_is_written(tmp_path: Path, photos, labels, monkeypatch) -> None:
    usage = build_module.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(build_module.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(DataError, match=r"packing needs 1 MB .* has 0 MB free"):
        build(tmp_path, "mine", source(photos(8, 30), labels))
    assert [p.name for p in tmp_path.iterdir()] == [".mine.lock"]
