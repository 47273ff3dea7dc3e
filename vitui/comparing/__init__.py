"""Runs beside each other: what differs in their recipes, results and circumstances, and how far that can be trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vitui.comparing.environment import environment_rows
from vitui.comparing.facts import FactsReader, RunFacts
from vitui.comparing.fairness import notes
from vitui.comparing.recipes import field_rows
from vitui.comparing.results import KEYS, Extra, result_rows
from vitui.comparing.table import LEAST, LETTERS, MOST, Cell, Column, Comparison, Note, Row, Section
from vitui.errors import UsageError

if TYPE_CHECKING:
    from vitui.lab import Lab

__all__ = [
    "LEAST", "LETTERS", "MOST", "Cell", "Column", "Comparison", "FactsReader", "Note", "Row", "RunFacts", "Section",
    "comparison", "side_by_side",
]  # fmt: skip


def comparison(
    lab: Lab, run_ids: Sequence[str], baseline: str | None = None, metrics: Sequence[str] | None = None
) -> Comparison:
    """Two to twenty runs beside each other, with differences to `baseline` (one of them; default: the first).

    `metrics`: only these result lines, by their key or as `vitui.query` names a metric (``minival/top1``,
    ``best(train/loss)``). Raises NotFound for a run, UsageError for another number of runs, a baseline that is not
    among them, and an unknown metric.
    """
    ids = list(dict.fromkeys(run_ids))
    if len(ids) < LEAST:
        raise UsageError(f"{'one run alone' if ids else 'no run'} cannot be compared; name two to {MOST}")
    if len(ids) > MOST:
        raise UsageError(f"{len(ids)} runs are too many beside each other; at most {MOST} can be compared")
    if baseline is not None and baseline not in ids:
        raise UsageError(f"the baseline {baseline} is not among the runs compared; name it among them too")
    extras = _extras(lab, metrics or (), ids)
    runs = [FactsReader(lab, run_id).read() for run_id in ids]
    return side_by_side(runs, ids.index(baseline) if baseline else 0, metrics, extras)


def _extras(lab: Lab, metrics: Sequence[str], ids: Sequence[str]) -> dict[str, Extra]:
    names = [name for name in metrics if name not in KEYS]
    if not names:
        return {}
    fields = lab.fields()
    found: dict[str, Extra] = {}
    for name in names:
        try:
            field = fields.get(name)
        except UsageError as error:
            raise UsageError(f"{error}; lines of the comparison are {', '.join(KEYS)}") from None
        if field.outside:
            values = lab.values(field, ids)
        else:
            values = {run_id: field.get(lab.run(run_id), {}, 0.0) for run_id in ids}
        if not field.counts:
            raise UsageError(f"{name} is not a number; lines of the comparison are {', '.join(KEYS)}")
        found[name] = (field, values)
    return found


def side_by_side(
    runs: Sequence[RunFacts],
    baseline: int = 0,
    metrics: Sequence[str] | None = None,
    extras: Mapping[str, Extra] | None = None,
) -> Comparison:
    """The comparison of what is known of each run; pure. One run alone gives one column."""
    fields = field_rows(runs)
    return Comparison(
        columns(runs), baseline, result_rows(runs, baseline, metrics, extras), fields, environment_rows(runs),
        notes(runs, fields),
    )  # fmt: skip


def columns(runs: Sequence[RunFacts]) -> tuple[Column, ...]:
    """A column for each run; runs of one name are told apart by the end of their ids."""
    names = [facts.run.name or facts.run.id for facts in runs]
    often = Counter(names)
    return tuple(
        Column(
            facts.run.id, name, f"{name} {facts.run.id.rpartition('-')[2]}" if often[name] > 1 else name, LETTERS[n],
            facts.run.state,
        )
        for n, (facts, name) in enumerate(zip(runs, names, strict=True))
    )  # fmt: skip
