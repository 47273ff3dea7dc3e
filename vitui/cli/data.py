"""``vitui data``: datasets here and how to get more. Packing itself is the trainer's: it runs as its own process."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from vitui.cli.opening import Json, complete_dataset, open_lab, print_json, say

app = typer.Typer(help="List datasets and add them.", rich_markup_mode=None, no_args_is_help=True)


def add_to(root: typer.Typer) -> None:
    root.add_typer(app, name="data")


@app.command("list")
def list_(context: typer.Context, json: Json = False) -> None:
    """List datasets and the commands that get them.

    Each is present, embedded (packed at first use), missing, or damaged (delete its folder in data/ and add it again).
    """
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
            f"{status.download_mb:.0f} MB" if status.size else "",
            status.remedy,
        )
        for status in found
    ]
    head = ("dataset", "state", "classes", "images", "title", "download", "get it with")
    print_table(head, rows, right=("classes", "download"), give="images", spare=("title", "classes", "download"))


@app.command()
def add(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A name that `vitui data list` shows, or one of your own for --from.",
            autocompletion=complete_dataset,
        ),
    ],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="PATH",
            help="Files already on disk: a folder with train/CLASS and val/CLASS of pictures, or a dataset's original "
            "files or archive. Or a name that timm's dataset factory knows: hfds/REPO (Hugging Face), tfds/NAME, "
            "torch/NAME.",
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            metavar="PX",
            min=4,
            max=2048,
            help="Side to pack pictures at, where they differ in size; best twice what the model will see.",
        ),
    ] = None,
) -> None:
    """Download a dataset, or take it from disk, and pack it for training."""
    lab = open_lab(context, create=True)
    # -P: a folder called engine where the user stands is not ours.
    command = [sys.executable, "-P", "-m", "engine.data", "add", name, "--data-root", str(lab.home / "data")]
    if from_ is not None:
        from engine.recipe import datasets

        known = datasets.is_factory_name(from_)
        command += ["--from", from_ if known else str(Path(from_).expanduser().absolute())]
    if size is not None:
        command += ["--size", str(size)]
    code = _run(command)
    if code == 0:
        say(f"{name} is ready: use it with --set data.dataset={name}")
    raise typer.Exit(code if code >= 0 else 1)  # below zero: a signal


def _run(command: list[str]) -> int:
    """Run to the end. Ctrl-C reaches the child too, which then removes what it has half packed: that is waited for."""
    child = subprocess.Popen(command)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue
