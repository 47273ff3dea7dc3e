"""``vitui study report``: the table with differences and what they mean, its pictures, in any format."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vitui.cli.opening import open_lab, say
from vitui.cli.study.words import StudyName, complete_study, complete_variant, variant_of

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.studies.report import Report

FORMATS = ("table", "md", "csv", "cells", "latex", "json", "html", "svg")
PLOTS = ("curves", "differences", "heat", "search", "compute")
PLOT_CELLS = 100
Writers = Mapping[str, Callable[[], str]]
"""Format -> what makes the text."""


def add_to(app: typer.Typer) -> None:
    app.command()(report)


def report(
    context: typer.Context,
    name: StudyName,
    format: Annotated[
        str,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="table, md, csv (a line for each variant), cells (CSV, one for each seed), latex, json, html or svg "
            "(default: by the ending of --out, else table).",
            autocompletion=lambda: [*FORMATS],
        ),
    ] = "",
    out: Annotated[str, typer.Option("--out", "-o", metavar="FILE", help="Write a file, whole or not at all.")] = "",
    baseline: Annotated[
        str,
        typer.Option(
            metavar="VARIANT",
            help="Variant that differences are to, in place of the study's.",
            autocompletion=complete_variant,
        ),
    ] = "",
    plot: Annotated[
        str,
        typer.Option(
            metavar="PLOT",
            help="Only a picture: curves, differences, heat, search (simulated random search) or compute (accuracy "
            "against compute).",
            autocompletion=lambda: [*PLOTS],
        ),
    ] = "",
    heat: Annotated[
        str,
        typer.Option(
            metavar="VALUES",
            help="Only the heat map of a grid, with own, published or difference in its cells.",
            autocompletion=lambda: ["own", "published", "difference"],
        ),
    ] = "",
    published: Annotated[bool, typer.Option("--published", help="Only what others reported for the variants.")] = False,
    picked: Annotated[
        bool, typer.Option("--picked", help="Only the checkpoints of its upstream study, and which is picked.")
    ] = False,
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key", "-k", metavar="METRIC", help="Curves of this metric, e.g. minival/top1; may be repeated."
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VARIANT",
            help="Curves of these variants; * and ? stand for any letters; may be repeated.",
            autocompletion=complete_variant,
        ),
    ] = None,
    x: Annotated[
        str,
        typer.Option(
            "--x",
            metavar="AXIS",
            help="Across, of search and compute: macs, seconds, images or a field drawn at random.",
        ),
    ] = "",
    by: Annotated[
        str,
        typer.Option(
            metavar="GROUP", help="Groups, of search and compute: start (scratch, transfer), model, none or an axis."
        ),
    ] = "start",
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="STUDY",
            help="Runs of this study, too, in search and compute; may be repeated.",
            autocompletion=complete_study,
        ),
    ] = None,
    upstream: Annotated[
        bool,
        typer.Option("--upstream", help="In search and compute, add what training the weights they start from cost."),
    ] = False,
) -> None:
    """Report a study: mean ± deviation, differences, verdicts, costs.

    Differences to the baseline are paired by seed, with confidence intervals, and p corrected for the number of
    variants. Nothing is bold that is inside the noise; what is not certain says how many more seeds would decide it.
    Beside them stand the published values. docs/studies.md and docs/statistics.md say what to trust.
    """
    from vitui.errors import UsageError

    kinds = [word for word in (plot and "--plot", heat and plot != "heat" and "--heat", published and "--published",
                               picked and "--picked") if word]  # fmt: skip
    if len(kinds) > 1:
        raise UsageError(f"{' and '.join(kinds)} are different parts of a report; choose one")
    if plot and plot not in PLOTS:
        raise UsageError(f"unknown plot {plot}; known: {', '.join(PLOTS)}")
    format = _format(format, out)
    _check(
        plot, not kinds, format, {"--x": x, "--by": by != "start", "--with": with_, "--upstream": upstream}, key, only
    )
    lab = open_lab(context)
    lab.index_study(name)  # the next report need not compose its recipes again
    show = not out and sys.stdout.isatty()
    if picked:
        found: Writers = _picked(lab, name, show)
    elif plot in ("search", "compute"):
        found = _tradeoff(lab, [name, *(with_ or ())], plot, show, axis=x, by=by, upstream=upstream)
    else:
        if baseline:
            variant_of(lab.planned(name), baseline)
        made = lab.study_report(name, baseline)
        if heat or plot == "heat":
            found = _heat(made, heat)
        elif published:
            found = _published(made)
        elif plot == "curves":
            found = _curves(lab, made, key or (), only, show)
        elif plot == "differences":
            found = _differences(made, show)
        else:
            found = _whole(lab, made, key or (), show)
    if format not in found:
        raise UsageError(f"this part of a report is not written as {format}; known: {', '.join(found)}")
    _write(found[format](), out)


def _check(
    plot: str, whole: bool, format: str, across: Mapping[str, object], key: Sequence[str] | None, only: object
) -> None:
    """Raises UsageError for an option that would change nothing in what was asked for."""
    from vitui.errors import UsageError

    if plot not in ("search", "compute") and (stray := next((name for name, told in across.items() if told), "")):
        raise UsageError(f"{stray} is about --plot search and --plot compute")
    if only and plot != "curves":
        raise UsageError("--only is about --plot curves; a report has all variants")
    if key and plot != "curves" and not (whole and format in ("html", "json")):
        raise UsageError("--key is about curves: --plot curves, or a whole report as html or json")


def _format(format: str, out: str) -> str:
    """The format that was asked for, by the ending of the file if by nothing else. Raises UsageError."""
    from vitui.errors import UsageError
    from vitui.studies.formats import ENDINGS

    if format:
        if format not in FORMATS:
            raise UsageError(f"unknown format {format}; known: {', '.join(FORMATS)}")
        return format
    if not out:
        return "table"
    endings = {**ENDINGS, ".svg": "svg"}
    if (ending := Path(out).suffix) not in endings:
        raise UsageError(f"{out} does not say what to write; give --format, or an ending: {', '.join(endings)}")
    return endings[ending]


def _write(text: str, out: str) -> None:
    """To stdout, or to a file that is there as a whole or not at all."""
    from engine.journal import atomic_write
    from vitui.errors import UsageError

    if not out:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        return
    place = Path(out).expanduser()
    if place.is_dir() or not place.parent.is_dir():
        raise UsageError(f"{place} {'is a folder' if place.is_dir() else 'would be in a folder that is not there'}")
    try:
        atomic_write(place, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise UsageError(f"{place} cannot be written: {error.strerror}") from None
    say(f"{place} is written")


def _columns(show: bool) -> int | None:
    return shutil.get_terminal_size().columns if show else None


def _plot_width(show: bool) -> int:
    return min(PLOT_CELLS, shutil.get_terminal_size((PLOT_CELLS, 24)).columns) if show else PLOT_CELLS


def _colours(show: bool) -> bool:
    return show and "NO_COLOR" not in os.environ


# -- parts -------------------------------------------------------------------------------------------------------


def _whole(lab: Lab, made: Report, keys: Sequence[str], show: bool) -> Writers:
    from vitui.studies import bands, formats
    from vitui.studies.formats.html import html
    from vitui.studies.formats.text import text

    def drawn(format: str) -> Callable[[], str]:
        if format == "table":
            return partial(text, made, _columns(show))
        if format == "html":
            return lambda: html(made, bands.overlays(lab, made, keys), _compute_sections(lab, made))
        if format == "json":
            return lambda: formats.FORMATS[format](made, bands.overlays(lab, made, keys))
        return partial(formats.FORMATS[format], made, ())

    return {format: drawn(format) for format in formats.FORMATS}


def _compute_sections(lab: Lab, made: Report) -> list[tuple[str, str]]:
    """Accuracy against compute, of a study that searches or starts from another one; nothing before it has a result."""
    from vitui.errors import UsageError
    from vitui.studies.compute import AUTO, tradeoff
    from vitui.studies.formats import search

    study = made.planned.study
    if study.search is None and study.upstream is None:
        return []
    try:
        found = tradeoff(lab, [made.planned], axis=AUTO)
    except UsageError:
        return []
    return [(title, search.figure(found, kind)) for kind, title in search.KINDS.items()]


def _heat(made: Report, values: str) -> Writers:
    from vitui.studies.formats import HEAT_FORMATS
    from vitui.studies.heat import heat

    found = heat(made, values)
    return {format: partial(write, found, made.title) for format, write in HEAT_FORMATS.items()}


def _published(made: Report) -> Writers:
    from vitui.errors import NotFound
    from vitui.studies.formats import PUBLISHED_FORMATS
    from vitui.studies.formats.published import of

    found = of(made)
    if found is None:
        raise NotFound(f"nothing is published for the variants of study {made.name}")
    return {format: partial(write, found, made.title) for format, write in PUBLISHED_FORMATS.items()}


def _picked(lab: Lab, name: str, show: bool) -> Writers:
    from vitui.studies.formats.picked import PICKED_FORMATS, text
    from vitui.studies.picked import picked_table

    found = picked_table(lab, lab.planned(name))
    told: dict[str, Callable[[], str]] = {format: partial(write, found) for format, write in PICKED_FORMATS.items()}
    return {**told, "table": partial(text, found, _columns(show))}


def _tradeoff(lab: Lab, names: Sequence[str], kind: str, show: bool, *, axis: str, by: str, upstream: bool) -> Writers:
    from vitui.studies.compute import tradeoff, usual_axis
    from vitui.studies.formats import search
    from vitui.studies.formats.search_plots import plot

    studies = [lab.planned(one) for one in dict.fromkeys(names)]
    found = tradeoff(lab, studies, axis=axis or usual_axis(studies[0].study, kind), by=by, upstream=upstream)
    told: dict[str, Callable[[], str]] = {
        format: partial(write, found, kind) for format, write in search.TRADEOFF_FORMATS.items()
    }
    told["table"] = lambda: (
        f"{plot(found, kind, _plot_width(show), colours=_colours(show))}\n{search.text(found, kind, _columns(show))}"
    )
    return told


def _curves(lab: Lab, made: Report, keys: Sequence[str], only: Sequence[str] | None, show: bool) -> Writers:
    from vitui.cli.study.run import chosen
    from vitui.errors import NotFound
    from vitui.studies import bands, plots
    from vitui.studies.formats.json import document

    names = {variant for variant, _ in chosen(made.planned, only)} if only else None
    wanted = keys or bands.default_keys(lab, made)
    if not wanted:
        raise NotFound(f"no run of study {made.name} has curves yet")
    found = [bands.overlay(lab, made, key, only=names) for key in wanted]
    return {
        "table": lambda: "\n\n".join(plots.curves(one, _plot_width(show), _colours(show)) for one in found),
        "json": lambda: document({"study": made.name, "curves": [one.as_json() for one in found]}),
    }


def _differences(made: Report, show: bool) -> Writers:
    from vitui.errors import NotFound
    from vitui.studies import plots

    drawn = plots.forest(made, _plot_width(show), _colours(show))
    if not drawn:
        raise NotFound(
            f"study {made.name} has no difference to draw yet: the baseline and another variant need results"
        )
    return {"table": lambda: drawn}
