"""``vitui presets`` and ``vitui toggles``: what can be trained and what can be flipped."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from vitui.cli.opening import Json, complete_preset, open_lab, print_json

app = typer.Typer(rich_markup_mode=None, invoke_without_command=True)


def add_to(root: typer.Typer) -> None:
    root.add_typer(app, name="presets")
    root.command()(toggles)


@app.callback()
def presets(
    context: typer.Context,
    family: Annotated[str | None, typer.Option(metavar="NAME", help="Only this family.")] = None,
    json: Json = False,
) -> None:
    """List presets, their reference values and data.

    `presets show NAME` tells all of one.
    """
    if context.invoked_subcommand is not None:
        return
    from vitui.errors import UsageError

    lab = open_lab(context)
    found = lab.presets()
    families = sorted({preset.family for preset in found})
    if family is not None and family not in families:
        raise UsageError(f"unknown family {family}; known: {', '.join(families)}")
    found = [preset for preset in found if family in (None, preset.family)]
    data = {status.name: status.state for status in lab.data_status()}
    if json:
        print_json([_as_json(preset) | {"data": data.get(preset.recipe.data.dataset, "missing")} for preset in found])
        return
    from vitui.cli.table import print_table
    from vitui.display import percent

    rows = [
        (
            preset.family,
            preset.name,
            percent(preset.reference.value) if preset.reference else "–",
            preset.recipe.model.name,
            f"{preset.recipe.data.dataset} ({data.get(preset.recipe.data.dataset, 'missing')})",
            str(preset.recipe.train.epochs),
            preset.title,
        )
        for preset in found
    ]
    head = ("family", "preset", "reference", "model", "data", "epochs", "title")
    print_table(head, rows, right=("reference", "epochs"), give="title")


def _as_json(preset: Any) -> dict[str, Any]:
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


@app.command()
def show(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Preset name or a .toml file.", autocompletion=complete_preset)
    ],
    json: Json = False,
) -> None:
    """Show one preset: references, every field, where values come from."""
    from engine.recipe import compose
    from engine.recipe import presets as library
    from engine.recipe import toggles as switches
    from vitui.composition import roots
    from vitui.display import percent, value
    from vitui.text import safe

    preset = library.load(name, roots(open_lab(context, adopt=False).home))
    if json:
        print_json(_as_json(preset))
        return
    print(f"{preset.name} — {safe(preset.title)}  ({preset.path})")
    if preset.description:
        print("\n".join(safe(line) for line in preset.description.splitlines()))
    if preset.parents:
        print(f"extends {', '.join(preset.parents)}")
    for reference in preset.references:
        result = reference.outcome or f"{percent(reference.value)} ± {reference.tolerance:g}"
        print(safe(f"reference ({reference.kind}): {reference.split} {reference.metric} {result} — {reference.source}"))
    print(f"toggles on: {', '.join(switches.on(preset.recipe)) or 'none'}\n")
    from vitui.cli.table import print_table

    _, origins = compose(preset.layers)
    print_table(("field", "value", "from"), [(k, value(v), origins[k]) for k, v in preset.recipe.flat().items()])


def toggles(json: Json = False) -> None:
    """List toggles: what `--toggle NAME` and `--toggle no-NAME` set."""
    from engine.recipe.toggles import TOGGLES
    from vitui.cli.table import print_table
    from vitui.display import value

    if json:
        print_json(
            [
                {"id": t.id, "label": t.label, "group": t.group, "on": t.on, "off": t.off, "excludes": t.excludes}
                for t in TOGGLES
            ]
        )
        return
    rows = [
        (
            t.group,
            t.id,
            t.label,
            ", ".join(f"{k}={value(v)}" for k, v in t.on.items()),
            ", ".join(f"{k}={value(v) or 'empty'}" for k, v in t.off.items()),
            ", ".join(t.excludes),
        )
        for t in TOGGLES
    ]
    print_table(("group", "toggle", "meaning", "on", "off", "not with"), rows)
