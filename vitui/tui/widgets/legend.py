"""The first line of a chart: what it shows, which letter is which run, and how it is looked at."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from vitui.text import cell_width, safe
from vitui.tui.format import number
from vitui.tui.theme import Palette
from vitui.tui.widgets.look import Look, Panel
from vitui.tui.widgets.signs import Signs
from vitui.tui.widgets.values import CLIP

TRACE = 1
"""Rank of the entries of runs and series."""


def _entries(
    panel: Panel, look: Look, clipped: bool, p: Palette, signs: Signs, *, labels: bool = True, values: bool = True
) -> list[tuple[int, str, Style]]:
    """What the legend says after the title, in order; the first number says what is kept longest (0) where room lacks.

    What changes how the picture must be read comes before what it shows. `labels`: what the letters stand
    for; `values`: the latest.
    """
    out: list[tuple[int, str, Style]] = []
    for trace in panel.traces:
        latest = number(trace.series.latest) if len(trace.series) else signs.dash
        label = safe(trace.label, 24) if labels or not trace.letter else ""
        words = " ".join(word for word in (trace.letter, label, latest if values else "") if word)
        out.append((TRACE, words, p.curves[trace.ink % len(p.curves)]))
    out += [(2, f"{signs.dash} {safe(level.label, 24)} {level.value:g}", p.text) for level in panel.levels]
    if bad := sum(len(t.series.bad_step) for t in panel.traces):
        out.append((0, f"{signs.bad} {bad}{' not finite' if labels and values else ''}", p.bad))
    if clipped:
        out.append((0, f"clipped {CLIP[0]:g}-{CLIP[1]:g}%", p.warn))
    if panel.key in look.ranges:
        low, high = look.ranges[panel.key]
        out.append(
            (0, f"y {number(low) if low is not None else ''}:{number(high) if high is not None else ''}", p.warn)
        )
    if look.is_log(panel):
        out.append((2, "log", p.dim))
    if look.smoothing and any(t.smooth for t in panel.traces):
        out.append((3, f"ema {look.smoothing:g}", p.dim))
    return out


def _fitting(entries: list[tuple[int, str, Style]], room: int) -> tuple[set[int], int]:
    """Which entries are kept, and the cells they take."""
    kept, used = set[int](), 0
    for index in sorted(range(len(entries)), key=lambda n: entries[n][0]):
        need = cell_width(entries[index][1]) + 2
        if used + need <= room:
            kept.add(index)
            used += need
    return kept, used


def legend(
    panel: Panel, look: Look, clipped: bool, width: int, base: Style, p: Palette, signs: Signs, chosen: bool, page: str
) -> Strip:
    """Title, then as many entries as fit; `page` ("3 of 9") at the right end. `chosen`: the keys act on this chart."""
    unit = f" {panel.unit}" if panel.unit else ""
    title = (signs.chosen if chosen else " ") + panel.title
    segments = [Segment(title, base + (p.strong if chosen else p.text)), Segment(unit, base + p.dim)]
    used = sum(s.cell_length for s in segments)
    room = width - (len(page) + 2 if page else 0)
    entries = _entries(panel, look, clipped, p, signs)
    kept, used_by_all = _fitting(entries, room - used)
    for labels in (True, False):  # where not all of it fits: which letter is what, else the latest values
        if all(n in kept for n, entry in enumerate(entries) if entry[0] <= TRACE):
            break
        entries = _entries(panel, look, clipped, p, signs, labels=labels, values=not labels)
        kept, used_by_all = _fitting(entries, room - used)
    used += used_by_all
    segments += [Segment("  " + text, base + style) for n, (_, text, style) in enumerate(entries) if n in kept]
    strip = Strip(segments, used)
    if not page or used > room:
        return strip.adjust_cell_length(width, base)
    right = Strip([Segment(page + " ", base + p.dim)])
    return Strip.join([strip.adjust_cell_length(max(0, width - right.cell_length), base), right])
