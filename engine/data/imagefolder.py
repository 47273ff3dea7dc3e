"""Any folder of pictures: ``train/CLASS/*`` and ``val/CLASS/*`` or ``test/CLASS/*``.

Classes are the folder names under train/, sorted; names that are all numbers in the order of the numbers, not of the
text ("2" before "10"), as timm's natural sorting has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from engine.data.build import Progress, Source, quiet
from engine.data.errors import DataError
from engine.data.pictures import children, is_picture, picture_source, pictures, some

SPLIT_FOLDERS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test",),
}


def is_imagefolder(path: Path) -> bool:
    """Whether `path` has folders below it that could be splits or classes."""
    return path.is_dir() and any(child.is_dir() for child in children(path))


def has_train_folder(path: Path) -> bool:
    """Whether `path` has a folder of training pictures."""
    return any((path / name).is_dir() for name in SPLIT_FOLDERS["train"])


def read_imagefolder(path: Path, size: int | None = None, progress: Progress = quiet) -> Source:
    """A Source of the pictures below `path`; `size` in px.

    Raises DataError: no splits, classes that differ, and what `picture_source` raises.
    """
    folders = _split_folders(path)
    classes = class_folders(folders["train"])
    listed = {}
    for split, folder in folders.items():
        found = class_folders(folder)
        check_classes(path, classes, found, "train/", f"{split}/")
        listed[split] = [(file, label) for label, name in enumerate(classes) for file in pictures(folder / name)]
    return picture_source(path, classes, listed, size, progress)


def class_folders(folder: Path) -> list[str]:
    """Names of the class folders in their order. Raises DataError: none, or pictures beside them."""
    found = children(folder)
    classes = ordered(p.name for p in found if p.is_dir())
    if not classes:
        raise DataError(f"{folder} has no class folders; lay it out as {folder.name}/CLASS/*.png")
    if loose := [p.name for p in found if is_picture(p.name) and p.is_file()]:
        raise DataError(f"{folder} has pictures outside its class folders ({some(loose)}); move them into one, or away")
    return classes


def ordered(names: Iterable[str]) -> list[str]:
    """Sorted as text, or by number where every name is one."""
    found = sorted(names)
    numbers = all(name.isascii() and name.isdigit() for name in found)
    return sorted(found, key=int) if numbers else found


def check_classes(path: Path, ours: Sequence[str], theirs: Sequence[str], here: str, there: str) -> None:
    """Raises DataError naming the difference unless both places, called `here` and `there`, have the same classes."""
    parts = [
        f"only in {where}: {some(sorted(only))}"
        for where, only in ((here, set(ours) - set(theirs)), (there, set(theirs) - set(ours)))
        if only
    ]
    if parts:
        raise DataError(f"{path} has different classes in {here} and {there} ({'; '.join(parts)}); make them the same")


def _split_folders(path: Path) -> dict[str, Path]:
    found = {
        split: next((path / n for n in names if (path / n).is_dir()), None) for split, names in SPLIT_FOLDERS.items()
    }
    # An unlabelled test folder (pictures without classes) is common; it cannot score anything.
    if found["val"] and found["test"] and {p.name for p in children(found["test"]) if p.is_dir()} <= {"images"}:
        found["test"] = None
    train, held_out = found["train"], found["val"] or found["test"]
    if train is None or held_out is None:
        missing = "train/" if train is None else "val/ or test/"
        raise DataError(
            f"{path} has no folder {missing}; lay it out as train/CLASS/*.png and val/CLASS/*.png "
            "(move a part of every class to val/ if there is no such split yet)"
        )
    return {split: folder for split, folder in found.items() if folder is not None}
