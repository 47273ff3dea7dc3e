"""What past runs say about one that is planned: how fast they were, and which was the same. Only reads."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

NEWEST: Final = 200
"""Runs of a model that are looked at, at most."""


@dataclass(frozen=True)
class Past:
    """A run that has measured its speed. Seconds and bytes where they are known."""

    run: str
    placed: str
    host: str
    batch_size: int
    step: int
    images_per_s: float
    """The latest; `steady` is the one to reckon with."""
    trained_s: float | None
    """Seconds its training took, evaluations included; None for a run that is not finished."""
    evaluations: int
    """Evaluations in them."""
    memory_bytes: int | None
    """The most its GPU had allocated."""
    config: Mapping[str, Any]
    """Its recipe, dotted leaf -> value as `run_config` holds it."""


def past_runs(db: sqlite3.Connection, model: str) -> list[Past]:
    """The newest runs of a model name that trained long enough to tell a speed, the newest first."""
    rows = db.execute(
        """
        SELECT r.id, r.placed, r.host, r.batch_size, r.step, r.images_per_s,
            (SELECT json_extract(e.data, '$.seconds') FROM events AS e
             WHERE e.run = r.id AND e.kind = 'finished' ORDER BY e.seq DESC LIMIT 1) AS seconds,
            (SELECT count(DISTINCT v.step) FROM evals AS v WHERE v.run = r.id AND v.role = 'select') AS evaluations,
            (SELECT max(m.max) FROM curves AS m WHERE m.run = r.id AND m.key = 'train/memory_gb') AS memory,
            (SELECT json_group_object(c.key, c.value) FROM run_config AS c WHERE c.run = r.id) AS config
        FROM runs AS r
        WHERE r.model = ? AND r.images_per_s > 0 AND r.batch_size > 0 AND r.step >= 20
        ORDER BY r.created DESC LIMIT ?
        """,
        (model, NEWEST),
    ).fetchall()
    return [
        Past(
            id, placed, host, batch, step, speed,
            float(seconds) if isinstance(seconds, int | float) else None, evaluations,
            round(memory * 2**30) if isinstance(memory, int | float) else None, json.loads(config),
        )
        for id, placed, host, batch, step, speed, seconds, evaluations, memory, config in rows
    ]  # fmt: skip


def equal(stored: Any, value: Any) -> bool:
    """Whether a value of `run_config` is this one of a recipe; those that are no text or number are kept as JSON."""
    if isinstance(value, bool | list) or value is None:
        return bool(stored == json.dumps(value))
    return bool(stored == value)


def same_recipe(db: sqlite3.Connection, flat: Mapping[str, Any]) -> list[str]:
    """Ids of the runs launched with just these leaves, the newest first."""
    ids: list[str] = [
        row[0]
        for row in db.execute(
            "SELECT id FROM runs WHERE model = ? AND dataset = ? AND seed = ? ORDER BY created DESC LIMIT ?",
            (flat["model.name"], flat["data.dataset"], flat["train.seed"], NEWEST),
        ).fetchall()
    ]
    found = []
    for run in ids:
        config = dict(db.execute("SELECT key, value FROM run_config WHERE run = ?", (run,)).fetchall())
        if config.keys() == flat.keys() and all(equal(config[key], value) for key, value in flat.items()):
            found.append(run)
    return found
