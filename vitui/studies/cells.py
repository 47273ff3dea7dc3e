"""Which run fills which cell of a study, and what the cell then says."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from vitui import display
from vitui.store import runs as rows
from vitui.studies.variants import BROKEN, MISSING, Cell, Variant

if TYPE_CHECKING:
    from vitui.store import Run

# A result beats what may become one, which beats what ended without; among equals the newest counts.
_RANK = {"finished": 0, "diverged": 0, "running": 1, "starting": 2, "queued": 3, "stopped": 4, "lost": 5, "failed": 6}
Values = Mapping[str, tuple[float | None, float | None]]
"""Run id -> the report's metric with the weights of the best and of the last epoch."""
NO_VALUES: Values = {}


def fill(db: sqlite3.Connection | None, variants: Sequence[Variant], seeds: Sequence[int], metric: str) -> list[Cell]:
    """The cells of variants, each with every seed in order, filled from the runs of the home; None: there is none."""
    found = rows.with_recipes(db, [variant.fingerprint for variant in variants]) if db is not None else []
    others = {} if db is None or metric == "top1" else closing_values(db, [run.id for run in found], metric)
    return match(variants, seeds, found, metric, others)


def match(
    variants: Sequence[Variant],
    seeds: Sequence[int],
    found: Iterable[Run],
    metric: str = "top1",
    others: Values = NO_VALUES,
) -> list[Cell]:
    """As `fill`, from runs that were read, the oldest first; `others` has the values of a metric that is not theirs."""
    known: dict[tuple[str, int | None], list[Run]] = {}
    for run in found:
        known.setdefault((run.recipe_fingerprint, run.seed), []).append(run)
    cells = []
    for variant in variants:
        for seed in seeds:
            several = known.get((variant.fingerprint, seed), [])
            if not several:
                cells.append(Cell(variant.name, seed, MISSING))
                continue
            best = min(reversed(several), key=lambda run: _RANK[run.state])
            value, last = _values(best, metric, others)
            text = shown(best, value, metric)
            cells.append(Cell(variant.name, seed, best.state, best, value, last, text, len(several) - 1))
    return cells


def _values(run: Run, metric: str, others: Values) -> tuple[float | None, float | None]:
    if run.state != "finished":  # what a diverged run had reached is no result of the recipe
        return None, None
    if metric != (run.metric or "top1"):
        return others.get(run.id, (None, None))
    return _finite(run.report_best), _finite(run.report_last)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def shown(run: Run, value: float | None, metric: str = "top1") -> str:
    """What a cell says of its run: a value of `metric`, an outcome, or how far it is."""
    match run.state:
        case "finished":
            return display.number(value) if metric == "loss" else display.percent(value)
        case "diverged":
            what = "NaN" if "not finite" in run.evidence else "diverged"
            best = f", best {run.best:.2f}" if run.best is not None else ""
            return f"{what} at epoch {math.floor(run.epoch)}{best}"
        case "running":
            done = run.step / run.total_steps if run.total_steps else 0.0
            return f"running {done:.0%}"
        case state if state in BROKEN:
            at = f" at epoch {run.epoch:.4g}" if run.epoch else ""
            return f"{state}{at}"
        case state:
            return state


def closing_values(
    db: sqlite3.Connection, ids: Sequence[str], metric: str
) -> dict[str, tuple[float | None, float | None]]:
    """Another metric of the closing evaluations: run -> (best epoch's, last epoch's), of averaged weights where there
    are any."""
    found: dict[str, dict[str, float]] = {}
    query = (
        "SELECT e.run, e.role, e.value FROM evals AS e WHERE e.run IN (SELECT value FROM json_each(?)) AND e.key = ? "
        "AND e.role IN ('report-best', 'report-last') ORDER BY e.weights = 'ema', e.step"
    )
    for run, role, value in db.execute(query, (json.dumps(list(ids)), metric)).fetchall():
        if value is not None:
            found.setdefault(run, {})[role] = float(value)
    return {run: (roles.get("report-best"), roles.get("report-last")) for run, roles in found.items()}
