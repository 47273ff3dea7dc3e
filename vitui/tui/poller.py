"""The one thread that reads the lab. It throttles itself: nothing is read before the last picture was drawn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from vitui.errors import NotFound
from vitui.tui.messages import ReadFailed, RunGone, RunRead, RunsRead
from vitui.tui.views import RunReader, RunsReader

if TYPE_CHECKING:
    from vitui.lab import Lab

RUNS_PERIOD = 0.7
"""Seconds between looks at the list: with the worker's quarter second, an event is on screen within one."""
RUN_PERIOD = 0.35
FAILED_PERIOD = 2.0
DRAW_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Watch:
    """What is on the screen: the list, or one run (`window`: its steps in view)."""

    runs: bool = True
    run_id: str | None = None
    window: tuple[float, float | None] | None = None


class Poller:
    """Reads what is watched and posts what changed. `post` must be safe to call from this thread."""

    def __init__(self, lab: Lab, post: Callable[[Message], object], clock: Callable[[], float] = time.time) -> None:
        self._lab = lab
        self._post = post
        self._clock = clock
        self._watch = Watch()
        self._wake = threading.Event()
        self._drawn = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._loop, name="vitui-poller", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread; waits for the reading in progress."""
        self._stopped = True
        self._wake.set()
        self._drawn.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=DRAW_TIMEOUT)

    def watch(self, watch: Watch) -> None:
        """Read this from now on; at once if it is something else."""
        if watch != self._watch:
            self._watch = watch
            self._wake.set()

    def wake(self) -> None:
        """Look now: something was just done."""
        self._wake.set()

    def drawn(self) -> None:
        """The last picture is on the screen; the next one may be made."""
        self._drawn.set()

    def _loop(self) -> None:
        runs = RunsReader(self._lab)
        run: RunReader | None = None
        failed, before = "", Watch(runs=False)
        while not self._stopped:
            watch = self._watch
            try:
                if watch.runs:
                    if not before.runs:
                        runs.forget()
                    message: Message | None = RunsRead(view) if (view := runs.read(self._clock())) else None
                else:
                    if run is None or before.run_id != watch.run_id:
                        run = RunReader(self._lab, watch.run_id or "")
                    found = run.read(self._clock(), watch.window)
                    message = RunRead(found) if found else None
                before = watch
                if failed:
                    failed = ""
                    self._post(ReadFailed(""))
            except NotFound:
                message = RunGone(watch.run_id or "")
                self._watch = Watch()
            except Exception as error:  # whatever it is, the screen stays and says so; the next look may work
                message = None
                if (reason := f"{type(error).__name__}: {error}") != failed:
                    failed = reason
                    self._post(ReadFailed(failed))
            if message is not None and not self._stopped:
                self._drawn.clear()
                self._post(message)
                self._drawn.wait(DRAW_TIMEOUT)
            if watch == self._watch:
                self._wake.wait(FAILED_PERIOD if failed else RUNS_PERIOD if watch.runs else RUN_PERIOD)
            self._wake.clear()
