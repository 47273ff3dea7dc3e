"""``vitui export``: runs for other tools."""

from __future__ import annotations

from typing import Annotated

import typer

from vitui.cli.opening import RunIds, open_lab, resolve_all, say


def add_to(app: typer.Typer) -> None:
    app.command()(export)


def _formats() -> list[str]:
    from vitui.exporting import FORMATS

    return [*FORMATS]


def _tables() -> list[str]:
    from vitui.exporting import TABLES

    return [*TABLES]


def export(
    context: typer.Context,
    run: RunIds,
    format: Annotated[
        str,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="csv, parquet, tensorboard, wandb (offline runs), mlflow or card (model card for Hugging Face).",
            autocompletion=_formats,
        ),
    ],
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="PATH",
            help="Folder to write to; a file for one --table or one card "
            "(default: vitui-export; a card: README.md in the run's model/; one --table as CSV: stdout).",
        ),
    ] = None,
    table: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Only this table, points, evals or runs, of --format csv and parquet.",
            autocompletion=_tables,
        ),
    ] = "",
    keys: Annotated[
        str | None,
        typer.Option(metavar="KEY,KEY", help="Only these series, e.g. train/loss,minival/*; the evals table has all."),
    ] = None,
    to: Annotated[
        str,
        typer.Option(
            metavar="URI", help="MLflow's tracking server or database (default: sqlite:///PATH/mlflow.db under --out)."
        ),
    ] = "",
    project: Annotated[
        str, typer.Option(metavar="NAME", help="W&B project, or MLflow experiment (default: vitui).")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace what is there already.")] = False,
) -> None:
    """Export runs to CSV, Parquet, TensorBoard, W&B or MLflow.

    Or write a model card for Hugging Face. Where things are is printed on stdout. Nothing is sent anywhere,
    except to a server that --to names. docs/export.md says what each format holds.
    """
    from dataclasses import replace
    from pathlib import Path

    from vitui import exporting
    from vitui.errors import UsageError
    from vitui.text import safe

    if out == "":
        raise UsageError("--out is empty; give a path, or leave the option out")
    chosen = () if keys is None else tuple(key for word in keys.split(",") if (key := word.strip()))
    if keys is not None and not chosen:
        raise UsageError("--keys is empty; name some series, or leave the option out")
    wanted = exporting.Request((), Path(out) if out else None, chosen, table, to, project, force)
    exporting.check(format, wanted)  # before a home is opened, which may start a worker
    lab = open_lab(context)
    request = replace(wanted, runs=tuple(resolve_all(lab, run)))
    for place in exporting.export(lab, format, request, say):
        print(safe(place))
