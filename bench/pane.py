"""A program in a terminal of its own (tmux), and what it costs: processor time, memory, bytes it writes."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

SIZE = (160, 45)
PATIENCE_S = 60.0


@dataclass
class Pane:
    """A program in a tmux pane of its own server. `folder` keeps the socket and what the program wrote."""

    name: str
    command: str
    environment: dict[str, str]
    folder: Path
    size: tuple[int, int] = SIZE
    started: float = 0.0
    socket: str = field(init=False)

    def __post_init__(self) -> None:
        self.socket = str(self.folder / f"{self.name}.sock")

    def tmux(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", *words], capture_output=True, text=True)
        return done.stdout

    def start(self) -> None:
        """Start it with everything it writes going to a file as well."""
        self.output = self.folder / f"{self.name}.out"
        self.output.unlink(missing_ok=True)
        gate = self.folder / f"{self.name}.gate"
        gate.unlink(missing_ok=True)
        waiting = f"while [ ! -e {gate} ]; do sleep 0.01; done; exec {self.command}"
        sets = [word for key, value in self.environment.items() for word in ("-e", f"{key}={value}")]
        self.tmux("new-session", "-d", "-x", str(self.size[0]), "-y", str(self.size[1]), *sets, waiting)
        self.tmux("pipe-pane", "-o", f"cat >> {self.output}")
        self.output.touch()
        self.pid = int(self.tmux("display", "-p", "#{pane_pid}"))
        self.started = time.monotonic()
        gate.touch()

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    def press(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def resize(self, width: int, height: int) -> None:
        self.tmux("resize-window", "-x", str(width), "-y", str(height))

    def wait(self, what: str, condition: Callable[[str], object]) -> None:
        """Until the screen is so. Raises SystemExit with the screen when it is not within PATIENCE_S."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition(shown := self.screen()):
            if time.monotonic() > deadline:
                raise SystemExit(f"{self.name}: {what} not within {PATIENCE_S:g} s:\n{shown}")
            time.sleep(0.02)

    def settled(self) -> None:
        """Until nothing has been written for a while."""
        size = -1
        while size != (size := self.written()):
            time.sleep(0.4)

    def written(self) -> int:
        return self.output.stat().st_size

    def processes(self) -> list[psutil.Process]:
        root = psutil.Process(self.pid)
        return [root, *root.children(recursive=True)]

    def cpu(self) -> float:
        """Processor seconds of all its processes so far."""
        return sum(sum(one.cpu_times()[:2]) for one in self.processes())

    def memory(self) -> float:
        """Resident memory of all its processes, MB."""
        return sum(one.memory_info().rss for one in self.processes()) / 1e6

    def stop(self) -> None:
        self.tmux("kill-server")
        Path(self.socket).unlink(missing_ok=True)  # the server may take a moment to leave; the next one is another


def terminal_environment(folder: Path) -> dict[str, str]:
    """The variables of a program in a pane: a home folder of its own, so that nobody's settings count."""
    return {"TERM": "tmux-256color", "LC_ALL": "C.UTF-8", "HOME": str(folder), "PATH": os.environ["PATH"]}


def machine() -> str:
    """One line: processor, cores, system, Python, date."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return (f"{model[1] if model else platform.processor()}, {os.cpu_count()} cores, {platform.system()} "
            f"{platform.release()}, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}")  # fmt: skip
