"""The report of a study in every form that is printed, pasted or written; the app's screen is `vitui.tui`'s.

Reports, heat maps and published tables are plain data; a format is a function from one of them to text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from vitui.studies.formats import csv as lines
from vitui.studies.formats import heat as heats
from vitui.studies.formats import html as pages
from vitui.studies.formats import json as documents
from vitui.studies.formats import latex as tex
from vitui.studies.formats import markdown as pipes
from vitui.studies.formats import published as told
from vitui.studies.formats import text as plain
from vitui.text import safe

if TYPE_CHECKING:
    from vitui.studies.heat import Heat
    from vitui.studies.published import PublishedTable

FORMATS: Final[dict[str, Callable[..., str]]] = {
    "table": lambda report, curves=(): plain.text(report),
    "md": lambda report, curves=(): pipes.markdown(report),
    "csv": lambda report, curves=(): lines.variants_csv(report),
    "cells": lambda report, curves=(): lines.cells_csv(report),
    "latex": lambda report, curves=(): tex.latex(report),
    "json": documents.json_text,
    "html": pages.html,
}
"""What a report can be written as, by the name of the format: functions of a report and of curves (`bands.Overlay`s, or
none), which html draws, json keeps and the others leave out. "csv" has a line for each variant, "cells" one for each
variant and seed."""
HEAT_FORMATS: Final[dict[str, Callable[[Heat, str], str]]] = {
    "table": lambda found, title: _titled(title, plain.aligned(heats.table(found))),
    "md": lambda found, title: pipes.piped(heats.table(found)) + "\n",
    "csv": lambda found, title: heats.as_csv(found),
    "latex": lambda found, title: tex.document([heats.table(found)], "", title),
    "json": lambda found, title: documents.document(heats.as_json(found)),
    "html": pages.heat_page,
    "svg": pages.heat_picture,
}
"""What a heat map alone can be written as; the second argument is the title of the study."""
PUBLISHED_FORMATS: Final[dict[str, Callable[[PublishedTable, str], str]]] = {
    "table": lambda found, title: _titled(title, plain.aligned(told.table(found))),
    "md": lambda found, title: pipes.piped(told.table(found)) + "\n",
    "csv": lambda found, title: told.as_csv(found),
    "latex": lambda found, title: tex.document([told.table(found)], "", title),
    "json": lambda found, title: documents.document(told.as_json(found)),
    "html": pages.published_page,
}
"""What the table of published values can be written as; the second argument is the title of the study."""
ENDINGS: Final = {".md": "md", ".csv": "csv", ".tex": "latex", ".txt": "table", ".json": "json", ".html": "html"}
"""Format by the ending of a file's name."""


def _titled(title: str, body: str) -> str:
    return f"{safe(title)}\n\n{body}\n"
