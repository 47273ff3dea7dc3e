"""``vitui presets check``: every preset validated and every model built, without data and without a device."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vitui.cli.opening import Json, complete_preset, open_lab, print_json

if TYPE_CHECKING:
    from engine.recipe import Preset
    from vitui.inspecting import Question


def add_to(app: typer.Typer) -> None:
    app.command()(check)


def check(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME", help="Presets or .toml files (default: all there are).", autocompletion=complete_preset
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Validate presets and build their models.

    Nothing is downloaded or allocated. A line for each preset that fails; exit code 1 if there is one.
    """
    from engine.recipe import presets
    from vitui.composition import roots

    home = open_lab(context, adopt=False).home
    chosen = names or sorted(presets.names(roots(home)))
    questions, failures = _questions(home, chosen)
    failures |= _answers(home, questions)
    if json:
        print_json([{"preset": name, "error": failures.get(name)} for name in chosen])
    else:
        from vitui.text import safe

        for name in chosen:
            for line in failures.get(name, "").splitlines():
                print(safe(line if line.startswith(f"preset {name} ") else f"{name}: {line}"))
        print(f"{len(chosen) - len(failures)} of {len(chosen)} presets pass")
    raise typer.Exit(1 if failures else 0)


def _questions(home: Path, chosen: list[str]) -> tuple[dict[str, Question], dict[str, str]]:
    """What to ask about each preset that is sound in itself, and what is wrong with the others."""
    from engine.recipe import RecipeError, presets
    from engine.recipe.splits import split_roles
    from vitui.admission import question
    from vitui.composition import roots
    from vitui.errors import UsageError
    from vitui.lengths import check_length
    from vitui.preflight import dataset_status

    questions, failures = {}, {}
    where = roots(home)
    loaded = _loaded(where)
    known = {status.name: status.splits for status in dataset_status(home)}
    for name in chosen:
        try:
            recipe = (loaded.get(name) or presets.load(name, where)).recipe
            if splits := known.get(recipe.data.dataset):
                split_roles(recipe, splits)
            check_length(home, recipe)
            questions[name] = question(home, recipe)
        except (RecipeError, UsageError) as error:
            failures[name] = str(error)
    return questions, failures


def _loaded(where: list[Path]) -> dict[str, Preset]:
    """All presets at once where all are sound, which is much quicker than one by one; else none."""
    from engine.recipe import RecipeError, presets

    try:
        return {preset.name: preset for preset in presets.load_all(where)}
    except RecipeError:
        return {}


def _answers(home: Path, questions: dict[str, Question]) -> dict[str, str]:
    """The sentence about each model that cannot be built. Those of several presets are asked about once."""
    from vitui.admission import answers

    users: dict[str, list[str]] = {}
    for name, asked in questions.items():
        users.setdefault(asked.key, []).append(name)
    failures: dict[str, str] = {}
    meter = sys.stderr.isatty()
    distinct = {asked.key: asked for asked in questions.values()}
    for done, (key, answer) in enumerate(answers(home, list(distinct.values())), 1):
        if meter:
            print(f"\r{done}/{len(users)} models", end="" if done < len(users) else "\n", file=sys.stderr, flush=True)
        if isinstance(answer, str):
            failures |= dict.fromkeys(users[key], answer)
    return failures
