"""Taking runs out of every table."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from vitui.store.queue import dequeue

TRASH: Final = ".trash"
"""The folder beside the run directories that holds those being deleted."""
TABLES: Final = ("queue", "tags", "run_config", "latest", "evals", "events", "curves", "runs")
"""Every table with rows of runs, those that refer to others first."""


def delete(db: sqlite3.Connection, run_ids: Sequence[str]) -> None:
    """Delete all rows of these runs; ids that are not there are passed over."""
    for run_id in run_ids:
        dequeue(db, run_id)
        for table in TABLES:
            db.execute(f"DELETE FROM {table} WHERE {'id' if table == 'runs' else 'run'} = ?", (run_id,))


def clear(db: sqlite3.Connection) -> None:
    """Delete the rows of all runs."""
    for table in TABLES:
        db.execute(f"DELETE FROM {table}")
