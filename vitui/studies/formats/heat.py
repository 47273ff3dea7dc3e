"""A heat map in every form: a table for text, Markdown and LaTeX, a line for each cell in CSV, all of it in JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vitui.escaping import json_value
from vitui.studies import heat as maps
from vitui.studies.formats.csv import written
from vitui.studies.formats.tables import Entry, Head, Table

if TYPE_CHECKING:
    from vitui.studies.heat import Heat, HeatCell
    from vitui.studies.report import Report

TITLES = {
    maps.OWN: "Heat map", maps.PUBLISHED: "Heat map of published values",
    maps.DIFFERENCE: "Heat map of own less published values",
}  # fmt: skip
SIGNS = {3: "▲", 2: "△", 1: "+", 0: "·", -1: "-", -2: "▽", -3: "▼"}
"""For each grade: how much better or worse."""


def all_of(report: Report) -> list[Heat]:
    """The heat maps that a report comes with: own values, published ones, own less published. None without a grid."""
    return [maps.heat(report, show) for show in maps.available(report)]


def tables(report: Report) -> list[Table]:
    """The same as tables. Each sentence stands below the first that it is about."""
    told = set[str]()
    found = []
    for one in map(table, all_of(report)):
        found.append(replace(one, notes=tuple(note for note in one.notes if note not in told)))
        told.update(one.notes)
    return found


def table(found: Heat) -> Table:
    """Values with a sign for how much better or worse they are than the cell that colours are relative to."""
    heads = [Head(name, name, left=True) for name in found.down]
    for labels in found.columns:
        heads.append(Head("/".join(labels), labels[-1], groups=tuple(labels[:-1])))
    if found.side:
        heads.append(Head("side", found.side))
    if any(row.told is not None for row in found.rows):
        heads.append(Head("told", "as reported"))
    rows = []
    for row in found.rows:
        entries = [Entry(label) for label in row.labels]
        entries += [Entry(f"{cell.text} {sign(found, cell)}".rstrip(), cell.stands_out) for cell in row.cells]
        if found.side:
            entries.append(Entry(side_text(row.side, found.metric)))
        if heads[-1].key == "told":
            entries.append(Entry(side_text(row.told, found.metric)))
        rows.append(tuple(entries))
    return Table(f"heat-{found.show}", title(found), tuple(heads), tuple(rows), (*found.notes, *legend(found)))


def legend(found: Heat) -> list[str]:
    """What the signs mean; nothing where there are none."""
    if not found.largest:
        return []
    far, near = side_text(found.largest, found.metric), f"{found.largest / 3:.2g}"
    return [
        f"▲ △ + better, ▼ ▽ - worse, in steps of {near} up to {far.lstrip('+')}, · hardly different;"
        + (" = the cell they are relative to" if found.show != maps.DIFFERENCE else " of own less published")
    ]


def title(found: Heat) -> str:
    """``Heat map: top1 on val, %``."""
    unit = "%" if found.metric in ("top1", "top5") and found.show != maps.DIFFERENCE else ""
    unit = "points" if found.metric != "loss" and found.show == maps.DIFFERENCE else unit
    of = f"{found.metric} on {found.split}" if found.split else found.metric
    return f"{TITLES[found.show]}: {of}" + (f", {unit}" if unit else "")


def sign(found: Heat, cell: HeatCell) -> str:
    """What the colour of a cell says, without colour."""
    if cell.relative is None:
        return ""
    if cell.base:
        return "="
    return SIGNS[found.grade(cell.relative)]


def side_text(value: float | None, metric: str) -> str:
    """``+2``, ``-1.3``: what stands at the side, without decimals where it has none."""
    if value is None:
        return "–"
    shown = f"{abs(value):.3g}" if metric == "loss" else f"{abs(value):.1f}".removesuffix(".0")
    return shown if not float(shown) else f"{'-' if value < 0 else '+'}{shown}"


def as_csv(found: Heat) -> str:
    """A line for each cell with plain numbers; the side column has lines of its own, with no level across."""
    fields = ["value", "relative", "own", "published", "variant", "seeds", "variants", "without_value"]
    lines: list[list[Any]] = []
    for row in found.rows:
        for cell in row.cells:
            numbers = [cell.value, cell.relative, cell.own, cell.published]
            told = [cell.variant, cell.seeds, cell.of, cell.lacking]
            lines.append([*row.names, *cell.levels, *numbers, *told])
        if found.side:
            lines.append([*row.names, *([""] * len(found.across)), row.side, *([""] * (len(fields) - 1))])
    return written([*found.down, *found.across, *fields], lines)


def as_json(found: Heat) -> dict[str, Any]:
    """Everything; texts are as they came."""
    return {
        "show": found.show,
        "metric": found.metric,
        "split": found.split,
        "down": list(found.down),
        "across": list(found.across),
        "best_over": list(found.over),
        "columns": [list(labels) for labels in found.columns],
        "side": found.side,
        "notes": list(found.notes),
        "rows": [
            {
                "levels": list(row.names),
                "labels": list(row.labels),
                "side": json_value(row.side),
                **({"side_reported": row.told} if row.told is not None else {}),
                "cells": [
                    {
                        "levels": list(cell.levels),
                        "text": cell.text,
                        "value": json_value(cell.value),
                        "relative": json_value(cell.relative),
                        "own": json_value(cell.own),
                        "published": json_value(cell.published),
                        "variant": cell.variant,
                        "seeds": cell.seeds,
                        "variants": cell.of,
                        "without_value": cell.lacking,
                    }
                    for cell in row.cells
                ],
            }
            for row in found.rows
        ],
    }
