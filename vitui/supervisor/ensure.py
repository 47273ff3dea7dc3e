"""The client's side of the worker: see to it that one runs. Cheap to import and to call."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from vitui.errors import Busy, VitError
from vitui.supervisor.identity import Identity

COMMAND = (sys.executable, "-m", "vitui.supervisor.worker")
LOG_BYTES = 1 << 20
"""Size at which worker.log starts anew, the old one kept as worker.log.1."""

_children: list[subprocess.Popen[bytes]] = []
"""Workers this process started and has to reap when they are gone, should it live that long (a terminal app does)."""


def worker_pid(home: Path) -> int | None:
    """Pid of the worker of this home, or None when none runs. Only looks: never touches the lock."""
    who = _named(home)
    return who.pid if who is not None and who.alive() else None


def _named(home: Path) -> Identity | None:
    """The worker that wrote itself into worker.lock last, alive or not."""
    try:
        record = json.loads((home / "worker.lock").read_bytes() or b"null")
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict):
        return None
    return Identity.from_launch({"boot_id": record.get("boot_id"), "worker": record}, "worker")


def sign(lock_fd: int) -> None:
    """Write this process into the lock file it holds, for `worker_pid`."""
    me = Identity.of(os.getpid())
    assert me is not None
    data = json.dumps({"pid": me.pid, "start": me.start, "boot_id": me.boot_id}).encode() + b"\n"
    os.ftruncate(lock_fd, 0)
    os.pwrite(lock_fd, data, 0)


def ensure_worker(home: Path, *, command: Sequence[str] = COMMAND, timeout_s: float = 20.0) -> bool:
    """Return once a worker serves this home; True when it had to be started.

    The lock is taken here and its descriptor handed to the worker, so that there is no moment at which two clients
    could both see it free, and fifty at once start exactly one. Raises VitError when the worker does not come up.
    """
    deadline = time.monotonic() + timeout_s
    _children[:] = [child for child in _children if child.poll() is None]
    try:
        lock = os.open(home / "worker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise VitError(f"{home}/worker.lock cannot be opened: {error.strerror}; is the home writable?") from None
    try:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # Held by a worker, or by a client that is about to start one and might yet fail.
                if worker_pid(home) is not None:
                    return False
            if time.monotonic() > deadline:
                raise Busy(f"another vitui has been starting the worker of {home} for {timeout_s:g} s; try again")
            time.sleep(0.02)
        _spawn(home, command, lock, deadline)
    finally:
        os.close(lock)
    return True


def _spawn(home: Path, command: Sequence[str], lock: int, deadline: float) -> None:
    log_path = home / "worker.log"
    with contextlib.suppress(FileNotFoundError):
        if log_path.stat().st_size > LOG_BYTES:
            log_path.replace(home / "worker.log.1")
    ready, signal_ready = os.pipe()
    try:
        try:
            with open(log_path, "ab") as log:
                # Not waited for: it is to outlive us, in a session of its own.
                child = subprocess.Popen(
                    [*command, str(home), "--ready-fd", str(signal_ready), "--lock-fd", str(lock)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    pass_fds=[signal_ready, lock],
                    start_new_session=True,
                )
                _children.append(child)
        finally:
            os.close(signal_ready)
        readable, _, _ = select.select([ready], [], [], max(0.0, deadline - time.monotonic()))
        if not readable or os.read(ready, 1) != b"1":
            word = "did not answer in time" if not readable else "ended while it started"
            raise VitError(f"the worker of {home} {word}; its reason is in {log_path}")
    except OSError as error:
        raise VitError(f"the worker of {home} cannot be started: {error.strerror or error}") from None
    finally:
        os.close(ready)
