"""How busy the device of a run is, asked rarely and outside the steps, for the journal."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import psutil
import torch

PERIOD_S = 10.0
"""Seconds between two samples: a driver takes milliseconds to answer."""

_CORE_SENSOR = 0  # NVML_TEMPERATURE_GPU

T = TypeVar("T")


class Nvml(Protocol):
    """The part of NVML that is used; `pynvml` has it, and so has a test's fake."""

    def nvmlInit(self) -> None: ...
    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> Any: ...
    def nvmlDeviceGetUtilizationRates(self, handle: Any) -> Any: ...
    def nvmlDeviceGetTemperature(self, handle: Any, sensor: int) -> int: ...
    def nvmlDeviceGetPowerUsage(self, handle: Any) -> int: ...
    def nvmlDeviceGetMemoryInfo(self, handle: Any) -> Any: ...


class DeviceUse:
    """`read()` gives the values that are due. Never raises; what cannot be told is left out."""

    def __init__(
        self, sample: Callable[[], dict[str, float]], clock: Callable[[], float] = time.monotonic,
        period_s: float = PERIOD_S,
    ) -> None:  # fmt: skip
        self._sample, self._clock, self._period_s = sample, clock, period_s
        self._due = clock()

    def read(self) -> dict[str, float]:
        """Metrics by key, as engine.journal documents them; empty until the period is over."""
        now = self._clock()
        if now < self._due:
            return {}
        self._due = now + self._period_s
        try:
            return self._sample()
        except Exception:  # a driver or /proc that fails must not end a training
            return {}


def device_use(device: torch.device) -> DeviceUse:
    """For the device a run trains on: NVML's figures of that GPU, else those of this process and its children."""
    if device.type != "cuda":
        return DeviceUse(ProcessUse().sample)
    handle: list[Any] = []

    def sample() -> dict[str, float]:
        import pynvml

        if not handle:
            pynvml.nvmlInit()
            handle.append(pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}"))
        return gpu_use(pynvml, handle[0])

    return DeviceUse(sample)


def gpu_use(nvml: Nvml, handle: Any) -> dict[str, float]:
    """Utilisation, temperature, power and memory in use (of all processes) of one GPU, as far as it tells them."""
    rates = _maybe(lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
    temperature = _maybe(lambda: nvml.nvmlDeviceGetTemperature(handle, _CORE_SENSOR))
    power = _maybe(lambda: nvml.nvmlDeviceGetPowerUsage(handle))
    memory = _maybe(lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
    return _known(
        {
            "device/utilization": None if rates is None else rates.gpu,
            "device/temperature": temperature,
            "device/power": None if power is None else round(power / 1000, 1),  # NVML counts milliwatts
            "device/memory_gb": None if memory is None else round(memory.used / 2**30, 3),
        }
    )


class ProcessUse:
    """Processor time and resident memory of this process and its children, on a machine without a GPU to ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._process = psutil.Process()
        self._cores = len(os.sched_getaffinity(0))
        self._clock = clock
        self._at = clock()
        self._spent: dict[int, float] = self._times()[0]

    def sample(self) -> dict[str, float]:
        """Processor time since the last sample in percent of all cores given, and resident memory."""
        now, (spent, resident) = self._clock(), self._times()
        # A child of the same number may be another process: less time than before means it is new.
        used = sum(t - before if t >= (before := self._spent.get(pid, 0.0)) else t for pid, t in spent.items())
        seconds, self._at, self._spent = now - self._at, now, spent
        share = None if seconds <= 0 else round(100 * used / seconds / self._cores, 1)
        return _known({"device/utilization": share, "device/memory_gb": round(resident / 2**30, 3)})

    def _times(self) -> tuple[dict[int, float], int]:
        """Processor seconds by process id, and resident bytes together (shared pages count for each)."""
        spent: dict[int, float] = {}
        resident = 0
        for process in [self._process, *self._process.children(recursive=True)]:
            try:
                times = process.cpu_times()
                spent[process.pid] = times.user + times.system
                resident += process.memory_info().rss
            except psutil.Error:  # a child that has just left
                continue
        return spent, resident


def _maybe(ask: Callable[[], T]) -> T | None:
    """What a driver may not support on this card (laptops, slices of a card, containers), or None."""
    try:
        return ask()
    except Exception:
        return None


def _known(values: dict[str, float | None]) -> dict[str, float]:
    return {key: float(value) for key, value in values.items() if value is not None}
