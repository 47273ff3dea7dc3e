"""Oxford-IIIT Pets as published: ``images/*.jpg``, ``annotations/trainval.txt``, ``annotations/test.txt``.

A line of those is "IMAGE CLASS SPECIES BREED", the class a number from 1, its name the image's without its number. The
publisher's trainval is the train split here; a validation part is data.minival's business.
"""

from __future__ import annotations

from pathlib import Path

from engine.data.build import Progress, Source, quiet
from engine.data.errors import DataError
from engine.data.pictures import Listing, lines, picture_source, some

_FILES = {"train": "trainval.txt", "test": "test.txt"}


def is_pets(path: Path) -> bool:
    """Whether `path` has the publisher's lists."""
    return any((path / "annotations" / name).is_file() for name in _FILES.values())


def read_pets(path: Path, size: int | None = None, progress: Progress = quiet) -> Source:
    """A Source of the pictures in `path`/images; `size` in px.

    Raises DataError: a list missing or malformed, classes that differ between the lists, missing pictures, and what
    `picture_source` raises.
    """
    names: dict[str, dict[int, str]] = {}
    listing: Listing = {}
    for split, file in _FILES.items():
        names[split], rows = {}, []
        for line in lines(path / "annotations" / file):
            image, label = _parsed(path / "annotations" / file, line)
            names[split].setdefault(label, image.rpartition("_")[0])
            rows.append((path / "images" / f"{image}.jpg", label - 1))
        if missing := [picture.name for picture, _ in rows if not picture.is_file()]:
            raise DataError(f"{path / 'images'} lacks {some(missing)}; unpack images.tar.gz there")
        listing[split] = rows
    train, test = (names[split] for split in _FILES)
    if train != test or sorted(train) != list(range(1, len(train) + 1)):
        differing = sorted(set(train.items()) ^ set(test.items())) or sorted(train.items())
        raise DataError(
            f"{path / 'annotations'} has different classes in trainval.txt and test.txt "
            f"({some(f'{number} {name}' for number, name in differing)}); fetch annotations.tar.gz again"
        )
    return picture_source(path, [train[number] for number in sorted(train)], listing, size, progress)


def _parsed(file: Path, line: str) -> tuple[str, int]:
    words = line.split()
    if len(words) < 2 or not words[1].isdecimal() or not int(words[1]) or "/" in words[0] or "_" not in words[0]:
        raise DataError(f'{file} has the line "{line[:60]}", not IMAGE CLASS SPECIES BREED; fetch it again')
    return words[0], int(words[1])
