"""``vitui run``: compose, show what differs from the preset, launch."""

from __future__ import annotations

from typing import Annotated

import typer

from vitui.cli.opening import Json, complete_preset, complete_toggle, open_lab, print_json, say


def add_to(app: typer.Typer) -> None:
    app.command()(run)


def run(
    context: typer.Context,
    preset: Annotated[str, typer.Argument(help="Preset name or a .toml file.", autocompletion=complete_preset)],
    toggle: Annotated[
        list[str] | None,
        typer.Option("--toggle", "-t", help="mixup, no-mixup, ...; may be repeated.", autocompletion=complete_toggle),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", metavar="FIELD=VALUE", help="optim.lr=3e-4, ...; may be repeated."),
    ] = None,
    name: Annotated[str, typer.Option(help="What the run is called (default: the preset's name).")] = "",
    device: Annotated[str, typer.Option(help="auto, cpu, gpu, gpu:N or a GPU's UUID.")] = "auto",
    tag: Annotated[list[str] | None, typer.Option("--tag", help="May be repeated.")] = None,
    note: Annotated[str, typer.Option(help="Anything to remember.")] = "",
    question: Annotated[str, typer.Option(help="What the run is to find out.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Print progress until it ends.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the recipe and launch nothing.")] = False,
    json: Json = False,
) -> None:
    """Launch a preset with toggles flipped and fields set. Prints the run id; training needs no terminal to go on."""
    from vitui.display import value

    lab = open_lab(context, create=not dry_run)
    composed = lab.compose(preset, toggle or (), set_ or ())
    for change in composed.changes:
        say(
            f"  {change.key}: {value(change.before)} -> {value(change.after)}  "
            f"({composed.origins.get(change.key, 'dropped')})"
        )
    if dry_run:
        if json:
            print_json({"preset": composed.preset, "recipe": composed.recipe.flat(), "origins": composed.origins})
        else:
            for key, leaf in composed.recipe.flat().items():
                print(f"{key} = {value(leaf)}  # {composed.origins[key]}")
        return
    run_id = lab.launch(composed, name=name, device=device, tags=tag or (), notes=note, question=question)
    if json:
        print_json({"run": run_id})
    else:
        print(run_id, flush=True)
    if follow:
        from vitui.cli.follow import follow as follow_run

        raise typer.Exit(follow_run(lab, run_id))
