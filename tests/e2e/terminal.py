"""A real terminal, tmux's: what is pressed in it and what stands on it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil

from engine import journal
from tests.e2e.conftest import Vitui, until

TINY = str(Path(__file__).with_name("tiny"))
"""On PYTHONPATH: a trainer without a model in place of the real one."""
SMALL, LARGE = (80, 24), (200, 60)
STORM = [
    (79, 23), (1, 1), (2, 1), (1, 40), (20, 5), (300, 4), (59, 14), (60, 15), (61, 15), (200, 60), (75, 24), (76, 24),
    (110, 40), (10, 50), (150, 20), (3, 3), (120, 36), (60, 14), (59, 15), (240, 70),
]  # fmt: skip


class Seen:
    """Something with a screen of text."""

    @property
    def screen(self) -> str:
        """What is on it, a line for each row, without trailing blanks."""
        raise NotImplementedError

    @property
    def lines(self) -> list[str]:
        return self.screen.splitlines()

    def press(self, *keys: str) -> None:
        """Keys by tmux's names, one after the other."""
        raise NotImplementedError

    def type(self, text: str) -> None:
        raise NotImplementedError

    def shows(self, *texts: str, seconds: float = 20) -> str:
        """Wait until all of `texts` are on the screen."""
        return self.settled(lambda screen: all(text in screen for text in texts), seconds)

    def settled(self, condition: Callable[[str], object], seconds: float = 20) -> str:
        """The screen once `condition` holds for it."""
        last = ""

        def holds() -> object:
            nonlocal last
            last = self.screen
            return condition(last)

        until(holds, seconds, lambda: f"on the screen:\n{last}")
        return last

    def step(self) -> int:
        """The step in the progress line; 0 while there is none."""
        found = re.search(r"step ([\d,]+)/", self.screen)
        return int(found[1].replace(",", "")) if found else 0


class Terminal(Seen):
    """One command in a tmux server of its own."""

    def __init__(self, vitui: Vitui, words: tuple[str, ...], size: tuple[int, int]) -> None:
        self._folder = tempfile.mkdtemp(prefix="tmux-")  # a socket's path must be short, pytest's folders are not
        env = {k: v for k, v in vitui.env.items() if k not in ("COLUMNS", "LINES", "NO_COLOR", "TMUX")}
        self._env = {**env, "TMUX_TMPDIR": self._folder, "LC_ALL": "C.UTF-8"}
        width, height = map(str, size)
        # The shell says how it ended: tmux itself sometimes does not hear of it.
        script = ['"$@"; echo "[exit $?]"; read line', "sh", sys.executable, "-m", "vitui", *words]
        self._tmux("new-session", "-d", "-s", "main", "-x", width, "-y", height, "sh", "-c", *script)
        shell = psutil.Process(int(self._ask("#{pane_pid}")))
        until(shell.children, 10)
        (self.app,) = shell.children()

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-L", "vitui", "-f", "/dev/null", "-u", *words]
        return subprocess.run(command, env=self._env, check=True, capture_output=True, text=True, timeout=20).stdout

    def _ask(self, what: str) -> str:
        return self._tmux("display-message", "-p", "-t", "main", what).strip()

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", "-t", "main", *keys)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-t", "main", "-l", text)

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-t", "main", "-x", str(width), "-y", str(height))

    @property
    def screen(self) -> str:
        """What is on it, a line for each row, without trailing blanks."""
        return self._tmux("capture-pane", "-p", "-t", "main").rstrip("\n")

    @property
    def title(self) -> str:
        return self._ask("#{pane_title}")

    @property
    def exit_code(self) -> int | None:
        """What the shell was told; None while the command runs."""
        found = re.search(r"^\[exit (\d+)\]$", self.screen, re.MULTILINE)
        return int(found[1]) if found else None

    def storm(self, size: tuple[int, int]) -> None:
        """Many sizes, faster than they can be drawn, then `size`."""
        for width, height in STORM:
            self.resize(width, height)
        self.resize(*size)
        assert self.exit_code is None, self.screen

    def hang_up(self) -> None:
        """The terminal is gone, as when a connection is lost."""
        if os.path.exists(self._folder):
            subprocess.run(["tmux", "-L", "vitui", "kill-server"], env=self._env, capture_output=True, timeout=20)
            shutil.rmtree(self._folder, ignore_errors=True)


def journalled(vitui: Vitui, run: str) -> int:
    """The newest step in the journal."""
    return max((e["step"] for e in journal.read_all(vitui.dir(run).journal) if e["kind"] == "metrics"), default=0)


def braille(screen: str) -> str:
    """The curves on a screen."""
    return "".join(c for c in screen if "\u2800" <= c <= "\u28ff")
