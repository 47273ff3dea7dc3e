"""The app: screens, the poller, carrying out what a person asked for. Its own loop never touches the lab."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, cast

from rich.style import Style
from textual._compositor import CompositorUpdate
from textual.binding import Binding
from textual.message import Message
from textual.notifications import Notify
from textual.screen import Screen

from vitui.errors import VitError
from vitui.settings import Settings
from vitui.text import safe
from vitui.tui.clipboard import deliver
from vitui.tui.configured import ConfiguredApp
from vitui.tui.ends import ALARMS, sentence
from vitui.tui.messages import Ended, Gone, ReadFailed, Seen
from vitui.tui.painted import Painted, fills_what_it_erases
from vitui.tui.poller import Poller
from vitui.tui.remembered import Remembered
from vitui.tui.screens.base import LabScreen
from vitui.tui.screens.run import RunScreen
from vitui.tui.screens.runs import RunsScreen
from vitui.tui.views.devices import History
from vitui.tui.views.runs import RunsView

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.store import Run
    from vitui.tui.screens.compare import CompareScreen
    from vitui.tui.screens.launch import LaunchScreen
    from vitui.tui.screens.study import StudyScreen

MOST_NOTES = 4
Severity = Literal["information", "warning", "error"]


RESIZE_S = 0.03
"""Seconds in which the parts of a screen find their places for a new size."""


def _launch() -> LabScreen:
    from vitui.tui.screens.launch import LaunchScreen

    return LaunchScreen()


def _compare() -> LabScreen:
    from vitui.tui.screens.compare import CompareScreen

    return CompareScreen()


def _studies() -> LabScreen:
    from vitui.tui.screens.studies import StudiesScreen

    return StudiesScreen()


def _scoreboard() -> LabScreen:
    from vitui.tui.screens.scoreboard import ScoreboardScreen

    return ScoreboardScreen()


def _devices() -> LabScreen:
    from vitui.tui.screens.devices import DevicesScreen

    return DevicesScreen()


class VituiApp(ConfiguredApp):
    """One app for one lab. `crash` is the error that ended it, None for an orderly end."""

    TITLE = "vitui"
    CSS_PATH = [
        f"css/{name}.tcss" for name in ("base", "dialogs", "runs", "run", "launch", "compare", "devices", "studies")
    ]
    BINDINGS = [Binding("ctrl+c,ctrl+q", "leave", show=False, priority=True)]
    # Made, and their modules loaded, when they are first asked for: the first frame must not wait for them.
    SCREENS = {
        "launch": _launch, "compare": _compare, "devices": _devices, "studies": _studies, "scoreboard": _scoreboard,
    }  # fmt: skip

    def __init__(
        self,
        lab: Lab,
        run_id: str | None = None,
        *,
        clock: Callable[[], float] = time.time,
        settings: Settings | None = None,
    ) -> None:
        """Raises UsageError for keys in `settings` that cannot be."""
        super().__init__(settings or Settings(), Remembered(lab.home))
        self.lab = lab
        self.clock = clock
        self.crash: BaseException | None = None
        self.trouble = ""
        """Why the lab cannot be read just now; empty when it can."""
        self.runs_known: Sequence[Run] = ()
        """The runs as they were last listed."""
        self.study_draft: dict[str, str] = {}
        """What stood in the form of a new study when it was left."""
        self._views: dict[type, object] = {}
        self._first_run = run_id
        self._painted = Painted(erases=fills_what_it_erases(os.environ.get("TERM", "")))
        self._drawn_once = False
        self._leaving = False
        self.poller = Poller(lab, self._post, clock)
        self.history = History(lab.inventory)
        self.runs_screen = RunsScreen()

    def on_mount(self) -> None:
        self.push_screen(self.runs_screen)
        if self._first_run is not None:
            self.open_run(self._first_run)
        # An editor, or a shell after ctrl+z, has had the terminal meanwhile.
        self.app_resume_signal.subscribe(self, lambda _: self._painted.forget())
        self.poller.start()
        self.history.start()
        for message in self.lab.messages:
            self.tell(message, "warning")

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if isinstance(renderable, CompositorUpdate):
            renderable = self._painted.only_new(renderable, self.size)
        super()._display(screen, renderable)

    @property
    def _background_screens(self) -> list[Screen[Any]]:
        """Textual takes the screen below an opaque one for visible too, and lays it out at every resize."""
        opaque = bool(self._screen_stack) and self.screen.styles.background.a == 1
        return [] if opaque else super()._background_screens

    def on_resize(self) -> None:
        """One picture for a new size: the parts of a screen find their places one after the other.

        Also where the size is what it was: it may have been another one for a moment, and the terminal cut its lines.
        """
        if self._drawn_once:
            self._begin_batch()
            self.set_timer(RESIZE_S, self._show_resized)

    def _show_resized(self) -> None:
        self._end_batch()
        if self._batch_count:  # the size has changed again
            return
        self._painted.forget()
        if isinstance(self.screen, LabScreen) and self.screen._layout_required:
            self.screen.check_idle()  # it will be laid out now, and drawn with that
        else:
            self.screen.refresh()

    def on_ready(self) -> None:
        self._drawn_once = True
        if not self.is_headless:
            # What exists now lives as long as the app: keep the collector from walking it again and again.
            gc.collect()
            gc.freeze()
            gc.set_threshold(50_000, 20, 20)
            gc.enable()  # `run_tui` had turned it off

    def on_unmount(self) -> None:
        self.poller.stop()
        self.history.stop()
        self.remembered.close()

    def tell(self, text: str, severity: Severity = "information") -> None:
        """A short note in the corner. Any text is safe here."""
        self.notify(safe(text, 400), severity=severity, markup=False, timeout=4 if severity == "information" else 8)

    def on_notify(self, event: Notify) -> None:
        """A held key must not cover the screen: a note takes the place of an older one of the same words, and only
        the newest MOST_NOTES stand."""
        others = [note for note in self._notifications if note.message != event.notification.message]
        kept = others[-(MOST_NOTES - 1) :]
        for note in [note for note in self._notifications if note not in kept]:
            self._unnotify(note, refresh=False)

    def copy(self, text: str, what: str) -> None:
        """Put `text` on the clipboard and say truthfully whether it got there; `what` names it in that sentence."""
        self.copy_to_clipboard(text)

        def work() -> None:
            self.call_from_thread(self.tell, deliver(text, what, self.lab.home))

        self.run_worker(work, thread=True, group="clipboard", exit_on_error=False)

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

    @property
    def launch_screen(self) -> LaunchScreen:
        return cast("LaunchScreen", self.get_screen("launch"))

    @property
    def compare_screen(self) -> CompareScreen:
        return cast("CompareScreen", self.get_screen("compare"))

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

    def open_study(self, name: str) -> StudyScreen:
        """Open the screen of one study, in the place of another one's."""
        from vitui.tui.screens.study import StudyScreen

        if isinstance(self.screen, StudyScreen):
            self.pop_screen()
        screen = StudyScreen(name)
        self.push_screen(screen)
        return screen

    def show_runs(self, filter: str) -> None:
        """Open the list of runs with this filter."""
        self.go("runs")
        self.runs_screen.arranged(replace(self.runs_screen.arrangement, filter=filter))

    def launch_with(self, preset: str, sets: Sequence[str] = ()) -> None:
        """Open the Launch screen with a preset in its form, and words of --set."""
        self.launch_screen.take_preset(preset, sets)
        self.go("launch")

    def lab_screens(self) -> list[LabScreen]:
        tops = [s for s in self._installed_screens.values() if isinstance(s, LabScreen) and s.is_mounted]
        return [*super().lab_screens(), *(s for s in tops if s not in self.screen_stack)]

    def restyle(self, change: Mapping[Style, Style]) -> None:
        """Draw every screen again, from what was last read."""
        for screen in self.lab_screens():
            screen.restyle(change)
            for view in self._views.values():
                screen.see(view)

    # -- messages of the poller ----------------------------------------------------------------------------------

    def _post(self, message: Message) -> None:
        self.post_message(message)

    def exit(self, *arguments: Any, **named: Any) -> None:
        self._leaving = True
        super().exit(*arguments, **named)

    def on_seen(self, message: Seen) -> None:
        if self._leaving:  # a picture that was on its way: its widgets may be gone already
            return
        self._views[type(message.view)] = message.view
        if isinstance(message.view, RunsView):
            self.runs_known = message.view.rows
        with self.batch_update():
            for screen in self.screen_stack:
                if isinstance(screen, LabScreen):
                    screen.see(message.view)
                    screen.show_keys()
        self.poller.drawn()

    def on_gone(self, message: Gone) -> None:
        for screen in list(self.screen_stack):
            if isinstance(screen, LabScreen):
                screen.gone(message.subject)
        self.poller.drawn()

    def on_ended(self, message: Ended) -> None:
        """A run has ended, whatever is on the screen: say so, and ring where that is bad news."""
        bad = message.run.state in ALARMS
        if self.settings.notify:
            self.tell(sentence(message.run), "error" if bad else "information")
        if self.settings.bell:
            self.bell()

    def on_read_failed(self, message: ReadFailed) -> None:
        self.trouble = f"the lab cannot be read: {safe(message.reason, 200)}" if message.reason else ""
        for screen in self.screen_stack:
            if isinstance(screen, LabScreen):
                screen.show_trouble()

    # -- everywhere ----------------------------------------------------------------------------------------------

    def action_leave(self) -> None:
        self.exit()

    def _handle_exception(self, error: Exception) -> None:
        if self.crash is None:
            self.crash = error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        # Textual would print a page of locals over the terminal; `run_tui` writes the report to a file instead.
        self._close_messages_no_wait()
