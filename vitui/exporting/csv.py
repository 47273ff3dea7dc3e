"""Runs as CSV: `points.csv`, `evals.csv` and `runs.csv`, or one of these tables alone."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from vitui.exporting import tables
from vitui.exporting.places import staged
from vitui.exporting.request import TABLES, Request
from vitui.text import safe

if TYPE_CHECKING:
    from vitui.exporting.tables import Table
    from vitui.lab import Lab


def write(lab: Lab, request: Request, tell: Callable[[str], None]) -> list[str]:
    """Write the tables and return where they are; one table alone without `out` goes to stdout.

    RFC 4180 with a line for each row. Nothing known is an empty cell; a value that was NaN is ``NaN``.
    """
    if request.table and request.out is None:
        for table in made(lab, request, [request.table]):
            write_table(table, sys.stdout)
        return []
    folder, names = places(request, "csv")
    with staged(folder, list(names.values()), force=request.force) as inside:
        for table in made(lab, request, names):
            with open(inside / names[table.name], "w", encoding="utf-8", newline="") as file:
                write_table(table, file)
    return [str(folder / name) for name in names.values()]


def places(request: Request, ending: str) -> tuple[Path, dict[str, str]]:
    """The folder that an export goes to, and the file name of each table that is wanted."""
    if request.table:
        out = request.out or request.folder / f"{request.table}.{ending}"
        return out.parent, {request.table: out.name}
    return request.folder, {name: f"{name}.{ending}" for name in TABLES}


def made(lab: Lab, request: Request, names: Sequence[str] | dict[str, str]) -> Iterator[Table]:
    """The tables asked for."""
    from vitui.comparing import FactsReader

    for name in names:
        if name == "points":
            yield tables.points(lab, request.runs, request.keys)
        elif name == "evals":
            yield tables.evals(lab, request.runs)
        else:
            yield tables.runs([FactsReader(lab, run).read() for run in request.runs])


def write_table(table: Table, file: TextIO) -> None:
    """The table with a line of names above."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([safe(name) for name, _ in table.columns])
    shown = [_SHOWN[kind] for _, kind in table.columns]
    for piece in table.pieces:
        columns = [show(cells) for show, cells in zip(shown, piece, strict=True)]
        writer.writerows(zip(*columns, strict=True))


def _texts(cells: Sequence[Any]) -> list[Any]:
    known = {text: safe(text) for text in set(cells) if text is not None}
    return [known.get(text, "") for text in cells]


def _reals(cells: Sequence[Any]) -> Sequence[Any]:
    if all(value is not None and math.isfinite(value) for value in cells):
        return cells
    return ["" if value is None else tables.number(value) for value in cells]


_SHOWN: Final[dict[str, Callable[[Sequence[Any]], Sequence[Any]]]] = {
    tables.TEXT: _texts,
    tables.WHOLE: lambda cells: ["" if value is None else value for value in cells],
    tables.REAL: _reals,
    tables.FLAG: lambda cells: ["" if value is None else str(value).lower() for value in cells],
}
