"""Who a process is: pid, start time and boot id together. A pid alone is reused within hours on a busy machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """The kernel's random id of this boot; the same in every container of one machine."""
    return _BOOT_ID.read_text(encoding="ascii").strip()


def _stat(pid: int) -> tuple[str, int] | None:
    """State letter and start time (clock ticks since boot), or None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            line = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in parentheses, may itself hold spaces and parentheses; fields count from the last one.
    fields = line[line.rindex(b")") + 2 :].split()
    return fields[0].decode("ascii"), int(fields[19])


def start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None when there is no such process."""
    found = _stat(pid)
    return found[1] if found else None


@dataclass(frozen=True, slots=True)
class Identity:
    """One process, for ever: no later process equals it, on this boot or another."""

    pid: int
    start: int
    boot_id: str

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """The identity of a running process, or None when there is none with that pid."""
        start = start_time(pid)
        return None if start is None else cls(pid, start, boot_id())

    @classmethod
    def from_launch(cls, launch: Mapping[str, Any], who: str) -> Identity | None:
        """The ``runner`` or ``trainer`` named in a launch.json, or None when the file does not name it properly."""
        part, boot = launch.get(who), launch.get("boot_id")
        if not isinstance(part, Mapping) or not isinstance(boot, str):
            return None
        pid, start = part.get("pid"), part.get("start")
        if not isinstance(pid, int) or not isinstance(start, int) or pid <= 0:
            return None
        return cls(pid, start, boot)

    def alive(self) -> bool:
        """Whether this very process still runs. A zombie, which `kill(pid, 0)` calls alive, does not."""
        found = _stat(self.pid)
        return found is not None and found[1] == self.start and found[0] not in "ZX" and self.boot_id == boot_id()

    def send(self, signum: int) -> bool:
        """Send a signal to this process and to no other; False when it is gone.

        The pidfd is taken before the identity is checked, so that the pid cannot pass to a stranger in between.
        Raises PermissionError for another user's process.
        """
        try:
            fd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        except (AttributeError, OSError):  # a kernel before 5.3 or a sandbox without the call
            return self._send_by_pid(signum)
        try:
            if not self.alive():
                return False
            signal.pidfd_send_signal(fd, signum)
        except ProcessLookupError:
            return False
        finally:
            os.close(fd)
        return True

    def _send_by_pid(self, signum: int) -> bool:
        if not self.alive():
            return False
        try:
            os.kill(self.pid, signum)
        except ProcessLookupError:
            return False
        return True

    def kill_group(self) -> bool:
        """SIGKILL to the process group this process leads; False when it is gone or leads none."""
        try:
            if not self.alive() or os.getpgid(self.pid) != self.pid:
                return False
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True
