"""The one thread that reads the lab. It throttles itself: nothing is read before the last picture was drawn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from textual.message import Message

from vitui.errors import NotFound
from vitui.tui.ends import Ends
from vitui.tui.messages import Ended, Gone, ReadFailed, Seen
from vitui.tui.views.base import Reader, Watch
from vitui.tui.views.runs import RunsWatch

if TYPE_CHECKING:
    from vitui.lab import Lab

FAILED_PERIOD = 2.0
"""Seconds until a lab that could not be read is tried again."""
DRAW_TIMEOUT = 5.0


class Poller:
    """Reads what is watched and posts what changed. `post` must be safe to call from this thread."""

    def __init__(self, lab: Lab, post: Callable[[Message], object], clock: Callable[[], float] = time.time) -> None:
        self._lab = lab
        self._post = post
        self._clock = clock
        self._watch: Watch | None = RunsWatch()
        self._readers: dict[Hashable, Reader] = {}
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

    def watch(self, watch: Watch | None) -> None:
        """Read this from now on, None: nothing; at once if it is something else."""
        if watch != self._watch:
            self._watch = watch
            self._wake.set()

    def wake(self) -> None:
        """Look now: something was just done."""
        self._wake.set()

    def drawn(self) -> None:
        """The last picture is on the screen; the next one may be made."""
        self._drawn.set()

    def _reader(self, watch: Watch, before: Watch | None) -> Reader:
        """The reader of a subject. That of the list is kept: coming back to it must not read ten thousand runs anew."""
        reader = self._readers.get(watch.subject)
        if reader is None:
            self._readers = {key: kept for key, kept in self._readers.items() if key == RunsWatch.subject}
            reader = self._readers[watch.subject] = watch.reader(self._lab)
        elif before is None or before.subject != watch.subject:
            reader.forget()
        return reader

    def _loop(self) -> None:
        failed = ""
        ends = Ends(self._lab)
        before: Watch | None = None
        while not self._stopped:
            watch = self._watch
            message: Message | None = None
            try:
                if watch is not None:
                    view = self._reader(watch, before).read(self._clock(), watch)
                    message = None if view is None else Seen(view)
                before = watch
                for run in ends.read():
                    self._post(Ended(run))
                if failed:
                    failed = ""
                    self._post(ReadFailed(""))
            except NotFound:
                message = None if watch is None else Gone(watch.subject)
                if self._watch == watch:  # else a screen has asked for something else meanwhile
                    self._watch = RunsWatch()
            except Exception as error:  # whatever it is, the screen stays and says so; the next look may work
                if (reason := f"{type(error).__name__}: {error}") != failed:
                    failed = reason
                    self._post(ReadFailed(failed))
            if message is not None and not self._stopped:
                self._drawn.clear()
                self._post(message)
                self._drawn.wait(DRAW_TIMEOUT)
            if watch == self._watch:
                self._wake.wait(FAILED_PERIOD if failed else watch.period if watch is not None else RunsWatch.period)
            self._wake.clear()
