"""``vitui presets show``: all about one preset, as it is or with toggles flipped and fields set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitui.cli.opening import Json, Sets, Toggles, complete_preset, open_lab, print_json, say

if TYPE_CHECKING:
    from engine.recipe import Preset, Recipe
    from vitui.composition import Composed
    from vitui.inspecting import Description
    from vitui.lab import Lab


def add_to(app: typer.Typer) -> None:
    app.command()(show)


def show(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Preset name or a .toml file.", autocompletion=complete_preset)
    ],
    toggle: Toggles = None,
    set_: Sets = None,
    plot_lr: Annotated[bool, typer.Option("--plot-lr", help="Draw the learning rate over the run instead.")] = False,
    json: Json = False,
) -> None:
    """Show a preset: references, model, memory, every field.

    With toggles and fields as `vitui run` takes them, what the changed recipe would be.
    """
    from engine.recipe import presets as library
    from vitui.composition import compose_run, roots
    from vitui.errors import UsageError

    if json and plot_lr:
        raise UsageError("--json prints one document and --plot-lr a picture; choose one")
    lab = open_lab(context, adopt=False)
    where = roots(lab.home)
    found = library.load(name, where)
    composed = compose_run(name, toggle or (), set_ or (), where=where)
    if plot_lr:
        _print_curve(lab, found, composed.recipe)
        return
    try:
        model: Description | str = lab.describe(composed.recipe, say)
    except UsageError as error:  # all the rest can be shown
        model = str(error)
    if json:
        print_json(as_json(found) | _changed_json(found, composed, model))
    else:
        _print_page(lab, found, composed, model)


# -- what a listing shows, too -----------------------------------------------------------------------------------


def as_json(preset: Preset) -> dict[str, Any]:
    """A preset as it is in its file."""
    return {
        "name": preset.name,
        "family": preset.family,
        "title": preset.title,
        "description": preset.description,
        "parents": list(preset.parents),
        "references": [reference.model_dump(mode="json") for reference in preset.references],
        "recipe": preset.recipe.flat(),
        "path": str(preset.path),
    }


def shown_reference(preset: Preset) -> str:
    """The reference value of a preset as it stands, else what happened instead, else a dash."""
    from vitui.composition import telling
    from vitui.display import percent

    found = telling(preset.reference, preset.outcome)
    return percent(None) if found is None else found.outcome or percent(found.value)


# -- one preset --------------------------------------------------------------------------------------------------


def _changed_json(preset: Preset, composed: Composed, model: Description | str) -> dict[str, Any]:
    from engine.recipe import toggles

    recipe = composed.recipe
    shown = composed.telling
    return {
        "recipe": recipe.flat(),
        "origins": composed.origins,
        "reference": shown.model_dump(mode="json") if shown else None,
        "toggles": toggles.on(recipe, preset.toggles),
        "different_from_parent": [vars(change) for change in _own(preset)],
        "changes": [vars(change) for change in composed.changes],
        "model": {"error": model} if isinstance(model, str) else model.as_json(),
        "memory_bytes": None if isinstance(model, str) else model.memory.total(recipe.micro_batch),
    }


def _print_page(lab: Lab, preset: Preset, composed: Composed, model: Description | str) -> None:
    from engine.recipe import toggles
    from vitui.admission import shape_of
    from vitui.cli.table import print_table
    from vitui.display import value
    from vitui.text import safe

    recipe = composed.recipe
    print(f"{preset.name} — {safe(preset.title)}  ({preset.path})")
    if preset.description:
        print("\n".join(safe(line) for line in preset.description.splitlines()))
    if preset.parents:
        print(f"extends {', '.join(preset.parents)}")
    data = {status.name: status for status in lab.data_status()}.get(recipe.data.dataset)
    shape = shape_of(lab.home, recipe)
    side = shape.img_size
    seen = f"{'' if shape.known else 'taken for '}{shape.classes} classes, {shape.channels}x{side}x{side} px"
    facts = [
        ("data", f"{recipe.data.dataset} ({data.state if data else 'missing'}): {seen}"),
        *_model_lines(recipe, model),
        ("toggles", ", ".join(toggles.on(recipe, preset.toggles)) or "none on"),
    ]  # fmt: skip
    print()
    for label, text in facts:
        print(f"{label:<8} {safe(text)}")
    if preset.references or composed.telling:
        print("\nreferences (→ the one shown beside results)")
        for line in _reference_lines(preset, composed):
            print(safe(line))
    if composed.changes:
        print("\nchanged here")
        changed = [(c.key, value(c.before), value(c.after), composed.origins.get(c.key, "")) for c in composed.changes]
        print_table(("field", "preset", "here", "by"), changed)
    if preset.parents and (own := _own(preset)):
        print(f"\ndifferent from {preset.parents[-1]}")
        print_table(("field", "there", "here"), [(c.key, value(c.before), value(c.after)) for c in own])
    print("\nrecipe")
    rows = [(k, value(v), composed.origins[k]) for k, v in recipe.flat().items()]
    print_table(("field", "value", "from"), rows, give="from")


def _model_lines(recipe: Recipe, model: Description | str) -> list[tuple[str, str]]:
    from vitui.display import bytes_, count

    if isinstance(model, str):
        return [("model", f"{recipe.model.name}: {model}")]
    trained = "all" if model.trainable_params == model.params else count(model.trainable_params)
    memory, images = model.memory, recipe.micro_batch
    parts = [
        ("weights", memory.weights), ("gradients", memory.gradients), ("optimiser", memory.optimizer),
        ("moving average", memory.ema), ("teacher", memory.teacher),
        ("activations", memory.activations_per_image * images),
    ]  # fmt: skip
    shown = ", ".join(f"{name} {bytes_(size)}" for name, size in parts if size)
    numbers = f"{count(model.params)} parameters ({trained} trained), {count(model.macs)} MACs"
    total = f"{bytes_(memory.total(images))} with {images} images at a time in 32 bits"
    return [("model", f"{recipe.model.name}: {numbers}"), ("memory", f"estimate: {total} ({shown})")]


def _reference_lines(preset: Preset, composed: Composed) -> list[str]:
    """Two lines for each reference, three for one of certain recipes: they are too long for columns."""
    from vitui.display import value
    from vitui.references import described

    shown = composed.telling
    listed = list(preset.references)
    if shown is not None and shown not in listed:  # changed into another preset, whose reference it is
        listed.insert(0, shown)
    lines = []
    for one in listed:
        lines += [f"{'→' if one == shown else ' '} {described(one)}", f"    {one.source}"]
        if one.when:
            wanted = ", ".join(f"{key}={value(leaf) or 'empty'}" for key, leaf in one.when.items())
            lines.append(f"    for recipes with {wanted}")
    return lines


def _own(preset: Preset) -> Sequence[Any]:
    """What the preset's own file changes in what it inherits."""
    from engine.recipe import compose, diff

    inherited, _ = compose(preset.layers[:-1])
    return diff(inherited, preset.recipe)


def _print_curve(lab: Lab, preset: Preset, recipe: Recipe) -> None:
    from vitui.cli.plot import plot_learning_rate
    from vitui.lengths import steps_per_epoch
    from vitui.text import safe

    steps = steps_per_epoch(lab.home, recipe)
    known = steps is not None
    print(f"{preset.name} — {safe(preset.title)}")
    print(plot_learning_rate(recipe, steps or 1000))
    if not known:
        say(f"the size of {recipe.data.dataset} is not known here: drawn for 1000 steps an epoch")
