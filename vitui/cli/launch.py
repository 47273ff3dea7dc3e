"""``vitui run``: compose, show what differs from the preset, launch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vitui.cli.opening import Json, Sets, Toggles, complete_preset, home_of, open_lab, print_json, say

if TYPE_CHECKING:
    from vitui.composition import Composed


def add_to(app: typer.Typer) -> None:
    app.command()(run)


def run(
    context: typer.Context,
    preset: Annotated[
        str, typer.Argument(metavar="PRESET", help="Preset name or a .toml file.", autocompletion=complete_preset)
    ],
    toggle: Toggles = None,
    set_: Sets = None,
    name: Annotated[
        str, typer.Option(metavar="TEXT", help="What the run is called (default: the preset's name).")
    ] = "",
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="Where it trains: auto, cpu, gpu, gpu:N or a GPU's UUID.")
    ] = "auto",
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="TAG", help="A tag to find it by; may be repeated.")
    ] = None,
    note: Annotated[str, typer.Option(metavar="TEXT", help="Anything to remember.")] = "",
    question: Annotated[str, typer.Option(metavar="TEXT", help="What the run is to find out.")] = "",
    seeds: Annotated[
        str,
        typer.Option(metavar="SEEDS", help="A run for each: 0,1,2 or a number of seeds, from the recipe's own on."),
    ] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Print progress until it ends.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the recipe, as a file that `vitui run` takes, and launch nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Launch a preset with toggles flipped and fields set.

    Prints the run id, with --seeds a line for each run: all of them are queued or none. Training needs no terminal to
    go on.
    """
    from vitui.composition import compose_run, roots
    from vitui.display import value
    from vitui.drafts.launching import seeded
    from vitui.drafts.seeds import parse_seeds
    from vitui.errors import UsageError
    from vitui.home import find_home

    if json and follow:
        raise UsageError("--json prints one document and --follow goes on printing; choose one")
    if seeds and (follow or dry_run):
        raise UsageError(f"--seeds launches a run for each and {'--follow' if follow else '--dry-run'} is about one")
    # Before the home is made: a slip in the preset's name leaves nothing behind.
    where = roots(find_home(home_of(context)))
    composed = compose_run(preset, toggle or (), set_ or (), where=where)
    runs = [(composed, name)]
    if numbers := parse_seeds(seeds, composed.recipe.train.seed):
        sets = [[*(set_ or ()), f"train.seed={number}"] for number in numbers]
        each = [compose_run(preset, toggle or (), one, where=where) for one in sets]
        runs = list(zip(each, seeded(name or composed.preset, numbers), strict=True))
    for change in composed.changes:
        say(
            f"  {change.key}: {value(change.before)} -> {value(change.after)}  "
            f"({composed.origins.get(change.key, 'dropped')})"
        )
    if dry_run:
        if json:
            print_json({"preset": composed.preset, "recipe": composed.recipe.flat(), "origins": composed.origins})
        else:
            _print_toml(composed)
        return
    lab = open_lab(context, create=True)
    run_ids = lab.launch_all(runs, device=device, tags=tag or (), notes=note, question=question, tell=say)
    if json:
        print_json({"runs": run_ids} if numbers else {"run": run_ids[0]})
    else:
        print(*run_ids, sep="\n", flush=True)
    if follow:
        from vitui.cli.follow import follow as follow_run

        raise typer.Exit(follow_run(lab, run_ids[0]))


def _print_toml(composed: Composed) -> None:
    """Every field as dotted TOML with where its value comes from: saved to a file, it launches the same recipe."""
    from vitui.text import safe

    for key, leaf in composed.recipe.flat().items():
        written = f"[{', '.join(map(_toml, leaf))}]" if isinstance(leaf, list) else _toml(leaf)
        print(f"{key} = {written}  # {safe(composed.origins[key])}")


def _toml(value: object) -> str:
    import tomli_w

    return tomli_w.dumps({"x": value}).removeprefix("x = ").strip()
