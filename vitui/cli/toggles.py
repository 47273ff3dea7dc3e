"""``vitui toggles``: what can be flipped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from vitui.cli.opening import Json, complete_preset, home_of, print_json

SPARE = ("off", "group", "not with", "meaning")
"""Columns that a narrow terminal is spared, in this order."""


def add_to(root: typer.Typer) -> None:
    root.command()(toggles)


def toggles(
    context: typer.Context,
    preset: Annotated[
        str | None,
        typer.Argument(
            metavar="PRESET", help="Which are on in it, and what they mean there.", autocompletion=complete_preset
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List toggles: what `--toggle NAME` and `--toggle no-NAME` set."""
    from engine.recipe import presets
    from engine.recipe.toggles import BY_ID
    from vitui.cli.table import print_table
    from vitui.composition import roots
    from vitui.home import find_home

    known, states = BY_ID, dict[str, bool | None]()
    if preset is not None:
        found = presets.load(preset, roots(find_home(home_of(context))))
        known = found.toggles
        states = {toggle.id: toggle.is_on(found.recipe) for toggle in known.values()}
    if json:
        print_json(
            [
                {"id": t.id, "label": t.label, "group": t.group, "on": t.on, "off": t.off, "excludes": t.excludes}
                | ({"is_on": states[t.id]} if states else {})
                for t in known.values()
            ]
        )
        return
    words = {True: "on", False: "off", None: "–"}  # None: the preset's optimiser or schedule has no such field
    rows = [
        (
            t.group,
            t.id,
            *([words[states[t.id]]] if states else []),
            t.label,
            _sets(t.on),
            _sets(t.off),
            ", ".join(t.excludes),
        )
        for t in known.values()
    ]
    head = ("group", "toggle", *(["here"] if states else []), "meaning", "on", "off", "not with")
    print_table(head, rows, give="on", spare=SPARE)


def _sets(values: Mapping[str, Any]) -> str:
    from vitui.display import value

    return ", ".join(f"{key}={value(wanted) or 'empty'}" for key, wanted in values.items())
