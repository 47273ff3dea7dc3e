"""What runs cost: time, multiply-adds, memory; and how many images judged them. Only reads."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import NamedTuple

from vitui.store.values import recipe_values


class Cost(NamedTuple):
    """Of one run; None where it is not known.

    `seconds`: training with its evaluations, all attempts together; of a finished run. `macs`: multiply-adds of one
    forward pass of one image. `memory_gb`: the most that was allocated on its GPU, else resident, GiB. `images`:
    size of the split that reports.
    """

    seconds: float | None
    macs: float | None
    memory_gb: float | None
    images: int | None


class Start(NamedTuple):
    """What a run started from. `pretrained`: from trained weights, `weights` the file they were in (empty: the hub's).
    `head_only`: only its classifier was trained."""

    pretrained: bool
    weights: str
    head_only: bool


def starts(db: sqlite3.Connection, runs: Collection[str]) -> dict[str, Start]:
    """What runs started from, by id."""
    given = list(runs)
    pretrained, weights, scope = (
        recipe_values(db, key, given) for key in ("model.pretrained", "model.weights", "train.scope")
    )
    return {
        run: Start(pretrained.get(run) == "true", str(weights.get(run, "")), scope.get(run) == "head") for run in given
    }


def costs(db: sqlite3.Connection, runs: Collection[str]) -> dict[str, Cost]:
    """The costs of runs, by id."""
    rows = db.execute(
        """
        SELECT w.value,
            (SELECT json_extract(e.data, '$.seconds') FROM events AS e
             WHERE e.run = w.value AND e.kind = 'finished' ORDER BY e.seq DESC LIMIT 1),
            (SELECT json_extract(e.data, '$.macs') FROM events AS e
             WHERE e.run = w.value AND e.kind = 'model' ORDER BY e.seq LIMIT 1),
            coalesce((SELECT max(c.max) FROM curves AS c WHERE c.run = w.value AND c.key = 'train/memory_gb'),
                     (SELECT max(c.max) FROM curves AS c WHERE c.run = w.value AND c.key = 'device/memory_gb')),
            (SELECT v.images FROM evals AS v WHERE v.run = w.value AND v.role = 'report-best' LIMIT 1)
        FROM json_each(?) AS w
        """,
        (json.dumps(list(runs)),),
    ).fetchall()
    return {
        run: Cost(_number(seconds), _number(macs), _number(memory), images if isinstance(images, int) else None)
        for run, seconds, macs, memory, images in rows
    }


def selecting_images(db: sqlite3.Connection, runs: Collection[str]) -> dict[str, int]:
    """Size of the split that selects, by run; runs without an evaluation on it are missing."""
    rows = db.execute(
        "SELECT w.value, (SELECT v.images FROM evals AS v WHERE v.run = w.value AND v.role = 'select' LIMIT 1) "
        "FROM json_each(?) AS w",
        (json.dumps(list(runs)),),
    ).fetchall()
    return {run: images for run, images in rows if isinstance(images, int)}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
