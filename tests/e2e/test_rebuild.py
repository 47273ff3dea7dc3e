"""The database is an index: deleted or damaged, it comes back from the run directories as it was."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Vitui, until


@pytest.fixture
def filled(vitui: Vitui) -> Vitui:
    """A home with finished, stopped and archived runs, tags, notes and a star; nothing at work."""
    vitui.env["PYTHONPATH"] = str(Path(__file__).with_name("tiny"))
    ids = [
        vitui("run", "demo-digits", "--name", f"run {n}", "--tag", "paper", "--set", f"train.seed={n}").stdout.strip()
        for n in range(3)
    ]
    until(lambda: all(row["state"] == "finished" for row in vitui.json("runs")))
    vitui("edit", ids[0], "--note", "NaN at epoch 35 [/b] ünï", "--tag", "bj", "--untag", "paper", "--star")
    vitui("edit", ids[1], "--archive", "--name", "renamed")
    until(lambda: not vitui.of("vitui.supervisor.worker"))
    return vitui


def listing(vitui: Vitui) -> Any:
    return vitui.json("runs", "--all")


def test_a_deleted_database_comes_back_the_same(filled: Vitui) -> None:
    before = listing(filled)
    assert {row["name"] for row in before} == {"run 0", "renamed", "run 2"}
    for path in filled.home.glob("lab.db*"):
        path.unlink()
    assert "rebuilt from 3 run directories" in filled("rebuild").stderr
    assert listing(filled) == before
    assert filled.json("show", before[0]["id"])["recipe"]["train.seed"] == 2


@pytest.mark.parametrize("damage", ["garbage", "truncated", "zeroed", "empty", "header"])
def test_a_damaged_database_is_moved_aside_and_rebuilt(filled: Vitui, damage: str) -> None:
    before = listing(filled)
    path = filled.home / "lab.db"
    with sqlite3.connect(path) as db:  # what still waits in the write-ahead log would stand in for damaged pages
        db.execute("pragma wal_checkpoint(truncate)")
    db.close()
    content = path.read_bytes()
    damaged = {
        "garbage": os.urandom(len(content)),
        "truncated": content[: len(content) // 2],
        "zeroed": content[:4096] + bytes(len(content) - 4096),
        "empty": b"",
        "header": b"not a database" + content[14:],
    }[damage]
    path.write_bytes(damaged)
    said = filled("runs", "--all", "--json").stderr
    kept = [p for p in filled.home.glob("lab.db.corrupt-*") if not p.name.endswith(("-wal", "-shm"))]
    if damage == "empty":
        assert "was missing; it is rebuilt from 3 run directories" in said and not kept
    else:
        assert f"is kept as {kept[0].name}" in said
        assert [p.read_bytes() for p in kept] == [damaged]
    assert listing(filled) == before
