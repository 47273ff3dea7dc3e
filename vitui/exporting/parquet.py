"""Runs as Parquet: the tables of `vitui.exporting.tables` with typed columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vitui.exporting import tables
from vitui.exporting.csv import made, places
from vitui.exporting.places import staged
from vitui.exporting.request import Request

if TYPE_CHECKING:
    from vitui.exporting.tables import Table
    from vitui.lab import Lab


def write(lab: Lab, request: Request, tell: Callable[[str], None]) -> list[str]:
    """Write the tables and return where they are. A value that was NaN is NaN; null is what is not known."""
    folder, names = places(request, "parquet")
    with staged(folder, list(names.values()), force=request.force) as inside:
        for table in made(lab, request, names):
            write_table(table, inside / names[table.name])
    return [str(folder / name) for name in names.values()]


def write_table(table: Table, path: Path) -> None:
    """One file; a row group for each piece of the table."""
    import pyarrow as pa
    from pyarrow import parquet

    types = {tables.TEXT: pa.string(), tables.WHOLE: pa.int64(), tables.REAL: pa.float64(), tables.FLAG: pa.bool_()}
    schema = pa.schema([(name, types[kind]) for name, kind in table.columns])
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for piece in table.pieces:
            arrays = [pa.array(cells, type=field.type) for cells, field in zip(piece, schema, strict=True)]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
