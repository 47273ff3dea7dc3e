"""Presets and toggles: inheritance, references, switches, and their errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.recipe import RecipeError, diff, presets, toggles
from engine.recipe.schema import Recipe


def write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.toml").write_text(text)


def test_every_shipped_preset_loads_and_has_a_title() -> None:
    loaded = presets.load_all()
    assert {"demo-digits", "demo-fashion-mnist", "demo-cifar10", "demo-imagefolder"} <= {p.name for p in loaded}
    for preset in loaded:
        assert preset.title and preset.description and preset.family == preset.path.parent.name
        for reference in preset.references:
            assert (reference.value is None) != (not reference.outcome)


def test_children_say_only_what_is_particular(tmp_path: Path) -> None:
    write(tmp_path / "fam", "base", 'abstract = true\n[train]\nepochs = 7\n[optim]\nname = "sgd"\nlr = 0.5')
    write(
        tmp_path / "fam",
        "child",
        'extends = "base"\ntitle = "C"\n[train]\nbatch_size = 8\n[reference]\nvalue = 91.0\nsource = "T1"',
    )
    child = presets.load("child", [tmp_path])
    assert (child.recipe.train.epochs, child.recipe.train.batch_size, child.recipe.optim.lr) == (7, 8, 0.5)
    assert child.parents == ("base",) and child.family == "fam"
    assert child.reference is not None and child.reference.value == 91.0
    assert [p.name for p in presets.load_all([tmp_path])] == ["child"]


@pytest.mark.parametrize(
    ("files", "name", "message"),
    [
        ({"a": 'extends = "b"', "b": 'extends = "c"', "c": 'extends = "a"'}, "a", "circle: a -> b -> c -> a"),
        ({"a": 'extends = "a"'}, "a", "circle: a -> a"),
        ({"a": 'extends = "bb"', "b": ""}, "a", "extends bb, which does not exist"),
        ({"abc": ""}, "abd", "unknown preset abd; did you mean abc?"),
        ({"a": "[train\nepochs=1"}, "a", "is not valid TOML"),
        ({"a": "[train]\nepocs = 1"}, "a", "unknown field train.epocs; did you mean train.epochs?"),
        ({"a": "titel = 1"}, "a", "unknown field titel"),
        ({"a": "extends = 3"}, "a", "extends must be a preset name"),
        ({"a": "[reference]\nvalue = 3"}, "a", "reference: source"),
        ({"a": "title = 3"}, "a", "title must be text"),
    ],
)
def test_bad_presets_are_one_sentence_that_names_the_file(
    tmp_path: Path, files: dict[str, str], name: str, message: str
) -> None:
    for stem, text in files.items():
        write(tmp_path, stem, text)
    with pytest.raises(RecipeError) as caught:
        presets.load(name, [tmp_path])
    assert message in str(caught.value) and "Traceback" not in str(caught.value)


def test_a_users_preset_wins_over_a_shipped_one_and_two_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "demo-digits", "[train]\nepochs = 1")
    assert presets.load("demo-digits", [presets.SHIPPED, tmp_path]).recipe.train.epochs == 1
    write(tmp_path / "x", "demo-digits", "")
    with pytest.raises(RecipeError, match="two presets are called demo-digits"):
        presets.load("demo-digits", [tmp_path])


def test_flipping_every_toggle_on_and_off_is_seen_in_the_recipe() -> None:
    sgd = Recipe.model_validate({"optim": {"name": "sgd"}, "train": {"epochs": 5}})
    for toggle in toggles.TOGGLES:
        base = toggles.apply(sgd, [f"no-{toggle.id}"])
        assert toggle.is_on(base) is False, toggle.id
        turned_on = toggles.apply(base, [toggle.id])
        assert toggle.is_on(turned_on) is True, toggle.id
        assert {c.key for c in diff(base, turned_on)} == set(toggle.on), toggle.id
        again = toggles.apply(turned_on, [f"no-{toggle.id}"])
        assert diff(base, again) == [], toggle.id


def test_a_toggle_that_is_already_so_keeps_the_presets_own_value() -> None:
    recipe = Recipe.model_validate({"mix": {"mixup": 0.2}})
    assert toggles.apply(recipe, ["mixup"]).mix.mixup == 0.2


def test_turning_off_one_rival_leaves_the_other() -> None:
    recipe = Recipe.model_validate({"augment": {"crop": "pad"}})
    assert toggles.apply(recipe, ["no-random-resized-crop"]).augment.crop == "pad"
    assert toggles.apply(recipe, ["random-resized-crop"]).augment.crop == "resized"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mixupp"], "unknown toggle mixupp; did you mean mixup?"),
        (["no-mixupp"], "did you mean no-mixup?"),
        (["mixup", "no-mixup"], "both on and off"),
        (["random-crop", "random-resized-crop"], "exclude each other"),
        (["nesterov"], "this recipe has no optim.nesterov (optim.name = adamw)"),
    ],
)
def test_bad_toggles_are_one_sentence(words: list[str], message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        toggles.apply(Recipe(), words)
    assert message in str(caught.value)
