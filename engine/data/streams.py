"""Random numbers by purpose: what one kind of change draws never moves what another draws."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import partial

import numpy as np


class Purpose(IntEnum):
    """What a stream is for: part of its key. `engine.data.split` has 1 and 2. Never renumber: tables would change."""

    CROP = 3
    FLIP = 4
    INTERPOLATION = 5
    RANDAUGMENT = 6
    ERASE = 7
    MIX = 8
    VFLIP = 9
    AUTOAUGMENT = 10
    JITTER = 11
    SHARPNESS = 12
    EQUALIZE = 13
    GRAYSCALE = 14
    ROTATION = 15


Streams = Callable[[Purpose], np.random.Generator]


def streams(seed: int, epoch: int, step: int) -> Streams:
    """A fresh generator for each purpose, a function of (seed, epoch, step, purpose) alone."""
    return partial(_generator, seed, epoch, step)


def _generator(seed: int, epoch: int, step: int, purpose: Purpose) -> np.random.Generator:
    key, counter = np.array([seed, purpose], np.uint64), np.array([0, 0, step, epoch], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))
