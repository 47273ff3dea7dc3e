"""A study in the middle of which everything is killed: every cell ends up filled, by one run."""

from __future__ import annotations

import contextlib
import random
import signal
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import Vitui, until

STUDY = """
base = "demo-digits"
seeds = [0, 1, 2]
leave_out = ["label-smoothing", "warmup"]
"""
CELLS = 9


@pytest.fixture
def study(vitui: Vitui) -> Vitui:
    """A home with a study and a trainer of half a second."""
    vitui.env |= {"PYTHONPATH": str(Path(__file__).with_name("tiny")), "TINY_WHOLE": "1"}
    vitui.warm()
    folder = vitui.home / "studies"
    folder.mkdir(parents=True)
    (folder / "s.toml").write_text(STUDY)
    return vitui


def kill_all(vitui: Vitui) -> None:
    """Worker, runners and trainers at once, as a power cut would."""
    victims = vitui.processes()
    for victim in victims:
        with contextlib.suppress(psutil.Error):
            victim.send_signal(signal.SIGKILL)
    psutil.wait_procs(victims, timeout=20)
    (vitui.home / "busy").unlink(missing_ok=True)  # the tiny trainer's own


def cells(vitui: Vitui) -> Counter[tuple[str, int]]:
    return Counter((row["recipe_fingerprint"], row["seed"]) for row in rows(vitui))


def rows(vitui: Vitui) -> list[dict[str, object]]:
    import sqlite3

    with contextlib.closing(sqlite3.connect(f"file:{vitui.home / 'lab.db'}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute("SELECT id, state, seed, recipe_fingerprint, attempt FROM runs")]


def finished(vitui: Vitui) -> int:
    return sum(row["state"] == "finished" for row in rows(vitui))


def test_kill_9_of_everything_in_the_middle_of_a_study(study: Vitui) -> None:
    dice = random.Random(5)
    study("study", "run", "s", "--yes")
    assert len(rows(study)) == CELLS
    for goal in sorted(dice.sample(range(1, CELLS - 1), 3)):
        until(lambda goal=goal: finished(study) >= goal, 60)  # type: ignore[misc]
        kill_all(study)
        study("study", "run", "s", "--yes")
    until(lambda: finished(study) == CELLS, 120, lambda: str(rows(study)))
    assert set(cells(study).values()) == {1} and len(cells(study)) == CELLS
    assert len(list((study.home / "runs").glob("[!.]*"))) == CELLS
    again = study("study", "run", "s", "--yes")
    assert again.stdout == "" and len(rows(study)) == CELLS


@pytest.mark.slow
def test_a_command_that_is_killed_while_it_launches_leaves_no_cell_out_and_none_twice(study: Vitui) -> None:
    dice = random.Random(7)
    for _ in range(4):
        command = study.popen("study", "run", "s", "--yes")
        with contextlib.suppress(Exception):
            command.wait(dice.uniform(0.3, 1.2))
        command.kill()
        command.wait()
    study("study", "run", "s", "--yes")
    until(lambda: finished(study) == CELLS, 120, lambda: str(rows(study)))
    assert set(cells(study).values()) == {1} and len(cells(study)) == CELLS
