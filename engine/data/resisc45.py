"""NWPU-RESISC45 as published: ``NWPU-RESISC45/CLASS/*.jpg``, 700 pictures a class and no splits.

60 % train, 20 % val, 20 % test as in VTAB and AugReg; which pictures those are is decided here once and for all
(theirs follow tensorflow_datasets' order, which comes from hashes of its own): of every class in proportion, by
``stratified(labels, ..., SPLIT_SEED)`` over the pictures sorted by class and name, first test, then val of the rest.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.data.build import Progress, Source, quiet
from engine.data.imagefolder import class_folders
from engine.data.pictures import picture_source, pictures
from engine.data.split import stratified

# Chosen once; another value would make another benchmark out of "resisc45".
SPLIT_SEED = 0
FOLDER = "NWPU-RESISC45"
_HELD_OUT = 0.2


def is_resisc45(path: Path) -> bool:
    """Whether `path` is the published folder, known by its name: class folders alone could be anything."""
    return path.is_dir() and path.name == FOLDER


def read_resisc45(path: Path, size: int | None = None, progress: Progress = quiet) -> Source:
    """A Source of the class folders in `path`, split as said above; `size` in px. Raises DataError."""
    classes = class_folders(path)
    files = [(file, label) for label, name in enumerate(classes) for file in pictures(path / name)]
    labels = np.array([label for _, label in files])
    count = round(len(files) * _HELD_OUT)
    test = stratified(labels, count, SPLIT_SEED)
    rest = np.setdiff1d(np.arange(len(files)), test)
    val = rest[stratified(labels[rest], count, SPLIT_SEED, draw=1)]
    rows = {"train": np.setdiff1d(rest, val), "val": val, "test": test}
    listing = {split: [files[row] for row in chosen] for split, chosen in rows.items()}
    return picture_source(path, classes, listing, size, progress)
