"""Every layout a user may have, as real files; what is wrong with them said in one sentence."""

from __future__ import annotations

import gzip
import os
import pickle
import shutil
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.data.errors import DataError
from engine.data.sources import add, pack_embedded

NAMES = ["airplane", "automobile", "bird"]


@pytest.fixture
def cifar(photos: Callable[..., np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """24 images and labels: 4 for each of the five training files, 4 for the test file."""
    return photos(32, 24, seed=3), np.arange(24) % 3


def rows(images: np.ndarray) -> np.ndarray:
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


def write_binary(folder: Path, images: np.ndarray, labels: np.ndarray) -> Path:
    folder.mkdir()
    for n, name in enumerate([f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]):
        part = slice(4 * n, 4 * n + 4)
        records = np.concatenate([labels[part, None].astype(np.uint8), rows(images[part])], 1)
        (folder / f"{name}.bin").write_bytes(records.tobytes())
    (folder / "batches.meta.txt").write_text("\n".join(NAMES) + "\n\n")
    return folder


def write_python(folder: Path, images: np.ndarray, labels: np.ndarray) -> Path:
    folder.mkdir()
    for n, name in enumerate([f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]):
        part = slice(4 * n, 4 * n + 4)
        content = {
            b"data": rows(images[part]),
            b"labels": labels[part].tolist(),
            b"batch_label": b"x",
            b"filenames": [b"y"] * 4,
        }
        # The published files were written by numpy 1, where this module had another name.
        raw = pickle.dumps(content, protocol=2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
        (folder / name).write_bytes(raw)
    meta = {b"label_names": [n.encode() for n in NAMES], b"num_vis": 3072}
    (folder / "batches.meta").write_bytes(pickle.dumps(meta, protocol=2))
    return folder


def write_cifar100(folder: Path, images: np.ndarray, labels: np.ndarray, binary: bool) -> Path:
    folder.mkdir()
    for name, part in (("train", slice(0, 20)), ("test", slice(20, 24))):
        coarse = np.full(len(labels[part]), 77, np.uint8)
        if binary:
            records = np.concatenate([coarse[:, None], labels[part, None].astype(np.uint8), rows(images[part])], 1)
            (folder / f"{name}.bin").write_bytes(records.tobytes())
        else:
            content = {
                b"data": rows(images[part]),
                b"fine_labels": labels[part].tolist(),
                b"coarse_labels": coarse.tolist(),
            }
            (folder / name).write_bytes(pickle.dumps(content, protocol=2))
    if binary:
        (folder / "fine_label_names.txt").write_text("\n".join(NAMES))
    else:
        (folder / "meta").write_bytes(pickle.dumps({b"fine_label_names": [n.encode() for n in NAMES]}, protocol=2))
    return folder


def check_cifar(root: Path, path: Path, cifar: tuple[np.ndarray, np.ndarray]) -> None:
    packed = add("mine", root, path=path)
    images, labels = cifar
    assert packed.classes == tuple(NAMES) and packed.size == (32, 32) and packed.report_split == "test"
    assert np.array_equal(packed.split("train").images, images[:20])
    assert np.array_equal(packed.split("train").labels, labels[:20])
    assert np.array_equal(packed.split("test").images, images[20:])
    assert np.array_equal(packed.split("test").labels, labels[20:])


@pytest.mark.parametrize("write", [write_binary, write_python])
@pytest.mark.parametrize("archived", [False, True])
def test_cifar10_layouts(tmp_path: Path, cifar, write, archived: bool) -> None:
    path = write(tmp_path / "cifar-10-batches-x", *cifar)
    if archived:
        with tarfile.open(tmp_path / "cifar-10-x.tar.gz", "w:gz") as tar:
            tar.add(path, arcname=path.name)
        path = tmp_path / "cifar-10-x.tar.gz"
    check_cifar(tmp_path / "data", path, cifar)


@pytest.mark.parametrize("binary", [False, True])
def test_cifar100_layouts_use_the_fine_labels(tmp_path: Path, cifar, binary: bool) -> None:
    check_cifar(tmp_path / "data", write_cifar100(tmp_path / "cifar-100", *cifar, binary), cifar)


def test_a_pickle_that_wants_to_run_something_is_refused(tmp_path: Path, cifar) -> None:
    folder = write_python(tmp_path / "cifar", *cifar)

    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/was-run",)

    (folder / "data_batch_3").write_bytes(pickle.dumps({b"data": Evil()}, protocol=2))
    with pytest.raises(DataError, match=r"data_batch_3 .*posix.system, which image data never needs"):
        add("mine", tmp_path / "data", path=folder)
    assert not (tmp_path / "was-run").exists() and not (tmp_path / "data").exists()


@pytest.mark.parametrize("write", [write_binary, write_python])
def test_torn_and_missing_cifar_files_are_named(tmp_path: Path, cifar, write) -> None:
    folder = write(tmp_path / "cifar", *cifar)
    suffix = ".bin" if write is write_binary else ""
    torn = folder / f"data_batch_2{suffix}"
    torn.write_bytes(torn.read_bytes()[:-100])
    with pytest.raises(DataError, match="data_batch_2"):
        add("mine", tmp_path / "data", path=folder)
    torn.unlink()
    with pytest.raises(DataError, match=f"lacks data_batch_2{suffix}"):
        add("mine", tmp_path / "data", path=folder)
    assert not (tmp_path / "data").exists()


def test_part_of_cifar10_is_not_cifar10(tmp_path: Path, cifar) -> None:
    path = write_binary(tmp_path / "cifar-10-batches-bin", *cifar)
    for given in (path, tmp_path):  # the folder itself, or the one it was unpacked in
        with pytest.raises(DataError, match="20 train and 4 test images of 32x32 in 3 classes, not 50,000 train"):
            add("cifar10", tmp_path / "data", path=given)


def test_a_cifar_archive_whose_compression_is_damaged_is_one_sentence(tmp_path: Path, cifar) -> None:
    images, labels = np.zeros((24, 32, 32, 3), np.uint8), cifar[1]  # so that little but one deflated block is left
    path = tmp_path / "cifar-10-x.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(write_python(tmp_path / "cifar-10-batches-x", images, labels), arcname="cifar-10-batches-x")
    whole = path.read_bytes()
    for at in range(len(whole) // 2, len(whole) - 8, 7):
        path.write_bytes(whole[:at] + b"\xff" * 8 + whole[at + 8 :])
        with pytest.raises(DataError, match=r"^[^\n]*cifar-10-x\.tar\.gz[^\n]*again$"):
            add("mine", tmp_path / "data", path=path)


def write_idx(folder: Path, arrays: dict[str, np.ndarray], zipped: bool) -> Path:
    folder.mkdir()
    for name, array in arrays.items():
        raw = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()
        (folder / (name + ".gz" * zipped)).write_bytes(gzip.compress(raw) if zipped else raw)
    return folder


@pytest.mark.parametrize("zipped", [False, True])
def test_idx_layout(tmp_path: Path, photos, zipped: bool) -> None:
    images, labels = photos(28, 14, channels=1)[..., 0], np.arange(14) % 4
    arrays = {
        "train-images-idx3-ubyte": images[:10], "train-labels-idx1-ubyte": labels[:10],
        "t10k-images-idx3-ubyte": images[10:], "t10k-labels-idx1-ubyte": labels[10:],
    }  # fmt: skip
    folder = write_idx(tmp_path / "raw", arrays, zipped)
    packed = add("mine", tmp_path / "data", path=folder)
    assert packed.channels == 1 and packed.size == (28, 28) and packed.classes == ("0", "1", "2", "3")
    assert np.array_equal(packed.split("train").images[..., 0], images[:10])
    assert np.array_equal(packed.split("test").labels, labels[10:])
    torn = folder / ("t10k-images-idx3-ubyte" + ".gz" * zipped)
    torn.write_bytes(torn.read_bytes()[:-10])
    with pytest.raises(DataError, match="t10k-images-idx3-ubyte"):
        add("other", tmp_path / "data", path=folder)


def test_imagefolder(tmp_path: Path, folder: Path) -> None:
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / "train" / "ant" / "notes.txt").write_text("not a picture")
    packed = add("mine", tmp_path / "data", path=folder)
    assert packed.classes == ("Bee", "ant", "zebra") and packed.channels == 3 and packed.report_split == "val"
    assert np.bincount(packed.split("train").labels).tolist() == [4, 4, 4]
    for label, name in enumerate(packed.classes):
        for n in range(4):
            wanted = np.asarray(Image.open(folder / "train" / name / f"{n}.png"))
            assert np.array_equal(packed.split("train").images[4 * label + n], wanted)


def test_grey_pictures_keep_one_channel_only_if_all_are_grey(tmp_path: Path, folder: Path) -> None:
    for path in folder.rglob("*.png"):
        Image.open(path).convert("L").save(path)
    assert add("grey", tmp_path / "data", path=folder).channels == 1
    Image.open(path).convert("RGB").save(path)
    assert add("mixed", tmp_path / "data", path=folder).channels == 3


def test_pictures_of_different_sizes_need_a_size(tmp_path: Path, folder: Path, photos) -> None:
    wide = photos(64, 1)[0][:24]
    Image.fromarray(wide).save(folder / "train" / "ant" / "0.png")
    with pytest.raises(DataError, match=r"2 different sizes .*--size 16"):
        add("mine", tmp_path / "data", path=folder)
    packed = add("mine", tmp_path / "data", path=folder, size=12)
    # The shorter side becomes 12, the longer is cut in the middle.
    whole = Image.fromarray(wide).resize((32, 12), Image.Resampling.BICUBIC)
    assert np.array_equal(packed.split("train").images[4], np.asarray(whole)[:, 10:22])
    assert packed.size == (12, 12)


def test_pictures_that_are_not_square_need_a_size(tmp_path: Path, folder: Path) -> None:
    for path in folder.rglob("*.png"):
        Image.open(path).crop((0, 0, 16, 12)).save(path)
    with pytest.raises(DataError, match="pictures of 16x12"):
        add("mine", tmp_path / "data", path=folder)


def test_classes_that_differ_are_named(tmp_path: Path, folder: Path) -> None:
    (folder / "val" / "zebra").rename(folder / "val" / "zebras")
    with pytest.raises(DataError, match=r"only in train/: zebra; only in val/: zebras"):
        add("mine", tmp_path / "data", path=folder)


def test_a_folder_without_splits_says_how_to_lay_it_out(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(DataError, match=r"no folder train/; lay it out as train/CLASS"):
        add("mine", tmp_path / "data", path=folder / "train")
    (folder / "val").rename(folder / "elsewhere")
    with pytest.raises(DataError, match="no folder val/ or test/"):
        add("mine", tmp_path / "data", path=folder)


def test_an_empty_class_is_named(tmp_path: Path, folder: Path) -> None:
    for path in (folder / "val" / "ant").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="val/ant has no pictures"):
        add("mine", tmp_path / "data", path=folder)


@pytest.mark.parametrize("damage", ["torn", "text", "deep"])
def test_a_bad_picture_is_named_and_nothing_is_left(tmp_path: Path, folder: Path, damage: str) -> None:
    bad = folder / "val" / "ant" / "1.png"
    if damage == "torn":
        bad.write_bytes(bad.read_bytes()[:-60])
    elif damage == "text":
        bad.write_text("no picture")
    else:
        Image.fromarray(np.zeros((16, 16), np.uint16)).save(bad)
    with pytest.raises(DataError, match=r"val/ant/1\.png .*(repair or remove|convert it to 8 bits)"):
        add("mine", tmp_path / "data", path=folder)
    left = list((tmp_path / "data").iterdir()) if (tmp_path / "data").exists() else []
    assert [p for p in left if not p.name.endswith(".lock")] == []


def test_an_unlabelled_test_folder_is_left_out(tmp_path: Path, folder: Path) -> None:
    (folder / "test").mkdir()
    Image.new("RGB", (16, 16)).save(folder / "test" / "unknown.png")
    assert set(add("mine", tmp_path / "data", path=folder).splits) == {"train", "val"}


def test_a_picture_that_no_class_would_get_is_named(tmp_path: Path, folder: Path) -> None:
    (folder / "train" / "ant" / "3.png").rename(folder / "train" / "3.png")
    with pytest.raises(DataError, match=r"train has pictures outside its class folders \(3\.png\); move them"):
        add("mine", tmp_path / "data", path=folder)


def test_a_link_to_a_folder_above_does_not_multiply_the_pictures(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "more").mkdir()
    (folder / "train" / "ant" / "0.png").rename(tmp_path / "more" / "0.png")
    (folder / "train" / "ant" / "linked").symlink_to(tmp_path / "more")
    assert len(add("mine", tmp_path / "data", path=folder).split("train")) == 12
    (folder / "train" / "ant" / "again").symlink_to("..")
    with pytest.raises(DataError, match=r"train/ant/again is a link to a folder above it; remove it"):
        add("other", tmp_path / "data", path=folder)


def test_a_folder_that_cannot_be_read_is_not_left_out(tmp_path: Path, folder: Path, monkeypatch) -> None:
    (folder / "train" / "ant" / "more").mkdir()
    scandir = os.scandir

    def refusing(path: str):
        if str(path).endswith("more"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(DataError, match=r"train/ant/more cannot be read: Permission denied"):
        add("mine", tmp_path / "data", path=folder)


def test_trouble_inside_an_archive_names_the_archive(tmp_path: Path, folder: Path) -> None:
    (folder / "val" / "ant" / "1.png").write_text("no picture")
    archive = shutil.make_archive(str(tmp_path / "pictures-of-mine"), "zip", folder)
    with pytest.raises(DataError, match=rf"^{archive}/val/ant/1\.png is not a whole picture"):
        add("mine", tmp_path / "data", path=Path(archive))


def test_bad_requests(tmp_path: Path, folder: Path) -> None:
    data = tmp_path / "data"
    for name, path, size, says in (
        ("flowers", None, None, "vitui data add flowers --from PATH"),
        ("mine", tmp_path / "nowhere", None, "nowhere does not exist"),
        ("digits", folder, None, "comes with the program"),
        ("cifar10", folder, None, "does not hold the files of CIFAR-10"),
        ("cifar10", None, 32, "--size is only for folders of pictures"),
        ("mine", folder / "train" / "ant" / "0.png", None, "in no layout"),
    ):
        with pytest.raises(DataError, match=says):
            add(name, data, path=path, size=size)
    assert not data.exists()


def test_adding_again(tmp_path: Path, folder: Path) -> None:
    data = tmp_path / "data"
    first = add("digits", data)
    assert add("digits", data).fingerprint == first.fingerprint
    add("mine", data, path=folder)
    with pytest.raises(DataError, match="there already"):
        add("mine", data, path=folder)


@pytest.mark.parametrize("name", ["digits", "cifar10", "mine"])
def test_another_folder_where_the_dataset_should_be(tmp_path: Path, folder: Path, name: str) -> None:
    """As when somebody keeps the files he wants packed there. Nothing is fetched first."""
    (tmp_path / "data" / name).mkdir(parents=True)
    with pytest.raises(DataError, match=rf"data/{name} is in the way: it is no packed dataset; move it elsewhere"):
        add(name, tmp_path / "data", path=folder if name == "mine" else None)
    with pytest.raises(DataError, match="is in the way"):
        pack_embedded("digits", tmp_path / "data" / name / "..") if name == "digits" else add(name, tmp_path / "data")
