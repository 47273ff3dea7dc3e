"""Watching a run from a plain terminal: it ends with the run or with Ctrl-C, and the training does not care."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Vitui, until

LONG = ("--set", "train.epochs=3000", "--set", "train.checkpoint_every_steps=20")


@pytest.mark.slow
def test_followers_heal_the_worker_and_leave_training_alone(vitui: Vitui, tmp_path: Path) -> None:
    run = vitui.run(*LONG, "--set", "train.log_every=1")
    second = vitui.run(*LONG)
    with open(tmp_path / "out", "w") as out, open(tmp_path / "err", "w") as err:
        follower = vitui.popen("run", "demo-digits", "--follow", stdout=out, stderr=err)
        logs = vitui.popen("logs", "-f", "--journal", run, stdout=subprocess.PIPE)
        until(lambda: f"waiting: CPU: busy with {run}" in (tmp_path / "out").read_text())
        (worker,) = vitui.of("vitui.supervisor.worker")
        worker.kill()
        worker.wait(10)
        # No other command helps: whoever watches sees to it that there is a worker.
        until(lambda: vitui.of("vitui.supervisor.worker"), 20)
        follower.send_signal(signal.SIGINT)
        assert follower.wait(20) == 130
    third = (tmp_path / "out").read_text().split()[0]
    assert f"not watching any more; run {third} goes on" in (tmp_path / "err").read_text()
    assert vitui.row(third)["state"] == "queued"
    until(vitui.dir(run).journal.exists)  # on a busy machine the trainer may still be loading
    answer = vitui("stop", second, third, run, second)
    assert {vitui.row(r)["state"] for r in (run, second, third)} == {"stopped"}
    assert answer.stdout == "" and f"{run} is stopped" in answer.stderr
    told, _ = logs.communicate(timeout=30)
    assert logs.returncode == 0 and '"kind":"stopped"' in told.splitlines()[-1]
    assert told.count('"kind":"started"') == 1


@pytest.mark.slow
def test_a_resumed_run_is_followed_from_there_on(vitui: Vitui) -> None:
    run = vitui.run("--set", "train.epochs=20")
    until(lambda: vitui.dir(run).journal.exists() and b'"kind":"eval"' in vitui.dir(run).journal.read_bytes())
    vitui("stop", run)
    before = vitui.row(run)
    done = vitui("resume", run, "--follow")
    lines = done.stdout.splitlines()
    assert lines[0] == run and any(line.startswith("started on") and "attempt 2" in line for line in lines)
    first = next(line for line in lines if line.startswith("epoch "))
    assert float(first.split()[1].split("/")[0]) > before["epoch"] - 1
    assert sum(line.startswith("started on") for line in lines) == 1
    assert f"finished: demo-digits ({run})" in done.stdout
