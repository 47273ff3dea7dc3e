"""Presets and toggles: inheritance, references, switches, and their errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.recipe import RecipeError, presets
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


REFERENCES = """
[train]
epochs = 3
[[reference]]
value = 70.0
source = "table 1, the rest"
[[reference]]
source = "table 2"
tolerance = 1.0
when = { mix.mixup = 0.0 }
cells = [
  { value = 71, at = "row a", when = { train.epochs = 3 } },
  { value = 72, at = "row b", when = { train.epochs = 4, optim.betas = [0.9, 0.999] } },
  { outcome = "NaN at epoch 2", when = { train.epochs = 5 } },
]
[[reference]]
outcome = "slow"
source = "somebody"
"""


def test_a_reference_may_hold_for_some_recipes_alone(tmp_path: Path) -> None:
    write(tmp_path, "a", REFERENCES)
    preset = presets.load("a", [tmp_path])

    def shown(tree: dict[str, dict[str, object]]) -> tuple[float | None, str]:
        recipe = Recipe.model_validate(tree)
        number, outcome = preset.reference_for(recipe), preset.outcome_for(recipe)
        assert number is not None and outcome is not None
        return number.value, outcome.outcome

    assert preset.reference is not None and preset.reference.source == "table 2, row a"
    assert shown({"train": {"epochs": 3}}) == (71, "slow")
    assert shown({"train": {"epochs": 4}}) == (72, "slow")
    assert shown({"train": {"epochs": 4}, "optim": {"name": "adamw", "betas": [0.9, 0.99]}}) == (70, "slow")
    assert shown({"train": {"epochs": 4}, "optim": {"name": "sgd"}}) == (70, "slow")
    assert shown({"train": {"epochs": 3}, "mix": {"mixup": 0.2}}) == (70, "slow")
    assert shown({"train": {"epochs": 5}}) == (70, "NaN at epoch 2")


def test_a_reference_is_not_shown_beside_results_on_other_data(tmp_path: Path) -> None:
    write(tmp_path, "a", REFERENCES)
    preset = presets.load("a", [tmp_path])
    other = Recipe.model_validate({"data": {"dataset": "cifar10"}, "train": {"epochs": 3}})
    assert preset.reference_for(other) is None and preset.outcome_for(other) is None


COSTS = """
[train]
epochs = 3
[[reference]]
metric = "params"
value = 5.7e6
source = "table 1, parameters"
when = { train.epochs = 3 }
[[reference]]
metric = "train_minutes"
outcome = "about a day"
source = "table 1, time"
[[reference]]
value = 71.0
label = "another column"
source = "table 1, accuracy"
[[reference]]
metric = "images_per_s"
value = 940.4
source = "table 1, speed"
[[reference]]
outcome = "NaN at epoch 2"
source = "table 1, accuracy of a second run"
"""


def test_what_is_no_result_is_never_compared_with_wherever_it_stands(tmp_path: Path) -> None:
    blocks = ["[[reference]]" + block for block in COSTS.split("[[reference]]")[1:]]
    for turn in range(len(blocks)):
        write(tmp_path, "a", "[train]\nepochs = 3\n" + "".join(blocks[turn:] + blocks[:turn]))
        preset = presets.load("a", [tmp_path])
        assert preset.reference is not None and preset.reference.value == 71.0
        assert preset.outcome is not None and preset.outcome.outcome == "NaN at epoch 2"
    write(tmp_path, "a", "".join(block for block in blocks if "metric" in block))
    preset = presets.load("a", [tmp_path])
    assert len(preset.references) == 3 and preset.reference is None and preset.outcome is None


def test_references_are_not_inherited(tmp_path: Path) -> None:
    write(tmp_path, "a", REFERENCES)
    write(tmp_path, "b", 'extends = "a"')
    assert presets.load("b", [tmp_path]).references == () and presets.load("b", [tmp_path]).reference is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("when = { mix.mixpu = 0.0 }", "when names an unknown field mix.mixpu; did you mean mix.mixup?"),
        ("when = 3", "when = 3"),
        ("cells = [3]", "unknown field cells"),
        ("outcom = 'NaN'", "unknown field outcom; did you mean outcome?"),
        ("tolerance = -1", "tolerance = -1"),
        ("metric = 'parms'", 'metric = "parms" is nothing that a reference reports; did you mean params?'),
        ("metric = 'xyzzy'", 'metric = "xyzzy" is nothing that a reference reports; known are top1, top5, loss, gain'),
        ("kind = 'drafty'", 'kind = "drafty" must be one of published, reproduction, measured, draft'),
        ("decimals = 2.5", "decimals = 2.5"),
    ],
)
def test_a_bad_reference_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, "a", f"[[reference]]\nvalue = 3\nsource = 'x'\n{text}")
    with pytest.raises(RecipeError) as caught:
        presets.load("a", [tmp_path])
    assert "reference: " in str(caught.value) and message in str(caught.value)


def test_names_and_titles_come_without_validation(tmp_path: Path) -> None:
    write(tmp_path, "a", 'title = "A"\n[train]\nepochs = "many"')
    write(tmp_path, "b", "abstract = true")
    assert presets.names([tmp_path]) == {"a": "A"}
    assert presets.names() == {p.name: p.title for p in presets.load_all()}
