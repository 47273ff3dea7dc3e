"""The queue worker of one home: ``python -m vitui.supervisor.worker HOME``. One detached process, started on demand.

It holds no state that is not in lab.db or the run directories, so killing it at any instant costs nothing: trainings
go on under their runners, and the next worker attaches to them. It is gone when nothing waits or runs.
"""

from __future__ import annotations

import argparse
import fcntl
import logging
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from vitui.errors import UsageError, VitError
from vitui.store import LIVE, WAITING, Run, Store, runs
from vitui.store.ingest import ingest
from vitui.supervisor import breaker, leases
from vitui.supervisor.attempts import Settings, handle_of, places_of, run_dir_of, settle, start
from vitui.supervisor.devices import Device, inventory, matching
from vitui.supervisor.ensure import sign
from vitui.supervisor.judge import read_exit
from vitui.supervisor.launchers import Launcher, Status
from vitui.supervisor.launchers.local import LocalLauncher
from vitui.supervisor.leases import Place
from vitui.supervisor.runner import bound_console
from vitui.supervisor.schedule import Live, Start, Waiting, schedule

log = logging.getLogger("vitui.worker")

WAKE_ON = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD})
SCHEDULE_S = 2.0
"""How often waiting runs are looked at when only the world outside the database can have changed."""
TROUBLE_PAUSE_S = 1.0
"""Between looks while the database cannot be used (its disk is full, it is being made anew)."""
MISSING_S = 10.0
"""A database that is gone for longer is not being rebuilt."""

_QUEUE_ORDER = "SELECT group_concat(run || ':' || held) FROM (SELECT run, held FROM queue ORDER BY position)"


@dataclass
class Watch:
    """What one worker remembers between looks. All of it can be lost: it only saves work."""

    store: Store
    launcher: Launcher
    settings: Settings
    seen: int = -1
    live: list[Run] = field(default_factory=list)
    waiting: list[Run] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    order: str = ""
    paused: str = ""
    shape: tuple[str, ...] = ()
    journal_sizes: dict[str, int] = field(default_factory=dict)
    scheduled: float = 0.0
    complaint: str = ""

    def complain(self, complaint: str) -> bool:
        """Whether this trouble is news; the same one again and again would fill the log."""
        news, self.complaint = complaint != self.complaint, complaint
        return news

    @contextmanager
    def trouble_of(self, run: Run) -> Iterator[None]:
        """One run's trouble (its files cannot be read) is logged and must not keep the worker from the others."""
        try:
            yield
        except (sqlite3.Error, VitError):
            raise
        except Exception as error:
            if self.complain(f"run {run.id}: {type(error).__name__}: {error}"):
                log.exception("run %s", run.id)


def tick(watch: Watch) -> None:
    """One look at everything: read journals, settle what ended, pass stops on, start what can start."""
    changed = _refresh(watch)
    if watch.live:
        statuses = watch.launcher.poll([handle_of(run) for run in watch.live])
        for run, status in zip(watch.live, statuses, strict=True):
            with watch.trouble_of(run):
                _look_after(watch, run, status)
    if _refresh(watch):
        changed = True
    now = time.monotonic()
    if watch.waiting and (changed or now - watch.scheduled >= SCHEDULE_S):
        watch.scheduled = now
        _place(watch)


def _refresh(watch: Watch) -> bool:
    """Read the live and waiting runs again if somebody has written; whether other runs live or wait than before.

    Our own reading of journals writes several times a second, so a long queue is fetched only when it has changed.
    """
    token = watch.store.changes_token()
    if token == watch.seen:
        return False
    db = watch.store.reading()
    order: str = db.execute(_QUEUE_ORDER).fetchone()[0] or ""
    live = runs.list_runs(db, states=LIVE, include_archived=True)
    shape = (order, breaker.paused(db), *(run.id for run in live))
    changed = shape != watch.shape
    if order != watch.order:
        watch.waiting = runs.list_runs(db, states=WAITING, include_archived=True)
        watch.reasons = {run.id: run.reason for run in watch.waiting}
    watch.live, watch.order, watch.paused, watch.shape, watch.seen = live, order, shape[1], shape, token
    return changed


def _look_after(watch: Watch, run: Run, status: Status) -> None:
    run_dir = run_dir_of(watch.store, run.id)
    exit = read_exit(run_dir.attempt(run.attempt))  # before the journal: what it says is then complete
    over = exit is not None or not status.alive
    size = run_dir.journal.stat().st_size if run_dir.journal.exists() else 0
    if over or size != watch.journal_sizes.get(run.id):
        if ingest(watch.store, run_dir).more:
            return  # a long backlog: the others first, the rest at the next look
        watch.journal_sizes[run.id] = size
    if not over:
        if status.launched and not status.supervised and not status.host:
            bound_console(str(run_dir.console))  # its runner is dead: its duty is ours
        if run.stop_requested is not None:
            watch.launcher.cancel(handle_of(run))
        return
    found = settle(watch.store, watch.launcher, run, status, exit)
    watch.journal_sizes.pop(run.id, None)
    if found is not None and found.own_fault:
        breaker.consider(watch.store)


def _place(watch: Watch) -> None:
    machine = inventory()
    waiting = [Waiting(run.id, run.position or 0, run.device, run.gpus, run.held) for run in watch.waiting]
    live = [Live(run.id, places_of(run)) for run in watch.live]
    mine = {place for run in live for place in run.places}
    wanted = {device.key for run in waiting if not run.held for device in matching(run.device, machine.devices)}
    paused = watch.paused
    leased: list[Place] = []
    try:
        leased = [place for place in _slots(machine.devices, wanted) if place not in mine and _held(watch, place)]
    except OSError as error:
        paused = paused or f"device leases cannot be used: {error}"
    by_id = {run.id: run for run in watch.waiting}
    reasons: dict[str, str] = {}
    for action in schedule(waiting, live, machine.devices, leased, paused, machine.trouble):
        run = by_id[action.run_id]
        if isinstance(action, Start):
            with watch.trouble_of(run):
                start(watch.store, watch.launcher, run, action.places, machine.devices, watch.settings)
        elif action.reason != watch.reasons.get(run.id):
            reasons[run.id] = action.reason
    if reasons:
        watch.reasons |= reasons
        with watch.store.writing() as db:
            for run_id, reason in reasons.items():
                runs.set_reason(db, run_id, reason)


def _slots(machine: Sequence[Device], keys: set[str]) -> list[Place]:
    return [Place(device.key, slot) for device in machine if device.key in keys for slot in range(device.slots)]


def _held(watch: Watch, place: Place) -> bool:
    return leases.held(leases.path(watch.store.home, place, watch.settings.leases))


def _leave(watch: Watch, lock: int) -> bool:
    """Give the worker's lock up if nothing waits or runs; whether it was.

    Decided and done inside one write transaction: a client that queues a run after it finds the lock free, one that
    queued before it is seen here.
    """
    with watch.store.writing() as db:
        if runs.list_runs(db, states={"queued", "starting", "running"}, include_archived=True, limit=1):
            return False
        fcntl.flock(lock, fcntl.LOCK_UN)  # also for the copy of the descriptor that a client may still hold
        return True


def serve(home: Path, lock: int, ready: int | None = None, settings: Settings | None = None) -> int:
    """Work until nothing is left to do or SIGTERM; trainings are never touched by leaving. Returns the exit code.

    `lock`: descriptor of worker.lock, already locked; `ready`: pipe that gets b"1" once every live run is attached.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, WAKE_ON)
    sign(lock)
    watch = Watch(Store(home), LocalLauncher(home / "runs"), settings or Settings())
    trouble_since: float | None = None
    while True:
        pause = watch.settings.poll_s
        try:
            tick(watch)
            trouble_since = None
            if ready is not None:
                with suppress(BrokenPipeError):  # the client may have been killed meanwhile; its run was not
                    os.write(ready, b"1")
                os.close(ready)
                ready = None
            if not watch.live and not watch.waiting and _leave(watch, lock):
                return 0
        except UsageError as error:  # the database is a newer program's now; its own worker must be able to start
            log.error("%s; leaving", error)
            return 0 if ready is None else 1
        except Exception as error:
            if watch.complain(f"{type(error).__name__}: {error}"):
                log.exception("trying again")
            if ready is not None:
                return 1  # the client that waits for us shall know
            pause = TROUBLE_PAUSE_S
            trouble_since = trouble_since or time.monotonic()
            if not watch.store.exists and time.monotonic() - trouble_since > MISSING_S:
                log.error("%s has been gone for %g s; leaving", watch.store.path, MISSING_S)
                return 1
        info = signal.sigtimedwait(WAKE_ON, pause)
        if info is not None and info.si_signo in (signal.SIGTERM, signal.SIGINT):
            log.info("asked to leave; %d runs go on without a worker", len(watch.live))
            return 0


def main(argv: Sequence[str] | None = None, settings: Settings | None = None) -> int:
    """Command line of the worker. 4 when another worker has this home."""
    parser = argparse.ArgumentParser(prog="python -m vitui.supervisor.worker", description="Serve one home's queue.")
    parser.add_argument("home", type=Path)
    parser.add_argument("--ready-fd", type=int, help="pipe to tell that this worker is up")
    parser.add_argument("--lock-fd", type=int, help="descriptor of worker.lock, already locked")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    lock = options.lock_fd
    if lock is None:
        lock = os.open(options.home / "worker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"another worker serves {options.home}", file=sys.stderr)
            return 4
    for fd in (lock, options.ready_fd):
        if fd is not None:
            os.set_inheritable(fd, False)  # runners must not keep them
    return serve(options.home, lock, options.ready_fd, settings)


if __name__ == "__main__":
    sys.exit(main())
