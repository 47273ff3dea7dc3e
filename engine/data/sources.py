"""From a name, and perhaps a path, to a packed dataset."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.data.build import Progress, Source, build, naming_errors, quiet
from engine.data.cifar import is_cifar, read_cifar
from engine.data.download import download
from engine.data.errors import DataError
from engine.data.idx import is_idx, read_idx
from engine.data.imagefolder import is_imagefolder, read_imagefolder
from engine.data.pack import MANIFEST, Images, Labels, PackedDataset, check_name
from engine.data.split import stratified
from engine.recipe import datasets
from engine.recipe.datasets import DatasetSpec

# Chosen once; another value would make another benchmark out of "digits".
DIGITS_SEED = 0

# Where the published layouts lie below the folder they were unpacked or downloaded into.
_SUBFOLDERS = {
    "cifar10": ("cifar-10-batches-py", "cifar-10-batches-bin"),
    "cifar100": ("cifar-100-python", "cifar-100-binary"),
    "fashion-mnist": ("FashionMNIST/raw", "raw"),
}


def add(
    name: str, root: Path, *, path: Path | None = None, size: int | None = None, progress: Progress = quiet
) -> PackedDataset:
    """Pack dataset `name` below `root` from `path`, else by download, and open it.

    A catalogue name that is packed already is opened as it is; a name of one's own is not overwritten. Raises
    DataError for anything wrong, with nothing left behind but what was downloaded whole.
    """
    check_name(name)
    spec = datasets.known().get(name)
    if (root / name / MANIFEST).exists():
        if path is not None:
            raise DataError(f'dataset "{name}" is there already; choose another name, or delete {root / name} first')
        return PackedDataset.open(root / name)
    if size is not None and (path is None or not _is_pictures(path)):
        raise DataError("--size is only for folders of pictures; the other layouts have one size")
    if spec is not None and spec.embedded:
        if path is not None:
            raise DataError(f'"{name}" comes with the program; leave out --from, or choose another name')
        return pack_embedded(name, root, progress)
    if path is not None:
        return build(root, name, _from_path(name, spec, path.expanduser(), size, progress), progress)
    if spec is None:
        raise DataError(
            f'there is no dataset "{name}" in the catalogue ({", ".join(datasets.known())}); '
            f"for your own pictures: vitui data add {name} --from PATH"
        )
    return _from_download(spec, root, progress)


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

    def read(split: str) -> Iterator[tuple[Images, Labels]]:
        rows = train if split == "train" else test
        yield images[rows], labels[rows]

    return _described(Source(spec.title, spec.classes, 1, spec.size, dict(spec.splits), read, "scikit-learn"), spec)


def _from_download(spec: DatasetSpec, root: Path, progress: Progress) -> PackedDataset:
    folder = root / ".download" / spec.name
    try:
        with naming_errors(root):
            files = download(spec, folder, progress)
        path = folder if is_idx(folder) else files[0]
        packed = build(root, spec.name, replace(_expected(spec, path), origin=" ".join(spec.urls)), progress)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        # Whole files stay for another try, empty folders do not.
        for empty in (folder, folder.parent):
            with suppress(OSError):
                empty.rmdir()
    return packed


def _from_path(name: str, spec: DatasetSpec | None, path: Path, size: int | None, progress: Progress) -> Source:
    if not path.exists():
        raise DataError(f"{path} does not exist; --from takes a folder or an archive")
    if spec is not None:
        below = [path / sub for sub in _SUBFOLDERS[name] if (path / sub).is_dir()]
        return _expected(spec, below[0] if below else path)
    if is_idx(path):
        return replace(read_idx(path), title=name)
    if is_cifar(path):
        return replace(read_cifar(path), title=name)
    if is_imagefolder(path):
        return replace(read_imagefolder(path, size, progress), title=name)
    raise DataError(
        f"{path} is in no layout this program reads: folders train/CLASS and val/CLASS of pictures, CIFAR's python or "
        "binary files or their .tar.gz, or idx files as MNIST has them"
    )


def _is_pictures(path: Path) -> bool:
    path = path.expanduser()
    return is_imagefolder(path) and not is_idx(path) and not is_cifar(path)


def _expected(spec: DatasetSpec, path: Path) -> Source:
    """The files at `path`, which must be all of catalogue entry `spec`. Raises DataError saying what is missing."""
    if is_idx(path):
        source = read_idx(path, spec.classes)
    elif is_cifar(path):
        source = read_cifar(path)
    else:
        raise DataError(
            f"{path} does not hold the files of {spec.title}; give the folder or archive as published, "
            f'or choose another name than "{spec.name}" for other pictures'
        )
    if source.counts != spec.splits or source.size != spec.size or source.classes != spec.classes:
        raise DataError(
            f"{path} is not {spec.title}: it has {_shape(source.counts, source.classes, source.size)}, not "
            f"{_shape(spec.splits, spec.classes, spec.size)}; choose another name for other data"
        )
    return _described(source, spec)


def _shape(counts: dict[str, int], classes: tuple[str, ...], size: tuple[int, int]) -> str:
    images = " and ".join(f"{n:,} {split}" for split, n in counts.items())
    return f"{images} images of {size[1]}x{size[0]} in {len(classes)} classes"


def _described(source: Source, spec: DatasetSpec) -> Source:
    return replace(source, title=spec.title, licence=spec.licence, mean=spec.mean, std=spec.std)
