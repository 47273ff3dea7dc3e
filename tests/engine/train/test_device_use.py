"""How busy a device is: what is asked, how often, and that nothing a driver does can end a training."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from engine.journal import read_all
from engine.train.device_use import DeviceUse, ProcessUse, device_use, gpu_use
from tests.engine.train.small import small_trainer


class FakeNvml:
    """A card that draws 350 W at 61 degrees; `without` names calls it does not support."""

    def __init__(self, *without: str) -> None:
        self.without = without

    def __getattr__(self, name: str) -> Any:
        if name in self.without:
            raise RuntimeError("Not Supported")
        return {
            "nvmlDeviceGetUtilizationRates": lambda handle: SimpleNamespace(gpu=87, memory=40),
            "nvmlDeviceGetTemperature": lambda handle, sensor: 61,
            "nvmlDeviceGetPowerUsage": lambda handle: 350_250,
            "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(used=3 << 30, total=80 << 30),
        }[name]


def test_what_a_gpu_tells_and_what_it_does_not() -> None:
    assert gpu_use(FakeNvml(), "handle") == {
        "device/utilization": 87.0, "device/temperature": 61.0, "device/power": 350.2, "device/memory_gb": 3.0,
    }  # fmt: skip
    sliced = FakeNvml("nvmlDeviceGetUtilizationRates", "nvmlDeviceGetPowerUsage")
    assert gpu_use(sliced, "handle") == {"device/temperature": 61.0, "device/memory_gb": 3.0}


def test_it_is_asked_once_a_period_and_a_driver_that_fails_is_no_news() -> None:
    now, asked = [100.0], [0]

    def sample() -> dict[str, float]:
        asked[0] += 1
        if asked[0] == 2:
            raise OSError("driver gone")
        return {"device/power": float(asked[0])}

    use = DeviceUse(sample, clock=lambda: now[0], period_s=10)
    assert use.read() == {"device/power": 1.0}, "the first at once: a demo is over in a minute"
    assert use.read() == {} and asked == [1]
    now[0] = 109.9
    assert use.read() == {} and asked == [1]
    now[0] = 110.0
    assert use.read() == {} and asked == [2]
    now[0] = 120.0
    assert use.read() == {"device/power": 3.0}


def test_processor_time_counts_children_and_is_of_the_cores_given(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 1, 2, 3})
    use = ProcessUse(clock=lambda: now[0])
    code = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        now[0] = 1.0
        mine = time.process_time()
        values = use.sample()
        # The kernel counts in ticks of 10 ms.
        assert 100 * 0.17 / 4 <= values["device/utilization"] <= 100 * (0.3 + mine) / 4
        assert values["device/memory_gb"] > 0.01
    finally:
        child.communicate(b"\n")
    now[0] = 2.0
    assert 0 <= use.sample()["device/utilization"] < 100, "a child that has left takes nothing away"


def test_a_training_journals_it(tmp_path: Path) -> None:
    trainer = small_trainer(tmp_path, {"train": {"log_every": 2}})
    trainer.train()
    metrics = [e["values"] for e in read_all(trainer.run.journal) if e["kind"] == "metrics"]
    sampled = [v for v in metrics if "device/utilization" in v]
    assert len(metrics) > 2 and len(sampled) == 1, "once in ten seconds"
    assert sampled[0]["device/utilization"] >= 0 and sampled[0]["device/memory_gb"] > 0


def test_the_very_card_the_run_trains_on_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    nvml = FakeNvml()
    nvml.nvmlInit = lambda: asked.append("init")  # type: ignore[attr-defined]
    nvml.nvmlDeviceGetHandleByUUID = lambda uuid: asked.append(uuid)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda device: SimpleNamespace(uuid="1234-ab"))
    assert device_use(torch.device("cuda")).read()["device/power"] == 350.2
    assert asked == ["init", "GPU-1234-ab"]
