"""The layouts of published datasets: every picture with its own class, and one sentence for what is wrong."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.data import flowers as flowers_module
from engine.data import imagenet as imagenet_module
from engine.data.errors import DataError
from engine.data.imagefolder import ordered
from engine.data.imagenet import read_imagenetv2, synsets
from engine.data.kitti import split_by_drive
from engine.data.pack import PackedDataset, Split
from engine.data.sources import add
from engine.recipe import datasets
from tests.engine.data import layouts
from tests.engine.data.layouts import WNIDS, label, save


def values(split: Split) -> list[int]:
    """The first pixel of every image: what `layouts.save` was told."""
    return split.images[:, 0, 0, 0].tolist()


def test_trap_T07_tiny_imagenet_numbers_train_and_val_by_one_sorted_list(tmp_path: Path, monkeypatch) -> None:
    # A file system that lists folders in an order of its own, as ext4 does.
    listdir, walk = os.listdir, os.walk

    def unsorted_walk(*args: Any, **more: Any) -> Iterator[Any]:
        for base, folders, files in walk(*args, **more):
            folders.sort(reverse=True)
            yield base, folders, files

    monkeypatch.setattr(os, "listdir", lambda *path: sorted(listdir(*path), reverse=True))
    monkeypatch.setattr(os, "walk", unsorted_walk)
    root = layouts.tiny_imagenet(tmp_path / "tiny-imagenet-200")
    # As an editor on Windows leaves a file that is otherwise the same.
    (root / "wnids.txt").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(WNIDS).encode())
    packed = add("mine", tmp_path / "data", path=root)
    assert packed.classes == tuple(sorted(WNIDS)) != tuple(WNIDS)
    assert packed.titles == tuple(f"name {wnid}, other" for wnid in sorted(WNIDS))
    train, val = packed.split("train"), packed.split("val")
    assert set(packed.splits) == {"train", "val"} and (len(train), len(val)) == (12, 8)
    # Every picture says its class itself: ten times the place of its wnid in the sorted list.
    assert [10 * n for n in train.labels] == values(train) and sorted(set(values(train))) == [0, 10, 20, 30]
    assert [10 * n for n in val.labels] == values(val) and sorted(set(values(val))) == [0, 10, 20, 30]
    # A third of the pictures is grey.
    assert packed.channels == 3 and np.ptp(train.images, axis=3).max() == 0
    assert packed.original_side is None and packed.size == (16, 16)


def test_tiny_imagenet_may_be_in_an_archive_or_sorted_into_folders(tmp_path: Path) -> None:
    root = layouts.tiny_imagenet(tmp_path / "in" / "tiny-imagenet-200")
    plain = add("plain", tmp_path / "data", path=root)
    archive = Path(shutil.make_archive(str(tmp_path / "tiny"), "zip", tmp_path / "in"))
    assert add("zipped", tmp_path / "data", path=archive).fingerprint == plain.fingerprint
    # As the usual scripts rearrange it: val/WNID/images/*.
    for line in (root / "val" / "val_annotations.txt").read_text().splitlines():
        name, wnid = line.split("\t")[:2]
        (root / "val" / wnid / "images").mkdir(parents=True, exist_ok=True)
        (root / "val" / "images" / name).rename(root / "val" / wnid / "images" / name)
    (root / "val" / "images").rmdir()
    assert add("sorted", tmp_path / "data", path=root).fingerprint == plain.fingerprint
    assert not list((tmp_path / "data").glob(".*unpacked"))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda r: (r / "val" / "val_annotations.txt").unlink(), r"val_annotations\.txt is missing"),
        (lambda r: (r / "val" / "images" / "val_3.JPEG").unlink(), r"val/images lacks val_3\.JPEG"),
        (lambda r: save(r / "val" / "images" / "val_9.JPEG", 1), r"has no line for val_9\.JPEG"),
        (
            lambda r: (r / "val" / "val_annotations.txt").write_text("val_0.JPEG\tn99999999\t0\t0\t1\t1\n"),
            r'gives val_0\.JPEG the class "n99999999", which is not in wnids\.txt',
        ),
        (lambda r: (r / "wnids.txt").write_text("\n".join(WNIDS[1:])), rf"only in train/: {WNIDS[0]}\); make"),
        (lambda r: (r / "train" / WNIDS[0]).rename(r / "train" / "n0"), rf"only in wnids\.txt: {WNIDS[0]}; only in"),
        (lambda r: (r / "val" / "images" / "val_0.JPEG").write_bytes(b"\xff\xd8"), r"val_0\.JPEG is not a whole pict"),
        (lambda r: (r / "wnids.txt").write_bytes(b"\xff\xfe\x00\xd8"), r"wnids\.txt is not a text file"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_tiny_imagenet(tmp_path: Path, damage: Callable[[Path], object], says: str) -> None:
    root = layouts.tiny_imagenet(tmp_path / "tiny-imagenet-200")
    damage(root)
    with pytest.raises(DataError, match=says):
        add("mine", tmp_path / "data", path=root)
    assert not (tmp_path / "data" / "mine").exists()


def test_part_of_tiny_imagenet_is_not_tiny_imagenet(tmp_path: Path) -> None:
    layouts.tiny_imagenet(tmp_path / "tiny-imagenet-200")
    with pytest.raises(DataError, match="12 train and 8 val images of 16x16 in 4 classes, not 100,000 train"):
        add("tiny-imagenet", tmp_path / "data", path=tmp_path)
    with pytest.raises(DataError, match="--size is only for"):
        add("tiny-imagenet", tmp_path / "data", path=tmp_path, size=16)


def test_flowers_have_their_own_splits_and_one_based_numbers(tmp_path: Path) -> None:
    packed = add("mine", tmp_path / "data", path=layouts.flowers(tmp_path / "flowers-102"), size=8)
    pictures = {"train": [1, 2, 4], "val": [3, 5, 6], "test": [7, 8, 9, 10, 11, 12]}
    assert packed.classes == ("1", "2", "3")
    for split, numbers in pictures.items():
        assert values(packed.split(split)) == [10 * n for n in numbers]
        assert packed.split(split).labels.tolist() == [layouts.FLOWERS[n - 1] - 1 for n in numbers]
    assert packed.original_side == 16 and packed.size == (8, 8)
    names = flowers_module._TITLES
    assert len(set(names)) == 102 and (names[0], names[11], names[101]) == (
        "pink primrose", "colt's foot", "blackberry lily",
    )  # fmt: skip


def test_what_is_wrong_with_flowers(tmp_path: Path) -> None:
    root = layouts.flowers(tmp_path / "flowers")
    with pytest.raises(DataError, match=r"12 different sizes .* --size 16"):
        add("mine", tmp_path / "data", path=root)
    (root / "jpg" / "image_00007.jpg").rename(tmp_path / "aside")
    with pytest.raises(DataError, match=r"jpg lacks image_00007\.jpg; unpack 102flowers\.tgz"):
        add("mine", tmp_path / "data", path=root, size=8)
    (tmp_path / "aside").rename(root / "jpg" / "image_00007.jpg")
    whole = (root / "setid.mat").read_bytes()
    for content in (whole[:150], b"no MATLAB file", b""):
        (root / "setid.mat").write_bytes(content)
        with pytest.raises(DataError, match=r"setid\.mat holds no matrix trnid"):
            add("mine", tmp_path / "data", path=root, size=8)
    layouts.savemat(root / "setid.mat", {"trnid": [[13]], "valid": [[1]], "tstid": [[2]]})
    with pytest.raises(DataError, match=r"names pictures that imagelabels\.mat has no label for"):
        add("mine", tmp_path / "data", path=root, size=8)
    layouts.savemat(root / "setid.mat", {"trnid": np.zeros((1, 0)), "valid": [[1]], "tstid": [[2]]})
    with pytest.raises(DataError, match=r"flowers has no image for train; fetch the whole dataset"):
        add("mine", tmp_path / "data", path=root, size=8)
    (root / "imagelabels.mat").unlink()
    with pytest.raises(DataError, match=r"imagelabels\.mat is missing"):
        add("mine", tmp_path / "data", path=root, size=8)


def test_pets_are_numbered_by_the_lists(tmp_path: Path) -> None:
    packed = add("mine", tmp_path / "data", path=layouts.pets(tmp_path / "pets"))
    assert packed.classes == ("Abyssinian", "american_bulldog", "Bombay")  # neither sorted nor shuffled
    assert values(packed.split("train")) == [51, 51, 101, 101, 151, 151]
    assert values(packed.split("test")) == [51, 101, 151]
    assert packed.split("train").labels.tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda r: (r / "annotations" / "test.txt").unlink(), r"test\.txt is missing"),
        (lambda r: (r / "images" / "Bombay_1.jpg").unlink(), r"images lacks Bombay_1\.jpg"),
        (lambda r: (r / "annotations" / "test.txt").write_text("Bombay_1 x 1 1\n"), r'the line "Bombay_1 x 1 1", not'),
        (
            lambda r: (r / "annotations" / "test.txt").write_text("Bombay_1 1 1 1\n"),
            r"different classes in trainval\.txt and test\.txt \(1 Abyssinian, 1 Bombay",
        ),
        (lambda r: (r / "images" / "Bombay_1.jpg").write_bytes(b"\xff\xd8\xff"), r"Bombay_1\.jpg is not a whole"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_pets(tmp_path: Path, damage: Callable[[Path], object], says: str) -> None:
    root = layouts.pets(tmp_path / "pets")
    damage(root)
    with pytest.raises(DataError, match=says):
        add("mine", tmp_path / "data", path=root)


def test_resisc45_is_split_once_and_for_all(tmp_path: Path) -> None:
    packed = add("mine", tmp_path / "data", path=layouts.resisc45(tmp_path))
    assert packed.classes == ("airplane", "stadium", "wetland")
    for split, each in (("train", 6), ("val", 2), ("test", 2)):
        assert np.bincount(packed.split(split).labels).tolist() == [each] * 3
    # Every picture of a class is in exactly one split, and which one must never change.
    airplanes = {
        name: [v for v, n in zip(values(s), s.labels, strict=True) if n == 0] for name, s in packed.splits.items()
    }
    assert sorted(v for found in airplanes.values() for v in found) == list(range(1, 11))
    assert airplanes == RESISC45_AIRPLANES
    assert add("again", tmp_path / "data", path=tmp_path / "NWPU-RESISC45").fingerprint == packed.fingerprint


def test_kitti_distances_are_classed_as_in_vtab(tmp_path: Path) -> None:
    wanted = [
        (label("Car", 30.0) + label("Van", 7.99), 0), (label("Truck", 8.0), 0), (label("Car", 8.01), 1),
        (label("Car", 20.0) + label("Pedestrian", 3.0), 1), (label("Van", 20.01), 2), (label("Car", 150.0), 2),
        (label("Cyclist", 5.0) + label("DontCare", -1000.0), 3), ("", 3), (label("Car", -2.0), 0),
    ]  # fmt: skip
    drives = ["a_sync", "b_sync", "c_sync"] * 3
    root = layouts.kitti(tmp_path / "kitti", drives, [text for text, _ in wanted])
    packed = add("mine", tmp_path / "data", path=root, size=16)
    assert packed.classes == datasets.get("kitti-distance").classes
    found: dict[int, int] = {}
    for split in packed.splits.values():
        # The pixel is the picture's number; the whole width was squashed, so a margin would show.
        assert np.array_equal(split.images[:, :, 0], split.images[:, :, -1])
        found |= dict(zip(values(split), split.labels.tolist(), strict=True))
        assert len({drives[number] for number in values(split)}) == 1
    assert [found[n] for n in range(9)] == [number for _, number in wanted]


def test_kitti_drives_are_split_as_tensorflow_datasets_splits_them() -> None:
    drives = [f"drive_{n:04d}" for n in range(30)]
    split = split_by_drive([drives[n % 30] for n in range(90)])
    # Their code, with the legacy global generator: three drives each for test and val.
    state = np.random.get_state()
    np.random.seed(seed=123)
    test = set(np.random.choice(sorted(drives), 3, replace=False))
    val = set(np.random.choice(sorted(set(drives) - test), 3, replace=False))
    np.random.set_state(state)
    assert {drives[n % 30] for n in split["test"]} == test and {drives[n % 30] for n in split["val"]} == val
    assert sorted(split["train"] + split["val"] + split["test"]) == list(range(90))
    assert list(split) == ["train", "val", "test"] and len(split["train"]) == 72


def test_a_squashed_picture_keeps_its_sides_and_a_cropped_one_does_not(tmp_path: Path) -> None:
    root = layouts.kitti(tmp_path / "kitti", list("abc"), [label("Car", 5.0)] * 3)
    halves = Image.new("RGB", (48, 16), (0, 0, 0))
    halves.paste((200, 0, 0), (0, 0, 10, 16))
    halves.save(root / "training" / "image_2" / "000001.png")
    packed = add("mine", tmp_path / "data", path=root, size=16)
    assert max(int(split.images[..., 0, 0].max()) for split in packed.splits.values()) > 190


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda r: (r / "mapping" / "train_rand.txt").unlink(), r"train_rand\.txt is missing"),
        (lambda r: (r / "mapping" / "train_rand.txt").write_text("1,1,2"), r"train_rand\.txt is no permutation of the 3"),
        (lambda r: (r / "training" / "label_2" / "000001.txt").unlink(), r"000001\.txt is missing"),
        (lambda r: (r / "training" / "image_2" / "000002.png").unlink(), r"has 2 pictures but .*mapping lists 3"),
        (lambda r: (r / "training" / "label_2" / "000001.txt").write_text("Car 0 0"), r'has the line "Car 0 0", not one'),
    ],
)  # fmt: skip
def test_what_is_wrong_with_kitti(tmp_path: Path, damage: Callable[[Path], object], says: str) -> None:
    root = layouts.kitti(tmp_path / "kitti", list("abc"), [label("Car", 5.0)] * 3)
    damage(root)
    with pytest.raises(DataError, match=says):
        add("mine", tmp_path / "data", path=root, size=16)


def _kaggle(number: int) -> str:
    return f"ILSVRC2012_val_{number + 1:08d},{sorted(WNIDS)[number % 4]} 1 2 3 4\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("LOC_val_solution.csv", "ImageId,PredictionString\n" + "".join(_kaggle(n) for n in range(8))),
        ("val.txt", "".join(f"ILSVRC2012_val_{n + 1:08d}.JPEG {n % 4}\n" for n in range(8))),
        ("val/val_labels.txt", "".join(f"ILSVRC2012_val_{n + 1:08d}.JPEG {sorted(WNIDS)[n % 4]}\n" for n in range(8))),
    ],
)
def test_imagenet_with_a_flat_val_and_a_file_that_labels_it(tmp_path: Path, name: str, content: str) -> None:
    root = layouts.imagenet(tmp_path / "imagenet")
    with pytest.raises(DataError, match=r"no file that labels them \(LOC_val_solution\.csv, "):
        add("mine", tmp_path / "data", path=root)
    (root / name).write_text(content)
    packed = add("mine", tmp_path / "data", path=root)
    assert packed.classes == tuple(sorted(WNIDS))
    assert values(packed.split("val")) == [10 * n for n in packed.split("val").labels] == [0, 0, 10, 10, 20, 20, 30, 30]
    # What the ids mean comes from timm's list.
    assert packed.titles[packed.classes.index("n01443537")] == "goldfish, Carassius auratus"
    (root / name).write_text(content.replace("00000003", "00000033"))
    with pytest.raises(DataError, match=r"names no picture in .*val and its class"):
        add("other", tmp_path / "data", path=root)
    (root / name).write_text(content.replace(sorted(WNIDS)[2], "n99999999").replace("JPEG 2\n", "JPEG 9\n"))
    with pytest.raises(DataError, match=r'the class "(n99999999|9)", which train/ does not have'):
        add("other", tmp_path / "data", path=root)
    first = content.splitlines(keepends=True)[-8]
    for line, says in ((first.replace("n01443537", "n02124075").replace(" 0\n", " 1\n"), "gives ILSVRC2012_val_00000001"),
                       (",\n", 'has the line ","')):  # fmt: skip
        (root / name).write_text(content + line)
        with pytest.raises(DataError, match=says):
            add("other", tmp_path / "data", path=root)
    (root / name).write_text("".join(content.splitlines(keepends=True)[:-1]))
    with pytest.raises(DataError, match=r"has no line for ILSVRC2012_val_00000008\.JPEG"):
        add("other", tmp_path / "data", path=root)


def test_kaggles_archive_of_imagenet(tmp_path: Path) -> None:
    layouts.imagenet(tmp_path / "kaggle" / "ILSVRC" / "Data" / "CLS-LOC")
    (tmp_path / "kaggle" / "LOC_val_solution.csv").write_text("ImageId,P\n" + "".join(_kaggle(n) for n in range(8)))
    assert len(add("mine", tmp_path / "data", path=tmp_path / "kaggle").split("val")) == 8
    with pytest.raises(DataError, match="8 train and 8 val images in 4 classes, not 1,281,167 train"):
        add("imagenet", tmp_path / "data", path=tmp_path / "kaggle")


def test_trap_T17_numbered_folders_are_in_numeric_order(tmp_path: Path) -> None:
    classes = [f"n{n:08d}" for n in range(12)]
    for number in range(12):
        save(tmp_path / "v2" / str(number) / "a.jpeg", 10 * number)
    source = read_imagenetv2(tmp_path / "v2", classes=classes)
    ((images, labels),) = source.read("test")
    # As text "10" and "11" come before "2": class 2 would have the pictures of class 10.
    assert labels.tolist() == list(range(12)) and source.classes == tuple(classes)
    assert images[:, 0, 0, 0].tolist() == [10 * n for n in range(12)]
    with pytest.raises(DataError, match=r"only in a folder for each of 13 classes: 12\)"):
        read_imagenetv2(tmp_path / "v2", classes=[*classes, "n00000012"])
    # The same in a plain folder of numbered classes.
    for split in ("train", "val"):
        for number in range(12):
            save(tmp_path / "plain" / split / str(number) / "a.png", 10 * number)
    packed = add("mine", tmp_path / "data", path=tmp_path / "plain")
    assert packed.classes == tuple(str(n) for n in range(12))
    assert values(packed.split("train")) == [10 * n for n in packed.split("train").labels]
    assert ordered(["10", "9", "b"]) == ["10", "9", "b"]


def test_imagenetv2_has_imagenets_classes_and_nothing_to_train_on(tmp_path: Path, monkeypatch) -> None:
    assert len(synsets()) == 1000 and list(synsets()) == sorted(synsets())
    assert (synsets()[0], synsets()[999]) == ("n01440764", "n15075141")
    for number in range(1000):
        save(tmp_path / "imagenetv2-matched-frequency-format-val" / str(number) / "a.jpeg", number % 251, (8, 8))
    small = replace(datasets.get("imagenetv2"), splits={"test": 1000}, pack_size=8)
    monkeypatch.setattr(datasets, "known", lambda: {"imagenetv2": small})
    packed = add("imagenetv2", tmp_path / "data", path=tmp_path / "imagenetv2-matched-frequency-format-val")
    assert packed.classes == synsets() and set(packed.splits) == {"test"} and packed.report_split == "test"
    assert values(packed.split("test")) == [n % 251 for n in range(1000)]
    assert packed.mean == (0.485, 0.456, 0.406) and packed.titles[1] == "goldfish, Carassius auratus"


def test_titles_need_no_timm_to_be_imported_and_no_id_to_be_known(monkeypatch) -> None:
    assert imagenet_module.wordnet_titles(["n01440764", "n90000000"]) == ()
    monkeypatch.setattr(imagenet_module.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(DataError, match="timm is not installed"):
        synsets()


def test_the_median_side_of_what_was_resized_is_kept(tmp_path: Path) -> None:
    sizes = {
        f"{split}/{name}/{n}.png": (60 + 10 * n, 50) for split in ("train", "val") for name in "ab" for n in range(2)
    }
    layouts.photographs(tmp_path / "pictures", sizes | {"train/a/2.png": (30, 90), "train/a/3.png": (40, 40)})
    packed = add("mine", tmp_path / "data", path=tmp_path / "pictures", size=24)
    assert packed.original_side == 50 and PackedDataset.open(tmp_path / "data" / "mine").original_side == 50


RESISC45_AIRPLANES = {"train": [1, 2, 4, 5, 6, 9], "val": [3, 10], "test": [7, 8]}
