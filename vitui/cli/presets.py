"""``vitui presets``: what can be trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from vitui.cli import check, preset
from vitui.cli.opening import Json, open_lab, print_json, say

if TYPE_CHECKING:
    from engine.recipe import Preset

SPARE = ("epochs", "family", "data", "model")
"""Columns that a narrow terminal is spared, in this order."""


class PresetsGroup(TyperGroup):
    """`vitui presets swin` lists: a first word that is no command is one to look for."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = bool(args) and args[0] in (*self.commands, *ctx.help_option_names)
        completing = ctx.resilient_parsing and not args  # the shell wants to know the commands, too
        return super().parse_args(ctx, args if named or completing else ["list", *args])


app = typer.Typer(cls=PresetsGroup, rich_markup_mode=None)
check.add_to(app)
preset.add_to(app)


def add_to(root: typer.Typer) -> None:
    root.add_typer(app, name="presets")


@app.callback()
def presets() -> None:
    """List presets, look at one, check them.

    `vitui presets swin` lists those that have this word in their name, title, model or data.
    """


@app.command("list")
def list_(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORD",
            help="Only presets that have every one of these words in name, family, title, model or data.",
        ),
    ] = None,
    family: Annotated[str | None, typer.Option(metavar="NAME", help="Only this family.")] = None,
    json: Json = False,
) -> None:
    """List presets with their reference values (the default)."""
    from vitui.drafts.shelf import length
    from vitui.errors import NotFound, UsageError

    lab = open_lab(context)
    every = lab.presets()
    families = sorted({preset.family for preset in every})
    if family is not None and family not in families:
        raise UsageError(f"unknown family {family}; known: {', '.join(families)}")
    wanted = [word.casefold() for word in words or ()]
    found = [one for one in every if family in (None, one.family) and all(word in _text(one) for word in wanted)]
    if not found:
        raise NotFound(f"no preset has {' and '.join(words or ())}; `vitui presets` lists all")
    data = {status.name: status.state for status in lab.data_status()}
    states = {one.name: data.get(one.recipe.data.dataset, "missing") for one in found}
    if json:
        print_json([preset.as_json(one) | {"data": states[one.name]} for one in found])
        return
    from vitui.cli.table import print_table

    rows = [
        (
            one.family,
            one.name,
            preset.shown_reference(one),
            one.recipe.model.name,
            f"{one.recipe.data.dataset} ({states[one.name]})",
            length(one.recipe),
            one.title,
        )
        for one in found
    ]
    head = ("family", "preset", "reference", "model", "data", "epochs", "title")
    print_table(head, rows, right=("reference", "epochs"), give="title", spare=SPARE)
    say(
        f"{len(found)} of {len(every)} presets" if len(found) < len(every) else f"{len(every)} presets: {_sizes(every)}"
    )


def _text(one: Preset) -> str:
    """What a preset is looked for in."""
    parts = (one.name, one.family, one.title, one.recipe.model.name, one.recipe.data.dataset)
    return "\n".join(parts).casefold()


def _sizes(every: list[Preset]) -> str:
    sizes: dict[str, int] = {}
    for one in every:
        sizes[one.family] = sizes.get(one.family, 0) + 1
    return ", ".join(f"{name} {size}" for name, size in sizes.items())
