"""Drafts: whatever is flipped and typed, the latest change wins and the command line says the same."""

from __future__ import annotations

import json
import shlex
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.recipe import Preset, Recipe, diff, presets, toggles
from engine.recipe.compose import as_text, to_sets
from engine.recipe.compose import get as leaf
from vitui.cli.launch import add_to
from vitui.composition import compose_run
from vitui.drafts.draft import Draft
from vitui.drafts.fields import FormField, entered, form_fields, problem_of
from vitui.drafts.preview import flip_problem, preview

NOWHERE = Path("/nowhere/home")
LAB: Any = SimpleNamespace(home=NOWHERE)


@cache
def shipped() -> dict[str, Preset]:
    """One preset of each family and kind."""
    kinds = {(p.family, p.parents[:1], p.recipe.optim.name, p.recipe.schedule.name): p for p in presets.load_all()}
    return {p.name: p for p in kinds.values()}


def spoken(command: str) -> dict[str, Any]:
    """The parameters that the command line takes from a line."""
    app = typer.Typer()
    add_to(app)
    program, verb, *words = shlex.split(command)
    assert (program, verb) == ("vitui", "run")
    return typer.main.get_command(app).make_context("run", list(words)).params


def launched(command: str) -> Recipe:
    """The recipe that a command line launches."""
    said = spoken(command)
    return compose_run(said["preset"], said["toggle"] or (), said["set_"] or (), where=[presets.SHIPPED]).recipe


def typed(field: FormField) -> st.SearchStrategy[str]:
    """What somebody may type into a field, mostly what it takes."""
    texts = st.text(max_size=6)
    if field.key in ("model.weights", "distill.teacher"):  # relative paths become absolute ones
        return st.sampled_from(["/a b/w.npz", ""])
    match field.kind:
        case "flag":
            return st.sampled_from(["true", "false", "yes"])
        case "choice":
            return st.one_of(st.sampled_from(field.choices), texts)
        case "integer":
            return st.one_of(st.integers(-1, 300).map(str), texts)
        case "number":
            return st.one_of(st.floats(-0.5, 3).map(repr), st.sampled_from(["0", "1e-3", "auto"]))
        case "list":
            return st.sampled_from(["0.1, 0.5", "[0.9, 0.95]", "10, 20", "1"])
        case "text":
            return st.one_of(texts, st.sampled_from(["rand-m9", "digits", "depth=3", "true", "it's $HOME"]))


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_the_latest_change_wins_and_the_command_gives_the_same_recipe(data: st.DataObject) -> None:
    preset = shipped()[data.draw(st.sampled_from(list(shipped())))]
    draft = Draft(preset.name)
    for _ in range(data.draw(st.integers(1, 5))):
        view = preview(LAB, draft)
        if view.recipe is None:
            break
        if data.draw(st.booleans()):
            id, on = data.draw(st.sampled_from(list(preset.toggles))), data.draw(st.booleans())
            refused = flip_problem(view, id, on)
            draft = draft.flip(id, on, preset)
            if not refused:
                made = preview(LAB, draft)
                assert made.recipe is not None and preset.toggles[id].is_on(made.recipe) is on, (made.problem, draft)
        else:
            field = data.draw(st.sampled_from(form_fields(view.recipe)))
            text = data.draw(typed(field))
            refused = problem_of(view.recipe, field.key, text)
            changed = draft.set(field.key, text, preset)
            if not refused:
                made = preview(LAB, changed)
                assert made.recipe is not None, (made.problem, changed)
                key, exact = entered(field.key, text)
                assert problem_of(made.recipe, key, exact) == ""
                assert diff(made.recipe, retyped(made.recipe, key, exact)) == []
            draft = changed
    view = preview(LAB, draft)
    if view.composed is None:
        assert view.problem and view.fields
        return
    assert launched(view.command) == view.composed.recipe
    assert list(view.changes) == diff(preset.recipe, view.composed.recipe)
    assert {one.field.key for one in view.fields if one.changed} >= {c.key for c in view.changes if c.after is not None}
    assert Draft.from_json(json.loads(json.dumps(draft.as_json()))) == draft


def retyped(recipe: Recipe, key: str, text: str) -> Recipe:
    """A recipe with a field typed into it: the same where it already has that value."""
    from engine.recipe import Layer, compose, parse_set

    return compose([Layer("", recipe.model_dump(mode="json")), Layer("", parse_set(f"{key}={text}"))])[0]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_recipe_can_be_said_in_fields_of_any_preset(data: st.DataObject) -> None:
    one, other = (shipped()[data.draw(st.sampled_from(list(shipped())))] for _ in range(2))
    words = to_sets(one.recipe, other.recipe)
    assert compose_run(one.name, (), words, where=[presets.SHIPPED]).recipe == other.recipe


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(
        st.text(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.integers(-(2**63), 2**63 - 1)
    )
)
def test_a_value_as_text_is_read_back_as_itself(value: Any) -> None:
    from engine.recipe import parse_set

    if isinstance(value, str) and any(0xD800 <= ord(c) < 0xE000 for c in value):
        return  # no text at all
    assert parse_set(f"model.name={as_text(value)}") == {"model": {"name": value}}


def demo() -> Preset:
    return presets.load("demo-digits")


def test_typing_over_a_toggle_and_flipping_over_a_typed_field() -> None:
    preset = demo()
    off = Draft("demo-digits", flips=("no-mixup",)).set("mix.mixup", "0.2", preset)
    assert leaf(preview(LAB, off).recipe, "mix.mixup") == 0.2 and off.flips == ()
    on = Draft("demo-digits").set("mix.mixup", "0.2", preset).flip("mixup", False, preset)
    assert leaf(preview(LAB, on).recipe, "mix.mixup") == 0.0 and on == Draft("demo-digits")
    kept = Draft("demo-digits").flip("mixup", True, preset).set("mix.mixup", "0.2", preset)
    assert kept.command() == "vitui run demo-digits --toggle mixup --set mix.mixup=0.2"


def test_a_toggle_that_sets_two_fields_keeps_the_other_when_one_is_typed_over() -> None:
    preset = presets.load("c100-vit-lite-6-4-200")
    level = Draft(preset.name).flip("augreg-medium1", True, preset)
    typed_over = preview(LAB, level.set("mix.mixup", "0.7", preset)).recipe
    assert leaf(typed_over, "mix.mixup") == 0.7 and leaf(typed_over, "augment.randaugment") == "tf-n2-m15"


def test_turning_one_on_turns_its_rivals_off_and_flipping_back_leaves_nothing() -> None:
    preset = demo()
    one = Draft("demo-digits").flip("randaugment", True, preset)
    other = one.flip("three-augment", True, preset)
    on = {s.toggle.id for s in preview(LAB, other).switches if s.on}
    assert "three-augment" in on and "randaugment" not in on
    assert other.flip("three-augment", False, preset) == Draft("demo-digits")
    view = preview(LAB, one)
    assert "randaugment" in next(s for s in view.switches if s.toggle.id == "three-augment").turns_off


def test_a_value_typed_as_it_is_leaves_nothing() -> None:
    preset, draft = demo(), Draft("demo-digits")
    epochs = str(preset.recipe.train.epochs)
    assert draft.set("train.epochs", epochs, preset) == draft
    typed = draft.set("train.epochs", "3", preset)
    assert typed.sets == {"train.epochs": "3"} and typed.set("train.epochs", epochs, preset) == draft


def test_another_optimiser_drops_what_was_typed_for_the_old_one() -> None:
    preset = demo()
    draft = Draft("demo-digits").set("optim.lr", "0.5", preset).set("optim.name", "sgd", preset)
    assert leaf(preview(LAB, draft).recipe, "optim.lr") == 0.01 and "optim.lr" not in draft.sets
    faster = Draft("demo-digits").flip("sgd", True, preset).set("optim.momentum", "0.5", preset)
    recipe = preview(LAB, faster).recipe
    assert leaf(recipe, "optim.name") == "sgd" and leaf(recipe, "optim.momentum") == 0.5
    assert faster.set("optim.name", "sgd", preset).unset("optim.name").sets.keys().isdisjoint({"optim.momentum"})


def test_two_fields_that_need_each_other_can_be_typed_one_after_the_other() -> None:
    preset = demo()
    half = Draft("demo-digits").set("augment.crop", "larger", preset)
    view = preview(LAB, half)
    assert "go together" in view.problem and view.composed is None
    assert next(one.text for one in view.fields if one.field.key == "augment.crop") == "larger"
    assert preview(LAB, half.set("augment.resize", "32", preset)).problem == ""


def test_a_preset_gives_a_toggle_its_own_meaning() -> None:
    own, id, on = next(
        (preset, id, on)
        for preset in presets.load_all()
        for id, toggle in preset.toggles.items()
        for on, here, usual in ((True, toggle.on, toggles.BY_ID[id].on), (False, toggle.off, toggles.BY_ID[id].off))
        if here != usual and toggle.is_on(preset.recipe) is not on
    )
    recipe = preview(LAB, Draft(own.name).flip(id, on, own)).recipe
    meant = own.toggles[id].on if on else own.toggles[id].off
    assert recipe is not None and {key: leaf(recipe, key) for key in meant} == dict(meant)


@pytest.mark.parametrize("name", ["it's; rm -rf $HOME", "-x", "--seeds", "ü\n\t"])
def test_names_and_notes_survive_the_shell(name: str) -> None:
    draft = Draft("demo-digits", name=name, notes=name, question=name, tags=("a b", name), device="gpu:1", seeds=(3, 5))
    said = spoken(draft.command())
    assert (said["name"], said["note"], said["question"]) == (name, name, name)
    assert list(said["tag"]) == ["a b", name] and said["device"] == "gpu:1" and said["seeds"] == "3,5"


def test_one_seed_is_a_field_and_a_gone_preset_is_a_run_again() -> None:
    assert Draft("demo-digits", seeds=(7,)).command() == "vitui run demo-digits --set train.seed=7"
    assert (
        Draft("", base="250101-120000-aaaa", flips=("ema",)).command()
        == "vitui rerun 250101-120000-aaaa --toggle ema --device auto"
    ), "the run may have been bound to a device, which `rerun` would keep"


@pytest.mark.parametrize(
    "content", [None, [], 3, {}, {"preset": 3}, {"preset": ""}, {"sets": {"a": "b"}}]
)  # fmt: skip
def test_what_is_no_draft_is_none(content: Any) -> None:
    assert Draft.from_json(content) is None


def test_damaged_parts_of_a_draft_count_as_absent() -> None:
    content = {
        "preset": "demo-digits",
        "flips": ["ema", 3],
        "sets": {"optim.lr": 3, "mix.mixup": "0.2"},
        "seeds": ["a", 1, -1, True],
        "tags": "x",
    }
    assert Draft.from_json(content) == Draft("demo-digits", flips=("ema",), sets={"mix.mixup": "0.2"}, seeds=(1,))
