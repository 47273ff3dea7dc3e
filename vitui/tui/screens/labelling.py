"""What people say about runs, changed where they are shown: note, tags, name, star, archive mark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.binding import Binding

from vitui import labels
from vitui.errors import UsageError
from vitui.text import safe
from vitui.tui.actions import key_of
from vitui.tui.editor import edited
from vitui.tui.screens.base import LabScreen
from vitui.tui.screens.bulk import in_bulk, title
from vitui.tui.screens.prompt import PromptScreen
from vitui.tui.screens.words_prompt import WordsScreen

if TYPE_CHECKING:
    from vitui.store import Run

NEWLINE = " ⏎ "
"""How the end of a line of a note is written in a prompt, which has but one line."""
EDITOR = "\0editor"


class NoteScreen(PromptScreen):
    """A prompt that hands over to the editor; dismissed with EDITOR then."""

    BINDINGS = [Binding("ctrl+e", "editor", show=False, priority=True)]

    def action_editor(self) -> None:
        self.dismiss(EDITOR)


class LabelActions(LabScreen):
    """The actions that change what people say about the chosen runs."""

    def chosen(self) -> list[Run]:
        """The runs that actions are about."""
        raise NotImplementedError

    def some(self) -> list[Run]:
        """As `chosen`; where there is none, that is said."""
        runs = self.chosen()
        if not runs:
            self.vitui.tell("there is no run here to do that to", "warning")
        return runs

    # -- note and name -------------------------------------------------------------------------------------------

    def action_note(self) -> None:
        runs = self.some()
        if not runs:
            return
        one = len(runs) == 1
        before = safe(runs[0].notes.replace("\n", NEWLINE)) if one else ""

        def answered(text: str | None) -> None:
            if text == EDITOR:
                text = edited(self.vitui, runs[0].notes if one else "")
                if text is not None:
                    self._keep_note(runs, text)
            elif text is not None and text != before:
                self._keep_note(runs, text.replace(NEWLINE, "\n"))

        heading = f"Note on {title(runs)}" if one else f"Add a line to the notes of {title(runs)}"
        hint = "empty removes it; ctrl+e opens $EDITOR" if one else "ctrl+e opens $EDITOR"
        self.app.push_screen(NoteScreen(heading, self.vitui.palette, value=before, hint=hint), answered)

    def _keep_note(self, runs: Sequence[Run], text: str) -> None:
        lab = self.vitui.lab
        if len(runs) == 1:
            if text != runs[0].notes:
                done = "has its note" if text else "has no note now"
                in_bulk(self.vitui, runs, lambda run: lab.set_notes(run.id, text), done)
        elif text.strip():
            # Of the note as it is when it is written, not as it was on the screen.
            in_bulk(self.vitui, runs, lambda run: lab.add_note(run.id, text), "have one more line in their notes")

    def action_name(self) -> None:
        runs = self.some()
        if not runs:
            return
        before = safe(runs[0].name) if len(runs) == 1 else ""

        def check(text: str) -> str:
            try:
                labels.checked_name(text)
            except UsageError as error:
                return str(error)
            return ""

        def answered(text: str | None) -> None:
            if text is not None and text != before:
                names = {run.id: labels.name_from(text, run, n) for n, run in enumerate(runs, 1)}
                done = "is renamed" if len(runs) == 1 else "renamed"
                in_bulk(self.vitui, runs, lambda run: self.vitui.lab.set_name(run.id, names[run.id]), done)

        hint = "" if len(runs) == 1 else "{n} counts them; {seed}, {preset}, {name}, {id} are those of each"
        heading = f"Name of {title(runs)}"
        self.app.push_screen(PromptScreen(heading, self.vitui.palette, value=before, hint=hint, check=check), answered)

    # -- tags ----------------------------------------------------------------------------------------------------

    def action_tags(self) -> None:
        runs = self.some()
        if not runs:
            return
        one = len(runs) == 1
        before = labels.tag_line(runs[0].tags) if one else ""

        def check(text: str) -> str:
            try:
                labels.edited_tags(text, (), replace=one)
            except UsageError as error:
                return str(error)
            return ""

        def answered(text: str | None) -> None:
            if text is None or text == before or not (one or text.strip()):
                return
            lab = self.vitui.lab
            in_bulk(self.vitui, runs, lambda run: lab.edit_tags(run.id, text, replace=one), "tagged")

        heading = f"Tags of {title(runs)}"
        hint = "words; +x -y change only these" if one else "+x adds, -y takes away"
        self.app.push_screen(
            WordsScreen(heading, self.vitui.palette, value=before, hint=hint, check=check, words=self.known_tags()),
            answered,
        )

    def known_tags(self) -> list[str]:
        """Tags that runs in the list have, the most used first."""
        return self.vitui.runs_screen.tags()

    # -- marks ---------------------------------------------------------------------------------------------------

    def action_star(self) -> None:
        """A star for all of them; where all have one, it is taken away."""
        runs = self.some()
        if runs:
            star = not all(run.star for run in runs)
            targets = [run for run in runs if run.star != star]
            done = "starred" if star else "no longer starred"
            in_bulk(self.vitui, targets, lambda run: self.vitui.lab.set_star(run.id, star), done)

    def action_archive(self) -> None:
        """All of them into the archive; where all are there, out of it."""
        runs = self.some()
        if runs:
            archived = not all(run.archived for run in runs)
            targets = [run for run in runs if run.archived != archived]
            done = (
                f"archived; {key_of('runs.archived', self.vitui.actions)} shows what is"
                if archived
                else "back from the archive"
            )
            in_bulk(self.vitui, targets, lambda run: self.vitui.lab.set_archived(run.id, archived), done)
