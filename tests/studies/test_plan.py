"""From a definition to variants: which there are, with which recipes and published values."""

from __future__ import annotations

import pytest

from engine.recipe import presets
from engine.recipe.fingerprint import fingerprint
from vitui.errors import UsageError
from vitui.studies.definition import parse
from vitui.studies.plan import Shelf, composed, seeds_of, variants_of

SHELF = Shelf([presets.SHIPPED])


def plan(text: str):  # type: ignore[no-untyped-def]
    return variants_of(parse(text, "x"), SHELF, where="study x")


def test_leaving_out_and_adding_flip_one_toggle_each() -> None:
    found = plan('base = "tin-swin-l-probe"\nleave_out = ["mixup", "erasing"]\nadd = ["randaugment"]')
    assert [one.name for one in found] == ["base", "no-mixup", "no-erasing", "randaugment"]
    base = composed(found[0], SHELF).recipe
    for one, key in zip(found[1:], ("mix.mixup", "augment.erasing", "augment.randaugment"), strict=True):
        other = composed(one, SHELF).recipe
        assert [k for k, v in other.flat().items() if base.flat()[k] != v] == [key]


def test_all_leaves_out_what_is_on_but_not_how_it_is_computed_or_judged() -> None:
    names = [one.name for one in plan('base = "demo-digits"\nleave_out = "all"')]
    assert "no-label-smoothing" in names and "no-warmup" in names
    assert "no-minival" not in names and "no-amp" not in names


@pytest.mark.parametrize(
    "text, sentence",
    [
        ('leave_out = ["mixup"]', "leave_out: mixup is off in demo-digits already; it belongs into add"),
        ('add = ["label-smoothing"]', "is on in demo-digits already; it belongs into leave_out"),
        ('add = ["mixp"]', "unknown toggle mixp; did you mean mixup?"),
        ('presets = ["demo-digts"]', "unknown preset demo-digts; did you mean demo-digits?"),
        ("set = { optim.lrr = 1 }", "study x: variant base: unknown field optim.lrr; did you mean optim.lr?"),
        ('baseline = "bse"', 'baseline = "bse" is no variant; did you mean base?'),
        ('[[variant]]\nname = "base"', 'two variants are called "base"'),
        ("[search]\nn = 1000\n[search.fields]\noptim.lr = {low=1e-4, high=1e-3}\n[x]", "unknown key x"),
    ],
)
def test_what_cannot_be_planned_is_said(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        plan(f'base = "demo-digits"\n{text}')
    assert sentence in str(raised.value)


def test_a_grid_is_a_product_and_fills_the_pattern() -> None:
    found = plan(
        """
        base = "{data}-vit-{size}-ln"
        [[axis]]
        name = "data"
        levels = [{ name = "CIFAR-10", fill = "c10" }, { name = "CIFAR-100", fill = "c100" }]
        [[axis]]
        name = "size"
        levels = [{ name = "b16" }, { name = "l16" }]
        [[axis]]
        name = "wd"
        field = "optim.weight_decay"
        values = [0.0, 0.1]
        """
    )
    assert len(found) == 8
    assert found[0].preset == "c10-vit-b16-ln" and found[-1].preset == "c100-vit-l16-ln"
    assert dict(found[3].levels) == {"data": "CIFAR-10", "size": "l16", "wd": "0.1"}
    assert composed(found[3], SHELF).recipe.flat()["optim.weight_decay"] == 0.1


def test_a_changed_recipe_has_the_number_of_the_preset_that_it_is() -> None:
    base, twin, stranger = plan(
        'base = "tin-swin-l-probe"\nleave_out = ["mixup"]\n[[variant]]\nname = "odd"\nset = { mix.mixup = 0.3 }'
    )
    assert next(one.value for one in base.references if one.metric == "top1") == 91.35
    assert next(one.value for one in twin.references if one.metric == "top1") == 91.11
    assert stranger.references == ()


def test_what_the_study_sets_does_not_take_published_values_away() -> None:
    (found,) = plan('base = "c10-cct-7-3x1-200"\n[set]\ntrain.epochs = 20')
    assert any(one.value == 94.78 for one in found.references)
    assert composed(found, SHELF).recipe.train.epochs == 20


def test_a_random_search_grows_without_changing_what_was_drawn() -> None:
    text = (
        'base = "demo-digits"\n[search]\nn = {}\n[search.fields]\noptim.lr = {{ low = 1e-4, high = 1e-2, log = true }}'
    )
    few, many = plan(text.format(3)), plan(text.format(6))
    assert [one.fingerprint for one in few] == [one.fingerprint for one in many[:4]]
    drawn = [one.sampled["optim.lr"] for one in many[1:]]
    assert len(set(drawn)) == 6 and all(1e-4 <= value <= 1e-2 for value in drawn)


def test_seeds_are_listed_or_counted_from_the_recipes_own() -> None:
    for text, expected in (("seeds = [5, 2]", (5, 2)), ("seeds = 3", (42, 43, 44))):
        study = parse(f'base = "c10-vit-ln-mini"\n{text}', "x")
        assert seeds_of(study, variants_of(study, SHELF), SHELF) == expected


def test_a_seed_changes_the_recipe_and_not_its_fingerprint() -> None:
    (found,) = plan('base = "demo-digits"')
    recipes = [composed(found, SHELF, seed).recipe for seed in (0, 7)]
    assert [one.train.seed for one in recipes] == [0, 7]
    assert {fingerprint(one.flat()) for one in recipes} == {found.fingerprint}
    assert composed(found, SHELF, 7).reference == composed(found, SHELF, 0).reference is not None


def test_too_many_runs_are_refused() -> None:
    with pytest.raises(UsageError, match="more than 100,000 runs"):
        plan('base = "demo-digits"\nseeds = 1000\n[search]\nn = 200\n[search.fields]\noptim.lr = {low=1e-4, high=1e-3}')
