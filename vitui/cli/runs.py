"""``vitui runs``: every run."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from vitui.cli.opening import Json, complete_fields, complete_state, open_lab, print_json, say

if TYPE_CHECKING:
    from vitui.cli.listing import Format
    from vitui.store import Brief, Run


SPARE = ("device", "eta", "last", "reference", "age", "test")
"""Columns that a narrow terminal is spared, in this order."""


def add_to(app: typer.Typer) -> None:
    app.command()(runs)


def runs(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORD",
            help="Only runs that have every one of these words in their id, name, preset, model, dataset, state, notes "
            "or tags.",
        ),
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help="Only runs that are queued, starting, running, finished, stopped, diverged, failed or lost; "
            "may be repeated.",
            autocompletion=complete_state,
        ),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", "-a", help="Archived ones too.")] = False,
    limit: Annotated[
        int | None, typer.Option("-n", "--limit", metavar="N", min=1, help="At most this many, the newest.")
    ] = None,
    filter_: Annotated[
        str,
        typer.Option(
            "--filter",
            "-f",
            metavar="EXPR",
            help='Only runs that match, e.g. "acc1>90 and model~swin and tag:paper"; see docs/filters.md.',
        ),
    ] = "",
    sort: Annotated[
        str,
        typer.Option(
            "--sort",
            metavar="FIELD,-FIELD",
            help="Sort by these fields; a minus turns the natural order round.",
            autocompletion=complete_fields,
        ),
    ] = "",
    columns: Annotated[
        str,
        typer.Option(
            "--columns",
            metavar="FIELD,...",
            help="Show these fields: best, optim.lr, train/loss, smooth(val/top1), ...",
            autocompletion=complete_fields,
        ),
    ] = "",
    group: Annotated[
        str,
        typer.Option(
            "--group",
            metavar="FIELD,...",
            help="One line for each group of runs, with means; recipe: the same apart from the seed.",
            autocompletion=complete_fields,
        ),
    ] = "",
    csv: Annotated[bool, typer.Option("--csv", help="CSV on stdout, with all digits.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="A Markdown table on stdout.")] = False,
    json: Json = False,
) -> None:
    """List runs, the newest first.

    State, epochs done, latest and best accuracy on the selecting split, the best epoch's accuracy on the reporting
    split (test), and the reference value beside it. A narrow terminal is spared some of them, a pipe gets all.
    """
    from vitui.display import GLYPHS, age, device_name, duration, eta_seconds, percent, progress
    from vitui.errors import UsageError
    from vitui.store.runs import STATES

    for word in state or ():
        if word not in STATES:
            raise UsageError(f"unknown state {word}; known: {', '.join(STATES)}")
    if json + csv + markdown > 1:
        raise UsageError("--json, --csv and --markdown exclude one another; give one of them")
    lab = open_lab(context)
    gc.disable()  # all rows live until the process ends: looking for rubbish among them is a tenth of the time
    states = set(state) if state else None
    if filter_ or sort or columns or group or csv or markdown:
        from vitui.cli.listing import print_runs, understood

        query = understood(lab, filter_, sort, columns, group)
        form: Format = "json" if json else "csv" if csv else "markdown" if markdown else "table"
        archived = all_ or query.filter.asks_archived
        chosen = lab.runs(states=states, text=" ".join(words or ()), include_archived=archived)
        print_runs(lab, query, chosen, form, limit, whole=not columns)
        return
    found: Sequence[Run | Brief]
    if words or json:
        found = lab.runs(states=states, text=" ".join(words or ()), include_archived=all_, limit=limit)
    else:
        found = lab.briefs(states=states, include_archived=all_, limit=limit)
    if json:
        print_json([run._asdict() for run in found])
        return
    if not found:
        some = lab.runs(limit=1, include_archived=True)
        say("no run matches" if some else "no runs yet: try `vitui demo`, or `vitui presets` and `vitui run PRESET`")
        return
    from vitui.cli.table import print_table

    rows = [
        (
            run.id,
            f"{GLYPHS[run.state]} {run.state}",
            ("★ " if run.star else "") + run.name,
            progress(run),
            percent(run.last),
            percent(run.best) + ("†" if run.select_is_report and run.best is not None else ""),
            percent(run.report_best),
            percent(run.reference),
            duration(eta_seconds(run)) if run.state == "running" else "",
            device_name(run),
            age(run.created),
        )
        for run in found
    ]
    head = ("run", "state", "name", "epoch", "last", "best", "test", "reference", "eta", "device", "age")
    if any(run.select_is_report and run.best is not None for run in found):
        say("† selected on the split it is reported on")
    print_table(
        head, rows, right=("epoch", "last", "best", "test", "reference", "eta", "age"), give="name", spare=SPARE
    )
