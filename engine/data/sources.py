"""From a name, and perhaps a path, to a packed dataset."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.data.archive import is_archive, unpack
from engine.data.build import Progress, Source, build, locked, naming_errors, packed_already, quiet
from engine.data.cifar import is_cifar
from engine.data.download import download
from engine.data.errors import DataError
from engine.data.factory import from_factory
from engine.data.idx import is_idx
from engine.data.layouts import described, expected, read
from engine.data.pack import Images, Labels, PackedDataset, check_name
from engine.data.split import stratified
from engine.recipe import datasets
from engine.recipe.datasets import DatasetSpec

# Chosen once; another value would make another benchmark out of "digits".
DIGITS_SEED = 0


def add(
    name: str, root: Path, *, path: Path | None = None, factory: str = "", size: int | None = None,
    progress: Progress = quiet,
) -> PackedDataset:  # fmt: skip
    """Pack dataset `name` below `root` from `path`, from timm's `factory` ("hfds/REPO"), or by download, and open it.

    `size`: side in px for picture files. A catalogue name that is packed already is opened as it is; a name of one's
    own is not overwritten. Raises DataError for anything wrong, with nothing left behind but what was downloaded whole.
    """
    check_name(name)
    spec = datasets.known().get(name)
    if (packed := packed_already(root, name)) is not None:
        if path is not None or factory:
            raise DataError(f'dataset "{name}" is there already; choose another name, or delete {root / name} first')
        return packed
    if size is not None and spec is not None and spec.size is not None:
        raise DataError("--size is only for folders of pictures; the other layouts have one size")
    if spec is not None and spec.embedded:
        if path is not None or factory:
            raise DataError(f'"{name}" comes with the program; leave out --from, or choose another name')
        return pack_embedded(name, root, progress)
    if factory:
        if spec is not None:
            raise DataError(f'"{name}" is made of its published files; choose another name for {factory}')
        return _from_factory(name, factory, root, size, progress)
    if path is not None:
        path = path.expanduser()
        if not path.exists():
            raise DataError(f"{path} does not exist; --from takes a folder or an archive")
        with _readable(name, spec, path, root, progress) as where:
            return build(root, name, replace(_read(name, spec, where, size, progress), origin=str(path)), progress)
    if spec is None:
        raise DataError(
            f'there is no dataset "{name}" in the catalogue ({", ".join(datasets.known())}); '
            f"for your own pictures: vitui data add {name} --from PATH"
        )
    if not spec.files:
        raise DataError(f"{spec.title} cannot be downloaded by itself; get it from {spec.page}, then: {spec.remedy}")
    return _from_download(spec, root, size, progress)


def pack_embedded(name: str, root: Path, progress: Progress = quiet) -> PackedDataset:
    """Pack a dataset that comes with the program. Raises DataError as `build`, KeyError for a name that does not."""
    return build(root, name, {"digits": digits}[name](), progress)


def digits() -> Source:
    """scikit-learn's 1,797 handwritten digits of 8x8; 360, a fifth of every class, are the test split.

    The 17 grey levels are spread over 0..255. Which images are test images is decided by
    ``stratified(labels, 360, DIGITS_SEED)`` over scikit-learn's order, for ever.
    """
    from sklearn.datasets import load_digits

    spec = datasets.get("digits")
    bunch = load_digits()
    images = np.floor(bunch.images * (255 / 16) + 0.5).astype(np.uint8)[..., None]
    labels = bunch.target.astype(np.int64)
    test = stratified(labels, spec.splits["test"], DIGITS_SEED)
    train = np.setdiff1d(np.arange(len(labels)), test)

    def rows_of(split: str) -> Iterator[tuple[Images, Labels]]:
        rows = train if split == "train" else test
        yield images[rows], labels[rows]

    return described(Source(spec.title, spec.classes, 1, (8, 8), dict(spec.splits), rows_of, "scikit-learn"), spec)


def _from_download(spec: DatasetSpec, root: Path, size: int | None, progress: Progress) -> PackedDataset:
    folder = root / ".download" / spec.name
    try:
        with naming_errors(root):
            download(spec, folder, progress)
        with _readable(spec.name, spec, folder, root, progress) as where:
            source = replace(expected(spec, where, size, progress), origin=" ".join(spec.urls))
            packed = build(root, spec.name, source, progress)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        _remove_empty(folder)
    return packed


def _from_factory(name: str, factory: str, root: Path, size: int | None, progress: Progress) -> PackedDataset:
    # Kept when it fails, as downloads are: the libraries resume what is there.
    cache = root / ".download" / name
    try:
        packed = build(root, name, replace(from_factory(factory, cache, size, progress), title=name), progress)
        shutil.rmtree(cache, ignore_errors=True)
    finally:
        _remove_empty(cache)
    return packed


def _remove_empty(folder: Path) -> None:
    """What was fetched whole stays for another try, empty folders do not."""
    folders = [Path(base) for base, _, _ in os.walk(folder, topdown=False)]
    for empty in (*folders, folder.parent):
        with suppress(OSError):
            empty.rmdir()


def _read(name: str, spec: DatasetSpec | None, path: Path, size: int | None, progress: Progress) -> Source:
    return read(name, path, size, progress) if spec is None else expected(spec, path, size, progress)


@contextmanager
def _readable(name: str, spec: DatasetSpec | None, path: Path, root: Path, progress: Progress) -> Iterator[Path]:
    """`path` as a layout's reader wants it: archives unpacked into a folder that goes away when all is done.

    `path` may be an archive, or a folder with the files of `spec` as they were downloaded. CIFAR's archives and MNIST's
    zipped files are read as they are.
    """
    files = [path] if is_archive(path) else [path / file.filename for file in spec.files] if spec is not None else []
    if is_idx(path) or not files or not all(file.is_file() for file in files):
        yield path
    elif len(files) == 1 and is_cifar(files[0]):
        yield files[0]
    else:
        with _unpacked(name, files, root, progress) as folder:
            yield folder


@contextmanager
def _unpacked(name: str, files: Sequence[Path], root: Path, progress: Progress) -> Iterator[Path]:
    with naming_errors(root), locked(root, f"{name}.unpacking"):
        for stale in root.glob(f".{name}.*.unpacked"):  # whoever made it held the lock and is gone
            shutil.rmtree(stale)
        folder = root / f".{name}.{secrets.token_hex(4)}.unpacked"
        folder.mkdir()
        try:
            for file in files:
                if is_archive(file):
                    unpack(file, folder, progress)
                else:
                    shutil.copy(file, folder)
            try:
                yield folder
            except DataError as error:
                # The folder is gone when this is read; what the user has is the archive.
                where = files[0] if len(files) == 1 else files[0].parent
                raise DataError(str(error).replace(str(folder), str(where))) from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)
