"""Killing things: nothing that was journalled is lost, states are right, runs go on or can be resumed."""

from __future__ import annotations

import os
import pty
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest

from engine import journal
from tests.e2e.conftest import TINY_MODEL, Vitui, until

LONG = ("--set", "train.epochs=3000", "--set", "train.checkpoint_every_steps=20")


def steps(vitui: Vitui, run: str) -> list[int]:
    """Steps of the loss curve by the journal alone, superseded ones left out."""
    out: dict[int, None] = {}
    for event in journal.read_all(vitui.dir(run).journal):
        if event["kind"] == "resumed":
            out = {s: None for s in out if s <= event["step"]}
        if event["kind"] == "metrics":
            n = len(event["values"]["train/loss"])
            out |= dict.fromkeys(range(event["step"] - n + 1, event["step"] + 1))
    return list(out)


def curve(vitui: Vitui, run: str) -> list[int]:
    """The same by the database."""
    import sqlite3

    with sqlite3.connect(f"file:{vitui.home / 'lab.db'}?mode=ro", uri=True) as db:
        rows = db.execute("select step from points where run = ? and key = 'train/loss' order by step", (run,))
        return [row[0] for row in rows]


@pytest.mark.parametrize("group", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 3))])
def test_kill_9_of_the_trainer_at_random_moments_loses_nothing(vitui: Vitui, group: int) -> None:
    """Twenty seeds in four runs: each run is killed and resumed five times, at any moment from start-up on.

    Three of the four are among the slow tests: every start of the trainer loads torch and timm.
    """
    dice = random.Random(group)
    run = vitui.run(*LONG)
    for _ in range(5):
        until(vitui.trainer)
        trainer = vitui.trainer()
        assert trainer is not None
        if dice.random() < 0.7:  # mostly in the middle of training, sometimes while it starts
            before = max(steps(vitui, run), default=0)
            until(lambda before=before: max(steps(vitui, run), default=0) > before + dice.randrange(40))  # type: ignore[misc]
        else:
            time.sleep(dice.uniform(0, 3))  # the moment is what is random here
        trainer.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        row = vitui.wait(run, "failed", seconds=10)
        # Two commands' start-up is in this figure as well.
        assert time.monotonic() - killed < 4
        assert "SIGKILL" in row["evidence"] and "not asked for" in row["evidence"]
        assert row["exit_signal"] == signal.SIGKILL
        logged = steps(vitui, run)
        assert logged == list(range(1, len(logged) + 1))
        assert curve(vitui, run) == logged
        vitui("resume", run)
    vitui("stop", run)
    row = vitui.row(run)
    assert row["state"] == "stopped" and "SIGTERM" in row["evidence"]
    assert curve(vitui, run) == steps(vitui, run) == list(range(1, row["step"] + 1))


def test_kill_9_of_the_worker_is_healed_by_the_next_command(vitui: Vitui) -> None:
    run = vitui.run(*LONG)
    until(lambda: len(steps(vitui, run)) > 20)
    (worker,) = vitui.of("vitui.supervisor.worker")
    worker.kill()
    trainer = vitui.trainer()
    seen = len(steps(vitui, run))
    until(lambda: len(steps(vitui, run)) > seen)
    assert trainer is not None and trainer.is_running()
    assert vitui.row(run)["state"] == "running"  # this command starts a worker, which adopts the run
    until(lambda: len(vitui.of("vitui.supervisor.worker")) == 1)
    until(lambda: len(curve(vitui, run)) > seen)
    vitui("stop", run)
    assert vitui.row(run)["state"] == "stopped"


def test_kill_9_of_worker_and_runner_leaves_training_alone_and_the_queue_goes_on(vitui: Vitui) -> None:
    first = vitui.run("--set", "train.epochs=60")
    second = vitui.run("--set", "train.epochs=2")  # before the first has begun: it is short, and commands take a while
    until(lambda: len(steps(vitui, first)) > 20)
    for part in ("vitui.supervisor.worker", "runner.py"):
        for process in vitui.of(part):
            process.kill()
    assert vitui.row(first)["state"] == "running"
    row = vitui.row(second)
    assert row["state"] == "queued" and row["reason"]
    assert vitui.wait(first, "finished")["attempt"] == 1
    assert vitui.wait(second, "finished")["attempt"] == 1


def test_kill_9_of_everything_is_told_and_the_queue_goes_on(vitui: Vitui) -> None:
    first = vitui.run(*LONG)
    until(lambda: len(steps(vitui, first)) > 30)
    second = vitui.run("--set", "train.epochs=2")
    processes = [*vitui.of("vitui.supervisor.worker"), *vitui.of("runner.py"), vitui.trainer()]
    for process in processes:
        assert process is not None
        process.kill()
    psutil.wait_procs([p for p in processes if p], timeout=10)
    row = vitui.wait(first, "lost", seconds=10)
    assert "gone without a word" in row["evidence"] and "last checkpoint at step" in row["evidence"]
    assert curve(vitui, first) == steps(vitui, first)
    vitui.wait(second, "finished")
    vitui("resume", first)
    vitui.wait(first, "running")
    vitui("stop", first)
    assert vitui.row(first)["attempt"] == 2


def test_closing_the_terminal_leaves_training_alone(vitui: Vitui) -> None:
    """A real pty with `vitui run --follow` in it, hung up as a lost SSH connection is."""
    vitui.warm()
    child, terminal = pty.fork()
    if child == 0:
        os.execve(
            sys.executable,
            [sys.executable, "-m", "vitui", "run", "demo-digits", *TINY_MODEL, *LONG, "--follow"],
            vitui.env,
        )
    until(lambda: list((vitui.home / "runs").glob("2*")) if (vitui.home / "runs").exists() else False)
    run = next((vitui.home / "runs").glob("2*")).name
    until(lambda: len(steps(vitui, run)) > 20)
    os.close(terminal)
    os.waitpid(child, 0)
    seen = len(steps(vitui, run))
    until(lambda: len(steps(vitui, run)) > seen + 20)
    assert vitui.row(run)["state"] == "running"
    vitui("stop", run)


@pytest.mark.slow
def test_fifty_runs_started_at_once_run_once_each_one_at_a_time(vitui: Vitui) -> None:
    vitui.env["PYTHONPATH"] = os.path.join(os.path.dirname(__file__), "tiny")
    commands = [vitui.popen("run", "demo-digits", stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(50)]
    ids = []
    for command in commands:
        out, errors = command.communicate(timeout=240)
        assert command.returncode == 0, errors
        ids.append(out.strip())
    assert len(set(ids)) == 50

    def done() -> bool:
        if len(vitui.of("vitui.supervisor.worker")) > 1:  # one that leaves may be seen beside the next one, briefly
            until(lambda: len(vitui.of("vitui.supervisor.worker")) <= 1, 2)
        return all(row["state"] in ("finished", "failed") for row in vitui.json("runs"))

    until(done, 240)
    rows = vitui.json("runs")
    assert {row["id"] for row in rows} == set(ids)
    assert {row["state"] for row in rows} == {"finished"}, [r["evidence"] for r in rows if r["state"] != "finished"]
    assert sorted((vitui.home / "ran.txt").read_text().split()) == sorted(ids)
