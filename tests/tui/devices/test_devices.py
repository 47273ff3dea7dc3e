"""Devices, who is on them, and the queue."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import pytest

from tests.tui.driving import notes, running, screen_text, until
from tests.tui.fake_lab import NOW, QUEUED, RUNNING, FakeLab, run
from vitui.occupancy import CpuMeter, occupancy, trainer_group
from vitui.reading import QueueView
from vitui.supervisor.devices import Device, Inventory, Process
from vitui.tui.actions import ACTIONS
from vitui.tui.keymap import remapped
from vitui.tui.screens.device_lines import detail_lines, device_lines, gauge, sparkline, worker_part
from vitui.tui.screens.devices import DevicesScreen
from vitui.tui.theme import OKABE_ITO as P
from vitui.tui.views.devices import DevicesView, History, Samples

GIB = 1 << 30
ALICE = Process(1 << 30, "alice", "python", 20 * GIB)
H200 = Device("GPU-aa", 0, "NVIDIA H200", 1, 140 * GIB, 100 * GIB, (ALICE,), 78, 62, 540.0)
IDLE = Device("GPU-bb", 1, "NVIDIA H200", 1, 140 * GIB, 139 * GIB, (), 0, 30, 75.0)
CPU = Device("cpu", -1, "16 cores", 1, 128 * GIB, 64 * GIB)


def text_of(rows: Any) -> str:
    return "\n".join("".join(text for text, _ in parts) for _, parts in rows)


def view(**values: Any) -> DevicesView:
    ours = run(
        "261122-100000-aaaa",
        state="running",
        name="swin\x1b[31m [b]",
        placed="GPU 0 NVIDIA H200",
        epoch=3.0,
        total_epochs=10.0,
    )
    waiting = [
        run("261122-100001-bbbb", state="queued", name="next", reason="GPU 0: busy", state_at=NOW - 60),
        run("261122-100002-cccc", state="queued", name="kept", held=True, state_at=NOW - 60),
    ]
    history = Samples({"use": (math.nan, 10.0, 50.0, 78.0), "memory": (1.0, 2.0), "temperature": (), "power": ()})
    given: dict[str, Any] = {
        "occupied": occupancy([H200, IDLE, CPU], [ours], {}), "samples": {"GPU-aa": history}, "trouble": "",
        "queue": QueueView(None, waiting, True, 77), "load": (1.5, 1.0, 0.5), "log": (), "now": NOW,
    }  # fmt: skip
    return DevicesView(**{**given, **values})


def test_every_device_with_its_runs_and_strangers() -> None:
    shown = text_of(device_lines(view(), P, 100))
    assert (
        "GPU 0 NVIDIA H200" in shown
        and "78 %" in shown
        and "40.0/140.0 GiB" in shown
        and "62 °C" in shown
        and "540 W" in shown
    )
    assert "▶ running" in shown and r"swin\x1b[31m [b]" in shown and "\x1b" not in shown
    assert "! alice (python, 20.0 GB)  not one of these runs" in shown
    assert "load 1.5 1.0 0.5" in shown
    assert shown.count("    free") == 2


def test_the_queue_says_why_each_run_waits() -> None:
    rows = device_lines(view(), P, 100)
    shown = text_of(rows)
    assert "Queue: 2 waiting" in shown and "GPU 0: busy" in shown and "held; h lets it start" in shown
    assert [entry.key for entry, _ in rows if entry is not None and entry.kind == "waiting"] == [
        "261122-100001-bbbb", "261122-100002-cccc",
    ]  # fmt: skip
    paused = view(queue=QueueView("three failures in a row", [], False, None))
    assert "paused: three failures in a row  u lets it go on" in text_of(device_lines(paused, P, 100))
    assert "Queue: nothing waits" in text_of(device_lines(paused, P, 100))


def test_trouble_with_the_driver_is_told() -> None:
    assert "! the driver sleeps" in text_of(device_lines(view(trouble="the driver sleeps", occupied=()), P, 80))


def test_the_worker() -> None:
    assert worker_part(view(), P)[0] == "worker 77 at work"
    alone = view(queue=QueueView(None, [], False, None))
    assert worker_part(alone, P)[0] == "no worker; w starts one"
    mine = remapped(ACTIONS, {"devices.wake-worker": ["W"], "devices.unpause": []})
    assert worker_part(alone, P, mine)[0] == "no worker; W starts one", "the user's keys are told"
    paused = view(queue=QueueView("failures", [], True, 1))
    assert "failures  unpause lets it go on" in text_of(device_lines(paused, P, 100, mine))
    assert worker_part(view(queue=QueueView(None, [], False, None), occupied=()), P)[0] == "no worker needed"


def test_figures_of_the_last_minutes() -> None:
    lines = ["".join(text for text, _ in parts) for parts in detail_lines(view(), "GPU-aa", P, 100)]
    assert [line.split()[0] for line in lines] == ["use", "memory"]
    assert "10 to 78 % in 8s" in lines[0]


def test_a_sparkline_keeps_the_peak_and_the_gap() -> None:
    assert sparkline((0.0, 100.0, math.nan, 50.0), 10, 100.0) == "▁█ ▅"
    peak = sparkline([0.0] * 50 + [100.0] + [0.0] * 49, 10, 100.0)
    assert len(peak) == 10 and peak.count("█") == 1
    assert sparkline((), 10, 100.0) == "" and sparkline((1.0,), 10, 0.0) == "▁"
    assert [text for text, _ in gauge(None, P, 4)] == ["", "░░░░"]
    assert [text for text, _ in gauge(250.0, P, 4)] == ["████", ""]


def test_processes_of_our_runs_are_no_strangers() -> None:
    mine = Process(os.getpid(), "me", "python", GIB)
    gpu = Device("GPU-aa", 0, "X", 1, GIB, 0, (mine, ALICE))
    ours = run("a", state="running", placed="GPU 0 X, GPU 1 X")
    found = occupancy([gpu], [ours], {"a": os.getpgid(0)})
    assert [process.user for process in found[0].others] == ["alice"] and found[0].runs == (ours,)
    assert occupancy([Device("GPU-c", 10, "X")], [run("b", state="running", placed="GPU 1 X")], {})[0].runs == ()


def test_a_trainer_that_is_not_written_down_yet(tmp_path: Path) -> None:
    from engine.journal import RunDir

    folder = RunDir(tmp_path / "r")
    assert trainer_group(folder, 1) is None
    folder.attempt(1).mkdir(parents=True)
    (folder.attempt(1) / "launch.json").write_text('{"trainer": {"pid": 42, "start": 1}}')
    assert trainer_group(folder, 1) == 42
    (folder.attempt(1) / "launch.json").write_text("[1]")
    assert trainer_group(folder, 1) is None


def test_the_processors_use_is_a_difference(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    meter = CpuMeter(stat)
    assert meter.percent() is None
    stat.write_text("cpu  100 0 100 700 100 0 0 0 0 0\n")
    assert meter.percent() is None
    stat.write_text("cpu  150 0 125 720 105 0 0 0 0 0\n")
    assert meter.percent() == pytest.approx(75.0)
    assert meter.percent() is None, "no time has passed"
    stat.write_text("nothing\n")
    assert meter.percent() is None


def test_the_history_forgets_what_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    history = History(lambda: Inventory((H200, CPU), "slow"))
    for _ in range(310):
        history.sample()
    found = history.samples()["GPU-aa"]
    assert len(found.values["use"]) == 300 and found.last("use") == 78.0 and found.last("power") == 540.0
    assert history.samples()["cpu"].last("temperature") is None
    assert history.inventory is not None and history.inventory.trouble == "slow" and history.number == 310


class QueueLab(FakeLab):
    """A lab whose queue can be edited."""

    def queue(self) -> Any:
        waiting = [r for r in self.rows.values() if r.state == "queued"]
        return QueueView(self.paused, sorted(waiting, key=lambda r: r.position or 0), True, 1)

    def hold(self, run_id: str) -> None:
        self.calls.append(("hold", run_id))
        self.change(run_id, held=True)

    def release(self, run_id: str) -> None:
        self.calls.append(("release", run_id))
        self.change(run_id, held=False)

    def move(self, run_id: str, position: int) -> None:
        self.calls.append((f"move {position}", run_id))

    def unpause(self) -> None:
        self.calls.append(("unpause", ""))
        self.paused = None
        self.touch()


async def test_the_queue_is_edited_where_it_is_seen(lab: FakeLab) -> None:
    lab.__class__ = QueueLab
    lab.change(QUEUED, position=1)
    lab.add(run("261122-100009-last", name="another", state="queued", position=2, created=NOW, state_at=NOW))
    lab.paused = "three failures"
    async with running(lab) as (app, pilot):
        await pilot.press("4")
        await until(pilot, lambda: "Queue: 2 waiting" in screen_text(app))
        assert isinstance(app.screen, DevicesScreen) and "2 cores" in screen_text(app)
        await pilot.press("G")
        await pilot.press("K")
        await until(pilot, lambda: ("move 1", "261122-100009-last") in lab.calls)
        await until(pilot, lambda: "another has place 1 of 2" in notes(app))
        await pilot.press("h")
        await until(pilot, lambda: "held; h lets it start" in screen_text(app))
        await pilot.press("h")
        await until(pilot, lambda: ("release", "261122-100009-last") in lab.calls)
        await pilot.press("u")
        await until(pilot, lambda: "paused" not in screen_text(app))
        await pilot.press("u")
        await until(pilot, lambda: "the queue is not paused" in notes(app))
        await pilot.press("g", "j")
        await pilot.press("h")
        await until(pilot, lambda: "choose a run that waits" in notes(app))
        await pilot.press("enter")
        await until(pilot, lambda: getattr(app.screen, "run_id", "") == RUNNING)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DevicesScreen))
        await pilot.press("escape")
        assert app.screen is app.runs_screen
