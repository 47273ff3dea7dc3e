"""MNIST's idx files: one header, then bytes. Plain or gzipped."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.data.build import Source
from engine.data.errors import DataError
from engine.data.pack import Images, Labels

_STEMS = {"train": "train", "test": "t10k"}


def is_idx(path: Path) -> bool:
    """Whether `path` is a folder with MNIST's training images."""
    return any((path / f"train-images-idx3-ubyte{end}").is_file() for end in ("", ".gz"))


def read_idx(path: Path, classes: tuple[str, ...] | None = None) -> Source:
    """A Source of the four idx files in `path`; classes are numbered when no names are given. Raises DataError."""
    arrays: dict[str, tuple[Images, Labels]] = {}
    for split, stem in _STEMS.items():
        images = _read(path, f"{stem}-images-idx3-ubyte", 3)
        labels = _read(path, f"{stem}-labels-idx1-ubyte", 1)
        if len(images) != len(labels):
            raise DataError(f"{path} has {len(images)} {split} images but {len(labels)} labels; fetch the files again")
        arrays[split] = images[..., None], labels.astype(np.int64)
    if arrays["train"][0].shape[1:] != arrays["test"][0].shape[1:]:
        raise DataError(f"{path} has training and test images of different sizes; they do not belong together")
    if classes is None:
        classes = tuple(str(i) for i in range(int(arrays["train"][1].max()) + 1))

    def read(split: str) -> Iterator[tuple[Images, Labels]]:
        images, labels = arrays[split]
        for start in range(0, len(labels), 8192):
            yield images[start : start + 8192], labels[start : start + 8192]

    height, width = arrays["train"][0].shape[1:3]
    counts = {split: len(labels) for split, (_, labels) in arrays.items()}
    return Source(path.name, classes, 1, (height, width), counts, read, str(path))


def _read(folder: Path, stem: str, dimensions: int) -> Images:
    """One idx file of unsigned bytes as an array."""
    path = next((p for p in (folder / stem, folder / f"{stem}.gz") if p.is_file()), None)
    if path is None:
        raise DataError(f"{folder} lacks {stem} (or {stem}.gz); fetch the whole dataset again")
    try:
        raw = path.read_bytes()
        if path.suffix == ".gz":
            raw = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}); fetch it again") from None
    header = 4 + 4 * dimensions
    if len(raw) < header or raw[:4] != bytes((0, 0, 8, dimensions)):
        raise DataError(f"{path} is not an idx file of bytes with {dimensions} dimensions; fetch it again")
    shape = struct.unpack(f">{dimensions}I", raw[4:header])
    if len(raw) - header != int(np.prod(shape)) or 0 in shape:
        raise DataError(
            f"{path} is torn: its header says {list(shape)} but {len(raw) - header} bytes follow; fetch it again"
        )
    return np.frombuffer(raw, np.uint8, offset=header).reshape(shape)
