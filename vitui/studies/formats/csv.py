"""A study's report as CSV with plain numbers: a line for each variant, or a line for each variant and seed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vitui.text import safe

if TYPE_CHECKING:
    from vitui.studies.report import Report, Row

_VARIANT = (
    "n", "mean", "std", "least", "most", "binomial_error", "last_mean", "last_std",
    "difference", "low", "high", "difference_error", "p", "p_adjusted", "pairs", "test",
    "verdict", "words", "stands_out",
    "published", "published_text", "published_kind", "published_split", "published_source", "gap", "within",
    "seconds", "params", "macs", "images_per_s", "memory_bytes", "selected_on_report", "without_value",
)  # fmt: skip


def variants_csv(report: Report) -> str:
    """A line for each variant. Values are in percent (or a loss), differences in points, `difference` to the baseline.

    Columns are the same for all studies but those named level:AXIS and sampled:FIELD. What is not known is empty.
    """
    axes = [axis.name for axis in report.planned.study.axis]
    fields = list(report.planned.study.search.fields) if report.planned.study.search is not None else []
    head = ["study", "metric", "split", "variant", "label", "preset", "toggles", "set", "baseline"]
    head += [f"level:{axis}" for axis in axes] + [f"sampled:{field}" for field in fields]
    lines = []
    for n, row in enumerate(report.rows):
        variant = row.variant
        start: list[Any] = [report.name, report.metric, report.split, variant.name, variant.label, variant.preset]
        start += [" ".join(variant.toggles), " ".join(variant.sets), n == report.baseline]
        start += [variant.levels.get(axis) for axis in axes] + [variant.sampled.get(field) for field in fields]
        lines.append([*start, *_numbers(row)])
    return written([*head, *_VARIANT], lines)


def _numbers(row: Row) -> list[Any]:
    value, last, difference, published, costs = row.value, row.last, row.difference, row.published, row.costs
    out: list[Any] = [value.n, value.mean, value.deviation, value.least, value.most] if value else [0, *[None] * 4]
    out += [row.error, *((last.mean, last.deviation) if last else (None, None))]
    if difference is None:
        out += [None] * 8
    else:
        out += [difference.mean, difference.low, difference.high, difference.error, difference.p, difference.p_adjusted]
        out += [difference.n, difference.kind]
    out += [row.verdict, row.words, row.stands_out]
    out += [None] * 5 if published is None else [
        published.value, published.text, published.kind, published.split, published.source,
    ]  # fmt: skip
    out += [row.gap, row.within]
    out += [costs.seconds, costs.params, costs.macs, costs.images_per_s, costs.memory_bytes]
    return [*out, bool(row.mark), sum(cell.value is None for cell in row.cells)]


def cells_csv(report: Report) -> str:
    """A line for each variant and seed: what it is, its values and the run they are of."""
    head = [
        "study",
        "metric",
        "split",
        "variant",
        "label",
        "seed",
        "status",
        "value",
        "last",
        "text",
        "run",
        "more_runs",
    ]
    lines = [
        [
            report.name, report.metric, cell.run.report_split if cell.run is not None else "", cell.variant, row.label,
            cell.seed, cell.status, cell.value, cell.last, cell.text,
            cell.run.id if cell.run is not None else "", cell.more,
        ]
        for row in report.rows
        for cell in row.cells
    ]  # fmt: skip
    return written(head, lines)


def written(head: Sequence[str], lines: Sequence[Sequence[Any]]) -> str:
    """CSV with numbers in full precision, flags as true and false, nothing for None, and texts safe to print."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([safe(name) for name in head])
    writer.writerows([[plain(value) for value in line] for line in lines])
    return out.getvalue()


def plain(value: Any) -> Any:
    """One field of CSV."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    return safe(value if isinstance(value, str) else json.dumps(value))
