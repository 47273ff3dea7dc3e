"""Curves, evaluations and events, to read. Every function takes a connection from `store.reading()` first.

Curves come as numpy arrays; numpy is imported when the first one is asked for.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from vitui.store.series import steps_of, values_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

EXACT_CHUNKS: Final = 256
"""Up to this many chunks (131,072 points, some 15 ms) an envelope that wants more buckets than that reads points."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Every point of a series, by step: float64 arrays of one length. `at` (Unix seconds) is interpolated per chunk."""

    steps: Floats
    values: Floats
    at: Floats


@dataclass(frozen=True, eq=False)
class Envelope:
    """A series in at most as many buckets as asked for, by step: arrays of one length.

    min, max and mean are over the finite points of a bucket and NaN where it has none; `nan_count` counts the others
    (NaN and infinities). first and last are the outermost points whatever they are. Steps are float64, counts int64.
    """

    step_first: Floats
    step_last: Floats
    first: Floats
    last: Floats
    min: Floats
    max: Floats
    mean: Floats
    count: Ints
    nan_count: Ints
    at_first: Floats
    at_last: Floats


@dataclass(frozen=True)
class Eval:
    """One evaluation. `values`: metric -> value, top1 and top5 in percent."""

    step: int
    epoch: float | None
    split: str
    weights: str
    role: str
    images: int | None
    at: float
    values: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """One journal event other than metrics. `data`: the fields of its kind, as engine.journal documents them."""

    seq: int
    kind: str
    attempt: int
    at: float
    step: int | None
    epoch: float | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a series has come: its points, its last step and when that was journalled.

    `resumed`: how often the run was resumed. As long as that is the same, a series only grows at its end.
    """

    points: int
    last_step: int
    last_at: float
    resumed: int = 0


def keys(db: sqlite3.Connection, run: str) -> list[str]:
    """Names of the series a run has, sorted."""
    return [row[0] for row in db.execute("SELECT key FROM latest WHERE run = ? ORDER BY key", (run,)).fetchall()]


def extents(db: sqlite3.Connection, run: str) -> dict[str, Extent]:
    """How far each series of a run has come, by key, sorted."""
    [resumed] = db.execute("SELECT count(*) FROM events WHERE run = ? AND kind = 'resumed'", (run,)).fetchone()
    rows = db.execute("SELECT key, n, last_step, last_at FROM latest WHERE run = ? ORDER BY key", (run,)).fetchall()
    return {key: Extent(n, step or 0, at or 0.0, resumed) for key, n, step, at in rows}


def curve(
    db: sqlite3.Connection, run: str, key: str, *, step_min: float | None = None, step_max: float | None = None
) -> Curve:
    """All points of a series with step_min <= step <= step_max, ascending; empty when there are none."""
    return _points(_rows(db, run, key, step_min, step_max, _WHOLE), step_min, step_max)


def envelope(
    db: sqlite3.Connection,
    run: str,
    key: str,
    buckets: int = 2000,
    *,
    step_min: float | None = None,
    step_max: float | None = None,
) -> Envelope:
    """A series at screen resolution. No point is left out: every one is inside min and max, or counted as not finite.

    A short series gives a bucket for each point. A long one is made from the summaries of its chunks, without looking
    at points except where the window cuts a chunk; then there may be fewer buckets, but at least min(buckets, 257).
    Buckets hold about equal numbers of points.
    """
    import numpy as np

    buckets = max(buckets, 1)
    rows = _rows(db, run, key, step_min, step_max, _SUMMARY)
    if len(rows) < buckets and len(rows) <= EXACT_CHUNKS:
        points = _points(_rows(db, run, key, step_min, step_max, _WHOLE), step_min, step_max)
        return _merge(_from_points(points), buckets)
    low, high = _window(step_min, step_max)
    inside = [row for row in rows if low <= row["step_first"] and row["step_last"] <= high]
    edges = [row["chunk"] for row in rows if row["step_first"] < low or high < row["step_last"]]
    parts = [_from_chunks(inside)]
    if edges:
        marks = ", ".join("?" * len(edges))
        cut = db.execute(
            f"SELECT {_WHOLE} FROM curves WHERE run = ? AND key = ? AND chunk IN ({marks}) ORDER BY chunk",
            (run, key, *edges),
        ).fetchall()
        for row in cut:
            points = _points([row], step_min, step_max)
            if len(points.steps):
                parts.append(_merge(_from_points(points), 1))
    joined = _concatenate(parts)
    order = np.argsort(joined.step_first, kind="stable")
    return _merge(_each(joined, lambda column: column[order]), buckets)


def evals(db: sqlite3.Connection, run: str) -> list[Eval]:
    """Evaluations of a run in the order they were made; those that a resumed attempt made again only once."""
    found: dict[tuple[Any, ...], Eval] = {}
    rows = db.execute(
        "SELECT step, split, weights, role, key, value, epoch, images, at FROM evals WHERE run = ? ORDER BY at, rowid",
        (run,),
    )
    for step, split, weights, role, key, value, epoch, images, at in rows.fetchall():
        one = found.setdefault(
            (step, split, weights, role), Eval(step, epoch, split, weights, role, images, at)
        )  # fmt: skip
        one.values[key] = math.nan if value is None else value
    return list(found.values())


def events(db: sqlite3.Connection, run: str, kinds: Collection[str] | None = None) -> list[Event]:
    """Events of a run in journal order, of all kinds or of these. Metrics are not kept as events."""
    chosen = "" if kinds is None else f" AND kind IN ({', '.join('?' * len(kinds))})"
    rows = db.execute(
        f"SELECT seq, kind, attempt, at, step, epoch, data FROM events WHERE run = ?{chosen} ORDER BY seq",
        (run, *(kinds or ())),
    )
    return [
        Event(seq, kind, attempt, at, step, epoch, json.loads(data))
        for seq, kind, attempt, at, step, epoch, data in rows.fetchall()
    ]


# -- from rows to arrays -----------------------------------------------------------------------------------------

_WHOLE: Final = "chunk, n, step_first, step_last, stride, at_first, at_last, steps, vals"
_SUMMARY: Final = (
    "chunk, n, nan_count, step_first, step_last, at_first, at_last, first, last, min, max, "
    "sum / nullif(n - nan_count, 0) AS mean"
)


def _rows(
    db: sqlite3.Connection, run: str, key: str, step_min: float | None, step_max: float | None, columns: str
) -> list[sqlite3.Row]:
    """Chunks that touch the window, in order."""
    low, high = _window(step_min, step_max)
    return db.execute(
        f"SELECT {columns} FROM curves WHERE run = ? AND key = ? AND step_last >= ? AND step_first <= ? ORDER BY chunk",
        (run, key, low, high),
    ).fetchall()


def _window(step_min: float | None, step_max: float | None) -> tuple[float, float]:
    return (float("-inf") if step_min is None else step_min, float("inf") if step_max is None else step_max)


def _points(rows: list[sqlite3.Row], step_min: float | None, step_max: float | None) -> Curve:
    import numpy as np

    total = sum(row["n"] for row in rows)
    steps, values, at = np.empty(total), np.empty(total), np.empty(total)
    done = 0
    for _, n, first, _, stride, at_first, at_last, packed_steps, vals in rows:
        part = slice(done, done + n)
        values[part] = values_of(vals)
        if packed_steps is None:
            steps[part] = np.arange(n) * stride + first
        else:
            steps[part] = steps_of(n, first, stride, packed_steps)
        at[part] = np.linspace(at_first, at_last, n) if n > 1 else at_first
        done += n
    low, high = _window(step_min, step_max)
    if total and (steps[0] < low or steps[-1] > high or not np.all(np.diff(steps) >= 0)):
        # Only a damaged or very odd journal goes back in steps without `resumed`.
        order = np.argsort(steps, kind="stable")
        order = order[(steps[order] >= low) & (steps[order] <= high)]
        steps, values, at = steps[order], values[order], at[order]
    return Curve(steps, values, at)


_FIELDS: Final = (
    "step_first", "step_last", "first", "last", "min", "max", "mean", "count", "nan_count", "at_first", "at_last",
)  # fmt: skip


def _from_chunks(rows: list[sqlite3.Row]) -> Envelope:
    import numpy as np

    names = ["n" if name == "count" else name for name in _FIELDS]
    columns = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in names}  # NULL becomes NaN
    columns["count"] = columns.pop("n")
    return _typed(columns)


def _from_points(points: Curve) -> Envelope:
    import numpy as np

    finite = np.isfinite(points.values)
    values = np.where(finite, points.values, np.nan)
    ones = np.ones(len(values))
    return _typed({
        "step_first": points.steps, "step_last": points.steps, "first": points.values, "last": points.values,
        "min": values, "max": values, "mean": values, "count": ones, "nan_count": ones - finite,
        "at_first": points.at, "at_last": points.at,
    })  # fmt: skip


def _merge(envelope: Envelope, buckets: int) -> Envelope:
    """Join neighbours until there are at most `buckets`."""
    import numpy as np

    n = len(envelope.count)
    if n <= buckets:
        return envelope
    starts = (np.arange(buckets) * n) // buckets
    ends = np.append(starts[1:], n) - 1
    weight = envelope.count - envelope.nan_count
    total = np.add.reduceat(np.where(weight > 0, envelope.mean * weight, 0.0), starts)
    heavy = np.add.reduceat(weight, starts)
    columns = {
        "step_first": envelope.step_first[starts],
        "step_last": np.maximum.reduceat(envelope.step_last, starts),
        "first": envelope.first[starts],
        "last": envelope.last[ends],
        "min": np.fmin.reduceat(envelope.min, starts),  # fmin and fmax pass over NaN
        "max": np.fmax.reduceat(envelope.max, starts),
        "mean": np.divide(total, heavy, out=np.full(buckets, np.nan), where=heavy > 0),
        "count": np.add.reduceat(envelope.count, starts),
        "nan_count": np.add.reduceat(envelope.nan_count, starts),
        "at_first": envelope.at_first[starts],
        "at_last": envelope.at_last[ends],
    }
    return _typed(columns)


def _typed(columns: dict[str, Any]) -> Envelope:
    import numpy as np

    counts = {name: columns[name].astype(np.int64) for name in ("count", "nan_count")}
    return Envelope(**{**columns, **counts})


def _each(envelope: Envelope, change: Any) -> Envelope:
    return Envelope(**{name: change(getattr(envelope, name)) for name in _FIELDS})


def _concatenate(parts: list[Envelope]) -> Envelope:
    import numpy as np

    return Envelope(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS})
