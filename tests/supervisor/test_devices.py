"""Devices as a fake NVML tells them: present, absent, broken, hanging; requests checked against them."""

from __future__ import annotations

import threading

import pytest

from tests.supervisor.fake_nvml import GB, FakeNvml, NvmlError
from vitui.supervisor.devices import Inventory, Probe, check_request, cpu, devices, matching, read_nvml, visible

MACHINE = list(read_nvml(FakeNvml(shy=True), {}).devices)


def test_cards_are_told_with_what_they_say_and_without_what_they_do_not() -> None:
    first, second, last = MACHINE
    assert (first.key, first.index, first.label, first.utilization, first.temperature, first.power) == (
        "GPU-aaaa",
        0,
        "GPU 0",
        97,
        61,
        250.5,
    )
    assert (second.utilization, second.temperature, second.power) == (None, None, None)
    assert second.memory_free == 30 * GB and last.key == "cpu" and last.memory_free > 0
    ours, stranger = second.processes
    assert ours.user and ours.name and str(stranger) == f"somebody (pid {2**22 + 1}, 1.0 GB)"


@pytest.mark.parametrize(
    ("setting", "keys"),
    [
        (None, ["GPU-aaaa", "GPU-abbb"]), ("", []), ("-1", []), ("1", ["GPU-abbb"]), ("1,0", ["GPU-abbb", "GPU-aaaa"]),
        ("GPU-ab", ["GPU-abbb"]), ("GPU-a", []), ("0,9,1", ["GPU-aaaa"]), ("0,0", ["GPU-aaaa"]), ("NoDevFiles", []),
    ],
)  # fmt: skip
def test_cuda_visible_devices_is_respected(setting: str | None, keys: list[str]) -> None:
    assert [gpu.key for gpu in visible(MACHINE[:2], setting)] == keys
    environ = {} if setting is None else {"CUDA_VISIBLE_DEVICES": setting}
    assert [d.key for d in read_nvml(FakeNvml(), environ).devices] == [*keys, "cpu"]


def test_no_driver_is_no_trouble_but_a_broken_one_is() -> None:
    absent = read_nvml(FakeNvml(error=NvmlError(12, "NVML Shared Library Not Found")), {})
    assert [d.key for d in absent.devices] == ["cpu"] and absent.trouble == ""
    broken = read_nvml(FakeNvml(error=NvmlError(18, "Driver/library version mismatch")), {})
    assert [d.key for d in broken.devices] == ["cpu"] and "version mismatch" in broken.trouble


def test_this_machine_answers() -> None:
    assert devices()[-1].key == "cpu"


def test_a_hanging_driver_costs_a_moment_and_one_thread() -> None:
    gate, nvml = threading.Event(), FakeNvml()

    def hang() -> FakeNvml:
        gate.wait(30)
        return nvml

    before = threading.active_count()
    probe = Probe(hang, timeout_s=0.05)
    for _ in range(3):
        answer = probe.ask()
        assert [d.key for d in answer.devices] == ["cpu"] and "not answered" in answer.trouble
    assert threading.active_count() == before + 1
    gate.set()
    patient = Probe(lambda: nvml, timeout_s=10, fresh_s=60)
    assert len(patient.ask().devices) == 3
    asked = nvml.asked
    assert patient.ask() == patient.ask() and nvml.asked == asked, "the answer serves for a while"


def test_a_driver_that_hangs_later_is_told_too() -> None:
    gate = threading.Event()
    calls: list[int] = []

    def load() -> FakeNvml:
        calls.append(1)
        if len(calls) > 1:
            gate.wait(30)
        return FakeNvml()

    probe = Probe(load, timeout_s=0.5, fresh_s=0)
    assert probe.ask().trouble == ""
    assert isinstance(stuck := probe.ask(), Inventory) and "not answered" in stuck.trouble
    gate.set()


@pytest.mark.parametrize(
    ("request_", "keys"),
    [
        ("auto", ["GPU-aaaa", "GPU-abbb"]), ("gpu", ["GPU-aaaa", "GPU-abbb"]), ("cpu", ["cpu"]), ("gpu:1", ["GPU-abbb"]),
        ("gpu:2", []), ("GPU-ab", ["GPU-abbb"]), ("GPU-a", []), ("rubbish", []), ("", []),
    ],
)  # fmt: skip
def test_what_a_request_may_run_on(request_: str, keys: list[str]) -> None:
    assert [d.key for d in matching(request_, MACHINE)] == keys


def test_auto_without_a_gpu_is_the_cpu() -> None:
    assert matching("auto", [cpu()])[0].key == "cpu" and matching("gpu", [cpu()]) == []


@pytest.mark.parametrize(
    ("device", "gpus", "word"),
    [
        ("gpu", 1, "ask for device cpu or auto"), ("gpu:0", 1, "no NVIDIA GPU"), ("auto", 2, "no NVIDIA GPU"),
        ("cpu", 2, "drop one"), ("cuda", 1, "unknown device 'cuda'; use auto, cpu"), ("auto", 0, "at least 1"), ("gpu:x", 1, "unknown"),
    ],
)  # fmt: skip
def test_what_a_cpu_box_refuses(device: str, gpus: int, word: str) -> None:
    sentence = check_request(device, gpus, [cpu()])
    assert sentence and word in sentence and "\n" not in sentence


def test_what_a_gpu_box_refuses_and_takes() -> None:
    for device, gpus in (("auto", 1), ("auto", 2), ("cpu", 1), ("gpu:1", 1), ("GPU-aaaa", 1), ("gpu", 2)):
        assert check_request(device, gpus, MACHINE) is None
    assert "GPU 0 (NVIDIA A40), 1 (NVIDIA A40)" in (check_request("gpu:7", 1, MACHINE) or "")
    assert "only 2 fit" in (check_request("gpu", 3, MACHINE) or "")
    assert "only 1 fit" in (check_request("gpu:1", 2, MACHINE) or "")
