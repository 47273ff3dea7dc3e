"""Taking a comparison elsewhere: the clipboard, a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vitui.comparing import formats
from vitui.tui.screens.pick import Choice, PickScreen
from vitui.tui.screens.prompt import PromptScreen
from vitui.tui.screens.writing import FileWriting, file_problem

if TYPE_CHECKING:
    from vitui.comparing import Comparison

KINDS = {"md": "Markdown", "csv": "CSV", "latex": "LaTeX", "table": "aligned text", "json": "JSON"}
DETAILS = {
    "md": "a pipe table, for notes and pull requests", "csv": "plain numbers, for a spreadsheet",
    "latex": "a tabular with booktabs, for a paper", "table": "as vitui compare prints it", "json": "everything",
}  # fmt: skip


class CompareOutput(FileWriting):
    """The actions copy and write; `found` is the comparison, `all_fields` whether the whole recipes are in it."""

    all_fields: bool

    @property
    def found(self) -> Comparison | None:
        raise NotImplementedError

    def action_copy(self) -> None:
        found = self.found
        if found is None:
            return

        def picked(names: list[str] | None) -> None:
            if names:
                text = formats.FORMATS[names[0]](found, self.all_fields)
                self.vitui.copy(text, f"the comparison as {KINDS[names[0]]}")

        choices = [Choice(name, title, DETAILS[name]) for name, title in KINDS.items()]
        self.app.push_screen(PickScreen("Copy the comparison as", choices, self.vitui.palette), picked)

    def action_write(self) -> None:
        found = self.found
        if found is None:
            return

        def typed(text: str | None) -> None:
            if text is not None:
                path = Path(text.strip()).expanduser()
                kind = formats.ENDINGS[path.suffix.lower()]
                self.write_file(path, formats.FORMATS[kind](found, self.all_fields))

        hint = f"its ending says the format: {', '.join(formats.ENDINGS)}"
        self.app.push_screen(
            PromptScreen(
                "Write the comparison to", self.vitui.palette, value="comparison.md", hint=hint,
                check=lambda text: file_problem(text, formats.ENDINGS),
            ),
            typed,
        )  # fmt: skip
