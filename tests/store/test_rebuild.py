"""lab.db made anew from the run directories is the lab.db that was lost."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from engine.journal import RunDir, read_json, write_json
from tests.store.homes import ROOT, Home, append, evaluation, event, integrity, metrics
from vitui.errors import UsageError
from vitui.store import LIVE, Store, runs
from vitui.store import metrics as read
from vitui.store import rebuild as module
from vitui.store.ingest import ingest
from vitui.store.rebuild import rebuild


def judge(run: RunDir) -> tuple[str, str, dict[str, Any]]:
    """Stands for the supervisor's: the verdict is written in the run directory."""
    numbers = run.attempt_numbers()
    exit = read_json(run.attempt(numbers[-1]) / "exit.json") if numbers else None
    if exit is None:
        return ("running" if numbers else "queued"), "", {}
    keep = ("ended", "exit_code", "exit_signal", "host", "placed", "launcher", "stop_requested")
    return exit["state"], exit["evidence"], {key: exit[key] for key in keep if key in exit}


def train(home: Home, run: RunDir, top1: float) -> None:
    """One attempt that is still going: row and directory as the supervisor and the trainer leave them."""
    attempt = len(run.attempt_numbers()) + 1
    run.attempt(attempt).mkdir()
    with home.store.writing() as db:
        assert runs.transition(db, run.id, "queued", "starting", attempt=attempt, launcher="local", placed="cpu", host="box",
                               handle={"run": run.id})  # fmt: skip
    append(
        run, event("started", 200.0 + attempt, attempt, host="box"),
        event("data", 201.0, attempt, select_split="test", report_split="test", total_steps=30, steps_per_epoch=10, total_epochs=3),
        event("model", 201.5, attempt, params=1234), metrics(10, 210.0, attempt, train__loss=[1.0] * 10), evaluation(10, top1, attempt=attempt),
    )  # fmt: skip
    ingest(home.store, run)


def end(home: Home, run: RunDir, state: str, evidence: str, code: int | None, signal: int | None = None) -> None:
    found = runs.get(home.store.reading(), run.id)
    assert found is not None
    facts = {"ended": 300.0, "exit_code": code, "exit_signal": signal}
    write_json(run.attempt(found.attempt) / "exit.json", {
        **facts, "state": state, "evidence": evidence, "host": found.host, "placed": found.placed, "launcher": found.launcher,
        "stop_requested": found.stop_requested,
    })  # fmt: skip
    with home.store.writing() as db:
        assert runs.transition(db, run.id, LIVE, state, evidence=evidence, at=300.0, exit_code=code, exit_signal=signal)


def story(home: Home) -> None:
    labels = {"tags": ["b", "ä"], "notes": "two\nlines [bold]", "star": True, "family": "compact", "question": "why?",
              "reference": {"value": 98.5, "source": "Table 4"}, "created": 1_735_700_000.5}  # fmt: skip
    done = home.add("250101-120000-aaaa", **labels)
    train(home, done, 97.25)
    append(done, evaluation(10, 96.0, role="report-best"), evaluation(10, 95.0, role="report-last"),
           event("finished", 290.0, step=10, epoch=1.0, seconds=1.0, best={}, last={}))  # fmt: skip
    ingest(home.store, done)
    end(home, done, "finished", "exit code 0", 0)
    killed = home.add("250101-120001-bbbb", created=1_735_700_001.0, archived=True)
    train(home, killed, 50.0)
    end(home, killed, "failed", "killed by SIGKILL at step 10", None, 9)
    diverged = home.add("250101-120002-cccc", created=1_735_700_002.0)
    train(home, diverged, float("nan"))
    append(diverged, b"torn\n")
    ingest(home.store, diverged)
    end(home, diverged, "diverged", "NaN at epoch 1", 3)
    train(home, home.add("250101-120003-dddd", created=1_735_700_003.0), 10.0)
    home.add("250101-120004-eeee", created=1_735_700_004.0)
    home.add("250101-120005-ffff", created=1_735_700_005.0)


def listing(home: Home) -> list[runs.Run]:
    """Every column of every run; but for what finds a live attempt again, which is the launcher's to know."""
    return [run._replace(handle=None) for run in runs.list_runs(home.store.reading(), include_archived=True)]


def tables(home: Home) -> dict[str, Any]:
    everything = home.dump()
    del everything["runs"]
    return {**everything, "tags": home.rows("tags", "1, 2"), "run_config": home.rows("run_config", "1, 2")}


def lose(home: Home) -> None:
    home.store.close()
    for path in home.path.glob("lab.db*"):
        path.unlink()


def settle_live(home: Home) -> None:
    """A live run's placement is the supervisor's to find again; here nobody does."""
    with home.store.writing() as db:
        runs.update(db, "250101-120003-dddd", placed="cpu", launcher="local")


@pytest.mark.parametrize("how", ["deleted", "damaged", "sound"])
def test_the_rebuilt_list_is_the_one_before(home: Home, how: str) -> None:
    story(home)
    before, rows = listing(home), tables(home)
    assert {run.state for run in before} == {"finished", "failed", "diverged", "running", "queued"}
    if how == "deleted":
        lose(home)
    elif how == "damaged":
        home.store.close()
        home.store.path.write_bytes(home.store.path.read_bytes()[:9000])
    done = rebuild(home.store, judge)
    assert (done.runs, done.points, bool(done.messages)) == (6, 4 * 10 + 4 * 3, how == "damaged")
    settle_live(home)
    assert listing(home) == before
    assert tables(home) == rows
    assert integrity(home.store.path) == "ok"
    assert bool(list(home.path.glob("lab.db.corrupt-*"))) == (how == "damaged")


def test_a_sound_database_keeps_what_only_it_knows(home: Home) -> None:
    story(home)
    with home.store.writing() as db:
        runs.transition(db, "250101-120001-bbbb", "failed", "queued")  # resumed, waits
        runs.move(db, "250101-120001-bbbb", 1)
        runs.move(db, "250101-120005-ffff", 2)
        runs.hold(db, "250101-120005-ffff")
        runs.set_reason(db, "250101-120005-ffff", "held")
        runs.request_stop(db, "250101-120004-eeee")  # never started
        runs.request_stop(db, "250101-120003-dddd")  # still trains
        runs.set_meta(db, "queue_paused", "why")
    before = listing(home)
    rebuild(home.store, judge)
    settle_live(home)
    assert listing(home) == before
    assert [run.position for run in before if run.state == "queued"] == [2, 1]
    assert runs.get_meta(home.store.reading(), "queue_paused") == "why"


def test_directories_that_cannot_be_read_whole_are_listed_all_the_same(home: Home) -> None:
    bare = home.add("250102-030405-aaaa")
    bare.recipe.unlink()
    bare.labels.write_text("{torn")
    broken = home.add("250102-030406-bbbb")
    broken.recipe.write_text("model = [\x00")
    train(home, broken, 5.0)
    end(home, broken, "failed", "exit code 1", 1)
    odd = home.add("250102-030407-cccc")
    odd.labels.write_text('["not", "an", "object"]')
    odd.recipe.write_bytes(b"\xff\xfe")
    odd.journal.mkdir()
    for name in (".new-250102-030408-dddd", "notes", "new\nline"):
        (home.path / "runs" / name).mkdir()
    (home.path / "runs" / ".new-250102-030408-dddd" / "recipe.toml").touch()
    (home.path / "runs" / "new\nline" / "recipe.toml").touch()
    (home.path / "runs" / "a file").touch()
    lose(home)
    done = rebuild(home.store, judge)
    found = {run.id: run for run in listing(home)}
    assert set(found) == {bare.id, broken.id, odd.id} and done.runs == 3
    first = found[bare.id]
    assert (first.name, first.state, first.position) == (bare.id, "queued", 1)
    assert "recipe.toml is missing" in first.evidence and "run.json cannot be read" in first.evidence
    assert first.created == pytest.approx(1735787045, abs=86_400)
    second = found[broken.id]
    assert second.evidence.startswith("exit code 1; recipe.toml is not valid TOML") and second.name == "first"
    assert (second.state, second.best, second.exit_code) == ("failed", 5.0, 1)
    assert "journal.jsonl cannot be read" in found[odd.id].evidence
    assert len(done.messages) == 6 and all(message.startswith("run 250102-0304") for message in done.messages)


def test_killed_in_the_middle_the_old_database_is_as_it_was(home: Home) -> None:
    story(home)
    before = home.dump()
    code = (
        "import os, sys; from pathlib import Path; from vitui.store import Store; from vitui.store.rebuild import rebuild\n"
        "seen = []\n"
        "def judge(run):\n"
        "    seen.append(run.id)\n"
        "    if len(seen) == 4: os.kill(os.getpid(), 9)\n"
        "    return 'failed', '', {}\n"
        "rebuild(Store(Path(sys.argv[1])), judge)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(home.path)], cwd=ROOT, check=False).returncode == -9
    assert home.dump() == before and integrity(home.store.path) == "ok"


def test_an_empty_home_and_a_newer_database(home: Home) -> None:
    assert rebuild(home.store, judge).runs == 0
    (home.path / "runs").rmdir()
    assert rebuild(home.store, judge).runs == 0
    with home.store.writing() as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(UsageError, match="newer vitui"):
        rebuild(Store(home.path), judge)


def test_a_verdict_that_is_no_state_changes_nothing(home: Home) -> None:
    home.add()
    before = home.dump()
    with pytest.raises(ValueError, match="no such state"):
        rebuild(home.store, lambda run: ("asleep", "", {}))
    assert home.dump() == before


def test_curves_are_readable_after_a_rebuild(home: Home) -> None:
    story(home)
    lose(home)
    rebuild(home.store, judge)
    assert read.curve(home.store.reading(), "250101-120000-aaaa", "train/loss").values.tolist() == [1.0] * 10
    assert module.Rebuilt().messages == []
