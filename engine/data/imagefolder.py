"""Any folder of pictures: ``train/CLASS/*`` and ``val/CLASS/*`` or ``test/CLASS/*``.

Classes are the folder names under train/, sorted. Pictures all square and of one size are packed as they are; otherwise
a size is asked for, and the shorter side is resized to it (bicubic) and the centre cut out, as evaluation does. The
result has one channel if every picture is grey, else three. EXIF rotation is not applied, as in timm and torchvision.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from engine.data.build import Progress, Source, quiet
from engine.data.errors import DataError
from engine.data.pack import Images, Labels

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
SPLIT_FOLDERS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test",),
}
_GREY = {"1", "L", "LA"}
_COLOUR = {"RGB", "RGBA", "RGBX", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV"}


def is_imagefolder(path: Path) -> bool:
    """Whether `path` has folders below it that could be splits or classes."""
    return path.is_dir() and any(child.is_dir() for child in _children(path))


def read_imagefolder(path: Path, size: int | None = None, progress: Progress = quiet) -> Source:
    """A Source of the pictures below `path`; `size` in px. Reads every header, so that trouble shows before packing.

    Raises DataError: no splits, classes that differ, unreadable or 16-bit pictures (naming the file), sizes that differ
    while no `size` is given.
    """
    folders = _split_folders(path)
    classes = _classes(folders["train"])
    listed: dict[str, list[tuple[Path, int]]] = {}
    for split, folder in folders.items():
        found = _classes(folder)
        if found != classes:
            raise DataError(_differing(path, split, classes, found))
        listed[split] = [(file, label) for label, name in enumerate(classes) for file in _pictures(folder / name)]
    channels, natural = _inspect([file for files in listed.values() for file, _ in files], progress)
    if size is None:
        if len(natural) > 1 or natural.most_common(1)[0][0][0] != natural.most_common(1)[0][0][1]:
            raise DataError(_sizes_differ(path, natural))
        side = natural.most_common(1)[0][0][0]
    else:
        side = size

    def read(split: str) -> Iterator[tuple[Images, Labels]]:
        return _decode(listed[split], side, channels)

    return Source(
        path.name, tuple(classes), channels, (side, side), {s: len(f) for s, f in listed.items()}, read, str(path)
    )


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror}") from None


def _split_folders(path: Path) -> dict[str, Path]:
    found = {
        split: next((path / n for n in names if (path / n).is_dir()), None) for split, names in SPLIT_FOLDERS.items()
    }
    # An unlabelled test folder (pictures without classes) is common; it cannot score anything.
    if found["val"] and found["test"] and not any(p.is_dir() for p in _children(found["test"])):
        found["test"] = None
    train, held_out = found["train"], found["val"] or found["test"]
    if train is None or held_out is None:
        missing = "train/" if train is None else "val/ or test/"
        raise DataError(
            f"{path} has no folder {missing}; lay it out as train/CLASS/*.png and val/CLASS/*.png "
            "(move a part of every class to val/ if there is no such split yet)"
        )
    return {split: folder for split, folder in found.items() if folder is not None}


def _classes(folder: Path) -> list[str]:
    classes = [p.name for p in _children(folder) if p.is_dir()]
    if not classes:
        raise DataError(f"{folder} has no class folders; lay it out as {folder.name}/CLASS/*.png")
    return classes


def _differing(path: Path, split: str, train: Sequence[str], other: Sequence[str]) -> str:
    parts = []
    if only := sorted(set(train) - set(other)):
        parts.append(f"only in train/: {_some(only)}")
    if only := sorted(set(other) - set(train)):
        parts.append(f"only in {split}/: {_some(only)}")
    return f"{path} has different classes in train/ and {split}/ ({'; '.join(parts)}); make the class folders the same"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _pictures(folder: Path) -> list[Path]:
    files = [
        Path(base) / name
        for base, _, names in os.walk(folder, followlinks=True)
        for name in names
        if name.lower().endswith(EXTENSIONS) and not name.startswith(".")
    ]
    if not files:
        raise DataError(f"{folder} has no pictures ({', '.join(EXTENSIONS)}); remove the folder or fill it")
    return sorted(files)


def _inspect(files: list[Path], progress: Progress) -> tuple[int, Counter[tuple[int, int]]]:
    """Channels to pack with, and how many pictures there are of each (width, height)."""
    sizes: Counter[tuple[int, int]] = Counter()
    grey = True
    with ThreadPoolExecutor(_workers()) as pool:
        for number, (size, mode) in enumerate(pool.map(_header, files), 1):
            sizes[size] += 1
            grey = grey and mode in _GREY
            if number % 500 == 0 or number == len(files):
                progress("reading headers", number, len(files))
    return 1 if grey else 3, sizes


def _header(path: Path) -> tuple[tuple[int, int], str]:
    try:
        with Image.open(path) as image:
            size, mode = image.size, image.mode
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _corrupt(path, error) from None
    if mode not in _GREY | _COLOUR:
        raise DataError(f"{path} has mode {mode} (more than 8 bits a channel); convert it to 8 bits first")
    return size, mode


def _sizes_differ(path: Path, sizes: Counter[tuple[int, int]]) -> str:
    (width, height), _ = sizes.most_common(1)[0]
    shortest = min(min(size) for size in sizes)
    what = f"{len(sizes)} different sizes" if len(sizes) > 1 else f"pictures of {width}x{height}"
    return (
        f"{path} has {what} (most: {width}x{height}, shortest side {shortest}); "
        f"give the size to pack at, e.g. --size {min(width, height)}"
    )


def _workers() -> int:
    return max(1, len(os.sched_getaffinity(0)))


def _decode(files: list[tuple[Path, int]], side: int, channels: int) -> Iterator[tuple[Images, Labels]]:
    """Decode in order, with all cores (Pillow decodes outside Python's lock), a bounded chunk at a time."""
    chunk = max(8, min(1024, (32 << 20) // (side * side * channels)))
    queue = iter(files)
    with ThreadPoolExecutor(_workers()) as pool:
        while batch := list(islice(queue, chunk)):
            images = list(pool.map(lambda item: load(item[0], side, channels), batch))
            yield np.stack(images), np.array([label for _, label in batch], np.int64)


def load(path: Path, side: int, channels: int) -> Images:
    """One picture as uint8 [side, side, channels]. Raises DataError naming the file when it is corrupt."""
    try:
        with Image.open(path) as opened:
            image = opened.convert("L" if channels == 1 else "RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _corrupt(path, error) from None
    if image.size != (side, side):
        image = _resize_and_crop(image, side)
    return np.asarray(image, np.uint8).reshape(side, side, channels)


def _resize_and_crop(image: Image.Image, side: int) -> Image.Image:
    width, height = image.size
    short = min(width, height)
    # The rounding of torchvision's Resize and CenterCrop, which timm evaluates with.
    new = tuple(side if length == short else int(side * length / short) for length in (width, height))
    image = image.resize((new[0], new[1]), Image.Resampling.BICUBIC)
    left, top = round((new[0] - side) / 2.0), round((new[1] - side) / 2.0)
    return image.crop((left, top, left + side, top + side))


def _corrupt(path: Path, error: BaseException) -> DataError:
    return DataError(f"{path} is not a whole picture ({error}); repair or remove it, then add the dataset again")
