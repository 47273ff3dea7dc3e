"""What the table of a study says: its columns, its cells in words and signs, the order of its rows. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rich.style import Style

from vitui import display
from vitui.store import LIVE
from vitui.store.series import direction
from vitui.studies.formats.contents import amount, published_text, signed, value_text, words
from vitui.studies.variants import BROKEN, MISSING, RESULTS
from vitui.studies.verdicts import probability
from vitui.text import safe
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Part
from vitui.tui.widgets.table import Column, widest

if TYPE_CHECKING:
    from vitui.query.groups import Stat
    from vitui.studies.report import Report, Row
    from vitui.studies.variants import Cell

NONE: Final = "–"
NO_RUN: Final = "·"
"""Sign of a cell without a run."""
SIGNED_SEEDS: Final = 10
"""So many seeds have a sign each; more are counted."""
SEED: Final = "seed "
"""What the key of a column of one seed begins with."""


def sign(status: str) -> str:
    """One character for the state of a cell."""
    return NO_RUN if status == MISSING else display.GLYPHS.get(status, "?")


def tone(status: str, p: Palette) -> Style:
    return p.dim if status == MISSING else p.state(status)


def summary(counts: Mapping[str, int]) -> str:
    """``12 of 33 done, 3 running, 1 failed``."""
    total = sum(counts.values())
    done = sum(counts.get(status, 0) for status in RESULTS)
    open_ones = ("running", "starting", "queued", "stopped", "failed", "lost", MISSING)
    parts = [f"{done:,} of {total:,} done", *(f"{counts[one]:,} {one}" for one in open_ones if counts.get(one))]
    return ", ".join(parts)


def states_bar(counts: Mapping[str, int], width: int, p: Palette) -> list[Part]:
    """The states of all cells as a bar of `width` cells, readable without colour: what is there has a cell at least."""
    kinds = (
        ("━", p.good, sum(counts.get(one, 0) for one in RESULTS)),
        ("▶", p.state("running"), sum(counts.get(one, 0) for one in LIVE)),
        ("○", p.text, counts.get("queued", 0)),
        ("✗", p.bad, sum(counts.get(one, 0) for one in BROKEN)),
        ("┄", p.dim, counts.get(MISSING, 0)),
    )
    total = sum(n for _, _, n in kinds)
    if not total or width < len(kinds):
        return [("┄" * max(0, width), p.dim)]
    cells = [max(1, math.floor(n / total * width)) if n else 0 for _, _, n in kinds]
    while sum(cells) > width:
        cells[cells.index(max(cells))] -= 1
    largest = max(range(len(kinds)), key=lambda k: kinds[k][2])
    cells[largest] += width - sum(cells)
    return [(character * count, style) for (character, style, _), count in zip(kinds, cells, strict=True) if count]


# -- cells of the table ------------------------------------------------------------------------------------------


def mean(stat: Stat | None, metric: str) -> str:
    """``91.20 ± 0.31``; of one seed its value."""
    if stat is None:
        return ""
    spread = f" ± {amount(stat.deviation, metric)}" if stat.deviation is not None else ""
    return amount(stat.mean, metric) + spread


def value_of(row: Row, metric: str) -> str:
    """The mean; where there is none, what the most telling cell is doing."""
    if row.value is not None:
        return value_text(row, metric)
    first = telling(row)
    return NONE if first is None else f"{sign(first.status)} {first.text}"


def telling(row: Row) -> Cell | None:
    """Of a row without a value, the cell that says most; None where there is no run."""
    order = ("diverged", "running", "starting", "failed", "lost", "stopped", "queued")
    found = (cell for cell in row.cells if cell.status in order)
    return min(found, key=lambda cell: order.index(cell.status), default=None)


def seeds_text(row: Row) -> str:
    """A sign for each seed, ``✓✓▶``; for many of them numbers, ``7/12 ▶2 ✗1``."""
    if len(row.cells) <= SIGNED_SEEDS:
        return "".join(sign(cell.status) for cell in row.cells)
    counts = Counter(cell.status for cell in row.cells)
    others = (f"{sign(status)}{n}" for status, n in counts.items() if status not in ("finished", MISSING))
    return " ".join([f"{counts['finished']}/{len(row.cells)}", *others])


def interval(row: Row, metric: str) -> str:
    """``-0.12 to +0.98``, empty where nothing is known of it."""
    d = row.difference
    if d is None or d.low is None or d.high is None:
        return ""
    return f"{signed(d.low, metric)} to {signed(d.high, metric)}"


def p_text(row: Row) -> str:
    """``0.012``, ``<0.001``; empty where there is no test."""
    p = row.difference.p_adjusted if row.difference is not None else None
    return "" if p is None else probability(p).removeprefix("p ").removeprefix("= ").replace("< ", "<")


def gap_text(row: Row, metric: str) -> str:
    """Above (+) or below (-) the published value; ! where that is more than its tolerance."""
    if row.gap is None:
        return ""
    return f"{'' if row.within else '! '}{signed(row.gap, metric)}"


def verdict_style(row: Row, p: Palette) -> Style:
    """Bold only what stands out; a difference inside the noise never is."""
    if row.stands_out:
        return p.strong
    plain = {"better": p.good, "worse": p.warn, "noise": p.dim, "same": p.dim}
    return plain.get(row.verdict, p.text) + Style(bold=False)


def columns(report: Report, *, wide: bool) -> list[Column]:
    """The columns of the table that have anything to say. `wide`: names get more room."""
    rows = report.rows
    longest = widest([one.label for one in rows], 12, 70)
    head = Column("label", "variant", min(longest, 28 if wide else 18), longest, False)
    seeds = max(6, min(SIGNED_SEEDS, len(report.seeds)) if len(report.seeds) <= SIGNED_SEEDS else 11)
    told = Column("value", f"{report.metric} {report.split}".strip(), 14, 18, about="mean ± std over seeds")
    found = [
        head,
        Column("seeds", "seeds", seeds, right=False, about="a sign for each seed: ✓ done, ▶ runs, … waits, · missing"),
        told,
        Column("difference", "diff", 8, about=f"own mean less that of {safe(report.rows[report.baseline].label, 40)}")
        if any(one.difference for one in rows) else None,
        Column("verdict", "verdict", 20, 74, False, about="what can be said of the difference")
        if any(one.words for one in rows) else None,
        Column("published", "publ.", widest([published_text(one) for one in rows], 7, 20), about="the published value")
        if any(one.published for one in rows) else None,
        Column("gap", "gap", 8, about="own mean less published; ! is more than its tolerance")
        if any(one.gap is not None for one in rows) else None,
        Column("interval", f"{1 - report.alpha:.0%} interval", 16, about="confidence interval of the difference")
        if any(one.difference and one.difference.low is not None for one in rows) else None,
        Column("p", "p", 7, about=f"two-sided, corrected for {report.comparisons} comparisons (Holm)")
        if report.comparisons else None,
        Column("last", "last epoch", 14, about="the same of the weights of the last epoch")
        if any(one.last for one in rows) else None,
        *(Column(key, title, width, about=about) for key, title, width, about, known in _COSTS
          if any(known(one) is not None for one in rows)),
    ]  # fmt: skip
    return [column for column in found if column is not None]


_COSTS: Final[Sequence[tuple[str, str, int, str, Callable[[Row], float | None]]]] = (
    ("time", "time", 7, "of one run, mean over finished ones", lambda row: row.costs.seconds),
    ("params", "params", 7, "parameters", lambda row: row.costs.params),
    ("macs", "MACs", 6, "multiply-adds of one image", lambda row: row.costs.macs),
    ("speed", "img/s", 7, "training images per second", lambda row: row.costs.images_per_s),
    ("memory", "memory", 9, "device memory at most", lambda row: row.costs.memory_bytes),
)


def draw(row: Row, key: str, report: Report, p: Palette) -> Part:
    """A cell of the table."""
    metric, costs = report.metric, row.costs
    match key:
        case "label":
            return row.label, p.text
        case "seeds":
            return seeds_text(row), _worst(row.cells, p)
        case "value" if row.value is None:
            first = telling(row)
            return value_of(row, metric), p.dim if first is None else tone(first.status, p)
        case "value":
            return value_of(row, metric), p.strong if row.stands_out else p.text + Style(bold=False)
        case "difference" if is_baseline(row, report):
            return NONE, p.dim
        case "difference" if row.difference is not None:
            return signed(row.difference.mean, metric), verdict_style(row, p)
        case "verdict":
            return words(row, report), p.dim if is_baseline(row, report) else verdict_style(row, p)
        case "published":
            return published_text(row), p.text
        case "gap":
            return gap_text(row, metric), p.good if row.within else p.warn
        case "interval":
            return interval(row, metric), p.dim
        case "p":
            return p_text(row), p.dim
        case "last":
            return mean(row.last, metric), p.dim
        case "time" if costs.seconds is not None:
            return display.duration(costs.seconds), p.dim
        case "speed" if costs.images_per_s is not None:
            return display.rate(costs.images_per_s), p.dim
        case "memory" if costs.memory_bytes is not None:
            return display.bytes_(costs.memory_bytes), p.dim
        case "params" | "macs":
            value = costs.params if key == "params" else costs.macs
            return display.count(value) if value is not None else "", p.dim
    return "", p.dim


def is_baseline(row: Row, report: Report) -> bool:
    """Whether differences are to this row."""
    return row is report.rows[report.baseline]


def _worst(cells: Sequence[Cell], p: Palette) -> Style:
    """The tone of the cell that most wants to be seen."""
    order = ("failed", "lost", "diverged", "stopped", "running", "starting", "queued", MISSING, "finished")
    status = min((cell.status for cell in cells), key=order.index, default=MISSING)
    return tone(status, p)


# -- cells of the seeds ------------------------------------------------------------------------------------------


def seed_columns(report: Report, *, wide: bool) -> list[Column]:
    """A column for each seed, then their mean."""
    head = columns(report, wide=wide)[0]
    return [
        head,
        *(Column(f"{SEED}{seed}", f"seed {seed}", 12, 30, about=f"the run with seed {seed}")
          for seed in report.seeds),
        Column("value", "mean ± std", 14, about="over the seeds"),
    ]  # fmt: skip


def seed_cell(row: Row, key: str, report: Report, p: Palette) -> Part:
    """One seed of a variant: its value, or a sign and what it is doing."""
    if not key.startswith(SEED):
        return draw(row, key, report, p)
    cell = cell_of(row, key)
    if cell is None:
        return "", p.dim
    if cell.status == "finished":
        return cell.text, p.text
    if cell.status == MISSING:
        return f"{NO_RUN} missing", p.dim
    return f"{sign(cell.status)} {cell.text}", tone(cell.status, p)


def cell_of(row: Row, key: str) -> Cell | None:
    """The cell that a column of seeds shows; None for another column."""
    return next((cell for cell in row.cells if key == f"{SEED}{cell.seed}"), None)


# -- order -------------------------------------------------------------------------------------------------------

_RANK: Final = ("better", "worse", "unsure", "same", "noise", "")
_KNOWN: Final[Mapping[str, Callable[[Row], float | None]]] = {
    "value": lambda row: row.value.mean if row.value else None,
    "difference": lambda row: row.difference.mean if row.difference else None,
    "published": lambda row: row.published.value if row.published else None,
    "gap": lambda row: row.gap,
    "p": lambda row: row.difference.p_adjusted if row.difference else None,
    "last": lambda row: row.last.mean if row.last else None,
    "seeds": lambda row: sum(cell.status in RESULTS for cell in row.cells),
    "verdict": lambda row: _RANK.index(row.verdict),
    **{name: known for name, _, _, _, known in _COSTS},
}
_OF_METRIC: Final = ("value", "difference", "published", "gap", "last")


def better(report: Report | None) -> int:
    """1 where more of the report's metric is better, -1 where less is."""
    return -1 if report is not None and direction(report.metric) < 0 else 1


def falls(key: str, better: int) -> bool:
    """Whether the largest comes first in a column at first: where more is better."""
    return key == "seeds" or (better > 0 and (key in _OF_METRIC or key.startswith(SEED)))


def ordered(rows: Sequence[Row], key: str, *, better: int, reverse: bool) -> list[Row]:
    """By a column, the best first where one is better; rows that say nothing of it last."""
    if key == "label":
        return sorted(rows, key=lambda row: row.label.casefold(), reverse=reverse)
    get = _KNOWN.get(key) or (lambda row: cell.value if (cell := cell_of(row, key)) is not None else None)
    known = [(value, row) for row in rows if (value := get(row)) is not None]
    known.sort(key=lambda pair: pair[0], reverse=falls(key, better) != reverse)
    return [*(row for _, row in known), *(row for row in rows if get(row) is None)]
