"""Devices: what this machine trains on, and the queue."""

from __future__ import annotations

from textual.app import ComposeResult

from vitui.tui.actions import bindings
from vitui.tui.screens.base import LabScreen
from vitui.tui.widgets.lines import Lines


class DevicesScreen(LabScreen):
    """What this machine trains on, and the queue."""

    KIND = "devices"
    BINDINGS = bindings("devices")

    def compose_body(self) -> ComposeResult:
        yield Lines(id="body", empty="nothing here yet")

    def move(self, lines: int) -> None:
        self.query_one("#body", Lines).scroll_by(lines)

    def page(self) -> int:
        return self.query_one("#body", Lines).page

    def action_back(self) -> None:
        self.vitui.go("runs")
