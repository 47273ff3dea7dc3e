"""The table of published values of a study, in every form. It needs no run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vitui.references import title_of
from vitui.studies.formats.csv import written
from vitui.studies.formats.tables import Entry, Head, Table
from vitui.studies.published import PublishedTable, published
from vitui.studies.reported import document_of

if TYPE_CHECKING:
    from vitui.studies.published import PublishedCell, PublishedColumn
    from vitui.studies.report import Report

MOST_SOURCES = 12


def of(report: Report) -> PublishedTable | None:
    """What is published for a study; None where nothing is."""
    found = published(report.planned.study, report.planned.variants)
    return found if found.columns else None


def table(found: PublishedTable, title: str = "Published values") -> Table:
    """Rows and columns as the source has them; where they are from stands below. Nothing is bold: nothing is judged."""
    heads = [Head(f"down{n}", name, left=True) for n, name in enumerate(found.down)] or [Head("label", "", left=True)]
    kinds = dict.fromkeys(_name(column) for column in found.columns if column.levels)
    for n, column in enumerate(found.columns):
        groups = column.levels
        if len(kinds) == 1 and groups:  # the title of the table has what it is
            heads.append(Head(str(n), groups[-1], groups=groups[:-1]))
        else:
            heads.append(Head(str(n), _name(column), groups=groups))
    if len(kinds) == 1:
        title += f": {next(iter(kinds))}"
    rows = []
    for row in found.rows:
        labels = row.levels if found.down and len(row.levels) == len(found.down) else None
        first = labels or (row.label, *[""] * (len(found.down) - 1))
        rows.append((*map(Entry, first), *(Entry(cell.text) for cell in row.cells)))
    return Table("published", title, tuple(heads), tuple(rows), tuple(_sources(found)))


def _name(column: PublishedColumn) -> str:
    """``top-1, %``; with its kind where it is not from the document itself, and its label."""
    told = ", ".join(word for word in (column.kind if column.kind != "published" else "", column.label) if word)
    title = title_of(column.metric) + (f", {column.unit}" if column.unit else "")
    return f"{title} ({told})" if told else title


def _sources(found: PublishedTable) -> list[str]:
    told = (source for row in found.rows for cell in row.cells for source in cell.source.split("; ") if source)
    known = list(dict.fromkeys(map(document_of, told)))
    more = len(known) - MOST_SOURCES
    return [f"from {source}" for source in known[:MOST_SOURCES]] + (
        [f"and {more} more sources, which CSV and JSON name"] if more > 0 else []
    )


def as_csv(found: PublishedTable) -> str:
    """A line for each value: where it stands, what it is, the number, its text and its source."""
    head = ["row", *found.down, *(found.across or ()), "metric", "kind", "label", "unit", "value", "text", "source"]
    lines: list[list[Any]] = []
    for row in found.rows:
        down = row.levels if len(row.levels) == len(found.down) else [""] * len(found.down)
        for column, cell in zip(found.columns, row.cells, strict=True):
            if _nothing(cell):
                continue
            across = column.levels or [""] * len(found.across)
            told = [column.metric, column.kind, column.label, column.unit, cell.value, cell.text, cell.source]
            lines.append([row.label, *down, *across, *told])
    return written(head, lines)


def _nothing(cell: PublishedCell) -> bool:
    return cell.value is None and not cell.source


def as_json(found: PublishedTable) -> dict[str, Any]:
    """Everything; a cell of which nothing is known is null."""
    return {
        "down": list(found.down),
        "across": list(found.across),
        "columns": [
            {"metric": one.metric, "kind": one.kind, "label": one.label, "unit": one.unit, "levels": list(one.levels)}
            for one in found.columns
        ],
        "rows": [
            {
                "label": row.label,
                "levels": list(row.levels),
                "cells": [
                    None if _nothing(cell) else {"text": cell.text, "value": cell.value, "source": cell.source}
                    for cell in row.cells
                ],
            }
            for row in found.rows
        ],
    }
