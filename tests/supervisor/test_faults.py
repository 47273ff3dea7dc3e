"""What the worker makes of killed processes, interrupted starts, lost folders and foreign databases."""

from __future__ import annotations

import json
import os
import pty
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine import journal
from engine.journal import RunDir
from tests.supervisor.lab import TinyLab, journalled_steps, stored_steps
from tests.supervisor.processes import processes_below, until
from vitui.errors import VitError
from vitui.store import runs
from vitui.store.rebuild import rebuild
from vitui.supervisor import runner
from vitui.supervisor.attempts import note_dequeued
from vitui.supervisor.ensure import ensure_worker, worker_pid
from vitui.supervisor.judge import judge


@pytest.mark.parametrize("seed", range(5))
def test_kill_9_of_the_trainer_at_a_random_moment(lab: TinyLab, seed: int) -> None:
    run = lab.queue("a", steps=400, step_s=0.002, checkpoint_every=5)
    lab.wake()
    trainer = lab.who(run, "trainer")
    signal.sigtimedwait([signal.SIGUSR2], random.Random(seed).uniform(0.0, 0.6))
    trainer.send(signal.SIGKILL)
    killed = time.monotonic()
    until(lambda: not trainer.alive())
    done = lab.ended("a", timeout_s=5)
    assert time.monotonic() - killed < 2
    assert done.state == "failed" and done.exit_signal == 9
    assert done.evidence.startswith("killed by SIGKILL") and "not asked for by vitui" in done.evidence
    assert stored_steps(lab, run) == journalled_steps(run) and done.step == len(journalled_steps(run))
    lab.idle()
    (lab.home / "occupied").unlink(missing_ok=True)
    saved = json.loads(run.last.read_text())["step"] if run.last.exists() else 0
    known = max((e["step"] for e in journal.read_all(run.journal) if e["kind"] == "checkpoint"), default=0)
    assert saved - known in (0, 5), "a checkpoint may be written but not yet journalled"
    if done.step:
        where = f"last checkpoint at step {known}" if known else "no checkpoint yet"
        assert f"at step {done.step} ({where})" in done.evidence
    lab.resume("a")
    assert lab.ended("a").state == "finished"
    assert stored_steps(lab, run) == list(range(1, 401))


def test_kill_9_of_the_worker_leaves_training_alone_and_the_next_adopts_it(lab: TinyLab) -> None:
    run = lab.queue("a", steps=100_000)
    later = lab.queue("b", steps=3)
    lab.wake()
    lab.training(run)
    lab.kill(lab.worker())
    assert worker_pid(lab.home) is None
    before = len(journalled_steps(run))
    until(lambda: len(journalled_steps(run)) > before + 20, what="training to go on")
    assert lab.wake(), "a new worker"
    until(lambda: lab.run("a").step > before + 20, what="the new worker to read on")
    assert lab.run("a").state == "running" and lab.order() == ["a"]
    with lab.store.writing() as db:
        assert runs.request_stop(db, "a")
    assert lab.ended("a").state == "stopped"
    assert lab.ended("b").state == "finished" and later.attempt_numbers() == [1]
    assert stored_steps(lab, run) == journalled_steps(run)


def test_kill_9_of_the_runner_leaves_training_alone_and_its_device_taken(lab: TinyLab) -> None:
    run = lab.queue("a", steps=200, step_s=0.005)
    lab.queue("b", steps=3)
    lab.wake()
    lab.training(run)
    lab.kill(lab.who(run, "runner"))
    done = lab.ended("a")
    assert done.state == "finished" and "its runner was gone" in done.evidence and done.exit_code is None
    assert stored_steps(lab, run) == list(range(1, 201))
    assert lab.ended("b").state == "finished" and lab.order() == ["a", "b"]
    assert judge(run)[:2] == (done.state, done.evidence)


def test_kill_9_of_runner_and_trainer_is_lost_and_the_queue_goes_on(lab: TinyLab) -> None:
    run = lab.queue("a", steps=100_000, children=["plain"], exclusive=False)
    lab.queue("b", steps=3, exclusive=False)
    lab.wake()
    lab.training(run)
    group = lab.who(run, "trainer").pid
    lab.kill(lab.who(run, "runner"), lab.who(run, "trainer"))
    done = lab.ended("a")
    assert done.state == "lost" and done.evidence.startswith("its process is gone without a word at step")
    assert lab.ended("b").state == "finished"
    until(lambda: not any(os.getpgid(p.pid) == group for p in processes_below(lab.home)), what="its child to be ended")
    state, evidence, columns = judge(run)
    assert (state, evidence, columns["state_at"]) == (done.state, done.evidence, done.state_at)
    assert columns["ended"] == done.ended and columns["attempt"] == done.attempt


@pytest.mark.parametrize("reboot", [False, True])
def test_kill_9_of_everything_is_told_by_the_next_command(lab: TinyLab, reboot: bool) -> None:
    run = lab.queue("a", steps=100_000)
    lab.queue("b", steps=3)
    lab.wake()
    lab.training(run)
    lab.kill(lab.worker(), lab.who(run, "runner"), lab.who(run, "trainer"))
    (lab.home / "occupied").unlink()
    if reboot:
        path = run.attempt(1) / "launch.json"
        journal.write_json(path, {**json.loads(path.read_text()), "boot_id": "00000000-another-boot"})
    assert lab.run("a").state == "running", "nobody is there to see it"
    lab.wake()
    done = lab.ended("a")
    assert done.state == "lost"
    assert done.evidence.startswith("the machine restarted while it trained" if reboot else "its process is gone")
    assert stored_steps(lab, run) == journalled_steps(run)
    assert lab.ended("b").state == "finished"
    lab.resume("a")
    lab.training(run, attempt=2)
    with lab.store.writing() as db:
        runs.request_stop(db, "a")
    assert lab.ended("a").state == "stopped" and stored_steps(lab, run)[-1] == lab.run("a").step


def test_a_process_that_has_the_pid_of_a_dead_trainer_is_not_taken_for_it(lab: TinyLab) -> None:
    run = lab.queue("a", steps=100_000)
    lab.wake()
    lab.training(run)
    lab.kill(lab.worker(), lab.who(run, "runner"), lab.who(run, "trainer"))
    path = run.attempt(1) / "launch.json"
    launch = json.loads(path.read_text())
    launch["runner"]["pid"] = launch["trainer"]["pid"] = os.getpid()  # alive, and surely somebody else
    journal.write_json(path, launch)
    with lab.store.writing() as db:
        runs.request_stop(db, "a")  # and surely not to be signalled
    lab.wake()
    assert lab.ended("a").state == "stopped"


def test_closing_the_terminal_leaves_training_alone(lab: TinyLab) -> None:
    run = lab.queue("a", steps=100_000)
    code = (
        "import sys; from pathlib import Path; from vitui.supervisor.ensure import ensure_worker;"
        "ensure_worker(Path(sys.argv[1]), command=sys.argv[2:]); print('ready', flush=True); sys.stdin.read()"
    )
    pid, master = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", code, str(lab.home), *lab.command])
    said = b""
    while b"ready" not in said:
        said += os.read(master, 1024)
    lab.training(run)
    os.close(master)
    os.waitpid(pid, 0)  # SIGHUP
    before = len(journalled_steps(run))
    until(lambda: lab.run("a").step > before + 20, what="training and worker to go on")
    assert lab.worker().alive() and lab.who(run, "runner").alive()


def test_a_client_killed_while_it_starts_a_worker_blocks_nobody(lab: TinyLab) -> None:
    lab.queue("a", steps=3)
    lock = os.open(lab.home / "worker.lock", os.O_RDWR | os.O_CREAT)
    holder = subprocess.Popen(
        [sys.executable, "-S", "-c", f"import fcntl,time; fcntl.flock({lock}, 2); print('held', flush=True); time.sleep(600)"],
        stdout=subprocess.PIPE, pass_fds=[lock],
    )  # fmt: skip
    os.close(lock)
    assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
    with ThreadPoolExecutor(1) as pool:
        waking = pool.submit(lab.wake)
        holder.kill()
        holder.wait()
        assert waking.result(20) is True
    holder.stdout.close()
    assert lab.ended("a").state == "finished"


def test_a_worker_that_cannot_start_is_a_sentence(lab: TinyLab) -> None:
    with pytest.raises(VitError, match=r"ended while it started; its reason is in .*worker\.log"):
        ensure_worker(lab.home, command=(sys.executable, "-c", "raise SystemExit('no')"))
    assert "no" in (lab.home / "worker.log").read_text()
    with pytest.raises(VitError, match="cannot be started: No such file"):
        ensure_worker(lab.home, command=("/no/such/python",))
    lab.queue("a", steps=3)
    assert lab.wake() and lab.ended("a").state == "finished"


def test_a_sigstopped_run_is_alive_and_stops_when_asked(lab: TinyLab) -> None:
    run = lab.queue("a", steps=100_000)
    lab.wake()
    lab.training(run)
    trainer = lab.who(run, "trainer")
    trainer.send(signal.SIGSTOP)
    until(lambda: Path(f"/proc/{trainer.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T")
    lab.kill(lab.worker())
    lab.wake()
    assert lab.run("a").state == "running"
    with lab.store.writing() as db:
        runs.request_stop(db, "a")
    assert lab.ended("a").state == "stopped"


def test_sigterm_to_the_worker_leaves_training_alone(lab: TinyLab) -> None:
    run = lab.queue("a", steps=100_000)
    lab.wake()
    lab.training(run)
    worker = lab.worker()
    worker.send(signal.SIGTERM)
    until(lambda: not worker.alive())
    assert lab.who(run, "trainer").alive() and lab.who(run, "runner").alive()
    assert "asked to leave; 1 runs go on" in (lab.home / "worker.log").read_text()


@pytest.mark.parametrize("left", ["nothing", "folder", "spec"])
def test_a_start_that_was_interrupted_is_started_again_exactly_once(lab: TinyLab, left: str) -> None:
    """A worker that died between claiming a run and starting its runner."""
    run = lab.queue("a", steps=3)
    with lab.store.writing() as db:
        runs.transition(db, "a", "queued", "starting", attempt=1)
    if left != "nothing":
        run.attempt(1).mkdir(parents=True)
    if left == "spec":
        (run.attempt(1) / "spec.json").write_text("{}")
        (run.attempt(1) / "lock").touch()
    lab.wake()
    done = lab.ended("a")
    assert done.state == "finished" and done.attempt == 2 and lab.order() == ["a"]


def test_a_start_whose_runner_is_still_coming_up_is_not_repeated(lab: TinyLab) -> None:
    """The lock says that a runner is there, though launch.json does not yet: waiting, not starting twice."""
    run = lab.queue("a", steps=3)
    handle = {"run": "a", "attempt": 1, "places": [["cpu", 0]]}
    with lab.store.writing() as db:
        runs.transition(db, "a", "queued", "starting", attempt=1, handle=handle)
    run.attempt(1).mkdir(parents=True)
    held = runner.take_lease(str(run.attempt(1) / "lock"))
    assert held is not None
    lab.wake()
    later = lab.queue("b", steps=3)
    until(lambda: lab.run("b").reason, what="a look at the queue")
    assert lab.run("a").state == "starting" and later.attempt_numbers() == []
    os.close(held)
    assert lab.ended("a").state == "finished" and lab.order()[0] == "a"


def test_a_start_that_is_interrupted_again_and_again_fails(lab: TinyLab) -> None:
    run = lab.queue("a", steps=3)
    for number in (1, 2, 3):
        run.attempt(number).mkdir(parents=True)
    with lab.store.writing() as db:
        runs.transition(db, "a", "queued", "starting", attempt=3)
    lab.wake()
    done = lab.ended("a")
    assert done.state == "failed" and "interrupted 3 times" in done.evidence and judge(run)[0] == "failed"


def test_a_stop_is_not_forgotten_when_the_start_was_interrupted(lab: TinyLab) -> None:
    run = lab.queue("a", steps=3)
    with lab.store.writing() as db:
        runs.transition(db, "a", "queued", "starting", attempt=1)
        runs.request_stop(db, "a")
    lab.wake()
    done = lab.ended("a")
    assert done.state == "stopped" and lab.order() == [] and judge(run)[:2] == (done.state, done.evidence)


def test_a_trainer_that_cannot_be_started_fails_with_its_reason(lab: TinyLab) -> None:
    run = lab.queue("a")
    (run.path / "attempts").write_text("a file where a folder should be")
    lab.wake()
    done = lab.ended("a")
    assert done.state == "failed" and "could not be started" in done.evidence


def test_a_run_whose_folder_is_gone_does_not_stop_the_others(lab: TinyLab) -> None:
    run = lab.queue("a", steps=100_000, exclusive=False)
    lab.queue("b", steps=3, exclusive=False)
    lab.wake()
    lab.training(run)
    victims = [lab.who(run, "runner"), lab.who(run, "trainer")]
    run.path.rename(lab.home / "elsewhere")
    lab.kill(*victims)
    assert lab.ended("b").state == "finished"


def test_a_newer_database_makes_the_old_worker_leave(lab: TinyLab) -> None:
    run = lab.queue("a", steps=100_000)
    lab.wake()
    lab.training(run)
    worker = lab.worker()
    with lab.store.writing() as db:
        db.execute("PRAGMA user_version = 9999")
    until(lambda: not worker.alive(), what="the worker to leave")
    assert lab.who(run, "trainer").alive() and "newer" in (lab.home / "worker.log").read_text()


def test_the_worker_goes_on_with_a_database_that_was_made_anew(lab: TinyLab) -> None:
    run = lab.queue("a", steps=100_000)
    lab.wake()
    lab.training(run)
    row = lab.run("a")
    for suffix in ("-wal", "-shm", ""):
        Path(f"{lab.store.path}{suffix}").rename(lab.home / f"aside{suffix}")
    lab.store.open()
    with lab.store.writing() as db:
        runs.insert(db, runs.NewRun("a", "a", created=row.created, device="cpu"))
        runs.transition(db, "a", "queued", "starting", attempt=1)
    until(lambda: lab.run("a").state == "running" and lab.run("a").step > row.step, what="ingest into the new database")
    with lab.store.writing() as db:
        runs.request_stop(db, "a")
    assert lab.ended("a").state == "stopped"
    assert stored_steps(lab, run) == journalled_steps(run)


def test_a_rebuilt_database_tells_the_same_about_every_ending(home: Path) -> None:
    lab = TinyLab(home, grace_s=0.3)
    lab.queue("finishes", steps=3)
    lab.queue("fails", die_at=2, die_code=1)
    lab.queue("killed", die_at=2, die_signal=9, exclusive=False)
    lab.queue("diverges", diverge_at=3, exclusive=False)
    lab.queue("nothing", steps=3, exclusive=False)
    (home / "runs" / "nothing" / "plan.json").unlink()
    stubborn = lab.queue("stubborn", steps=100_000, ignore_term=True, exclusive=False)
    lost = lab.queue("lost", steps=100_000, exclusive=False)
    lab.queue("waits")
    lab.wake()
    lab.training(stubborn)
    with lab.store.writing() as db:
        runs.request_stop(db, "stubborn")
        runs.request_stop(db, "waits")
    waits = lab.run("waits")
    note_dequeued(RunDir(home / "runs" / "waits"), waits.state_at)
    lab.training(lost)
    lab.kill(lab.who(lost, "runner"), lab.who(lost, "trainer"))
    lab.ended("lost")
    lab.idle()
    before = {run.id: run for run in runs.list_runs(lab.store.reading())}
    states = {run.id: run.state for run in before.values()}
    assert states == {
        "finishes": "finished", "fails": "failed", "killed": "failed", "diverges": "diverged", "nothing": "failed",
        "stubborn": "stopped", "lost": "lost", "waits": "stopped",
    }  # fmt: skip
    lab.store.close()
    for path in home.glob("lab.db*"):
        path.unlink()
    rebuild(lab.store, judge)
    after = {run.id: run for run in runs.list_runs(lab.store.reading())}
    # What run.json would say is not the supervisor's: these run directories have none.
    ours = ("state", "state_at", "evidence", "started", "ended", "launcher", "handle", "placed", "host", "attempt",
            "stop_requested", "exit_code", "exit_signal", "step", "epoch")  # fmt: skip
    for name, run in before.items():
        had, has = ({key: getattr(r, key) for key in ours} for r in (run, after[name]))
        has["evidence"] = has["evidence"].split("; run.json cannot")[0]
        assert has == had, name


def test_a_client_killed_while_it_waits_for_the_worker_takes_nothing_with_it(lab: TinyLab) -> None:
    lab.queue("a", steps=3)
    listening, said = os.pipe()
    os.close(listening)
    subprocess.Popen([*lab.command, str(lab.home), "--ready-fd", str(said)], pass_fds=[said], start_new_session=True)
    os.close(said)
    assert lab.ended("a").state == "finished"
