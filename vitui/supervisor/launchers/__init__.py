"""What starts attempts and watches them: this machine first, a cluster's queue later, behind one small interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from engine.journal import RunDir
from vitui.supervisor.leases import Place

Handle = dict[str, Any]
"""JSON that finds an attempt again after any restart; kept in the run's row. Always has "run", "attempt", "places"."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What one attempt runs with. `device`: its `places` in words; `grace_s`: from SIGTERM to SIGKILL."""

    attempt: int
    argv: tuple[str, ...]
    env: Mapping[str, str]
    places: tuple[Place, ...]
    leases: tuple[Path, ...]
    device: str
    grace_s: float


@dataclass(frozen=True, slots=True)
class Status:
    """What a launcher knows of an attempt."""

    alive: bool
    """Something of it runs: the trainer, or its runner before and after."""
    launched: bool
    """The trainer was (about to be) started; if not, it never will be once `alive` is false."""
    supervised: bool = False
    """Its runner lives and will write exit.json."""
    rebooted: bool = False
    """The machine has restarted since."""
    host: str = ""
    """Where it runs, when that is another machine."""


class Launcher(Protocol):
    """`poll` after a restart of the worker is attaching: handles carry everything. Logs are files in the run folder."""

    def submit(self, run_dir: RunDir, resources: Resources) -> Handle:
        """Start an attempt. Raises OSError when it cannot be."""

    def poll(self, handles: Sequence[Handle]) -> list[Status]:
        """One status a handle, in order. Never raises for an attempt that is gone."""

    def cancel(self, handle: Handle) -> None:
        """Ask it to stop, and see to it that it does after its grace period. To be repeated until it is gone."""

    def kill(self, handle: Handle) -> None:
        """End it now, and whatever an attempt that is over has left running."""
