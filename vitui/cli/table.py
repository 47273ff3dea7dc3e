"""Plain tables for stdout: aligned by terminal cells, never wrapped, safe against what runs are called."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from vitui.text import cell_width, safe

GIVE_CELLS = 20


def print_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[str] = (),
    give: str = "",
    spare: Sequence[str] = (),
) -> None:
    """Print rows under a head. Columns in `right` are right-aligned.

    On a terminal that is too narrow, the columns in `spare` are left out one after another until the one called
    `give` has `GIVE_CELLS`, and that one is cut. Elsewhere everything is printed.
    Goes by columns, in which most values occur again and again, and writes at once: ten thousand runs are a tenth of
    a second that way.
    """
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(head)
    shown = [{cell: _measured(cell) for cell in set(column)} for column in columns]
    widths = [
        max(len(name), *(cells for _, cells in texts.values())) if texts else len(name)
        for name, texts in zip(head, shown, strict=True)
    ]
    left_out: set[str] = set()
    if give in head and sys.stdout.isatty():
        i = head.index(give)
        room = shutil.get_terminal_size().columns - sum(widths) - 2 * (len(head) - 1) + widths[i]
        for name in spare:
            if room < min(widths[i], GIVE_CELLS):
                left_out.add(name)
                room += widths[head.index(name)] + 2
        widths[i] = max(min(widths[i], room), len(give), 8)
        shown[i] = {cell: _measured(cell, widths[i]) for cell in shown[i]}
    padded = []
    for name, width, texts, column in zip(head, widths, shown, columns, strict=True):
        if name in left_out:
            continue
        pad = str.rjust if name in right else str.ljust
        # Python pads by characters, a terminal shows cells.
        fit = {cell: pad(text, width + len(text) - cells) for cell, (text, cells) in texts.items()}
        padded.append([pad(name, width), *map(fit.__getitem__, column)])
    lines = [line.rstrip() for line in map("  ".join, zip(*padded, strict=True))]
    sys.stdout.write("\n".join(lines) + "\n")


def _measured(cell: str, width: int | None = None) -> tuple[str, int]:
    text = safe(cell, width)
    return text, cell_width(text)


def print_csv(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under a head as CSV (RFC 4180), one line each: newlines and control characters are escaped."""
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([safe(cell) for cell in row] for row in rows)


def print_markdown(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> None:
    """Print rows under a head as a Markdown table. Columns in `right` are right-aligned."""
    from vitui.escaping import pipes

    lines = [pipes(head), pipes(["---:" if name in right else "---" for name in head], raw=True), *map(pipes, rows)]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
