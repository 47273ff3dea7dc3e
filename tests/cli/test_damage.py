"""Files of a home that were damaged, deleted or edited by hand: told in a sentence, never written over."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.journal import read_json
from tests.cli.conftest import Home


@pytest.mark.parametrize("content", ["{bad", "[1]", "", "\x00\xff"])
def test_a_damaged_run_json_is_left_alone(home: Home, content: str) -> None:
    run = home.add()
    run.labels.write_text(content)
    assert "stopped: first" in home("show", "@").out
    for words in (["--star"], ["--name", "other"], ["--tag", "x"]):
        errors = home("edit", "@", *words, code=2).err
        assert f"{run.labels} is damaged" in errors
    assert run.labels.read_text() == content
    assert home.row(run.id)["star"] is False, "the database says no more than run.json"


def test_a_lost_run_json_is_made_again_from_the_database(home: Home) -> None:
    run = home.add(tags=["a", "b"], notes="kept", reference={"value": 90.5, "source": "table 1"})
    odd = home.add("250101-130000-bbbb", reference={"outcome": "NaN at epoch 35", "source": "table 2"})
    odd.labels.unlink()
    home("edit", odd.id, "--star")
    run.labels.unlink()
    home("edit", run.id, "--star")
    before = home.row(run.id)
    home("rebuild")
    after = home.row(run.id)
    names = ("name", "preset", "tags", "notes", "star", "reference", "reference_source", "created")
    assert {n: after[n] for n in names} == {n: before[n] for n in names} and before["star"]
    assert (home.row(odd.id)["reference"], home.row(odd.id)["reference_outcome"]) == (None, "NaN at epoch 35")


def test_a_damaged_recipe_is_told_and_not_resumed(home: Home) -> None:
    run = home.add()
    run.recipe.write_text("x = [")
    shown = home("show", "@")
    assert f"{run.recipe} is damaged" in shown.err and "stopped: first" in shown.out
    assert home("show", "@", "--json").json["recipe"] == {}
    assert f"{run.recipe} is damaged" in home("resume", "@", code=2).err
    run.recipe.unlink()
    assert f"{run.recipe} is gone" in home("resume", "@", code=2).err
    assert home.row(run.id)["state"] == "stopped"


def test_a_run_directory_that_is_gone(home: Home) -> None:
    run = home.add()
    shutil.rmtree(run.path)
    shown = home("show", "@")
    assert f"the directory {run.path} is gone" in shown.err and "stopped: first" in shown.out
    assert f"the directory {run.path} is gone" in home("edit", "@", "--star", code=3).err
    assert not run.path.exists()
    home("rebuild")
    assert home("runs", "--json").json == []


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}', '{"splits": {"train": {"count": "many"}}}'])
def test_a_damaged_dataset_is_listed_as_such(home: Home, content: str, tmp_path: Path) -> None:
    folder = home.path / "data" / "mine"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(content)
    (status,) = [one for one in home("data", "list", "--json").json if one["name"] == "mine"]
    assert status["state"] == "damaged" and status["remedy"] == "vitui data add mine --from PATH"
    assert "damaged" in home("data", "list").out
    errors = home("run", "demo-digits", "--set", "data.dataset=mine", code=2).err
    assert str(folder / "manifest.json") in errors and "delete that folder, then `vitui data add mine" in errors


def test_the_remedy_for_missing_data_can_be_pasted(home: Home) -> None:
    errors = home("run", "demo-cifar10", code=2).err
    assert "get it with `vitui data add cifar10` (downloads 170 MB)" in errors
    (status,) = [one for one in home("data", "list", "--json").json if one["name"] == "cifar10"]
    assert status["remedy"] == "vitui data add cifar10" and status["download_mb"] == 170.5


def test_an_older_run_without_origins_or_changes_is_shown(home: Home) -> None:
    run = home.add(origins=[1], changes=[{"key": "a"}, 3])
    assert "train.epochs" in home("show", "@", "--recipe").out
    shown = home("show", "@").out
    assert "different from the preset" in shown and "step" not in shown
    assert read_json(run.labels)["origins"] == [1]
