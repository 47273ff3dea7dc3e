"""Two apps and a command line on one run at once: one of them wins, the others are told."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import pytest

from engine import journal
from tests.e2e.conftest import Vitui, until
from tests.e2e.terminal import TINY, Terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed; it is the terminal here")

LOST = ("only a stopped", "by now")
"""What is said of a run that another has resumed: it was seen to be resumed, or it was resumed in between."""


def test_one_wins_and_the_others_are_told(vitui: Vitui, terminal: Callable[..., Terminal]) -> None:
    vitui.env |= {"PYTHONPATH": TINY, "TINY_WHOLE": "1"}
    run = vitui.run("--name", "shared", "--set", "train.epochs=20000")
    one, two = terminal(), terminal()
    for term in (one, two):
        term.shows("▶ running", "shared")
        term.press("Enter")
        term.shows("[curves]", "▶ running")

    # All three stop it at once: it is stopped once, and nobody is left in the dark.
    for term in (one, two):
        term.press("x")
        term.shows("Stop shared", "y yes")
    command = vitui.popen("stop", run, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    one.press("y")
    two.press("y")
    _, said = command.communicate(timeout=60)
    assert command.returncode == 0 or "already" in said, said
    for term in (one, two):
        term.shows("■ stopped", "SIGTERM")
    assert journalled_stops(vitui, run) == 1
    assert vitui.row(run)["state"] == "stopped"
    assert "stopped" in vitui("stop", run, code=4).stderr

    # All three resume it at once: it is one attempt, and the losers are told.
    command = vitui.popen("resume", run, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    one.press("r")
    two.press("r")
    refused = answers(one, two)
    _, said = command.communicate(timeout=60)
    told = [command.returncode == 4 and any(word in said for word in LOST), *refused]
    assert sum(told) == 2, (said, one.screen, two.screen)
    for term in (one, two):
        term.shows("▶ running", seconds=30)
    assert vitui.row(run)["attempt"] == 2
    assert (vitui.home / "ran.txt").read_text().split() == [run, run]

    # Deleted in one while the other has it open.
    vitui("stop", run)
    for term in (one, two):
        term.shows("■ stopped")
    one.press("D")
    one.shows("Delete shared", "y yes")
    one.press("y")
    two.shows("No runs yet", "is not in")  # and says which run, in a note
    one.shows("No runs yet")
    assert not vitui.dir(run).path.exists()
    for term in (one, two):
        term.press("q")
        until(lambda term=term: term.exit_code == 0, 10)  # type: ignore[misc]


def answers(*terms: Terminal) -> list[bool]:
    """Whether each was told that the run cannot be resumed, not that it is. Notes pass: all are watched at once."""
    told: dict[int, bool] = {}

    def all_told() -> bool:
        for number, term in enumerate(terms):
            notes = " ".join(" ".join(line.partition("▌")[2].split()) for line in term.lines)
            lost = any(word in notes for word in LOST)
            if number not in told and (lost or "queued to resume" in notes):
                told[number] = lost
        return len(told) == len(terms)

    until(all_told, 30, lambda: "\n".join(term.screen for term in terms))
    return [told[number] for number in range(len(terms))]


def journalled_stops(vitui: Vitui, run: str) -> int:
    return sum(event["kind"] == "stopped" for event in journal.read_all(vitui.dir(run).journal))
