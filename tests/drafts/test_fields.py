"""Fields of the form: every leaf has one, and what it says is what validation does."""

from __future__ import annotations

import math

import pytest

from engine.recipe import Recipe, RecipeError, parse_set, presets, validate
from engine.recipe.compose import as_text, merge
from engine.recipe.errors import UNION_TAGS, all_fields
from vitui.drafts.fields import FormField, entered, form_fields, problem_of, value_problem
from vitui.drafts.fields import all_fields as fields

BASE = Recipe()


def ground_of(field: FormField) -> Recipe:
    """A recipe that has the field."""
    for section, tags in UNION_TAGS.items():
        if field.section == section:
            for tag in tags:
                recipe = validate({section: {"name": tag}})
                found = {one.key: one for one in form_fields(recipe)}
                if found.get(field.key) == field:
                    return recipe
    return BASE


def every_field() -> list[FormField]:
    """Every field of every variant, those of one key and different bounds each for itself."""
    found: dict[FormField, None] = {}
    for section, tags in UNION_TAGS.items():
        for tag in tags:
            found |= dict.fromkeys(form_fields(validate({section: {"name": tag}})))
    return list(found)


def test_every_leaf_of_the_schema_has_a_field_with_a_help_text() -> None:
    assert {one.key for one in fields()} == set(all_fields(Recipe))
    assert not [one.key for one in every_field() if len(one.help) < 8]
    for preset in presets.load_all()[::9]:
        keys = [one.key for one in form_fields(preset.recipe)]
        assert set(keys) == {*preset.recipe.flat(), "model.options"}
        assert len(keys) == len(set(keys))


def test_defaults_are_those_of_the_schema() -> None:
    flat = BASE.flat()
    for field in form_fields(BASE):
        if field.key in flat:
            assert field.default == as_text(flat[field.key]), field.key


def allowed(field: FormField, text: str) -> bool:
    return value_problem(ground_of(field), field.key, text) == ""


@pytest.mark.parametrize("field", [f for f in every_field() if f.kind in ("integer", "number", "list")], ids=str)
def test_bounds_are_what_validation_accepts(field: FormField) -> None:
    whole = field.kind == "integer"

    def text(number: float) -> str:
        one = repr(int(number)) if whole else repr(float(number))
        return ", ".join([one] * (field.length or 1))

    for bound, is_open, outwards in ((field.low, field.low_open, -1), (field.high, field.high_open, 1)):
        if bound is None:
            assert allowed(field, text(outwards * 10.0**9)), "a bound that the field does not tell"
            continue
        beyond = bound + outwards if whole else math.nextafter(bound, outwards * math.inf)
        within = bound - outwards if whole else math.nextafter(bound, -outwards * math.inf)
        assert allowed(field, text(bound)) is not is_open
        assert not allowed(field, text(beyond))
        assert allowed(field, text(within))
    assert allowed(field, "auto") is field.allows_auto
    assert not allowed(field, "pink")
    if whole:
        assert not allowed(field, "4.5")
    if field.kind == "list" and field.length:
        assert not allowed(field, ", ".join(["0.5"] * (field.length + 1)))


def test_choices_and_flags_are_what_validation_accepts() -> None:
    for field in every_field():
        if field.kind == "choice":
            assert all(allowed(field, choice) for choice in field.choices), field.key
            assert not allowed(field, "pink"), field.key
        elif field.kind == "flag":
            assert allowed(field, "true") and allowed(field, "false") and not allowed(field, "pink"), field.key


def test_a_refused_value_is_told_in_one_sentence_with_the_nearest_spelling() -> None:
    assert "did you mean cutmix" not in problem_of(BASE, "mix.mixup", "11")
    assert problem_of(BASE, "mix.mixup", "11") == "mix.mixup = 11 must be less than or equal to 10"
    assert problem_of(BASE, "augment.crop", "resize").endswith("did you mean resized?")
    assert problem_of(BASE, "schedule.name", "cosin").endswith("did you mean cosine?")
    assert problem_of(BASE, "train.epochs", "many").startswith('train.epochs = "many" ')
    assert "known here" in problem_of(BASE, "optim.zzz", "1") or "unknown field" in problem_of(BASE, "optim.zzz", "1")
    assert problem_of(BASE, "model.options", "depth").startswith("model.options: depth is not NAME=VALUE")
    assert problem_of(BASE, "model.options", "depth = 6") == ""
    for field in fields():
        assert "\n" not in problem_of(ground_of(field), field.key, "pink pink")


def test_a_value_that_only_does_not_go_with_others_is_told_apart() -> None:
    both = problem_of(BASE, "augment.crop", "larger")
    assert "go together" in both and value_problem(BASE, "augment.crop", "larger") == ""
    assert "must be less than" in problem_of(BASE, "schedule.warmup_epochs", "10")
    assert value_problem(BASE, "augment.randaugment", "rand-q9") != ""


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        ("data.dataset", "123", "123"),
        ("model.weights", " true ", "true"),
        ("model.weights", '"a b.npz"', "a b.npz"),
        ("augment.scale", "0.5, 1", [0.5, 1]),
        ("augment.scale", "[0.5, 1]", [0.5, 1]),
        ("optim.lr", "3e-4", 3e-4),
        ("augment.randaugment", "", ""),
    ],
)  # fmt: skip
def test_text_needs_no_quotes_and_a_list_no_brackets(key: str, typed: str, value: object) -> None:
    key, text = entered(key, typed)
    section, leaf = key.split(".")
    assert parse_set(f"{key}={text}")[section][leaf] == value


def test_what_is_shown_can_be_typed() -> None:
    for preset in presets.load_all()[::7]:
        tree = preset.recipe.model_dump(mode="json")
        for key, value in preset.recipe.flat().items():
            typed_key, text = entered(key, as_text(value))
            assert validate(merge(tree, parse_set(f"{typed_key}={text}"))) == preset.recipe, key


def test_a_key_that_is_none_is_no_crash() -> None:
    for key in ("", "a", "a b", "optim.", "model.options.a b"):
        try:
            assert problem_of(BASE, key, "1")
        except RecipeError as error:
            pytest.fail(f"{key!r} raised {error}")
