"""Writing a text to a file that the user names, in a thread, and over one that is there only once that was asked."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from vitui.text import safe
from vitui.tui.screens.ask import AskScreen
from vitui.tui.screens.base import LabScreen


def file_problem(text: str, endings: Collection[str]) -> str:
    """What is wrong with a file's name, whose ending says the format; empty where nothing is."""
    if not text.strip():
        return "type the name of a file"
    if Path(text.strip()).suffix.lower() in endings:
        return ""
    return f"the ending says the format: {', '.join(endings)}"


class FileWriting(LabScreen):
    """For screens that write what they show to files."""

    def write_file(self, path: Path, text: str, *, over: bool = False) -> None:
        """In a thread; over a file that is there only once that was asked. Says what became of it."""
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
                self.write_file(path, text, over=True)

        question = f"{safe(path.name, 40)} exists. Write over it?"
        self.app.push_screen(AskScreen(question, "What is in it now is lost.", self.vitui.palette), answered)
