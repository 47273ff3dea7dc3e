"""What a draft stands on: its preset, or the run it is a clone of where the preset is gone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from engine.recipe import Layer, Preset, Recipe, RecipeError, Reference, diff, presets, validate
from engine.recipe.compose import as_text, to_sets
from engine.recipe.toggles import BY_ID
from vitui.composition import Composed, compose_preset, read_recipe, roots
from vitui.drafts.draft import Draft, recipe_of

if TYPE_CHECKING:
    from vitui.reading import Reading

SEED = "train.seed"


def ground(lab: Reading, draft: Draft) -> Preset:
    """The preset of a draft; one made of the cloned run where it has none.

    Raises RecipeError for an unknown or broken preset, UsageError where the run's recipe is gone or damaged.
    """
    return presets.load(draft.preset, roots(lab.home)) if draft.preset else _made_of(lab, draft.base)


def base_recipe(lab: Reading, draft: Draft, preset: Preset) -> Recipe:
    """What changes are told against: the cloned run's recipe, else the preset's."""
    return _launched(lab, draft.base) if draft.base and draft.preset else preset.recipe


def compose_draft(lab: Reading, draft: Draft, preset: Preset | None = None) -> Composed:
    """The recipe of a draft (of its first seed, where it has seeds). Raises as `ground`, and RecipeError."""
    base = ground(lab, draft) if preset is None else preset
    sets = draft.assignments
    if draft.seeds:
        sets.append(f"{SEED}={draft.seeds[0]}")
    composed = compose_preset(base, draft.flips, sets, where=roots(lab.home))
    if not draft.preset and any(change.key != SEED for change in composed.changes):
        # Whom the number of the run was about, beside this very recipe, cannot be told any more.
        return replace(composed, reference=None, outcome=None)
    return composed


def draft_of(lab: Reading, run_id: str) -> Draft:
    """A draft that makes the recipe of a run, in the words it was launched with where those still do.

    Raises UsageError where the run's recipe is gone or damaged, RecipeError where it is of another version.
    """
    said = lab.labels(run_id)
    recipe = _launched(lab, run_id)
    draft = Draft(
        preset=_text(said, "preset"),
        base=run_id,
        device=_text(said, "device") or "auto",
        tags=_tags(said),
        question=_text(said, "question"),
    )
    gone = replace(draft, preset="")
    try:
        preset = ground(lab, draft)
    except RecipeError:
        return gone
    flips, typed = _as_launched(said, recipe)
    spelled_out = dict(_pairs(to_sets(preset.recipe, recipe)))
    for made in (replace(draft, flips=flips, sets=typed), replace(draft, sets=spelled_out)):
        if (again := recipe_of(made, preset)) is not None and not diff(again, recipe):
            return made
    return gone


def _made_of(lab: Reading, run_id: str) -> Preset:
    said = lab.labels(run_id)
    recipe = _launched(lab, run_id)
    references: tuple[Reference, ...] = ()
    with suppress(ValidationError):
        if said.get("reference"):
            references = (Reference.model_validate(said["reference"]),)
    return Preset(
        name=_text(said, "preset") or run_id,
        family=_text(said, "family"),
        path=lab.run_dir(run_id).recipe,
        title=_text(said, "name"),
        description="",
        parents=(),
        references=references,
        toggles=BY_ID,
        layers=(Layer(f"run {run_id}", recipe.model_dump(mode="json")),),
        recipe=recipe,
    )


def _launched(lab: Reading, run_id: str) -> Recipe:
    return validate(read_recipe(lab.run_dir(run_id).recipe))


def _as_launched(said: dict[str, Any], recipe: Recipe) -> tuple[tuple[str, ...], dict[str, str]]:
    """Toggles and typed fields by what run.json says of the origin of each leaf."""
    origins = said.get("origins")
    if not isinstance(origins, dict):
        return (), {}
    flat = recipe.flat()
    words = [str(origin).removeprefix("toggle ") for origin in origins.values() if str(origin).startswith("toggle ")]
    typed = {key: as_text(flat[key]) for key, origin in origins.items() if origin == "--set" and key in flat}
    return tuple(dict.fromkeys(words)), typed


def _pairs(words: list[str]) -> list[tuple[str, str]]:
    return [(key, text) for key, _, text in (word.partition("=") for word in words)]


def _text(said: dict[str, Any], key: str) -> str:
    value = said.get(key)
    return value if isinstance(value, str) else ""


def _tags(said: dict[str, Any]) -> tuple[str, ...]:
    tags = said.get("tags")
    return tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()
