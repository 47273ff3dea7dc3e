"""Devices with a short history, who uses them, the queue and the worker."""

from __future__ import annotations

import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vitui.occupancy import CpuMeter, Occupied

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.reading import QueueView
    from vitui.supervisor.devices import Device, Inventory

SAMPLE_S = 2.0
KEPT = 300
"""Samples of each figure: ten minutes."""
QUANTITIES = ("use", "memory", "temperature", "power")
UNITS = {"use": "%", "memory": "GiB", "temperature": "°C", "power": "W"}


@dataclass(frozen=True, slots=True)
class Samples:
    """The last ten minutes of a device, oldest first: each figure in its unit, NaN where it was not told."""

    values: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def last(self, quantity: str) -> float | None:
        """The newest known value."""
        found = self.values.get(quantity, ())
        return found[-1] if found and not math.isnan(found[-1]) else None


def figures(device: Device, cpu_percent: float | None) -> dict[str, float]:
    """What is measured of a device now; `cpu_percent` is the processors' use, for the CPU."""
    use = cpu_percent if device.key == "cpu" else device.utilization
    memory = (device.memory_total - device.memory_free) / 2**30 if device.memory_total else None
    told = {"use": use, "memory": memory, "temperature": device.temperature, "power": device.power}
    return {name: math.nan if value is None else float(value) for name, value in told.items()}


class History:
    """Looks at the devices every two seconds as long as the app is open, in a thread of its own: a driver may hang."""

    def __init__(self, look: Callable[[], Inventory], period: float = SAMPLE_S) -> None:
        self._look = look
        self._period = period
        self._meter = CpuMeter()
        self._kept: dict[str, dict[str, deque[float]]] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="vitui-devices", daemon=True)
        self.inventory: Inventory | None = None
        """The newest look, None before the first."""
        self.number = 0
        """Looks so far."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread; does not wait for a driver that hangs."""
        self._over.set()

    def sample(self) -> None:
        """Look once."""
        found = self._look()
        busy = self._meter.percent()
        with self._lock:
            for device in found.devices:
                kept = self._kept.setdefault(device.key, {name: deque(maxlen=KEPT) for name in QUANTITIES})
                for name, value in figures(device, busy).items():
                    kept[name].append(value)
            self.inventory = found
            self.number += 1

    def samples(self) -> dict[str, Samples]:
        """What is remembered of each device, by its key."""
        with self._lock:
            return {key: Samples({name: tuple(row) for name, row in kept.items()}) for key, kept in self._kept.items()}

    def _loop(self) -> None:
        self._meter.percent()
        while not self._over.is_set():
            self.sample()
            self._over.wait(self._period)


@dataclass(frozen=True, slots=True)
class DevicesView:
    """Everything the Devices screen shows. `trouble`: why GPUs cannot be seen. `log`: the worker's last lines."""

    occupied: tuple[Occupied, ...]
    samples: Mapping[str, Samples]
    trouble: str
    queue: QueueView
    load: tuple[float, float, float]
    """Load averages over 1, 5 and 15 minutes."""
    log: tuple[str, ...]
    now: float


@dataclass(frozen=True, slots=True)
class DevicesWatch:
    """Devices and queue."""

    history: History

    subject = "devices"
    period = 1.0

    def reader(self, lab: Lab) -> DevicesReader:
        return DevicesReader(lab)


class DevicesReader:
    """Reads queue and live runs when the database changes, and takes what the history has measured."""

    LOG_LINES = 200

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._seen: tuple[object, ...] | None = None
        self._worker_due = 0.0
        self._queue: QueueView | None = None

    def read(self, now: float, watch: DevicesWatch) -> DevicesView | None:
        """The picture, or None when nothing was measured and nothing has changed."""
        history, token = watch.history, self._lab.changes_token()
        clock = time.monotonic()
        if self._queue is None or clock >= self._worker_due or self._seen is None or self._seen[0] != token:
            self._queue = self._lab.queue()
            self._worker_due = clock + SAMPLE_S
        seen = (token, history.number, self._queue)
        if seen == self._seen:
            return None
        self._seen = seen
        occupied, trouble = self._lab.occupancy(history.inventory)
        return DevicesView(
            occupied, history.samples(), trouble, self._queue, os.getloadavg(),
            self._lab.worker_log(self.LOG_LINES), now,
        )  # fmt: skip

    def forget(self) -> None:
        self._seen = None
