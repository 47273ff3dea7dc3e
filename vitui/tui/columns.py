"""Columns of the runs table: what they show, how they sort, and which of them fit. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from vitui import display
from vitui.text import safe
from vitui.tui import format

if TYPE_CHECKING:
    from vitui.store import Run

EPOCH_WIDTH = 9
Tone = Literal["text", "dim", "state", "strong", "good"]


@dataclass(frozen=True)
class Column:
    """One column. `width` in cells (the least one where `grow` is larger); small `priority` stays longest.

    `cell(run, now)` gives the text; `order(run)` what to sort by, None for nothing known (always last).
    """

    key: str
    title: str
    width: int
    priority: int
    cell: Callable[[Run, float], str]
    order: Callable[[Run], Any]
    help: str
    grow: int = 0
    right: bool = False
    tone: Tone = "text"
    descending: bool = False


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _best(run: Run) -> str:
    """Marked where the split that selected is the one that reports."""
    return format.accuracy(run.best) + ("†" if run.select_is_report and run.best is not None else "")


def _reference(run: Run) -> str:
    return display.percent(run.reference) if run.reference is not None else ""


def _epochs(run: Run) -> str:
    """Without the decimal where thousands of epochs leave no room for it."""
    text = display.progress(run)
    if len(text) <= EPOCH_WIDTH or run.epoch is None:
        return text
    return f"{run.epoch:.0f}/{display.epochs(run.total_epochs)}"


def _time_left(run: Run) -> str:
    left = display.eta_seconds(run)
    return "" if left is None else display.duration(left)


def _part(run: Run) -> float | None:
    return run.epoch / run.total_epochs if run.total_epochs and run.epoch is not None else None


def _state(run: Run) -> str:
    word = "held" if run.state == "queued" and run.held else run.state
    if run.stop_requested is not None and run.state in ("starting", "running"):
        word = "stopping"
    return f"{display.GLYPHS.get(run.state, ' ')} {word}"


STATE_ORDER = ("running", "starting", "queued", "diverged", "failed", "lost", "stopped", "finished")

COLUMNS: tuple[Column, ...] = (
    Column("state", "state", 10, 0, lambda r, _: _state(r),
           lambda r: STATE_ORDER.index(r.state) if r.state in STATE_ORDER else None, "state of the run", tone="state"),
    Column("name", "name", 14, 1, lambda r, _: r.name or r.id, lambda r: (r.name or r.id).casefold(),
           "the run's name", grow=32, tone="strong"),
    Column("preset", "preset", 13, 8, lambda r, _: r.preset, lambda r: r.preset.casefold(), "preset it was made from",
           grow=24),
    Column("model", "model", 16, 11, lambda r, _: r.model, lambda r: r.model.casefold(), "model", grow=32, tone="dim"),
    Column("dataset", "dataset", 13, 10, lambda r, _: r.dataset, lambda r: r.dataset.casefold(), "dataset", tone="dim"),
    Column("epoch", "epoch", EPOCH_WIDTH, 2, lambda r, _: _epochs(r), _part, "epochs done of all", right=True,
           descending=True),
    Column("last", "last", 6, 4, lambda r, _: format.accuracy(r.last), lambda r: _finite(r.last),
           "latest accuracy on the selection split, percent", right=True, descending=True),
    Column("best", "best", 7, 3, lambda r, _: _best(r), lambda r: _finite(r.best),
           "best accuracy on the selection split, percent; † where that is also the split reported on", right=True,
           tone="good", descending=True),
    Column("test", "test", 6, 6, lambda r, _: format.accuracy(r.report_best) if r.report_best is not None else "",
           lambda r: _finite(r.report_best), "final accuracy of the best checkpoint on the report split, percent",
           right=True, tone="strong", descending=True),
    Column("ref", "ref", 6, 7, lambda r, _: _reference(r), lambda r: r.reference, "reference accuracy, percent",
           right=True, tone="dim", descending=True),
    Column("eta", "eta", 7, 5, lambda r, _: _time_left(r), display.eta_seconds, "time left at the present speed",
           right=True),
    Column("speed", "img/s", 7, 12, lambda r, _: format.rate(r.images_per_s) if r.images_per_s else "",
           lambda r: r.images_per_s, "training images per second", right=True, descending=True, tone="dim"),
    Column("device", "device", 7, 13, lambda r, _: format.short_device(display.device_name(r)),
           lambda r: display.device_name(r), "where it trains", tone="dim"),
    Column("age", "age", 4, 9, lambda r, now: display.age(r.created, now), lambda r: -r.created,
           "time since it was launched", right=True, tone="dim"),
    Column("id", "id", 18, 14, lambda r, _: r.id, lambda r: r.id, "run id", tone="dim", descending=True),
)  # fmt: skip

BY_KEY = {column.key: column for column in COLUMNS}
GAP = 1
MARK_WIDTH = 2


def layout(width: int, columns: Sequence[Column] = COLUMNS) -> list[tuple[Column, int]]:
    """The columns that fit in `width` cells, in their order, with their widths; growing ones share what is left."""
    left = width - MARK_WIDTH
    chosen: set[str] = set()
    for column in sorted(columns, key=lambda c: c.priority):
        need = column.width + (GAP if chosen else 0)
        if need <= left or not chosen:
            chosen.add(column.key)
            left -= need
        else:
            break  # a less important column must not take the place of a more important one that is too wide
    fitting = [c for c in columns if c.key in chosen]
    widths = {c.key: c.width for c in fitting}
    for column in sorted((c for c in fitting if c.grow > c.width), key=lambda c: c.priority):
        extra = min(max(left, 0), column.grow - column.width)
        widths[column.key] += extra
        left -= extra
    return [(c, widths[c.key]) for c in fitting]


def fit(text: str, width: int, right: bool) -> str:
    """`text`, made safe, in exactly `width` cells."""
    text = safe(text, width)
    from rich.cells import cell_len

    pad = " " * (width - cell_len(text))
    return pad + text if right else text + pad


def arrange(runs: Sequence[Run], key: str, reverse: bool) -> list[Run]:
    """`runs` sorted by a column, its natural direction (large first for accuracies) or the `reverse` of it.

    What has no value comes last either way; equals keep their order.
    """
    column = BY_KEY[key]
    known: list[tuple[Any, Run]] = []
    unknown: list[Run] = []
    for run in runs:
        value = column.order(run)
        if value is None:
            unknown.append(run)
        else:
            known.append((value, run))
    known.sort(key=lambda pair: pair[0], reverse=column.descending != reverse)
    return [run for _, run in known] + unknown
