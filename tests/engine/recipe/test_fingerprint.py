"""What makes two recipes the same experiment."""

from __future__ import annotations

import pytest

from engine.recipe import parse_set, presets, validate
from engine.recipe.compose import merge
from engine.recipe.fingerprint import DIGITS, fingerprint
from engine.recipe.schema import Recipe


def of(*sets: str, preset: str = "demo-digits") -> str:
    tree = presets.load(preset).recipe.model_dump(mode="json")
    for word in sets:
        tree = merge(tree, parse_set(word))
    return fingerprint(validate(tree).flat())


def test_seeds_and_bookkeeping_do_not_count() -> None:
    assert len(of()) == DIGITS
    same = ("train.seed=9", "train.threads=1", "train.log_every=3", "train.checkpoint_every_steps=5")
    assert {of(word) for word in same} == {of()}


@pytest.mark.parametrize(
    "word", ["optim.lr=0.002", "train.epochs=41", "mix.mixup=0.1", "data.dataset=cifar10", "schedule.name=constant",
             "model.options.depth=3", "evaluate.select_on=report"]
)  # fmt: skip
def test_everything_else_counts(word: str) -> None:
    assert of(word) != of()


def test_another_optimiser_counts_even_with_nothing_but_its_defaults() -> None:
    assert fingerprint(validate({"optim": {"name": "sgd"}}).flat()) != fingerprint(validate({}).flat())


def test_a_field_that_is_added_later_with_a_default_changes_no_fingerprint() -> None:
    flat = presets.load("demo-digits").recipe.flat()
    usual = Recipe().flat()
    older = {key: value for key, value in flat.items() if not (key.startswith("evaluate.") and usual[key] == value)}
    assert len(older) < len(flat) and fingerprint(older) == fingerprint(flat)


def test_whole_numbers_are_the_same_however_they_are_written() -> None:
    assert fingerprint({"optim.lr": 1, "x": [1, 2]}) == fingerprint({"optim.lr": 1.0, "x": [1.0, 2.0]})
    assert fingerprint({"x": True}) != fingerprint({"x": 1})


@pytest.mark.parametrize("odd", [{"optim.name": ["a"]}, {"a": None}, {"a": 10**400}, {"a": "\ud800"}, {}])
def test_damaged_recipes_have_one_too(odd: dict[str, object]) -> None:
    assert len(fingerprint(odd)) == DIGITS
