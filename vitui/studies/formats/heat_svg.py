"""A heat map as SVG in the layout of figure 4 of AugReg: blue is better, orange worse than one cell of the row."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from vitui.escaping import html as escaped
from vitui.studies.formats.heat import SIGNS, side_text, sign
from vitui.text import cell_width, safe

if TYPE_CHECKING:
    from vitui.studies.heat import Heat, HeatCell

HEIGHT, LEAST, LETTER, PAD, GAP = 27, 56, 7.2, 12, 8
"""Of a cell: height, least width; width of a letter, room around it, room between groups of columns, in pixels."""
LETTERS, ROW_LETTERS = 18, 30
"""At most so many of a title and of a row's label."""
HEAD = 20
"""Height of a line of titles."""
STRONGEST = 0.78
"""Opacity of the strongest colour: letters stay readable on it."""


def picture(found: Heat) -> str:
    """The heat map with its legend; its notes stand elsewhere."""
    labels = [safe(row.label, ROW_LETTERS) for row in found.rows]
    texts = [cell.text for row in found.rows for cell in row.cells] + [columns[-1] for columns in found.columns]
    wide = max(LEAST, max((cell_width(safe(text, LETTERS)) for text in texts), default=0) * LETTER + PAD)
    left = max([cell_width(label) for label in labels] + [4]) * (LETTER + 1) + PAD
    levels = len(found.across)
    top = HEAD * levels + 6
    starts = list(_starts(found, left, wide))
    edge = starts[-1] + wide if starts else left
    side = max(LEAST, cell_width(safe(found.side, LETTERS)) * LETTER) + PAD if found.side else 0.0
    width, height = edge + (side + GAP if side else 0.0) + 2, top + HEIGHT * len(found.rows) + 44
    parts = [*_heads(found, starts, wide), *_body(found, starts, wide, top, labels, left)]
    if side:
        middle = edge + GAP + side / 2
        title = safe(found.side, LETTERS)
        parts.append(f'<text class="mid small dim" x="{middle:.1f}" y="{top - 8:.1f}">{escaped(title)}</text>')
        for n, row in enumerate(found.rows):
            told = row.told if row.told is not None else row.side
            tone = "" if not told else " better" if told * found.better > 0 else " worse"
            y = top + HEIGHT * n
            if tone:
                parts.append(
                    f'<rect class="fill{tone}" fill-opacity="0.16" x="{edge + GAP:.1f}" y="{y + 1}" '
                    f'width="{side:.1f}" height="{HEIGHT - 2}"/>'
                )
            shown = _minus(side_text(told, found.metric))
            parts.append(f'<text class="mid" x="{middle:.1f}" y="{y + 18}">{shown}</text>')
    parts += _legend(found, left, top + HEIGHT * len(found.rows) + 16)
    width = max(width, left + 7 * 34 + 130)
    return (
        f'<svg role="img" aria-label="heat map" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}">{"".join(parts)}</svg>'
    )


def _starts(found: Heat, left: float, wide: float) -> Iterator[float]:
    """Where columns begin; between groups there is a gap."""
    at = left
    for n, labels in enumerate(found.columns):
        if n and labels[:-1] != found.columns[n - 1][:-1]:
            at += GAP
        yield at
        at += wide


def _heads(found: Heat, starts: list[float], wide: float) -> Iterator[str]:
    for level in range(len(found.across)):
        y = HEAD * (level + 1) - 6
        for _, same in groupby(enumerate(found.columns), key=lambda pair: pair[1][: level + 1]):
            group = list(same)
            first, last = starts[group[0][0]], starts[group[-1][0]] + wide
            title = group[0][1][level]
            room = max(4, int((last - first) / LETTER)) if level < len(found.across) - 1 else LETTERS
            weight = "strong" if level < len(found.across) - 1 else "small dim"
            yield f'<text class="mid {weight}" x="{(first + last) / 2:.1f}" y="{y}">{escaped(safe(title, room))}</text>'
            if level < len(found.across) - 1:
                yield f'<line class="axis" x1="{first + 2:.1f}" y1="{y + 5}" x2="{last - 2:.1f}" y2="{y + 5}"/>'


def _body(found: Heat, starts: list[float], wide: float, top: float, labels: list[str], left: float) -> Iterator[str]:
    for n, (row, label) in enumerate(zip(found.rows, labels, strict=True)):
        y = top + HEIGHT * n
        yield f'<text class="right" x="{left - 8:.1f}" y="{y + 18:g}">{escaped(label)}</text>'
        for x, cell, column in zip(starts, row.cells, found.columns, strict=True):
            yield _cell(found, cell, x, y, wide, f"{row.label}, {', '.join(column)}")


def _cell(found: Heat, cell: HeatCell, x: float, y: float, wide: float, name: str) -> str:
    inside = f'x="{x + 1:.1f}" y="{y + 1:g}" width="{wide - 2:.1f}" height="{HEIGHT - 2}"'
    parts = []
    if cell.relative and found.largest:
        tone = "better" if cell.relative * found.better > 0 else "worse"
        strength = STRONGEST * min(1.0, abs(cell.relative) / found.largest)
        parts.append(f'<rect class="fill {tone}" fill-opacity="{strength:.3f}" {inside}/>')
    dash = ' stroke-dasharray="3 3"' if cell.value is None else ""
    parts.append(f'<rect class="{"base" if cell.base else "frame"}"{dash} {inside}/>')
    weight = " strong" if cell.stands_out else "" if cell.value is not None else " dim"
    mark = _minus(sign(found, cell))
    beside = f'<tspan class="tiny" dx="3">{mark}</tspan>' if mark else ""
    parts.append(f'<text class="mid{weight}" x="{x + wide / 2:.1f}" y="{y + 18:g}">{_minus(cell.text)}{beside}</text>')
    told = [name, cell.text if cell.value is not None else "no value"]
    if cell.relative is not None and not cell.base:
        told.append(f"{side_text(cell.relative, found.metric)} {sign(found, cell)}".rstrip())
    if cell.variant:
        told.append(f"variant {cell.variant}, {cell.seeds} seed{'s' * (cell.seeds != 1)}")
    if cell.lacking and cell.of > cell.lacking:
        told.append(f"{cell.lacking} of {cell.of} variants without a result")
    return f"<g><title>{escaped('; '.join(told))}</title>{''.join(parts)}</g>"


def _minus(text: str) -> str:
    """Escaped, with a minus sign where it begins with a hyphen."""
    return escaped(f"−{text[1:]}" if text.startswith("-") else text)


def _legend(found: Heat, left: float, y: float) -> Iterator[str]:
    """A field for each grade, from the worst to the best, with what it stands for."""
    if not found.largest:
        return
    yield f'<text class="right small dim" x="{left - 8:.1f}" y="{y + 14:g}">worse</text>'
    for n, grade in enumerate((-3, -2, -1, 0, 1, 2, 3)):
        x = left + 34 * n
        if grade:
            tone = "better" if grade > 0 else "worse"
            strength = STRONGEST * (abs(grade) - 0.5) / 3
            inside = f'x="{x:.1f}" y="{y:g}" width="34" height="20"'
            yield f'<rect class="fill {tone}" fill-opacity="{strength:.3f}" {inside}/>'
        shown = _minus(SIGNS[grade])
        yield f'<text class="mid small" x="{x + 17:.1f}" y="{y + 14:g}">{shown}</text>'
    end = left + 34 * 7 + 8
    most = side_text(found.largest, found.metric).lstrip("+")
    yield f'<text class="small dim" x="{end:.1f}" y="{y + 14:g}">better, up to {most}</text>'
