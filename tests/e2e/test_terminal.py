"""The terminal app as a person sees it: in a real terminal, on a real lab, with real runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import Vitui, until
from tests.e2e.terminal import LARGE, SMALL, Terminal, braille, journalled
from vitui.text import cell_width

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed; it is the terminal here")


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
    # Beside a wide list stand facts and a curve of the run, which come a moment later.
    aside = ["as its preset", "⠤"] if size == LARGE else []

    def still(text: str) -> bool:
        return "🦀" in text and "not bold" not in text and text.count("tag:wide") == 1 and all(w in text for w in aside)

    before = term.settled(still)
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


@pytest.mark.slow
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


@pytest.mark.slow
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
