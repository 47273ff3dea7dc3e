"""Toggles on the shipped presets: state, round trips, rivals, and a preset's own meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.recipe import RecipeError, diff, presets, toggles
from engine.recipe.schema import Recipe
from engine.recipe.toggles import BY_ID, RIVALS, TOGGLES


def test_ids_labels_and_groups_are_in_order() -> None:
    assert len({t.id for t in TOGGLES}) == len(TOGGLES) == len({t.label for t in TOGGLES})
    assert {t.group for t in TOGGLES} == {
        "augment", "mix", "regularize", "norm", "model", "optimise", "schedule", "data", "augreg",
    }  # fmt: skip
    assert not any(t.id.startswith("no-") for t in TOGGLES)


def test_rivals_name_each_other() -> None:
    for toggle in TOGGLES:
        for other in toggle.excludes:
            assert toggle.id in BY_ID[other].excludes
    assert {i for group in RIVALS for i in group} <= set(BY_ID)


def test_flipping_every_toggle_on_and_off_is_seen_in_the_recipe() -> None:
    sgd = Recipe.model_validate({"optim": {"name": "sgd"}, "train": {"epochs": 20}})
    for toggle in TOGGLES:
        base = toggles.apply(sgd, [f"no-{toggle.id}"])
        assert toggle.is_on(base) is False, toggle.id
        turned_on = toggles.apply(base, [toggle.id])
        assert toggle.is_on(turned_on) is True, toggle.id
        changed = {c.key for c in diff(base, turned_on)}
        before = base.flat()
        if toggle.id == "sgd":
            assert changed >= {"optim.name", "optim.lr", "optim.weight_decay"}
        else:
            assert changed == {key for key, value in toggle.on.items() if before[key] != value}, toggle.id
        again = toggles.apply(turned_on, [f"no-{toggle.id}"])
        if toggle.id == "augreg-wd":  # neither of its two values was there before
            assert again.optim.weight_decay == 0.03
        else:
            assert diff(base, again) == [], toggle.id


def refused(error: RecipeError) -> bool:
    """Whether it is one sentence about a combination that cannot be, not about a value or field that does not exist."""
    text = str(error)
    return "\n" not in text and not any(
        words in text for words in ("unknown field", "must be one of", "does not exist")
    )


def test_every_toggle_round_trips_on_every_kind_of_preset() -> None:
    kinds = {p.parents[:2] or (p.name,): p for p in presets.load_all()}
    flipped = restored = 0
    for preset in kinds.values():
        for toggle in preset.toggles.values():
            state = toggle.is_on(preset.recipe)
            there, back = (toggle.id, f"no-{toggle.id}")[:: -1 if state else 1]
            try:
                changed = toggles.apply(preset.recipe, [there], preset.toggles)
            except RecipeError as error:
                assert refused(error), (preset.name, there, str(error))
                continue
            assert toggle.is_on(changed) is (not state), (preset.name, there)
            flipped += 1
            # Going back restores values the preset shares with the toggle, not its own and not those of a rival.
            rivals = [i for i in toggle.excludes if preset.toggles[i].is_on(preset.recipe)]
            flat = preset.recipe.flat()
            plain = all(flat[key] == toggle.off.get(key, flat[key]) for key in toggle.on)
            if not state and not rivals and plain and toggle.id != "sgd":
                restored += 1
                assert diff(toggles.apply(changed, [back], preset.toggles), preset.recipe) == [], (preset.name, there)
    assert flipped > 1500 and restored > 1000


def test_turning_off_what_is_on_works_on_every_preset() -> None:
    for preset in presets.load_all():
        for name in toggles.on(preset.recipe, preset.toggles):
            try:
                changed = toggles.apply(preset.recipe, [f"no-{name}"], preset.toggles)
            except RecipeError as error:
                assert refused(error), (preset.name, name, str(error))
                continue
            assert name not in toggles.on(changed, preset.toggles), (preset.name, name)


@pytest.mark.parametrize(
    ("tree", "word", "expected"),
    [
        ({"augment": {"randaugment": "rand-m9"}}, "autoaugment", {"augment.randaugment": "", "augment.autoaugment": "imagenet"}),
        ({"augment": {"autoaugment": "3a"}}, "autoaugment", {"augment.autoaugment": "imagenet"}),
        ({"augment": {"autoaugment": "cifar10"}}, "three-augment", {"augment.autoaugment": "3a"}),
        ({"augment": {"autoaugment": "cifar10"}}, "randaugment",
         {"augment.autoaugment": "", "augment.randaugment": "rand-m9-mstd0.5-inc1"}),
        ({"augment": {"crop": "larger", "resize": 40}}, "random-crop", {"augment.crop": "pad", "augment.resize": 0}),
        ({"augment": {"crop": "pad"}}, "simple-random-crop", {"augment.crop": "pad", "augment.pad_mode": "reflect"}),
        ({"augment": {"crop": "pad", "pad_mode": "reflect"}}, "random-crop", {"augment.pad_mode": "constant"}),
        ({"model": {"norm": "bn"}}, "rescale", {"model.norm": "rescale"}),
        ({"augment": {"randaugment": "tf-n2-m10"}, "mix": {"mixup": 0.2}}, "augreg-strong2",
         {"augment.randaugment": "tf-n2-m20", "mix.mixup": 0.8}),
        ({"regularize": {"proj_dropout": 0.2}}, "mlp-dropout",
         {"regularize.proj_dropout": 0.0, "regularize.mlp_dropout": 0.1}),
    ],
)  # fmt: skip
def test_turning_one_rival_on_turns_the_other_off(
    tree: dict[str, object], word: str, expected: dict[str, object]
) -> None:
    flat = toggles.apply(Recipe.model_validate(tree), [word]).flat()
    assert {key: flat[key] for key in expected} == expected


def test_three_augment_is_not_taken_for_autoaugment_nor_another_policy_for_it() -> None:
    three, cifar = (Recipe.model_validate({"augment": {"autoaugment": name}}) for name in ("3a", "cifar10"))
    assert [i for i in toggles.on(three) if "augment" in i] == ["three-augment"]
    assert [i for i in toggles.on(cifar) if "augment" in i] == ["autoaugment"]


def test_turning_off_a_toggle_that_is_not_on_leaves_its_rival() -> None:
    recipe = Recipe.model_validate({"augment": {"crop": "pad"}})
    assert toggles.apply(recipe, ["no-random-resized-crop"]).augment.crop == "pad"


def test_a_toggle_that_is_already_so_keeps_the_presets_own_value() -> None:
    recipe = Recipe.model_validate({"mix": {"mixup": 0.2}, "augment": {"randaugment": "tv-n2-m5"}})
    kept = toggles.apply(recipe, ["mixup", "randaugment"])
    assert (kept.mix.mixup, kept.augment.randaugment) == (0.2, "tv-n2-m5")


def test_trap_T05_the_sgd_toggle_leaves_nothing_of_adamw() -> None:
    optim = toggles.apply(presets.load("tin-swin-l-probe").recipe, ["sgd"]).optim
    assert optim.model_dump() == presets.load("tin-swin-l-opt-sgd").recipe.optim.model_dump()


def test_a_toggle_stands_on_what_the_ones_before_it_made() -> None:
    optim = toggles.apply(Recipe(), ["sgd", "nesterov"]).optim.model_dump()
    assert (optim["name"], optim["nesterov"], optim["lr"]) == ("sgd", True, 0.01)
    # On the way it is not valid: a minival split beside another dataset that selects.
    held_out = Recipe.model_validate({"data": {"minival": 0.1}})
    changed = toggles.apply(held_out, ["select-on-v2", "no-minival"])
    assert (changed.evaluate.select_dataset, changed.data.minival) == ("imagenetv2", 0.0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mixupp"], "unknown toggle mixupp; did you mean mixup?"),
        (["no-mixupp"], "did you mean no-mixup?"),
        (["mixup", "no-mixup"], "both on and off"),
        (["random-crop", "random-resized-crop"], "random-crop and random-resized-crop exclude each other"),
        (["randaugment", "autoaugment"], "exclude each other"),
        (["augreg-light2", "augreg-strong1"], "exclude each other"),
        (["bn", "gn"], "exclude each other"),
        (["nesterov"], "this recipe has no optim.nesterov (optim.name = adamw)"),
        (["sgd", "nesterov", "no-sgd"], "toggle sgd is asked for both on and off"),
        (["augreg-light2", "no-mixup"], "toggles augreg-light2 and no-mixup undo each other; keep one of the two"),
        (["no-mixup", "augreg-light2"], "toggles no-mixup and augreg-light2 undo each other; keep one of the two"),
    ],
)
def test_bad_toggles_are_one_sentence(words: list[str], message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        toggles.apply(Recipe(), words)
    assert message in str(caught.value)


def test_no_cycles_without_a_cosine() -> None:
    recipe = Recipe.model_validate({"schedule": {"name": "constant"}})
    with pytest.raises(RecipeError, match=r"this recipe has no schedule.cycles \(schedule.name = constant\)"):
        toggles.apply(recipe, ["cycles"])


BASE = """
title = "t"
[augment]
randaugment = "tv-n2-m0"
[toggles.randaugment]
on = { augment.randaugment = "tv-n2-m9" }
off = { augment.randaugment = "tv-n2-m0" }
"""


def test_a_preset_may_mean_something_else_by_a_toggle(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(BASE)
    (tmp_path / "child.toml").write_text('extends = "base"\n[toggles.randaugment.on]\naugment.randaugment = "tv-n2-m5"')
    for name, magnitude in (("base", 9), ("child", 5)):
        preset = presets.load(name, [tmp_path])
        own = preset.toggles["randaugment"]
        assert own.is_on(preset.recipe) is False and BY_ID["randaugment"].is_on(preset.recipe) is True
        on = toggles.apply(preset.recipe, ["randaugment"], preset.toggles)
        assert on.augment.randaugment == f"tv-n2-m{magnitude}" and own.is_on(on) is True
        assert toggles.apply(on, ["no-randaugment"], preset.toggles).augment.randaugment == "tv-n2-m0"
        none = preset.recipe.model_copy(
            update={"augment": preset.recipe.augment.model_copy(update={"randaugment": ""})}
        )
        assert own.is_on(none) is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[toggles.mixupp]\non = { mix.mixup = 1.0 }", "toggles.mixupp is no toggle; did you mean mixup?"),
        ("[toggles.mixup]\nmix = 1", "toggles.mixup must have a table `on`"),
        ("[toggles.mixup]\non = 1", "toggles.mixup: `on` and `off` must be tables"),
        ("[toggles]\nmixup = 1", "toggles.mixup must have a table `on`"),
    ],
)
def test_a_bad_meaning_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(RecipeError) as caught:
        presets.load("a", [tmp_path])
    assert message in str(caught.value)
