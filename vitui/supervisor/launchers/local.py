"""The launcher of this machine: one runner process an attempt."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine import journal
from engine.journal import RunDir
from vitui.supervisor import runner
from vitui.supervisor.identity import Identity, boot_id
from vitui.supervisor.launchers import Handle, Resources, Status

FORGOTTEN_S = 900.0
"""An attempt on another machine that journals nothing for so long is taken for dead."""


class LocalLauncher:
    """Starts runners and finds them again through launch.json. `runs` is ``<home>/runs``.

    Keeps only what can be lost: processes to reap, files already read, stops already sent.
    """

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._children: list[subprocess.Popen[bytes]] = []
        self._launches: dict[tuple[str, int], dict[str, Any]] = {}
        self._asked: set[Identity] = set()

    def submit(self, run_dir: RunDir, resources: Resources) -> Handle:
        """Write spec.json and start the runner, which holds ``attempts/<n>/lock`` from its first instant on."""
        folder = run_dir.attempt(resources.attempt)
        folder.parent.mkdir(exist_ok=True)  # not further up: a run directory that is gone stays gone
        folder.mkdir()
        lock = runner.take_lease(str(folder / "lock"))
        assert lock is not None, f"{folder} was just made"
        try:
            spec = {
                "argv": list(resources.argv),
                "cwd": str(run_dir.path),
                "env": dict(resources.env),
                "places": [list(place) for place in resources.places],
                "leases": [str(path) for path in resources.leases],
                "grace_s": resources.grace_s,
                "run_dir": str(run_dir.path),
                "attempt": resources.attempt,
                "device": resources.device,
                "boot_id": boot_id(),
                "host": socket.gethostname(),
            }
            journal.write_json(folder / "spec.json", spec)
            # Inherited blocked, these signals wait until the runner fetches them.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, runner.SIGNALS)
            try:
                child = subprocess.Popen(
                    [sys.executable, "-I", "-S", runner.__file__, str(folder), str(lock)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    cwd="/",
                    pass_fds=[lock],
                    start_new_session=True,
                )
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        finally:
            os.close(lock)
        self._children.append(child)
        return {"run": run_dir.id, "attempt": resources.attempt, "places": [list(place) for place in resources.places]}

    def poll(self, handles: Sequence[Handle]) -> list[Status]:
        """Statuses by process identity. Reaps runners that ended."""
        self._children = [child for child in self._children if child.poll() is None]
        return [self._status(handle) for handle in handles]

    def _status(self, handle: Handle) -> Status:
        launch = self._launch(handle)
        folder = self._folder(handle)
        if launch is None:
            alive = runner_holds(folder)
            # A runner may have written launch.json, or come and gone, between the two looks.
            launch = None if alive else self._launch(handle)
            if launch is None:
                return Status(alive=alive, launched=False, supervised=alive)
        host, here = str(launch.get("host", "")), socket.gethostname()
        rebooted = launch.get("boot_id") != boot_id()
        if rebooted and host != here:
            return Status(alive=_age_s(folder.parent.parent) < FORGOTTEN_S, launched=True, host=host)
        keeper, trainer = Identity.from_launch(launch, "runner"), Identity.from_launch(launch, "trainer")
        supervised = keeper is not None and keeper.alive()
        alive = supervised or (trainer is not None and trainer.alive())
        return Status(alive=alive, launched=True, supervised=supervised, rebooted=rebooted)

    def cancel(self, handle: Handle) -> None:
        """SIGUSR1 to the runner, which sees to the rest; without one, SIGTERM and later SIGKILL to the trainer."""
        launch = self._launch(handle)
        if launch is None:
            return  # the runner is not up yet; the next call finds it
        keeper, trainer = Identity.from_launch(launch, "runner"), Identity.from_launch(launch, "trainer")
        if keeper is not None and keeper.alive():
            if keeper not in self._asked and keeper.send(signal.SIGUSR1):
                self._asked.add(keeper)
            return
        if trainer is None or not trainer.alive():
            return
        mark = self._folder(handle) / "stop.json"
        stop = journal.read_json(mark)
        if not isinstance(stop, dict) or not isinstance(stop.get("at"), float | int):
            trainer.send(signal.SIGTERM)
            trainer.send(signal.SIGCONT)
            journal.write_json(mark, {"at": time.time(), "killed_after_grace": False})
        elif time.time() - stop["at"] > self._grace_s(handle):
            journal.write_json(mark, {**stop, "killed_after_grace": True})
            trainer.kill_group()

    def kill(self, handle: Handle) -> None:
        """SIGKILL to the trainer's whole group, through the runner if it lives; also to what an ended trainer left."""
        launch = self._launch(handle)
        if launch is None:
            return
        keeper, trainer = Identity.from_launch(launch, "runner"), Identity.from_launch(launch, "trainer")
        # The first says "stop", so that the second means "now" (two equal pending signals would melt into one).
        if keeper is not None and keeper.send(signal.SIGUSR1) and keeper.send(signal.SIGTERM):
            return
        if keeper is not None and trainer is not None and trainer.boot_id == boot_id():
            _kill_group_in_session(trainer.pid, keeper.pid)

    def _folder(self, handle: Handle) -> Path:
        return RunDir(self._runs / str(handle["run"])).attempt(int(handle["attempt"]))

    def _launch(self, handle: Handle) -> dict[str, Any] | None:
        key = (str(handle["run"]), int(handle["attempt"]))
        if key not in self._launches:
            value = journal.read_json(self._folder(handle) / "launch.json")
            if not isinstance(value, dict):
                return None
            self._launches[key] = value
        return self._launches[key]

    def _grace_s(self, handle: Handle) -> float:
        spec = journal.read_json(self._folder(handle) / "spec.json")
        try:
            return float(spec["grace_s"])  # type: ignore[index]
        except (TypeError, KeyError, ValueError):
            return 60.0


def runner_holds(attempt_dir: Path) -> bool:
    """Whether a runner (or a worker about to start one) holds this attempt, launched or not."""
    with contextlib.suppress(OSError):
        fd = runner.take_lease(str(attempt_dir / "lock")) if (attempt_dir / "lock").exists() else -1
        if fd is None:
            return True
        if fd >= 0:
            os.close(fd)
    return False


def _kill_group_in_session(group: int, session: int) -> None:
    """SIGKILL to members of one process group in one session. While any lives, neither number can be anybody else's."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError):
            who = Identity.of(int(entry))
            if who is not None and os.getpgid(who.pid) == group and os.getsid(who.pid) == session:
                who.send(signal.SIGKILL)


def _age_s(run_path: Path) -> float:
    """Seconds since a run last wrote its journal or its log."""
    run_dir = RunDir(run_path)
    times = [path.stat().st_mtime for path in (run_dir.journal, run_dir.console) if path.exists()]
    return time.time() - max(times, default=0.0)
