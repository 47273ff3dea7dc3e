"""A study's report as aligned text, for a terminal of a given width or for any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from vitui.studies.formats import contents, heat
from vitui.studies.formats.tables import Head, Table
from vitui.text import cell_width, safe, wrapped

if TYPE_CHECKING:
    from vitui.studies.report import Report

LABEL_CELLS, COLUMN_CELLS, WIDE_CELLS = 48, 44, 64
"""At most so wide are the first column, the others, and those with sentences. The first and the last are broken."""
NARROW = 28
"""Sentences get no narrower than this; where there is less room, they come in a block of their own."""
GAP = 2


def text(report: Report, width: int | None = None) -> str:
    """Title, results, every seed, costs, heat map, notes. Where `width` cells are too few, tables come in blocks."""
    head = [safe(report.title), *(line for part in contents.about(report) for line in _lines(part, width))]
    blocks = ["\n".join(head)]
    for table in [*heat.tables(report), *contents.tables(report)]:
        blocks.append("\n".join([safe(table.title), "", aligned(table, width)]))
    said = [f"{'!' if note.unfair else '-'} {note.text}" for note in contents.notes(report)]
    said += [f"- published: {source}" for source in contents.sources(report)]
    if said:
        blocks.append("\n".join(line for part in said for line in _lines(part, width, "  ")))
    return "\n\n".join(blocks) + "\n"


def _lines(part: str, width: int | None, indent: str = "") -> list[str]:
    return [safe(part)] if width is None else wrapped(safe(part), width, indent)


def aligned(table: Table, width: int | None = None) -> str:
    """A table with its notes; every column is there, in further blocks with the first column again where it must be."""
    labels = [table.heads[0].title, *(row[0].text for row in table.rows)]
    most = LABEL_CELLS if width is None else max(8, min(LABEL_CELLS, width // 2))
    first = max(cell_width(safe(label, most)) for label in labels)
    room = None if width is None else width - first
    sizes = [_size(table, n, room) for n in range(1, len(table.heads))]
    blocks = []
    for chosen in _blocks([size for size, _ in sizes], [least for _, least in sizes], room):
        wide = dict(chosen)
        blocks.append("\n".join(_block(table, first, wide)))
    said = [line for note in table.notes for line in _lines(f"- {note}", width, "  ")]
    return "\n\n".join([*blocks, *(["\n".join(said)] if said else [])])


def _size(table: Table, n: int, room: int | None) -> tuple[int, int]:
    """Cells a column wants, and what it can do with."""
    head = table.heads[n]
    limit = WIDE_CELLS if head.wide else COLUMN_CELLS
    wants = max(cell_width(safe(part, limit)) for part in (head.title, *(row[n].text for row in table.rows)))
    if room is not None:
        wants = min(wants, max(1, room - GAP))
    return wants, min(wants, NARROW) if head.wide else wants


def _blocks(sizes: Sequence[int], least: Sequence[int], room: int | None) -> Iterator[list[tuple[int, int]]]:
    """Columns that stand beside each other, by number, with their cells: sentences take what is left."""
    chosen: list[tuple[int, int]] = []
    used = 0
    for n, (size, little) in enumerate(zip(sizes, least, strict=True), 1):
        if chosen and room is not None and used + GAP + little > room:
            yield chosen
            chosen, used = [], 0
        fits = size if room is None else min(size, room - used - GAP)
        chosen.append((n, fits))
        used += GAP + fits
    yield chosen


def _block(table: Table, first: int, wide: dict[int, int]) -> Iterator[str]:
    for level in range(table.levels):
        yield _groups(table, level, first, wide)
    yield from _row(table.heads, [head.title for head in table.heads], first, wide)
    yield "-" * (first + sum(GAP + size for size in wide.values()))
    for row in table.rows:
        yield from _row(table.heads, [entry.text for entry in row], first, wide)


def _groups(table: Table, level: int, first: int, wide: dict[int, int]) -> str:
    """Titles of groups over the columns they span; as much of them as fits."""
    line, at = " " * first, 0
    for title, span in table.group_spans(level):
        inside = [wide[n] + GAP for n in range(at, at + span) if n in wide]
        at += span
        if inside:
            shown = safe(title, sum(inside) - GAP)
            line += " " * GAP + shown + " " * (sum(inside) - GAP - cell_width(shown))
    return line.rstrip()


def _row(heads: Sequence[Head], texts: Sequence[str], first: int, wide: dict[int, int]) -> Iterator[str]:
    """One line, or as many as its longest sentence needs."""
    broken = {
        n: wrapped(safe(texts[n]), size) if heads[n].wide and texts[n] else [safe(texts[n], size)]
        for n, size in wide.items()
    }
    label = wrapped(safe(texts[0]), first, " ") or [""]
    for number in range(max(len(label), *map(len, broken.values()))):
        parts = [_padded(label[number] if number < len(label) else "", first, True)]
        for n, size in wide.items():
            part = broken[n][number] if number < len(broken[n]) else ""
            parts.append(_padded(part, size, heads[n].left))
        yield (" " * GAP).join(parts).rstrip()


def _padded(shown: str, width: int, left: bool) -> str:
    space = " " * (width - cell_width(shown))
    return shown + space if left else space + shown
