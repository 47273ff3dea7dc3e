"""A study's report as JSON: everything there is, numbers whole, texts as they came."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from vitui.escaping import json_value
from vitui.studies.formats import contents, heat, published

if TYPE_CHECKING:
    from vitui.studies.bands import Overlay
    from vitui.studies.report import Report, Row
    from vitui.studies.variants import Cell


def as_json(report: Report, curves: Sequence[Overlay] = ()) -> dict[str, Any]:
    """One object. `definition` is the study as its file says it; `heat` and `curves` are there where it has any."""
    study = report.planned.study
    maps = heat.all_of(report)
    told = published.of(report)
    return {
        "study": report.name,
        "title": report.title,
        "description": study.description,
        "question": study.question,
        "summary": contents.summary(report),
        "made_at": report.made_at,
        "metric": report.metric,
        "unit": report.unit,
        "split": report.split,
        "alpha": report.alpha,
        "comparisons": report.comparisons,
        "baseline": report.rows[report.baseline].variant.name if report.rows else "",
        "seeds": list(report.seeds),
        "counts": dict(report.counts),
        "notes": [note.text for note in report.notes if not note.unfair],
        "unfair": [note.text for note in report.notes if note.unfair],
        "variants": [_row(row) for row in report.rows],
        **({"heat": {found.show: heat.as_json(found) for found in maps}} if maps else {}),
        **({"published": published.as_json(told)} if told is not None else {}),
        **({"curves": [overlay.as_json() for overlay in curves]} if curves else {}),
        "definition": study.model_dump(mode="json", exclude_defaults=True),
    }


def _row(row: Row) -> dict[str, Any]:
    variant = row.variant
    return {
        "variant": variant.name,
        "label": variant.label,
        "preset": variant.preset,
        "toggles": list(variant.toggles),
        "set": list(variant.sets),
        "levels": dict(variant.levels),
        "sampled": dict(variant.sampled),
        "fingerprint": variant.fingerprint,
        "model": variant.model,
        "value": asdict(row.value) if row.value is not None else None,
        "last": asdict(row.last) if row.last is not None else None,
        "binomial_error": json_value(row.error),
        "difference": _finite(asdict(row.difference)) if row.difference is not None else None,
        "verdict": row.verdict,
        "words": row.words,
        "stands_out": row.stands_out,
        "published": _finite(asdict(row.published)) if row.published is not None else None,
        "gap": json_value(row.gap),
        "within": row.within,
        "costs": _finite(asdict(row.costs)),
        "selected_on_report": bool(row.mark),
        "references": [one.model_dump(mode="json", exclude_defaults=True) for one in variant.references],
        "cells": [_cell(cell) for cell in row.cells],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "seed": cell.seed,
        "status": cell.status,
        "value": json_value(cell.value),
        "last": json_value(cell.last),
        "text": cell.text,
        "run": cell.run.id if cell.run is not None else None,
        "more_runs": cell.more,
    }


def _finite(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: json_value(value) for name, value in fields.items()}


def json_text(report: Report, curves: Sequence[Overlay] = ()) -> str:
    """`as_json` as a document."""
    return document(as_json(report, curves))


def document(found: dict[str, Any]) -> str:
    """As JSON; everything but ASCII is escaped, so no terminal sees control characters."""
    return json.dumps(found, indent=2, allow_nan=False) + "\n"
