"""From a draft to the queue: all runs or none, what is refused before, what is a repetition, clones."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.journal import read_toml, write_json
from engine.recipe import RecipeError, validate
from engine.recipe.compose import get as leaf
from vitui import launching as files
from vitui.drafts.draft import Draft
from vitui.drafts.ground import compose_draft, draft_of
from vitui.drafts.launching import launch
from vitui.drafts.preview import preview, refusal
from vitui.drafts.repeats import repeats
from vitui.drafts.seeds import parse_seeds
from vitui.drafts.shelf import preset_entries
from vitui.errors import UsageError
from vitui.lab import Lab


@pytest.fixture(autouse=True)
def sound_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every model can be built, without the engine."""
    monkeypatch.setattr(Lab, "describe_all", lambda self, recipes, tell=None: [])


def test_several_seeds_are_as_many_runs_in_their_order(lab: Lab) -> None:
    draft = Draft("demo-digits", seeds=(4, 2, 9), name="lr test", tags=("a",), notes="n", question="q", device="cpu")
    ids = launch(lab, draft)
    rows = [lab.run(run_id) for run_id in ids]
    assert [(row.seed, row.name) for row in rows] == [(s, f"lr test seed {s}") for s in (4, 2, 9)]
    assert [row.position for row in rows] == [1, 2, 3] and [row.id for row in lab.runs()] == ids[::-1]
    assert {(row.tags, row.notes, row.question, row.device) for row in rows} == {(("a",), "n", "q", "cpu")}
    assert launch(lab, Draft("demo-digits", seeds=(5,)))[0] not in ids
    assert lab.runs()[0].name == "demo-digits"


@pytest.mark.parametrize("at", ["write_run_dir", "fsync_dir"])
def test_all_are_queued_or_none(lab: Lab, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    before, asked = getattr(files, at), []

    def failing(*words: Any) -> Any:
        asked.append(words)
        if at == "fsync_dir" or len(asked) == 2:
            raise OSError("disk full")
        return before(*words)

    monkeypatch.setattr(files, at, failing)
    with pytest.raises(OSError, match="disk full"):
        launch(lab, Draft("demo-digits", seeds=(0, 1)))
    assert asked and list((lab.home / "runs").iterdir()) == [] and lab.runs() == []


def test_what_cannot_work_is_refused_with_what_helps(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(draft: Draft) -> str:
        return refusal(lab, draft, compose_draft(lab, draft))

    assert refused(Draft("demo-digits")) == ""
    assert "vitui data add cifar100" in refused(Draft("c100-vit-lite-6-4-200"))
    assert "device gpu:3" in refused(Draft("demo-digits", device="gpu:3"))
    assert "1000000 is more than" in refused(Draft("demo-digits", sets={"train.batch_size": "1000000"}))
    assert "at most 300" in refused(Draft("demo-digits", name="x" * 301))
    monkeypatch.setattr(lab.store, "why_read_only", "the home is read-only", raising=False)
    monkeypatch.setattr(Lab, "read_only", True)
    assert refused(Draft("demo-digits")) == "the home is read-only"


def test_a_home_that_is_not_there_is_no_crash(tmp_path: Path) -> None:
    lab = Lab.open(tmp_path / "new", create=True)
    shutil.rmtree(lab.home)
    draft = Draft("demo-digits")
    assert refusal(lab, draft, compose_draft(lab, draft)) == ""


def test_a_preset_that_is_none_and_what_is_impossible_are_told(lab: Lab) -> None:
    assert "did you mean demo-digits" in preview(lab, Draft("demo-digit")).problem
    assert "is gone" in preview(lab, Draft("", base="250101-000000-aaaa")).problem
    view = preview(lab, Draft("demo-digits", sets={"optim.lr": "fast", "zz": "1", "a b": ""}))
    assert view.problem and view.composed is None and view.fields
    with pytest.raises(RecipeError):
        launch(lab, Draft("demo-digits", flips=("pink",)))
    long = preview(lab, Draft("demo-digits", sets={"schedule.warmup_epochs": "0", "schedule.warmup_steps": "1000000"}))
    assert "must be less than the whole run" in long.problem and long.rates is not None and not long.rates.steps


def test_a_preview_tells_length_reference_and_learning_rates(lab: Lab) -> None:
    view = preview(lab, Draft("demo-digits", flips=("warmup",)))
    assert view.steps == view.epochs * view.steps_per_epoch and view.reference.value > 90
    assert view.rates.total == view.steps and max(view.rates.values) <= leaf(view.recipe, "optim.lr")
    waves = preview(lab, Draft("demo-digits", sets={"train.steps": "900000", "schedule.cycles": "40"})).rates
    assert len(waves.steps) <= 2000 and waves.steps[0] == 0 and waves.steps[-1] == 899_999
    assert sum(a < b > c for a, b, c in zip(waves.values, waves.values[1:], waves.values[2:], strict=False)) >= 39
    assert list(waves.steps) == sorted(set(waves.steps))


def test_a_launch_that_would_repeat_a_run_is_known(lab: Lab) -> None:
    [first] = launch(lab, Draft("demo-digits", flips=("mixup",)))
    recipe = compose_draft(lab, Draft("demo-digits", sets={"mix.mixup": "0.8"})).recipe
    assert [run.id for run in repeats(lab, recipe)] == [first] == [run.id for run in repeats(lab, recipe, (0, 5))]
    assert repeats(lab, recipe, (5,)) == []
    assert repeats(lab, compose_draft(lab, Draft("demo-digits")).recipe) == []
    lab.stop(first)
    assert repeats(lab, recipe) == []


def test_a_clone_says_it_as_it_was_launched(lab: Lab) -> None:
    said = Draft("demo-digits", flips=("mixup", "no-warmup"), sets={"optim.lr": "0.004"}, tags=("t",), device="cpu")
    [run_id] = launch(lab, said)
    draft = draft_of(lab, run_id)
    assert (draft.preset, set(draft.flips), dict(draft.sets), draft.tags) == (
        "demo-digits",
        set(said.flips),
        {"optim.lr": "0.004"},
        ("t",),
    )
    view = preview(lab, draft)
    assert view.changes == () and not [s for s in view.switches if s.differs]
    changed = preview(lab, draft.flip("mixup", False, view.preset))
    assert [c.key for c in changed.changes] == ["mix.mixup"]
    assert next(s for s in changed.switches if s.toggle.id == "mixup").in_preset


def test_a_clone_without_its_labels_or_its_preset_is_the_same_recipe(lab: Lab) -> None:
    [run_id] = launch(lab, Draft("demo-digits", flips=("sgd",), sets={"model.options.depth": "3"}))
    wanted = validate(read_toml(lab.run_dir(run_id).recipe))
    for said in ({"preset": "demo-digits"}, {"preset": "gone"}, {}):
        write_json(lab.run_dir(run_id).labels, said)
        draft = draft_of(lab, run_id)
        view = preview(lab, draft)
        assert view.recipe == wanted and view.changes == ()
        assert draft.command().startswith(
            "vitui run demo-digits " if said.get("preset") == "demo-digits" else f"vitui rerun {run_id}"
        )
        assert preview(lab, draft.set("optim.lr", "0.3", view.preset)).recipe.optim.lr == 0.3
    lab.run_dir(run_id).recipe.unlink()
    assert "is gone" in preview(lab, draft).problem
    with pytest.raises(UsageError, match="is gone"):
        draft_of(lab, run_id)


def test_the_shelf_lists_sound_presets_and_says_what_is_wrong_with_others(lab: Lab) -> None:
    own = lab.home / "presets" / "mine"
    own.mkdir(parents=True)
    (own / "good.toml").write_text('title = "Mine"\nextends = "demo-digits"\n')
    (own / "bad.toml").write_text("title = \n")
    (own / "worse.toml").write_text('extends = "nobody"\n')
    entries = {entry.name: entry for entry in preset_entries(lab)}
    assert entries["good"].title == "Mine" and entries["good"].data_state == "packed at first use"
    assert "not valid TOML" in entries["bad"].problem and "does not exist" in entries["worse"].problem
    assert (
        entries["demo-cifar10"].data_state == "downloads 170 MB"
        and entries["demo-cifar10"].data_remedy == "vitui data add cifar10"
    )
    assert any(entry.data_state == "missing" and "--from" in entry.data_remedy for entry in entries.values())
    assert any(entry.reference.startswith("NaN") for entry in entries.values())
    assert entries["demo-digits"].matches("DIGITS demo") and not entries["demo-digits"].matches("cifar10")
    (own.parent / "good.toml").write_text('extends = "demo-digits"\n')
    told = preset_entries(lab)
    assert "two presets are called good" in told[-1].problem and "demo-digits" in {entry.name for entry in told}


@pytest.mark.parametrize(
    ("text", "seeds"), [("", ()), ("0,1,2", (0, 1, 2)), (" 4 , 2 ", (4, 2)), ("3", (7, 8, 9)), ("5,", (5,)), ("1", (7,))]
)  # fmt: skip
def test_seeds_as_they_are_written(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text, 7) == seeds


@pytest.mark.parametrize("text", ["a", "1,1", "-1", "0", ",", "1,,2", "3000000000,1", "101", "²", "1.5", "9" * 50])
def test_seeds_that_are_none_are_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_seeds(text)
    assert "\n" not in str(refused.value) and str(refused.value).startswith("seeds = ")
