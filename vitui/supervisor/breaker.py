"""Pausing the queue: one bad disk or driver must not burn through a hundred queued runs."""

from __future__ import annotations

import sqlite3
import time

from engine.journal import RunDir
from vitui.store import Store, runs
from vitui.supervisor.facts import facts
from vitui.supervisor.judge import read_exit
from vitui.supervisor.verdict import verdict

FAILURES = 3
WITHIN_S = 60.0

REASON = "queue_paused"
SINCE = "queue_paused_at"


def paused(db: sqlite3.Connection) -> str:
    """Why the queue stands still; empty when it does not."""
    return runs.get_meta(db, REASON) or ""


def consider(store: Store) -> bool:
    """Pause the queue if the last three runs to end all failed by themselves within a minute; whether it was.

    Failures that led to an earlier pause do not count again, nor do runs that somebody killed.
    """
    with store.writing() as db:
        if paused(db):
            return False
        since = float(runs.get_meta(db, SINCE) or 0.0)
        rows = db.execute(
            "SELECT id, attempt, ended, evidence FROM runs WHERE ended IS NOT NULL ORDER BY ended DESC LIMIT ?",
            (FAILURES,),
        ).fetchall()
        if len(rows) < FAILURES or any(row["ended"] <= since or not _own_fault(store, row) for row in rows):
            return False
        if rows[0]["ended"] - rows[-1]["ended"] > WITHIN_S:
            return False
        seconds = max(1, round(rows[0]["ended"] - rows[-1]["ended"]))
        reason = f"{FAILURES} runs in a row failed within {seconds} s, the last: {rows[0]['evidence']}"
        runs.set_meta(db, REASON, reason)
        runs.set_meta(db, SINCE, repr(time.time()))
        return True


def _own_fault(store: Store, row: sqlite3.Row) -> bool:
    run_dir = RunDir(store.home / "runs" / row["id"])
    exit = read_exit(run_dir.attempt(row["attempt"]))
    found = verdict(exit, facts(run_dir.journal, row["attempt"]), alive=False, rebooted=False)
    return found is not None and found.own_fault
