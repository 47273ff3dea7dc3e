"""Devices: what this machine trains on and who uses it, the queue and the reason each run waits for, the worker."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from vitui.text import safe
from vitui.tui.actions import Action, bindings
from vitui.tui.screens import control
from vitui.tui.screens.base import LabScreen
from vitui.tui.screens.device_lines import Entry, detail_lines, device_lines, worker_part
from vitui.tui.views.devices import DevicesView, DevicesWatch
from vitui.tui.widgets.bar import Bar, Part
from vitui.tui.widgets.lines import Line, Lines

if TYPE_CHECKING:
    from vitui.store import Run

HISTORY = 6
"""Lines of the history of one device, which is shown where there is room under everything else."""


class DevicesScreen(LabScreen):
    """A cursor over devices, runs and the queue; what a key does it does to the run under the cursor."""

    KIND = "devices"
    BINDINGS = bindings("devices")

    def __init__(self) -> None:
        super().__init__()
        self._view: DevicesView | None = None
        self._entries: list[Entry | None] = []
        self._chosen: Entry | None = None

    def compose_body(self) -> ComposeResult:
        yield Bar(id="title")
        yield Lines(id="devices", empty="looking at the devices")
        yield Lines(id="history")
        yield Lines(id="worker-log", follow=True, empty="the worker has said nothing")

    def on_mount(self) -> None:
        self.set_class(bool(self.vitui.remembered.get(self.KIND).get("log")), "logged")

    def on_screen_resume(self) -> None:
        self.vitui.poller.watch(DevicesWatch(self.vitui.history))

    def see(self, view: object) -> None:
        if isinstance(view, DevicesView):
            self._view = view
            self._show()

    def show_trouble(self) -> None:
        self._show_title()

    def fit(self, width: int, height: int) -> None:
        self._show()

    # -- what is shown -------------------------------------------------------------------------------------------

    def _show_title(self) -> None:
        p, view = self.vitui.palette, self._view
        parts: list[Part] = [("vitui", p.key), ("  devices", p.strong)]
        if self.vitui.trouble:
            parts += [("  ", p.dim), (self.vitui.trouble, p.bad)]
        self.query_one("#title", Bar).show(
            parts, [worker_part(view, p, self.vitui.actions)] if view is not None else []
        )

    def _show(self) -> None:
        view, p = self._view, self.vitui.palette
        self._show_title()
        if view is None:
            return
        rows = device_lines(view, p, self.size.width - 2, self.vitui.actions)
        self._entries = [entry for entry, _ in rows]
        if self._chosen not in self._entries:
            self._chosen = next((entry for entry in self._entries if entry is not None), None)
        lines: list[Line] = []
        for entry, parts in rows:
            here = entry is not None and entry == self._chosen
            lines.append([("▌" if here else " ", p.key), *((t, s + p.cursor if here else s) for t, s in parts)])
        self.query_one("#devices", Lines).show(lines)
        free = self.size.height - 2 - len(lines) - (max(4, self.size.height // 4) if self.has_class("logged") else 0)
        self.set_class(free > HISTORY, "high")
        key = self._device_in_front(view)
        label = next((one.device.label for one in view.occupied if one.device.key == key), "")
        history: list[Line] = [[(f"{safe(label, 40)}, the last minutes", p.strong)]] if key else []
        self.query_one("#history", Lines).show([*history, *detail_lines(view, key, p, self.size.width)])
        self.query_one("#worker-log", Lines).show(view.log)
        self.show_keys()

    def _device_in_front(self, view: DevicesView) -> str:
        """The device under the cursor, or that of the run under it; else the first."""
        if self._chosen is not None and self._chosen.kind == "device":
            return self._chosen.key
        runs = {run.id: one.device.key for one in view.occupied for run in one.runs}
        found = runs.get(self._chosen.key, "") if self._chosen is not None else ""
        return found or (view.occupied[0].device.key if view.occupied else "")

    def _run(self) -> Run | None:
        """The run under the cursor."""
        if self._view is None or self._chosen is None or self._chosen.kind == "device":
            return None
        runs = [*self._view.queue.waiting, *(run for one in self._view.occupied for run in one.runs)]
        return next((run for run in runs if run.id == self._chosen.key), None)

    def why_not(self, action: Action) -> str:
        view, run = self._view, self._run()
        if view is None:
            return ""
        match action.id:
            case "devices.open" | "devices.stop" if run is None:
                return "there is no run under the cursor"
            case "devices.hold" if run is None or run.state != "queued":
                return "choose a run that waits in the queue"
            case "devices.sooner" | "devices.later" | "devices.next" | "devices.last":
                if run is None or run.state != "queued":
                    return "choose a run that waits in the queue"
                return "it is the only one that waits" if len(view.queue.waiting) < 2 else ""
            case "devices.unpause" if not view.queue.paused:
                return "the queue is not paused"
            case "devices.wake-worker" if not view.queue.waiting and not any(one.runs for one in view.occupied):
                return "nothing waits or trains: no worker is needed"
        return super().why_not(action)

    # -- actions: see vitui.tui.actions --------------------------------------------------------------------------

    def move(self, lines: int) -> None:
        places = [index for index, entry in enumerate(self._entries) if entry is not None]
        if not places:
            return
        now = next((n for n, index in enumerate(places) if self._entries[index] == self._chosen), 0)
        target = places[min(max(0, now + lines), len(places) - 1)]
        self._chosen = self._entries[target]
        self._show()
        self.query_one("#devices", Lines).reveal(target)

    def page(self) -> int:
        return self.query_one("#devices", Lines).page

    def action_open(self) -> None:
        if (run := self._run()) is not None:
            self.vitui.open_run(run.id)

    def action_hold(self) -> None:
        if (run := self._run()) is not None:
            name, lab = safe(run.name or run.id, 40), self.vitui.lab
            if run.held:
                self.vitui.carry_out(f"{name} may start again", [partial(lab.release, run.id)])
            else:
                self.vitui.carry_out(f"{name} is held", [partial(lab.hold, run.id)])

    def _place(self, choose: Callable[[int, int], int]) -> None:
        """Move the run under the cursor to the place `choose` makes of its own and the number of waiting runs."""
        if (run := self._run()) is None or self._view is None:
            return
        ids = [one.id for one in self._view.queue.waiting]
        now = ids.index(run.id) + 1
        target = min(max(1, choose(now, len(ids))), len(ids))
        if target != now:
            done = f"{safe(run.name or run.id, 40)} has place {target} of {len(ids)}"
            self.vitui.carry_out(done, [partial(self.vitui.lab.move, run.id, target)])

    def action_sooner(self) -> None:
        self._place(lambda now, _: now - 1)

    def action_later(self) -> None:
        self._place(lambda now, _: now + 1)

    def action_next(self) -> None:
        self._place(lambda *_: 1)

    def action_last(self) -> None:
        self._place(lambda _, count: count)

    def action_stop(self) -> None:
        if (run := self._run()) is not None:
            control.stop(self.vitui, [run])

    def action_unpause(self) -> None:
        self.vitui.carry_out("the queue goes on", [self.vitui.lab.unpause])

    def action_wake_worker(self) -> None:
        self.vitui.carry_out("a worker serves the queue", [self.vitui.lab.tend])

    def action_log(self) -> None:
        self.toggle_class("logged")
        self.vitui.remembered.put(self.KIND, {"log": self.has_class("logged")})

    def action_back(self) -> None:
        self.vitui.go("runs")
