"""How far paired differences spread over seeds, taken from all variants of a study together. Pure.

The sd of one variant's differences from three seeds has two degrees of freedom: its 95 % interval reaches from half of
it to six times of it. Variants of one study mostly differ little in how noisy they are, so they lend each other theirs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

UNLIKE = 1e-3
"""Level, over all variants together, at which one is too noisy to be pooled with the others."""
SHARED = 0.25
"""Squared correlation of differences to one baseline, whose noise is in both: (1/2)^2 where all are equally noisy."""


def pooled_sd(samples: Sequence[Sequence[float]]) -> tuple[float, float] | None:
    """Standard deviation within samples of paired differences (one for each variant), and its degrees of freedom.

    The variance is the mean of the samples' variances, weighted by n - 1. Its degrees of freedom are fewer than their
    sum, for all differences share the noise of the baseline: by Satterthwaite (1946), with a correlation of 1/2 between
    any two of them. None where no sample has two values.
    """
    import numpy as np

    kept = [np.asarray(sample, float) for sample in samples if len(sample) > 1]
    if not kept:
        return None
    return _pooled(np.array([sample.var(ddof=1) for sample in kept]), np.array([len(s) - 1.0 for s in kept]))


def spreads(variance: Floats, df: Floats, usable: NDArray[np.bool_]) -> tuple[Floats, Floats] | None:
    """For every variant the sd to plan with and its degrees of freedom: the pooled one, but of a variant that is far
    noisier than the rest its own. None where no variant is usable.

    From the quieter half outwards each variant is held against all that are quieter (F test, at the level UNLIKE over
    the number of variants). From the first that is unlike them on, none is pooled: one collapsed seed in one variant
    would otherwise ask for hundreds of seeds of all.
    """
    import numpy as np
    from scipy import special

    order = np.flatnonzero(usable)
    if not order.size:
        return None
    order = order[np.argsort(variance[order], kind="stable")]
    squares, total = np.cumsum(variance[order] * df[order]), np.cumsum(df[order])
    later = np.arange((order.size + 1) // 2, order.size)
    ratio = variance[order[later]] / (squares[later - 1] / total[later - 1])
    unlike = later[special.fdtrc(df[order[later]], total[later - 1], ratio) < UNLIKE / order.size]
    cut = int(unlike[0]) if unlike.size else order.size
    sd, freedom = _pooled(variance[order[:cut]], df[order[:cut]])
    sds, freedoms = np.full(variance.shape, sd), np.full(variance.shape, freedom)
    sds[order[cut:]], freedoms[order[cut:]] = np.sqrt(variance[order[cut:]]), df[order[cut:]]
    return sds, freedoms


def _pooled(variance: Floats, df: Floats) -> tuple[float, float]:
    import numpy as np

    total = float(df.sum())
    ascending = np.sort(df)
    # Over all ordered pairs of two variants: two that have d1 and d2 degrees of freedom share at most the fewer.
    both = 2 * float((ascending * np.arange(df.size - 1, -1, -1)).sum())
    return math.sqrt(float((variance * df).sum()) / total), total**2 / (total + SHARED * both)
