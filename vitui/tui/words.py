"""What is said about a run: short sentences for the lines under the table and over the curves. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.style import Style

from vitui import display, references
from vitui.store import LIVE, WAITING
from vitui.text import cell_width, safe
from vitui.tui import format
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Part, progress

if TYPE_CHECKING:
    from vitui.store import Run
    from vitui.tui.views.run import RunView

SEPARATOR = " · "
LEAST_BAR = 10


def joined(parts: Sequence[Part | None], between: Style) -> list[Part]:
    """Parts with a dot between them; None and empty ones are left out."""
    out: list[Part] = []
    for part in parts:
        if part is not None and part[0]:
            if out:
                out.append((SEPARATOR, between))
            out.append(part)
    return out


def fitted(parts: Sequence[tuple[int, Part | None]], between: Style, width: int) -> list[Part]:
    """As `joined`, but of at most `width` cells: parts with large numbers are left out first."""
    kept = [(rank, part) for rank, part in parts if part is not None and part[0]]
    while kept and sum(cell_width(part[0]) for _, part in kept) + len(SEPARATOR) * (len(kept) - 1) > width:
        last = max(rank for rank, _ in kept)
        if last == 0:
            break
        kept = [item for item in kept if item[0] != last]
    return joined([part for _, part in kept], between)


def state_part(run: Run, p: Palette) -> Part:
    word = run.state
    if run.stop_requested is not None and run.state in LIVE:
        word = "stopping"
    elif run.state == "queued" and run.held:
        word = "held"
    return f"{display.GLYPHS.get(run.state, ' ')} {word}", p.state(run.state)


def identity(run: Run, p: Palette, width: int, *, with_state: bool = True) -> list[Part]:
    """State, name, preset, model, data, device, seed, tags, id: as many as fit in `width` cells."""
    state = [state_part(run, p), ("  ", p.text)] if with_state else []
    parts: list[tuple[int, Part | None]] = [
        (0, (safe(run.name or run.id, 60), p.strong)),
        (2, None if run.name == run.preset else (safe(run.preset, 40), p.text)),
        (4, (safe(run.model, 40) + (f" {display.count(run.params)}" if run.params else ""), p.text)),
        (3, (safe(run.dataset, 30), p.text)),
        (5, (safe(format.short_device(display.device_name(run)), 20), p.text)),
        (7, None if run.seed is None else (f"seed {run.seed}", p.dim)),
        (6, (" ".join("#" + safe(tag, 20) for tag in run.tags), p.key)),
        (1, (run.id, p.dim)),
    ]
    return [*state, *fitted(parts, p.dim, width - sum(cell_width(text) for text, _ in state))]


def reason(run: Run, p: Palette) -> Part | None:
    """Why it waits or how it ended, None where there is nothing to explain."""
    if run.state in WAITING:
        where = f"number {run.position} in the queue" if run.position else "in the queue"
        why = run.reason or ("held" if run.held else "")
        return f"waits, {where}" + (f": {safe(why, 200)}" if why else ""), p.warn
    if run.state in LIVE:
        return ("asked to stop: it finishes the step and writes a checkpoint", p.warn) if run.stop_requested else None
    if run.evidence and run.state != "finished":
        return safe(run.evidence, 300), p.state(run.state)
    return None


def broken(text: str, width: int) -> tuple[str, str]:
    """`text` in two lines: as many whole words as fit in `width` cells, and the rest."""
    if cell_width(text) <= width:
        return text, ""
    end = len(text)
    while end > 0 and cell_width(text[:end]) > width:
        end = text.rfind(" ", 0, end)
    return (text[:end], text[end + 1 :]) if end > 0 else (text, "")


def accuracies(run: Run, p: Palette, width: int, reference: Mapping[str, Any] | None = None) -> list[Part]:
    """Latest, best and final accuracy beside the published one; in narrow places the less telling ones are left out.

    `reference`: as for `versus`.
    """
    metric = safe(run.metric or "top1", 12)
    best = None
    if run.best is not None:
        epoch = f" (epoch {run.best_epoch:g})" if run.best_epoch is not None else ""
        mark = "†" if run.select_is_report else ""
        best = (f"best {format.accuracy(run.best)}{mark}{epoch}", p.good)
    report = None
    if run.report_best is not None:
        report = (f"{safe(run.report_split or 'test', 12)} {format.accuracy(run.report_best)}", p.strong)
        if run.report_last is not None and run.report_last != run.report_best:
            report = (f"{report[0]} (last {format.accuracy(run.report_last)})", p.strong)
    split = f"{metric} on {safe(run.selected_on, 12)}" if run.selected_on else metric
    if run.select_is_report and run.selected_on:
        split += " (selected on it †)"
    measured = run.last is not None or run.best is not None
    none = "no accuracy yet" if run.state in LIVE | WAITING else "no accuracy measured"
    return fitted(
        [
            (3, (split, p.dim)) if measured else (0, (none, p.dim)),
            (2, (f"now {format.accuracy(run.last)}", p.text) if run.last is not None else None),
            (1, best),
            (0, report),
            (1, versus(run, p, reference)),
        ],
        p.dim,
        width,
    )


def versus(run: Run, p: Palette, reference: Mapping[str, Any] | None = None) -> Part | None:
    """The reference value, and how far the run is from it where both are about one metric on one split.

    `reference`: the whole of it, as run.json has it. The row alone does not say what it is about: no difference then.
    """
    if run.reference is None:
        return (f"reference: {safe(run.reference_outcome, 40)}", p.text) if run.reference_outcome else None
    text = f"reference {display.percent(run.reference)}"
    if reference:
        value, _ = references.comparable(run, reference)
        metric, split = str(reference.get("metric") or "top1"), str(reference.get("split") or "test")
        about = [] if metric == run.metric else [safe(metric, 12)]
        if not references.same_split(split, run.report_split):
            about.append(f"on {safe(split, 12)}")
        text += f" {' '.join(about)}" if about else ""
        text += f" ({round(value - run.reference, 2) + 0.0:+.2f})" if value is not None else ""
    return text, p.text


def advance(view: RunView, now: float, width: int, p: Palette) -> list[Part]:
    """The progress line: bar, percent, epoch, step, time left, speed, learning rate, phase."""
    run = view.run
    total, step = run.total_steps, run.step or 0
    part = step / total if total else 0.0
    shown = math.floor(part * 100) if part < 1 else 100
    eta = display.eta_seconds(run)
    took = display.elapsed(run, now)
    phase = view.phase if run.state in LIVE and view.phase not in ("", "training") else ""
    style = p.state(run.state) if run.state not in WAITING else p.dim
    live = run.state in LIVE
    facts = fitted(
        [
            (0, (f"{shown:3d} %", p.strong)),
            (1, (f"epoch {display.progress(run)}", p.text) if run.total_epochs else None),
            (5, (f"step {step:,}/{total:,}", p.text) if total else None),
            (1, (f"{display.duration(eta)} left", p.strong) if eta is not None and live else None),
            (2, (f"{format.rate(run.images_per_s)} img/s", p.text) if run.images_per_s and live else None),
            (4, (f"lr {format.number(view.lr, 3)}", p.text) if view.lr is not None else None),
            (3, (safe(phase, 20), p.warn)),
            (6, (f"{'for' if live else 'took'} {display.duration(took)}", p.dim) if took is not None else None),
        ],
        p.dim,
        width - LEAST_BAR - 1,
    )
    needed = sum(cell_width(text) for text, _ in facts)
    cells = min(max(LEAST_BAR, width - needed - 1), 60)
    return [*progress(part, cells, style, p.dim), (" ", p.text), *facts]
