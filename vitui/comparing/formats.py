"""A comparison as text to print or to paste: aligned text, Markdown, CSV, LaTeX, JSON. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vitui import escaping
from vitui.comparing.table import Cell, Column, Comparison, Row
from vitui.text import cell_width, safe

TITLE_CELLS, COLUMN_CELLS = 36, 44
"""At most so wide in aligned text."""
GAP = 2


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table as all formats print it: a heading (no cells), or a title with a cell for each run."""

    title: str
    cells: tuple[Cell, ...] = ()
    row: Row | None = None

    @property
    def heading(self) -> bool:
        return not self.cells


def lines(found: Comparison, all_fields: bool = False) -> Iterator[Line]:
    """Every section's heading and rows, each row of numbers followed by its differences to the baseline."""
    base = found.columns[found.baseline].letter
    for section in found.sections(all_fields):
        if section.rows or section.empty:
            yield Line(f"{section.title}" + ("" if section.rows else f": {section.empty}"))
        for row in section.rows:
            yield Line(row.title, row.cells, row)
            if row.deltas:
                yield Line(f"  less {base}", row.deltas)


def text(found: Comparison, all_fields: bool = False, width: int | None = None) -> str:
    """Aligned columns. Where `width` cells are given and too few, the runs come in several blocks."""
    rows = [("", [f"{c.letter} {safe(c.label)}" for c in found.columns]), ("run", [c.id for c in found.columns])]
    body: list[tuple[str, list[str]]] = []
    for line in lines(found, all_fields):
        body.append(
            (
                safe(line.title, None if line.heading else TITLE_CELLS),
                [safe(cell.text, COLUMN_CELLS) for cell in line.cells],
            )
        )
    table = [*((title, [safe(cell, COLUMN_CELLS) for cell in cells]) for title, cells in rows), *body]
    first = max(cell_width(title) for title, cells in table if cells)
    widths = [max(cell_width(cells[n]) for _, cells in table if cells) for n in range(len(found.columns))]
    blocks = []
    for chosen in _blocks(widths, None if width is None else width - first):
        out = []
        for title, cells in table:
            if not cells:
                out += ["", title]
                continue
            parts = [_padded(title, first), *(_padded(cells[n], widths[n]) for n in chosen)]
            out.append((" " * GAP).join(parts).rstrip())
        blocks.append("\n".join(out))
    said = [f"{'!' if note.unfair else '-'} {safe(note.text)}" for note in found.notes]
    return "\n\n".join([*blocks, *(["\n".join(said)] if said else [])]) + "\n"


def _blocks(widths: Sequence[int], room: int | None) -> Iterator[list[int]]:
    """Numbers of the columns that stand beside each other."""
    chosen: list[int] = []
    used = 0
    for n, width in enumerate(widths):
        if chosen and room is not None and used + GAP + width > room:
            yield chosen
            chosen, used = [], 0
        chosen.append(n)
        used += GAP + width
    yield chosen


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_width(text))


def markdown(found: Comparison, all_fields: bool = False) -> str:
    """A pipe table, then the notes. What stands out from noise is bold."""
    head = ["", *(f"{c.letter} {c.label}" for c in found.columns)]
    out = [
        escaping.pipes(head),
        "|---" * len(head) + "|",
        escaping.pipes(["run", *(f"`{c.id}`" for c in found.columns)], raw=True),
    ]
    for line in lines(found, all_fields):
        if line.heading:
            out.append(f"| **{escaping.markdown(line.title)}** |" + " |" * len(found.columns))
        else:
            cells = [
                f"**{escaping.markdown(c.text)}**" if c.stands_out else escaping.markdown(c.text) for c in line.cells
            ]
            out.append(escaping.pipes([escaping.markdown(line.title.strip()), *cells], raw=True))
    said = [f"- {'**not fair**: ' if note.unfair else ''}{escaping.markdown(note.text)}" for note in found.notes]
    return "\n".join([*out, "", *said]).rstrip() + "\n"


def as_csv(found: Comparison, all_fields: bool = False) -> str:
    """A line for each row with plain numbers: section, key, unit, a column for each run and its standard error."""
    out = io.StringIO()
    errors = [any(r.cells[n].error is not None for r in found.results) for n in range(len(found.columns))]
    head = ["section", "key", "title", "unit"]
    for column, with_error in zip(found.columns, errors, strict=True):
        head += [f"{safe(column.label)} ({column.id})", *(["standard error"] if with_error else [])]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    for section in found.sections(all_fields):
        for row in section.rows:
            cells: list[Any] = []
            for cell, with_error in zip(row.cells, errors, strict=True):
                cells += [_csv(cell), *(["" if cell.error is None else f"{cell.error:.4f}"] if with_error else [])]
            writer.writerow([section.key, safe(row.key), safe(row.title), row.unit, *cells])
    return out.getvalue()


def _csv(cell: Cell) -> Any:
    if cell.value is None:
        return "" if cell.text == "–" else safe(cell.text)
    return cell.value if isinstance(cell.value, int | float) else safe(str(cell.value))


def latex(found: Comparison, all_fields: bool = False) -> str:
    """A tabular with the rules of booktabs. What stands out from noise is bold."""
    n = len(found.columns)
    out = [r"% needs \usepackage{booktabs} and, before TeX Live 2020, \usepackage{textcomp}"]
    out += [f"% {safe(('not fair: ' if note.unfair else '') + note.text)}" for note in found.notes]
    out += [rf"\begin{{tabular}}{{l{'r' * n}}}", r"\toprule"]
    out.append(escaping.ampersands(["", *(escaping.latex(f"{c.letter} {c.label}") for c in found.columns)]))
    for line in lines(found, all_fields):
        if line.heading:
            out += [r"\midrule", rf"\multicolumn{{{n + 1}}}{{l}}{{\emph{{{escaping.latex(line.title)}}}}} \\"]
            continue
        signless = line.row is not None and line.row.key == "state"
        cells = [escaping.latex(str(c.value)) if signless else _latex_cell(c) for c in line.cells]
        indent = r"\quad " if line.row is None else ""
        out.append(escaping.ampersands([indent + escaping.latex(line.title), *cells]))
    return "\n".join([*out, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _latex_cell(cell: Cell) -> str:
    shown = escaping.latex_number(cell.text)
    return rf"\textbf{{{shown}}}" if cell.stands_out else shown


def as_json(found: Comparison, all_fields: bool = False) -> dict[str, Any]:
    """Everything, as one JSON object. Numbers are whole; texts are as they came from the runs."""
    return {
        "baseline": found.columns[found.baseline].id,
        "runs": [{"id": c.id, "name": c.name, "letter": c.letter, "state": c.state} for c in found.columns],
        "unfair": found.unfair,
        "notes": [note.text for note in found.notes if not note.unfair],
        **{
            section.key.replace(" ", "_"): {row.key: _json_row(row, found.columns) for row in section.rows}
            for section in found.sections(all_fields)
        },
    }


def _json_row(row: Row, columns: Sequence[Column]) -> dict[str, Any]:
    deltas: Sequence[Cell | None] = row.deltas or [None] * len(columns)
    return {
        "title": row.title,
        **({"unit": row.unit} if row.unit else {}),
        "runs": {
            column.id: {
                "value": escaping.json_value(cell.value),
                "text": cell.text,
                **({"standard_error": cell.error} if cell.error is not None else {}),
                **({"note": cell.note} if cell.note else {}),
                **({"verdict": cell.verdict} if cell.verdict else {}),
                **(
                    {"difference": escaping.json_value(delta.value), "verdict": delta.verdict}
                    if delta is not None and delta.value is not None
                    else {}
                ),
            }
            for column, cell, delta in zip(columns, row.cells, deltas, strict=True)
        },
    }


def json_text(found: Comparison, all_fields: bool = False) -> str:
    """`as_json` as a document; everything but ASCII is escaped, so no terminal sees control characters."""
    return json.dumps(as_json(found, all_fields), indent=2, allow_nan=False) + "\n"


FORMATS: dict[str, Callable[[Comparison, bool], str]] = {
    "table": text, "md": markdown, "csv": as_csv, "latex": latex, "json": json_text,
}  # fmt: skip
"""What a comparison can be written as, by the name of the format."""
ENDINGS = {".md": "md", ".csv": "csv", ".tex": "latex", ".txt": "table", ".json": "json"}
"""Format by the ending of a file's name."""
