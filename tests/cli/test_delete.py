"""Deleting: asked first, all or nothing, whole after a crash, and nothing beside the run's own directory."""

from __future__ import annotations

import fcntl
import io
import os
import sqlite3
import sys
from pathlib import Path

import pytest

from engine.journal import RunDir
from tests.cli.conftest import Home
from vitui import deleting
from vitui.errors import Busy, NotFound, UsageError, VitError
from vitui.lab import Lab
from vitui.store import Store, removal
from vitui.store.removal import TABLES

A, B = "250101-120000-aaaa", "250101-120001-bbbb"


class Terminal(io.StringIO):
    """Somebody who can be asked."""

    def isatty(self) -> bool:
        return True


def ids(home: Home) -> list[str]:
    return [row["id"] for row in home("runs", "--all", "--json").json]


def rows_of(home: Home, run_id: str) -> int:
    with sqlite3.connect(home.path / "lab.db") as db:
        return sum(
            db.execute(
                f"SELECT count(*) FROM {table} WHERE {'id' if table == 'runs' else 'run'} = ?", (run_id,)
            ).fetchone()[0]
            for table in TABLES
        )  # fmt: skip


def test_it_asks_and_says_what_is_freed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    run = home.add(A, tags=["paper"])
    run.checkpoints.mkdir()
    run.last.write_bytes(b"x" * (3 << 20))
    assert "nobody to ask" in home("delete", A, code=2).err and run.path.exists()
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    refused = home("delete", A, code=1).err
    assert "3.0" in refused and "MiB are freed" in refused
    assert "nothing was deleted" in refused and run.path.exists()
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert f"deleted {A}" in home("delete", A).err
    assert not run.path.exists() and ids(home) == [] and rows_of(home, A) == 0
    assert sorted(p.name for p in (home.path / "runs").iterdir()) == []


def test_every_table_with_runs_is_known(home: Home) -> None:
    home.add(A)
    with sqlite3.connect(home.path / "lab.db") as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        of_runs = {n for n in names if any(c[1] == "run" for c in db.execute(f"PRAGMA table_info({n})"))}
    assert of_runs | {"runs"} == set(TABLES)


@pytest.mark.parametrize("state", ["queued", "starting", "running"])
def test_all_or_none_where_one_has_not_ended(home: Home, idle: None, state: str) -> None:
    ended, live = home.add(A), home.add(B, state=state)
    assert f"run {B} is {state}; stop it first" in home("delete", "--yes", A, B, code=4).err
    with pytest.raises(Busy):
        Lab.open(home.path, adopt=False).delete([A, B])
    assert ended.path.exists() and live.path.exists() and sorted(ids(home)) == [A, B]
    assert not (home.path / "runs/.trash").exists()


def test_a_rebuild_does_not_bring_it_back(home: Home) -> None:
    home.add(A)
    home.add(B)
    home("delete", "--yes", A)
    home("rebuild")
    assert ids(home) == [B]


def test_a_crash_before_the_rows_are_gone_is_finished_at_the_next_opening(home: Home) -> None:
    """Renamed, and killed before the transaction was committed."""
    run = home.add(A, tags=["x"])
    trash = home.path / "runs/.trash"
    trash.mkdir()
    run.path.rename(trash / f"{A}.0123abcd")
    home("rebuild")
    assert ids(home) == [] and not trash.exists() and rows_of(home, A) == 0


def test_a_crash_before_the_files_are_gone_is_finished_at_the_next_opening(home: Home) -> None:
    home.add(B)
    left = home.path / f"runs/.trash/{A}.0123abcd/checkpoints"
    left.mkdir(parents=True)
    (left / "last.pt").write_bytes(b"x")
    assert ids(home) == [B] and not (home.path / "runs/.trash").exists()


def test_a_directory_put_back_by_hand_keeps_its_rows(home: Home) -> None:
    home.add(A)
    (home.path / f"runs/.trash/{A}.0123abcd").mkdir(parents=True)
    assert ids(home) == [A]


def test_what_another_process_is_deleting_is_left_to_it(home: Home) -> None:
    home.add(B)
    trash = home.path / "runs/.trash"
    (trash / f"{A}.0123abcd").mkdir(parents=True)
    fd = os.open(trash, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        assert ids(home) == [B] and trash.exists()
    finally:
        os.close(fd)
    ids(home)
    assert not trash.exists()


def test_where_the_rows_cannot_be_deleted_the_directory_comes_back(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    run = home.add(A)

    def full(db: object, run_ids: object) -> None:
        raise VitError("the disk is full")

    monkeypatch.setattr(removal, "delete", full)
    with pytest.raises(VitError, match="full"):
        Lab.open(home.path, adopt=False).delete([A])
    assert run.recipe.exists() and ids(home) == [A]


def test_links_are_not_followed(home: Home, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_bytes(b"x" * 100_000)
    inside, itself = home.add(A), home.add(B)
    inside.checkpoints.symlink_to(elsewhere)
    moved = tmp_path / "moved"
    itself.path.rename(moved)
    itself.path.symlink_to(moved)
    lab = Lab.open(home.path, adopt=False)
    assert lab.size(A) < 100_000 and lab.size(B) == 0
    lab.delete([A, B])
    assert (elsewhere / "precious").exists() and (moved / "run.json").exists() and ids(home) == []
    (home.path / "runs/.trash").symlink_to(elsewhere)
    home.add("250101-120002-cccc")
    with pytest.raises(UsageError, match="is a link"):
        Lab.open(home.path, adopt=False).delete(["250101-120002-cccc"])
    assert (elsewhere / "precious").exists()


def test_a_run_without_a_directory_and_one_that_is_not_there(home: Home) -> None:
    run = home.add(A)
    run.path.rename(home.path / "gone")
    lab = Lab.open(home.path, adopt=False)
    assert lab.size(A) == 0
    lab.delete([A])
    with pytest.raises(NotFound):
        lab.delete([A])
    assert ids(home) == []


def test_an_id_that_is_a_path_is_refused(home: Home) -> None:
    home.add(A)
    (home.path / "precious").mkdir()
    with Store(home.path).writing() as db:
        db.execute("PRAGMA defer_foreign_keys = ON")
        db.execute("UPDATE runs SET id = '../precious'")
        for table in ("run_config", "tags"):
            db.execute(f"UPDATE {table} SET run = '../precious'")
    with pytest.raises(UsageError, match="no name of a run directory"):
        Lab.open(home.path, adopt=False).delete(["../precious"])
    assert (home.path / "precious").exists()


def test_sizes_count_a_file_of_two_names_once(home: Home) -> None:
    run: RunDir = home.add(A)
    run.checkpoints.mkdir()
    before = deleting.size(run.path)
    run.last.write_bytes(b"x" * 500_000)
    one = deleting.size(run.path)
    os.link(run.last, run.best)
    assert one - before >= 490_000 and deleting.size(run.path) == one
