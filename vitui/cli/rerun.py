"""``vitui rerun``: the recipe of a run once more, as a new run."""

from __future__ import annotations

from typing import Annotated

import typer

from vitui.cli.opening import Json, RunId, Sets, Toggles, open_lab, print_json, say


def add_to(app: typer.Typer) -> None:
    app.command()(rerun)


def rerun(
    context: typer.Context,
    run: RunId,
    seeds: Annotated[
        str,
        typer.Option(
            metavar="SEEDS", help="0,1,2: a run for each; 3: three from its own on; '3 more': three nobody has used."
        ),
    ] = "",
    toggle: Toggles = None,
    set_: Sets = None,
    name: Annotated[str, typer.Option(metavar="TEXT", help="What it is called (default: as before).")] = "",
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="auto, cpu, gpu, gpu:N or a GPU's UUID (default: as before).")
    ] = "",
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="TAG", help="Its tags instead of the old ones; may be repeated."),
    ] = None,
    note: Annotated[str, typer.Option(metavar="TEXT", help="Anything to remember.")] = "",
    question: Annotated[str, typer.Option(metavar="TEXT", help="What it is to find out (default: as before).")] = "",
    json: Json = False,
) -> None:
    """Launch the recipe of a run again, as it was or changed.

    Prints the new run ids, one a line. All of them are queued, or none.
    """
    lab = open_lab(context)
    run_ids = lab.rerun(
        lab.resolve(run), seeds, switches=toggle or (), sets=set_ or (), name=name, device=device, tags=tag, notes=note,
        question=question, tell=say,
    )  # fmt: skip
    if json:
        print_json({"runs": run_ids})
    else:
        print("\n".join(run_ids), flush=True)
