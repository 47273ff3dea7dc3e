"""Series of points as chunks of up to 512: the rows of `curves` and `latest`, and how points get into them.

A chunk holds points of one attempt whose steps do not decrease. Its row is computed from all its points at once, so
the rows are the same however the points were dealt out to calls. Stdlib only: the worker writes curves all day.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from vitui.store.coerce import any_real

CHUNK: Final = 512

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def direction(key: str) -> int:
    """What is better for a series or metric: 1 more (top1, top5), -1 less (loss), 0 neither (lr, grad_norm)."""
    name = key.rpartition("/")[2].removeprefix("ema_")
    return {"top1": 1, "top5": 1, "loss": -1}.get(name, 0)


@dataclass(slots=True)
class Chunk:
    """Points of one chunk in memory. `at_first`, `at_last`: when the first and the last were journalled."""

    number: int
    attempt: int
    at_first: float
    at_last: float
    steps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def cut(self, step: int) -> None:
        """Drop points beyond `step`; at least one must stay."""
        keep = sum(1 for s in self.steps if s <= step)
        if len(self.steps) > 1:
            self.at_last = self.at_first + (self.at_last - self.at_first) * (keep - 1) / (len(self.steps) - 1)
        del self.steps[keep:], self.values[keep:]


@dataclass(slots=True)
class Latest:
    """A row of `latest`: the whole series in a few numbers. NaN and infinities count in `nan_count`, never as best."""

    n: int = 0
    nan_count: int = 0
    last: float | None = None
    last_step: int = 0
    last_at: float = 0.0
    best: float | None = None
    best_step: int | None = None


def pack(run: str, key: str, chunk: Chunk) -> tuple[Any, ...]:
    """A chunk as a row of `curves`, in the order of its columns. min, max and sum are over finite values."""
    steps, values = chunk.steps, chunk.values
    n = len(values)
    total = sum(values)
    nan_count, finite, texts = 0, values, values
    if not math.isfinite(total):  # rare, so only then look at every value
        finite = [v for v in values if math.isfinite(v)]
        nan_count = n - len(finite)
        total = sum(finite)
        texts = [v if math.isfinite(v) else _word(v) for v in values]  # type: ignore[misc]
    stride = steps[1] - steps[0] if n > 1 else 0
    even = steps[-1] == steps[0] if not stride else steps == list(range(steps[0], steps[0] + n * stride, stride))
    return (
        run, key, chunk.number, chunk.attempt, n, nan_count,
        steps[0], steps[-1], stride if even else 0, chunk.at_first, chunk.at_last,
        values[0], values[-1], min(finite, default=None), max(finite, default=None), total if finite else None,
        None if even else _encode(steps), _encode(texts),
    )  # fmt: skip


_COLUMNS: Final = (
    "run, key, chunk, attempt, n, nan_count, step_first, step_last, stride, at_first, at_last, "
    "first, last, min, max, sum, steps, vals"
)
_SELECT: Final = "SELECT chunk, attempt, n, step_first, stride, at_first, at_last, steps, vals FROM curves"


def _word(value: float) -> str:
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def steps_of(n: int, step_first: int, stride: int, steps: str | None) -> list[int]:
    """The steps of a packed chunk."""
    return json.loads(steps) if steps is not None else [step_first + i * stride for i in range(n)]


def values_of(vals: str) -> list[float]:
    """The values of a packed chunk, NaN and infinities as floats."""
    values: list[float] = json.loads(vals)
    if '"' in vals:
        return [math.nan if (number := any_real(value)) is None else number for value in values]
    return values


def _unpack(row: sqlite3.Row) -> Chunk:
    number, attempt, n, step_first, stride, at_first, at_last, steps, vals = row
    return Chunk(number, attempt, at_first, at_last, steps_of(n, step_first, stride, steps), values_of(vals))


class Series:
    """The series of one run while a transaction adds to them. Nothing is written before `flush`.

    Of each key at most the last chunk that is in the database is written again.
    """

    def __init__(self, db: sqlite3.Connection, run: str) -> None:
        self._db = db
        self._run = run
        self._open: dict[str, Chunk | None] = {}
        self._next: dict[str, int] = {}
        self._latest: dict[str, Latest] = {}
        self._full: list[tuple[Any, ...]] = []
        self._touched: set[str] = set()

    def add(self, key: str, steps: Sequence[int], values: list[float], at: float, attempt: int) -> None:
        """Append points, journalled at `at`. `steps` ascend and are as many as `values`; there is at least one."""
        if key not in self._open:
            self._load(key)
        self._touched.add(key)
        self._note(self._latest[key], direction(key), steps, values, at)
        chunk, done = self._open[key], 0
        while done < len(values):
            if chunk is None or len(chunk.values) >= CHUNK or chunk.attempt != attempt or steps[done] < chunk.steps[-1]:
                if chunk is not None:
                    self._full.append(pack(self._run, key, chunk))
                chunk = self._open[key] = Chunk(self._next[key], attempt, at, at)
                self._next[key] += 1
            room = CHUNK - len(chunk.values)
            chunk.steps.extend(steps[done : done + room])
            chunk.values.extend(values[done : done + room])
            chunk.at_last = at
            done += room

    def _note(self, latest: Latest, better: int, steps: Sequence[int], values: list[float], at: float) -> None:
        finite = values
        if not math.isfinite(sum(values)):
            finite = [v for v in values if math.isfinite(v)]
            latest.nan_count += len(values) - len(finite)
        latest.n += len(values)
        latest.last, latest.last_step, latest.last_at = values[-1], steps[-1], at
        if better and finite:
            best = max(finite) if better > 0 else min(finite)
            if latest.best is None or (best - latest.best) * better > 0:
                latest.best, latest.best_step = best, steps[values.index(best)]

    def flush(self) -> None:
        """Write what was added."""
        rows = self._full
        latest = []
        for key in sorted(self._touched):
            if (chunk := self._open[key]) is not None:
                rows.append(pack(self._run, key, chunk))
            known = self._latest[key]
            latest.append(
                (self._run, key, known.n, known.nan_count, known.last, known.last_step, known.last_at, known.best,
                 known.best_step)
            )  # fmt: skip
        marks = ", ".join("?" * 18)
        self._db.executemany(f"INSERT OR REPLACE INTO curves ({_COLUMNS}) VALUES ({marks})", rows)
        self._db.executemany(
            "INSERT OR REPLACE INTO latest (run, key, n, nan_count, last, last_step, last_at, best, best_step) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            latest,
        )
        self._full = []
        self._touched = set()

    def truncate(self, step: int) -> None:
        """Drop every point beyond `step`, those in the database included."""
        self.flush()
        self._open, self._next, self._latest = {}, {}, {}
        beyond = (self._run, step)
        keys = [
            row[0]
            for row in self._db.execute("SELECT DISTINCT key FROM curves WHERE run = ? AND step_last > ?", beyond)
        ]
        self._db.execute("DELETE FROM curves WHERE run = ? AND step_first > ?", beyond)
        for key in keys:
            rows = self._db.execute(f"{_SELECT} WHERE run = ? AND key = ? AND step_last > ?", (self._run, key, step))
            chunks = [_unpack(row) for row in rows.fetchall()]
            for chunk in chunks:
                chunk.cut(step)
            self._db.executemany(
                f"INSERT OR REPLACE INTO curves ({_COLUMNS}) VALUES ({', '.join('?' * 18)})",
                [pack(self._run, key, chunk) for chunk in chunks],
            )
            self._recount(key)
        self.flush()

    def _load(self, key: str) -> None:
        """Bring the last chunk and the `latest` row of a key into memory."""
        row = self._db.execute(
            f"{_SELECT} WHERE run = ? AND key = ? ORDER BY chunk DESC LIMIT 1", (self._run, key)
        ).fetchone()
        self._open[key] = None if row is None else _unpack(row)
        self._next[key] = 0 if row is None else row[0] + 1
        known = self._db.execute(
            "SELECT n, nan_count, last, last_step, last_at, best, best_step FROM latest WHERE run = ? AND key = ?",
            (self._run, key),
        ).fetchone()
        self._latest[key] = Latest(*known) if known is not None else Latest()

    def _recount(self, key: str) -> None:
        """The `latest` row of a key from its chunks, after some have gone."""
        better = direction(key)
        order = f"{'max' if better > 0 else 'min'} {'DESC' if better > 0 else 'ASC'}, chunk LIMIT 1"
        where = "WHERE run = ? AND key = ?"
        named = (self._run, key)
        n, nan_count = self._db.execute(f"SELECT sum(n), sum(nan_count) FROM curves {where}", named).fetchone()
        if not n:
            self._db.execute(f"DELETE FROM latest {where}", named)
            return
        self._load(key)
        tail = self._open[key]
        assert tail is not None
        latest = Latest(n, nan_count, tail.values[-1], tail.steps[-1], tail.at_last)
        found = self._db.execute(f"{_SELECT} {where} AND max IS NOT NULL ORDER BY {order}", named).fetchone()
        if better and found is not None:
            chunk = _unpack(found)
            finite = [v for v in chunk.values if math.isfinite(v)]
            latest.best = max(finite) if better > 0 else min(finite)
            latest.best_step = chunk.steps[chunk.values.index(latest.best)]
        self._latest[key] = latest
        self._touched.add(key)
