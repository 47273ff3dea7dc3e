"""Picture files of any size, mode and number: looked through first, then decoded in order, with all cores.

Pictures all square and of one size are packed as they are; otherwise a side is needed. "crop" resizes the shorter side
to it (bicubic) and cuts out the centre, as evaluation does; "squash" resizes both sides to it. The result has one
channel if every picture is grey, else three. EXIF rotation is not applied, as in timm and torchvision.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, UnidentifiedImageError

from engine.data.build import Progress, Source, quiet
from engine.data.errors import DataError
from engine.data.pack import Images, Labels

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")

Fit = Literal["crop", "squash"]
Listing = dict[str, list[tuple[Path, int]]]
"""Split -> picture and label of each of its images, in their final order."""
Sizes = Counter[tuple[int, int]]
"""How many pictures there are of each (width, height)."""

_GREY = {"1", "L", "LA"}
_COLOUR = {"RGB", "RGBA", "RGBX", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV"}


def picture_source(
    path: Path, classes: Sequence[str], listing: Listing, size: int | None, progress: Progress = quiet, *,
    fit: Fit = "crop", titles: Sequence[str] = (),
) -> Source:  # fmt: skip
    """A Source of the listed pictures; `size` in px. Reads every header, so that trouble shows before packing.

    Raises DataError: unreadable or 16-bit pictures (naming the file), sizes that differ while no `size` is given.
    """
    channels, sizes = _inspect([file for files in listing.values() for file, _ in files], progress)
    side = side_of(sizes, size, str(path))

    def read(split: str) -> Iterator[tuple[Images, Labels]]:
        return _decode(listing[split], side, channels, fit)

    return Source(
        path.name, tuple(classes), channels, (side, side), {s: len(f) for s, f in listing.items()}, read, str(path),
        titles=tuple(titles), original_side=original_side(sizes, side),
    )  # fmt: skip


def pictures(folder: Path) -> list[Path]:
    """Every picture file below `folder`, sorted.

    Raises DataError: none, a folder that cannot be read, a link to a folder above it, below which all would repeat.
    """
    files: list[Path] = []
    for base, folders, names in os.walk(folder, followlinks=True, onerror=_unreadable):
        files += [Path(base) / name for name in names if is_picture(name)]
        for link in (Path(base) / name for name in folders):
            if link.is_symlink() and Path(base).resolve().is_relative_to(link.resolve()):
                raise DataError(f"{link} is a link to a folder above it; remove it")
    if not files:
        raise DataError(f"{folder} has no pictures ({', '.join(EXTENSIONS)}); remove the folder or fill it")
    return sorted(files)


def _unreadable(error: OSError) -> None:
    raise DataError(f"{error.filename} cannot be read: {error.strerror}")


def is_picture(name: str) -> bool:
    """Whether a file of that name is taken for a picture."""
    return name.lower().endswith(EXTENSIONS) and not name.startswith(".")


def children(folder: Path) -> list[Path]:
    """What is in a folder, sorted, without hidden files. Raises DataError when it cannot be read."""
    try:
        return sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror}") from None


def lines(path: Path) -> list[str]:
    """The lines of a text file that are not blank. Raises DataError when it is missing or no text."""
    try:
        content = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path} is missing; fetch the whole dataset again") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise DataError(f"{path} is not a text file; fetch the dataset again") from None
    return [line for line in content.splitlines() if line.strip()]


def some(names: Iterable[str]) -> str:
    """The first five names, and how many there are beyond."""
    listed = list(names)
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")


def side_of(sizes: Sizes, size: int | None, where: str) -> int:
    """Side in px to pack at. Raises DataError when pictures differ in size, or are not square, and `size` is None."""
    if not sizes:
        raise DataError(f"{where} has no pictures; fetch the whole dataset")
    if size is not None:
        return size
    (width, height), _ = sizes.most_common(1)[0]
    if len(sizes) == 1 and width == height:
        return width
    shortest = min(min(each) for each in sizes)
    what = f"{len(sizes)} different sizes" if len(sizes) > 1 else f"pictures of {width}x{height}"
    raise DataError(
        f"{where} has {what} (most: {width}x{height}, shortest side {shortest}); "
        f"give the size to pack at, e.g. --size {min(width, height)}"
    )


def original_side(sizes: Sizes, side: int) -> int | None:
    """Median shorter side of the pictures in px; None where all are packed exactly as they are."""
    if set(sizes) == {(side, side)}:
        return None
    return int(np.median(np.repeat([min(size) for size in sizes], list(sizes.values()))))


def is_grey(mode: str, where: object) -> bool:
    """Whether a Pillow mode has no colour. Raises DataError for one of more than 8 bits a channel."""
    if mode not in _GREY | _COLOUR:
        raise DataError(f"{where} has mode {mode} (more than 8 bits a channel); convert it to 8 bits first")
    return mode in _GREY


def fitted(image: Image.Image, side: int, channels: int, fit: Fit = "crop") -> Images:
    """A picture as uint8 [side, side, channels]. Raises OSError and others of Pillow's for a torn one."""
    image = image.convert("L" if channels == 1 else "RGB")
    if image.size != (side, side):
        image = _resize_and_crop(image, side) if fit == "crop" else _resize(image, (side, side))
    return np.asarray(image, np.uint8).reshape(side, side, channels)


def _resize_and_crop(image: Image.Image, side: int) -> Image.Image:
    short = min(image.size)
    # The rounding of torchvision's Resize and CenterCrop, which timm evaluates with.
    width, height = (side if length == short else int(side * length / short) for length in image.size)
    left, top = round((width - side) / 2.0), round((height - side) / 2.0)
    return _resize(image, (width, height)).crop((left, top, left + side, top + side))


def _resize(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize(size, Image.Resampling.BICUBIC)


def _inspect(files: list[Path], progress: Progress) -> tuple[int, Sizes]:
    """Channels to pack with, and how many pictures there are of each size."""
    sizes: Sizes = Counter()
    grey = True
    with ThreadPoolExecutor(_workers()) as pool:
        for number, (size, without_colour) in enumerate(pool.map(_header, files), 1):
            sizes[size] += 1
            grey = grey and without_colour
            if number % 500 == 0 or number == len(files):
                progress("reading headers", number, len(files))
    return 1 if grey else 3, sizes


def _header(path: Path) -> tuple[tuple[int, int], bool]:
    try:
        with Image.open(path) as image:
            size, mode = image.size, image.mode
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _corrupt(path, error) from None
    return size, is_grey(mode, path)


def _workers() -> int:
    return max(1, len(os.sched_getaffinity(0)))


def _decode(files: list[tuple[Path, int]], side: int, channels: int, fit: Fit) -> Iterator[tuple[Images, Labels]]:
    """Decode in order (Pillow decodes outside Python's lock), a bounded chunk at a time."""
    chunk = max(8, min(1024, (32 << 20) // (side * side * channels)))
    queue = iter(files)
    with ThreadPoolExecutor(_workers()) as pool:
        while batch := list(islice(queue, chunk)):
            images = list(pool.map(lambda item: _load(item[0], side, channels, fit), batch))
            yield np.stack(images), np.array([label for _, label in batch], np.int64)


def _load(path: Path, side: int, channels: int, fit: Fit) -> Images:
    try:
        with Image.open(path) as opened:
            return fitted(opened, side, channels, fit)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _corrupt(path, error) from None


def _corrupt(path: Path, error: BaseException) -> DataError:
    return DataError(f"{path} is not a whole picture ({error}); repair or remove it, then add the dataset again")
