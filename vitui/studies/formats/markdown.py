"""A study's report as Markdown with pipe tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitui.escaping import markdown as escaped
from vitui.escaping import pipes
from vitui.studies.formats import contents, heat
from vitui.studies.formats.tables import Entry, Table

if TYPE_CHECKING:
    from vitui.studies.report import Report


def markdown(report: Report) -> str:
    """Headings, tables, notes. What stands out from noise is bold, nothing else in a table."""
    out = [f"# {escaped(report.title)}", *(escaped(part) for part in contents.about(report))]
    for table in [*heat.tables(report), *contents.tables(report)]:
        out += [f"## {escaped(table.title)}", piped(table)]
    said = [f"- {'**not fair**: ' if note.unfair else ''}{escaped(note.text)}" for note in contents.notes(report)]
    said += [f"- published: {escaped(source)}" for source in contents.sources(report)]
    if said:
        out += ["## Notes", "\n".join(said)]
    return "\n\n".join(out) + "\n"


def piped(table: Table) -> str:
    """A pipe table, then its notes. Groups of columns stand before the titles of their columns."""
    rule = "".join("|:---" if head.left else "|---:" for head in table.heads) + "|"
    out = [pipes([head.whole for head in table.heads]), rule]
    out += [pipes([_cell(entry) for entry in row], raw=True) for row in table.rows]
    return "\n".join(out) + ("\n\n" + "\n".join(f"- {escaped(note)}" for note in table.notes) if table.notes else "")


def _cell(entry: Entry) -> str:
    return f"**{escaped(entry.text)}**" if entry.bold else escaped(entry.text)
