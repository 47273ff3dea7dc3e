"""KITTI's object pictures, classified by how far the closest vehicle is (VTAB's kitti, closest_vehicle_distance).

Published layout, the three archives in one folder: ``training/image_2/*.png``, ``training/label_2/*.txt``,
``mapping/train_rand.txt`` and ``mapping/train_mapping.txt`` (devkit_object.zip). The pictures are wide: they are
squashed to a square as in VTAB, since a centre crop would lose the vehicles at the sides.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np

from engine.data.build import Progress, Source, quiet
from engine.data.errors import DataError
from engine.data.pictures import Listing, lines, picture_source
from engine.recipe import datasets

_VEHICLES = ("Car", "Van", "Truck")
# A distance above the first bound is at least class 1, and so on (task_adaptation, data/kitti.py).
_BOUNDS_M = (8.0, 20.0, 999.0)
_NONE_M = 1000.0

# tensorflow_datasets, object_detection/kitti: a tenth of the drives each for test and val, chosen from this seed.
_SPLIT_SEED = 123
_SPLIT_PERCENT = 10


def is_kitti(path: Path) -> bool:
    """Whether `path` has KITTI's object pictures or labels."""
    return (path / "training" / "label_2").is_dir() or (path / "training" / "image_2").is_dir()


def read_kitti(path: Path, size: int | None = None, progress: Progress = quiet) -> Source:
    """A Source of the labelled pictures in `path`; `size` in px.

    Raises DataError: a part of the three archives missing, labels that cannot be read, and what `picture_source`
    raises.
    """
    files = sorted((path / "training" / "image_2").glob("*.png"))
    drives = _drives(path / "mapping")
    if len(files) != len(drives) or [file.stem for file in files] != [f"{n:06d}" for n in range(len(files))]:
        raise DataError(
            f"{path / 'training' / 'image_2'} has {len(files)} pictures but {path / 'mapping'} lists {len(drives)}; "
            "unpack the whole data_object_image_2.zip and devkit_object.zip there"
        )
    labels = [_distance_class(path / "training" / "label_2" / f"{file.stem}.txt") for file in files]
    listing: Listing = {split: [(files[n], labels[n]) for n in rows] for split, rows in split_by_drive(drives).items()}
    return picture_source(path, datasets.get("kitti-distance").classes, listing, size, progress, fit="squash")


def split_by_drive(drives: list[str]) -> dict[str, list[int]]:
    """Split -> ascending numbers of its pictures, given each picture's drive: no drive is in two splits.

    The drives of test and val are those of tensorflow_datasets' kitti: numpy's legacy ``RandomState(123).choice`` over
    the sorted names, whose stream numpy keeps for good.
    """
    pictures = defaultdict(list)
    for number, drive in enumerate(drives):
        pictures[drive].append(number)
    count = max(1, _SPLIT_PERCENT * len(pictures) // 100)
    random = np.random.RandomState(_SPLIT_SEED)
    chosen: dict[str, set[str]] = {}
    for split in ("test", "val"):
        left = sorted(set(pictures).difference(*chosen.values()))
        if len(left) <= count:
            raise DataError(f"{len(pictures)} KITTI drives are too few for three splits; fetch the whole dataset")
        chosen[split] = set(random.choice(left, count, replace=False).tolist())
    chosen["train"] = set(pictures).difference(*chosen.values())
    return {
        split: sorted(number for drive in chosen[split] for number in pictures[drive])
        for split in ("train", "val", "test")
    }


def _drives(folder: Path) -> list[str]:
    """The drive that each picture is from. Raises DataError."""
    order, mapping = folder / "train_rand.txt", folder / "train_mapping.txt"
    drives = [line.split()[1] for line in lines(mapping) if len(line.split()) == 3]
    numbers = [text.strip() for text in "".join(lines(order)).split(",")]
    if sorted(numbers) != sorted(str(n) for n in range(1, len(drives) + 1)):
        raise DataError(f"{order} is no permutation of the {len(drives)} lines of {mapping.name}; fetch both again")
    return [drives[int(number) - 1] for number in numbers]


def _distance_class(path: Path) -> int:
    """Number of the class of one label file: 15 words a line, the first the type, the 14th z in metres."""
    closest = _NONE_M
    for line in lines(path):
        words = line.split()
        if words[0] in _VEHICLES:
            try:
                closest = min(closest, float(words[13]))
            except (IndexError, ValueError):
                raise DataError(
                    f'{path} has the line "{line[:60]}", not one of 15 KITTI words; fetch it again'
                ) from None
    return sum(closest > bound for bound in _BOUNDS_M)
