"""CIFAR-10 and CIFAR-100 as published: the python batches (pickles, read by a reader that builds arrays only) and the
binary records, from a folder or straight from the .tar.gz."""

from __future__ import annotations

import io
import pickle
import re
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from engine.data.archive import TORN, check_end, first_line
from engine.data.build import Source
from engine.data.errors import DataError
from engine.data.pack import Images, Labels
from engine.data.pictures import children

SIDE = 32
PIXELS = 3 * SIDE * SIDE

_TRAIN10 = [f"data_batch_{i}" for i in range(1, 6)]


class Files:
    """The files of one folder or of one tar archive, by their last name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._contents: dict[str, Callable[[], bytes]] = {}
        if path.is_dir():
            for file in children(path):
                if file.is_file():
                    self._contents[file.name] = file.read_bytes
        else:
            self._read_tar()

    def _read_tar(self) -> None:
        try:
            with tarfile.open(self.path) as tar:
                for member in tar:
                    file = tar.extractfile(member) if member.isreg() else None
                    if file is not None:
                        self._contents[PurePosixPath(member.name).name] = partial(bytes, file.read())
                check_end(tar)
        except (*TORN, OSError, ValueError) as error:
            raise DataError(f"{self.path} is not a whole tar archive ({first_line(error)}); fetch it again") from None

    def __contains__(self, name: str) -> bool:
        return name in self._contents

    def read(self, name: str) -> bytes:
        """Contents of one file. Raises DataError when it is missing or unreadable."""
        if name not in self._contents:
            raise DataError(f"{self.path} lacks {name}; fetch the whole dataset again")
        try:
            return self._contents[name]()
        except OSError as error:
            raise DataError(f"{self.path / name} cannot be read: {error.strerror}") from None


def is_cifar(path: Path) -> bool:
    """Whether `path` is a folder in one of the four layouts or an archive of one. Raises DataError: torn archive."""
    if path.is_file():
        return re.search(r"\.(tar|tgz|tar\.gz)$", path.name) is not None and _is_layout(_first_names(path))
    return path.is_dir() and _is_layout({file.name for file in children(path) if file.is_file()})


def _is_layout(names: set[str]) -> bool:
    return bool(names & {"data_batch_1", "data_batch_1.bin", "train.bin"}) or names >= {"train", "meta"}


def _first_names(path: Path) -> set[str]:
    """Last names of the first files of an archive, a few more than CIFAR's have: others may have millions."""
    try:
        with tarfile.open(path) as tar:
            files = (PurePosixPath(member.name).name for member in tar if member.isreg())
            return set(islice(files, 20))
    except (*TORN, OSError, ValueError) as error:
        raise DataError(f"{path} is not a whole tar archive ({first_line(error)}); fetch it again") from None


def read_cifar(path: Path) -> Source:
    """A Source of whichever of the four layouts is at `path`. Raises DataError: none, something missing or torn."""
    files = Files(path)
    if "data_batch_1.bin" in files:
        return _binary(files, [f"{n}.bin" for n in _TRAIN10], "test_batch.bin", 1, 0, "batches.meta.txt")
    if "train.bin" in files:
        return _binary(files, ["train.bin"], "test.bin", 2, 1, "fine_label_names.txt")
    if "data_batch_1" in files:
        return _python(files, _TRAIN10, "test_batch", "labels", "batches.meta", "label_names")
    if "train" in files:
        return _python(files, ["train"], "test", "fine_labels", "meta", "fine_label_names")
    raise DataError(
        f"{path} holds no CIFAR files (data_batch_1 or train, with or without .bin); "
        "give the folder or .tar.gz as published"
    )


def _binary(files: Files, train: list[str], test: str, label_bytes: int, which: int, names: str) -> Source:
    record = label_bytes + PIXELS
    classes = tuple(files.read(names).decode("utf-8", "replace").split())

    def records(name: str) -> Any:
        raw = np.frombuffer(files.read(name), np.uint8)
        if len(raw) % record or not len(raw):
            raise DataError(
                f"{files.path / name} is torn: {len(raw)} bytes are not whole records of {record}; fetch it again"
            )
        return raw.reshape(-1, record)

    def read(split: str) -> Iterator[tuple[Images, Labels]]:
        for name in train if split == "train" else [test]:
            rows = records(name)
            yield _to_nhwc(rows[:, label_bytes:]), rows[:, which].astype(np.int64)

    counts = {"train": sum(len(records(name)) for name in train), "test": len(records(test))}
    return _source(files, classes, counts, read)


def _python(files: Files, train: list[str], test: str, key: str, meta: str, names_key: str) -> Source:
    names = _unpickle(files, meta).get(names_key)
    if not isinstance(names, list):
        raise DataError(f"{files.path / meta} has no {names_key}; fetch the dataset again")
    classes = tuple(n.decode() if isinstance(n, bytes) else str(n) for n in names)
    batches: dict[str, tuple[Images, Labels]] = {}
    for name in [*train, test]:
        content = _unpickle(files, name)
        data, labels = content.get("data"), content.get(key)
        if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != PIXELS \
                or not isinstance(labels, list) or len(labels) != len(data):  # fmt: skip
            raise DataError(
                f"{files.path / name} is not a CIFAR batch (uint8 data of {PIXELS} columns and {key}); fetch it again"
            )
        batches[name] = data, np.asarray(labels, np.int64)

    def read(split: str) -> Iterator[tuple[Images, Labels]]:
        for name in train if split == "train" else [test]:
            yield _to_nhwc(batches[name][0]), batches[name][1]

    counts = {"train": sum(len(batches[name][1]) for name in train), "test": len(batches[test][1])}
    return _source(files, classes, counts, read)


def _source(files: Files, classes: tuple[str, ...], counts: dict[str, int], read: Any) -> Source:
    return Source(files.path.name, classes, 3, (SIDE, SIDE), counts, read, str(files.path))


def _to_nhwc(rows: Images) -> Images:
    return np.ascontiguousarray(rows.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1))


def _unpickle(files: Files, name: str) -> dict[str, Any]:
    try:
        content = _ArraysOnly(io.BytesIO(files.read(name)), encoding="bytes").load()
    except DataError:
        raise
    except Exception as error:
        # A torn or hostile pickle can raise nearly anything while it is read.
        raise DataError(f"{files.path / name} cannot be read as a CIFAR batch ({error}); fetch it again") from None
    if not isinstance(content, dict):
        raise DataError(f"{files.path / name} is not a CIFAR batch; fetch it again")
    return {k.decode() if isinstance(k, bytes) else str(k): v for k, v in content.items()}


class _ArraysOnly(pickle.Unpickler):
    """Unpickles what CIFAR's batches hold (dicts, lists, text, numbers, arrays) and refuses to call anything else."""

    def find_class(self, module: str, name: str) -> Any:
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return _reconstruct
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            return _dtype
        if (module, name) == ("_codecs", "encode"):  # how Python 3 writes bytes in protocol 2
            return _latin1
        raise pickle.UnpicklingError(f"it wants to load {module}.{name}, which image data never needs")


def _reconstruct(_subtype: Any, _shape: Any, _kind: Any) -> Any:
    return np.ndarray.__new__(np.ndarray, (0,), np.uint8)


def _dtype(spec: Any, *_flags: Any) -> Any:
    if spec not in (b"u1", "u1"):
        raise pickle.UnpicklingError(f"it holds an array of {spec!r}, not of uint8")
    return np.dtype(np.uint8)


def _latin1(text: str, _encoding: Any = "latin1") -> bytes:
    return text.encode("latin1")
