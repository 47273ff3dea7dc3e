"""Rows of `studies` and `variants`: what was planned, as far as preset files still say the same.

They are an index of the TOML files in the home, as `runs` is one of the run directories: made anew at any time.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple


class VariantRow(NamedTuple):
    """A row of `variants` without its study and position. Lists and objects are JSON text."""

    name: str
    label: str
    preset: str
    model: str
    recipe_fingerprint: str
    toggles: str
    sets: str
    levels: str
    sampled: str
    reported: str


_COLUMNS: Final = ", ".join(VariantRow._fields)


def save(
    db: sqlite3.Connection,
    name: str,
    *,
    title: str,
    baseline: str,
    seeds: Sequence[int],
    stamp: str,
    variants: Sequence[VariantRow],
) -> None:
    """Put a planned study in the place of what is there of it. `stamp` tells what it was planned from."""
    remove(db, name)
    db.execute(
        "INSERT INTO studies (name, title, baseline, seeds, stamp, planned_at) VALUES (?, ?, ?, ?, ?, ?)",
        (name, title, baseline, json.dumps(list(seeds)), stamp, time.time()),
    )
    marks = ", ".join("?" * (len(VariantRow._fields) + 2))
    db.executemany(
        f"INSERT INTO variants (study, position, {_COLUMNS}) VALUES ({marks})",
        [(name, position, *row) for position, row in enumerate(variants)],
    )


def remove(db: sqlite3.Connection, name: str) -> None:
    """Forget a study; its runs stay."""
    db.execute("DELETE FROM variants WHERE study = ?", (name,))
    db.execute("DELETE FROM studies WHERE name = ?", (name,))


def names(db: sqlite3.Connection) -> list[str]:
    """Studies that there are rows of."""
    return [str(row[0]) for row in db.execute("SELECT name FROM studies ORDER BY name").fetchall()]


def stamp_of(db: sqlite3.Connection, name: str) -> str:
    """What the rows of a study were planned from; empty where there are none."""
    row = db.execute("SELECT stamp FROM studies WHERE name = ?", (name,)).fetchone()
    return "" if row is None else str(row[0])


def load(db: sqlite3.Connection, name: str) -> tuple[list[VariantRow], tuple[int, ...]]:
    """Variants in order, and seeds; empty for a study that is not there."""
    found = db.execute("SELECT seeds FROM studies WHERE name = ?", (name,)).fetchone()
    if found is None:
        return [], ()
    cursor = db.cursor()
    cursor.row_factory = None
    rows = cursor.execute(f"SELECT {_COLUMNS} FROM variants WHERE study = ? ORDER BY position", (name,)).fetchall()
    return [VariantRow._make(row) for row in rows], tuple(json.loads(found[0]))


def of_runs(db: sqlite3.Connection, runs: Collection[str] | None = None) -> dict[str, tuple[str, ...]]:
    """Run id -> names of the studies it is part of, for all runs or these."""
    where, parameters = "", list[Any]()
    if runs is not None:
        where, parameters = " WHERE run IN (SELECT value FROM json_each(?))", [json.dumps(list(runs))]
    rows = db.execute(
        "SELECT run, json_group_array(study) FROM (SELECT DISTINCT run, study FROM study_runs"
        f"{where} ORDER BY study) GROUP BY run",
        parameters,
    ).fetchall()
    return {row[0]: tuple(json.loads(row[1])) for row in rows}
