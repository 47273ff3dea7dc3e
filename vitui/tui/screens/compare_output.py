"""Taking a comparison elsewhere: the clipboard, a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vitui.comparing import formats
from vitui.text import safe
from vitui.tui.screens.ask import AskScreen
from vitui.tui.screens.base import LabScreen
from vitui.tui.screens.pick import Choice, PickScreen
from vitui.tui.screens.prompt import PromptScreen

if TYPE_CHECKING:
    from vitui.comparing import Comparison

KINDS = {"md": "Markdown", "csv": "CSV", "latex": "LaTeX", "table": "aligned text", "json": "JSON"}
DETAILS = {
    "md": "a pipe table, for notes and pull requests", "csv": "plain numbers, for a spreadsheet",
    "latex": "a tabular with booktabs, for a paper", "table": "as vitui compare prints it", "json": "everything",
}  # fmt: skip


def check_name(text: str) -> str:
    """What is wrong with a file's name; empty where nothing is."""
    if not text.strip():
        return "type the name of a file"
    if Path(text.strip()).suffix.lower() in formats.ENDINGS:
        return ""
    return f"the ending says the format: {', '.join(formats.ENDINGS)}"


class CompareOutput(LabScreen):
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
                self._write(path, formats.FORMATS[kind](found, self.all_fields), over=False)

        hint = f"its ending says the format: {', '.join(formats.ENDINGS)}"
        self.app.push_screen(
            PromptScreen(
                "Write the comparison to", self.vitui.palette, value="comparison.md", hint=hint, check=check_name
            ),
            typed,
        )

    def _write(self, path: Path, text: str, *, over: bool) -> None:
        """In a thread; over a file that is there only once that was asked."""
        from engine.journal import atomic_write

        def work() -> None:
            try:
                whole = path.absolute()
                if whole.is_dir():
                    self.app.call_from_thread(self.vitui.tell, f"{whole} is a folder; name a file in it", "error")
                elif whole.exists() and not over:
                    self.app.call_from_thread(self._ask_over, path, text)
                else:
                    atomic_write(whole, text.encode())
                    self.app.call_from_thread(self.vitui.tell, f"written to {whole}")
            except (OSError, ValueError) as error:
                reason = error.strerror if isinstance(error, OSError) else str(error)
                if isinstance(error, FileNotFoundError):
                    reason = f"there is no folder {path.parent}; make it first, or name another"
                self.app.call_from_thread(self.vitui.tell, f"{path} cannot be written: {reason}", "error")

        self.run_worker(work, thread=True, group="write", exit_on_error=False)

    def _ask_over(self, path: Path, text: str) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._write(path, text, over=True)

        question = f"{safe(path.name, 40)} exists. Write over it?"
        self.app.push_screen(AskScreen(question, "What is in it now is lost.", self.vitui.palette), answered)
