"""Published layouts with a few pictures each, written as their publishers have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from tests.engine.data.conftest import crops

WNIDS = ["n02124075", "n01443537", "n07734744", "n01629819"]  # in the order of wnids.txt, which is not sorted


def save(path: Path, value: int, size: tuple[int, int] = (16, 16), grey: bool = False) -> None:
    """A losslessly kept picture (PNG, whatever it is called) all of whose pixels are `value`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L" if grey else "RGB", size, value if grey else (value, value, value)).save(path, "PNG")


def tiny_imagenet(root: Path) -> Path:
    """Four classes: three training pictures each (the pixel value is 10 * place in the sorted list), eight of val."""
    number = {wnid: place for place, wnid in enumerate(sorted(WNIDS))}
    root.mkdir(parents=True)
    (root / "wnids.txt").write_text("\n".join(WNIDS) + "\n")
    (root / "words.txt").write_text("n00001740\tentity\n" + "".join(f"{w}\tname {w}, other\n" for w in WNIDS))
    for wnid in WNIDS:
        for n in range(3):
            save(root / "train" / wnid / "images" / f"{wnid}_{n}.JPEG", 10 * number[wnid], grey=n == 2)
        (root / "train" / wnid / f"{wnid}_boxes.txt").write_text(f"{wnid}_0.JPEG\t0\t0\t15\t15\n")
    rows = []
    for n in range(8):
        wnid = WNIDS[n % 4]
        save(root / "val" / "images" / f"val_{n}.JPEG", 10 * number[wnid])
        rows.append(f"val_{n}.JPEG\t{wnid}\t0\t32\t44\t62\n")
    (root / "val" / "val_annotations.txt").write_text("".join(rows))
    for n in range(2):
        save(root / "test" / "images" / f"test_{n}.JPEG", 255)
    return root


FLOWERS = np.array([3, 1, 2, 2, 1, 3, 1, 2, 3, 1, 2, 3])
"""Class of picture 1, 2, ..."""


def flowers(root: Path) -> Path:
    """Twelve pictures of many sizes; train is 4, 2, 1; val 5, 3, 6; test the others."""
    for number in range(1, 13):
        save(root / "jpg" / f"image_{number:05d}.jpg", 10 * number, (20 + number, 16))
    savemat(root / "imagelabels.mat", {"labels": FLOWERS[None].astype(np.uint8)})
    ids = {"trnid": [4, 2, 1], "valid": [5, 3, 6], "tstid": [12, 7, 8, 9, 10, 11]}
    savemat(root / "setid.mat", {key: np.array([value], np.uint16) for key, value in ids.items()}, do_compression=True)
    return root


PETS = {"Abyssinian": 1, "american_bulldog": 2, "Bombay": 3}


def pets(root: Path) -> Path:
    """Three classes, two pictures each for trainval and one for test."""
    lists: dict[str, list[str]] = {"trainval": [], "test": []}
    for name, number in PETS.items():
        for n in (1, 10, 100):
            save(root / "images" / f"{name}_{n}.jpg", 50 * number + n % 9)
            lists["test" if n == 100 else "trainval"].append(f"{name}_{n} {number} 1 1")
    (root / "annotations").mkdir()
    for name, rows in lists.items():
        (root / "annotations" / f"{name}.txt").write_text("\n".join(rows) + "\n")
    (root / "annotations" / "list.txt").write_text("#Image CLASS-ID SPECIES BREED ID\n")
    return root


def resisc45(root: Path, each: int = 10) -> Path:
    """Three classes of `each` pictures; the pixel value is the number of the picture."""
    for name in ("stadium", "airplane", "wetland"):
        for n in range(1, each + 1):
            save(root / "NWPU-RESISC45" / name / f"{name}_{n:03d}.jpg", n)
    return root / "NWPU-RESISC45"


def kitti(root: Path, drives: list[str], labels: list[str]) -> Path:
    """Wide pictures 000000 and on, of these drives, with these label files."""
    random = np.random.default_rng(0)
    order = random.permutation(len(drives))  # place in train_mapping.txt of each picture
    mapping = [""] * len(drives)
    for number, place in enumerate(order):
        mapping[place] = f"2011_09_26 {drives[number]} {number:010d}"
        save(root / "training" / "image_2" / f"{number:06d}.png", number, (48, 16))
        (root / "training" / "label_2").mkdir(parents=True, exist_ok=True)
        (root / "training" / "label_2" / f"{number:06d}.txt").write_text(labels[number])
    (root / "mapping").mkdir()
    (root / "mapping" / "train_mapping.txt").write_text("\n".join(mapping) + "\n")
    (root / "mapping" / "train_rand.txt").write_text(",".join(str(place + 1) for place in order))
    return root


def label(kind: str, z: float) -> str:
    """A line of a KITTI label file."""
    return f"{kind} 0.00 0 -1.58 587.01 173.33 614.12 200.12 1.65 1.67 3.64 -0.65 1.71 {z:.2f} -1.59\n"


def imagenet(root: Path) -> Path:
    """A train/ of class folders beside a flat val/: four classes, two training and two validation pictures each."""
    for place, wnid in enumerate(sorted(WNIDS)):
        for n in range(2):
            save(root / "train" / wnid / f"{wnid}_{n}.JPEG", 10 * place)
    for n in range(8):
        save(root / "val" / f"ILSVRC2012_val_{n + 1:08d}.JPEG", 10 * (n % 4))
    return root


def photographs(root: Path, sizes: dict[str, tuple[int, int]]) -> None:
    """Cut-outs of photographs at `root`/NAME, so many px wide and high."""
    for n, (name, (width, height)) in enumerate(sizes.items()):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(crops(max(width, height), 1, seed=n)[0][:height, :width]).save(root / name)
