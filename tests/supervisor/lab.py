"""A home with a store, the tiny engine behind the real worker, and words for what tests do to them."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import Any

from engine import journal
from engine.journal import RunDir
from tests.supervisor.processes import make_run, until
from vitui.store import ENDED, NewRun, Run, Store, runs
from vitui.supervisor.ensure import ensure_worker, worker_pid
from vitui.supervisor.identity import Identity


class TinyLab:
    """One home; `grace_s` between SIGTERM and SIGKILL; `gpus` faked ones."""

    def __init__(self, home: Path, grace_s: float = 30.0, gpus: int = 0) -> None:
        self.home = home
        self.command: tuple[str, ...] = (
            sys.executable,
            str(Path(__file__).parent / "serve_tiny.py"),
            str(grace_s),
            str(gpus),
        )
        self.store = Store(home)
        self.store.open()

    def queue(self, name: str, device: str = "cpu", gpus: int = 1, **plan: Any) -> RunDir:
        run = make_run(self.home, name, **plan)
        with self.store.writing() as db:
            runs.insert(db, NewRun(name, name, created=time.time(), device=device, gpus=gpus))
        return run

    def wake(self) -> bool:
        return ensure_worker(self.home, command=self.command)

    def run(self, name: str) -> Run:
        found = runs.get(self.store.reading(), name)
        assert found is not None
        return found

    def ended(self, name: str, timeout_s: float = 30.0) -> Run:
        until(lambda: self.run(name).state in ENDED, timeout_s, f"{name} to end; it is {self.run(name)}")
        return self.run(name)

    def training(self, run: RunDir, steps: int = 3, attempt: int = 1) -> None:
        """Wait until this attempt has journalled so many steps and the database knows that it runs."""

        def count() -> int:
            return sum(e["kind"] == "metrics" and e["attempt"] == attempt for e in journal.read_all(run.journal))

        until(lambda: count() >= steps and self.run(run.id).state == "running", what="training")

    def who(self, run: RunDir, part: str, attempt: int = 1) -> Identity:
        launch = until(lambda: journal.read_json(run.attempt(attempt) / "launch.json"), what="launch.json")
        found = Identity.from_launch(launch, part)
        assert found is not None
        return found

    def worker(self) -> Identity:
        pid = until(lambda: worker_pid(self.home), what="a worker")
        found = Identity.of(pid)
        assert found is not None
        return found

    def kill(self, *victims: Identity) -> None:
        for victim in victims:
            victim.send(signal.SIGKILL)
        until(lambda: not any(victim.alive() for victim in victims), what="the killed to be gone")

    def resume(self, name: str) -> None:
        with self.store.writing() as db:
            assert runs.transition(db, name, runs.RESUMABLE, "queued")
        self.wake()

    def idle(self) -> None:
        """Wait until the worker has left of itself."""
        until(lambda: worker_pid(self.home) is None, what="the worker to leave")

    def order(self) -> list[str]:
        """Which runs trained, in order of their start, one entry an attempt."""
        path = self.home / "ran.txt"
        return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []


def journalled_steps(run: RunDir) -> list[int]:
    return [event["step"] for event in journal.read_all(run.journal) if event["kind"] == "metrics"]


def stored_steps(lab: TinyLab, run: RunDir) -> list[int]:
    rows = lab.store.reading().execute(
        "SELECT step FROM points WHERE run = ? AND key = 'train/loss' ORDER BY step", (run.id,)
    )
    return [row[0] for row in rows.fetchall()]
