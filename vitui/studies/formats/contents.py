"""What a study's report says, in tables and sentences that every format writes: results, each seed, costs. Pure.

Columns that are empty in all rows are left out, rows never.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from vitui import display
from vitui.comparing.table import SIGNS as COMPARED
from vitui.comparing.table import Note
from vitui.references import title_of
from vitui.store.series import direction
from vitui.studies.differences import EVALUATION
from vitui.studies.formats.tables import Entry, Head, Table
from vitui.studies.reported import document_of
from vitui.studies.variants import MISSING
from vitui.text import cell_width

if TYPE_CHECKING:
    from vitui.studies.report import Report, Row
    from vitui.studies.variants import Cell

SIGNS: Final = {**COMPARED, "unsure": "?"}
"""A sign for each verdict, so that colour alone never carries it."""
TOLD: Final = {
    "better": "better", "worse": "worse", "same": "the same", "noise": "within noise", "unsure": "undecided",
}  # fmt: skip
"""Verdicts in a word or two."""
MOST_SOURCES = 12
BASE_CELLS = 16
"""A longer name of the baseline does not head the column of differences to it."""
MOST_SEEDS = 4
"""Seeds that a sentence names; of more it says how many."""


def amount(value: float | None, metric: str) -> str:
    """A value of a metric: two decimals for percent, four digits for a loss, a dash for None."""
    return display.number(value) if metric == "loss" else display.percent(value)


def signed(value: float, metric: str) -> str:
    """A difference with its sign; one that is rounded to nothing has none."""
    shown = amount(abs(value), metric)
    return shown if not float(shown) else f"{'-' if value < 0 else '+'}{shown}"


def heading(report: Report) -> str:
    """``top-1 on test, %``."""
    title = title_of(report.metric) + (f" on {report.split}" if report.split else "")
    return f"{title}, {report.unit}" if report.unit else title


def results(report: Report) -> Table:
    """The main table: a row for each variant."""
    level = f"{1 - report.alpha:.0%} interval".replace("%", " %")
    base = report.rows[report.baseline].label if report.rows else ""
    base = base if cell_width(base) <= BASE_CELLS else "baseline"
    spread = any(row.value is not None and row.value.n > 1 for row in report.rows)
    told: list[tuple[Head, Callable[[Row], str]]] = [
        (Head("variant", "variant", left=True), lambda row: row.label),
        (Head("n", "n"), lambda row: str(row.value.n) if row.value else "0"),
        (Head("value", heading(report)), lambda row: value_text(row, report.metric)),
        (Head("best", "best seed"), lambda row: _best(row, report.metric) if spread else ""),
        (Head("last", "last epoch"), lambda row: _last(row, report.metric)),
        (Head("difference", f"less {base}"), lambda row: difference_text(row, report)),
        (Head("interval", level), lambda row: _interval(row, report.metric)),
        (Head("p", "p (Holm)"), _p),
        (Head("published", "published"), lambda row: published_text(row)),
        (Head("gap", "less published"), lambda row: gap_text(row)),
        (Head("open", "other seeds", left=True, wide=True), lambda row: without_value(row, report.seeds)),
        (Head("words", "verdict", left=True, wide=True), lambda row: words(row, report)),
    ]
    return _table("results", "Results", told, report.rows, bold="value")


def _table(
    key: str, title: str, told: Sequence[tuple[Head, Callable[[Row], str]]], rows: Sequence[Row], bold: str = ""
) -> Table:
    """Columns that say something in any row; the first stays in any case."""
    columns = [(head, [of(row) for row in rows]) for head, of in told]
    kept = [(head, texts) for n, (head, texts) in enumerate(columns) if n == 0 or any(texts)]
    return Table(
        key,
        title,
        tuple(head for head, _ in kept),
        tuple(
            tuple(Entry(texts[n], row.stands_out and head.key == bold) for head, texts in kept)
            for n, row in enumerate(rows)
        ),
    )


def value_text(row: Row, metric: str) -> str:
    """Mean ± deviation over seeds; of one seed with its binomial error in brackets; without a value, what there is."""
    if row.value is None:
        texts = {cell_text(cell) for cell in row.cells}
        if row.diverged == len(row.cells) and len(texts) > 1:
            return "NaN" if all("NaN" in text for text in texts) else "diverged"
        return texts.pop() if len(texts) == 1 else "–"
    shown = amount(row.value.mean, metric)
    if row.value.deviation is not None:
        shown += f" ± {amount(row.value.deviation, metric)}"
    elif row.error is not None:
        shown += f" (± {amount(row.error, metric)})"
    return f"{shown} {row.mark}".rstrip()


def cell_text(cell: Cell) -> str:
    """What a cell is, in words where it is not a value."""
    return (MISSING if cell.status == MISSING else f"{cell.status}, not measured") if cell.text == "–" else cell.text


def without_value(row: Row, seeds: Sequence[int]) -> str:
    """``seed 1: failed at epoch 1.5; seeds 2, 3: missing``; empty where the value says the same of all."""
    lacking = [cell for cell in row.cells if cell.value is None]
    grouped: dict[str, list[int]] = {}
    for cell in lacking:
        grouped.setdefault(cell_text(cell), []).append(cell.seed)
    if not lacking or (len(lacking) == len(row.cells) and len(grouped) == 1):
        return ""
    return "; ".join(f"{_named(some, len(seeds))}: {text}" for text, some in grouped.items())


def _named(seeds: Sequence[int], total: int) -> str:
    if len(seeds) > MOST_SEEDS:
        return f"{len(seeds)} of {total} seeds"
    return f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"


def _best(row: Row, metric: str) -> str:
    if row.value is None:
        return ""
    return amount(row.value.least if direction(metric) < 0 else row.value.most, metric)


def _last(row: Row, metric: str) -> str:
    if row.last is None:
        return ""
    shown = amount(row.last.mean, metric)
    return shown if row.last.deviation is None else f"{shown} ± {amount(row.last.deviation, metric)}"


def difference_text(row: Row, report: Report) -> str:
    """``+0.52 ▲``; of the baseline ``baseline`` once there is any difference to it."""
    if row is report.rows[report.baseline]:
        return "baseline" if any(other.difference for other in report.rows) else ""
    if row.difference is None:
        return ""
    return f"{signed(row.difference.mean, report.metric)} {SIGNS.get(row.verdict, '')}".rstrip()


def _interval(row: Row, metric: str) -> str:
    found = row.difference
    if found is None or found.low is None or found.high is None:
        return ""
    shown = f"{signed(found.low, metric)}, {signed(found.high, metric)}"
    return f"({shown})" if found.kind == EVALUATION else f"[{shown}]"


def _p(row: Row) -> str:
    p = row.difference.p_adjusted if row.difference is not None else None
    return "" if p is None else "<0.001" if p < 0.001 else f"{p:.2g}"


def published_text(row: Row) -> str:
    """The published value, with its kind where it is from a reproduction or a draft."""
    if row.published is None:
        return ""
    return row.published.text + ("" if row.published.kind == "published" else f" ({row.published.kind})")


def gap_text(row: Row) -> str:
    """``-0.30 within 0.5``: own mean less the published value, and whether that is inside its tolerance."""
    if row.gap is None or row.published is None:
        return ""
    place = "within" if row.within else "outside"
    return f"{signed(row.gap, row.published.metric)} {place} {row.published.tolerance:g}"


def words(row: Row, report: Report) -> str:
    """The verdict in a sentence, with its sign."""
    if row is report.rows[report.baseline]:
        told = any(other.words for other in report.rows if other is not row)
        return "; ".join(part for part in ("baseline" if told else "", row.words) if part)
    return f"{SIGNS.get(row.verdict, '')} {row.words}".strip()


def every_seed(report: Report) -> Table | None:
    """A column for each seed; None where there is one, which the results have."""
    if len(report.seeds) < 2:
        return None
    heads = (Head("variant", "variant", left=True), *(Head(f"seed {n}", f"seed {n}") for n in report.seeds))
    rows = tuple((Entry(row.label), *(Entry(cell_text(cell)) for cell in row.cells)) for row in report.rows)
    return Table("seeds", f"Every seed: {heading(report)}", heads, rows)


def costs(report: Report) -> Table | None:
    """What variants cost; None where nothing is known of it."""
    told: list[tuple[Head, Callable[[Row], str]]] = [
        (Head("variant", "variant", left=True), lambda row: row.label),
        (Head("seconds", "time of a run"), lambda row: _known(row.costs.seconds, display.duration)),
        (Head("params", "parameters"), lambda row: _known(row.costs.params, display.count)),
        (Head("macs", "MACs"), lambda row: _known(row.costs.macs, display.count)),
        (Head("images_per_s", "images/s"), lambda row: _known(row.costs.images_per_s, display.rate)),
        (Head("memory", "memory"), lambda row: _known(row.costs.memory_bytes, display.bytes_)),
    ]
    found = _table("costs", "Costs", told, report.rows)
    return found if len(found.heads) > 1 else None


def _known(value: float | None, how: Callable[[float], str]) -> str:
    return "" if value is None or not math.isfinite(value) else how(value)


def tables(report: Report) -> list[Table]:
    """Results, every seed, costs: those that there are."""
    return [table for table in (results(report), every_seed(report), costs(report)) if table is not None]


def summary(report: Report) -> str:
    """``Compared with base: 1 better, 4 within noise, 1 without a result.``"""
    others = [row for n, row in enumerate(report.rows) if n != report.baseline]
    if not any(cell.value is not None for row in report.rows for cell in row.cells):
        return "No run has a result yet." if report.rows else ""
    if not others:
        return ""
    base = report.rows[report.baseline]
    if base.value is None:
        done = sum(row.value is not None for row in others)
        return f"{base.label}, the baseline, has no result: {done} of {len(others)} variants with one are not compared."
    counts = Counter(row.verdict for row in others)
    said = [f"{counts[verdict]} {text}" for verdict, text in TOLD.items() if counts[verdict]]
    if counts[""]:
        said.append(f"{counts['']} without a result to compare")
    return f"Compared with {base.label}: {', '.join(said)}."


def about(report: Report) -> list[str]:
    """What was asked, what came out, and of when that is."""
    done = report.counts.get("finished", 0) + report.counts.get("diverged", 0)
    total = sum(report.counts.values())
    seeds = f"{len(report.seeds)} seed{'s' * (len(report.seeds) != 1)}"
    made = f"Study {report.name}, {len(report.rows)} variants x {seeds}, {done} of {total} runs ended with a result"
    if moment := display.moment(report.made_at, "%Y-%m-%d %H:%M") if report.made_at else "":
        made += f", as of {moment}"
    return [part for part in (report.planned.study.question.strip(), summary(report), f"{made}.") if part]


def notes(report: Report) -> list[Note]:
    """The notes of the report, and what signs of these formats mean."""
    found = list(report.notes)
    if any(row.difference is not None and row.difference.kind == EVALUATION for row in report.rows):
        found.append(Note("in brackets (): of one seed, what the number of evaluation images alone leaves unsure"))
    return found


def sources(report: Report) -> list[str]:
    """Documents and tables that the published values are from, each once."""
    told = (row.published.source for row in report.rows if row.published and row.published.source)
    found = list(dict.fromkeys(map(document_of, told)))
    more = len(found) - MOST_SOURCES
    return found if more <= 0 else [*found[:MOST_SOURCES], f"and {more} more, which CSV and JSON name"]
