"""Commands in this process, on a home made directly through the store: no trainer, no worker, no terminal."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine.journal import RunDir, write_json
from vitui import inspecting
from vitui.cli import main
from vitui.lab import Lab
from vitui.store import Store, runs

ROOT = Path(__file__).resolve().parents[2]
TINY_INSPECT = ROOT / "tests/e2e/tiny/engine/inspect/__main__.py"
RECIPE = """
[model]
name = "vit_tiny_patch16_224"
[data]
dataset = "digits"
[train]
epochs = 3
"""
CONFIG = {"model.name": "vit_tiny_patch16_224", "data.dataset": "digits", "train.epochs": 3, "train.seed": 7}


class Answer(NamedTuple):
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        def refuse(word: str) -> None:
            raise AssertionError(f"{word} is no JSON")

        return json.loads(self.out, parse_constant=refuse)


class Home:
    """A home that the commands of a test use. Its runs have ended, so that nothing wants to start a worker."""

    def __init__(self, path: Path, call: Callable[..., Answer]) -> None:
        self.path = path
        self._call = call

    def __call__(self, *words: str, code: int = 0) -> Answer:
        """Run a command and check its exit code."""
        answer = self._call(*words)
        assert answer.code == code, f"vitui {' '.join(words)}: {answer}"
        return answer

    def add(self, run_id: str = "250101-120000-aaaa", state: str = "stopped", **labels: Any) -> RunDir:
        """A run with directory, labels, recipe and row, in a state."""
        store = Store(self.path)
        run = RunDir(self.path / "runs" / run_id)
        run.attempts.mkdir(parents=True)
        store.open()
        run.recipe.write_text(RECIPE)
        labels = {"name": "first", "preset": "demo-digits", "created": 1.7e9, **labels}
        write_json(run.labels, labels)
        with store.writing() as db:
            runs.insert(db, runs.new_run(run_id, labels, CONFIG))
            if state != "queued":
                db.execute("DELETE FROM queue WHERE run = ?", (run_id,))
                db.execute("UPDATE runs SET state = ? WHERE id = ?", (state, run_id))
        store.close()
        return run

    def questions(self) -> list[str]:
        """What the engine was asked about models, a line "process" before those of each process."""
        path = self.path.parent / "questions"
        return path.read_text().splitlines() if path.exists() else []

    def row(self, run_id: str) -> dict[str, Any]:
        return next(row for row in self("runs", "--all", "--json").json if row["id"] == run_id)


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """`vitui WORDS` with $VITUI_HOME in a folder that is not there yet."""
    monkeypatch.setenv("VITUI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "argv", ["vitui"])
    monkeypatch.setattr(inspecting, "COMMAND", (sys.executable, "-S", str(TINY_INSPECT)))
    monkeypatch.setenv("QUESTIONS", str(tmp_path / "questions"))

    def run(*words: str) -> Answer:
        capfd.readouterr()
        with pytest.raises(SystemExit) as leaving:
            main(list(words))
        out, err = capfd.readouterr()
        return Answer(int(leaving.value.code or 0), out, err)

    yield run
    gc.enable()


@pytest.fixture
def home(call: Callable[..., Answer], tmp_path: Path) -> Home:
    return Home(tmp_path / "home", call)


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing starts the runs that wait."""
    monkeypatch.setattr(Lab, "_wake", lambda self: None)


@pytest.fixture
def environment(home: Home) -> dict[str, str]:
    """For tests that need a process of their own."""
    return {**os.environ, "VITUI_HOME": str(home.path)}
