"""Lines that follow a run, from events as they stand in the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.journal import encode
from tests.cli.conftest import Home
from vitui.cli.follow import _line, follow
from vitui.lab import Lab
from vitui.store import runs
from vitui.store.ingest import ingest


@pytest.fixture
def told(home: Home) -> Lab:
    """A run whose journal has everything that a diverging run leaves."""
    run = home.add(state="running")
    evaluated: dict[str, Any] = {"kind": "eval", "split": "test", "weights": "model", "role": "select", "images": 9}
    events = [
        {"kind": "started", "host": "here", "device": "cpu", "argv": [], "pid": 1, "engine_version": "0"},
        {"kind": "metrics", "step": 1, "epoch": 0.5, "values": {"train/loss": float("nan")}},
        {**evaluated, "step": 2, "epoch": 1.0, "values": {"top1": 12.5, "loss": float("nan")}},
        {**evaluated, "step": 3, "values": {"top1": float("nan"), "loss": None, "top5": float("inf")}},
        {"kind": "resumed", "step": 2},
        {"kind": "nonfinite", "step": 3, "what": "loss"},
        {"kind": "diverged", "step": 3, "epoch": 1.5, "reason": "NaN \x1b[2J", "best": {}},
    ]
    with open(run.journal, "wb") as file:
        for event in events:
            file.write(encode({"at": 1.7e9, "attempt": 1, **event}))
    lab = Lab.open(home.path, adopt=False)
    ingest(lab.store, run)
    with lab.store.writing() as db:
        assert runs.transition(db, run.id, "running", "diverged", evidence="NaN \x1b[2J", stop_requested=1.0)
    return lab


def test_numbers_that_are_none_are_shown_as_words(told: Lab, capfd: pytest.CaptureFixture[str]) -> None:
    (run,) = told.runs()
    lines = [line for event in told.events(run.id) if (line := _line(event, run))]
    assert "epoch 1/3  test top1 12.50  loss NaN" in lines
    assert "resumed at step 2, epoch –" in lines
    assert "step 3: loss is not finite, the update is skipped" in lines
    assert follow(told, run.id) == 1, "a run that had ended before is told all the same"
    out = capfd.readouterr().out
    assert "≈ diverged: first" in out and "loss NaN" in out and "\x1b" not in out
    assert follow(told, run.id, after=max(event.seq for event in told.events(run.id))) == 1
    assert "loss NaN" not in capfd.readouterr().out, "a resumed run's past is not told again"


def test_show_of_such_a_run_is_json(told: Lab, home: Home) -> None:
    assert home("show", "@", "--json").json["state"] == "diverged"
    assert "diverged: first" in home("show", "@").out


def test_only_what_is_known_is_shown(home: Home, tmp_path: Path) -> None:
    run = home.add(state="finished")
    (run.provenance).write_text(
        '{"user": "ada", "host": "box", "git": {"commit": "0123456789abcdef", "dirty": true}, "packages": {"timm": "1"}}'
    )
    out = home("show", "@").out
    assert "ada on box, commit 0123456789 with uncommitted changes, timm 1" in out
    assert "not begun" not in out and "parameters" not in out and "None" not in out
