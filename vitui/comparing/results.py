"""What the runs achieved and what it took, beside each other, with differences and how sure they are. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vitui import display
from vitui.comparing.facts import RunFacts
from vitui.comparing.judged import Figure, judged, on_reference_split, reference_of
from vitui.comparing.noise import combined, verdict
from vitui.comparing.table import NOTHING, SIGNS, Cell, Row
from vitui.references import same_split, within
from vitui.store.states import LIVE, WAITING

if TYPE_CHECKING:
    from vitui.query.fields import Field

Extra = tuple["Field", Mapping[str, Any]]
"""A metric that was asked for by name, with its value for each run."""


@dataclass(frozen=True)
class Measure:
    """A line of numbers. `show` makes text of one, `change` of a difference (new, old); `better`: 1 more, -1 less."""

    key: str
    title: str
    of: Callable[[RunFacts], Figure | None]
    show: Callable[[float], str]
    change: Callable[[float, float], str]
    better: int = 0
    unit: str = ""
    help: str = ""


def _points(digits: int) -> Callable[[float, float], str]:
    return lambda new, old: signed(new - old, digits)


def signed(difference: float, digits: int) -> str:
    """With its sign; what is rounded to nothing has none: ``+1.20``, ``-0.31``, ``0.00``."""
    text = f"{difference:+.{digits}f}"
    return text if float(text) else text[1:]


def _rounded(difference: float) -> float:
    """Without the digits that only binary arithmetic made."""
    return float(f"{difference:.6g}") if abs(difference) > 1e-9 else 0.0


def _part(new: float, old: float) -> str:
    return f"{signed(100 * (new - old) / old, 0)} %" if old else display.number(new - old, 3)


def _plain(get: Callable[[RunFacts], Any], of: Callable[[RunFacts], str] = lambda _: "") -> Callable[[RunFacts], Any]:
    def figure(facts: RunFacts) -> Figure | None:
        value = get(facts)
        return None if value is None or isinstance(value, str) else Figure(value, of(facts))

    return figure


def _time_taken(facts: RunFacts) -> Figure | None:
    return None if facts.seconds is None else Figure(facts.seconds, whole=facts.run.state == "finished")


def _judged(which: str, metric: str = "") -> Callable[[RunFacts], Figure | None]:
    return lambda facts: judged(facts, which, metric or facts.run.metric or "top1")


_ACCURACY: dict[str, Any] = {"show": display.accuracy, "change": _points(2), "better": 1, "unit": "%"}
_LOSS: dict[str, Any] = {"show": lambda value: display.number(value), "change": _points(4), "better": -1}

MEASURES = (
    Measure("report_best", "{report} {metric}, best epoch", _judged("report_best"), **_ACCURACY,
            help="of the checkpoint that the selecting split picked"),
    Measure("report_last", "{report} {metric}, last epoch", _judged("report_last"), **_ACCURACY),
    Measure("best", "{select} {metric}, best", _judged("best"), **_ACCURACY,
            help="the highest of all evaluations, so it flatters"),
    Measure("last", "{select} {metric}, last", _judged("last"), **_ACCURACY),
    Measure("report_top5", "{report} top5, best epoch", _judged("report_best", "top5"), **_ACCURACY),
    Measure("select_top5", "{select} top5, best epoch", _judged("best", "top5"), **_ACCURACY),
    Measure("report_loss", "{report} loss, best epoch", _judged("report_best", "loss"), **_LOSS),
    Measure("select_loss", "{select} loss, best epoch", _judged("best", "loss"), **_LOSS),
    Measure("train_loss", "training loss, last", _plain(lambda f: f.run.loss), **{**_LOSS, "better": 0},
            help="of the last step alone, with mixing and smoothing of labels in it"),
    Measure("seconds", "time taken", _time_taken, display.duration, _part, -1,
            help="all attempts together, without the time between them"),
    Measure("images_per_s", "images/s", _plain(lambda f: f.speed), display.rate, _part, 1, help="in training, median"),
    Measure("params", "parameters", _plain(lambda f: f.run.params), display.count, _part),
    Measure("trainable_params", "trained parameters", _plain(lambda f: f.run.trainable_params), display.count, _part),
    Measure("macs", "multiply-adds an image", _plain(lambda f: f.model.get("macs")), display.count, _part,
            help="of one forward pass"),
    Measure("memory", "memory peak", _plain(lambda f: f.memory, lambda f: f.memory_kind), display.bytes_, _part, -1),
)  # fmt: skip

KEYS = ("state", "outcome", "epochs", *(measure.key for measure in MEASURES), "reference", "to_reference")
"""Names of all lines, for choosing some of them."""


def result_rows(
    runs: Sequence[RunFacts],
    baseline: int,
    wanted: Sequence[str] | None = None,
    extras: Mapping[str, Extra] | None = None,
) -> tuple[Row, ...]:
    """The lines in order without empty ones; or those in `wanted`, each one of KEYS or a key of `extras`."""
    made = {row.key: row for row in _all(runs, baseline)}
    if wanted is None:
        kept = ("state", "params")
        return tuple(row for row in made.values() if row.key in kept or any(c.text != "–" for c in row.cells))
    for key, (field, values) in (extras or {}).items():
        made[key] = measured(_asked_for(key, field, values), runs, baseline)
    return tuple(made[key] for key in dict.fromkeys(wanted))


def _all(runs: Sequence[RunFacts], baseline: int) -> list[Row]:
    rows = [
        _state(runs),
        _worded("outcome", "outcome", [outcome(facts) for facts in runs]),
        _worded("epochs", "epochs done", [display.progress(facts.run) for facts in runs]),
    ]
    rows += [measured(measure, runs, baseline) for measure in MEASURES]
    return [*rows, _reference_row(runs), _to_reference(runs)]


def outcome(facts: RunFacts) -> str:
    """How it ended, or how far it is: ``NaN at epoch 35``; empty for a finished run."""
    run = facts.run
    if run.state in WAITING:
        return f"waits: {run.reason}" if run.reason else "waits in the queue"
    if run.state in LIVE:
        eta = display.eta_seconds(run)
        return f"{display.duration(eta)} left" if eta is not None else "starting" if run.state == "starting" else ""
    return "" if run.state == "finished" else run.evidence


def _state(runs: Sequence[RunFacts]) -> Row:
    states = [facts.run.state for facts in runs]
    cells = tuple(Cell(f"{display.GLYPHS.get(state, '')} {state}".strip(), state) for state in states)
    return Row("state", "state", cells, len(set(states)) > 1)


def _worded(key: str, title: str, texts: Sequence[str]) -> Row:
    cells = tuple(Cell(text, text) if text else NOTHING for text in texts)
    return Row(key, title, cells, any(text != texts[0] for text in texts))


def _asked_for(key: str, field: Field, values: Mapping[str, Any]) -> Measure:
    def of(facts: RunFacts) -> Figure | None:
        value = values.get(facts.run.id)
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        return Figure(float(value), " ".join(map(str, filter(None, field.on(facts.run)))) if field.on else "")

    return Measure(
        key, key, of, lambda value: display.number(value), lambda new, old: f"{new - old:+.4g}", field.better,
        field.unit, field.help,
    )  # fmt: skip


def measured(measure: Measure, runs: Sequence[RunFacts], baseline: int) -> Row:
    """One line of numbers with its differences to the baseline. Different splits are named, and not subtracted."""
    figures = [measure.of(facts) for facts in runs]
    title, same = _title(measure, runs, figures)
    cells = []
    for figure in figures:
        if figure is None:
            cells.append(NOTHING)
            continue
        text = measure.show(figure.value) + (f" ±{figure.error:.2f}" if figure.error is not None else "")
        text += figure.mark + ("" if same or not figure.of else f" ({figure.of})")
        cells.append(Cell(text, figure.value, figure.error, note=figure.note))
    if (winner := _winner(measure, figures)) is not None:
        cells[winner] = replace(cells[winner], stands_out=True)
    deltas = tuple(_delta(measure, figure, figures[baseline], n == baseline) for n, figure in enumerate(figures))
    values = [None if figure is None else figure.value for figure in figures]
    if measure.better or any(value != values[0] for value in values):
        told = any(cell is not NOTHING for n, cell in enumerate(deltas) if n != baseline)
    else:
        told = False
    return Row(
        measure.key, title, tuple(cells), any(value != values[0] for value in values), measure.unit, measure.help,
        deltas if told else (),
    )  # fmt: skip


def _title(measure: Measure, runs: Sequence[RunFacts], figures: Sequence[Figure | None]) -> tuple[str, bool]:
    """The title, with the split where it is the same in all runs; and whether it is."""
    kinds = {figure.of for figure in figures if figure is not None}
    metrics = {facts.run.metric or "top1" for facts in runs}
    only = next(iter(kinds)) if len(kinds) == 1 else ""
    names = {"metric": next(iter(metrics)) if len(metrics) == 1 else "metric"}
    if "{" in measure.title:
        names |= {"report": only or "reported", "select": only or "selecting"}
        return measure.title.format(**names), len(kinds) < 2
    return measure.title + (f" ({only})" if only else ""), len(kinds) < 2


def _delta(measure: Measure, figure: Figure | None, base: Figure | None, is_base: bool) -> Cell:
    if is_base:
        return Cell("baseline")
    if figure is None or base is None:
        return NOTHING
    if figure.of != base.of:
        return Cell(f"not the same: {figure.of or '?'}, {base.of or '?'}")
    difference = figure.value - base.value
    if not math.isfinite(difference):
        return NOTHING
    error = combined(figure.error, base.error)
    found = verdict(difference, error, measure.better if figure.whole and base.whole else 0)
    text = measure.change(figure.value, base.value) + (f" ±{error:.2f}" if error is not None else "")
    return Cell(f"{text} {SIGNS[found]} {found}" if found else text, _rounded(difference), error, found)


def _winner(measure: Measure, figures: Sequence[Figure | None]) -> int | None:
    """The one that is better than every other by more than could be noise; only where noise can be told."""
    known = [(n, figure) for n, figure in enumerate(figures) if figure is not None and figure.error is not None]
    if len(known) < 2 or len(known) < len(figures) or len({figure.of for _, figure in known}) > 1:
        return None
    best, top = max(known, key=lambda item: item[1].value * measure.better)
    others = [figure for n, figure in known if n != best]
    sure = all(
        verdict(top.value - other.value, combined(top.error, other.error), measure.better) == "better"
        for other in others
    )
    return best if sure else None


def _reference_row(runs: Sequence[RunFacts]) -> Row:
    """What is known of each recipe from elsewhere: a value with its metric and split, or what happened instead."""
    cells = []
    for facts in runs:
        told, source = reference_of(facts), str(facts.reference.get("source", ""))
        if told is not None:
            cells.append(Cell(f"{display.percent(told.value)} {told.split} {told.metric}", told.value, note=source))
        elif outcome := str(facts.reference.get("outcome") or ""):
            cells.append(Cell(outcome, outcome, note=source))
        else:
            cells.append(NOTHING)
    return Row("reference", "reference", tuple(cells), any(cell.text != cells[0].text for cell in cells))


def _to_reference(runs: Sequence[RunFacts]) -> Row:
    """Each run's own value less its reference, only on the same split and metric; else which split is missing."""
    cells = []
    for facts in runs:
        told = reference_of(facts)
        if told is None:
            cells.append(NOTHING)
            continue
        own = on_reference_split(facts, told)
        if own is None or not math.isfinite(own.value):
            here = facts.run.report_split or facts.run.selected_on
            why = f"reported on {here} here" if here and not same_split(here, told.split) else "no value yet"
            cells.append(Cell(f"no {told.metric} on {told.split}: {why}" if here else "no value yet"))
            continue
        difference = own.value - told.value
        text = signed(difference, 2) + (f" ±{own.error:.2f}" if own.error is not None else "")
        if within(difference, told.tolerance):
            word = f"= within {told.tolerance:g}"
            found = "same"
        else:
            found = verdict(difference, own.error, told.better)
            word = f"{SIGNS[found]} {found}" if found else ""
        cells.append(Cell(f"{text}{own.mark} {word}".rstrip(), _rounded(difference), own.error, found, note=own.note))
    return Row("to_reference", "own less reference", tuple(cells), any(c.text != cells[0].text for c in cells), "%",
               "on the reference's split and metric; = : inside the tolerance it states")  # fmt: skip
