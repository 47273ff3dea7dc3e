"""The table of picked checkpoints in every form that is printed or pasted: `PICKED_FORMATS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from vitui import display
from vitui.escaping import html, json_value
from vitui.escaping import markdown as escaped
from vitui.references import title_of
from vitui.studies.formats.csv import written
from vitui.studies.formats.html import html_table
from vitui.studies.formats.json import document
from vitui.studies.formats.latex import document as latex_document
from vitui.studies.formats.markdown import piped
from vitui.studies.formats.page import page
from vitui.studies.formats.search import UNFAIR
from vitui.studies.formats.tables import Entry, Head, Table
from vitui.studies.formats.text import aligned
from vitui.text import cell_width, safe, wrapped

if TYPE_CHECKING:
    from vitui.studies.picked import Adapted, PickedTable


def table(found: PickedTable) -> Table:
    """A row for each checkpoint, group by group, the best upstream score first."""
    heads = [
        Head("checkpoint", "checkpoint", left=True),
        Head("upstream", f"upstream, {found.upstream_split or 'selecting split'}, %"),
        Head("select", "after transfer, selecting split, %"),
        Head("value", _heading(found)),
        Head("mark", "", left=True),
    ]
    if found.each:
        heads.insert(0, Head("group", found.each, left=True))
    if any(row.tried > 1 for group in found.groups for row in group.rows):
        heads.insert(-1, Head("variant", "best of its sweep", left=True))
    rows = []
    for group in found.groups:
        for row in group.rows:
            told = {
                "group": group.name,
                "checkpoint": row.candidate.label,
                "upstream": _with_error(row.candidate.score, row.error),
                "select": display.percent(row.select),
                "value": _value(found, row),
                "variant": f"{row.variant} of {row.tried}" if row.variant else "–",
                "mark": ", ".join(word for word, is_so in (("picked", row.picked), ("best", row.best)) if is_so),
            }
            rows.append(tuple(Entry(told[head.key]) for head in heads))
    return Table("picked", f"Checkpoints of {found.upstream}", tuple(heads), tuple(rows))


def _heading(found: PickedTable) -> str:
    title = title_of(found.metric) + (f" on {found.split}" if found.split else "")
    return f"{title}, {found.unit}" if found.unit else title


def _with_error(value: float, error: float | None) -> str:
    return display.percent(value) + ("" if error is None else f" (± {error:.2f})")


def _value(found: PickedTable, row: Adapted) -> str:
    if row.value is None:
        return row.status
    digits = display.percent if found.unit == "%" else display.number
    return digits(row.value.mean) + ("" if row.value.deviation is None else f" ± {digits(row.value.deviation)}")


def said(found: PickedTable) -> list[str]:
    """What the rule picks of each group and what that costs, a sentence each."""
    return [f"{found.each} {group.name}: {group.words}" if group.name else group.words for group in found.groups]


def text(found: PickedTable, width: int | None = None) -> str:
    """Title, sentences, table, notes."""
    blocks = ["\n".join([safe(found.title), *(line for part in said(found) for line in _item(part, width))])]
    shown = table(found)
    blocks.append("\n".join([safe(shown.title), "", aligned(shown, width)]))
    blocks.append(
        "\n".join(line for note in found.notes for line in _item(note.text, width, "!" if note.unfair else "-"))
    )
    return "\n\n".join(blocks) + "\n"


def _item(part: str, width: int | None, sign: str = "-") -> list[str]:
    shown = safe(f"{sign} {part}")
    return [shown] if width is None or cell_width(shown) <= width else wrapped(shown, width, "  ")


def markdown(found: PickedTable) -> str:
    """Heading, sentences, table, notes."""
    shown = table(found)
    notes = [f"- {'**not fair**: ' if note.unfair else ''}{escaped(note.text)}" for note in found.notes]
    parts = [
        f"# {escaped(found.title)}",
        "\n".join(f"- {escaped(part)}" for part in said(found)),
        f"## {escaped(shown.title)}",
        piped(shown),
        "## Notes",
        "\n".join(notes),
    ]
    return "\n\n".join(parts) + "\n"


def latex(found: PickedTable) -> str:
    """The table with the rules of booktabs, sentences and notes under it."""
    shown = table(found)
    notes = [f"{'Not fair: ' if note.unfair else ''}{note.text}" for note in found.notes]
    whole = Table(shown.key, shown.title, shown.heads, shown.rows, (*said(found), *notes))
    return latex_document([whole], found.name, found.title)


def page_of(found: PickedTable) -> str:
    """Sentences, table and notes as one HTML file."""
    notes = [(f"Not fair: {note.text}" if note.unfair else note.text, note.unfair) for note in found.notes]
    lines = "".join(f"<li{UNFAIR * unfair}>{html(text)}</li>" for text, unfair in notes)
    return page(
        found.title,
        [f'<p class="answer">{html(part)}</p>' for part in said(found)],
        [(table(found).title, html_table(table(found))), ("Notes", f'<ul class="notes">{lines}</ul>')],
    )


def as_csv(found: PickedTable) -> str:
    """A line for each checkpoint with plain numbers; `cost` of its group, in points."""
    head = [
        "group", "checkpoint", "label", "upstream_score", "upstream_error", "upstream_seeds", "upstream_run", "variant",
        "tried", "select", "n", "mean", "std", "status", "picked", "best", "cost",
    ]  # fmt: skip
    lines = []
    for group in found.groups:
        for row in group.rows:
            one, value = row.candidate, row.value
            lines.append([
                group.name, one.name, one.label, one.score, row.error, one.seeds, one.run, row.variant, row.tried,
                row.select, value.n if value else 0, value.mean if value else None, value.deviation if value else None,
                row.status, row.picked, row.best, group.cost,
            ])  # fmt: skip
    return written(head, lines)


def as_json(found: PickedTable) -> dict[str, Any]:
    """Everything there is."""
    return {
        "study": found.name,
        "title": found.title,
        "upstream": found.upstream,
        "each": found.each,
        "metric": found.metric,
        "unit": found.unit,
        "split": found.split,
        "upstream_split": found.upstream_split,
        "groups": [
            {
                "group": group.name,
                "cost": json_value(group.cost),
                "difference": None if group.difference is None else _finite(asdict(group.difference)),
                "words": group.words,
                "checkpoints": [_row(row) for row in group.rows],
            }
            for group in found.groups
        ],
        "notes": [note.text for note in found.notes if not note.unfair],
        "unfair": [note.text for note in found.notes if note.unfair],
    }


def _row(row: Adapted) -> dict[str, Any]:
    return _finite({
        "checkpoint": row.candidate.name, "label": row.candidate.label, "upstream_score": row.candidate.score,
        "upstream_error": row.error, "upstream_seeds": row.candidate.seeds, "upstream_run": row.candidate.run,
        "variant": row.variant, "tried": row.tried, "select": row.select,
        "value": None if row.value is None else asdict(row.value), "status": row.status, "picked": row.picked,
        "best": row.best,
    })  # fmt: skip


def _finite(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: json_value(value) for name, value in fields.items()}


PICKED_FORMATS: Final[dict[str, Callable[[PickedTable], str]]] = {
    "table": lambda found: text(found),
    "md": markdown,
    "csv": as_csv,
    "latex": latex,
    "json": lambda found: document(as_json(found)),
    "html": page_of,
}
"""What the table of picked checkpoints can be written as, by the name of the format."""
