"""Series of runs as exports read them: piece by piece, so that a million points never are in memory at once."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from vitui.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vitui.lab import Lab
    from vitui.store.metrics import Curve, Eval, Extent

BLOCK: Final = 100_000
"""Points read at a time, about."""


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """Points of one series that follow each other, by step. `at`: Unix seconds."""

    run: str
    key: str
    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    at: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Closing:
    """One value of a closing evaluation, named like a series: ``report-best/test/top1``."""

    key: str
    step: int
    value: float
    at: float


@contextmanager
def snapshot(lab: Lab) -> Iterator[None]:
    """Everything that this thread reads inside is of one moment, also of runs that train on or are resumed."""
    db = lab.store.reading()
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("ROLLBACK")  # nothing was written; this lets go of the moment


def check_keys(lab: Lab, runs: Sequence[str], patterns: Sequence[str]) -> None:
    """Raises UsageError for a name or pattern that none of the runs has a series for."""
    if not patterns:
        return
    known = sorted({name for run in runs for name in names(lab, run)})
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            import difflib

            near = difflib.get_close_matches(pattern, known, 1)
            meant = f", did you mean {near[0]}?" if near else ""
            raise UsageError(f"no run has a series {pattern}{meant}; there are: {', '.join(known) or 'none'}")


def names(lab: Lab, run: str) -> list[str]:
    """Names of all series of a run and of its closing evaluations."""
    return [*lab.keys(run), *dict.fromkeys(one.key for one in closing(lab.evals(run), ()))]


def wanted(key: str, patterns: Sequence[str]) -> bool:
    """Whether a series is among those asked for; all are where nothing was asked for."""
    return not patterns or any(fnmatchcase(key, pattern) for pattern in patterns)


def closing(evals: Sequence[Eval], patterns: Sequence[str]) -> list[Closing]:
    """Values of the evaluations that are no part of a curve: those of the best and the last epoch at the end."""
    return [
        Closing(key, one.step, value, one.at)
        for one in evals
        if one.role != "select"
        for metric, value in one.values.items()
        if wanted(key := f"{one.role}/{_series_of(one, metric)}", patterns)
    ]


def _series_of(one: Eval, metric: str) -> str:
    """What the series of an evaluation's values is called; see vitui.store.ingest."""
    return f"{one.split}/{'ema_' if one.weights == 'ema' else ''}{metric}"


def blocks(lab: Lab, run: str, patterns: Sequence[str]) -> Iterator[Block]:
    """Every point of a run's series, series after series in order of their names.

    Times of evaluations are those of the journal. Of other points the database keeps the first and the last time of
    every 512 or fewer; those between are interpolated.
    """
    times = _eval_times(lab.evals(run))
    for key, extent in _chosen(lab, run, patterns).items():
        for low, high in windows(extent.points, extent.last_step):
            found = _block(run, key, lab.curve(run, key, step_min=low, step_max=high), times.get(key))
            if len(found.steps):
                yield found


def _block(run: str, key: str, curve: Curve, times: Mapping[int, float] | None) -> Block:
    import numpy as np

    steps, at = curve.steps.astype(np.int64), curve.at
    if times:
        at = np.array([times.get(step, known) for step, known in zip(steps.tolist(), at.tolist(), strict=True)])
    return Block(run, key, steps, curve.values, at)


def rows(lab: Lab, run: str, patterns: Sequence[str]) -> Iterator[tuple[int, float, dict[str, float]]]:
    """All values of a run step by step: (step, Unix seconds, series -> value), closing evaluations among them.

    Where a series has several points at one step, which only a damaged journal gives, the last is taken.
    """
    chosen, found = _chosen(lab, run, patterns), lab.evals(run)
    times, ends = _eval_times(found), defaultdict[int, list[Closing]](list)
    for one in closing(found, patterns):
        ends[one.step].append(one)
    points = sum(extent.points for extent in chosen.values())
    last = max([extent.last_step for extent in chosen.values()] + list(ends), default=0)
    for low, high in windows(points + len(ends), last):
        merged, moments = defaultdict[int, dict[str, float]](dict), dict[int, float]()
        for key in chosen:
            block = _block(run, key, lab.curve(run, key, step_min=low, step_max=high), times.get(key))
            for step, value, at in zip(block.steps.tolist(), block.values.tolist(), block.at.tolist(), strict=True):
                merged[step][key] = value
                moments[step] = max(at, moments.get(step, at))
        for step in [step for step in ends if low <= step <= high]:
            for one in ends[step]:
                merged[step][one.key] = one.value
                moments.setdefault(step, one.at)
        for step in sorted(merged):
            yield step, moments[step], merged[step]


def windows(points: int, last_step: int, size: int = 0) -> Iterator[tuple[float, float]]:
    """First and last step of pieces that hold about `size` (default: BLOCK) points each where steps are even.

    Together they hold every step there is, each once.
    """
    count = max(1, -(-points // (size or BLOCK)))
    width = last_step // count + 1
    edges = [-math.inf, *(float(number * width) for number in range(1, count)), math.inf]
    for low, high in pairwise(edges):
        yield low, high - 1


def _chosen(lab: Lab, run: str, patterns: Sequence[str]) -> dict[str, Extent]:
    return {key: extent for key, extent in lab.extents(run).items() if wanted(key, patterns)}


def _eval_times(evals: Sequence[Eval]) -> dict[str, dict[int, float]]:
    """When each value of a curve of evaluations was journalled: series -> step -> Unix seconds."""
    times: dict[str, dict[int, float]] = defaultdict(dict)
    for one in evals:
        if one.role == "select":
            for metric in one.values:
                times[_series_of(one, metric)][one.step] = one.at
    return times
