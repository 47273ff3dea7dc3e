"""The lines of the launch form: presets, toggles, fields, details of the run. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitui.text import cell_width
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Part
from vitui.tui.widgets.listing import Row, cells

if TYPE_CHECKING:
    from vitui.drafts.preview import FieldValue, Switch
    from vitui.drafts.shelf import PresetEntry

OPTIONS = "model.options"
OPEN, FOLDED, CHOSEN, DIFFERS, ON, OFF, NONE = "▾", "▸", "●", "≠", "●", "○", "–"
HERE, DOWNLOAD, MISSING = "✓", "↓", "✗"
BROKEN = "cannot be read"
"""What stands over presets whose files are broken."""
TITLE_LEAST = 20


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands over a group of rows."""

    title: str
    count: int
    folded: bool = False
    foldable: bool = False


@dataclass(frozen=True, slots=True)
class Shelved:
    """A preset in the list; `chosen`: it is the one in the form."""

    entry: PresetEntry
    chosen: bool


@dataclass(frozen=True, slots=True)
class Detail:
    """A detail of the run: `key` of the draft, its value as text, what an empty one means."""

    key: str
    title: str
    value: str
    hint: str
    help: str


def matches(words: Sequence[str], *texts: str) -> bool:
    """Whether every word is in one of the texts, whatever its case."""
    hay = " ".join(texts).casefold()
    return all(word in hay for word in words)


# -- rows ----------------------------------------------------------------------------------------------------------


def preset_rows(entries: Sequence[PresetEntry], chosen: str, search: str, folded: Collection[str]) -> list[Row]:
    """Presets under their families. While something is searched for, nothing is folded."""
    rows: list[Row] = []
    families: dict[str, list[PresetEntry]] = {}
    for entry in entries:
        if entry.matches(search):
            families.setdefault(BROKEN if entry.problem else entry.family, []).append(entry)
    for family, found in families.items():
        shut = family in folded and not search.strip()
        rows.append(Row(f"family {family}", Heading(family, len(found), shut, True), True))
        if not shut:
            rows += [Row(entry.name, Shelved(entry, entry.name == chosen)) for entry in found]
    return rows


def switch_rows(switches: Sequence[Switch], search: str, changed_only: bool) -> list[Row]:
    """Toggles under their groups."""
    words = search.casefold().split()
    groups: dict[str, list[Row]] = {}
    for switch in switches:
        toggle = switch.toggle
        if matches(words, toggle.id, toggle.label, toggle.group) and (switch.differs or not changed_only):
            groups.setdefault(toggle.group, []).append(Row(toggle.id, switch))
    return _under_headings(groups)


def field_rows(fields: Sequence[FieldValue], search: str, changed_only: bool) -> list[Row]:
    """Fields of the recipe under their sections: those whose names match, else those whose help does."""
    words = search.casefold().split()
    shown = [one for one in fields if one.changed or not changed_only]
    found = [one for one in shown if matches(words, one.field.key)]
    found = found or [one for one in shown if matches(words, one.field.key, one.field.help, one.text)]
    groups: dict[str, list[Row]] = {}
    for one in found:
        groups.setdefault(one.field.section, []).append(Row(one.field.key, one))
    return _under_headings(groups)


def _under_headings(groups: Mapping[str, list[Row]]) -> list[Row]:
    rows: list[Row] = []
    for title, found in groups.items():
        rows += [Row(f"group {title}", Heading(title, len(found)), True), *found]
    return rows


# -- lines ---------------------------------------------------------------------------------------------------------


def draw_preset(row: Row, width: int, p: Palette) -> list[Part]:
    """A row of the list of presets."""
    content = row.content
    return heading_line(content, width, p) if row.heading else preset_line(content.entry, content.chosen, width, p)


def draw_switch(row: Row, width: int, p: Palette) -> list[Part]:
    """A row of the list of toggles."""
    return (heading_line if row.heading else switch_line)(row.content, width, p)


def draw_field(row: Row, width: int, p: Palette) -> list[Part]:
    """A row of the list of fields."""
    return (heading_line if row.heading else field_line)(row.content, width, p)


def draw_detail(row: Row, width: int, p: Palette) -> list[Part]:
    """A detail of the run."""
    return detail_line(row.content, width, p)


def heading_line(heading: Heading, width: int, p: Palette) -> list[Part]:
    sign = (FOLDED if heading.folded else OPEN) + " " if heading.foldable else ""
    text = f"{sign}{heading.title}"
    return [cells(text, min(cell_width(text), width), p.key), (f"  {heading.count}", p.dim)]


def preset_line(entry: PresetEntry, chosen: bool, width: int, p: Palette) -> list[Part]:
    """Name, title, published number, epochs, dataset, data: the less telling ones only where there is room."""
    if entry.problem:
        title = cells(entry.name, min(width - 4, cell_width(entry.name)), p.warn)
        return [
            (f"{MISSING} ", p.warn),
            title,
            (" ", p.text),
            cells(entry.problem, width - 3 - cell_width(title[0]), p.dim),
        ]
    data, tone = data_parts(entry.data_state, p)
    left = width - 2
    plan: list[tuple[str, int]] = []
    for name, least in (("name", 26), ("data", 9), ("reference", 7), ("more name", 8), ("dataset", 15),
                        ("epochs", 8), ("title", TITLE_LEAST), ("more reference", 10)):  # fmt: skip
        need = least if name.startswith("more") else least + 1
        if left >= need and (plan or name == "name"):
            plan.append((name, least))
            left -= need
    widths: dict[str, int] = {}
    for name, least in plan:
        column = name.removeprefix("more ")
        widths[column] = widths.get(column, 0) + least
    rest = "title" if "title" in widths else "name"
    widths[rest] = max(0, widths.get(rest, -1) + left)
    epochs = f"{entry.epochs} ep" if entry.epochs.replace(".", "").isdigit() else entry.epochs
    texts = {
        "name": (entry.name, p.strong if chosen else p.text, False), "title": (entry.title, p.dim, False),
        "reference": (entry.reference or NONE, p.text, True), "epochs": (epochs, p.dim, True),
        "dataset": (entry.dataset, p.text, False), "data": (data, tone, False),
    }  # fmt: skip
    parts: list[Part] = [(f"{CHOSEN} " if chosen else "  ", p.mark)]
    for column in ("name", "title", "reference", "epochs", "dataset", "data"):
        if column in widths:
            text, style, right = texts[column]
            parts += [cells(text, widths[column], style, right=right), (" ", p.text)]
    return parts


def data_parts(state: str, p: Palette) -> Part:
    """Whether the data is here, as a sign and a word in few cells; the rest is told under the list."""
    if state.startswith("downloads"):
        return f"{DOWNLOAD} {state.removeprefix('downloads ')}", p.text
    if state in ("missing", "damaged"):
        return f"{MISSING} {state}", p.warn
    return f"{HERE} here", p.good


def switch_line(switch: Switch, width: int, p: Palette) -> list[Part]:
    """Whether it differs, on or off, what it is, its id as the command line takes it."""
    if not switch.available:
        sign, tone = f"{NONE} n/a", p.dim
    elif switch.on:
        sign, tone = f"{ON} on", p.good
    else:
        sign, tone = f"{OFF} off", p.dim
    label = max(0, width - 8)
    parts: list[Part] = [(f"{DIFFERS} " if switch.differs else "  ", p.mark), cells(sign, 6, tone)]
    ink = p.text if switch.available else p.dim
    if label < 56:
        return [*parts, cells(switch.toggle.label, label, ink)]
    return [*parts, cells(switch.toggle.label, label - 24, ink), cells(f" {switch.toggle.id}", 24, p.dim)]


def field_line(one: FieldValue, width: int, p: Palette) -> list[Part]:
    """Name within its section, value with unit, the unchanged value where it differs, where the value comes from."""
    field, head = one.field, name_width(width)
    addition = not one.text and field.key == OPTIONS
    name = "options" if addition else field.key.partition(".")[2]
    parts: list[Part] = [(f"{DIFFERS} " if one.changed else "  ", p.mark), cells(name, head, p.text), (" ", p.text)]
    left = max(0, width - head - 3)
    style = p.strong if one.changed else p.text if one.origin not in ("", "default") else p.dim
    value = "enter adds one as NAME=VALUE" if addition else shown_text(one.text)
    pieces = [(value, p.dim if addition else style)]
    if field.unit and one.text not in ("", "auto"):
        pieces.append((f" {field.unit}", p.dim))
    if one.changed:
        pieces.append((f"  was {shown_text(one.before)}", p.warn))
    for number, (text, tone) in enumerate(pieces):
        if number == 0 or cell_width(text) <= left:
            part = cells(text, min(cell_width(text), left), tone)
            parts.append(part)
            left -= cell_width(part[0])
    origin = "" if addition else whence(one.origin)
    if origin and cell_width(origin) + 2 <= left:
        parts.append(cells(origin, left, p.dim, right=True))
    return parts


def shown_text(text: str) -> str:
    """A value as the form shows it: without quotes, an empty one as a dash."""
    return NONE if text in ("", '""') else text


def whence(origin: str) -> str:
    """Where a value comes from, in a word or two: ``preset cct``, ``toggle mixup``, ``you``."""
    return {"--set": "you", "default": ""}.get(origin, origin)


def name_width(width: int) -> int:
    """Cells for the name of a field."""
    return min(24, max(12, width // 3))


def detail_line(detail: Detail, width: int, p: Palette) -> list[Part]:
    value = detail.value
    shown = cells(value, max(0, width - 12), p.strong) if value else cells(detail.hint, max(0, width - 12), p.dim)
    return [("  ", p.text), cells(detail.title, 10, p.text), shown]


def value_column(row: Row, width: int) -> int:
    """In which cell of a row its value begins, so that it can be edited in its place."""
    return 12 if isinstance(row.content, Detail) else name_width(width) + 3
