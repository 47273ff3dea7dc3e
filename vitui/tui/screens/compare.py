"""Compare: a few runs beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from vitui.tui.actions import bindings
from vitui.tui.screens.base import LabScreen
from vitui.tui.widgets.lines import Lines


class CompareScreen(LabScreen):
    """A few runs beside each other."""

    KIND = "compare"
    BINDINGS = bindings("compare")

    def compose_body(self) -> ComposeResult:
        yield Lines(id="body", empty="nothing here yet")

    def choose(self, run_ids: Sequence[str]) -> None:
        """Compare these runs from now on."""

    def move(self, lines: int) -> None:
        self.query_one("#body", Lines).scroll_by(lines)

    def page(self) -> int:
        return self.query_one("#body", Lines).page

    def action_back(self) -> None:
        self.vitui.go("runs")
