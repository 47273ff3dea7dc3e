"""A study on stdout with plotext: curves with their bands, differences with their intervals. Colours where asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from vitui.studies.formats.contents import SIGNS, signed
from vitui.studies.formats.svg import EARLY, scale_of
from vitui.text import cell_width, safe

if TYPE_CHECKING:
    from vitui.studies.bands import Curve, Overlay
    from vitui.studies.report import Report, Row

HEIGHT: Final = 20
LEAST_WIDTH: Final = 40
COLOURS: Final = ("default", "blue", "orange", "green", "magenta", "cyan", "red", "gray")
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""Marks of the curves where there are no colours."""
LABEL_CELLS: Final = 34


def curves(overlay: Overlay, width: int, colours: bool = False) -> str:
    """Means over seeds, and dots at mean plus and less one standard deviation; one letter or colour for each variant.

    plotext slows with points and dies of infinities: a band has few hundred points, all finite.
    """
    import plotext

    width = max(LEAST_WIDTH, width)
    low, high = _span(overlay)
    plotext.clear_figure()
    plotext.limitsize(False, False)  # of the terminal, which a pipe has not
    plotext.plotsize(width, HEIGHT)
    for n, curve in reversed(list(enumerate(overlay.curves))):  # the first lies over the others
        x, mean = curve.x.tolist(), curve.band.mean.tolist()
        colour = COLOURS[n % len(COLOURS)]
        for sign in (-1.0, 1.0):
            edge = (curve.band.mean + sign * curve.band.deviation).tolist()
            some = [(a, b) for a, b in zip(x, edge, strict=True) if math.isfinite(b) and low <= b <= high]
            if some:
                plotext.scatter(*map(list, zip(*some, strict=True)), marker="·", color=colour)
        some = [(a, b) for a, b in zip(x, mean, strict=True) if low <= b <= high]
        if some:
            marker = "braille" if colours else LETTERS[n % len(LETTERS)]
            draw = plotext.plot if colours else plotext.scatter
            draw(*map(list, zip(*some, strict=True)), marker=marker, color=colour)
    plotext.ylim(low, high)
    plotext.title(safe(overlay.title))
    plotext.xlabel(overlay.x)
    text: str = plotext.build()
    drawn = text if colours else str(plotext.uncolorize(text))
    return "\n".join([drawn, *_legend(overlay.curves, colours)])


def _legend(found: Sequence[Curve], colours: bool) -> list[str]:
    """A line for each curve: its sign, how many seeds it has, and where it ends."""
    import plotext

    lines = []
    for n, curve in enumerate(found):
        mark = LETTERS[n % len(LETTERS)]
        if colours:
            mark = plotext.colorize("──", COLOURS[n % len(COLOURS)])
        label = safe(curve.label, LABEL_CELLS)
        seeds = f"{curve.seeds} seed{'s' * (curve.seeds != 1)}"
        seeds += f", {curve.diverged} diverged" if curve.diverged else ""
        end = f"ends at {curve.band.mean[-1]:.4g}" if len(curve.x) else ""
        lines.append(f"  {mark}  {label}{' ' * (LABEL_CELLS - cell_width(label))}  {seeds:<20}  {end}".rstrip())
    return [*lines, "  ·  mean plus and less one standard deviation over seeds"]


def _span(overlay: Overlay) -> tuple[float, float]:
    """Bounds of the vertical axis."""
    late: list[float] = []
    end = max(float(curve.x[-1]) for curve in overlay.curves)
    for curve in overlay.curves:
        for x, mean, deviation in zip(
            curve.x.tolist(), curve.band.mean.tolist(), curve.band.deviation.tolist(), strict=True
        ):
            if x >= EARLY * end:
                half = deviation if math.isfinite(deviation) else 0.0
                late += [mean - half, mean + half]
    low, high = min(late), max(late)
    room = 0.03 * (high - low) or 0.05 * abs(high) or 1.0
    return low - room, high + room


def forest(report: Report, width: int, colours: bool = False) -> str:
    """Every difference to the baseline with its interval, a line each; empty where there is no difference.

    An arrow ends an interval that goes on outside the field, which is as wide as three times what was observed at most.
    """
    rows = [row for row in report.rows if row.difference is not None]
    scale = scale_of(report)
    if not rows or not scale:
        return ""
    labels = [safe(row.label, LABEL_CELLS) for row in rows]
    left = max(map(cell_width, labels))
    field = max(21, min(61, max(LEAST_WIDTH, width) - left - 14))
    field -= 1 - field % 2  # zero has a cell of its own
    lines = [f"less {safe(report.rows[report.baseline].label)}, with {1 - report.alpha:.0%} intervals"]
    for row, label in zip(rows, labels, strict=True):
        lines.append(
            f"{label}{' ' * (left - cell_width(label))}  {_line(row, scale, field, colours)}  {_said(row, report)}"
        )
    edge = signed(scale, report.metric).lstrip("+")
    axis = f"-{edge}" + " " * max(1, field // 2 - len(edge) - 1) + "0"
    axis += " " * max(1, field - len(axis) - len(edge) - 1) + f"+{edge}"
    return "\n".join([*lines, f"{' ' * left}  {axis}"])


def _said(row: Row, report: Report) -> str:
    assert row.difference is not None
    return f"{signed(row.difference.mean, report.metric)} {SIGNS.get(row.verdict, '')}".rstrip()


def _line(row: Row, scale: float, field: int, colours: bool) -> str:
    """``   ├──●──┤│  `` in so many cells."""
    import plotext

    found = row.difference
    assert found is not None

    def at(value: float) -> int:
        return round((field - 1) / 2 * (1 + max(-1.0, min(1.0, value / scale))))

    cells = [" "] * field
    if found.low is not None and found.high is not None:
        first, last = at(found.low), at(found.high)
        cells[first : last + 1] = ["─"] * (last - first + 1)
        cells[first], cells[last] = "├" if found.low >= -scale else "◄", "┤" if found.high <= scale else "►"
    zero = field // 2
    cells[zero] = "┼" if cells[zero] in "─├┤" else "│"
    cells[at(found.mean)] = "●" if row.verdict in ("better", "worse") else "○"
    line = "".join(cells)
    tone = {"better": "blue", "worse": "orange"}.get(row.verdict)
    return str(plotext.colorize(line, tone)) if colours and tone else line
