"""The queue: a row for each run in state queued, with positions 1, 2, 3 … and the reason it waits."""

from __future__ import annotations

import sqlite3
import time

from vitui.store.coerce import text


def enqueue(db: sqlite3.Connection, run_id: str) -> int:
    """Put a run at the end, or leave it where it is. Returns its position. Its state is `transition`'s business."""
    db.execute(
        "INSERT OR IGNORE INTO queue (run, position, since) "
        "VALUES (?, (SELECT coalesce(max(position), 0) + 1 FROM queue), ?)",
        (run_id, time.time()),
    )
    position: int = db.execute("SELECT position FROM queue WHERE run = ?", (run_id,)).fetchone()[0]
    return position


def dequeue(db: sqlite3.Connection, run_id: str) -> bool:
    """Take a run out and close the gap. False when it was not in."""
    row = db.execute("SELECT position FROM queue WHERE run = ?", (run_id,)).fetchone()
    if row is None:
        return False
    db.execute("DELETE FROM queue WHERE run = ?", (run_id,))
    db.execute("UPDATE queue SET position = position - 1 WHERE position > ?", (row[0],))
    return True


def set_reason(db: sqlite3.Connection, run_id: str, reason: str) -> bool:
    """Say why a run waits. False when nothing changed (same reason, or not in the queue)."""
    told = text(reason)
    return db.execute("UPDATE queue SET reason = ? WHERE run = ? AND reason <> ?", (told, run_id, told)).rowcount == 1


def hold(db: sqlite3.Connection, run_id: str) -> bool:
    """Keep a run from being started. False when it does not wait."""
    return db.execute("UPDATE queue SET held = 1 WHERE run = ?", (run_id,)).rowcount == 1


def release(db: sqlite3.Connection, run_id: str) -> bool:
    """Undo `hold`. False when it does not wait."""
    return db.execute("UPDATE queue SET held = 0 WHERE run = ?", (run_id,)).rowcount == 1


def move(db: sqlite3.Connection, run_id: str, position: int) -> bool:
    """Put a run at a 1-based place; beyond either end means that end. False when it does not wait."""
    order = [row[0] for row in db.execute("SELECT run FROM queue ORDER BY position, run").fetchall()]
    if run_id not in order:
        return False
    order.remove(run_id)
    order.insert(max(position, 1) - 1, run_id)
    db.executemany("UPDATE queue SET position = ? WHERE run = ?", list(enumerate(order, 1)))
    return True
