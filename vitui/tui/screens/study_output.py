"""Taking the report of a study elsewhere: the clipboard, a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vitui.tui.screens.pick import Choice, PickScreen
from vitui.tui.screens.prompt import PromptScreen
from vitui.tui.screens.study_control import StudyActions
from vitui.tui.screens.writing import FileWriting, file_problem

if TYPE_CHECKING:
    from vitui.studies.report import Report

KINDS = {
    "md": ("Markdown", "pipe tables, for notes and pull requests"),
    "csv": ("CSV", "a line for each variant, plain numbers"),
    "cells": ("CSV of cells", "a line for each variant and seed"),
    "latex": ("LaTeX", "tables with booktabs, for a paper"),
    "table": ("aligned text", "as vitui study report prints it"),
    "json": ("JSON", "everything, curves too"),
}
CURVES = frozenset({"json", "html"})
"""Formats that have curves."""


class StudyOutput(StudyActions, FileWriting):
    """The actions copy and write."""

    baseline = ""
    """The variant that differences are to, where it is not the study's own."""

    def _text(self, kind: str) -> str:
        """The report in a format; in a thread."""
        from vitui.studies.bands import overlays
        from vitui.studies.formats import FORMATS

        lab = self.vitui.lab
        report: Report = lab.study_report(self.study_name, self.baseline)
        return FORMATS[kind](report, overlays(lab, report) if kind in CURVES else ())

    def action_copy(self) -> None:
        name = self.study_name
        if not name:
            return

        def picked(names: list[str] | None) -> None:
            if names:
                kind = names[0]
                what = f"study {name} as {KINDS[kind][0]}"
                self.in_thread("writing …", lambda: self._text(kind), lambda text: self.vitui.copy(text, what))

        choices = [Choice(kind, title, detail) for kind, (title, detail) in KINDS.items()]
        self.app.push_screen(PickScreen("Copy the report as", choices, self.vitui.palette), picked)

    def action_write(self) -> None:
        from vitui.studies.formats import ENDINGS

        name = self.study_name
        if not name:
            return

        def typed(text: str | None) -> None:
            if text is not None:
                path = Path(text.strip()).expanduser()
                kind = ENDINGS[path.suffix.lower()]
                self.in_thread("writing …", lambda: self._text(kind), lambda made: self.write_file(path, made))

        self.app.push_screen(
            PromptScreen(
                "Write the report to", self.vitui.palette, value=f"{name}.html",
                hint=f"its ending says the format: {', '.join(ENDINGS)}",
                check=lambda text: file_problem(text, ENDINGS),
            ),
            typed,
        )  # fmt: skip
