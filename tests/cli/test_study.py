"""``vitui study``: planning, queueing, changing and removing studies from the command line."""

from __future__ import annotations

import io
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.cli.conftest import Answer, Home
from tests.e2e.conftest import until
from vitui.cli import app
from vitui.lab import Lab
from vitui.store import Store, runs
from vitui.studies import definition
from vitui.studies.definition import own

BASE = ("--base", "demo-digits", "--leave-out", "label-smoothing", "--seeds", "2")


class Terminal(io.StringIO):
    """Somebody who can be asked."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two studies ship: composing the recipes of all takes seconds."""
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    for name in ("tin-ablation", "digits-search-mini"):
        shutil.copy(definition.SHIPPED / f"{name}.toml", shipped)
    monkeypatch.setattr(definition, "SHIPPED", shipped)


@pytest.fixture
def study(home: Home, idle: None) -> Home:
    """A home with study `s`: two variants, two seeds, nothing queued."""
    home("study", "new", "s", *BASE, "--question", "does it help?")
    return home


def file(home: Home, name: str = "s") -> Path:
    return own(home.path) / f"{name}.toml"


def listed(home: Home, name: str = "s") -> dict[str, Any]:
    return next(line for line in home("study", "list", "--json").json if line["name"] == name)


def counts(home: Home, name: str = "s") -> dict[str, int]:
    return dict(home("study", "show", name, "--json").json["counts"])


def settle(home: Home, run_id: str, state: str, **columns: Any) -> None:
    """A run as the worker would leave it."""
    store = Store(home.path)
    store.open()
    with store.writing() as db:
        db.execute("DELETE FROM queue WHERE run = ?", (run_id,))
        row = {"state": state, **columns}
        names = ", ".join(f"{name} = ?" for name in row)
        db.execute(f"UPDATE runs SET {names} WHERE id = ?", (*row.values(), run_id))
    store.close()


# -- new ---------------------------------------------------------------------------------------------------------


def test_a_new_study_is_written_and_told(study: Home) -> None:
    text = file(study).read_text()
    assert 'base = "demo-digits"' in text and 'leave_out = ["label-smoothing"]' in text and "# each of these" in text
    answer = study("study", "new", "t", *BASE)
    assert answer.out == ""
    for words in (
        "2 variants x 2 seeds (0, 1) = 4 runs",
        "4 to queue, 0 to resume, 0 there already",
        "vitui study run t",
    ):
        assert words in answer.err
    assert study("runs", "--json").json == [], "nothing is queued"


def test_a_dry_run_prints_the_file_and_keeps_nothing(home: Home) -> None:
    answer = home("study", "new", "s", *BASE, "--dry-run")
    assert answer.out.startswith('base = "demo-digits"') and "= 4 runs" in answer.err
    assert not home.path.exists()


def test_from_a_file(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'presets = ["demo-digits"]  # my remark\n'
    (tmp_path / "f.toml").write_text(text)
    home("study", "new", "s", "--from", str(tmp_path / "f.toml"))
    assert file(home).read_text() == text, "with its comments"
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    home("study", "new", "t", "--from", "-")
    assert file(home, "t").read_text() == text


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("s",), 2, "nothing to train; give --base PRESET"),
        (("s", "--base", "demo-digts"), 2, "did you mean demo-digits?"),
        (("s", *BASE, "--add", "mixpu"), 2, "did you mean mixup?"),
        (("s", *BASE, "--add", "label-smoothing"), 2, "it belongs into leave_out"),
        (("s", *BASE, "--set", "optim.ly=1"), 2, "did you mean optim.lr?"),
        (("s", *BASE, "--baseline", "bse"), 2, "did you mean base?"),
        (("s", *BASE, "--axis", "lr=1"), 2, "use one or the other"),
        (("../s", *BASE), 2, "cannot name a study"),
        (("tin-ablation", *BASE), 2, "there is a study tin-ablation already; choose another name, or fork it"),
        (("s", "--from", "/nowhere.toml"), 3, "there is no file /nowhere.toml"),
        (("s", "--from", "x.toml", *BASE), 2, "--from takes a file as it is"),
        (("s", *BASE, "--dry-run", "--run"), 2, "choose one"),
        (("s", *BASE, "--dry-run", "--set", "train.epochs=1"), 2, "must be less than train.epochs"),
    ],
)  # fmt: skip
def test_a_study_that_cannot_be(home: Home, words: tuple[str, ...], code: int, said: str) -> None:
    answer = home("study", "new", *words, code=code)
    assert said in answer.err and answer.err.startswith("vitui: ") and answer.out == ""
    assert not own(home.path).exists() or not list(own(home.path).iterdir())


def test_a_name_is_taken_once(study: Home) -> None:
    before = file(study).read_text()
    assert "vitui study edit s" in study("study", "new", "s", "--base", "demo-digits", code=2).err
    assert file(study).read_text() == before


# -- list and show -----------------------------------------------------------------------------------------------


def test_own_studies_are_listed_first_and_broken_ones_too(study: Home) -> None:
    file(study, "broken").write_text("seeds = ")
    lines = study("study", "list").out.splitlines()
    assert lines[1].startswith("broken") and "is not valid TOML" in lines[1] and lines[2].startswith("s ")
    assert listed(study)["cells"] == 4 and listed(study)["counts"] == {"missing": 4}
    assert any(line.startswith("tin-ablation") for line in lines)


def test_what_a_study_trains(study: Home) -> None:
    run_id = study("study", "run", "s", "--yes", "--only", "base:1").out.strip()
    settle(study, run_id, "finished", report_best=91.25, report_split="test")
    out = study("study", "show", "s").out
    assert "does it help?" in out and "2 variants x 2 seeds (0, 1) = 4 runs" in out
    rows = [line.split() for line in out.splitlines()]
    assert ["no-label-smoothing", "no-label-smoothing", "–", "–"] in rows
    assert next(row for row in rows if row[:1] == ["base"] and len(row) > 2)[-2:] == ["–", "91.25"]
    found = study("study", "show", "s", "--json").json
    assert found["estimate"]["queue"] == 3 and found["estimate"]["reuse"] == 1
    assert found["variants"][0]["cells"][1] == {
        "seed": 1, "status": "finished", "run": run_id, "value": 91.25, "last": None, "text": "91.25",
    }  # fmt: skip
    assert "no study nope" in study("study", "show", "nope", code=3).err


# -- run ---------------------------------------------------------------------------------------------------------


def test_it_asks_and_queues_all_or_nothing(study: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = study("study", "run", "s", code=2)
    assert "nobody to ask here; --yes queues without asking" in refused.err and counts(study) == {"missing": 4}
    monkeypatch.setattr(sys, "stdin", Terminal("\n"))
    refused = study("study", "run", "s", code=1)
    assert "4 to queue" in refused.err and "nothing was queued" in refused.err and refused.out == ""
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    answer = study("study", "run", "s")
    assert len(answer.out.split()) == 4 == len(study("runs", "--json").json) and counts(study) == {"queued": 4}
    again = study("study", "run", "s")
    assert "nothing to queue: every run is there" in again.err and again.out == ""


def test_a_dry_run_queues_nothing(study: Home) -> None:
    assert "4 to queue" in study("study", "run", "s", "--dry-run").err
    assert counts(study) == {"missing": 4}


def test_what_broke_is_resumed_and_the_rest_queued(study: Home) -> None:
    first, second = study("study", "run", "s", "--yes", "--only", "base").out.split()
    settle(study, first, "failed")
    settle(study, second, "finished", report_best=90.0, report_split="test")
    assert "2 to queue, 0 to resume, 1 there already" in study("study", "run", "s", "--dry-run", "--no-retry").err
    found = study("study", "run", "s", "--yes", "--json").json
    assert (len(found["queued"]), found["resumed"], found["reused"]) == (2, [first], 1)


@pytest.mark.parametrize(
    ("only", "cells"),
    [
        (("base",), {("base", 0), ("base", 1)}),
        (("no-label-smoothing:1",), {("no-label-smoothing", 1)}),
        (("*:0",), {("base", 0), ("no-label-smoothing", 0)}),
        (("base:0", "no-*:1"), {("base", 0), ("no-label-smoothing", 1)}),
    ],
)
def test_only_some_of_it(study: Home, only: tuple[str, ...], cells: set[tuple[str, int]]) -> None:
    study("study", "run", "s", "--yes", *(word for one in only for word in ("--only", one)))
    found = study("study", "show", "s", "--json").json
    queued = {
        (one["name"], cell["seed"]) for one in found["variants"] for cell in one["cells"] if cell["status"] == "queued"
    }
    assert queued == cells


@pytest.mark.parametrize(("only", "said"), [("bas", "did you mean base?"), ("base:7", "no seed 7; its seeds are 0, 1")])
def test_only_what_there_is(study: Home, only: str, said: str) -> None:
    assert said in study("study", "run", "s", "--yes", "--only", only, code=3).err and counts(study) == {"missing": 4}


def test_new_with_run_queues_at_once(home: Home, idle: None) -> None:
    assert len(home("study", "new", "s", *BASE, "--run", "--yes").out.split()) == 4


def test_waiting_tells_of_each_run_and_fails_with_one(study: Home) -> None:
    def work() -> None:
        store = Store(study.path)
        store.open()
        until(lambda: len(runs.list_runs(store.reading())) == 4)
        ids = [run.id for run in reversed(runs.list_runs(store.reading()))]
        store.close()
        for number, run_id in enumerate(ids):
            state, value = ("failed", None) if number == 3 else ("finished", 90.0 + number)
            settle(study, run_id, state, report_best=value, report_split="test")

    worker = threading.Thread(target=work)
    worker.start()
    answer = study("study", "run", "s", "--yes", "--wait", code=1)
    worker.join()
    assert answer.err.count(" is finished: ") == 3
    assert "is finished: base, seed 0, 90.00" in answer.err and "is failed: no-label-smoothing" in answer.err


def test_stopping_stops_what_waits(study: Home) -> None:
    study("study", "run", "s", "--yes")
    answer = study("study", "stop", "s")
    assert answer.err.count("is stopped") == 4 and counts(study) == {"stopped": 4}
    assert "no run of study s waits or trains" in study("study", "stop", "s").err


def test_a_changed_preset_is_refused_before_it_is_asked(home: Home, idle: None) -> None:
    (home.path / "presets").mkdir(parents=True)
    mine = home.path / "presets" / "mine.toml"
    mine.write_text('extends = "demo-digits"\noptim.lr = 1e-3\n')
    home("study", "new", "s", "--base", "mine", "--seeds", "2")
    home("study", "run", "s", "--yes", "--only", "base:0")
    mine.write_text('extends = "demo-digits"\noptim.lr = 2e-3\n')
    refused = home("study", "run", "s", code=2)
    assert "preset mine: optim.lr: 0.001 -> 0.002" in refused.err and "vitui study fork s NEW" in refused.err
    assert "presets have changed since" in home("study", "list").out
    assert "1 variant x 2 seeds" in home("study", "fork", "s", "s2").err
    assert len(home("study", "run", "s2", "--yes").out.split()) == 2


def test_a_launch_that_is_refused_pins_nothing(study: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What presets said when nothing could be queued is no reason to refuse later."""
    from vitui.errors import UsageError

    def refuse(self: Lab, *_: object) -> None:
        raise UsageError("no space")

    with monkeypatch.context() as patched:
        patched.setattr(Lab, "preflight", refuse)
        assert "no space" in study("study", "run", "s", "--yes", code=2).err
    assert not list(own(study.path).glob("*.lock.json"))


# -- edit, fork, remove ------------------------------------------------------------------------------------------


def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """$VISUAL is a shell script that gets the file as $1."""
    path = tmp_path / "my editor"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("VISUAL", f'"{path}"')


def test_edit_replaces_the_file_once_it_makes_sense(
    study: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(tmp_path, monkeypatch, 'echo \'add = ["mixup"]\' >> "$1"')
    answer = study("study", "edit", "s")
    assert "3 variants x 2 seeds" in answer.err and file(study).read_text().endswith('add = ["mixup"]\n')
    assert [path.name for path in own(study.path).iterdir()] == ["s.toml"]
    editor(tmp_path, monkeypatch, "true")
    assert "study s is as it was" in study("study", "edit", "s").err


def test_what_makes_no_study_is_kept_and_gone_on_with(
    study: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file(study).read_text()
    editor(tmp_path, monkeypatch, 'echo \'add = ["mixpu"]\' >> "$1"')
    refused = study("study", "edit", "s", code=2)
    draft = own(study.path) / "s.toml.draft"
    assert "did you mean mixup?" in refused.err and f"what you wrote is kept in {draft}" in refused.err
    assert file(study).read_text() == before and draft.read_text().endswith('add = ["mixpu"]\n')
    assert len(listed(study)) and counts(study) == {"missing": 4}, "a draft is no study"
    editor(tmp_path, monkeypatch, 'sed -i s/mixpu/mixup/ "$1"')
    assert "going on from what was left" in study("study", "edit", "s").err
    assert file(study).read_text().endswith('add = ["mixup"]\n') and not draft.exists()


def test_an_editor_that_fails_or_is_not_there(study: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = file(study).read_text()
    editor(tmp_path, monkeypatch, "echo typed > $1; exit 3")
    assert "ended with code 3" in study("study", "edit", "s", code=2).err
    assert (own(study.path) / "s.toml.draft").read_text() == "typed\n"
    monkeypatch.setenv("VISUAL", "no-such-editor")
    assert "set $EDITOR to an editor that is here" in study("study", "edit", "s", code=2).err
    assert (own(study.path) / "s.toml.draft").read_text() == "typed\n", "what was typed before stays"
    assert file(study).read_text() == before
    assert "vitui study fork tin-ablation NEW" in study("study", "edit", "tin-ablation", code=2).err


def test_new_with_edit(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(tmp_path, monkeypatch, 'sed -i s/label-smoothing/label-smothing/ "$1"')
    assert "`vitui study new s --edit` goes on from it" in home("study", "new", "s", *BASE, "--edit", code=2).err
    editor(tmp_path, monkeypatch, 'sed -i s/label-smothing/label-smoothing/ "$1"')
    home("study", "new", "s", "--edit")
    assert 'leave_out = ["label-smoothing"]' in file(home).read_text()


def test_fork_and_remove(study: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    study("study", "run", "s", "--yes")
    study("study", "fork", "s", "t")
    assert counts(study, "t") == {"queued": 4}, "the same recipes: the same runs"
    assert "there is a study t already" in study("study", "fork", "s", "t", code=2).err
    assert "--yes removes without asking" in study("study", "remove", "s", code=2).err
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    assert "nothing was removed" in study("study", "remove", "s", code=1).err and file(study).exists()
    study("study", "remove", "s", "--yes")
    assert [path.name for path in own(study.path).iterdir()] == ["t.toml"]
    assert len(study("runs", "--json").json) == 4
    assert "cannot be removed" in study("study", "remove", "tin-ablation", "--yes", code=2).err
    assert "no study nope" in study("study", "remove", "nope", "--yes", code=3).err


# -- elsewhere ---------------------------------------------------------------------------------------------------


def test_runs_know_their_studies(study: Home) -> None:
    run_ids = study("study", "run", "s", "--yes").out.split()
    assert {row["id"] for row in study("runs", "--filter", "study:s", "--json").json} == set(run_ids)
    assert study("runs", "--filter", "-has:study", "--json").json == []
    group = study("runs", "--group", "study", "--json").json[0]
    assert group["group"] == {"study": ["s"]} and len(group["runs"]) == 4


def test_rebuild_reads_studies_from_their_files(study: Home) -> None:
    run_ids = study("study", "run", "s", "--yes").out.split()
    file(study, "broken").write_text('base = "nothing"')
    for path in study.path.glob("lab.db*"):
        path.unlink()
    answer = study("rebuild")
    assert "nothing" in answer.err and "study broken" in answer.err
    assert {row["id"] for row in study("runs", "--filter", "study:s", "--json").json} == set(run_ids)
    file(study).unlink()
    study("rebuild")
    assert study("runs", "--filter", "has:study", "--json").json == [], "a study whose file is gone is none"


def test_a_shipped_study_that_was_queued_is_read_anew_too(home: Home, idle: None) -> None:
    run_id = home("study", "run", "digits-search-mini", "--yes", "--only", "base").out.strip()
    for path in home.path.glob("lab.db*"):
        path.unlink()
    home("rebuild")
    assert [row["id"] for row in home("runs", "--filter", "study:digits-search-mini", "--json").json] == [run_id]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("vitui study show tin-ab", "tin-ablation"),
        ("vitui study run s --only no-", "no-label-smoothing"),
        ("vitui study new x --base demo-di", "demo-digits"),
    ],
)
def test_completion(study: Home, words: str, offered: str) -> None:
    env = {"_VITUI_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    answer = CliRunner().invoke(app, prog_name="vitui", env=env)
    assert offered in answer.stdout.splitlines()


def test_nothing_breaks_in_an_empty_home(call: Any) -> None:
    answer: Answer = call("study", "list")
    assert answer.code == 0 and "tin-ablation" in answer.out
    assert call("study", "stop", "tin-ablation").code == 0
    assert call("scoreboard").code == 0
