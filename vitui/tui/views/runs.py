"""The list of runs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitui.store import LIVE, WAITING

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.store import Run


@dataclass(frozen=True, slots=True)
class RunsView:
    """The list of runs. `paused`: why the queue starts nothing, None while it does."""

    rows: tuple[Run, ...]
    paused: str | None
    now: float


@dataclass(frozen=True, slots=True)
class RunsWatch:
    """The list of runs."""

    subject = "runs"
    period = 0.7
    """With the worker's quarter second, an event is on screen within one."""

    def reader(self, lab: Lab) -> RunsReader:
        return RunsReader(lab)


class RunsReader:
    """Reads the list of runs as often as it changes, but spends at most PART of the time on it.

    A list of ten thousand takes its time to read; while that is not due, only live and waiting runs are read anew,
    and those that have just ended. Used by one thread.
    """

    PART = 0.05

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._rows: dict[str, Run] = {}
        self._active: set[str] = set()
        self._token: int | None = None
        self._whole_due = 0.0
        self._stale = True
        self._paused: str | None = None
        self._given = False

    def read(self, now: float, watch: RunsWatch) -> RunsView | None:
        """The list, or None when it is what it was."""
        token = self._lab.changes_token()
        clock = time.monotonic()
        if token == self._token and not (self._stale and clock >= self._whole_due):
            return None
        if clock >= self._whole_due:
            rows = {run.id: run for run in self._lab.runs()}
            self._whole_due = clock + (time.monotonic() - clock) / self.PART
            self._stale = False
        else:
            rows = self._refreshed()
            self._stale = True
        self._token = token
        self._active = {run.id for run in rows.values() if run.state in LIVE | WAITING}
        # Equal rows stay the same objects, so that the table sees at a glance which ones changed.
        known = self._rows
        rows = {key: known[key] if known.get(key) == run else run for key, run in rows.items()}
        paused = self._lab.queue().paused if self._active else None
        if self._given and paused == self._paused and list(rows.items()) == list(self._rows.items()):
            return None
        self._rows, self._paused, self._given = rows, paused, True
        return RunsView(tuple(rows.values()), paused, now)

    def _refreshed(self) -> dict[str, Run]:
        active = {run.id: run for run in self._lab.runs(states=LIVE | WAITING)}
        fresh = {key: run for key, run in active.items() if key not in self._rows}
        rows = {**fresh, **self._rows, **active}
        for gone in self._active - active.keys():
            rows[gone] = self._lab.run(gone)
        return rows

    def forget(self) -> None:
        """Give the whole list again at the next reading."""
        self._token, self._whole_due, self._given = None, 0.0, False
