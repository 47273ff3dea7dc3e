"""Real photographs and real files in every layout, small enough to be made in a moment."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

Images = np.ndarray


@cache
def _pictures() -> tuple[Images, ...]:
    return tuple(np.asarray(image) for image in load_sample_images().images)


def crops(side: int, count: int, channels: int = 3, seed: int = 0) -> Images:
    """uint8 [count, side, side, channels]: random cut-outs of scikit-learn's two photographs."""
    rng = np.random.default_rng(seed)
    out = np.empty((count, side, side, channels), np.uint8)
    for n in range(count):
        picture = _pictures()[n % 2]
        y, x = rng.integers(0, picture.shape[0] - side), rng.integers(0, picture.shape[1] - side)
        out[n] = picture[y : y + side, x : x + side, :channels]
    return out


@pytest.fixture
def photos() -> Callable[..., Images]:
    return crops


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An ImageFolder of 3 classes: 4 training and 2 validation pictures of 16x16 each."""
    root = tmp_path / "pictures"
    images = iter(crops(16, 18, seed=1))
    for split, count in (("train", 4), ("val", 2)):
        for name in ("zebra", "ant", "Bee"):
            (root / split / name).mkdir(parents=True)
            for n in range(count):
                Image.fromarray(next(images)).save(root / split / name / f"{n}.png")
    return root
