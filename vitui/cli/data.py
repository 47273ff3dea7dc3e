"""``vitui data``: datasets here and how to get more. Packing itself is the trainer's: it runs as its own process."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from vitui.cli.opening import Json, open_lab, print_json, say

app = typer.Typer(help="List datasets and add them.", rich_markup_mode=None, no_args_is_help=True)


def add_to(root: typer.Typer) -> None:
    root.add_typer(app, name="data")


@app.command("list")
def list_(context: typer.Context, json: Json = False) -> None:
    """List datasets: present, embedded (packed at first use) or missing, with the command that gets them."""
    from vitui.cli.table import print_table

    found = open_lab(context).data_status()
    if json:
        print_json([{**asdict(status), "remedy": status.remedy} for status in found])
        return
    rows = [
        (
            status.name,
            status.state,
            str(status.classes),
            ", ".join(f"{name} {images}" for name, images in status.splits.items()),
            status.title,
            status.remedy,
        )
        for status in found
    ]
    print_table(("dataset", "state", "classes", "images", "title", "get it with"), rows, right=("classes",))


@app.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A catalogue name, or your own for a folder of pictures.")],
    from_: Annotated[
        Path | None,
        typer.Option("--from", help="Files already on disk: a folder of pictures, or the original archive."),
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=4, max=2048, help="Side in px to pack at, where pictures differ in size.")
    ] = None,
) -> None:
    """Pack a dataset once into memory-mapped arrays: downloaded, or from files already on disk."""
    lab = open_lab(context, create=True)
    command = [sys.executable, "-m", "engine.data", "add", name, "--data-root", str(lab.home / "data")]
    if from_ is not None:
        command += ["--from", str(from_.expanduser().absolute())]
    if size is not None:
        command += ["--size", str(size)]
    code = subprocess.run(command).returncode
    if code == 0:
        say(f"{name} is ready: use it with --set data.dataset={name}")
    raise typer.Exit(code)
