"""Datasets that timm's own factory knows by name: ``hfds/REPO`` (Hugging Face), ``tfds/NAME``, ``torch/NAME``.

Images and labels are read one after the other, twice: for their sizes, then to be packed. Nothing else here imports
timm (and with it torch), nor the libraries `datasets` and `tensorflow_datasets`, which come with neither.
"""

from __future__ import annotations

import importlib.util
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from engine.data.build import Progress, Source, quiet
from engine.data.errors import DataError
from engine.data.imagefolder import check_classes
from engine.data.pack import Images, Labels
from engine.data.pictures import Sizes, fitted, is_grey, original_side, side_of

_LIBRARIES = {"hfds": ("datasets",), "tfds": ("tensorflow_datasets", "tensorflow"), "torch": ()}
_SYNONYMS = {"train": ("train", "training"), "val": ("validation", "val", "valid", "dev"), "test": ("test",)}
# torchvision's names that timm's factory knows, and the splits they have there. Not those read here without it, nor
# CIFAR's, which torchvision unpickles.
_TORCH = {
    "kmnist": {"train": "train", "test": "validation"},
    "qmnist": {"train": "train", "test": "validation"},
    "inaturalist": {"train": "train", "val": "validation"},
    "places365": {"train": "train", "val": "validation"},
}
_OWN = {"cifar10": "cifar10", "cifar100": "cifar100", "mnist": "mnist", "fashion_mnist": "fashion-mnist",
        "imagenet": "imagenet"}  # fmt: skip

T = TypeVar("T")


def from_factory(name: str, cache: Path, size: int | None = None, progress: Progress = quiet) -> Source:
    """A Source of dataset `name`, downloaded to `cache` where its library does that; `size` in px.

    Raises DataError: a library that is not installed, a name it does not know, no training or no held-out split,
    classes that differ between splits, labels that are no class numbers, sizes that differ while no `size` is given.
    """
    kind, _, rest = name.partition("/")
    for library in _LIBRARIES[kind]:
        if importlib.util.find_spec(library) is None:
            raise DataError(f"{name} needs the library {library}, which is not installed; run: pip install {library}")
    if kind == "hfds":
        # Code from a repository is never run; early versions of the library run it, or ask, unless told not to.
        os.environ["HF_DATASETS_TRUST_REMOTE_CODE"] = "0"
    with_library = _asking(name)
    splits = with_library(partial(_splits, kind, rest, cache))
    if "train" not in splits or len(splits) < 2:
        have = ", ".join(splits.values()) or "none"
        raise DataError(f"{name} needs a training split and one to evaluate on; of those it has {have}")
    opened = {split: with_library(partial(_open, kind, rest, cache, theirs)) for split, theirs in splits.items()}
    counts: dict[str, int] = {}
    sizes: Sizes = Counter()
    grey, highest = True, -1
    for split in list(opened):
        labels, (seen, without_colour) = _look(name, split, opened[split], progress)
        if split != "train" and labels and max(labels) < 0:  # published without labels, as test sets often are
            del opened[split]
            continue
        if labels and min(labels) < 0:
            raise DataError(f"{name} has images without a label in {split}; choose another dataset")
        counts[split], highest = len(labels), max([highest, *labels])
        sizes, grey = sizes + seen, grey and without_colour
    if len(opened) < 2:
        raise DataError(f"{name} has labels in its training split alone; it cannot be evaluated on")
    side, channels = side_of(sizes, size, name), 1 if grey else 3

    def read(split: str) -> Iterator[tuple[Images, Labels]]:
        for image, label in _samples(name, split, opened[split], partial(fitted, side=side, channels=channels)):
            yield image[None], np.array([label], np.int64)

    return Source(
        name, _classes(name, opened, highest), channels, (side, side), counts, read, name,
        original_side=original_side(sizes, side),
    )  # fmt: skip


def _asking(name: str) -> Callable[[Callable[[], Any]], Any]:
    """Calls into a library whose errors are of any kind, as one sentence."""

    def call(question: Callable[[], Any]) -> Any:
        try:
            return question()
        except DataError:
            raise
        except Exception as error:
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise DataError(f"{name} could not be opened ({first}); check the name and the connection") from None

    return call


def _splits(kind: str, name: str, cache: Path) -> dict[str, str]:
    """Our name of a split -> theirs."""
    if kind == "torch":
        if name in _OWN:
            raise DataError(f"torch/{name} is read by this program itself; run: vitui data add {_OWN[name]}")
        if name not in _TORCH:
            raise DataError(f"timm's factory knows no torch/{name}; it has {', '.join(f'torch/{n}' for n in _TORCH)}")
        return _TORCH[name]
    theirs: list[str]
    if kind == "hfds":
        import datasets  # type: ignore[import-not-found]

        theirs = list(datasets.get_dataset_split_names(name))
    else:
        import tensorflow_datasets  # type: ignore[import-not-found]

        theirs = list(tensorflow_datasets.builder(name, data_dir=str(cache)).info.splits)
    found = {ours: next((n for n in names if n in theirs), None) for ours, names in _SYNONYMS.items()}
    return {ours: their for ours, their in found.items() if their is not None}


def _open(kind: str, name: str, cache: Path, split: str) -> Any:
    from timm.data import create_dataset

    cache.mkdir(parents=True, exist_ok=True)
    keys = _keys(name) if kind == "hfds" else {}
    return create_dataset(f"{kind}/{name}", root=str(cache), split=split, download=kind != "hfds", **keys)


def _keys(repository: str) -> dict[str, str]:
    """The columns of a Hugging Face dataset with its images and labels, where they are not called as timm expects."""
    import datasets

    features: Mapping[str, Any] = datasets.load_dataset_builder(repository).info.features or {}
    keys = {}
    for key, usual, kind in (("input_key", "image", "Image"), ("target_key", "label", "ClassLabel")):
        named = [column for column, feature in features.items() if type(feature).__name__ == kind]
        if usual not in features and named:
            keys[key] = named[0]
    return keys


def _look(name: str, split: str, dataset: Any, progress: Progress) -> tuple[list[int], tuple[Sizes, bool]]:
    """Every label of a split; how many images there are of each size, and whether all are grey."""
    labels: list[int] = []
    sizes: Sizes = Counter()
    grey, total = True, len(dataset)
    for (size, mode), label in _samples(name, split, dataset, lambda image: (image.size, image.mode)):
        labels.append(label)
        sizes[size] += 1
        grey = is_grey(mode, f"{name}, {split} image {len(labels) - 1}") and grey
        if len(labels) % 500 == 0 or len(labels) == total:
            progress(f"reading {split}", len(labels), max(total, len(labels)))
    return labels, (sizes, grey)


def _samples(name: str, split: str, dataset: Any, use: Callable[[Image.Image], T]) -> Iterator[tuple[T, int]]:
    """What `use` makes of each image, and its class number, -1 where it has none."""
    number = 0
    try:
        for image, label in _pairs(dataset):
            if label is not None and (isinstance(label, bool) or int(label) != label):
                raise DataError(f"{name} has the label {label!r} in {split}, which is no class number")
            yield use(image), -1 if label is None else int(label)
            number += 1
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{name}: {split} image {number} cannot be read ({error}); choose another dataset") from None


def _pairs(dataset: Any) -> Iterator[tuple[Image.Image, Any]]:
    reader = getattr(dataset, "reader", None)
    if reader is not None and hasattr(reader, "__getitem__"):
        # Not through timm's ImageDataset, which puts the next image in the place of one that cannot be read.
        for index in range(len(reader)):
            file, label = reader[index]
            with file, Image.open(file) as image:
                yield image, label
    elif hasattr(dataset, "__getitem__") and reader is None:
        for index in range(len(dataset)):
            yield dataset[index]
    else:
        yield from dataset


def _classes(name: str, opened: dict[str, Any], highest: int) -> tuple[str, ...]:
    """Names in the order of their numbers; the numbers themselves where the library gives no names."""
    listed = {split: _names(dataset) for split, dataset in opened.items()}
    for split, names in listed.items():
        if sorted(names) == sorted(listed["train"]) and names != listed["train"]:
            raise DataError(f"{name} numbers its classes otherwise in train and {split}; choose another dataset")
        check_classes(Path(name), listed["train"], names, "train", split)
    return tuple(listed["train"]) or tuple(str(number) for number in range(highest + 1))


def _names(dataset: Any) -> list[str]:
    numbers = getattr(getattr(dataset, "reader", None), "class_to_idx", None)
    if numbers:
        return sorted(numbers, key=numbers.__getitem__)
    return [str(each) for each in getattr(dataset, "classes", ()) or getattr(dataset, "all_categories", ())]
