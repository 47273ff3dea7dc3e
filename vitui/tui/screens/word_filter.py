"""A list that words narrow down: `/` opens a line to type them in, enter leaves it, back takes them away again."""

from __future__ import annotations

from textual import on
from textual.widgets import Input

from vitui.tui.screens.base import LabScreen


class WordFilter(LabScreen):
    """For a screen whose body has one Input, that line; its style sheet shows it while the screen is "searching"."""

    sought = ""
    """Words that are searched for."""

    def narrow(self) -> None:
        """Show what the words leave."""
        raise NotImplementedError

    def action_search(self) -> None:
        field = self.query_one(Input)
        field.value = self.sought
        self.set_class(True, "searching")
        field.focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if self.has_class("searching"):
            self.sought = event.value
            self.narrow()

    @on(Input.Submitted)
    def _leave_line(self) -> None:
        self.set_class(False, "searching")
        self.set_focus(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A slash is a character like any other while something is typed."""
        return False if action == "search" and self.has_class("searching") else super().check_action(action, parameters)

    def action_back(self) -> None:
        if self.has_class("searching") or self.sought:
            self.sought = ""
            self._leave_line()
            self.narrow()
        else:
            self.vitui.go("runs")
