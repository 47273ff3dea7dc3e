"""A home directory for tests: its store, run directories, journals, and processes that use them."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from engine.journal import RunDir, encode, write_json
from vitui.store import Run, Store, runs

ROOT = Path(__file__).resolve().parents[2]


class Home:
    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "runs").mkdir(parents=True)
        self.store = Store(path)
        self.messages = self.store.open()

    def add(self, run_id: str = "250101-120000-aaaa", **labels: Any) -> RunDir:
        """A run with directory, labels, recipe and row, waiting in the queue."""
        run_dir = RunDir(self.path / "runs" / run_id)
        run_dir.attempts.mkdir(parents=True)
        run_dir.recipe.write_text(RECIPE)
        labels = {"name": "first", "preset": "demo", "created": 1_700_000_000.0, **labels}
        write_json(run_dir.labels, labels)
        with self.store.writing() as db:
            runs.insert(db, runs.new_run(run_id, labels, CONFIG))
        return run_dir

    def rows(self, table: str, order: str = "1, 2, 3") -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.store.reading().execute(f"SELECT * FROM {table} ORDER BY {order}")]

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything the journal decides."""
        return {table: self.rows(table) for table in ("curves", "latest", "evals", "events", "runs")}

    def points(self, run: str, key: str) -> list[tuple[int, float | None]]:
        sql = "SELECT step, value FROM points WHERE run = ? AND key = ? ORDER BY step"
        return [tuple(row) for row in self.store.reading().execute(sql, (run, key))]


RECIPE = """
[model]
name = "vit_tiny"
options = { depth = 2 }
[data]
dataset = "digits"
[optim]
betas = [0.9, 0.99]
[train]
epochs = 3
seed = 7
deterministic = true
"""
CONFIG = {
    "model.name": "vit_tiny", "model.options.depth": 2, "data.dataset": "digits", "optim.betas": [0.9, 0.99],
    "train.epochs": 3, "train.seed": 7, "train.deterministic": True,
}  # fmt: skip


def lines(events: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(encode(event) for event in events)


def append(run: RunDir, *events: dict[str, Any] | bytes) -> None:
    with open(run.journal, "ab") as file:
        file.write(b"".join(e if isinstance(e, bytes) else encode(e) for e in events))


def event(kind: str, at: float = 1.7e9, attempt: int = 1, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "at": at, "attempt": attempt, **fields}


def metrics(step: int, at: float = 1.7e9, attempt: int = 1, **values: Any) -> dict[str, Any]:
    """Keyword train__loss is the series train/loss."""
    named = {name.replace("__", "/"): value for name, value in values.items()}
    return event("metrics", at, attempt, step=step, epoch=step / 10, values=named)


def evaluation(step: int, top1: Any, *, at: float = 1.7e9, attempt: int = 1, **fields: Any) -> dict[str, Any]:
    given = {"split": "test", "weights": "model", "images": 100, "role": "select", **fields}
    values = {"top1": top1, "top5": 99.0, "loss": 0.5}
    return event("eval", at, attempt, step=step, epoch=step / 10, values=values, **given)


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def as_stranger(work: Callable[[], Any]) -> Any:
    """The JSON-able result of `work` in a child process that may not write everywhere, as root otherwise may."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            result = work()
        except BaseException as error:
            result = f"{type(error).__name__}: {error}"
        os.write(write, json.dumps(result).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(answer)


def integrity(path: Path) -> str:
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return str(db.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        db.close()


def row(home: Home, run: RunDir) -> Run:
    found = runs.get(home.store.reading(), run.id)
    assert found is not None
    return found


def started(attempt: int = 1, at: float = 100.0) -> dict[str, Any]:
    return event("started", at, attempt, argv=["x"], pid=1, host="box", device="cpu", engine_version="0.1.0")


def data(select: str = "test", report: str = "test") -> dict[str, Any]:
    return event("data", 101.0, dataset="digits", select_split=select, report_split=report, steps_per_epoch=10,
                 total_steps=30, total_epochs=3, train_images=100)  # fmt: skip
