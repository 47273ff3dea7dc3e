"""``vitui scoreboard``: published results and what runs here have reached, beside each other."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from vitui.cli.opening import Json, open_lab, print_json, say

if TYPE_CHECKING:
    from vitui.studies.scoreboard import Score

FORMATS = ("table", "md", "csv", "latex", "json")
SPARE = ("source", "device", "selects", "best")
"""Columns that a narrow terminal is spared, in this order."""
HEAD = ("preset", "published", "n", "best", "mean", "gap", "verdict", "device", "selects", "source")


def add_to(app: typer.Typer) -> None:
    app.command()(scoreboard)


def scoreboard(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="WORD", help="Only presets with every one of these words in name, title or source."),
    ] = None,
    family: Annotated[str, typer.Option(metavar="NAME", help="Only this family.")] = "",
    all_: Annotated[bool, typer.Option("--all", "-a", help="Also presets that have no runs here.")] = False,
    format: Annotated[
        str,
        typer.Option(
            "--format", "-f", metavar="FORMAT", help="table, md, csv, latex or json.", autocompletion=lambda: [*FORMATS]
        ),
    ] = "table",
    json: Json = False,
) -> None:
    """Set runs beside published results: gap, tolerance, device.

    Of every preset with a published result: that value, the best and the mean ± deviation of this home's runs of the
    very recipe (with any seed), the gap with its standard error, and whether it is within the tolerance. Runs that
    have no result are told with their state. † stands where the epoch was picked on the split that is reported.
    """
    from vitui.errors import NotFound, UsageError
    from vitui.studies.scoreboard import scores

    if format not in FORMATS:
        raise UsageError(f"unknown format {format}; known: {', '.join(FORMATS)}")
    every, wrong = scores(open_lab(context))
    for sentence in wrong.values():
        say(f"left out: {sentence}")
    families = sorted({one.family for one in every})
    if family and family not in families:
        raise UsageError(f"unknown family {family}; known: {', '.join(families)}")
    wanted = [word.casefold() for word in words or ()]
    found = [one for one in every if family in ("", one.family) and all(word in one.haystack for word in wanted)]
    if not found:
        raise NotFound(
            f"no preset with a published result has {' and '.join(words or ())}; `vitui scoreboard --all` has all"
        )
    shown = found if all_ else [one for one in found if one.runs]
    _print(shown, "json" if json else format)
    if not json and format == "table":
        _tell(found, shown)


def _tell(found: Sequence[Score], shown: Sequence[Score]) -> None:
    """What is not in the table, on stderr."""
    from vitui.studies.formats.scoreboard import SELECTED, reproduced

    inside, done = reproduced(shown)
    if done:
        say(f"{inside} of {done} published results with runs here are reproduced within their tolerance")
    if any(one.mark for one in shown):
        say(SELECTED)
    if len(shown) < len(found):
        say(f"{len(found) - len(shown)} more have no runs here: --all shows what was published")


def _print(shown: Sequence[Score], format: str) -> None:
    from vitui.studies.formats.scoreboard import LEFT, as_csv, document, text

    if format == "json":
        print_json([asdict(one) | {"name": one.name} for one in shown])
    elif format == "csv":
        sys.stdout.write(as_csv(shown))
    elif format != "table":
        sys.stdout.write(document(shown, format, {key: key for key in HEAD}))
    elif shown:
        from vitui.cli.table import print_table

        rows = [[text(one, key) for key in HEAD] for one in shown]
        kept = [at for at, name in enumerate(HEAD) if name == "preset" or any(row[at] for row in rows)]
        head = [HEAD[at] for at in kept]
        right = [key for key in HEAD if key not in LEFT]
        print_table(head, [[row[at] for at in kept] for row in rows], right=right, give="preset", spare=SPARE)
