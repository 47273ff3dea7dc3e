"""What this machine can train on: its GPUs as NVML tells them, or the CPU. Never hangs: NVML is asked in a thread."""

from __future__ import annotations

import contextlib
import os
import pwd
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

TIMEOUT_S = 2.0
"""A driver that does not answer for so long is treated as absent, and asked again later."""
FRESH_S = 1.0
"""How long an answer serves."""
REQUESTS = "auto, cpu, gpu, gpu:N (N as nvidia-smi counts) or a GPU's UUID"

_NO_DRIVER = (9, 12)  # NVML_ERROR_DRIVER_NOT_LOADED, NVML_ERROR_LIBRARY_NOT_FOUND: simply no NVIDIA machine
_CORE_SENSOR = 0  # NVML_TEMPERATURE_GPU

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Process:
    """Somebody's process on a GPU. `memory` in bytes, 0 when the driver does not say."""

    pid: int
    user: str
    name: str
    memory: int

    def __str__(self) -> str:
        size = f", {self.memory / 2**30:.1f} GB" if self.memory else ""
        return f"{self.user or 'somebody'} ({self.name or 'pid ' + str(self.pid)}{size})"


@dataclass(frozen=True, slots=True)
class Device:
    """One place to train. Memory in bytes, utilization in percent, temperature in degrees C, power in watts."""

    key: str
    """The string "cpu", or the GPU's UUID."""
    index: int
    """Number in PCI bus order, as `nvidia-smi` counts; -1 for the CPU."""
    name: str
    slots: int = 1
    memory_total: int = 0
    memory_free: int = 0
    processes: tuple[Process, ...] = ()
    utilization: int | None = None
    temperature: int | None = None
    power: float | None = None

    @property
    def label(self) -> str:
        """Short name for sentences: "CPU" or "GPU 1"."""
        return "CPU" if self.key == "cpu" else f"GPU {self.index}"


@dataclass(frozen=True, slots=True)
class Inventory:
    """Devices, and why GPUs could not be seen (empty when they could, or when there is no driver at all)."""

    devices: tuple[Device, ...]
    trouble: str = ""


class Nvml(Protocol):
    """The part of NVML that is used; `pynvml` has it, and so has a test's fake."""

    def nvmlInit(self) -> None: ...
    def nvmlDeviceGetCount(self) -> int: ...
    def nvmlDeviceGetHandleByIndex(self, index: int) -> Any: ...
    def nvmlDeviceGetUUID(self, handle: Any) -> str: ...
    def nvmlDeviceGetName(self, handle: Any) -> str: ...
    def nvmlDeviceGetMemoryInfo(self, handle: Any) -> Any: ...
    def nvmlDeviceGetComputeRunningProcesses(self, handle: Any) -> list[Any]: ...
    def nvmlDeviceGetUtilizationRates(self, handle: Any) -> Any: ...
    def nvmlDeviceGetTemperature(self, handle: Any, sensor: int) -> int: ...
    def nvmlDeviceGetPowerUsage(self, handle: Any) -> int: ...


def cpu() -> Device:
    """The CPU as a device: one slot, whatever its cores."""
    cores = len(os.sched_getaffinity(0))
    memory: dict[str, int] = {}
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            key, value = line.split(":")
            if key in ("MemTotal", "MemAvailable"):
                memory[key] = int(value.split()[0]) * 1024
    name = f"{cores} core{'s' if cores != 1 else ''}"
    return Device("cpu", -1, name, 1, memory.get("MemTotal", 0), memory.get("MemAvailable", 0))


def _maybe(ask: Callable[[], T]) -> T | None:
    """What a driver may not support on this card (laptops, containers), or None."""
    try:
        return ask()
    except Exception:
        return None


def _process(raw: Any) -> Process:
    """NVML's process with its owner and name, which stay empty when it runs in another pid namespace."""
    user = name = ""
    with contextlib.suppress(OSError, KeyError):
        uid = os.stat(f"/proc/{raw.pid}").st_uid
        user = str(uid)
        user = pwd.getpwuid(uid).pw_name
    with contextlib.suppress(OSError), open(f"/proc/{raw.pid}/comm", encoding="utf-8", errors="replace") as file:
        name = file.read().strip()
    return Process(raw.pid, user, name, raw.usedGpuMemory or 0)


def _gpu(nvml: Nvml, index: int) -> Device:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    rates = _maybe(lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
    power = _maybe(lambda: nvml.nvmlDeviceGetPowerUsage(handle))
    return Device(
        key=nvml.nvmlDeviceGetUUID(handle),
        index=index,
        name=nvml.nvmlDeviceGetName(handle),
        memory_total=int(memory.total),
        memory_free=int(memory.free),
        processes=tuple(
            _process(raw) for raw in _maybe(lambda: nvml.nvmlDeviceGetComputeRunningProcesses(handle)) or ()
        ),
        utilization=int(rates.gpu) if rates is not None else None,
        temperature=_maybe(lambda: nvml.nvmlDeviceGetTemperature(handle, _CORE_SENSOR)),
        power=power / 1000 if power is not None else None,
    )


def visible(gpus: Sequence[Device], setting: str | None) -> list[Device]:
    """GPUs that CUDA_VISIBLE_DEVICES lets through, in its order: indices (PCI order) or UUIDs and their beginnings.

    None: unset, all of them. As CUDA does, the first entry that names no GPU ends the list.
    """
    if setting is None:
        return list(gpus)
    chosen: list[Device] = []
    for entry in setting.split(","):
        text = entry.strip()
        if text.isdigit():
            found = [gpu for gpu in gpus if gpu.index == int(text)]
        else:
            found = [gpu for gpu in gpus if text and gpu.key.startswith(text)]
        if len(found) != 1 or found[0] in chosen:
            break
        chosen.append(found[0])
    return chosen


def read_nvml(nvml: Nvml, environ: Mapping[str, str]) -> Inventory:
    """One look at the machine: visible GPUs first, the CPU last. Blocks as long as the driver does; never raises."""
    try:
        nvml.nvmlInit()
        gpus = [_gpu(nvml, index) for index in range(nvml.nvmlDeviceGetCount())]
    except Exception as error:
        if getattr(error, "value", None) in _NO_DRIVER:
            return Inventory((cpu(),))
        return Inventory((cpu(),), f"the NVIDIA driver does not work: {error} (see nvidia-smi)")
    return Inventory((*visible(gpus, environ.get("CUDA_VISIBLE_DEVICES")), cpu()))


class Probe:
    """Asks NVML in a daemon thread, waits a while for it, and remembers the answer for a moment."""

    def __init__(self, load: Callable[[], Nvml | None], timeout_s: float = TIMEOUT_S, fresh_s: float = FRESH_S) -> None:
        self._load = load
        self._timeout_s = timeout_s
        self._fresh_s = fresh_s
        self._lock = threading.Lock()
        self._answer: Inventory | None = None
        self._answered = 0.0
        self._asking: threading.Thread | None = None

    def ask(self) -> Inventory:
        """The machine as of at most a second ago. While the driver hangs: the CPU, and the trouble in words."""
        with self._lock:
            if self._answer is not None and time.monotonic() - self._answered < self._fresh_s:
                return self._answer
            thread = self._asking
            if thread is None or not thread.is_alive():
                thread = self._asking = threading.Thread(target=self._work, name="nvml", daemon=True)
                thread.start()
        thread.join(self._timeout_s)
        with self._lock:
            if self._answer is not None and not thread.is_alive():
                return self._answer
        return Inventory((cpu(),), f"the NVIDIA driver has not answered for {self._timeout_s:g} s (see nvidia-smi)")

    def _work(self) -> None:
        nvml = self._load()
        answer = read_nvml(nvml, os.environ) if nvml is not None else Inventory((cpu(),))
        with self._lock:
            self._answer, self._answered = answer, time.monotonic()


def _pynvml() -> Nvml | None:
    """NVML, or None where no NVIDIA driver is loaded (the last is WSL's): importing pynvml costs 17 MB."""
    if not any(os.path.exists(path) for path in ("/proc/driver/nvidia", "/dev/nvidiactl", "/dev/dxg")):
        return None
    import pynvml

    return pynvml  # type: ignore[no-any-return]


_probe = Probe(_pynvml)


def inventory() -> Inventory:
    """This machine's devices, and why GPUs cannot be seen if they cannot. Takes at most about 2 s, mostly nothing."""
    return _probe.ask()


def devices() -> list[Device]:
    """This machine's devices: visible GPUs in order, then the CPU (always there)."""
    return list(inventory().devices)


def matching(request: str, machine: Sequence[Device]) -> list[Device]:
    """Devices a request may run on; empty when there is none. "auto" is the GPUs where there are any, else the CPU."""
    gpus = [device for device in machine if device.key != "cpu"]
    if request == "auto":
        return gpus or [device for device in machine if device.key == "cpu"]
    if request == "cpu":
        return [device for device in machine if device.key == "cpu"]
    if request == "gpu":
        return gpus
    kind, _, number = request.partition(":")
    if kind == "gpu" and number.isdigit():
        return [device for device in gpus if device.index == int(number)]
    found = [device for device in gpus if request.startswith(("GPU-", "MIG-")) and device.key.startswith(request)]
    return found if len(found) == 1 else []


def describe_request(request: str, gpus: int) -> str:
    """A request in words: "a GPU", "GPU 3", "4 GPUs"."""
    if request in ("auto", "gpu"):
        return "a GPU" if gpus == 1 else f"{gpus} GPUs"
    return f"GPU {request[4:]}" if request.startswith("gpu:") else request


def check_request(device: str, gpus: int, machine: Sequence[Device]) -> str | None:
    """Why this machine can never serve the request, as one sentence with the remedy; None when it can."""
    known = device in ("auto", "cpu", "gpu") or device.startswith(("GPU-", "MIG-"))
    if not known and not (device.startswith("gpu:") and device[4:].isdigit()):
        return f"unknown device {device!r}; use {REQUESTS}"
    if gpus < 1:
        return f"cannot train on {gpus} GPUs; ask for at least 1"
    if device == "cpu" and gpus > 1:
        return f"{gpus} GPUs were asked for together with device cpu; drop one of the two"
    there = [item for item in machine if item.key != "cpu"]
    found = matching(device, machine)
    if len(found) >= gpus and (gpus == 1 or found[0].key != "cpu"):
        return None
    if not there:
        return f"device {device}: no NVIDIA GPU can be used on this machine; ask for device cpu or auto, and 1 GPU"
    listing = ", ".join(f"{item.index} ({item.name})" for item in there)
    if found:
        return f"device {device} with {gpus} GPUs: only {len(found)} fit; this machine has GPU {listing}"
    return f"device {device} is not on this machine, which has GPU {listing}; use one of them, or auto"
