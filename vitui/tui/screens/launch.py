"""Launch: a preset, its toggles and fields in a form, and what that makes."""

from __future__ import annotations

from textual.app import ComposeResult

from vitui.tui.actions import bindings
from vitui.tui.screens.base import LabScreen
from vitui.tui.widgets.lines import Lines


class LaunchScreen(LabScreen):
    """A preset, its toggles and fields in a form, and what that makes."""

    KIND = "launch"
    BINDINGS = bindings("launch")

    def compose_body(self) -> ComposeResult:
        yield Lines(id="body", empty="nothing here yet")

    def start_from(self, run_id: str) -> None:
        """Put the recipe of a run into the form."""

    def move(self, lines: int) -> None:
        self.query_one("#body", Lines).scroll_by(lines)

    def page(self) -> int:
        return self.query_one("#body", Lines).page

    def action_back(self) -> None:
        self.vitui.go("runs")
