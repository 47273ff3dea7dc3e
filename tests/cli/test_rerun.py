"""A run once more: the very recipe, other seeds, changes on top, with and without its preset."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.journal import read_json, read_toml, write_json
from engine.recipe.presets import SHIPPED
from tests.cli.conftest import Home
from vitui.errors import UsageError
from vitui.lab import Lab
from vitui.rerunning import name_for, seeds_of


def said(home: Home, run_id: str) -> dict[str, Any]:
    found = read_json(home.path / "runs" / run_id / "run.json")
    assert isinstance(found, dict)
    return found


def recipe(home: Home, run_id: str) -> dict[str, Any]:
    return read_toml(home.path / "runs" / run_id / "recipe.toml")


@pytest.fixture
def run(home: Home, idle: None) -> str:
    words = ("--set", "mix.mixup=0.1", "--set", "train.seed=3", "--name", "small mixup", "--tag", "a b", "--tag", "c")
    return home("run", "demo-digits", *words, "--question", "does it help?").out.strip()


def test_the_same_again(home: Home, run: str) -> None:
    again = home("rerun", run).out.strip()
    assert again != run and recipe(home, again) == recipe(home, run)
    before, after = (said(home, one) for one in (run, again))
    for key in ("name", "preset", "family", "tags", "device", "reference", "changes", "origins", "question"):
        assert after[key] == before[key], key
    assert run in after["notes"]


def test_seeds_name_their_runs_and_go_on_where_others_ended(home: Home, run: str) -> None:
    two = home("rerun", run, "--seeds", "7,9").out.split()
    assert [recipe(home, one)["train"]["seed"] for one in two] == [7, 9]
    assert [home.row(one)["name"] for one in two] == ["small mixup seed 7", "small mixup seed 9"]
    more = home("rerun", two[0], "--seeds", "2 more", "--json").json["runs"]
    assert [home.row(one)["seed"] for one in more] == [10, 11]
    assert home.row(more[0])["name"] == "small mixup seed 10"
    changed = home("rerun", run, "--set", "optim.lr=0.5", "--seeds", "1 more").out.strip()
    assert home.row(changed)["seed"] == 12, "numbers nobody has used yet"


def test_changes_on_top_are_told_against_the_preset(home: Home, run: str) -> None:
    again = home("rerun", run, "--set", "mix.mixup=0", "--toggle", "no-ema", "--set", "optim.lr=0.5").out.strip()
    about = said(home, again)
    changes = {one["key"]: one["after"] for one in about["changes"]}
    assert changes["optim.lr"] == 0.5 and about["origins"]["optim.lr"] == "--set"
    plain = home("run", "demo-digits", "--set", "mix.mixup=0", "--set", "optim.lr=0.5", "--set", "train.seed=3",
                 "--toggle", "no-ema").out.strip()  # fmt: skip
    assert recipe(home, again) == recipe(home, plain)
    direct = said(home, plain)
    assert changes == {one["key"]: one["after"] for one in direct["changes"]}
    assert about["reference"] == direct["reference"]


def test_without_its_preset(home: Home, idle: None, tmp_path: Path) -> None:
    own = home.path / "presets" / "mine"
    own.mkdir(parents=True)
    shutil.copy(SHIPPED / "demo" / "demo-digits.toml", own / "own.toml")
    run = home("run", "own", "--set", "optim.lr=0.25").out.strip()
    lab = Lab.open(home.path, adopt=False)
    assert lab.command_of(run) == "vitui run own --set optim.lr=0.25"
    before = lab.composed_of(run)
    shutil.rmtree(own)
    after = Lab.open(home.path, adopt=False).composed_of(run)
    assert after == before and after.reference is not None and after.changes[0].after == 0.25
    assert Lab.open(home.path, adopt=False).command_of(run) == f"vitui rerun {run}"
    again = home("rerun", run, "--seeds", "5,").out.strip()
    assert said(home, again)["reference"] is not None
    other = home("rerun", run, "--set", "optim.lr=0.5").out.strip()
    assert said(home, other)["reference"] is None


def test_the_command_launches_the_same(home: Home, run: str) -> None:
    words = shlex.split(Lab.open(home.path, adopt=False).command_of(run))
    again = home(*words[1:]).out.strip()
    assert recipe(home, again) == recipe(home, run)


def test_labels_that_are_lost_or_damaged(home: Home, run: str) -> None:
    path = home.path / "runs" / run / "run.json"
    for content in ({}, {"changes": [1, {"key": 3}], "origins": 4, "reference": {"value": "much"}}, [1]):
        write_json(path, content)
        composed = Lab.open(home.path, adopt=False).composed_of(run)
        assert (composed.preset, composed.changes, composed.reference) == ("demo-digits", (), None)
    home("rerun", run)


@pytest.mark.parametrize(("text", "message"), [("", "is gone"), ("optim = 3", "does not fit"), ("[", "is damaged")])
def test_a_recipe_that_cannot_be_read(home: Home, run: str, text: str, message: str) -> None:
    path = home.path / "runs" / run / "recipe.toml"
    path.write_text(text) if text else path.unlink()
    assert message in home("rerun", run, code=2).err
    assert len(home("runs", "--json").json) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [(("--seeds", "x"), "no whole number"), (("--set", "optim.lrr=1"), "optim.lr"), (("--device", "gpu:9"), "gpu:9")],
)
def test_what_is_refused_leaves_nothing(home: Home, run: str, words: tuple[str, ...], message: str) -> None:
    assert message in home("rerun", run, *words, code=2).err
    assert len(home("runs", "--json").json) == 1


def test_seeds_as_they_are_typed() -> None:
    assert seeds_of("", 3, ()) == ()
    assert seeds_of("0,1,2", 3, (3,)) == (0, 1, 2)
    assert seeds_of("2", 3, (3, 9)) == (3, 4)
    assert seeds_of(" 2 more ", 3, (3, 9)) == (10, 11)
    assert seeds_of("2 MORE", 3, ()) == (4, 5)
    for text in ("0 more", "-1", "more", "1 1", "3 more 4", "1,1"):
        with pytest.raises(UsageError):
            seeds_of(text, 0, ())
    assert name_for("x seed 3", 3, 3, several=False) == "x seed 3"
    assert name_for("x, seed 3", 4, 3, several=False) == "x seed 4"
