"""Orders and stratified subsets that are the same on every machine and with every numpy version.

Only raw Philox output is used: numpy guarantees that stream for good, which it does not for its shuffles.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]

# What a random stream is for: part of its key, so that no two purposes ever share numbers.
_ORDER, _SUBSET = 1, 2


def permutation(seed: int, epoch: int, n: int) -> Indices:
    """The order in which epoch `epoch` visits `n` images: a permutation of 0..n-1 that depends on nothing else."""
    return _shuffle(_ORDER, seed, epoch, n)


def stratified(labels: Sequence[int] | npt.NDArray[np.integer], count: int, seed: int, draw: int = 0) -> Indices:
    """`count` indices chosen at random with every class in proportion, ascending.

    Whoever chooses again from what was chosen, or left, takes another `draw`: the same numbers would fall to the same
    places. Fractions are settled by the largest remainder, ties by class number. Raises ValueError when count is more
    than there are labels.
    """
    y = np.asarray(labels)
    if count > len(y):
        raise ValueError(f"cannot choose {count} of {len(y)} images")
    present, counts = np.unique(y, return_counts=True)
    exact = counts * (count / max(1, len(y)))
    take = np.floor(exact).astype(np.int64)
    rest = np.argsort(take - exact, kind="stable")[: count - int(take.sum())]
    take[rest] += 1
    order = _shuffle(_SUBSET, seed, draw, len(y))
    chosen = [order[y[order] == label][:n] for label, n in zip(present, take, strict=True)]
    return np.sort(np.concatenate(chosen)) if chosen else np.empty(0, np.int64)


def _shuffle(purpose: int, seed: int, epoch: int, n: int) -> Indices:
    bits = np.random.Philox(key=np.array([seed, purpose], np.uint64), counter=np.array([0, 0, 0, epoch], np.uint64))
    return np.argsort(bits.random_raw(n), kind="stable").astype(np.int64)
