"""The worker on real processes: queueing, placing, stopping, pausing, leaving."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine import journal
from engine.journal import RunDir
from tests.supervisor.lab import TinyLab, stored_steps
from tests.supervisor.processes import processes_below, until
from vitui.store import runs
from vitui.supervisor import runner
from vitui.supervisor.attempts import trainer_argv, trainer_env
from vitui.supervisor.breaker import paused
from vitui.supervisor.ensure import worker_pid
from vitui.supervisor.identity import Identity
from vitui.supervisor.judge import judge
from vitui.supervisor.leases import Place


def test_a_queued_run_trains_to_its_end_and_the_worker_leaves(lab: TinyLab) -> None:
    run = lab.queue("a", steps=30)
    assert lab.wake()
    done = lab.ended("a")
    assert (done.state, done.evidence, done.exit_code, done.attempt) == (
        "finished",
        "finished at epoch 3, step 30",
        0,
        1,
    )
    assert done.placed == "cpu" and done.step == 30 and done.position is None
    assert stored_steps(lab, run) == list(range(1, 31))
    lab.idle()
    until(lambda: not processes_below(lab.home), what="every process to be gone")
    spec = json.loads((run.attempt(1) / "spec.json").read_text())
    assert spec["env"]["CUDA_VISIBLE_DEVICES"] == "" and spec["leases"] == [str(lab.home / "leases" / "cpu.0.lock")]


def test_fifty_clients_at_once_start_exactly_one_worker(lab: TinyLab) -> None:
    run = lab.queue("a", steps=100_000)
    with ThreadPoolExecutor(50) as pool:
        started = list(pool.map(lambda _: lab.wake(), range(50)))
    assert started.count(True) == 1
    lab.training(run)
    workers = [p for p in processes_below(lab.home) if b"serve_tiny" in Path(f"/proc/{p.pid}/cmdline").read_bytes()]
    assert [p.pid for p in workers] == [worker_pid(lab.home)]


def test_fifty_runs_on_one_device_run_once_each_and_one_at_a_time(lab: TinyLab) -> None:
    """The tiny engine creates a file exclusively while it trains: two at once would fail."""
    names = [f"r{i:02d}" for i in range(50)]
    with ThreadPoolExecutor(10) as pool:

        def launch(name: str) -> None:
            lab.queue(name, steps=2, step_s=0.0)
            lab.wake()

        list(pool.map(launch, names))
    until(lambda: not runs.list_runs(lab.store.reading(), states={"queued", "starting", "running"}), 120, "the queue")
    assert {run.state for run in runs.list_runs(lab.store.reading())} == {"finished"}
    assert sorted(lab.order()) == names
    lab.idle()


def test_stop_of_a_training_run_keeps_a_checkpoint_and_resume_goes_on(lab: TinyLab) -> None:
    run = lab.queue("a", steps=60, step_s=0.01, checkpoint_every=1000)
    lab.wake()
    lab.training(run)
    with lab.store.writing() as db:
        assert runs.request_stop(db, "a")
    done = lab.ended("a")
    assert done.state == "stopped" and done.exit_code == journal.EXIT_STOPPED and "asked to" in done.evidence
    saved = json.loads(run.last.read_text())["step"]
    assert done.step == saved
    lab.resume("a")
    again = lab.ended("a")
    assert (again.state, again.attempt, again.stop_requested) == ("finished", 2, None)
    assert lab.order() == ["a", "a"] and stored_steps(lab, run) == list(range(1, 61))


@pytest.mark.parametrize("keeper", ["alive", "dead"])
def test_a_run_that_will_not_stop_is_killed_after_the_grace(home: Path, keeper: str) -> None:
    lab = TinyLab(home, grace_s=0.5)
    run = lab.queue("a", steps=100_000, ignore_term=True)
    lab.wake()
    lab.training(run, steps=15)
    if keeper == "dead":
        lab.kill(lab.who(run, "runner"))
    with lab.store.writing() as db:
        runs.request_stop(db, "a")
    done = lab.ended("a")
    assert done.state == "stopped" and "killed" in done.evidence and "last checkpoint at step" in done.evidence
    if keeper == "alive":
        assert done.exit_signal == 9 and done.evidence.startswith("killed 0.5 s after it was asked to stop")
    assert judge(run)[:2] == (done.state, done.evidence)


def test_a_held_run_waits_and_others_pass_it(lab: TinyLab) -> None:
    lab.queue("a", steps=3)
    with lab.store.writing() as db:
        runs.hold(db, "a")
    lab.queue("b", steps=3)
    lab.wake()
    assert lab.ended("b").state == "finished"
    assert lab.run("a").state == "queued" and lab.run("a").reason == "held; release it to let it start"
    with lab.store.writing() as db:
        runs.release(db, "a")
    assert lab.ended("a").state == "finished"


def test_waiting_runs_say_why(lab: TinyLab) -> None:
    run = lab.queue("a", steps=100_000)
    lab.queue("b", steps=3)
    lab.wake()
    until(lambda: lab.run("b").reason == "CPU: busy with a", what="the reason")
    lab.training(run)
    lab.kill(lab.worker())
    held = lab.who(run, "trainer")
    lab.kill(lab.who(run, "runner"), held)
    (lab.home / "occupied").unlink()
    elsewhere = until(lambda: runner.take_lease(str(lab.home / "leases" / "cpu.0.lock")))
    lab.wake()
    until(lambda: lab.run("b").reason == "CPU: leased by another process", what="the reason")
    os.close(elsewhere)
    assert lab.ended("b").state == "finished"


def test_three_failures_in_a_row_pause_the_queue_until_it_is_released(lab: TinyLab) -> None:
    for name in ("a", "b", "c"):
        lab.queue(name, die_at=2, die_code=1)
    lab.queue("d", steps=3)
    lab.wake()
    assert [lab.ended(name).state for name in ("a", "b", "c")] == ["failed"] * 3
    until(lambda: "paused" in lab.run("d").reason, what="the pause")
    assert "3 runs in a row failed within" in lab.run("d").reason and "out of ideas" in lab.run("d").reason
    assert lab.run("d").state == "queued" and lab.order() == ["a", "b", "c"]
    with lab.store.writing() as db:
        runs.set_meta(db, "queue_paused", None)
    assert lab.ended("d").state == "finished"


def test_failures_that_somebody_caused_do_not_pause_the_queue(lab: TinyLab) -> None:
    for name in ("a", "b", "c"):
        lab.queue(name, die_at=2, die_signal=9, exclusive=False)
    lab.queue("d", steps=3, exclusive=False)
    lab.wake()
    assert lab.ended("d").state == "finished"
    assert [lab.run(name).state for name in ("a", "b", "c")] == ["failed"] * 3
    assert not paused(lab.store.reading())


def test_gpus_are_given_out_one_run_each_and_leased_in_the_shared_folder(home: Path) -> None:
    lab = TinyLab(home, gpus=2)
    (home / "shared").mkdir()
    first = [lab.queue(name, device="gpu", steps=100_000, exclusive=False) for name in ("a", "b")]
    lab.queue("c", device="auto", steps=3, exclusive=False)
    lab.queue("d", device="gpu", gpus=2, steps=3, exclusive=False)
    lab.queue("e", device="gpu:1", steps=3, exclusive=False)
    lab.queue("f", device="cpu", steps=3, exclusive=False)
    lab.wake()
    for run in first:
        lab.training(run)
    assert [lab.run(name).placed for name in ("a", "b")] == ["GPU 0 NVIDIA A40", "GPU 1 NVIDIA A40"]
    started = [next(journal.read_all(run.journal)) for run in first]
    assert [(event["device"], event["visible"]) for event in started] == [("cuda", "GPU-aaaa"), ("cuda", "GPU-abbb")]
    assert lab.ended("f").state == "finished", "the CPU is a device of its own"
    until(lambda: lab.run("c").reason == "GPU 0: busy with a; GPU 1: busy with b", what="a reason")
    assert lab.run("d").reason == "needs 2 GPUs, 0 free: GPU 0: busy with a; GPU 1: busy with b"
    assert lab.run("e").reason == "GPU 1: busy with b"
    lab.kill(lab.who(first[0], "runner"))
    assert runner.take_lease(str(home / "shared" / "gpu-aaaa.lock")) is None, "the trainer itself holds the lease"
    for name in ("a", "b"):
        with lab.store.writing() as db:
            runs.request_stop(db, name)
    assert lab.ended("c").state == "finished" and lab.ended("e").state == "finished"


def test_a_gpu_that_another_home_uses_is_waited_for(home: Path) -> None:
    lab = TinyLab(home, gpus=1)
    (home / "shared").mkdir()
    foreign = runner.take_lease(str(home / "shared" / "gpu-aaaa.lock"))
    assert foreign is not None
    lab.queue("a", device="auto", steps=3)
    lab.wake()
    until(lambda: lab.run("a").reason == "GPU 0: leased by another process", what="the reason")
    os.close(foreign)
    assert lab.ended("a").state == "finished"


def test_the_trainers_command_line() -> None:
    run, gpus = RunDir(Path("/home/runs/r")), (Place("GPU-a", 0), Place("GPU-b", 0))
    assert trainer_argv(("py", "-m", "engine"), run, 2, (Place("cpu", 0),)) == (
        "py", "-m", "engine", "/home/runs/r", "--attempt", "2", "--device", "cpu",
    )  # fmt: skip
    assert trainer_argv(("py", "-m", "engine"), run, 1, gpus) == (
        "py", "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
        "-m", "engine", "/home/runs/r", "--attempt", "1", "--device", "cuda",
    )  # fmt: skip
    assert trainer_env(gpus)["CUDA_VISIBLE_DEVICES"] == "GPU-a,GPU-b"
    assert trainer_env(gpus)["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    assert trainer_env((Place("cpu", 0),))["CUDA_VISIBLE_DEVICES"] == ""


def test_diverged_is_told_with_its_best(lab: TinyLab) -> None:
    lab.queue("a", diverge_at=5)
    lab.wake()
    done = lab.ended("a")
    assert (done.state, done.exit_code) == ("diverged", journal.EXIT_DIVERGED)
    assert done.evidence == "NaN at epoch 0.5, step 5; best top1 80.70 (epoch 33)"


def test_the_worker_and_its_client_load_nothing_heavy() -> None:
    code = (
        "import sys, vitui.supervisor.worker, vitui.supervisor.ensure;"
        "print([m for m in ('torch','numpy','pydantic','sqlite_utils','textual','timm','typer','psutil') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_worker_pid_is_of_the_living_only(home: Path) -> None:
    assert worker_pid(home) is None
    me = Identity.of(os.getpid())
    assert me is not None
    record = {"pid": me.pid, "start": me.start + 1, "boot_id": me.boot_id}
    for text in ("", "{", "[1]", json.dumps(record)):
        (home / "worker.lock").write_text(text)
        assert worker_pid(home) is None
    (home / "worker.lock").write_text(json.dumps({**record, "start": me.start}))
    assert worker_pid(home) == me.pid
