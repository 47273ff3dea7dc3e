"""ImageNet-1k and ImageNetV2 in folders. Classes are the 1,000 WordNet ids, sorted, as every ImageNet model has them.

ImageNet: ``train/WNID/*`` and ``val/WNID/*``, or a flat ``val/*.JPEG`` with a file that labels it; Kaggle's archive
too. ImageNetV2: folders "0" to "999", which name the class by its number, so "10" comes after "9".
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from pathlib import Path

from engine.data.build import Progress, Source, quiet
from engine.data.errors import DataError
from engine.data.imagefolder import check_classes, class_folders, read_imagefolder
from engine.data.pictures import Listing, children, is_picture, lines, picture_source, pictures, some

_KAGGLE = Path("ILSVRC/Data/CLS-LOC")
# Kaggle's; timm's and Tiny ImageNet's "NAME WNID"; Caffe's "NAME NUMBER".
_LABELS = ("LOC_val_solution.csv", "val_annotations.txt", "val_labels.txt", "val.txt")


def synsets() -> tuple[str, ...]:
    """The 1,000 WordNet ids of ImageNet-1k in their order, from timm's own list (without importing timm)."""
    return tuple(_timm_lines("imagenet_synsets.txt"))


def wordnet_titles(classes: Sequence[str]) -> tuple[str, ...]:
    """What the WordNet ids mean, from timm's own list; empty unless every class is such an id."""
    names = dict(line.split("\t", 1) for line in _timm_lines("imagenet_synset_to_lemma.txt"))
    return tuple(names[wnid] for wnid in classes) if all(wnid in names for wnid in classes) else ()


def _timm_lines(name: str) -> list[str]:
    spec = importlib.util.find_spec("timm")
    if spec is None or spec.origin is None:
        raise DataError("timm is not installed; install vitui again")
    return lines(Path(spec.origin).parent / "data" / "_info" / name)


def is_imagenet(path: Path) -> bool:
    """Whether `path` is Kaggle's archive, or has a train/ of class folders beside a val/ of nothing but pictures."""
    if (path / _KAGGLE / "train").is_dir():
        return True
    return (path / "train").is_dir() and (path / "val").is_dir() and _flat(path / "val")


def read_imagenet(path: Path, size: int | None = None, progress: Progress = quiet) -> Source:
    """A Source of the pictures below `path`, whose validation pictures may be in class folders or flat; `size` in px.

    Raises DataError: no file that labels flat pictures, pictures without a label or the other way round, a label that
    is no class, and what `read_imagefolder` raises.
    """
    root = path / _KAGGLE if (path / _KAGGLE / "train").is_dir() else path
    if not _flat(root / "val"):
        return read_imagefolder(root, size, progress)
    classes = class_folders(root / "train")
    listing: Listing = {
        "train": [(file, label) for label, name in enumerate(classes) for file in pictures(root / "train" / name)],
        "val": _labelled(root / "val", _label_file((path, root, root / "val")), classes),
    }
    return picture_source(path, classes, listing, size, progress)


def is_imagenetv2(path: Path) -> bool:
    """Whether `path` has exactly the folders "0" to "999"."""
    return path.is_dir() and {p.name for p in children(path) if p.is_dir()} == {str(n) for n in range(1000)}


def read_imagenetv2(
    path: Path, size: int | None = None, progress: Progress = quiet, classes: Sequence[str] | None = None
) -> Source:
    """A Source of one split, test, from folders named by number; `classes`: ImageNet's, if not given. Raises DataError.

    Its statistics are ImageNet's, since there is nothing to train on.
    """
    names = list(synsets() if classes is None else classes)
    numbers = [str(n) for n in range(len(names))]
    check_classes(path, numbers, class_folders(path), f"a folder for each of {len(names)} classes", "its folders")
    listing = {"test": [(file, label) for label, number in enumerate(numbers) for file in pictures(path / number)]}
    return picture_source(path, names, listing, size, progress)


def _flat(folder: Path) -> bool:
    found = children(folder)
    return not any(p.is_dir() for p in found) and any(is_picture(p.name) for p in found)


def _label_file(folders: Iterable[Path]) -> Path:
    tried = [folder / name for folder in folders for name in _LABELS]
    found = next((file for file in tried if file.is_file()), None)
    if found is None:
        raise DataError(
            f"{tried[-1].parent} has pictures without class folders and there is no file that labels them "
            f"({', '.join(_LABELS)}); add one with lines NAME CLASS, or sort the pictures into val/CLASS/"
        )
    return found


def _labelled(folder: Path, labels: Path, classes: Sequence[str]) -> list[tuple[Path, int]]:
    """The pictures of `folder` with their classes, sorted by both."""
    number = {name: label for label, name in enumerate(classes)}
    files: dict[str, Path] = {}
    for file in children(folder):
        if is_picture(file.name):
            files[file.name] = files[file.stem] = file
    out: dict[Path, int] = {}
    for line in lines(labels)[1 if labels.suffix == ".csv" else 0 :]:
        words = line.replace(",", " ").split()
        picture = files.get(words[0]) if len(words) > 1 else None
        if picture is None:
            raise DataError(f'{labels} has the line "{line[:60]}", which names no picture in {folder} and its class')
        label = number.get(words[1], int(words[1]) if words[1].isdecimal() else -1)
        if not 0 <= label < len(classes):
            raise DataError(f'{labels} gives {words[0]} the class "{words[1]}", which train/ does not have')
        if out.setdefault(picture, label) != label:
            raise DataError(f"{labels} gives {words[0]} two classes; fetch it again")
    if missing := sorted({file.name for file in files.values() if file not in out}):
        raise DataError(f"{labels} has no line for {some(missing)}; fetch it again")
    return sorted(out.items(), key=lambda item: (item[1], item[0]))
