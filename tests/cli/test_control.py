"""Stopping, holding, editing: several at once, what is refused, and what is left when it is."""

from __future__ import annotations

import pytest

from engine.journal import read_json
from tests.cli.conftest import Home

A, B, C = (f"250101-12000{n}-aaaa" for n in range(3))


@pytest.fixture
def three(home: Home, idle: None) -> Home:
    for n, run_id in enumerate((A, B, C)):
        home.add(run_id, state="queued", created=1.7e9 + n)
    return home


def test_one_that_has_ended_does_not_keep_the_others_from_stopping(three: Home) -> None:
    three("stop", B)
    answer = three("stop", A, B, C, A, code=4)
    assert f"run {B} has already ended (stopped)" in answer.err and not answer.out
    assert [three.row(run)["state"] for run in (A, B, C)] == ["stopped"] * 3
    assert "has already ended" in three("stop", A, code=4).err


def test_nothing_is_done_where_one_run_is_not_found(three: Home) -> None:
    for words in (["stop"], ["queue", "hold"], ["edit", "--star"]):
        three(*words, A, "nonsense", code=3)
    row = three.row(A)
    assert (row["state"], row["held"], row["star"]) == ("queued", False, False)


def test_queue_commands_say_what_they_did(three: Home) -> None:
    assert three("queue", "hold", A, B).err == f"{A} is held\n{B} is held\n"
    assert "`vitui queue release` lets it start" in three("queue").out
    assert three("queue", "release", A).err == f"{A} is released\n"
    assert three("queue", "move", C, "1").err == f"{C} has place 1 in the queue\n"
    assert [run["id"] for run in three("queue", "--json").json["waiting"]] == [C, A, B]
    assert three("queue", "resume").err == "the queue was not paused\n"
    three("stop", B)
    for words in (["hold"], ["release"]):
        assert "does not wait in the queue (stopped)" in three("queue", *words, B, code=4).err
    assert three("queue", "move", B, "1", code=4)


@pytest.mark.parametrize("state", ["finished", "queued", "running"])
def test_only_runs_that_ended_early_are_resumed(home: Home, idle: None, state: str) -> None:
    home.add(state=state)
    errors = home("resume", "@", code=4).err
    assert f"is {state}; only a stopped, failed, diverged or lost run can be resumed" in errors


def test_resume_with_another_device_is_kept(home: Home, idle: None) -> None:
    run = home.add(state="failed")
    assert home("resume", "@", "--device", "cpu").out == f"{run.id}\n"
    assert home.row(run.id)["device"] == read_json(run.labels)["device"] == "cpu"
    assert home.row(run.id)["state"] == "queued"


@pytest.mark.parametrize(("name", "message"), [("", "empty"), ("  ", "empty"), ("x" * 301, "at most 300")])
def test_names_are_checked_when_they_are_changed(home: Home, name: str, message: str) -> None:
    run = home.add()
    assert message in home("edit", "@", "--name", name, code=2).err
    assert home.row(run.id)["name"] == read_json(run.labels)["name"] == "first"


def test_tags_are_the_same_in_file_and_database(home: Home, idle: None) -> None:
    run = home("run", "demo-digits", "--tag", " a ", "--tag", "", "--tag", "a").out.strip()
    assert home.row(run)["tags"] == ["a"]
    home("edit", run, "--tag", " b", "--untag", "a", "--tag", " ")
    assert home.row(run)["tags"] == ["b"]
    assert read_json(home.path / "runs" / run / "run.json")["tags"] == ["b"]


def test_a_worker_that_cannot_start_does_not_hide_the_runs(home: Home) -> None:
    home.add(state="queued")
    (home.path / "worker.lock").mkdir()
    answer = home("runs", "--json")
    assert len(answer.json) == 1 and "worker.lock cannot be opened" in answer.err
    errors = home("run", "demo-digits", code=1).err
    assert "is queued, but nothing can start it yet" in errors and len(home("runs", "--json").json) == 2
