"""Which layout files are in, and which of them a catalogue entry may come in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from engine.data.build import Progress, Source
from engine.data.cifar import is_cifar, read_cifar
from engine.data.errors import DataError
from engine.data.flowers import is_flowers, read_flowers
from engine.data.idx import is_idx, read_idx
from engine.data.imagefolder import has_train_folder, is_imagefolder, read_imagefolder
from engine.data.imagenet import (
    is_imagenet,
    is_imagenetv2,
    read_imagenet,
    read_imagenetv2,
    synsets,
    wordnet_titles,
)
from engine.data.kitti import is_kitti, read_kitti
from engine.data.pets import is_pets, read_pets
from engine.data.pictures import children
from engine.data.resisc45 import FOLDER, is_resisc45, read_resisc45
from engine.data.tiny_imagenet import is_tiny_imagenet, read_tiny_imagenet
from engine.recipe.datasets import DatasetSpec


@dataclass(frozen=True)
class Layout:
    """One way in which files may lie."""

    recognise: Callable[[Path], bool]
    read: Callable[[Path, int | None, Progress], Source]
    pictures: bool = True
    """Whether it is picture files, which may be packed at any size."""


_IDX = Layout(is_idx, lambda path, _size, _progress: read_idx(path), pictures=False)
_CIFAR = Layout(is_cifar, lambda path, _size, _progress: read_cifar(path), pictures=False)
_TINY = Layout(is_tiny_imagenet, read_tiny_imagenet)
_FLOWERS = Layout(is_flowers, read_flowers)
_PETS = Layout(is_pets, read_pets)
_KITTI = Layout(is_kitti, read_kitti)
_RESISC45 = Layout(is_resisc45, read_resisc45)
_IMAGENET = Layout(is_imagenet, read_imagenet)
_IMAGENETV2 = Layout(is_imagenetv2, read_imagenetv2)
_FOLDERS = Layout(has_train_folder, read_imagefolder)
# What has folders at all is taken for one of pictures, whose reader says how to lay it out.
_ANY_FOLDERS = Layout(is_imagefolder, read_imagefolder)

# From the particular to the general.
_ALL = (_IDX, _CIFAR, _TINY, _FLOWERS, _PETS, _KITTI, _RESISC45, _IMAGENET, _IMAGENETV2, _FOLDERS, _ANY_FOLDERS)
_OF_ENTRY = {
    "mnist": (_IDX,),
    "fashion-mnist": (_IDX,),
    "cifar10": (_CIFAR,),
    "cifar100": (_CIFAR,),
    "tiny-imagenet": (_TINY, _FOLDERS),
    "flowers-102": (_FLOWERS,),
    "pets": (_PETS,),
    "kitti-distance": (_KITTI,),
    "resisc45": (_RESISC45,),
    "imagenet": (_IMAGENET, _FOLDERS),
    "imagenetv2": (_IMAGENETV2,),
}

# Where the published layouts lie below the folder they were unpacked or downloaded into (torchvision's names too).
_SUBFOLDERS = (
    "cifar-10-batches-py", "cifar-10-batches-bin", "cifar-100-python", "cifar-100-binary", "FashionMNIST/raw",
    "MNIST/raw", "raw", "tiny-imagenet-200", "flowers-102", "oxford-iiit-pet", FOLDER,
)  # fmt: skip


def read(name: str, path: Path, size: int | None, progress: Progress) -> Source:
    """The files at `path` as dataset `name`, whatever layout they are in. Raises DataError: none, or trouble in them.

    `size` in px is for picture files alone.
    """
    found = _find(path, _ALL)
    if found is None:
        raise DataError(
            f"{path} is in no layout this program reads: folders train/CLASS and val/CLASS of pictures, the published "
            "files of a dataset that `vitui data list` shows, or idx files as MNIST has them"
        )
    layout, where = found
    if size is not None and not layout.pictures:
        raise DataError("--size is only for folders of pictures; the other layouts have one size")
    return replace(_titled(layout.read(where, size, progress)), title=name)


def expected(spec: DatasetSpec, path: Path, size: int | None, progress: Progress) -> Source:
    """The files at `path`, which must be all of catalogue entry `spec`. Raises DataError saying what is missing."""
    found = _find(path, _OF_ENTRY[spec.name], _SUBFOLDERS)
    if found is None:
        raise DataError(
            f"{path} does not hold the files of {spec.title}; give the folder or archive as published, "
            f'or choose another name than "{spec.name}" for other pictures'
        )
    layout, where = found
    source = layout.read(where, size or spec.pack_size or None, progress)
    if layout is _IDX and len(source.classes) == spec.class_count:
        source = replace(source, classes=spec.classes)
    have = _shape(source.counts, source.size if spec.size else None, len(source.classes))
    want = _shape(spec.splits, spec.size, spec.class_count)
    classes = synsets() if spec.name in ("imagenet", "imagenetv2") else spec.classes or source.classes
    if have != want or source.classes != classes or source.channels != spec.channels:
        difference = f"it has {have}, not {want}" if have != want else "its classes or channels are others"
        raise DataError(f"{path} is not {spec.title}: {difference}; choose another name for other data")
    return described(_titled(source), spec)


def described(source: Source, spec: DatasetSpec) -> Source:
    """`source` with what the catalogue says of it."""
    return replace(
        source, title=spec.title, licence=spec.licence, mean=spec.mean or source.mean, std=spec.std or source.std
    )


def _find(path: Path, layouts: tuple[Layout, ...], known: tuple[str, ...] = ()) -> tuple[Layout, Path] | None:
    places = list(_places(path, known))
    return next(((layout, where) for layout in layouts for where in places if layout.recognise(where)), None)


def _places(path: Path, known: tuple[str, ...]) -> Iterator[Path]:
    """The path itself, folders of known names below it, and what it holds if that is a single folder."""
    yield path
    if path.is_dir():
        yield from (path / sub for sub in known if (path / sub).is_dir())
        inside = children(path)
        if len(inside) == 1 and inside[0].is_dir():
            yield from _places(inside[0], known)


def _titled(source: Source) -> Source:
    ids = all(re.fullmatch(r"n\d{8}", name) for name in source.classes)
    return replace(source, titles=wordnet_titles(source.classes)) if ids and not source.titles else source


def _shape(counts: dict[str, int], size: tuple[int, int] | None, classes: int) -> str:
    images = " and ".join(f"{n:,} {split}" for split, n in counts.items())
    return f"{images} images{f' of {size[1]}x{size[0]}' if size else ''} in {classes} classes"
