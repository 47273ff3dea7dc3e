"""Accuracy against compute as text with plotext. Groups differ in their signs, not in colour alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from vitui.studies.formats.search_frame import Drawn, Frame, frame
from vitui.text import safe

if TYPE_CHECKING:
    from vitui.studies.compute import Tradeoff

HEIGHT: Final = 22
LEGEND_CELLS: Final = 24
# Of lines and points, and of the edges of a band.
_SIGNS: Final = (("●", "·"), ("▲", "˙"), ("■", ":"), ("◆", "'"), ("+", "-"), ("×", "~"))
_COLOURS: Final = ("blue", "orange", "green", "magenta", "yellow", "cyan")


def plot(found: Tradeoff, kind: str, width: int, *, colours: bool = False) -> str:
    """The plot of random search (kind "search": median, and band by its edges) or of every run with the frontiers
    (kind "compute"), `width` cells wide, and a line that says which sign is which."""
    import plotext

    shown = frame(found, kind)
    plotext.clear_figure()
    plotext.limitsize(False, False)  # of the terminal, which a pipe has not
    plotext.plotsize(width, HEIGHT)
    for n, group in enumerate(shown.groups):
        _draw(shown, group, n)
    plotext.title(safe(shown.y, max(8, width - 12)))
    plotext.xlabel(safe(shown.x + (", at equal ratios" if shown.log else "")))
    ends = [_at(shown, value) for value in shown.across]
    plotext.xlim(ends[0], ends[1] if ends[1] > ends[0] else ends[0] + 1)
    plotext.ylim(*shown.up)
    told = shown.x_ticks if width >= 72 else shown.x_ticks[::2]
    plotext.xticks([_at(shown, value) for value, _ in told], [label for _, label in told])
    plotext.yticks([value for value, _ in shown.y_ticks], [label for _, label in shown.y_ticks])
    text: str = plotext.build()
    drawn = text if colours else str(plotext.uncolorize(text))
    return f"{drawn.rstrip()}\n{_legend(shown)}\n"


def _at(shown: Frame, value: float) -> float:
    return math.log10(value) if shown.log else value


def _draw(shown: Frame, group: Drawn, n: int) -> None:
    import plotext

    sign, edge = _SIGNS[n % len(_SIGNS)]
    colour = _COLOURS[n % len(_COLOURS)]
    for places in (group.low, group.high):
        if places:
            plotext.plot([_at(shown, x) for x, _ in places], [y for _, y in places], marker=edge, color=colour)
    if group.line:
        line = group.line
        marker = edge if group.points else sign
        plotext.plot([_at(shown, x) for x, _ in line], [y for _, y in line], marker=marker, color=colour)
    if group.points:
        plotext.scatter(
            [_at(shown, x) for x, _ in group.points], [y for _, y in group.points], marker=sign, color=colour
        )  # fmt: skip


def _legend(shown: Frame) -> str:
    parts = []
    for n, group in enumerate(shown.groups):
        sign, edge = _SIGNS[n % len(_SIGNS)]
        label = safe(group.label, LEGEND_CELLS)
        if group.low or group.high:
            parts.append(f"{sign} {label}: median, {edge} 5th and 95th percentile")
        elif group.line:
            parts.append(f"{sign} {label}, {edge} best so far")
        else:
            parts.append(f"{sign} {label}")
    return "   ".join(parts)
