"""Tiny ImageNet as published: ``wnids.txt`` (not sorted), ``words.txt``, ``train/WNID/images/*.JPEG``,
``val/images/*.JPEG`` with ``val/val_annotations.txt``, and a test folder without labels, which is left out.

Classes are the WordNet ids, sorted; train and val are numbered by that one list. Some pictures are grey: they get three
equal channels like the others.
"""

from __future__ import annotations

from pathlib import Path

from engine.data.build import Progress, Source, quiet
from engine.data.errors import DataError
from engine.data.imagefolder import check_classes, class_folders
from engine.data.pictures import is_picture, lines, picture_source, pictures, some


def is_tiny_imagenet(path: Path) -> bool:
    """Whether `path` is laid out so: where val/ has been sorted into class folders it is a plain image folder."""
    return (path / "wnids.txt").is_file() and (path / "train").is_dir() and (path / "val" / "images").is_dir()


def read_tiny_imagenet(path: Path, size: int | None = None, progress: Progress = quiet) -> Source:
    """A Source of the pictures below `path`; `size` in px.

    Raises DataError: class lists that differ, a validation picture without a label or the other way round, a label
    that is no class, and what `picture_source` raises.
    """
    classes = sorted({line.strip() for line in lines(path / "wnids.txt")})
    check_classes(path, classes, class_folders(path / "train"), "wnids.txt", "train/")
    number = {wnid: label for label, wnid in enumerate(classes)}
    train = [(file, label) for wnid, label in number.items() for file in pictures(path / "train" / wnid / "images")]
    words = path / "words.txt"
    titles = dict(line.split("\t", 1) for line in lines(words) if "\t" in line) if words.is_file() else {}
    return picture_source(
        path, classes, {"train": train, "val": _val(path / "val", number)}, size, progress,
        titles=[titles.get(wnid, wnid).strip() for wnid in classes] if titles else (),
    )  # fmt: skip


def _val(folder: Path, number: dict[str, int]) -> list[tuple[Path, int]]:
    annotations = folder / "val_annotations.txt"
    labels: dict[str, int] = {}
    for line in lines(annotations):
        name, _, rest = line.partition("\t")
        wnid = rest.partition("\t")[0].strip()
        if wnid not in number:
            raise DataError(f'{annotations} gives {name} the class "{wnid}", which is not in wnids.txt; fetch it again')
        labels[name] = number[wnid]
    files = {p.name: p for p in (folder / "images").iterdir() if is_picture(p.name)}
    if unknown := sorted(files.keys() - labels.keys()):
        raise DataError(f"{annotations} has no line for {some(unknown)}; fetch the dataset again")
    if missing := sorted(labels.keys() - files.keys()):
        raise DataError(f"{folder / 'images'} lacks {some(missing)}; fetch the dataset again")
    return sorted(((file, labels[name]) for name, file in files.items()), key=lambda item: (item[1], item[0]))
