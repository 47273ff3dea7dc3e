"""What a draft makes: its recipe, how that differs, switches, fields, learning rates. Milliseconds, no engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.recipe import Change, Preset, Recipe, RecipeError, diff, toggles
from engine.recipe.compose import as_text
from engine.recipe.toggles import Toggle
from vitui.composition import Composed
from vitui.drafts.draft import Draft, typed_tree
from vitui.drafts.fields import OPTIONS, FormField, form_fields
from vitui.drafts.ground import base_recipe, compose_draft, ground
from vitui.drafts.lr import Rates, rates
from vitui.errors import VitError
from vitui.lengths import steps_per_epoch

if TYPE_CHECKING:
    from engine.recipe import Reference
    from vitui.lab import Lab
    from vitui.reading import Reading


@dataclass(frozen=True)
class Switch:
    """A toggle as the form shows it."""

    toggle: Toggle
    on: bool
    in_preset: bool
    """Whether it is on in the unchanged preset, or in the run a draft is a clone of."""
    available: bool = True
    """False: the recipe lacks its field."""
    reason: str = ""
    """Why it is not available."""
    turns_off: tuple[str, ...] = ()
    """Toggles that are on now and would be turned off by turning this one on."""

    @property
    def differs(self) -> bool:
        """From the unchanged preset."""
        return self.on != self.in_preset


@dataclass(frozen=True)
class FieldValue:
    """A field of the form with what stands in it."""

    field: FormField
    text: str
    """Exact, as it would be typed."""
    origin: str = ""
    """``default``, ``preset NAME``, ``run ID``, ``toggle NAME`` or ``--set`` (typed)."""
    changed: bool = False
    before: str = ""
    """What the unchanged preset, or the cloned run, has; empty where it lacks the field."""


@dataclass(frozen=True)
class Preview:
    """What a draft makes. Where it makes nothing, `problem` says why and `fields` show what was typed."""

    draft: Draft
    preset: Preset | None
    """What it stands on; None where that cannot be read."""
    base: Recipe | None
    """What changes are told against."""
    composed: Composed | None
    problem: str
    """One or more whole sentences, a line each; empty for a draft that makes a recipe."""
    changes: tuple[Change, ...] = ()
    """Against `base`, in the schema's order."""
    switches: tuple[Switch, ...] = ()
    fields: tuple[FieldValue, ...] = ()
    command: str = ""
    steps: int | None = None
    """Optimiser steps of the whole run; None where the size of the dataset is not known."""
    epochs: float | None = None
    steps_per_epoch: int | None = None
    rates: Rates | None = None

    @property
    def recipe(self) -> Recipe | None:
        return None if self.composed is None else self.composed.recipe

    @property
    def reference(self) -> Reference | None:
        """The number, or the outcome, that results will be shown beside."""
        return None if self.composed is None else self.composed.telling

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the runs that would be launched."""
        if self.draft.seeds or self.composed is None:
            return self.draft.seeds
        return (self.composed.recipe.train.seed,)

    def at(self, key: str) -> FieldValue | None:
        """The field of this key."""
        return next((one for one in self.fields if one.field.key == key), None)


def preview(lab: Reading, draft: Draft) -> Preview:
    """What a draft makes. Never raises for what a user typed, nor for a preset or run that is gone."""
    preset: Preset | None = None
    base: Recipe | None = None
    command = draft.command()
    try:
        preset = ground(lab, draft)
        base = base_recipe(lab, draft, preset)
        composed = compose_draft(lab, draft, preset)
    except (RecipeError, VitError) as error:
        return Preview(draft, preset, base, None, str(error), command=command, **_unmade(draft, preset, base))
    recipe = composed.recipe
    each = steps_per_epoch(lab.home, recipe)
    curve = rates(recipe, each)
    total = curve.total if curve.known and not curve.problem else recipe.train.steps or None
    return Preview(
        draft,
        preset,
        base,
        composed,
        curve.problem if curve.known else "",
        changes=tuple(diff(base, recipe)),
        switches=_switches(recipe, base, preset),
        fields=_values(form_fields(recipe), recipe.flat(), base.flat(), composed.origins),
        command=command,
        steps=total,
        epochs=float(recipe.train.epochs) if not recipe.train.steps else total / each if total and each else None,
        steps_per_epoch=each,
        rates=curve,
    )


def _unmade(draft: Draft, preset: Preset | None, base: Recipe | None) -> dict[str, Any]:
    """Switches and fields where there is no recipe: the last sound one, with what was typed over it."""
    if preset is None or base is None:
        return {}
    flat = typed_tree(preset, draft)
    origins = {key: "--set" for key in flat if key in draft.sets}
    return {
        "switches": _switches(preset.recipe, base, preset),
        "fields": _values(form_fields(preset.recipe), flat, base.flat(), origins),
    }


def _switches(recipe: Recipe, base: Recipe, preset: Preset) -> tuple[Switch, ...]:
    on, before = toggles.states(recipe, preset.toggles), toggles.states(base, preset.toggles)
    return tuple(
        Switch(
            toggle,
            on=bool(on[id]),
            in_preset=bool(before[id]),
            available=on[id] is not None,
            reason="" if on[id] is not None else _lacks(toggle, recipe),
            turns_off=tuple(other for other in toggle.excludes if on[other] and not on[id]),
        )
        for id, toggle in preset.toggles.items()
    )


def _lacks(toggle: Toggle, recipe: Recipe) -> str:
    flat = recipe.flat()
    missing = next(key for key in (*toggle.told_by, *toggle.on, *toggle.off) if key not in flat)
    tag = f"{missing.partition('.')[0]}.name"
    return f"this recipe has no {missing} ({tag} = {flat[tag]})"


def flip_problem(view: Preview, id: str, on: bool) -> str:
    """Why a toggle cannot be flipped here, as one sentence; empty when it can. About a millisecond."""
    if view.recipe is None or view.preset is None:
        return view.problem.splitlines()[0] if view.problem else ""
    try:
        toggles.apply(view.recipe, [id if on else f"no-{id}"], view.preset.toggles)
    except RecipeError as error:
        return str(error).splitlines()[0]
    return ""


def _values(
    fields: list[FormField], flat: dict[str, Any], base: dict[str, Any], origins: dict[str, str]
) -> tuple[FieldValue, ...]:
    out = []
    for field in fields:
        if field.key == OPTIONS:
            out.append(FieldValue(field, ""))
            continue
        if field.key not in flat:
            continue
        before = as_text(base[field.key]) if field.key in base else ""
        changed = field.key not in base or base[field.key] != flat[field.key]
        out.append(FieldValue(field, as_text(flat[field.key]), origins.get(field.key, "default"), changed, before))
    return tuple(out)


def refusal(lab: Lab, draft: Draft, composed: Composed) -> str:
    """Why a launch cannot work here, as a sentence with the command that helps; empty when nothing is known against it.

    Device, data, length, space, a home that cannot be written to, a name that cannot be kept. Whether the model can be
    built only the engine knows (`describe_later`). Milliseconds, but for the first look at the GPUs: ask in a thread.
    """
    from vitui import labels

    try:
        if lab.read_only:
            return lab.store.why_read_only
        if draft.name:
            labels.checked_name(draft.name)
        lab.preflight(composed, draft.device)
    except (VitError, RecipeError) as error:
        return str(error)
    except OSError as error:
        return f"{lab.home} cannot be looked at: {error.strerror}"
    return ""
