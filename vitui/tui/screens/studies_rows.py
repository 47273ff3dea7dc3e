"""The lines of the list of studies. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitui.studies.variants import RESULTS
from vitui.tui.finding import find, fold
from vitui.tui.screens.study_cells import states_bar
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Part
from vitui.tui.widgets.listing import Row, cells

if TYPE_CHECKING:
    from vitui.studies.listing import StudyLine

OWN, SHIPPED = "your own", "come with vitui"
BAR = 12
NAME = 26


@dataclass(frozen=True, slots=True)
class Listed:
    """A study in the list. `counted`: its runs have been counted."""

    line: StudyLine
    counted: bool


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands over a group; `hint` where there is none in it."""

    title: str
    count: int
    hint: str = ""


def study_rows(lines: Sequence[StudyLine], uncounted: Collection[str], search: str, hint: str) -> list[Row]:
    """Own ones, then shipped ones. `hint`: what to do where there are no own ones."""
    found = lines
    if search.strip():
        folded = [fold(f"{one.name} {one.title} {one.kind} {one.base}") for one in lines]
        found = [lines[index] for index in find(search, folded, loose=False)]
    rows: list[Row] = []
    for title, shipped in ((OWN, False), (SHIPPED, True)):
        group = [one for one in found if one.shipped == shipped]
        if group or not (search.strip() or shipped):
            rows.append(Row(f"group {title}", Heading(title, len(group), "" if group else hint), True))
        rows += [Row(one.name, Listed(one, one.name not in uncounted)) for one in group]
    return rows


def draw_study(row: Row, width: int, p: Palette) -> list[Part]:
    """Name, how far it is with a bar of states, variants, what it is; the less telling only where there is room."""
    content = row.content
    if isinstance(content, Heading):
        parts: list[Part] = [(content.title, p.key), (f"  {content.count}" if content.count else "", p.dim)]
        return [*parts, ("  ", p.dim), cells(content.hint, max(0, width - 12), p.dim)] if content.hint else parts
    line: StudyLine = content.line
    name = NAME if width >= 70 else max(12, width - 30)
    parts = [cells(line.name, name, p.text), ("  ", p.text)]
    left = width - name - 2
    if line.problem and not line.cells:
        return [*parts, cells(f"✗ {line.problem}", left, p.bad)]
    done = sum(line.counts.get(status, 0) for status in RESULTS)
    told = f"{done:,}/{line.cells:,}" if content.counted else "…"
    parts += [cells(told, 11, p.text if done else p.dim, right=True), ("  ", p.text)]
    parts += states_bar(line.counts, BAR, p) if content.counted else [(" " * BAR, p.dim)]
    parts.append(("  ", p.text))
    left -= 13 + BAR + 2
    warned = line.problem or ("presets have changed since it was queued" if line.changed else "")
    if warned:
        part = cells(f"! {warned}", min(left, len(warned) + 2), p.warn)
        return [*parts, part, *_what(line, left - len(part[0]) - 2, p)]
    return [*parts, *_what(line, left, p)]


def _what(line: StudyLine, left: int, p: Palette) -> list[Part]:
    if left < 8:
        return []
    if left < 60:
        return [cells(line.title or line.kind, left, p.dim)]
    title = min(left - 26, 60)
    return [cells(line.title, title, p.text), ("  ", p.text), cells(line.kind, left - title - 2, p.dim)]
