"""``vitui compare``: runs beside each other."""

from __future__ import annotations

import shutil
import sys
from typing import Annotated

import typer

from vitui.cli.opening import Json, RunIds, complete_run, open_lab, resolve_all

FORMATS = ("table", "md", "csv", "latex", "json")


def add_to(app: typer.Typer) -> None:
    app.command()(compare)


def compare(
    context: typer.Context,
    runs: RunIds,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="The run that differences are to (default: the first).",
            autocompletion=complete_run,
        ),
    ] = None,
    all_fields: Annotated[
        bool, typer.Option("--all-fields", help="The whole recipes and environments rather than what differs.")
    ] = False,
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME",
            help="Only these results: lines of the table as --json names them, or metrics as `vitui runs --columns` "
            "takes them, e.g. minival/top1 or best(train/loss).",
        ),
    ] = None,
    format: Annotated[
        str,
        typer.Option(
            "--format", "-f", metavar="FORMAT", help="table, md, csv, latex or json.", autocompletion=lambda: [*FORMATS]
        ),
    ] = "table",
    json: Json = False,
) -> None:
    """Compare runs: what differs, results, and whether it is fair.

    Two to twenty of them: recipe fields that differ, results with their differences to a baseline and to the
    published value, environments, and reasons why the comparison may not show what it seems to.
    After ± stands the standard error of an accuracy, from the number of evaluation images.
    """
    from vitui.errors import UsageError

    if format not in FORMATS:
        raise UsageError(f"unknown format {format}; known: {', '.join(FORMATS)}")
    wanted = None if metrics is None else [name for word in metrics.split(",") if (name := word.strip())]
    if wanted == []:
        raise UsageError("--metrics is empty; name some, or leave the option out")
    lab = open_lab(context)
    ids = resolve_all(lab, runs)
    from vitui.comparing import comparison, formats

    found = comparison(lab, ids, lab.resolve(baseline) if baseline else None, wanted)
    chosen = "json" if json else format
    if chosen == "table" and sys.stdout.isatty():
        written = formats.text(found, all_fields, shutil.get_terminal_size().columns)
    else:
        written = formats.FORMATS[chosen](found, all_fields)
    sys.stdout.write(written)
