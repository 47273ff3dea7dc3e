"""The command line as a user runs it: real processes, one home for each test, nothing left running afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from engine.journal import RunDir
from tests.conftest import TINY_MODEL

if TYPE_CHECKING:
    from tests.e2e.terminal import Terminal

__all__ = ["TINY_MODEL", "Vitui", "until"]


class Vitui:
    """`vitui` with a home of its own."""

    def __init__(self, home: Path, models: Callable[[], Path]) -> None:
        self.home = home
        self._models = models
        self.env = {**os.environ, "VITUI_HOME": str(home), "COLUMNS": "200", "NO_COLOR": "1"}

    def warm(self) -> None:
        """Let the home know the models of most tests, so that not every launch loads the engine to ask about them."""
        with contextlib.suppress(OSError):  # a home that cannot be made is what some tests are about
            shutil.copytree(self._models(), self.home / "cache", dirs_exist_ok=True)

    def popen(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        if words[:1] == ("run",):
            self.warm()
        return subprocess.Popen([sys.executable, "-m", "vitui", *words], text=True, env=self.env, **options)

    def __call__(self, *words: str, code: int = 0, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command and check its exit code."""
        if words[:1] == ("run",):
            self.warm()
        done = subprocess.run(
            [sys.executable, "-m", "vitui", *words],
            text=True, env=self.env, capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == code, f"vitui {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def run(self, *words: str) -> str:
        """Launch a run of the smallest model and return its id."""
        return self("run", "demo-digits", *TINY_MODEL, *words).stdout.strip()

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json").stdout)

    def row(self, run: str) -> dict[str, Any]:
        return next(r for r in self.json("runs", "--all") if r["id"] == run)

    def dir(self, run: str) -> RunDir:
        return RunDir(self.home / "runs" / run)

    def wait(self, run: str, *states: str, seconds: float = 120) -> dict[str, Any]:
        """Poll until the run is in one of the states; its row then."""
        row: dict[str, Any] = {}

        def there() -> bool:
            row.clear()
            row.update(self.row(run))
            return row["state"] in states

        until(there, seconds, lambda: f"run is {row.get('state')}: {row.get('evidence')}")
        return row

    def processes(self) -> list[psutil.Process]:
        """Every live process that belongs to this home: workers, runners, trainers, commands."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.status() == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
                    continue
                if any(str(self.home) in word for word in process.cmdline()):
                    found.append(process)
        return found

    def of(self, part: str) -> list[psutil.Process]:
        """Those whose command line holds `part`: "supervisor.worker", "runner.py" or "engine"."""
        out = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                words = process.cmdline()
                if part in words or any(part in word for word in words[1:4]):
                    out.append(process)
        return out

    def trainer(self) -> psutil.Process | None:
        return next((p for p in self.of("engine") if "-m" in p.cmdline()), None)


def until(condition: Callable[[], object], seconds: float = 60, tell: Callable[[], str] = lambda: "") -> None:
    """Poll until `condition` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"the condition did not hold within {seconds} s; {tell()}"
        time.sleep(0.02)


@pytest.fixture
def vitui(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Vitui]:
    user = Vitui(tmp_path / "home", lambda: request.getfixturevalue("warm_models"))
    yield user
    deadline = time.monotonic() + 30
    while processes := user.processes():
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.kill()
        assert time.monotonic() < deadline, processes
        psutil.wait_procs(processes, timeout=5)


@pytest.fixture
def terminal(vitui: Vitui) -> Iterator[Callable[..., Terminal]]:
    """Opens `vitui WORDS` in a terminal of a size."""
    from tests.e2e.terminal import SMALL, Terminal

    opened: list[Terminal] = []

    def open_one(*words: str, size: tuple[int, int] = SMALL) -> Terminal:
        opened.append(Terminal(vitui, words, size))
        return opened[-1]

    yield open_one
    for one in opened:
        one.hang_up()
    _, alive = psutil.wait_procs([one.app for one in opened], timeout=10)
    for process in alive:
        process.kill()
    assert not alive, "the app outlives its terminal"
