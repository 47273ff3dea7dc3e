"""Single values of many runs: recipe fields, latest and best of metrics.

Every function takes a connection from `store.reading()` first.
Measured on 10,000 runs with 100 recipe fields and 15 series each (120 MB): one field of all runs takes 15 ms, since
the runs are looked up one by one in the primary key (run, key); 50,000 runs take 80 ms. An index by key would make it
no faster than that looking-up, and every run inserted would pay for it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import Any, Final, Literal

from vitui.store.series import values_of

_ALL: Final = "(SELECT id AS run FROM runs)"
_SOME: Final = "(SELECT value AS run FROM json_each(?))"
NEWEST: Final = 300
"""Runs whose recipe fields are looked through for names, besides the newest of each preset and model."""


def recipe_values(db: sqlite3.Connection, key: str, runs: Collection[str] | None = None) -> dict[str, Any]:
    """A recipe field of all runs, or of these: run -> value. Runs without it are missing; lists are JSON text."""
    return _pairs(
        db, "SELECT w.run, c.value FROM {} AS w CROSS JOIN run_config AS c ON c.run = w.run AND c.key = ? "
        "WHERE c.value IS NOT NULL AND c.value <> 'null'", key, runs,
    )  # fmt: skip


def metric_values(
    db: sqlite3.Connection, key: str, which: Literal["last", "best"], runs: Collection[str] | None = None
) -> dict[str, Any]:
    """The latest or best value of a series of all runs, or of these. Runs without it, or with NaN, are missing."""
    return _pairs(
        db, f"SELECT w.run, l.{which} FROM {{}} AS w CROSS JOIN latest AS l ON l.run = w.run AND l.key = ? "
        f"WHERE l.{which} IS NOT NULL", key, runs,
    )  # fmt: skip


def selecting_best(db: sqlite3.Connection, metric: str, runs: Collection[str] | None = None) -> dict[str, Any]:
    """The best value of a metric on the split that selects, of the averaged weights where there are any."""
    return _pairs(
        db, "SELECT w.run, coalesce(e.best, m.best) FROM {} AS w CROSS JOIN runs AS r ON r.id = w.run "
        "LEFT JOIN latest AS e ON e.run = r.id AND e.key = r.selected_on || '/ema_' || ?1 "
        "LEFT JOIN latest AS m ON m.run = r.id AND m.key = r.selected_on || '/' || ?1 "
        "WHERE coalesce(e.best, m.best) IS NOT NULL", metric, runs,
    )  # fmt: skip


def _pairs(db: sqlite3.Connection, sql: str, key: str, runs: Collection[str] | None) -> dict[str, Any]:
    cursor = db.cursor()
    cursor.row_factory = None
    if runs is None:
        return dict(cursor.execute(sql.format(_ALL), (key,)).fetchall())
    given = json.dumps(list(runs))
    if "?1" in sql:
        return dict(cursor.execute(sql.format(_SOME.replace("?", "?2")), (key, given)).fetchall())
    return dict(cursor.execute(sql.format(_SOME), (given, key)).fetchall())


def series_values(db: sqlite3.Connection, run: str, key: str) -> list[float]:
    """Every value of a series in order, NaN included. An empty `key`: the accuracy that selects."""
    rows = db.execute(
        "SELECT vals FROM curves WHERE run = ? AND key = ? ORDER BY chunk", (run, key or _selecting(db, run))
    ).fetchall()
    return [value for row in rows for value in values_of(row[0])]


def _selecting(db: sqlite3.Connection, run: str) -> str:
    found = db.execute(
        "SELECT l.key FROM runs AS r JOIN latest AS l ON l.run = r.id "
        "AND l.key IN (r.selected_on || '/ema_' || r.metric, r.selected_on || '/' || r.metric) "
        "WHERE r.id = ? ORDER BY length(l.key) DESC LIMIT 1",
        (run,),
    ).fetchone()
    return str(found[0]) if found else ""


def recipe_keys(db: sqlite3.Connection) -> set[str]:
    """Names of the recipe fields that runs have: of the newest run of each preset and model, and of the newest runs."""
    rows = db.execute(
        "SELECT DISTINCT c.key FROM (SELECT max(id) AS run FROM runs GROUP BY preset, model, dataset "
        f"UNION SELECT run FROM (SELECT id AS run FROM runs ORDER BY created DESC LIMIT {NEWEST})) AS w "
        "CROSS JOIN run_config AS c ON c.run = w.run"
    )
    return {row[0] for row in rows.fetchall()}


def metric_keys(db: sqlite3.Connection) -> set[str]:
    """Names of the series that runs have."""
    return {row[0] for row in db.execute("SELECT DISTINCT key FROM latest").fetchall()}


def differing_keys(db: sqlite3.Connection, runs: Collection[str]) -> list[str]:
    """Recipe fields that are not the same in all of these runs; one that only some have counts as not the same."""
    total = len(set(runs))
    rows = db.execute(
        f"SELECT c.key FROM {_SOME} AS w CROSS JOIN run_config AS c ON c.run = w.run GROUP BY c.key "
        "HAVING count(*) < ? OR min(coalesce(c.value, '')) IS NOT max(coalesce(c.value, '')) ORDER BY c.key",
        (json.dumps(list(dict.fromkeys(runs))), total),
    )
    return [row[0] for row in rows.fetchall()]
