"""The app: screens, the poller, carrying out what a person asked for. Its own loop never touches the lab."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.message import Message
from textual.screen import Screen

from vitui.errors import VitError
from vitui.text import safe
from vitui.tui.actions import on_screen
from vitui.tui.clipboard import copy
from vitui.tui.messages import Gone, ReadFailed, Seen
from vitui.tui.poller import Poller
from vitui.tui.remembered import Remembered
from vitui.tui.screens.base import LabScreen
from vitui.tui.screens.compare import CompareScreen
from vitui.tui.screens.devices import DevicesScreen
from vitui.tui.screens.launch import LaunchScreen
from vitui.tui.screens.run import RunScreen
from vitui.tui.screens.runs import RunsScreen
from vitui.tui.theme import DARK, palette_for

if TYPE_CHECKING:
    from vitui.lab import Lab

Severity = Literal["information", "warning", "error"]


class VituiApp(App[None]):
    """One app for one lab. `crash` is the error that ended it, None for an orderly end."""

    TITLE = "vitui"
    CSS_PATH = [f"css/{name}.tcss" for name in ("base", "dialogs", "runs", "run", "launch", "compare", "devices")]
    BINDINGS = [Binding("ctrl+c,ctrl+q", "leave", show=False, priority=True)]

    def __init__(self, lab: Lab, run_id: str | None = None, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.lab = lab
        self.clock = clock
        self.crash: BaseException | None = None
        self.trouble = ""
        """Why the lab cannot be read just now; empty when it can."""
        self._first_run = run_id
        # Every animated frame is sent over the line: one animated page turn is 470 kB.
        self.animation_level = "none"
        self.register_theme(DARK)
        self.theme, self.palette = palette_for(self.console.color_system, grey=self.no_color)
        self.poller = Poller(lab, self._post, clock)
        self.remembered = Remembered(lab.home)
        """How the views were left: columns, filters, axes."""
        self.runs_screen = RunsScreen()
        self.launch_screen = LaunchScreen()
        self.compare_screen = CompareScreen()
        self.devices_screen = DevicesScreen()

    def on_mount(self) -> None:
        for screen in (self.launch_screen, self.compare_screen, self.devices_screen):
            self.install_screen(screen, screen.KIND)
        self.push_screen(self.runs_screen)
        if self._first_run is not None:
            self.open_run(self._first_run)
        self.poller.start()
        for message in self.lab.messages:
            self.tell(message, "warning")

    def on_ready(self) -> None:
        if not self.is_headless:
            # What exists now lives as long as the app: keep the collector from walking it again and again.
            gc.collect()
            gc.freeze()
            gc.set_threshold(50_000, 20, 20)

    def on_unmount(self) -> None:
        self.poller.stop()

    def tell(self, text: str, severity: Severity = "information") -> None:
        """A short note in the corner. Any text is safe here."""
        self.notify(safe(text, 400), severity=severity, markup=False, timeout=4 if severity == "information" else 8)

    def copy(self, text: str, what: str) -> None:
        """Put `text` on the clipboard and say truthfully whether it got there; `what` names it in that sentence."""
        self.tell(copy(self, text, what))

    def carry_out(self, done: str, jobs: Sequence[Callable[[], object]]) -> None:
        """Do `jobs` in a thread, then say `done` or what went wrong, and look at the lab at once."""

        def work() -> None:
            problems = []
            for job in jobs:
                try:
                    job()
                except VitError as error:
                    problems.append(str(error))
                except Exception as error:  # a fault of the lab must not close the window on the other runs
                    problems.append(f"{type(error).__name__}: {error}")
            self.poller.wake()
            for problem in problems[:3]:
                self.call_from_thread(self.tell, problem, "error")
            if len(problems) < len(jobs):
                self.call_from_thread(self.tell, done)

        self.run_worker(work, thread=True, group="lab", exit_on_error=False)

    # -- screens -------------------------------------------------------------------------------------------------

    def go(self, kind: str) -> None:
        """Bring one of the top screens to the front; what lies over the list is left. Their contents are kept."""
        if isinstance(self.screen, LabScreen) and kind == self.screen.KIND:
            return
        while len(self.screen_stack) > 1 and self.screen is not self.runs_screen:
            self.pop_screen()
        if kind != "runs":
            self.push_screen(kind)

    def open_run(self, run_id: str) -> None:
        """Open the Run screen of one run."""
        self.push_screen(RunScreen(run_id))

    def compare(self, run_ids: Sequence[str]) -> None:
        """Open the Compare screen on these runs."""
        self.compare_screen.choose(run_ids)
        self.go("compare")

    def start_from(self, run_id: str) -> None:
        """Open the Launch screen with the recipe of a run in its form: clone and edit."""
        self.launch_screen.start_from(run_id)
        self.go("launch")

    # -- messages of the poller ----------------------------------------------------------------------------------

    def _post(self, message: Message) -> None:
        self.post_message(message)

    def on_seen(self, message: Seen) -> None:
        with self.batch_update():
            for screen in self.screen_stack:
                if isinstance(screen, LabScreen):
                    screen.see(message.view)
        self.poller.drawn()

    def on_gone(self, message: Gone) -> None:
        for screen in list(self.screen_stack):
            if isinstance(screen, LabScreen):
                screen.gone(message.subject)
        self.poller.drawn()

    def on_read_failed(self, message: ReadFailed) -> None:
        self.trouble = f"the lab cannot be read: {safe(message.reason, 200)}" if message.reason else ""
        for screen in self.screen_stack:
            if isinstance(screen, LabScreen):
                screen.show_trouble()

    # -- everywhere ----------------------------------------------------------------------------------------------

    def action_leave(self) -> None:
        self.exit()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The command palette: the actions of the screen in front, from the same table as the keys."""
        if isinstance(screen, LabScreen):
            for action in on_screen(screen.KIND):
                if action.palette:
                    run = getattr(screen, f"action_{action.method}")
                    yield SystemCommand(f"{action.label}  ({action.shown})", action.help, run)

    def _handle_exception(self, error: Exception) -> None:
        if self.crash is None:
            self.crash = error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        # Textual would print a page of locals over the terminal; `run_tui` writes the report to a file instead.
        self._close_messages_no_wait()
