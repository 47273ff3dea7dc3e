"""Journals into rows. What a call writes, and how far it read, is one transaction: killed anywhere, it repeats nothing.

A journal may hold anything: lines that are damaged or of no known kind, and values of the wrong type, are counted in
`runs.journal_skipped` and passed over, the rest is kept. Events of an attempt older than the latest that reported
`started` are passed over too: that attempt's writer has been replaced.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from engine import journal
from engine.journal import KINDS, RunDir
from vitui.errors import NotFound
from vitui.store import runs
from vitui.store.coerce import BIGGEST, any_real, count, real, text
from vitui.store.database import Store
from vitui.store.series import Series, direction

SLICE_BYTES: Final = 1 << 20
"""Read at a time: decoded events take some five times as much memory."""
_TAIL_BYTES: Final = 64
_KEY_LIMIT: Final = 500


@dataclass(frozen=True)
class Ingested:
    """What one call did. `more`: the budget ended before the journal did; `last`: the last event that was taken."""

    events: int = 0
    points: int = 0
    skipped: int = 0
    more: bool = False
    last: dict[str, Any] | None = None


def ingest(store: Store, run_dir: RunDir, *, budget_bytes: int = 8 << 20) -> Ingested:
    """Read on in a run's journal, about `budget_bytes` at most, and write what it says.

    Cheap when there is nothing new: the database is then not opened for writing. Raises NotFound when the run is not
    in the database, and what `store.writing` raises.
    """
    row = store.reading().execute("SELECT journal_offset FROM runs WHERE id = ?", (run_dir.id,)).fetchone()
    if row is not None and not _news(run_dir.journal, row[0]):
        return Ingested()
    with store.writing() as db:
        return ingest_into(db, run_dir, budget_bytes=budget_bytes)


def ingest_into(db: sqlite3.Connection, run_dir: RunDir, *, budget_bytes: int = 8 << 20) -> Ingested:
    """`ingest` inside a transaction of the caller's."""
    names = ", ".join(_CARRIED)
    row = db.execute(f"SELECT {names} FROM runs WHERE id = ?", (run_dir.id,)).fetchone()
    if row is None:
        raise NotFound(f"run {run_dir.id} is not in the database; `vitui rebuild` reads the run directories again")
    known = dict(zip(_CARRIED, row, strict=True))
    path = run_dir.journal
    size = _size(path)
    if not size:
        return Ingested()
    offset = known["journal_offset"]
    if size < offset or _tail(path, offset) != known["journal_tail"]:
        known = _forget(db, run_dir.id)  # the file lost its end (power cut) or is another one: it is the truth
        offset = 0
    intake = _Intake(db, run_dir.id, known)
    start, damaged, last = offset, 0, None
    while True:
        part = journal.read(path, offset, SLICE_BYTES)
        damaged += part.skipped
        for event in part.events:
            if intake.take(event):
                last = event
        intake.write()
        moved, offset = part.offset > offset, part.offset
        if not moved or offset - start >= budget_bytes:
            break
    skipped = damaged + intake.skipped
    known["journal_offset"] = offset
    known["journal_tail"] = _tail(path, offset)
    known["journal_skipped"] += skipped
    intake.finish()
    db.execute(
        f"UPDATE runs SET {', '.join(f'{name} = ?' for name in _CARRIED)} WHERE id = ?", (*known.values(), run_dir.id)
    )
    return Ingested(intake.events, intake.points, skipped, moved and _news(path, offset), last)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _news(path: Path, offset: int) -> bool:
    """Whether there is a whole line beyond `offset`, or the file is not the one we read (shorter)."""
    size = _size(path)
    if not size or size == offset:
        return False
    if size < offset or size - offset > SLICE_BYTES:
        return True
    with open(path, "rb") as file:
        file.seek(offset)
        return b"\n" in file.read(SLICE_BYTES)


def _tail(path: Path, offset: int) -> int:
    """Checksum of the bytes before `offset`, to know the file again."""
    with open(path, "rb") as file:
        file.seek(max(offset - _TAIL_BYTES, 0))
        return zlib.crc32(file.read(min(offset, _TAIL_BYTES)))


# Columns of `runs` that the journal decides, and where each run starts. The state is not among them.
_CARRIED: Final[Mapping[str, Any]] = {
    "host": "", "attempt": 0, "started": None, "params": None, "trainable_params": None, "epoch": 0.0,
    "total_epochs": None, "step": 0, "total_steps": None, "steps_per_epoch": None, "batch_size": None,
    "images_per_s": None, "last_event_at": None, "metric": "top1",
    "best": None, "best_epoch": None, "best_step": None, "last": None, "selected_on": "", "select_is_report": 0,
    "report_best": None, "report_last": None, "report_split": "", "loss": None, "journal_offset": 0,
    "journal_skipped": 0, "journal_events": 0, "journal_attempt": 0, "journal_tail": 0,
}  # fmt: skip


def _forget(db: sqlite3.Connection, run_id: str) -> dict[str, Any]:
    """Drop all that came from a journal, to read it again. What the recipe or the supervisor said stays."""
    for table in ("curves", "latest", "evals", "events"):
        db.execute(f"DELETE FROM {table} WHERE run = ?", (run_id,))
    row = db.execute("SELECT host, attempt, total_epochs, metric FROM runs WHERE id = ?", (run_id,)).fetchone()
    return {**_CARRIED, **dict(zip(("host", "attempt", "total_epochs", "metric"), row, strict=True))}


@dataclass
class _Intake:
    """Events of one run on their way into rows. `known`: its `_CARRIED` columns, changed in place."""

    db: sqlite3.Connection
    run: str
    known: dict[str, Any]
    events: int = 0
    points: int = 0
    skipped: int = 0
    _rows: list[tuple[Any, ...]] = field(default_factory=list)
    _evals: list[tuple[Any, ...]] = field(default_factory=list)
    _judged: bool = False

    def __post_init__(self) -> None:
        self._series = Series(self.db, self.run)

    def take(self, event: dict[str, Any]) -> bool:
        """Note one event. False when it was passed over (and counted)."""
        kind = event["kind"]
        attempt = count(event.get("attempt")) or self.known["journal_attempt"] or 1
        if kind not in KINDS or attempt < self.known["journal_attempt"]:
            self.skipped += 1
            return False
        at = real(event.get("at"))
        if at is None:
            at = self.known["last_event_at"] or 0.0
        step, epoch = count(event.get("step")), real(event.get("epoch"))
        if (kind in _NEED_STEP and step is None) or (
            kind in _NEED_VALUES and not isinstance(event.get("values"), dict)
        ):
            self.skipped += 1
            return False
        if kind == "metrics":
            self._metrics(event["values"], step or 0, at, attempt)
        elif not self._row(event, attempt, at, step, epoch):
            return False
        self.known["last_event_at"] = at
        self.known["journal_events"] += 1
        self.events += 1
        if kind == "resumed":
            self._resumed(step or 0, epoch)
        elif step is not None and step >= self.known["step"] and event.get("role", "select") == "select":
            self.known["step"] = step
            self.known["epoch"] = self.known["epoch"] if epoch is None else epoch
        if handler := _HANDLERS.get(kind):
            handler(self, event, attempt, at)
        return True

    def write(self) -> None:
        """Send what has gathered to the database."""
        self._series.flush()
        self.db.executemany(
            "INSERT INTO events (seq, run, kind, attempt, at, step, epoch, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            self._rows,
        )
        self.db.executemany(
            "INSERT OR REPLACE INTO evals (run, step, split, weights, role, key, value, epoch, images, at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self._evals,
        )
        self._rows, self._evals = [], []

    def finish(self) -> None:
        """After the last `write`: best and last results, if evaluations came or went."""
        if self._judged:
            self.known |= _results(self.db, self.run, self.known["metric"])

    def _row(self, event: dict[str, Any], attempt: int, at: float, step: int | None, epoch: float | None) -> bool:
        try:
            data = _data(event)
        except RecursionError:
            self.skipped += 1
            return False
        self._rows.append(
            (self.known["journal_events"] + 1, self.run, event["kind"], attempt, at, step, epoch, data)
        )  # fmt: skip
        return True

    def _metrics(self, values: dict[str, Any], step: int, at: float, attempt: int) -> None:
        for name, given in values.items():
            series = given if isinstance(given, list) else [given]
            if not series:
                continue
            steps: Any = range(step - len(series) + 1, step + 1)
            if steps[0] < 0 or len(name) > _KEY_LIMIT:
                self.skipped += 1
                continue
            if set(map(type, series)) != {float}:
                good = [(s, v) for s, raw in zip(steps, series, strict=True) if (v := any_real(raw)) is not None]
                self.skipped += len(series) - len(good)
                if not good:
                    continue
                steps, series = [s for s, _ in good], [v for _, v in good]
            key = name if name.isascii() else text(name)
            self._series.add(key, steps, series, at, attempt)
            self.points += len(series)
            if key == "train/loss":
                self.known["loss"] = real(series[-1])
            elif key == "train/images_per_s":
                self.known["images_per_s"] = real(series[-1])

    def _resumed(self, step: int, epoch: float | None) -> None:
        """What earlier attempts did beyond `step` is done again: it leaves the tables, and stays in the journal."""
        self.write()
        self._series.truncate(step)
        self.db.execute("DELETE FROM evals WHERE run = ? AND step > ?", (self.run, step))
        self.db.execute(
            "DELETE FROM events WHERE run = ? AND step > ? AND kind IN ('checkpoint', 'eval')", (self.run, step)
        )
        self.known["step"] = step
        self.known["epoch"] = 0.0 if epoch is None else epoch
        self._judged = True

    def _started(self, event: dict[str, Any], attempt: int, at: float) -> None:
        known = self.known
        known["journal_attempt"] = attempt
        known["host"] = text(event.get("host"), known["host"])
        if known["started"] is None:
            known["started"] = at
        if attempt >= known["attempt"]:
            known["attempt"] = attempt
            runs.transition(self.db, self.run, "starting", "running", at=at)

    def _data(self, event: dict[str, Any], attempt: int, at: float) -> None:
        known = self.known
        for name in ("total_steps", "steps_per_epoch", "batch_size"):
            if (found := count(event.get(name))) is not None:
                known[name] = found
        if (epochs := real(event.get("total_epochs"))) is not None and 0 <= epochs <= BIGGEST:
            known["total_epochs"] = epochs
        known["selected_on"] = text(event.get("select_split"), known["selected_on"])
        known["report_split"] = text(event.get("report_split"), known["report_split"])
        known["select_is_report"] = int(bool(known["report_split"]) and known["selected_on"] == known["report_split"])

    def _model(self, event: dict[str, Any], attempt: int, at: float) -> None:
        for name in ("params", "trainable_params"):
            if (found := count(event.get(name))) is not None:
                self.known[name] = found

    def _eval(self, event: dict[str, Any], attempt: int, at: float) -> None:
        step, split, weights = count(event.get("step")) or 0, text(event.get("split")), text(event.get("weights"))
        role, epoch, images = text(event.get("role")), real(event.get("epoch")), count(event.get("images"))
        for name, given in event["values"].items():
            value = any_real(given)
            if value is None or len(name) > _KEY_LIMIT:
                self.skipped += 1
                continue
            key = text(name)
            self._evals.append((self.run, step, split, weights, role, key, value, epoch, images, at))
            if role == "select":  # the closing evaluations look back at earlier steps: they are no curve
                prefix = "ema_" if weights == "ema" else ""
                self._series.add(f"{split}/{prefix}{key}", [step], [value], at, attempt)
                self.points += 1
        self._judged = True


_NEED_STEP: Final = frozenset({"metrics", "eval", "resumed"})
_NEED_VALUES: Final = frozenset({"metrics", "eval"})
_HANDLERS: Final[Mapping[str, Callable[[_Intake, dict[str, Any], int, float], None]]] = {
    "started": _Intake._started,
    "data": _Intake._data,
    "model": _Intake._model,
    "eval": _Intake._eval,
}
_COMMON: Final = frozenset({"kind", "attempt", "at", "step", "epoch"})


def _data(event: Mapping[str, Any]) -> str:
    """The fields that have no column of their own, as JSON that SQLite reads too. ASCII, so any text fits."""
    fields = {name: value for name, value in event.items() if name not in _COMMON}
    try:
        return json.dumps(fields, allow_nan=False)
    except ValueError:
        return json.dumps(json.loads(json.dumps(fields), parse_constant=str))


def _results(db: sqlite3.Connection, run: str, metric: str) -> dict[str, Any]:
    """Columns of `runs` that follow from the rows of `evals`."""
    averaged = db.execute(
        "SELECT 1 FROM evals WHERE run = ? AND role = 'select' AND weights = 'ema' LIMIT 1", (run,)
    ).fetchone()
    of = (run, "ema" if averaged else "model", metric)
    where = "FROM evals WHERE run = ? AND weights = ? AND key = ? AND role ="
    order = "ASC" if direction(metric) < 0 else "DESC"
    # Equal accuracies are common on a small split: as in the trainer, the lower loss then decides.
    best = db.execute(
        "SELECT e.value, e.epoch, e.step FROM evals AS e LEFT JOIN evals AS l "
        "ON (l.run, l.step, l.split, l.weights, l.role, l.key) = (e.run, e.step, e.split, e.weights, e.role, 'loss') "
        "WHERE e.run = ? AND e.weights = ? AND e.key = ? AND e.role = 'select' AND abs(e.value) < 9e999 "
        f"ORDER BY e.value {order}, l.value IS NULL, l.value, e.step LIMIT 1",
        of,
    ).fetchone()
    last = db.execute(f"SELECT value {where} 'select' ORDER BY step DESC, rowid DESC LIMIT 1", of).fetchone()
    report = {
        role: db.execute(f"SELECT value {where} '{role}' ORDER BY rowid DESC LIMIT 1", of).fetchone()
        for role in ("report-best", "report-last")
    }
    best_value, best_epoch, best_step = best or (None, None, None)
    return {
        "best": best_value, "best_epoch": best_epoch, "best_step": best_step,
        "last": last[0] if last else None,
        "report_best": report["report-best"][0] if report["report-best"] else None,
        "report_last": report["report-last"][0] if report["report-last"] else None,
    }  # fmt: skip
