"""The runner against real processes."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine import journal
from engine.journal import RunDir
from tests.supervisor.processes import ENGINE, make_run, processes_below, until
from vitui.supervisor import identity, runner
from vitui.supervisor.identity import Identity
from vitui.supervisor.launchers import Handle, Resources
from vitui.supervisor.launchers.local import LocalLauncher
from vitui.supervisor.leases import Place


def submit(run: RunDir, *, attempt: int = 1, argv: tuple[str, ...] | None = None, grace_s: float = 20.0) -> Handle:
    lease = run.path.parent.parent / "cpu.0.lock"
    command = argv or (*ENGINE, str(run.path), "--attempt", str(attempt), "--device", "cpu")
    launcher = LocalLauncher(run.path.parent)
    return launcher.submit(
        run, Resources(attempt, command, {"TINY": "1"}, (Place("cpu", 0),), (lease,), "cpu", grace_s)
    )


def launch(run: RunDir, attempt: int = 1) -> dict[str, Any]:
    return until(lambda: journal.read_json(run.attempt(attempt) / "launch.json"), what="launch.json")


def exit_of(run: RunDir, attempt: int = 1) -> dict[str, Any]:
    return until(lambda: journal.read_json(run.attempt(attempt) / "exit.json"), what="exit.json")


def who(run: RunDir, part: str) -> Identity:
    found = Identity.from_launch(launch(run), part)
    assert found is not None
    return found


def training(run: RunDir, steps: int = 3) -> None:
    """Wait until so many steps are journalled."""
    until(lambda: sum(e["kind"] == "metrics" for e in journal.read_all(run.journal)) >= steps, what="steps")


def test_normal_end_is_written_with_its_figures(home: Path) -> None:
    run = make_run(home, steps=5)
    submit(run)
    record = exit_of(run)
    assert record["reason"] == "exited" and record["code"] == 0 and record["signal"] is None
    assert record["by"] == "runner" and record["stop_requested"] is None and "log" not in record["oom"]
    assert 5_000 < record["max_rss_kb"] < 200_000 and record["seconds"] > 0 and record["user_s"] > 0
    assert "hello from attempt 1" in run.console.read_text()
    until(lambda: not processes_below(home), what="runner to leave")


def test_runner_is_small_and_imports_nothing_of_ours(home: Path) -> None:
    run = make_run(home, steps=10_000)
    submit(run)
    keeper = who(run, "runner")
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{keeper.pid}/status").read_text().splitlines())
    assert int(fields["VmRSS"].split()[0]) < 16_000
    code = f"import runpy,sys; runpy.run_path({runner.__file__!r}); print([m for m in sys.modules if 'vitui' in m or 'engine' in m])"
    out = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_launch_json_names_both_by_identity(home: Path) -> None:
    run = make_run(home, steps=10_000)
    submit(run)
    record = launch(run)
    assert record["boot_id"] == identity.boot_id() and record["device"] == "cpu"
    assert who(run, "runner").alive() and who(run, "trainer").alive()
    assert os.getsid(record["runner"]["pid"]) == record["runner"]["pid"]
    assert os.getpgid(record["trainer"]["pid"]) == record["trainer"]["pid"]


def test_missing_program_still_gives_exit_json(home: Path) -> None:
    run = make_run(home)
    submit(run, argv=("/no/such/program",))
    record = exit_of(run)
    assert record["reason"] == "spawn" and "/no/such/program" in record["error"] and "No such file" in record["error"]


def test_unreadable_spec_still_gives_exit_json(home: Path) -> None:
    run = make_run(home)
    run.attempt(1).mkdir(parents=True)
    (run.attempt(1) / "spec.json").write_text("{")
    subprocess.run([sys.executable, "-I", "-S", runner.__file__, str(run.attempt(1))], check=True)
    assert exit_of(run)["reason"] == "spawn"


def test_kill_9_of_the_trainer_is_told_with_its_signal(home: Path) -> None:
    run = make_run(home, steps=10_000)
    submit(run)
    training(run)
    who(run, "trainer").send(signal.SIGKILL)
    record = exit_of(run)
    assert (record["reason"], record["signal"], record["signal_name"]) == ("signal", 9, "SIGKILL")
    assert record["stop_requested"] is None


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGUSR1])
def test_stop_lets_the_trainer_write_its_checkpoint(home: Path, signum: int) -> None:
    run = make_run(home, steps=10_000)
    submit(run)
    training(run)
    assert who(run, "runner").send(signum)
    record = exit_of(run)
    assert record["code"] == journal.EXIT_STOPPED and record["stop_requested"] and not record["killed_after_grace"]
    assert [e["kind"] for e in journal.read_all(run.journal)][-1] == "stopped"


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.04, 0.06, 0.08, 0.12])
def test_stop_before_the_trainer_is_up_is_not_lost(home: Path, delay_s: float) -> None:
    """The signal may be there before Python has started: blocked from birth, it must be seen, and nothing trains on."""
    run = make_run(home, steps=10_000)
    run.attempt(1).mkdir(parents=True)
    spec = {
        "argv": [*ENGINE, str(run.path), "--attempt", "1", "--device", "cpu"],
        "cwd": str(run.path), "env": {}, "leases": [], "grace_s": 20, "run_dir": str(run.path),
        "attempt": 1, "device": "cpu", "boot_id": identity.boot_id(),
    }  # fmt: skip
    journal.write_json(run.attempt(1) / "spec.json", spec)
    command = [sys.executable, "-I", "-S", runner.__file__, str(run.attempt(1))]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, runner.SIGNALS)
    try:
        child = subprocess.Popen(command, start_new_session=True)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    signal.sigtimedwait([signal.SIGUSR2], delay_s)
    os.kill(child.pid, signal.SIGTERM)
    assert child.wait(20) == 0
    record = exit_of(run)
    assert record["stop_requested"], record
    assert record["reason"] in ("unstarted", "signal", "exited") and record.get("code") in (None, 75)


def test_a_trainer_that_ignores_the_stop_is_killed_after_the_grace(home: Path) -> None:
    run = make_run(home, steps=10_000, ignore_term=True)
    submit(run, grace_s=0.3)
    training(run)
    who(run, "runner").send(signal.SIGTERM)
    record = exit_of(run)
    assert record["signal"] == 9 and record["killed_after_grace"] and record["grace_s"] == 0.3


def test_repeated_usr1_is_one_stop_but_a_second_term_kills_at_once(home: Path) -> None:
    run = make_run(home, steps=10_000, ignore_term=True)
    submit(run, grace_s=600)
    training(run)
    keeper, trainer = who(run, "runner"), who(run, "trainer")
    for _ in range(5):
        keeper.send(signal.SIGUSR1)
    training(run, steps=sum(e["kind"] == "metrics" for e in journal.read_all(run.journal)) + 20)
    assert trainer.alive()
    keeper.send(signal.SIGTERM)
    record = exit_of(run)
    assert record["signal"] == 9 and record["killed_at_once"] and not record["killed_after_grace"]


def test_a_stopped_process_wakes_up_to_stop(home: Path) -> None:
    run = make_run(home, steps=10_000)
    submit(run)
    training(run)
    trainer = who(run, "trainer")
    trainer.send(signal.SIGSTOP)
    until(lambda: Path(f"/proc/{trainer.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T", what="SIGSTOP")
    assert trainer.alive()
    who(run, "runner").send(signal.SIGTERM)
    assert exit_of(run)["code"] == journal.EXIT_STOPPED


def test_no_descendant_outlives_the_attempt(home: Path) -> None:
    run = make_run(home, steps=10_000, children=["plain", "setsid"])
    submit(run)
    training(run)
    trainer = who(run, "trainer")
    groups = (trainer.pid, who(run, "runner").pid)
    until(
        lambda: any(os.getpgid(p.pid) not in groups for p in processes_below(home)), what="a child in its own session"
    )
    below = until(lambda: len(found := processes_below(home)) >= 4 and found, what="two children")
    trainer.send(signal.SIGKILL)
    assert exit_of(run)["strays"] >= 1
    until(lambda: not any(p.alive() for p in below), what="all to end")


def test_training_survives_kill_9_of_the_runner_and_can_still_print(home: Path) -> None:
    run = make_run(home, steps=10_000)
    submit(run)
    training(run)
    keeper, trainer = who(run, "runner"), who(run, "trainer")
    keeper.send(signal.SIGKILL)
    until(lambda: not keeper.alive())
    training(run, steps=sum(e["kind"] == "metrics" for e in journal.read_all(run.journal)) + 20)
    assert trainer.alive()
    lease = os.open(home / "cpu.0.lock", os.O_RDWR)
    with pytest.raises(BlockingIOError):
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
    trainer.send(signal.SIGKILL)
    until(lambda: runner.take_lease(str(home / "cpu.0.lock")), what="the lease to fall free")
    os.close(lease)


def test_a_stopped_trainer_survives_kill_9_of_its_runner(home: Path) -> None:
    """The kernel sends SIGHUP to an orphaned group with stopped members; training must not die of it."""
    run = make_run(home, steps=10_000)
    submit(run)
    training(run)
    keeper, trainer = who(run, "runner"), who(run, "trainer")
    trainer.send(signal.SIGSTOP)
    until(lambda: Path(f"/proc/{trainer.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T")
    keeper.send(signal.SIGKILL)
    until(lambda: not keeper.alive())
    trainer.send(signal.SIGCONT)
    training(run, steps=sum(e["kind"] == "metrics" for e in journal.read_all(run.journal)) + 5)
    assert trainer.alive()


def test_a_busy_lease_is_not_waited_for_and_nothing_starts(home: Path) -> None:
    run = make_run(home)
    fd = runner.take_lease(str(home / "cpu.0.lock"))
    assert fd is not None
    submit(run)
    record = exit_of(run)
    assert record["reason"] == "lease"
    assert not (run.attempt(1) / "launch.json").exists() and not run.journal.exists()
    os.close(fd)


def test_console_is_bounded_while_the_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    writer = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(writer, b"a" * 5000 + b"b" * 2000)
    assert not runner.bound_console(str(path), limit=7000, kept=2000)
    os.write(writer, b"c")
    assert runner.bound_console(str(path), limit=7000, kept=2000)
    os.write(writer, b"next\n")
    assert path.read_bytes() == b"next\n"
    assert (tmp_path / "console.log.1").read_bytes() == b"b" * 1999 + b"c"
    os.close(writer)


def test_kernel_out_of_memory_is_told(home: Path) -> None:
    """A real kill by the kernel, where this machine lets us make a memory group."""
    group = Path("/sys/fs/cgroup/memory") / f"vitui-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(48 << 20))
    except OSError:
        pytest.skip("no writable cgroup v1 memory controller")
    try:
        run = make_run(home)
        code = "x = bytearray(400 << 20); print(len(x))"
        run.attempt(1).mkdir(parents=True)
        spec = {
            "argv": [sys.executable, "-c", code], "cwd": str(run.path), "env": {}, "leases": [], "grace_s": 5,
            "run_dir": str(run.path), "attempt": 1, "device": "cpu", "boot_id": identity.boot_id(),
        }  # fmt: skip
        journal.write_json(run.attempt(1) / "spec.json", spec)
        join = f"echo $$ > {group}/cgroup.procs; exec {sys.executable} -I -S {runner.__file__} {run.attempt(1)}"
        subprocess.run(["sh", "-c", join], check=True, timeout=60)
        record = exit_of(run)
        assert record["signal"] == 9 and record["oom"].get("group", 0) >= 1, json.dumps(record)
        if os.getuid() == 0:
            assert f"Killed process {launch(run)['trainer']['pid']} " in record["oom"]["log"]
    finally:
        until(lambda: not (group / "cgroup.procs").read_text().strip())
        group.rmdir()


def test_full_disk_for_exit_json_is_retried(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder cannot be written for a while (here: it is not there); the record comes late but comes."""
    run = make_run(home, steps=10_000)
    submit(run)
    training(run)
    trainer = who(run, "trainer")
    hidden = run.path / "elsewhere"
    run.attempt(1).rename(hidden)
    trainer.send(signal.SIGKILL)
    until(lambda: not trainer.alive())
    hidden.rename(run.attempt(1))
    assert exit_of(run)["signal"] == 9


def test_an_attempt_on_another_machine_is_believed_while_it_is_heard_of(home: Path) -> None:
    """A home on a network disk: pids and boot ids say nothing about the other machine's processes."""
    run = make_run(home)
    run.attempt(1).mkdir(parents=True)
    record = {
        "runner": {"pid": 1, "start": 1},
        "trainer": {"pid": 1, "start": 1},
        "boot_id": "theirs",
        "host": "far-away",
    }
    journal.write_json(run.attempt(1) / "launch.json", record)
    journal.Journal(run.journal, 1).event("started", pid=1)
    handle = {"run": run.id, "attempt": 1}
    status = LocalLauncher(run.path.parent).poll([handle])[0]
    assert status.alive and status.host == "far-away" and not status.supervised
    os.utime(run.journal, (0, 0))
    assert not LocalLauncher(run.path.parent).poll([handle])[0].alive


def test_kill_ends_an_attempt_at_once(home: Path) -> None:
    run = make_run(home, steps=10_000, ignore_term=True)
    handle = submit(run, grace_s=600)
    training(run)
    LocalLauncher(run.path.parent).kill(handle)
    record = exit_of(run)
    assert record["signal"] == 9 and record["killed_at_once"]
