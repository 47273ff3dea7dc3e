"""NVML as the supervisor sees it, for machines without a GPU."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

GB = 2**30


class NvmlError(Exception):
    def __init__(self, value: int, text: str) -> None:
        super().__init__(text)
        self.value = value


class FakeNvml:
    """So many cards. `shy`: the second has others' processes and tells no utilisation, temperature or power."""

    def __init__(self, count: int = 2, *, shy: bool = False, error: Exception | None = None) -> None:
        self.count = count
        self.shy = shy
        self.error = error
        self.asked = 0

    def nvmlInit(self) -> None:
        self.asked += 1
        if self.error:
            raise self.error

    def nvmlDeviceGetCount(self) -> int:
        return self.count

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetUUID(self, handle: int) -> str:
        return ("GPU-aaaa", "GPU-abbb", "GPU-cccc", "GPU-dddd")[handle]

    def nvmlDeviceGetName(self, handle: int) -> str:
        return "NVIDIA A40"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        return SimpleNamespace(total=48 * GB, free=(48 - 18 * handle * self.shy) * GB)

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[Any]:
        return (
            [SimpleNamespace(pid=os.getpid(), usedGpuMemory=None), SimpleNamespace(pid=2**22 + 1, usedGpuMemory=GB)]
            if handle and self.shy
            else []
        )

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:
        if handle and self.shy:
            raise NvmlError(3, "Not Supported")
        return SimpleNamespace(gpu=97, memory=3)

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> int:
        if handle and self.shy:
            raise NvmlError(3, "Not Supported")
        return 61

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:
        if handle and self.shy:
            raise NvmlError(3, "Not Supported")
        return 250_500
