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
SIGNS = {"within": "=", "better": "▲", "worse": "▼", "as reported": "=", "not as reported": "≠", "": ""}
"""A sign for each verdict, so that colour alone never carries it."""


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
    done = [one for one in shown if one.has_result]
    inside = sum(1 for one in done if one.within or one.verdict == "as reported")
    if done:
        say(f"{inside} of {len(done)} published results with runs here are reproduced within their tolerance")
    if any(one.mark for one in shown):
        say("† the epoch was picked on the split that is reported, which flatters")
    if len(shown) < len(found):
        say(f"{len(found) - len(shown)} more have no runs here: --all shows what was published")


def _print(shown: Sequence[Score], format: str) -> None:
    if format == "json":
        print_json([asdict(one) | {"name": one.name} for one in shown])
    elif format == "csv":
        _print_csv(shown)
    elif format != "table":
        _print_document(shown, format)
    elif shown:
        from vitui.cli.table import print_table

        rows = [_row(one) for one in shown]
        kept = [at for at, name in enumerate(HEAD) if name == "preset" or any(row[at] for row in rows)]
        head = [HEAD[at] for at in kept]
        print_table(head, [[row[at] for at in kept] for row in rows], right=RIGHT, give="preset", spare=SPARE)


def _row(one: Score) -> tuple[str, ...]:
    from vitui.display import percent, short_device

    value = one.value
    metric = "" if one.metric == "top1" else f", {one.metric}"
    spread = f" ± {value.deviation:.2f}" if value is not None and value.deviation is not None else ""
    error = f" ± {one.error:.2f}" if one.error is not None else ""
    kind = "" if one.kind == "published" else f"{one.kind}: "
    return (
        one.name + metric,
        one.published_text,
        f"{value.n}/{one.runs}" if value is not None and value.n < one.runs else str(one.runs or ""),
        percent(one.best) if one.best is not None else "",
        f"{percent(value.mean)}{spread}{one.mark}" if value is not None else "",
        f"{one.gap:+.2f}{error}" if one.gap is not None else "",
        f"{SIGNS[one.verdict]} {one.words}".strip(),
        ", ".join(short_device(device) for device in one.devices),
        ", ".join(one.selected_on),
        f"{kind}{one.source}",
    )


def _print_csv(shown: Sequence[Score]) -> None:
    from vitui.cli.table import print_csv

    head = (
        "preset", "family", "variant", "sets", "metric", "split", "published", "outcome", "tolerance", "kind", "source",
        "runs", "n", "mean", "std", "best", "best_run", "gap", "gap_error", "within", "verdict", "words", "devices",
        "selected_on", "selected_on_reported",
    )  # fmt: skip
    rows = []
    for one in shown:
        value = one.value
        cells = (
            one.preset, one.family, one.variant, " ".join(one.sets), one.metric, one.split, one.published, one.outcome,
            one.tolerance, one.kind, one.source, one.runs, value.n if value else 0, value.mean if value else None,
            value.deviation if value else None, one.best, one.best_run, one.gap, one.error, one.within, one.verdict,
            one.words, ", ".join(one.devices), ", ".join(one.selected_on), bool(one.mark),
        )  # fmt: skip
        rows.append(["" if cell is None else repr(cell) if isinstance(cell, float) else str(cell) for cell in cells])
    print_csv(head, rows)


def _print_document(shown: Sequence[Score], format: str) -> None:
    """Markdown or LaTeX, as studies have it. Nothing is bold: every line is judged by its own published value."""
    from vitui.studies.formats.latex import document
    from vitui.studies.formats.markdown import piped
    from vitui.studies.formats.tables import Entry, Head, Table

    heads = tuple(Head(name, name, left=name not in RIGHT, wide=name in ("verdict", "source")) for name in HEAD)
    rows = tuple(tuple(Entry(text) for text in _row(one)) for one in shown)
    table = Table("scoreboard", "Published results and own ones", heads, rows, NOTES)
    if format == "md":
        sys.stdout.write(piped(table) + "\n")
    else:
        sys.stdout.write(document([table], "scoreboard", "Reproductions"))


HEAD = ("preset", "published", "n", "best", "mean", "gap", "verdict", "device", "selects", "source")
RIGHT = ("published", "n", "best", "mean", "gap")
NOTES = (
    "mean ± standard deviation over seeds; gap: mean less published ± standard error of the mean, of one run the "
    "binomial one of the evaluation images",
    "† the epoch was picked on the split that is reported, which flatters",
)
