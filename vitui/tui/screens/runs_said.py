"""What the Runs screen says where there is no run to show, and about a group. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vitui import display
from vitui.query.arrangement import Arrangement
from vitui.query.filters import Filter
from vitui.query.groups import Group, mean_text, states_text
from vitui.query.run_fields import RUN_FIELDS
from vitui.text import safe
from vitui.tui import words
from vitui.tui.actions import ACTIONS, Action, key_of
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Part
from vitui.tui.widgets.lines import Line

if TYPE_CHECKING:
    from vitui.query.fields import Field

TOLD = ("best", "test")
"""Fields that are told of every group."""


def nothing_lines(
    p: Palette, understood: Filter, total: int, archived: bool, home: Path, actions: Sequence[Action] = ACTIONS
) -> list[Line]:
    """Why the list is empty, and what to do. `total`: runs that were read, `archived`: with archived ones.

    `actions`: with the user's keys, which are told.
    """
    if total:
        why = understood.problem or f"none of the {total:,} runs matches {understood.text}"
        return [[(safe(why, 200), p.warn)], "", [(key_of("app.back", actions), p.key), (" clears the filter", p.text)]]
    lines: list[Line] = [
        [("No runs yet.", p.strong), (f"  Everything will be kept in {safe(str(home), 200)}", p.dim)],
        "",
        [(key_of("app.go-launch", actions), p.key), ("  picks a preset and launches it, here", p.text)],
        "",
        [("In another terminal, or here after q, type", p.text)],
        "",
        [("    vitui demo        ", p.key), ("a small ViT learns handwritten digits", p.text)],
        [("    vitui presets     ", p.key), ("what can be trained", p.text)],
        [("    vitui run PRESET  ", p.key), ("train one of them; it shows up here at once", p.text)],
    ]
    if not archived:
        lines += [
            "",
            [(key_of("runs.archived", actions), p.key), ("  shows archived runs, where there are any", p.dim)],
        ]
    return lines


def group_lines(group: Group, p: Palette, arrangement: Arrangement) -> tuple[list[Part], list[Part]]:
    """A group in two lines: what it is of and what state its runs are in; means with deviations."""
    path = f"{group.by.title}: {group.label}"
    many = "1 run" if len(group.runs) == 1 else f"{len(group.runs):,} runs"
    first: list[Part] = [(safe(path, 80), p.strong), (f"  {many}", p.text), (f"  {states_text(group)}", p.dim)]
    asked = [by.field for by in arrangement.order if by.field.counts and by.field.key not in (*TOLD, "age")]
    told: list[Part | None] = [_mean(group, field, p) for field in (*(RUN_FIELDS[key] for key in TOLD), *asked)]
    return first, words.joined(told, p.dim)


def _mean(group: Group, field: Field, p: Palette) -> Part | None:
    """``best 91.20±0.31 of 3, 90.9 to 91.5``."""
    stat = group.stat(field)
    if stat is None:
        return (f"{field.title} on different data or splits", p.dim) if group.mixed(field) else None
    text = f"{field.title} {mean_text(stat, field, 20)}"
    if stat.n > 1:
        show = display.accuracy if field.unit == "%" else display.number
        text += f" of {stat.n}, {show(stat.least)} to {show(stat.most)}"
    return safe(text, 80), p.good if field.tone == "good" else p.text


def arrangement_parts(now: Arrangement, understood: Filter, p: Palette) -> list[Part]:
    """Filter, groups and order, for the right end of the title."""
    right: list[Part] = []
    if understood.problem:
        right += [(safe(understood.problem, 60), p.warn), ("  ", p.dim)]
    elif understood.text:
        right += [("/" + safe(understood.text, 40), p.mark), ("  ", p.dim)]
    if now.groups:
        right += [(f"in groups of {safe(', '.join(field.title for field in now.groups), 40)}  ", p.text)]
    if now.differing:
        right.append(("only what differs  ", p.text))
    main, *more = now.order
    also = f" (+{len(more)})" if more else ""
    return [*right, (f"by {safe(main.field.title, 24)} {'▼' if main.descending else '▲'}{also}", p.dim)]


def every_group(tree: Sequence[Group]) -> list[Group]:
    """The groups of a tree, those inside others too."""
    return [one for group in tree for one in (group, *every_group(group.children))]
