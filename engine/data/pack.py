"""Packed datasets: one memory-mapped uint8 array a split, its labels, and a manifest. Written whole or not at all.

Layout of ``<root>/<name>/``: ``manifest.json``, ``<split>.images.npy`` (uint8 [N, H, W, C], C order) and
``<split>.labels.npy`` (int64 [N]). The sha256 of a split is that of its images file followed by its labels file;
the fingerprint covers classes, channels, size, statistics and every split, but not name, source and date.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.data.errors import DataError
from engine.recipe import datasets

FORMAT = 1
MANIFEST = "manifest.json"
SPLIT_NAMES = ("train", "val", "test", "minival")

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """One split: `images` uint8 [N, H, W, C] memory-mapped read-only, `labels` int64 [N] in memory."""

    name: str
    images: Images
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of every image."""
        return self.images.shape[1], self.images.shape[2], self.images.shape[3]

    def take(self, rows: Labels, out: Images) -> None:
        """Copy images `rows` (int64 [n], all of them there) to `out`, uint8 [n, H, W, C]."""
        # "clip" lets numpy write into `out` directly.
        np.take(self.images, rows, axis=0, out=out, mode="clip")


@dataclass(frozen=True)
class Joined:
    """Splits of one dataset as if they were one: the rows of the first, then those of the next."""

    name: str
    parts: tuple[Split, ...]
    labels: Labels

    @classmethod
    def of(cls, parts: Sequence[Split]) -> Joined:
        """`parts` one after the other, all of images of one shape."""
        name = "+".join(part.name for part in parts)
        return cls(name, tuple(parts), np.concatenate([part.labels for part in parts]))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of every image."""
        return self.parts[0].shape

    def take(self, rows: Labels, out: Images) -> None:
        """Copy images `rows` (int64 [n], all of them there) to `out`, uint8 [n, H, W, C]."""
        first = 0
        for part in self.parts:
            at = np.flatnonzero((rows >= first) & (rows < first + len(part)))
            out[at] = part.images[rows[at] - first]
            first += len(part)


@dataclass(frozen=True)
class PackedDataset:
    """A packed dataset on disk, open for reading."""

    folder: Path
    name: str
    title: str
    classes: tuple[str, ...]
    channels: int
    size: tuple[int, int]
    """Height and width in px."""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fingerprint: str
    source: str
    licence: str
    splits: dict[str, Split]
    titles: tuple[str, ...] = ()
    """What people call the classes, where `classes` are ids; empty: the same."""
    original_side: int | None = None
    """Median shorter side of the pictures before they were resized to `size`, in px; None: they were not."""

    @classmethod
    def open(cls, folder: Path) -> PackedDataset:
        """Open `folder`, checking format, shapes and file sizes (not contents: see `verify`). Raises DataError."""
        manifest = read_manifest(folder)
        try:
            splits = {name: _open_split(folder, manifest, name) for name in manifest["splits"]}
            return cls(
                folder, str(manifest["name"]), str(manifest["title"]), tuple(manifest["classes"]),
                int(manifest["channels"]), (int(manifest["size"][0]), int(manifest["size"][1])),
                tuple(manifest["mean"]), tuple(manifest["std"]), str(manifest["fingerprint"]),
                str(manifest["source"]), str(manifest["licence"]), splits, tuple(manifest.get("titles", ())),
                manifest.get("original_side"),
            )  # fmt: skip
        except (KeyError, TypeError, IndexError, AttributeError):
            raise _damaged(folder, f"{MANIFEST} lacks something it must have") from None

    def split(self, name: str) -> Split:
        """One split. Raises DataError when the dataset does not have it."""
        if name not in self.splits:
            raise DataError(f'dataset "{self.name}" has no split "{name}"; it has {", ".join(self.splits)}')
        return self.splits[name]

    @property
    def report_split(self) -> str:
        """The split a result is reported on: ``test`` where there is one, else ``val``."""
        return "test" if "test" in self.splits else "val"


def check_name(name: str) -> str:
    """`name` if it can be a dataset's name (and folder). Raises DataError."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name):
        raise DataError(
            f'"{name}" cannot be the name of a dataset; use up to 64 small letters, digits, dots, dashes, underscores'
        )
    if name in SPLIT_NAMES:
        # A result "selected on test" must mean the split.
        raise DataError(f'"{name}" cannot be the name of a dataset because splits are called so; choose another')
    return name


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a packed dataset. Raises DataError when there is none or it is of another format."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(_missing(folder)) from None
    except OSError as error:
        raise DataError(f"{folder / MANIFEST} cannot be read: {error.strerror}; check its permissions") from None
    except ValueError:
        raise _damaged(folder, f"{MANIFEST} is not JSON") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else None
        raise DataError(
            f"{folder} is packed in format {found!r}, this program reads format {FORMAT}; "
            "update the program or pack it again"
        )
    return manifest


def _missing(folder: Path) -> str:
    name = folder.name
    spec = datasets.known().get(name)
    if spec is not None:
        more = f" (downloads {spec.download_mb:g} MB)" if spec.files else f"; get it from {spec.page}" * bool(spec.page)
        return f'dataset "{name}" is not packed yet; run: {spec.remedy}{more}'
    names = ", ".join(datasets.known())
    return (
        f'there is no dataset "{name}" in {folder.parent}; known by name: {names}; '
        f"your own pictures: vitui data add {name or 'NAME'} --from PATH"
    )


def _damaged(folder: Path, what: str) -> DataError:
    return DataError(
        f"the packed dataset in {folder} is damaged ({what}); delete that folder and add the dataset again"
    )


def _open_split(folder: Path, manifest: dict[str, Any], name: str) -> Split:
    entry = manifest["splits"][name]
    shape = (int(entry["count"]), *(int(v) for v in manifest["size"]), int(manifest["channels"]))
    images = _open_array(folder, entry["images"], np.uint8, shape, mapped=True)
    labels = _open_array(folder, entry["labels"], np.int64, shape[:1], mapped=False)
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(manifest["classes"]):
        raise _damaged(folder, f"{entry['labels']} has labels beyond the {len(manifest['classes'])} classes")
    return Split(name, images, labels)


def _open_array(folder: Path, name: str, dtype: Any, shape: tuple[int, ...], *, mapped: bool) -> Any:
    if Path(name).name != name:
        raise _damaged(folder, f"{MANIFEST} names a file outside the folder")
    try:
        # numpy refuses to map a file that is too short, and to read pickled objects.
        array = np.load(folder / name, mmap_mode="r" if mapped else None, allow_pickle=False)
    except FileNotFoundError:
        raise _damaged(folder, f"{name} is missing") from None
    except OSError as error:
        raise DataError(f"{folder / name} cannot be read: {error.strerror or error}; check its permissions") from None
    except (ValueError, EOFError):
        raise _damaged(folder, f"{name} is torn or not an array") from None
    if array.dtype != dtype or array.shape != shape or not array.flags.c_contiguous:
        raise _damaged(folder, f"{name} is {array.dtype} {list(array.shape)}, not {np.dtype(dtype)} {list(shape)}")
    if (folder / name).stat().st_size != len(npy_header(dtype, shape)) + array.nbytes:
        raise _damaged(folder, f"{name} has the wrong length")
    return array


def npy_header(dtype: Any, shape: tuple[int, ...]) -> bytes:
    """The bytes before the data in a version 1.0 ``.npy`` file of that type and shape (C order)."""
    buffer = io.BytesIO()
    descr = np.lib.format.dtype_to_descr(np.dtype(dtype))
    np.lib.format.write_array_header_1_0(buffer, {"descr": descr, "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def fingerprint(manifest: dict[str, Any]) -> str:
    """sha256 (hex) over everything of a manifest that decides what is trained on."""
    decides: dict[str, Any] = {key: manifest[key] for key in ("format", "classes", "channels", "size", "mean", "std")}
    decides["splits"] = {name: [s["count"], s["sha256"]] for name, s in manifest["splits"].items()}
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def verify(folder: Path) -> None:
    """Read every byte and compare with the manifest's hashes. Raises DataError naming the first split that differs."""
    PackedDataset.open(folder)
    manifest = read_manifest(folder)
    for name, entry in manifest["splits"].items():
        if hash_files([folder / entry["images"], folder / entry["labels"]]) != entry["sha256"]:
            raise _damaged(folder, f"the contents of split {name} are not what was packed")
    if fingerprint(manifest) != manifest["fingerprint"]:
        raise _damaged(folder, f"{MANIFEST} was changed after packing")


def hash_files(paths: Sequence[Path]) -> str:
    """sha256 (hex) of several files, one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            while block := file.read(1 << 22):
                digest.update(block)
    return digest.hexdigest()
