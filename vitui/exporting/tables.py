"""Runs as three tidy tables: `points`, `evals` and `runs`, joined by the column `run`. What CSV and Parquet hold."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

from vitui.exporting.series import BLOCK, Block, blocks

if TYPE_CHECKING:
    from vitui.comparing import RunFacts
    from vitui.lab import Lab

TEXT, WHOLE, REAL, FLAG = "text", "whole", "real", "flag"
"""Kinds of columns: str, int of 64 bits, float of 64 bits, bool. None is a cell of which nothing is known."""
CONFIG: Final = "config."
"""How the columns of recipe fields begin."""

Columns = Sequence[Sequence[Any]]
"""A piece of a table, column by column, all of one length."""


@dataclass(frozen=True)
class Table:
    """Names and kinds of columns, and what they hold, piece by piece; can be read once."""

    name: str
    columns: tuple[tuple[str, str], ...]
    pieces: Iterator[Columns]


# -- points and evals ----------------------------------------------------------------------------------------------


def points(lab: Lab, runs: Sequence[str], keys: Sequence[str]) -> Table:
    """Every point of every series asked for: a row each, with its step and its time in Unix seconds."""
    columns = (("run", TEXT), ("key", TEXT), ("step", WHOLE), ("value", REAL), ("at", REAL))
    return Table("points", columns, _gathered(block for run in runs for block in blocks(lab, run, keys)))


def _gathered(found: Iterator[Block]) -> Iterator[Columns]:
    """Blocks put together to pieces of at least BLOCK points, but for the last."""
    held: list[Block] = []
    for block in found:
        held.append(block)
        if sum(len(one.steps) for one in held) >= BLOCK:
            yield _joined(held)
            held = []
    if held:
        yield _joined(held)


def _joined(held: Sequence[Block]) -> Columns:
    import numpy as np

    def named(name: str) -> list[str]:
        return [text for one in held for text in repeat(str(getattr(one, name)), len(one.steps))]

    arrays = (np.concatenate([getattr(one, name) for one in held]).tolist() for name in ("steps", "values", "at"))
    return [named("run"), named("key"), *arrays]


_EVALS: Final = (
    ("run", TEXT), ("step", WHOLE), ("epoch", REAL), ("split", TEXT), ("weights", TEXT), ("role", TEXT),
    ("metric", TEXT), ("value", REAL), ("images", WHOLE), ("at", REAL),
)  # fmt: skip


def evals(lab: Lab, runs: Sequence[str]) -> Table:
    """Every value of every evaluation: a row each, in the order they were made."""
    rows = [
        (run, one.step, one.epoch, one.split, one.weights, one.role, metric, value, one.images, one.at)
        for run in runs
        for one in lab.evals(run)
        for metric, value in one.values.items()
    ]
    return Table("evals", _EVALS, iter([_turned(rows, len(_EVALS))]))


# -- runs ----------------------------------------------------------------------------------------------------------

_RUN: Final = (
    ("run", TEXT, "id"), ("name", TEXT, "name"), ("preset", TEXT, "preset"), ("family", TEXT, "family"),
    ("state", TEXT, "state"), ("evidence", TEXT, "evidence"), ("created", REAL, "created"),
    ("started", REAL, "started"), ("ended", REAL, "ended"), ("host", TEXT, "host"), ("device", TEXT, "placed"),
    ("attempts", WHOLE, "attempt"), ("model", TEXT, "model"), ("dataset", TEXT, "dataset"), ("seed", WHOLE, "seed"),
    ("params", WHOLE, "params"), ("trainable_params", WHOLE, "trainable_params"), ("epoch", REAL, "epoch"),
    ("total_epochs", REAL, "total_epochs"), ("step", WHOLE, "step"), ("total_steps", WHOLE, "total_steps"),
    ("steps_per_epoch", WHOLE, "steps_per_epoch"), ("batch_size", WHOLE, "batch_size"), ("metric", TEXT, "metric"),
    ("selected_on", TEXT, "selected_on"), ("best", REAL, "best"), ("best_epoch", REAL, "best_epoch"),
    ("best_step", WHOLE, "best_step"), ("last", REAL, "last"), ("report_split", TEXT, "report_split"),
    ("report_best", REAL, "report_best"), ("report_last", REAL, "report_last"),
    ("selected_on_report", FLAG, "select_is_report"), ("reference", REAL, "reference"),
    ("reference_outcome", TEXT, "reference_outcome"), ("reference_source", TEXT, "reference_source"),
    ("tags", TEXT, "tags"), ("notes", TEXT, "notes"), ("question", TEXT, "question"), ("star", FLAG, "star"),
    ("archived", FLAG, "archived"),
)  # fmt: skip
"""Column, kind, and the field of `vitui.store.Run` that it holds."""
_FACTS: Final = (
    ("seconds", REAL), ("images_per_s", REAL), ("macs", WHOLE), ("memory_bytes", REAL), ("memory_kind", TEXT),
    ("commit", TEXT),
)  # fmt: skip


def runs(facts: Sequence[RunFacts]) -> Table:
    """A row for each run: what it is and achieved, and its recipe with a column ``config.FIELD`` for each field.

    Lists and the tags are JSON texts. Of a field that has another kind of value in some of the runs, all values are
    texts.
    """
    fields = list(dict.fromkeys(key for one in facts for key in one.config))
    config = [[_plain(one.config.get(key)) for one in facts] for key in fields]
    kinds = [_kind(values) for values in config]
    columns = [*((name, kind) for name, kind, _ in _RUN), *_FACTS]
    columns += [(CONFIG + key, kind) for key, kind in zip(fields, kinds, strict=True)]
    rows = [[_plain(getattr(one.run, field)) for _, _, field in _RUN] + _of_facts(one) for one in facts]
    cells = [*_turned(rows, len(_RUN) + len(_FACTS)), *config]
    kept = [_as_kind(values, kind) for values, (_, kind) in zip(cells, columns, strict=True)]
    return Table("runs", tuple(columns), iter([kept]))


def _of_facts(facts: RunFacts) -> list[Any]:
    macs, git = facts.model.get("macs"), facts.provenance.get("git")
    return [
        facts.seconds, facts.speed, macs if isinstance(macs, int) else None, facts.memory, facts.memory_kind or None,
        str(git["commit"]) if isinstance(git, Mapping) and git.get("commit") else None,
    ]  # fmt: skip


def _turned(rows: Sequence[Sequence[Any]], width: int) -> Columns:
    return [[row[n] for row in rows] for n in range(width)]


def _plain(value: Any) -> Any:
    """A value as a cell holds it: text, number, flag or None; all else as JSON."""
    if value is None or isinstance(value, str | bool | float) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def _kind(values: Sequence[Any]) -> str:
    types = {type(value) for value in values if value is not None}
    if types and types <= {int, float}:
        return WHOLE if types == {int} else REAL
    return FLAG if types == {bool} else TEXT


def _as_kind(values: Sequence[Any], kind: str) -> list[Any]:
    if kind == REAL:
        return [None if value is None else float(value) for value in values]
    if kind == TEXT:
        return [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    return list(values)


def number(value: float) -> float | str:
    """A number for a text file, so that pandas, R, DuckDB and polars read it: NaN, Inf and -Inf by these names."""
    if math.isfinite(value):
        return value
    return "NaN" if value != value else "Inf" if value > 0 else "-Inf"
