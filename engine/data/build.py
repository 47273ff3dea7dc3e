"""Writing a packed dataset: under a lock, in a temporary folder, renamed when everything is on the disk."""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from engine.data.errors import DataError
from engine.data.pack import FORMAT, MANIFEST, Images, Labels, PackedDataset, check_name, fingerprint, npy_header
from engine.journal import fsync_dir, write_json

Progress = Callable[[str, int, int], None]
"""Called with what is being done ("packing train"), how much is done and how much there is in all."""


def quiet(what: str, done: int, total: int) -> None:
    """The progress callback of somebody who does not want to know."""


@dataclass(frozen=True)
class Source:
    """Images somewhere, in any layout, ready to be packed."""

    title: str
    classes: tuple[str, ...]
    channels: int
    size: tuple[int, int]
    """Height and width of every image, in px."""
    counts: dict[str, int]
    """Split -> number of images."""
    read: Callable[[str], Iterator[tuple[Images, Labels]]]
    """Images uint8 [n, H, W, C] and labels int64 [n] of a split, in chunks, in their final order."""
    origin: str
    """Where the images came from: a URL or a path."""
    licence: str = "not stated"
    mean: tuple[float, ...] | None = None
    """Published statistics; None: those of the training images are computed."""
    std: tuple[float, ...] | None = None
    titles: tuple[str, ...] = ()
    """What people call the classes, one for each, where `classes` are ids; empty: the same."""
    original_side: int | None = None
    """Median shorter side of the pictures before they were resized, in px; None: they were not."""


def build(root: Path, name: str, source: Source, progress: Progress = quiet) -> PackedDataset:
    """Pack `source` as ``<root>/<name>`` and open it. A dataset that is there already is returned as it is.

    Nothing is visible under that name before everything is written and synced; after a crash the next build of
    the name removes what was left. Raises DataError: wrong or no images, no space, folder not writable.
    """
    folder = root / check_name(name)
    with naming_errors(root), locked(root, name):
        if (packed := packed_already(root, name)) is not None:
            return packed
        for stale in root.glob(f".{name}.*.packing"):  # ours alone: whoever made it held the lock and is gone
            shutil.rmtree(stale)
        if empty := [split for split, count in source.counts.items() if not count]:
            raise DataError(f"{source.origin} has no image for {' and '.join(empty)}; fetch the whole dataset")
        _check_space(root, source)
        temporary = root / f".{name}.{secrets.token_hex(4)}.packing"
        temporary.mkdir()
        try:
            _write(temporary, name, source, progress)
            fsync_dir(temporary)
            temporary.rename(folder)
            fsync_dir(root)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    return PackedDataset.open(folder)


def packed_already(root: Path, name: str) -> PackedDataset | None:
    """The packed dataset of that name, opened; None where there is none.

    Raises DataError for a damaged one, and for a folder of that name that is something else.
    """
    folder = root / name
    if (folder / MANIFEST).exists():
        return PackedDataset.open(folder)
    if folder.exists():
        raise DataError(f"{folder} is in the way: it is no packed dataset; move it elsewhere and try again")
    return None


@contextmanager
def locked(root: Path, name: str) -> Iterator[None]:
    """Hold the build lock of one dataset name; waits for whoever has it. Makes `root` if need be."""
    root.mkdir(parents=True, exist_ok=True)
    with open(root / f".{name}.lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def naming_errors(root: Path) -> Iterator[None]:
    """Turn OSError into a DataError that says what to do."""
    try:
        yield
    except OSError as error:
        where = error.filename or root
        remedy = "free some space and try again" if error.errno == 28 else "check the folder and its permissions"
        raise DataError(f"{where} cannot be written: {error.strerror or error}; {remedy}") from None


def _check_space(root: Path, source: Source) -> None:
    need = sum(source.counts.values()) * (math.prod(source.size) * source.channels + 8) + (1 << 20)
    free = shutil.disk_usage(root).free
    if free < need:
        raise DataError(
            f"packing needs {need / 1e6:,.0f} MB but {root} has {free / 1e6:,.0f} MB free; "
            "free some space or use another home"
        )


def _write(folder: Path, name: str, source: Source, progress: Progress) -> None:
    entries: dict[str, dict[str, Any]] = {}
    histogram = np.zeros((source.channels, 256), np.int64)
    for split in source.counts:
        entries[split] = _write_split(folder, split, source, histogram if split == "train" else None, progress)
    mean, std = source.mean, source.std
    if mean is None or std is None:
        if not histogram.any():
            raise ValueError("a source without training images must bring its statistics")
        mean, std = _statistics(histogram)
    manifest: dict[str, Any] = {
        "format": FORMAT, "name": name, "title": source.title, "classes": list(source.classes),
        "channels": source.channels, "size": list(source.size), "splits": entries,
        "mean": list(mean), "std": list(std), "source": source.origin, "licence": source.licence,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "titles": list(source.titles),
        "original_side": source.original_side,
    }  # fmt: skip
    # Through JSON first, so that the fingerprint is that of what a reader will see.
    manifest["fingerprint"] = fingerprint(json.loads(json.dumps(manifest)))
    write_json(folder / MANIFEST, manifest)


def _write_split(
    folder: Path, split: str, source: Source, histogram: Images | Any, progress: Progress
) -> dict[str, Any]:
    """Write one split and return its manifest entry.

    Plain writes, not a mapping: a full disk must be an error, not SIGBUS.
    """
    count = source.counts[split]
    names = {"images": f"{split}.images.npy", "labels": f"{split}.labels.npy"}
    shape = (count, *source.size, source.channels)
    labels: list[Labels] = []
    done = 0
    digest = hashlib.sha256()
    progress(f"packing {split}", 0, count)
    with open(folder / names["images"], "wb") as file:
        _put(file, digest, npy_header(np.uint8, shape))
        for images, chunk_labels in source.read(split):
            if images.shape[1:] != shape[1:] or images.dtype != np.uint8 or len(images) != len(chunk_labels):
                raise ValueError(f"a source must give uint8 {shape[1:]} images, not {images.dtype} {images.shape[1:]}")
            _put(file, digest, np.ascontiguousarray(images).reshape(-1).data)
            labels.append(np.asarray(chunk_labels, np.int64))
            if histogram is not None:
                for channel in range(source.channels):
                    histogram[channel] += np.bincount(images[..., channel].ravel(), minlength=256)
            done += len(images)
            progress(f"packing {split}", done, count)
        _sync(file)
    together = np.concatenate(labels) if labels else np.empty(0, np.int64)
    if done != count:
        raise ValueError(f"a source promised {count} images in {split} and gave {done}")
    _check_labels(split, source, together)
    with open(folder / names["labels"], "wb") as file:
        _put(file, digest, npy_header(np.int64, (count,)))
        _put(file, digest, together.data)
        _sync(file)
    per_class = np.bincount(together, minlength=len(source.classes)).tolist()
    return {"count": count, "per_class": per_class, **names, "sha256": digest.hexdigest()}


def _check_labels(split: str, source: Source, labels: Labels) -> None:
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(source.classes):
        raise DataError(
            f"{source.origin}: split {split} has label {int(labels.max())} but there are only {len(source.classes)} "
            "classes; the files do not belong together"
        )


def _put(file: BinaryIO, digest: Any, data: bytes | memoryview) -> None:
    digest.update(data)
    file.write(data)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _statistics(histogram: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and std for each channel from exact counts of the 256 levels, on the scale 0 to 1, to six decimals."""
    levels = np.arange(256) / 255
    total = histogram.sum(1)
    mean = (histogram @ levels) / total
    std = np.sqrt((histogram @ levels**2) / total - mean**2)
    # A channel that never varies must not divide by zero.
    std = np.where(std > 1e-6, std, 1.0)
    return tuple(np.round(mean, 6).tolist()), tuple(np.round(std, 6).tolist())
