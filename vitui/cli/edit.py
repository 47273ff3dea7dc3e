"""``vitui edit``: what people say about a run."""

from __future__ import annotations

from typing import Annotated

import typer

from vitui.cli.opening import RunIds, open_lab, resolve_all


def add_to(app: typer.Typer) -> None:
    app.command()(edit)


def edit(
    context: typer.Context,
    run: RunIds,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="New name.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="Add a tag; may be repeated.")] = None,
    untag: Annotated[
        list[str] | None, typer.Option("--untag", metavar="TAG", help="Remove a tag; may be repeated.")
    ] = None,
    note: Annotated[str | None, typer.Option("--note", metavar="TEXT", help="Replace the note.")] = None,
    star: Annotated[bool | None, typer.Option("--star/--no-star", help="Mark with a star, or take it away.")] = None,
    archive: Annotated[
        bool | None, typer.Option("--archive/--no-archive", help="Leave out of listings, or take in again.")
    ] = None,
) -> None:
    """Change a run's name, tags, note, star or archive mark.

    Kept in the run directory and in the database.
    """
    from vitui.errors import UsageError

    if all(option is None for option in (name, tag, untag, note, star, archive)):
        raise UsageError("nothing to change: give --name, --tag, --untag, --note, --star or --archive")
    lab = open_lab(context)
    for run_id in resolve_all(lab, run):
        if name is not None:
            lab.set_name(run_id, name)
        if tag or untag:
            lab.set_tags(run_id, (set(lab.run(run_id).tags) | set(tag or ())) - set(untag or ()))
        if note is not None:
            lab.set_notes(run_id, note)
        if star is not None:
            lab.set_star(run_id, star)
        if archive is not None:
            lab.set_archived(run_id, archive)
