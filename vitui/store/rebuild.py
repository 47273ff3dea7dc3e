"""lab.db anew from the run directories, in one transaction: until it is done, everybody sees the old one."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.journal import RunDir, read_json, read_toml
from vitui.errors import UsageError
from vitui.store import runs
from vitui.store.database import Store
from vitui.store.ingest import ingest_into
from vitui.store.removal import clear
from vitui.store.states import ENDED, RESUMABLE, check_state

Judge = Callable[[RunDir], tuple[str, str, Mapping[str, Any]]]
"""State, evidence and columns (those `runs.transition` takes, and state_at) of a run, from its directory alone."""


@dataclass(frozen=True)
class Rebuilt:
    """What was found. `messages`: sentences to show, about damaged files among other things."""

    runs: int = 0
    points: int = 0
    messages: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Intents:
    """What only the old database knows, where there is a readable one: the queue, and stops of runs never started."""

    queue: list[sqlite3.Row]
    rows: dict[str, sqlite3.Row]


def rebuild(store: Store, judge: Judge) -> Rebuilt:
    """Read every run directory again. A damaged database is moved aside first; of a sound one the queue is kept.

    A run whose recipe or labels cannot be read is listed all the same, and its evidence says so.
    Raises UsageError when the home cannot be written to, and what `store.writing` raises; the old rows are then left.
    """
    messages = store.open(thorough=True)
    if store.read_only:
        raise UsageError(store.why_read_only)
    points = 0
    with store.writing() as db:
        intents = _Intents(
            db.execute("SELECT run, held, reason, since FROM queue ORDER BY position").fetchall(),
            {
                row["id"]: row
                for row in db.execute("SELECT id, state, evidence, state_at, ended, stop_requested FROM runs")
            },
        )
        clear(db)
        found = _run_dirs(store.home / "runs")
        for run_dir in found:
            points += _one(db, run_dir, judge, intents, messages)
        _restore_queue(db, intents)
    return Rebuilt(len(found), points, messages)


def _run_dirs(folder: Path) -> list[RunDir]:
    """Run directories, oldest id first: folders that hold at least one of the files every run has."""
    try:
        places = sorted(place for place in folder.iterdir() if place.name.isprintable() and place.name[0] != ".")
    except FileNotFoundError:
        return []
    found = [RunDir(place) for place in places if place.is_dir()]
    return [r for r in found if any(p.exists() for p in (r.recipe, r.labels, r.journal, r.attempts))]


def _one(db: sqlite3.Connection, run_dir: RunDir, judge: Judge, intents: _Intents, messages: list[str]) -> int:
    """One directory into rows. Returns the number of points."""
    problems: list[str] = []
    runs.insert(db, runs.new_run(run_dir.id, _labels(run_dir, problems), _config(run_dir, problems)))
    points, more = 0, True
    try:
        while more:
            done = ingest_into(db, run_dir)
            points, more = points + done.points, done.more
    except OSError as error:
        problems.append(f"journal.jsonl cannot be read: {error.strerror}")
    state, evidence, columns = judge(run_dir)
    _settle(db, run_dir, state, "; ".join(filter(None, [evidence, *problems])), dict(columns), intents)
    messages.extend(f"run {run_dir.id}: {problem}" for problem in problems)
    return points


def _labels(run_dir: RunDir, problems: list[str]) -> dict[str, Any]:
    try:
        labels = read_json(run_dir.labels)
    except (OSError, RecursionError):
        labels = None
    if not isinstance(labels, dict):
        problems.append("run.json cannot be read, so name, tags and notes are unknown")
        labels = {}
    return {"created": _created(run_dir), **labels}


def _created(run_dir: RunDir) -> float:
    """From the run id, which begins with its time; of a folder named otherwise, when it last changed."""
    try:
        return time.mktime(time.strptime(run_dir.id[:13], "%y%m%d-%H%M%S"))
    except (ValueError, OverflowError):
        return run_dir.path.stat().st_mtime


def _config(run_dir: RunDir, problems: list[str]) -> dict[str, Any]:
    from engine.recipe.schema import flatten  # pydantic comes with it

    try:
        return flatten(read_toml(run_dir.recipe))
    except FileNotFoundError:
        problems.append("recipe.toml is missing")
    except OSError as error:
        problems.append(f"recipe.toml cannot be read: {error.strerror}")
    except (ValueError, RecursionError) as error:
        problems.append(f"recipe.toml is not valid TOML: {' '.join(str(error).split())[:200]}")
    return {}


def _settle(
    db: sqlite3.Connection,
    run_dir: RunDir,
    state: str,
    evidence: str,
    columns: dict[str, Any],
    intents: _Intents,
) -> None:
    """State and what goes with it, as the verdict has it; as the old database had it where only that can know."""
    check_state(state)
    row = db.execute("SELECT created, last_event_at, attempt FROM runs WHERE id = ?", (run_dir.id,)).fetchone()
    at = columns.pop("state_at", None) or columns.get("ended") or _since(db, run_dir.id, state, row)
    columns.setdefault("attempt", max([row["attempt"], *run_dir.attempt_numbers()]))
    old = intents.rows.get(run_dir.id)
    if old is not None and old["state"] == "queued" and state in RESUMABLE:
        state, evidence, at = "queued", "", old["state_at"]
        columns = {name: columns[name] for name in ("attempt", "launcher", "host") if name in columns}
    elif old is not None and old["state"] in ENDED and state == "queued":
        state, evidence, at = old["state"], old["evidence"], old["state_at"]
        columns |= {"ended": old["ended"], "stop_requested": old["stop_requested"]}
    elif old is not None and old["stop_requested"] is not None and state != "queued":
        columns.setdefault("stop_requested", old["stop_requested"])
    if state in ENDED:
        columns.setdefault("ended", at)
    runs.update(db, run_dir.id, **columns)
    db.execute("UPDATE runs SET state = ?, evidence = ?, state_at = ? WHERE id = ?", (state, evidence, at, run_dir.id))
    if state != "queued":
        runs.dequeue(db, run_dir.id)


def _since(db: sqlite3.Connection, run_id: str, state: str, row: sqlite3.Row) -> float:
    """When a state began that the verdict has no time for."""
    if state == "queued":
        return float(row["created"])
    if state == "running":
        began = db.execute("SELECT max(at) FROM events WHERE run = ? AND kind = 'started'", (run_id,)).fetchone()[0]
        return float(began or row["created"])
    return float(row["last_event_at"] or row["created"])


def _restore_queue(db: sqlite3.Connection, intents: _Intents) -> None:
    """Runs that waited before, in their order and held as they were, then those nobody knew of."""
    for place, old in enumerate(intents.queue, 1):
        if runs.move(db, old["run"], place):
            db.execute(
                "UPDATE queue SET held = ?, reason = ?, since = ? WHERE run = ?",
                (old["held"], old["reason"], old["since"], old["run"]),
            )
