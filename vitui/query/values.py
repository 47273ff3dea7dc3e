"""Getting the values that a run's row does not hold, and the fields there are, from the database."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Collection, Sequence
from typing import Any

from vitui.query.fields import Field, Fields, better
from vitui.store import studies
from vitui.store import values as stored

SMOOTHING = 0.6
"""Weight of the past in the moving average behind ``smooth(...)``, at every evaluation or logged point."""


def read_values(
    db: sqlite3.Connection, field: Field, runs: Collection[str] | None = None, *, until: float | None = None
) -> dict[str, Any]:
    """A field of all runs, or of these: run id -> value, those without one missing.

    `until`: stop at this moment of time.monotonic(). What is slow (smoothed values, which need `runs`) then comes in
    part; a run that was looked at has an entry, None where there is nothing.
    """
    source, name = field.source, field.series
    if source == "recipe":
        return stored.recipe_values(db, name, runs)
    if source == "last" or source == "best":
        return stored.metric_values(db, name, source, runs)
    if source == "top5":
        return stored.selecting_best(db, "top5", runs)
    if source == "study":
        return dict(studies.of_runs(db, runs))
    return _smoothed(db, field, list(stored_ids(db) if runs is None else runs), until)


def stored_ids(db: sqlite3.Connection) -> list[str]:
    """Ids of all runs."""
    return [row[0] for row in db.execute("SELECT id FROM runs").fetchall()]


def _smoothed(db: sqlite3.Connection, field: Field, ids: Sequence[str], until: float | None) -> dict[str, Any]:
    name = "" if field.key == "smooth" else field.series
    sign = better(name) if name else 1
    out: dict[str, Any] = {}
    for run in ids:
        if until is not None and out and time.monotonic() >= until:
            break
        out[run] = smoothed_best(stored.series_values(db, run, name), sign)
    return out


def smoothed_best(values: Sequence[float], sign: int, smoothing: float = SMOOTHING) -> float | None:
    """The best value of the debiased moving average of a series; NaN and infinities are passed over.

    sum of s^(points since) * value / sum of s^(points since), s being `smoothing`: Adam's bias correction (Kingma and
    Ba 2015, section 3). `sign`: 1 where more is better, -1 where less is; 0 gives the last average.
    """
    total = weight = 0.0
    best: float | None = None
    for value in values:
        if not math.isfinite(value):
            continue
        total, weight = smoothing * total + value, smoothing * weight + 1.0
        average = total / weight
        if best is None or not sign or (average - best) * sign > 0:
            best = average
    return best


def known_fields(db: sqlite3.Connection | None, *, described: bool = True) -> Fields:
    """Every field: the run's own, those of recipes, metrics that runs have.

    `described`: with the recipe fields of the schema and what it says of them, which takes a quarter of a second to
    load; otherwise only with those that runs have.
    """
    recipe: dict[str, str] = {}
    if described:
        from vitui.query.recipe_fields import descriptions

        recipe = descriptions()
    if db is None:
        return Fields(recipe, ())
    for key in stored.recipe_keys(db) - recipe.keys():
        recipe[key] = "option of the model" if key.startswith("model.options.") else "recipe field"
    return Fields(recipe, stored.metric_keys(db))
