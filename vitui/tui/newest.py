"""Questions whose older ones do not matter: one is worked on at a time, and of those that wait only the newest."""

from __future__ import annotations

import threading
from collections.abc import Callable

Job = Callable[[], None]


class Newest:
    """Does jobs in a thread of its own. A job that is put while another is done replaces the one that waits.

    A daemon thread: leaving the app never waits for it. A job must not raise; it hands its answer over itself.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._waiting: Job | None = None
        self._busy = False

    def put(self, job: Job) -> None:
        """Do `job` as soon as the one in progress is over, unless a newer one comes first. Returns at once."""
        with self._lock:
            self._waiting = job
            if self._busy:
                return
            self._busy = True
        threading.Thread(target=self._work, name=self._name, daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                job, self._waiting = self._waiting, None
                if job is None:
                    self._busy = False
                    return
            try:
                job()
            except BaseException:
                with self._lock:
                    self._busy = False
                raise
