"""Rows of `runs`: inserting, finding, listing, changing. Every function takes a connection first.

Functions that change something need one from `store.writing()`; the others take one from `store.reading()`.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Mapping
from typing import Any, Final

from vitui.errors import NotFound, UsageError
from vitui.store.coerce import text
from vitui.store.queue import dequeue, enqueue, hold, move, release, set_reason
from vitui.store.rows import Brief, NewRun, Run, clean_tags, new_run
from vitui.store.states import EDGES, ENDED, LIVE, RESUMABLE, STATES, WAITING, check_edge

__all__ = [
    "EDGES", "ENDED", "LIVE", "RESUMABLE", "STATES", "WAITING", "Brief", "NewRun", "Run", "dequeue", "enqueue",
    "filled", "get", "get_meta", "hold", "insert", "list_briefs", "list_runs", "move", "new_run", "release",
    "request_stop", "resolve_prefix", "set_labels", "set_meta", "set_reason", "transition", "update", "with_recipes",
]  # fmt: skip


_COLUMNS: Final = Run._fields[: Run._fields.index("tags")]
_FLAGS: Final = tuple(Run._fields.index(name) for name in ("select_is_report", "star", "archived", "held"))
_HANDLE: Final = Run._fields.index("handle")
_TAGS: Final = Run._fields.index("tags")
_SELECT: Final = f"""
SELECT {", ".join(f"r.{name}" for name in _COLUMNS)},
    (SELECT json_group_array(t.tag) FROM tags AS t WHERE t.run = r.id) AS tags,
    coalesce(q.reason, '') AS reason, q.position, coalesce(q.held, 0) AS held
FROM runs AS r LEFT JOIN queue AS q ON q.run = r.id
"""


def _run(row: tuple[Any, ...]) -> Run:
    values = list(row)
    for index in _FLAGS:
        values[index] = values[index] != 0
    if values[_HANDLE] is not None:
        values[_HANDLE] = json.loads(values[_HANDLE])
    values[_TAGS] = () if values[_TAGS] == "[]" else tuple(sorted(json.loads(values[_TAGS])))
    return Run._make(values)


def _fetch(db: sqlite3.Connection, sql: str, parameters: Collection[Any] = ()) -> list[Run]:
    cursor = db.cursor()
    cursor.row_factory = None  # plain tuples: ten thousand sqlite3.Row cost more than the query
    return [_run(row) for row in cursor.execute(sql, tuple(parameters)).fetchall()]


# -- a new one ---------------------------------------------------------------------------------------------------


def insert(db: sqlite3.Connection, run: NewRun) -> None:
    """Add a run in state queued, with its recipe and tags, at the end of the queue.

    Raises sqlite3.IntegrityError when the id is taken.
    """
    row = {name: getattr(run, name) for name in NewRun.__slots__ if name not in ("tags", "config")}
    row |= {"state": "queued", "state_at": run.created}
    names = ", ".join(row)
    db.execute(f"INSERT INTO runs ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))
    db.executemany("INSERT INTO tags (run, tag) VALUES (?, ?)", [(run.id, tag) for tag in run.tags])
    db.executemany(
        "INSERT OR REPLACE INTO run_config (run, key, value) VALUES (?, ?, ?)",
        [(run.id, text(key), _plain(value)) for key, value in run.config.items()],
    )
    enqueue(db, run.id)


def _plain(value: Any) -> str | int | float | None:
    """A recipe value so that people can compare it in SQL: numbers as numbers, text as text, the rest as JSON."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63):
        return value
    return json.dumps(value, default=str)


# -- finding -----------------------------------------------------------------------------------------------------


def get(db: sqlite3.Connection, run_id: str) -> Run | None:
    """The run with exactly this id."""
    found = _fetch(db, f"{_SELECT} WHERE r.id = ?", [text(run_id)])
    return found[0] if found else None


def resolve_prefix(db: sqlite3.Connection, prefix: str) -> str:
    """The one id that starts with `prefix` (a whole id always wins).

    Raises NotFound, or UsageError naming the first few candidates when there are several.
    """
    wanted = text(prefix)
    rows = db.execute(
        "SELECT id FROM runs WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id = ?1 DESC, id LIMIT 6", (wanted,)
    ).fetchall()
    ids: list[str] = [row[0] for row in rows]
    if wanted and ids and (len(ids) == 1 or ids[0] == wanted):
        return ids[0]
    if wanted and ids:
        more = ", …" if len(ids) > 5 else ""
        raise UsageError(f"{wanted!r} is ambiguous: {', '.join(ids[:5])}{more}; type more of the run id")
    raise NotFound(f"no run id starts with {wanted!r}; `vitui runs` lists all runs")


def list_runs(
    db: sqlite3.Connection,
    *,
    states: Collection[str] | None = None,
    text: str | None = None,
    include_archived: bool = False,
    limit: int | None = None,
) -> list[Run]:
    """Runs, newest first, from one query over `runs`, `queue` and `tags`.

    `text`: every word of it must occur, in any case, in the id, name, preset, model, dataset, state, notes or tags.
    """
    words = text.casefold().split() if text else []
    tail, parameters = _chosen(states, include_archived, None if words else limit)
    found = _fetch(db, f"{_SELECT} {tail}", parameters)
    if words:  # here, not in SQL, whose LIKE knows upper and lower case of ASCII only
        found = [run for run in found if _mentions(run, words)]
    return found if limit is None else found[: max(limit, 0)]


def with_recipes(db: sqlite3.Connection, fingerprints: Collection[str]) -> list[Run]:
    """Runs that train one of these recipes, with any seed, the oldest first; archived ones left out."""
    wanted = json.dumps(sorted({one for one in fingerprints if one}))
    return _fetch(
        db,
        f"{_SELECT} WHERE r.recipe_fingerprint IN (SELECT value FROM json_each(?)) AND r.archived = 0 "
        "ORDER BY r.created, r.id",
        [wanted],
    )


def filled(db: sqlite3.Connection, recipe_fingerprint: str, seed: int | None) -> bool:
    """Whether a run that is not archived trains, trained or will train this recipe with this seed."""
    row = db.execute(
        "SELECT 1 FROM runs WHERE recipe_fingerprint = ? AND recipe_fingerprint <> '' AND seed IS ? AND archived = 0",
        (recipe_fingerprint, seed),
    ).fetchone()
    return row is not None


def list_briefs(
    db: sqlite3.Connection,
    *,
    states: Collection[str] | None = None,
    include_archived: bool = False,
    limit: int | None = None,
) -> list[Brief]:
    """The runs that `list_runs` gives without `text`, and no more of them than a listing shows."""
    tail, parameters = _chosen(states, include_archived, limit)
    cursor = db.cursor()
    cursor.row_factory = None
    rows = cursor.execute(f"SELECT {', '.join(Brief._fields)} FROM runs AS r {tail}", parameters).fetchall()
    return list(map(Brief._make, rows))


def _chosen(states: Collection[str] | None, include_archived: bool, limit: int | None) -> tuple[str, list[Any]]:
    """WHERE, ORDER BY and LIMIT of a listing of `runs AS r`, and their parameters."""
    conditions, parameters = [], list[Any]()
    if states is not None:
        conditions.append(f"r.state IN ({', '.join('?' * len(states))})")
        parameters.extend(states)
    if not include_archived:
        conditions.append("r.archived = 0")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    tail = "" if limit is None else f"LIMIT {max(int(limit), 0)}"
    return f"{where} ORDER BY r.created DESC, r.id DESC {tail}", parameters


def _mentions(run: Run, words: list[str]) -> bool:
    hay = "\n".join((run.id, run.name, run.preset, run.model, run.dataset, run.state, run.notes, *run.tags)).casefold()
    return all(word in hay for word in words)


# -- states ------------------------------------------------------------------------------------------------------

_SETTABLE: Final = frozenset({
    "launcher", "handle", "device", "placed", "gpus", "host", "attempt", "stop_requested", "started", "ended",
    "exit_code", "exit_signal",
})  # fmt: skip


def transition(
    db: sqlite3.Connection,
    run_id: str,
    frm: Collection[str] | str,
    to: str,
    *,
    evidence: str | None = None,
    at: float | None = None,
    **columns: Any,
) -> bool:
    """Compare and swap: from one of the states `frm` to `to`. False when the run is in none of them (another won).

    `at`: when it happened (default: now); becomes `state_at`, and `ended` for an ended state. `columns`: further
    columns of `_SETTABLE`; `handle` is a dict. A run in state queued is in the queue and no other is: going there
    enqueues it (at the end; in front when it comes back from starting) and forgets how it ended; leaving dequeues it.
    An ended run has no handle.
    Raises ValueError for a step that no run can make and for a column that is not settable.
    """
    wanted = {frm} if isinstance(frm, str) else set(frm)
    check_edge(wanted, to)
    moment = time.time() if at is None else at
    row: dict[str, Any] = {"state": to, "state_at": moment}
    if to == "queued":
        row |= {"evidence": "", "ended": None, "exit_code": None, "exit_signal": None, "stop_requested": None,
                "handle": None, "placed": ""}  # fmt: skip
    elif to in ENDED:
        row |= {"ended": moment, "handle": None}  # nothing is left to be found
    if evidence is not None:
        row["evidence"] = text(evidence)
    row |= _checked(columns)
    before = db.execute("SELECT state FROM runs WHERE id = ?", (run_id,)).fetchone()
    if before is None or before[0] not in wanted:
        return False
    db.execute(f"UPDATE runs SET {', '.join(f'{name} = ?' for name in row)} WHERE id = ?", (*row.values(), run_id))
    if to == "queued":
        enqueue(db, run_id)
        if before[0] == "starting":
            move(db, run_id, 1)
    else:
        dequeue(db, run_id)
    return True


def update(db: sqlite3.Connection, run_id: str, **columns: Any) -> bool:
    """Set columns of `transition` without a change of state. False when there is no such run."""
    row = _checked(columns)
    if not row:
        return get(db, run_id) is not None
    sql = f"UPDATE runs SET {', '.join(f'{name} = ?' for name in row)} WHERE id = ?"
    return db.execute(sql, (*row.values(), run_id)).rowcount == 1


def _checked(columns: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := sorted(set(columns) - _SETTABLE):
        raise ValueError(f"columns that may not be set this way: {', '.join(unknown)}")
    row = {name: text(value) if isinstance(value, str) else value for name, value in columns.items()}
    if isinstance(row.get("handle"), Mapping):
        row["handle"] = json.dumps(row["handle"])
    return row


def request_stop(db: sqlite3.Connection, run_id: str) -> bool:
    """Ask for a stop: a run that waits is stopped here and now, of one that trains the wish is noted (once).

    False when it has already ended, or does not exist.
    """
    now = time.time()
    if transition(db, run_id, WAITING, "stopped", evidence="stopped while it waited", at=now, stop_requested=now):
        return True
    return (
        db.execute(
            "UPDATE runs SET stop_requested = coalesce(stop_requested, ?) WHERE id = ? AND state IN (?, ?)",
            (now, run_id, *sorted(LIVE)),
        ).rowcount
        == 1
    )


# -- what people say about a run ---------------------------------------------------------------------------------


def set_labels(
    db: sqlite3.Connection,
    run_id: str,
    *,
    name: str | None = None,
    tags: Collection[str] | None = None,
    notes: str | None = None,
    star: bool | None = None,
    archived: bool | None = None,
) -> None:
    """Change what is given; None leaves it. Only the database: run.json, which these mirror, is the caller's."""
    given = {"name": name, "notes": notes, "star": star, "archived": archived}
    row = {key: text(value) if isinstance(value, str) else value for key, value in given.items() if value is not None}
    if row:
        db.execute(f"UPDATE runs SET {', '.join(f'{key} = ?' for key in row)} WHERE id = ?", (*row.values(), run_id))
    if tags is not None:
        db.execute("DELETE FROM tags WHERE run = ?", (run_id,))
        db.executemany("INSERT INTO tags (run, tag) VALUES (?, ?)", [(run_id, tag) for tag in clean_tags(tags)])


def get_meta(db: sqlite3.Connection, key: str) -> str | None:
    """A value that belongs to the whole home, e.g. "queue_paused"; None when it is not set."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def set_meta(db: sqlite3.Connection, key: str, value: str | None) -> None:
    """Set such a value; None removes it."""
    if value is None:
        db.execute("DELETE FROM meta WHERE key = ?", (key,))
    else:
        db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, text(value)))
