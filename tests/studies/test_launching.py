"""Queueing a study: every cell once, whatever happens, and never by presets that have changed since."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from vitui.composition import roots
from vitui.errors import UsageError
from vitui.lab import Lab
from vitui.store import runs
from vitui.studies import opening
from vitui.studies.plan import Shelf

from .homes import StudyHome

STUDY = 'base = "demo-digits"\nseeds = [0, 1]\nleave_out = ["label-smoothing"]\nquestion = "does it help?"'


@pytest.fixture
def study(home: StudyHome) -> StudyHome:
    home.write("s", STUDY)
    return home


def by_cell(home: StudyHome) -> list[tuple[str, int | None]]:
    return sorted((run.recipe_fingerprint, run.seed) for run in home.lab.runs())


def test_every_cell_is_queued_once(study: StudyHome) -> None:
    done = study.lab.launch_study("s")
    assert (len(done.queued), done.resumed, done.reused) == (4, (), 0)
    assert study.planned("s").counts == {"queued": 4}
    names = {study.row(run).name for run in done.queued}
    assert names == {f"s: {variant} seed {seed}" for variant in ("base", "no-label-smoothing") for seed in (0, 1)}
    assert {study.row(run).question for run in done.queued} == {"does it help?"}
    again = study.lab.launch_study("s")
    assert (again.queued, again.reused) == ((), 4)
    assert len(study.lab.runs()) == 4


def test_runs_that_are_there_are_reused(study: StudyHome) -> None:
    study.run(study.planned("s").variants[0], 1, 91.0)
    assert len(study.lab.launch_study("s").queued) == 3


def test_a_diverged_run_is_a_result_and_not_repeated(study: StudyHome) -> None:
    study.run(study.planned("s").variants[0], 0, state="diverged")
    assert len(study.lab.launch_study("s").queued) == 3


def test_what_broke_is_resumed_under_its_id(study: StudyHome) -> None:
    broken = [
        study.run(study.planned("s").variants[0], seed, state=state) for seed, state in ((0, "failed"), (1, "lost"))
    ]
    kept = study.lab.launch_study("s", retry=False)
    assert (len(kept.queued), kept.resumed) == (2, ())
    done = study.lab.launch_study("s")
    assert sorted(done.resumed) == sorted(broken) and done.queued == ()
    assert {study.row(run).state for run in broken} == {"queued"}


def test_only_some_cells(study: StudyHome) -> None:
    done = study.lab.launch_study("s", only=[("no-label-smoothing", 1)])
    assert [(study.row(run).name) for run in done.queued] == ["s: no-label-smoothing seed 1"]


def test_an_extended_study_queues_what_is_new(study: StudyHome) -> None:
    study.lab.launch_study("s")
    study.lab.save_study("s", STUDY.replace("[0, 1]", "[0, 1, 2]") + '\nadd = ["mixup"]', replace=True)
    done = study.lab.launch_study("s")
    assert (len(done.queued), done.reused) == (5, 4)


def test_two_at_once_queue_every_cell_once(study: StudyHome) -> None:
    gate = threading.Barrier(4)

    def launch() -> None:
        lab = Lab.open(study.lab.home, adopt=False)
        gate.wait()
        lab.launch_study("s")

    threads = [threading.Thread(target=launch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(by_cell(study))) == len(by_cell(study)) == 4
    assert not list((study.lab.home / "runs").glob(".new-*"))


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_launch_that_is_killed_among_its_runs_is_made_whole(
    study: StudyHome, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Directories are in place, their rows are not committed: the next launch finds them instead of launching twice."""
    pid = os.fork()
    if not pid:
        count, insert = 0, runs.insert

        def dying(*args: object) -> None:
            nonlocal count
            count += 1
            if count > after:
                os._exit(9)
            insert(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(runs, "insert", dying)
        study.lab.launch_study("s")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    study.lab.launch_study("s")
    assert len(set(by_cell(study))) == len(by_cell(study)) == 4
    assert len(list((study.lab.home / "runs").glob("[!.]*"))) == 4


# -- presets that change -----------------------------------------------------------------------------------------


@pytest.fixture
def own(home: StudyHome) -> Path:
    """A study on a preset of one's own; its file."""
    folder = home.lab.home / "presets"
    folder.mkdir()
    path = folder / "mine.toml"
    path.write_text('extends = "demo-digits"\n[optim]\nlr = 1e-3\n')
    home.write("s", 'base = "mine"\nseeds = [0, 1]\nleave_out = ["label-smoothing"]')
    return path


def test_a_preset_that_has_changed_is_refused_with_the_difference(home: StudyHome, own: Path) -> None:
    home.lab.launch_study("s", only=[("base", 0)])
    own.write_text('extends = "demo-digits"\n[optim]\nlr = 5e-4\n')
    with pytest.raises(UsageError) as raised:
        home.lab.launch_study("s")
    assert "preset mine: optim.lr: 0.001 -> 0.0005" in str(raised.value)
    assert "vitui study fork s NEW" in str(raised.value)
    assert len(home.lab.runs()) == 1
    # What was trained is still its result.
    assert home.planned("s").cells[0].status == "queued"
    assert any("optim.lr" in note.text and note.unfair for note in home.lab.study_report("s").notes)


def test_a_fork_goes_on_with_the_preset_as_it_is(home: StudyHome, own: Path) -> None:
    home.lab.launch_study("s", only=[("base", 0)])
    own.write_text('extends = "demo-digits"\n[optim]\nlr = 5e-4\n')
    home.lab.fork_study("s", "s2")
    assert len(home.lab.launch_study("s2").queued) == 4
    own.write_text('extends = "demo-digits"\n[optim]\nlr = 1e-3\n')  # put back: the old one goes on, too
    assert len(home.lab.launch_study("s").queued) == 3


def test_a_preset_changed_before_anything_was_queued_is_no_change(home: StudyHome, own: Path) -> None:
    home.planned("s")
    own.write_text('extends = "demo-digits"\n[optim]\nlr = 5e-4\n')
    assert len(home.lab.launch_study("s").queued) == 4


def test_a_launch_that_was_killed_before_its_first_run_pins_nothing(home: StudyHome, own: Path) -> None:
    opening.write_lock(home.lab.home, "s", home.planned("s").variants, Shelf(roots(home.lab.home)))
    own.write_text('extends = "demo-digits"\n[optim]\nlr = 5e-4\n')
    assert home.planned("s").changed == ()
    assert len(home.lab.launch_study("s").queued) == 4
    own.write_text('extends = "demo-digits"\n[optim]\nlr = 1e-3\n')
    with pytest.raises(UsageError, match=r"optim\.lr: 0\.0005 -> 0\.001"):
        home.lab.launch_study("s")


def test_runs_know_their_study_though_its_preset_has_changed(home: StudyHome, own: Path) -> None:
    queued = home.lab.launch_study("s").queued
    own.write_text('extends = "demo-digits"\n[optim]\nlr = 5e-4\n')
    home.lab.index_study("s")
    assert opening.rows.of_runs(home.lab.store.reading()) == dict.fromkeys(queued, ("s",))
    # Rows of pinned recipes are no plan: what has changed is seen by whoever comes next.
    assert Lab.open(home.lab.home, adopt=False).planned("s").changed
    home.lab.rebuild()
    assert opening.rows.of_runs(home.lab.store.reading()) == dict.fromkeys(queued, ("s",))
    own.write_text('extends = "demo-digits"\n[optim]\nlr = 1e-3\n')
    home.lab.index_study("s")
    assert opening.rows.stamp_of(home.lab.store.reading(), "s")


def test_an_edited_study_is_no_changed_preset(home: StudyHome, own: Path) -> None:
    home.lab.launch_study("s")
    text = (home.lab.home / "studies" / "s.toml").read_text()
    home.lab.save_study("s", f"{text}\n[set]\ntrain.epochs = 3", replace=True)
    assert len(home.lab.launch_study("s").queued) == 4


def test_what_a_toggle_means_is_pinned_too(home: StudyHome, own: Path) -> None:
    home.lab.launch_study("s")
    own.write_text(own.read_text() + "[toggles.label-smoothing]\noff = { regularize.label_smoothing = 0.01 }\n")
    with pytest.raises(UsageError, match="toggles or defaults mean something else now, in no-label-smoothing"):
        home.lab.launch_study("s")


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_a_damaged_lock_file_is_no_licence(study: StudyHome, content: str) -> None:
    study.lab.launch_study("s", only=[("base", 0)])
    lock = opening.lock_path(study.lab.home, "s")
    lock.write_text(content)
    with pytest.raises(UsageError, match="is damaged, so whether presets have changed cannot be told"):
        study.lab.launch_study("s")
    assert len(study.lab.runs()) == 1
    lock.unlink()
    assert len(study.lab.launch_study("s").queued) == 3


# -- keeping -----------------------------------------------------------------------------------------------------


def test_the_database_has_the_study_for_whoever_looks(study: StudyHome) -> None:
    study.lab.launch_study("s")
    db = study.lab.store.reading()
    rows = db.execute("SELECT study, variant, seed FROM study_runs ORDER BY 2, 3").fetchall()
    assert [tuple(row) for row in rows] == [
        ("s", "base", 0), ("s", "base", 1), ("s", "no-label-smoothing", 0), ("s", "no-label-smoothing", 1),
    ]  # fmt: skip


def test_a_study_whose_file_somebody_named_with_a_space_is_one_study(home: StudyHome) -> None:
    home.write("two words", 'base = "demo-digits"\nseeds = [0]')
    home.lab.index_study("two words")
    run = home.run(home.planned("two words").variants[0], 0, 90.0)
    assert opening.rows.of_runs(home.lab.store.reading()) == {run: ("two words",)}


def test_a_study_from_the_database_is_the_one_from_its_file(study: StudyHome) -> None:
    study.lab.index_study("s")
    fresh = Lab.open(study.lab.home, adopt=False)
    assert opening.rows.stamp_of(fresh.store.reading(), "s")
    assert fresh.planned("s").variants == study.planned("s").variants
    study.lab.save_study("s", STUDY + '\nadd = ["mixup"]', replace=True)
    assert len(fresh.planned("s").variants) == 3


def test_a_name_that_is_taken_and_a_study_that_ships(study: StudyHome) -> None:
    with pytest.raises(UsageError, match="there is a study s already"):
        study.lab.save_study("s", STUDY)
    with pytest.raises(UsageError, match="comes with vitui and cannot be removed"):
        study.lab.remove_study("tin-ablation")
    study.lab.launch_study("s")
    study.lab.remove_study("s")
    assert not list((study.lab.home / "studies").iterdir()) and len(study.lab.runs()) == 4


def test_a_broken_study_writes_nothing(home: StudyHome) -> None:
    with pytest.raises(UsageError, match="did you mean demo-digits"):
        home.lab.save_study("s", 'base = "demo-digts"')
    assert not (home.lab.home / "studies").exists()
