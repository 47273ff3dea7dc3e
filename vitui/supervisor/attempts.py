"""One attempt's beginning and end in the database: start it, settle it, or put the run back into the queue."""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import journal
from engine.journal import RunDir
from vitui.store import Run, Store, runs
from vitui.supervisor import leases
from vitui.supervisor.devices import Device
from vitui.supervisor.facts import facts
from vitui.supervisor.judge import end_columns
from vitui.supervisor.launchers import Handle, Launcher, Resources, Status
from vitui.supervisor.leases import Place
from vitui.supervisor.verdict import DEQUEUED, Verdict, verdict

log = logging.getLogger("vitui.worker")

UNBORN_LIMIT = 3
"""How often an attempt may vanish before its trainer was launched until the run counts as failed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What tests change. `engine`: the trainer's command without its arguments; `leases`: folder of GPU leases."""

    engine: Sequence[str] = (sys.executable, "-m", "engine")
    poll_s: float = 0.25
    grace_s: float = 60.0
    leases: Path | None = None


def run_dir_of(store: Store, run_id: str) -> RunDir:
    return RunDir(store.home / "runs" / run_id)


def handle_of(run: Run) -> Handle:
    """The launcher's handle; before it could be stored (the worker died), what it must have been."""
    return run.handle if run.handle and "attempt" in run.handle else {"run": run.id, "attempt": run.attempt}


def places_of(run: Run) -> tuple[Place, ...]:
    """The slots a live run was given."""
    return tuple(Place(str(key), int(slot)) for key, slot in (run.handle or {}).get("places", ()))


def trainer_argv(engine: Sequence[str], run_dir: RunDir, attempt: int, places: Sequence[Place]) -> tuple[str, ...]:
    """Command of the trainer; several GPUs go through torchrun, which starts one process on each."""
    device = "cpu" if places[0].key == "cpu" else "cuda"
    command = list(engine)
    if len(places) > 1:
        python, *rest = engine
        torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={len(places)}"]
        command = [python, *torchrun, *rest]
    return (*command, str(run_dir.path), "--attempt", str(attempt), "--device", device)


def trainer_env(places: Sequence[Place]) -> dict[str, str]:
    """What the trainer's environment has beside the worker's own."""
    visible = "" if places[0].key == "cpu" else ",".join(place.key for place in places)
    return {
        "PYTHONUNBUFFERED": "1",
        "PYTHONSAFEPATH": "1",  # folders of the run directory must not look like modules
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "CUDA_VISIBLE_DEVICES": visible,
    }


def start(
    store: Store, launcher: Launcher, run: Run, places: Sequence[Place], machine: Sequence[Device], settings: Settings
) -> bool:
    """Claim a queued run and launch its next attempt. False when the run was no longer waiting.

    The claim (queued -> starting) comes before anything that runs, so that two workers could not both start it.
    """
    run_dir = run_dir_of(store, run.id)
    attempt = max(run.attempt, _last_number(run_dir)) + 1
    by_key = {device.key: device for device in machine}
    placed = ", ".join("cpu" if p.key == "cpu" else f"{by_key[p.key].label} {by_key[p.key].name}" for p in places)
    handle: Handle = {"run": run.id, "attempt": attempt, "places": [list(place) for place in places]}
    with store.writing() as db:
        columns: dict[str, Any] = {"attempt": attempt, "placed": placed, "host": socket.gethostname()}
        if not runs.transition(db, run.id, "queued", "starting", handle=handle, launcher="local", **columns):
            return False
    try:
        launcher.submit(
            run_dir,
            Resources(
                attempt=attempt,
                argv=trainer_argv(settings.engine, run_dir, attempt, places),
                env=trainer_env(places),
                places=tuple(places),
                leases=tuple(leases.path(store.home, place, settings.leases) for place in places),
                device=placed,
                grace_s=settings.grace_s,
            ),
        )
    except OSError as error:
        with contextlib.suppress(OSError):
            run_dir.attempt(attempt).mkdir(exist_ok=True)
        _fail(store, run, run_dir, attempt, f"could not be started: {error.strerror or error}")
    return True


def settle(store: Store, launcher: Launcher, run: Run, status: Status, exit: dict[str, Any] | None) -> Verdict | None:
    """Move a run whose attempt is over, and whose journal is in the database, to its last state.

    `exit`: exit.json, None if there is none. Returns the verdict; None when there is none yet.
    """
    run_dir = run_dir_of(store, run.id)
    if exit is None:
        if status.alive:
            return None
        if not run_dir.path.is_dir():
            found = Verdict("lost", f"its directory {run_dir.path} is gone", at=time.time())
            _end(store, run, found, {})
            return found
        if not status.launched:
            return _unborn(store, run, run_dir)
        # Nobody saw it end, so nobody has ended what it started. Written down, so that a rebuilt database agrees.
        launcher.kill(handle_of(run))
        exit = _unseen_exit(run, run_dir, status)
        with contextlib.suppress(OSError):  # a full disk must not keep the run, and with it the device, "running"
            _write_exit(run_dir, run.attempt, exit)
    ended = verdict(exit, facts(run_dir.journal, run.attempt), alive=False, rebooted=status.rebooted)
    assert ended is not None
    found = ended
    if found.state == "queued":
        _requeue(store, run, found.evidence)
    else:
        _end(store, run, found, exit)
    return found


def _end(store: Store, run: Run, found: Verdict, exit: Mapping[str, Any]) -> None:
    with store.writing() as db:
        runs.transition(
            db,
            run.id,
            {"starting", "running"},
            found.state,
            evidence=found.evidence,
            at=found.at,
            **end_columns(found, exit),
        )
    log.info("run %s: %s, %s", run.id, found.state, found.evidence)


def _unseen_exit(run: Run, run_dir: RunDir, status: Status) -> dict[str, Any]:
    stop = journal.read_json(run_dir.attempt(run.attempt) / "stop.json")
    stop = stop if isinstance(stop, dict) else {}
    asked = stop.get("at") or (run.stop_requested if not status.rebooted else None)
    return {
        "reason": "reboot" if status.rebooted and not status.host else "gone",
        "host": status.host,
        "stop_requested": asked,
        "killed_after_grace": bool(stop.get("killed_after_grace")),
        "at": time.time(),
    }


def _unborn(store: Store, run: Run, run_dir: RunDir) -> Verdict | None:
    """Claimed, but its trainer was never launched and never will be: the worker died in between. Run it again."""
    tries = 0
    for number in reversed(run_dir.attempt_numbers()):
        folder = run_dir.attempt(number)
        if (folder / "launch.json").exists() or (folder / "exit.json").exists():
            break
        tries += 1
    if tries < UNBORN_LIMIT:
        _requeue(store, run, "its start was interrupted")
        return None
    return _fail(store, run, run_dir, run.attempt, f"its start was interrupted {tries} times; see worker.log")


def _fail(store: Store, run: Run, run_dir: RunDir, attempt: int, error: str) -> Verdict:
    """An attempt that never got a trainer."""
    found = Verdict("failed", error, at=time.time(), own_fault=True)
    exit = {"reason": "spawn", "error": error, "at": found.at}
    with contextlib.suppress(OSError):
        _write_exit(run_dir, attempt, exit)
    _end(store, run, found, exit)
    return found


def _requeue(store: Store, run: Run, reason: str) -> None:
    """Back to the head of the queue, where it came from; or out of it, if a stop was asked for meanwhile."""
    with store.writing() as db:
        fresh = runs.get(db, run.id)
        asked = fresh is not None and fresh.stop_requested is not None
        if not asked and runs.transition(db, run.id, "starting", "queued"):
            runs.set_reason(db, run.id, reason)
            log.info("run %s goes back to the queue: %s", run.id, reason)
    if asked:
        now = time.time()
        with contextlib.suppress(OSError):
            note_dequeued(run_dir_of(store, run.id), now)
        _end(store, run, Verdict("stopped", DEQUEUED, at=now), {"reason": "dequeued", "at": now})


def note_dequeued(run_dir: RunDir, at: float) -> None:
    """Write down that a waiting run was stopped at `at` (Unix seconds), so that a rebuilt database knows it too.

    Takes the number of an attempt that will never be. Raises OSError.
    """
    attempt = _last_number(run_dir) + 1
    run_dir.attempts.mkdir(exist_ok=True)
    run_dir.attempt(attempt).mkdir()
    _write_exit(run_dir, attempt, {"reason": "dequeued", "at": at})


def _last_number(run_dir: RunDir) -> int:
    try:
        return max(run_dir.attempt_numbers(), default=0)
    except OSError:  # not a folder: whoever wants to make an attempt in it says so
        return 0


def _write_exit(run_dir: RunDir, attempt: int, record: dict[str, Any]) -> None:
    path = run_dir.attempt(attempt) / "exit.json"
    journal.write_json(path, {"by": "worker", "at": time.time(), **record})
