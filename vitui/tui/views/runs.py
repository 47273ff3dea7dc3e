"""The list of runs, with whatever else is asked of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vitui.errors import NotFound
from vitui.query.fields import ANY, Field, Fields, Values
from vitui.store import LIVE, WAITING

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.store import Run


@dataclass(frozen=True, slots=True)
class RunsView:
    """The list of runs. `paused`: why the queue starts nothing, None while it does.

    `values`: of the fields that the watch asked for. `fields`: all there are, as far as that is known yet. `pending`:
    some values are still to come.
    """

    rows: tuple[Run, ...]
    paused: str | None
    now: float
    values: Values = field(default_factory=dict)
    fields: Fields = ANY
    pending: bool = False


@dataclass(frozen=True, slots=True)
class RunsWatch:
    """The list of runs. `fields`: those whose values are to come with it; `archived`: with the archived ones."""

    fields: tuple[Field, ...] = ()
    archived: bool = False

    subject = "runs"
    period = 0.5
    """With the worker's quarter second, an event is on screen within one."""

    def reader(self, lab: Lab) -> RunsReader:
        return RunsReader(lab)


class RunsReader:
    """Reads the list of runs as often as it changes, but spends at most PART of the time on it.

    A list of ten thousand takes its time to read; while that is not due, only live and waiting runs are read anew,
    and those that have just ended. Used by one thread.
    """

    PART = 0.05
    FIELDS_EVERY = 60.0
    """Seconds until it is looked again which recipe fields and metrics there are."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._rows: dict[str, Run] = {}
        self._active: set[str] = set()
        self._token: int | None = None
        self._archived = False
        self._whole_due = 0.0
        self._stale = True
        self._paused: str | None = None
        self._given = False
        self._values = ValuesReader(lab)
        self._fields = ANY
        self._fields_due: float | None = None

    def read(self, now: float, watch: RunsWatch) -> RunsView | None:
        """The list, or None when it is what it was."""
        token = self._lab.changes_token()
        clock = time.monotonic()
        if watch.archived != self._archived:
            self._archived, self._whole_due, self._token = watch.archived, 0.0, None
        changed = token != self._token or (self._stale and clock >= self._whole_due)
        new_fields = self._look_for_fields(clock)
        if not changed and not new_fields and not self._values.due(watch.fields):
            return None
        rows, paused, whole = self._rows, self._paused, False
        if changed:
            whole = clock >= self._whole_due
            rows = self._listed(whole)
            self._token, self._stale = token, not whole
            self._active = {run.id for run in rows.values() if run.state in LIVE | WAITING}
            paused = self._lab.queue().paused if self._active else None
        same = not changed or list(rows.items()) == list(self._rows.items())
        new_values = self._values.read(watch.fields, rows, whole=whole)
        if whole:
            self._whole_due = clock + (time.monotonic() - clock) / self.PART
        if self._given and same and paused == self._paused and not new_values and not new_fields:
            return None
        self._rows, self._paused, self._given = rows, paused, True
        return RunsView(
            tuple(rows.values()), paused, now, self._values.all, self._fields, self._values.due(watch.fields)
        )

    def _listed(self, whole: bool) -> dict[str, Run]:
        """All runs. Equal ones stay the same objects, so that the table sees at a glance which ones changed."""
        if whole:
            rows = {run.id: run for run in self._lab.runs(include_archived=self._archived)}
        else:
            rows = self._refreshed()
        known = self._rows
        return {key: known[key] if known.get(key) == run else run for key, run in rows.items()}

    def _refreshed(self) -> dict[str, Run]:
        active = {run.id: run for run in self._lab.runs(states=LIVE | WAITING, include_archived=self._archived)}
        fresh = {key: run for key, run in active.items() if key not in self._rows}
        rows = {**fresh, **self._rows, **active}
        for gone in self._active - active.keys():
            try:
                rows[gone] = self._lab.run(gone)
            except NotFound:  # deleted since it ended
                rows.pop(gone, None)
        return rows

    def _look_for_fields(self, clock: float) -> bool:
        """Not at the first look: the schema takes longer to load than the first frame may take."""
        if self._fields_due is None:
            self._fields_due = 0.0
            return False
        if clock < self._fields_due:
            return False
        old, self._fields = self._fields, self._lab.fields()
        self._fields_due = clock + self.FIELDS_EVERY
        return old is ANY or old.names() != self._fields.names()

    def forget(self) -> None:
        """Give the whole list again at the next reading."""
        self._token, self._whole_due, self._given = None, 0.0, False
        self._values.forget()


class ValuesReader:
    """Keeps the values of the fields asked for, and reads of them what may have changed, in bounded time.

    A recipe is never changed, so its fields are read once for each run. Metrics are read anew with the run's journal.
    """

    BUDGET_S = 0.15
    """For the slow ones (smoothed series, whole recipes) at one look; the rest comes with the next ones."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._columns: dict[str, dict[str, Any]] = {}
        self._seen: dict[str, dict[str, int]] = {}
        self._asked: tuple[Field, ...] = ()
        self._pending: set[str] = set()

    @property
    def all(self) -> Mapping[str, Mapping[str, Any]]:
        return {f.key: self._columns.get(f.key, {}) for f in self._asked}

    def due(self, fields: tuple[Field, ...]) -> bool:
        """Whether there is something to read although the list has not changed."""
        return fields != self._asked or bool(self._pending)

    def read(self, fields: tuple[Field, ...], rows: Mapping[str, Run], *, whole: bool) -> bool:
        """Bring the values of `fields` up to date. True when any is another one than it was."""
        changed = fields != self._asked
        self._asked = fields
        for key in self._columns.keys() - {f.key for f in fields}:
            del self._columns[key], self._seen[key]
        self._pending &= {f.key for f in fields}
        until = time.monotonic() + self.BUDGET_S
        for one in fields:
            changed |= self._read_one(one, rows, until, whole)
        return changed

    def _read_one(self, one: Field, rows: Mapping[str, Run], until: float, whole: bool) -> bool:
        old = self._columns.get(one.key, {})
        seen = self._seen.get(one.key, {})
        fixed = one.source == "recipe"
        versions = dict.fromkeys(rows, 0) if fixed else {key: run.journal_offset for key, run in rows.items()}
        # A study can take in or give up a run that has long ended.
        moving = one.source == "study"
        stale = [key for key, version in versions.items() if moving or seen.get(key) != version]
        gone = old.keys() - rows.keys() if whole else ()
        if not stale and not gone:
            self._pending.discard(one.key)
            return False
        slow = one.source == "smooth"
        if slow:
            # The runs that are looked at come first: the list is the newest first.
            found = self._lab.values(one, stale, until=until)
            done = found.keys()
        else:
            found = self._lab.values(one, None if len(stale) > len(rows) // 2 else stale)
            done = versions.keys() if len(stale) > len(rows) // 2 else stale  # type: ignore[assignment]
        new = {key: value for key, value in old.items() if key not in done and key not in gone}
        new |= {key: value for key, value in found.items() if value is not None and key in rows}
        self._seen[one.key] = {**{k: v for k, v in seen.items() if k in rows}, **{key: versions[key] for key in done}}
        if slow and len(done) < len(stale):
            self._pending.add(one.key)
        else:
            self._pending.discard(one.key)
        self._columns[one.key] = new
        return new != old

    def forget(self) -> None:
        self._asked = ()
