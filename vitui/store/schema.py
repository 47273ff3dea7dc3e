"""Tables of lab.db, as named migrations. The only place that says what the database looks like.

A migration is never edited once released: a change is a new one at the end. `PRAGMA user_version` is the number of
migrations applied; `PRAGMA application_id` tells a lab.db from any other SQLite file. Table ``migrations`` says when
each one ran, in the transaction that ran it.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from vitui.store.states import STATES

if TYPE_CHECKING:
    from sqlite_utils import Database

APPLICATION_ID: Final = 0x76697475  # "vitu"

Migration = tuple[str, Callable[["Database"], None]]


def _first(db: Database) -> None:
    """Everything the first release knows. Plain SQL where sqlite-utils has no words: CHECK, columns of any type."""
    db.create_table("meta", {"key": str, "value": str}, pk="key")
    db.execute(_RUNS.format(states=", ".join(f"'{state}'" for state in STATES)))
    run = [("run", "runs", "id")]
    db.execute(
        "CREATE TABLE run_config (run TEXT NOT NULL REFERENCES runs(id), key TEXT NOT NULL, value, "
        "PRIMARY KEY (run, key)) WITHOUT ROWID"
    )
    db.create_table("tags", {"run": str, "tag": str}, pk=("run", "tag"), foreign_keys=run)
    db.create_table(
        "queue",
        {"run": str, "position": int, "held": int, "reason": str, "since": float},
        pk="run",
        foreign_keys=run,
        not_null=("position", "held", "reason"),
        defaults={"held": 0, "reason": ""},
    )
    db.create_table(
        "latest",
        {
            "run": str, "key": str, "n": int, "nan_count": int,
            "last": float, "last_step": int, "last_at": float, "best": float, "best_step": int,
        },
        pk=("run", "key"),
        foreign_keys=run,
    )  # fmt: skip
    db.create_table(
        "evals",
        {
            "run": str, "step": int, "split": str, "weights": str, "role": str, "key": str,
            "value": float, "epoch": float, "images": int, "at": float,
        },
        pk=("run", "step", "split", "weights", "role", "key"),
        foreign_keys=run,
    )  # fmt: skip
    db.create_table(
        "events",
        {"run": str, "seq": int, "kind": str, "attempt": int, "at": float, "step": int, "epoch": float, "data": str},
        pk=("run", "seq"),
        foreign_keys=run,
    )
    # The summary comes before the long texts: SQLite then reads it without following them into overflow pages.
    db.create_table(
        "curves",
        {
            "run": str, "key": str, "chunk": int, "attempt": int, "n": int, "nan_count": int,
            "step_first": int, "step_last": int, "stride": int, "at_first": float, "at_last": float,
            "first": float, "last": float, "min": float, "max": float, "sum": float,
            "steps": str, "vals": str,
        },
        pk=("run", "key", "chunk"),
        foreign_keys=run,
        not_null=("n", "nan_count", "step_first", "step_last", "stride", "at_first", "at_last", "vals"),
    )  # fmt: skip
    db.create_view("points", _POINTS)
    db.table("runs").create_index(["state"])
    db.table("runs").create_index(["created"])


_RUNS = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    preset TEXT NOT NULL,
    family TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ({states})),
    state_at REAL NOT NULL,
    evidence TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL,
    started REAL,
    ended REAL,
    launcher TEXT NOT NULL DEFAULT '',
    handle TEXT,
    device TEXT NOT NULL DEFAULT 'auto',
    placed TEXT NOT NULL DEFAULT '',
    gpus INTEGER NOT NULL DEFAULT 1,
    host TEXT NOT NULL DEFAULT '',
    attempt INTEGER NOT NULL DEFAULT 0,
    stop_requested REAL,
    seed INTEGER,
    model TEXT NOT NULL DEFAULT '',
    dataset TEXT NOT NULL DEFAULT '',
    params INTEGER,
    epoch REAL NOT NULL DEFAULT 0,
    total_epochs INTEGER,
    step INTEGER NOT NULL DEFAULT 0,
    total_steps INTEGER,
    steps_per_epoch INTEGER,
    batch_size INTEGER,
    images_per_s REAL,
    last_event_at REAL,
    metric TEXT NOT NULL DEFAULT 'top1',
    best REAL,
    best_epoch REAL,
    best_step INTEGER,
    last REAL,
    selected_on TEXT NOT NULL DEFAULT '',
    select_is_report INTEGER NOT NULL DEFAULT 0,
    report_best REAL,
    report_last REAL,
    report_split TEXT NOT NULL DEFAULT '',
    loss REAL,
    reference REAL,
    reference_source TEXT NOT NULL DEFAULT '',
    star INTEGER NOT NULL DEFAULT 0,
    archived INTEGER NOT NULL DEFAULT 0,
    notes TEXT NOT NULL DEFAULT '',
    question TEXT NOT NULL DEFAULT '',
    exit_code INTEGER,
    exit_signal INTEGER,
    journal_offset INTEGER NOT NULL DEFAULT 0,
    journal_skipped INTEGER NOT NULL DEFAULT 0,
    journal_events INTEGER NOT NULL DEFAULT 0,
    journal_attempt INTEGER NOT NULL DEFAULT 0,
    journal_tail INTEGER NOT NULL DEFAULT 0
)
"""

# One row a point. Times between the two that a chunk keeps are interpolated; NaN is NULL, as everywhere in SQLite.
_POINTS = """
SELECT c.run, c.key,
    CASE WHEN c.steps IS NULL THEN c.step_first + v.key * c.stride
         ELSE json_extract(c.steps, '$[' || v.key || ']') END AS step,
    CASE v.value WHEN 'NaN' THEN NULL WHEN 'Infinity' THEN 9e999 WHEN '-Infinity' THEN -9e999
         ELSE v.value END AS value,
    c.at_first + (c.at_last - c.at_first) * v.key / max(c.n - 1, 1) AS at
FROM curves AS c, json_each(c.vals) AS v
"""


def _second(db: Database) -> None:
    """Reference results that are no number, parameters that are trained, and lengths that end inside an epoch."""
    db.execute("ALTER TABLE runs ADD COLUMN reference_outcome TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE runs ADD COLUMN trainable_params INTEGER")


def _third(db: Database) -> None:
    """Studies: what runs train, so that those of one recipe find each other, and the variants that studies ask for."""
    db.execute("ALTER TABLE runs ADD COLUMN recipe_fingerprint TEXT NOT NULL DEFAULT ''")
    _fingerprint_all(db)
    db.table("runs").create_index(["recipe_fingerprint", "seed"])
    db.create_table(
        "studies",
        {
            "name": str, "title": str, "baseline": str, "seeds": str, "stamp": str, "planned_at": float,
        },
        pk="name",
        not_null=("title", "baseline", "seeds", "stamp", "planned_at"),
    )  # fmt: skip
    db.create_table(
        "variants",
        {
            "study": str, "name": str, "position": int, "label": str, "preset": str, "model": str,
            "recipe_fingerprint": str, "toggles": str, "sets": str, "levels": str, "sampled": str, "reported": str,
        },
        pk=("study", "name"),
        foreign_keys=[("study", "studies", "name")],
        not_null=("position", "label", "recipe_fingerprint"),
    )  # fmt: skip
    db.table("variants").create_index(["recipe_fingerprint"])
    db.create_view("study_runs", _STUDY_RUNS)


# Runs of a study are those that train one of its variants with one of its seeds, whoever launched them.
_STUDY_RUNS = """
SELECT v.study, v.name AS variant, r.seed, r.id AS run, r.state, r.report_best, r.report_last
FROM variants AS v
JOIN studies AS s ON s.name = v.study
JOIN runs AS r ON r.recipe_fingerprint = v.recipe_fingerprint AND v.recipe_fingerprint <> ''
WHERE r.archived = 0 AND r.seed IN (SELECT value FROM json_each(s.seeds))
"""


def _fingerprint_all(db: Database) -> None:
    """The fingerprint of every run from its recipe in `run_config`, which keeps lists and truth values as JSON."""
    from engine.recipe.fingerprint import fingerprint

    for (run,) in db.execute("SELECT id FROM runs").fetchall():
        rows = db.execute("SELECT key, value FROM run_config WHERE run = ?", (run,)).fetchall()
        if rows:
            flat = {key: _unpacked(value) for key, value in rows}
            db.execute("UPDATE runs SET recipe_fingerprint = ? WHERE id = ?", (fingerprint(flat), run))


def _unpacked(value: object) -> object:
    if isinstance(value, str) and (value.startswith("[") or value in ("true", "false", "null")):
        with contextlib.suppress(ValueError):
            return json.loads(value)
    return value


MIGRATIONS: Final[Sequence[Migration]] = (("1_first", _first), ("2_outcomes", _second), ("3_studies", _third))
VERSION: Final = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> list[str]:
    """Apply what is missing, all of it or nothing, and return the names applied.

    `connection` is in autocommit mode and the caller holds the writer lock. Raises sqlite3.Error; the database is
    then as it was.
    """
    from sqlite_utils import Database  # slow to import, and needed only when there is something to do

    db = Database(connection, execute_plugins=False)
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not db.table("migrations").exists():
            db.create_table("migrations", {"name": str, "applied_at": float}, pk="name")
        present = {name for (name,) in connection.execute("SELECT name FROM migrations").fetchall()}
        applied = []
        for name, change in migrations:
            if name not in present:
                change(db)
                connection.execute("INSERT INTO migrations (name, applied_at) VALUES (?, ?)", (name, time.time()))
                applied.append(name)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return applied
