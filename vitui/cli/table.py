"""Plain tables for stdout: aligned by terminal cells, never wrapped, safe against what runs are called."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from vitui.text import cell_width, safe


def print_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = (), give: str = ""
) -> None:
    """Print rows under a head. Columns in `right` are right-aligned; `give` is the one that is cut on a terminal."""
    cells = [[safe(cell) for cell in row] for row in rows]
    widths = [max(cell_width(name), *(cell_width(row[i]) for row in cells), 0) for i, name in enumerate(head)]
    if give in head and sys.stdout.isatty():
        i = head.index(give)
        room = shutil.get_terminal_size().columns - sum(widths) - 2 * (len(head) - 1) + widths[i]
        widths[i] = max(min(widths[i], room), cell_width(give), 8)
    for row in [list(head), *cells]:
        parts = []
        for name, cell, width in zip(head, row, widths, strict=True):
            text = safe(cell, width)
            padding = " " * (width - cell_width(text))
            parts.append(padding + text if name in right else text + padding)
        print("  ".join(parts).rstrip())
