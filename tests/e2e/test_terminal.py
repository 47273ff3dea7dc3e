"""The terminal app as a person sees it: in a real terminal, on a real lab, with real runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from engine import journal
from tests.e2e.conftest import Vitui, until
from vitui.text import cell_width

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed; it is the terminal here")

SMALL, LARGE = (80, 24), (200, 60)
STORM = [
    (79, 23), (1, 1), (2, 1), (1, 40), (20, 5), (300, 4), (59, 14), (60, 15), (61, 15), (200, 60), (75, 24), (76, 24),
    (110, 40), (10, 50), (150, 20), (3, 3), (120, 36), (60, 14), (59, 15), (240, 70),
]  # fmt: skip


class Terminal:
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
    def lines(self) -> list[str]:
        return self.screen.splitlines()

    @property
    def title(self) -> str:
        return self._ask("#{pane_title}")

    @property
    def exit_code(self) -> int | None:
        """What the shell was told; None while the command runs."""
        found = re.search(r"^\[exit (\d+)\]$", self.screen, re.MULTILINE)
        return int(found[1]) if found else None

    def shows(self, *texts: str, seconds: float = 20) -> None:
        """Wait until all of `texts` are on the screen."""
        self.settled(lambda screen: all(text in screen for text in texts), seconds)

    def settled(self, condition: Callable[[str], bool], seconds: float = 20) -> str:
        """The screen once `condition` holds for it."""
        last = ""

        def holds() -> bool:
            nonlocal last
            last = self.screen
            return condition(last)

        until(holds, seconds, lambda: f"on the screen:\n{last}")
        return last

    def step(self) -> int:
        """The step in the progress line; 0 while there is none."""
        found = re.search(r"step ([\d,]+)/", self.screen)
        return int(found[1].replace(",", "")) if found else 0

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


@pytest.fixture
def terminal(vitui: Vitui) -> Iterator[Callable[..., Terminal]]:
    """Opens `vitui WORDS` in a terminal of a size."""
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


def journalled(vitui: Vitui, run: str) -> int:
    """The newest step in the journal."""
    return max((e["step"] for e in journal.read_all(vitui.dir(run).journal) if e["kind"] == "metrics"), default=0)


def braille(screen: str) -> str:
    """The curves on a screen."""
    return "".join(c for c in screen if "\u2800" <= c <= "\u28ff")


def chart(terminal: Terminal) -> str:
    return braille(terminal.screen)


def timeless(screen: str) -> str:
    """The screen without ages, which go on by themselves."""
    return re.sub(r" *\b\d+[smhd]\b", "", screen)


NAMES = {
    "markup": "[bold red]not bold[/] [@click=app.quit]x[/",
    "escapes": "\x1b[31mred\x1b[2J\x1b]0;owned\x07 \x9b7m",
    "wide": "🦀 日本語 ünï 👩‍👩‍👧",
    "combining": "Z" + "\u0301" * 40 + "algo \u202egnp.exe",
    "path": "../../etc/passwd",
    "long": "no end " * 28,
}


def test_any_name_leaves_the_list_straight(vitui: Vitui, terminal: Callable[..., Terminal]) -> None:
    """List, filter, opening and a storm of sizes, with the names that break terminals."""
    vitui.env["PYTHONPATH"] = str(Path(__file__).with_name("tiny"))
    commands = [vitui.popen("run", "demo-digits", "--name", n, "--tag", tag, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                for tag, n in NAMES.items()]  # fmt: skip
    for command in commands:
        _, errors = command.communicate(timeout=60)
        assert command.returncode == 0, errors
    until(lambda: all(row["state"] == "finished" for row in vitui.json("runs")), 60)
    for size in (SMALL, LARGE):
        look_at_names(terminal(size=size), size)


def look_at_names(term: Terminal, size: tuple[int, int]) -> None:
    term.shows("6 in all", "✓ finished")
    rows = [line for line in term.lines if "✓ finished" in line]
    assert len(rows) == len(NAMES)
    # Every row's epoch ends in the same cell, whatever stands in the name before it.
    assert len({cell_width(row[: re.search(r"1/\d+", row).end()]) for row in rows}) == 1  # type: ignore[union-attr]
    assert all(cell_width(line) <= size[0] for line in term.lines) and len(term.lines) == size[1]
    for text in ("[bold red]not", r"\x1b[31mred", "🦀 日本語", "../../etc/passwd", "no end no end"):
        assert sum(text in row for row in rows) == 1, (text, rows)
    assert "owned" not in term.title and "q quit, training goes on" in term.lines[-1]

    term.press("/")
    term.type("tag:wide")
    term.shows("1 of 6 shown")
    term.press("Enter")
    before = term.settled(lambda text: "🦀" in text and "not bold" not in text and text.count("tag:wide") == 1)
    term.storm(size)
    term.settled(lambda text: timeless(text) == timeless(before))

    term.press("Enter")
    term.shows("[curves]", "✓ finished  🦀 日本語 ünï", "loss  A train 0.2")
    before = term.settled(lambda text: len(braille(text)) > 10)
    term.storm(size)
    term.settled(lambda text: timeless(text) == timeless(before))
    term.resize(20, 5)
    assert term.settled(lambda text: "needs 60x15" in text).strip() == "needs 60x15"
    term.resize(*size)
    term.settled(lambda text: timeless(text) == timeless(before))

    term.press("Escape")
    term.shows("1 of 6 shown")
    term.press("Escape")
    term.shows("6 in all", "../../etc/passwd")
    term.press("q")
    until(lambda: term.exit_code is not None)
    assert term.exit_code == 0


def test_a_run_is_watched_stopped_resumed_and_left_alone(vitui: Vitui, terminal: Callable[..., Terminal]) -> None:
    """One long training through everything a person does to it; quitting and hanging up do nothing to it."""
    run = vitui.run("--name", "long one", "--set", "train.epochs=20000", "--set", "train.checkpoint_every_steps=50")
    term = terminal(size=LARGE)
    term.shows("▶ running", "long one", "1 training")
    term.press("Enter")
    term.shows("[curves]", "long one")
    until(lambda: term.step() > 50 and chart(term), 60)

    # What the journal says is on the screen in no time, and the curve moves with it.
    for _ in range(3):
        written, drawn = journalled(vitui, run), chart(term)
        until(lambda written=written: term.step() >= written, 3)  # type: ignore[misc]
        until(lambda drawn=drawn: chart(term) != drawn, 3)  # type: ignore[misc]
    term.shows("ema 0.9", "img/s", "left", seconds=2)
    term.press("[")
    term.shows("ema 0.6", seconds=2)
    term.press("]", "]")
    term.shows("ema 0.97", seconds=2)

    term.storm(SMALL)
    top = re.compile(
        r" ▶ running  long one · demo-digits · digits · \S+\n ━?╸?┄+ +0 % · epoch .*\n top1 on minival · now .*"
    )

    def right(text: str) -> bool:
        whole = len(text.splitlines()) == 24 and text.endswith("q quit, training goes on")
        return whole and bool(top.match(text)) and "loss  A train" in text and len(braille(text)) > 10

    term.settled(right)
    term.resize(*LARGE)
    seen = journalled(vitui, run)
    until(lambda: term.step() > seen, 10)

    term.press("x")
    term.shows("Stop long one", "y yes")
    term.press("y")
    term.shows("■ stopped", "SIGTERM", seconds=30)
    assert vitui.row(run)["state"] == "stopped"
    stopped = journalled(vitui, run)
    assert term.step() == stopped
    term.press("r")
    term.shows("▶ running", seconds=30)
    until(lambda: term.step() > stopped, 60)
    assert vitui.row(run)["attempt"] == 2

    term.press("Escape")
    term.shows("1 in all")
    term.press("q")
    until(lambda: term.exit_code is not None, 10)
    assert term.exit_code == 0
    seen = journalled(vitui, run)
    until(lambda: journalled(vitui, run) > seen + 20, 10)

    again = terminal(size=SMALL)
    again.shows("▶ running", "long one")
    again.press("Enter")
    again.shows("[curves]", "loss  A train")
    again.hang_up()
    psutil.wait_procs([again.app], timeout=10)
    assert not again.app.is_running()
    seen = journalled(vitui, run)
    until(lambda: journalled(vitui, run) > seen + 20, 10)
    row = vitui.row(run)
    assert row["state"] == "running" and row["attempt"] == 2
    vitui("stop", run)


def test_a_diverging_run_is_shown_with_its_evidence_and_curve(vitui: Vitui, terminal: Callable[..., Terminal]) -> None:
    term = terminal(size=SMALL)
    term.shows("No runs yet")
    run = vitui.run(
        "--name", "too hot", "--set", "optim.name=sgd", "--set", "optim.lr=1e6", "--set", "schedule.warmup_epochs=0",
        "--set", "train.epochs=50",
    )  # fmt: skip
    term.shows("too hot")
    term.shows("≈ diverged", "not finite", seconds=60)
    evidence = vitui.row(run)["evidence"]
    term.shows(evidence[:60])
    term.press("Enter")
    term.shows("≈ diverged  too hot", "[curves]", "loss  A train", "not finite")
    assert "×" in term.screen and chart(term)
    flat = " ".join(" ".join(term.lines).split())
    assert " ".join(evidence.split()) in flat
    term.press("L")
    term.resize(*LARGE)
    term.shows(evidence, "loss  A train", "log", "optimiser   sgd lr 1e+06")
    assert "×" in term.screen and chart(term) and "Traceback" not in term.screen
    term.press("q")
    until(lambda: term.exit_code is not None)
    assert term.exit_code == 0


def test_the_demo_opens_on_its_run(vitui: Vitui, terminal: Callable[..., Terminal]) -> None:
    vitui.warm()
    term = terminal("demo", size=LARGE)
    term.shows("▶ running  demo", "demo-digits", "[curves]", "importing")
    trainer = vitui.trainer()
    term.press("q")
    until(lambda: term.exit_code is not None, 10)
    (row,) = vitui.json("runs")
    assert term.exit_code == 0 and row["name"] == "demo" and row["state"] == "running"
    assert row["id"] in term.screen and "is running" in term.screen
    assert trainer is not None and trainer.is_running()
