"""Who uses which device: our runs, and everybody else's processes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.journal import RunDir, read_json

if TYPE_CHECKING:
    from vitui.store import Run
    from vitui.supervisor.devices import Device, Process


@dataclass(frozen=True, slots=True)
class Occupied:
    """A device, the runs placed on it, and the processes on it that belong to none of them."""

    device: Device
    runs: tuple[Run, ...]
    others: tuple[Process, ...]


def occupancy(devices: Sequence[Device], live: Sequence[Run], groups: Mapping[str, int]) -> tuple[Occupied, ...]:
    """`live`: runs that start or train; `groups`: process group of each one's trainer, where it is known.

    A run that was placed on a GPU the driver no longer shows stands on none.
    """
    ours = set(groups.values())
    out = []
    for device in devices:
        here = tuple(run for run in live if _on(run, device))
        others = tuple(process for process in device.processes if _group(process.pid) not in ours)
        out.append(Occupied(device, here, others))
    return tuple(out)


def _on(run: Run, device: Device) -> bool:
    places = [place.strip() for place in run.placed.split(",")]
    if device.key == "cpu":
        return "cpu" in places
    return any(place == device.label or place.startswith(f"{device.label} ") for place in places)


def _group(pid: int) -> int:
    """Process group of a process; its own number where it is gone or in another pid namespace."""
    try:
        return os.getpgid(pid)
    except OSError:
        return pid


def trainer_group(run: RunDir, attempt: int) -> int | None:
    """Process group of an attempt's trainer, as its runner wrote it down; None before that."""
    launch = read_json(run.attempt(attempt) / "launch.json")
    with contextlib.suppress(TypeError, KeyError, ValueError):
        return int(launch["trainer"]["pid"])  # type: ignore[index]  # a trainer leads its own group
    return None


class CpuMeter:
    """How busy the machine's processors were since the last look."""

    def __init__(self, path: Path = Path("/proc/stat")) -> None:
        self._path = path
        self._before: tuple[int, int] | None = None

    def percent(self) -> float | None:
        """Share of all processors' time, percent; None at the first look and where nothing tells."""
        try:
            with self._path.open("rb") as file:
                ticks = [int(word) for word in file.readline().split()[1:9]]  # user ... steal; guests are in user
        except (OSError, ValueError):
            return None
        if len(ticks) < 5:
            return None
        now = (sum(ticks), ticks[3] + ticks[4])  # all, and idle with waiting for disks
        before, self._before = self._before, now
        if before is None or now[0] <= before[0]:
            return None
        return 100.0 * (1 - (now[1] - before[1]) / (now[0] - before[0]))
