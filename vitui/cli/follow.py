"""Watching one run from a plain terminal or a pipe: a line for each event, a plot and a summary at the end."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from vitui.cli.opening import say
from vitui.display import GLYPHS, count, device_name, duration, epochs, eta_seconds, percent, progress
from vitui.exporting.loading import loading

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.store import Run
    from vitui.store.metrics import Event

POLL_SECONDS = 0.2
HEARTBEAT_SECONDS = 10.0
TEND_SECONDS = 2.0


def follow(lab: Lab, run_id: str, *, after: int = -1) -> int:
    """Print what happens to a run until it ends. Returns 0 for finished and stopped, 1 for failed, diverged and lost.

    `after`: number (`Event.seq`) of the event behind which to begin. Ctrl-C ends the watching, never the training.
    """
    try:
        return _follow(lab, run_id, after)
    except KeyboardInterrupt:
        say(f"\nnot watching any more; run {run_id} goes on (`vitui logs -f {run_id}`, `vitui stop {run_id}`)")
        return 130


def _follow(lab: Lab, run_id: str, seen: int) -> int:
    from vitui.store.runs import ENDED

    reason = ""
    spoke = tended = time.monotonic()
    token = None
    while True:
        # The token is read before the rows: a change in between is then seen at the next turn.
        newer = lab.changes_token()
        if newer != token:
            token = newer
            run = lab.run(run_id)
            if run.state == "queued" and run.reason and run.reason != reason:
                reason = run.reason
                _print(f"waiting: {reason}")
            for event in lab.events(run_id):
                if event.seq > seen:
                    seen = event.seq
                    if line := _line(event, run):
                        _print(line)
                        spoke = time.monotonic()
            if run.state in ENDED:
                return _finish(lab, run)
        if run.state == "running" and run.step and time.monotonic() - spoke > HEARTBEAT_SECONDS:
            spoke = time.monotonic()
            _print(_progress(run))
        if time.monotonic() - tended > TEND_SECONDS:  # a worker that was killed meanwhile would never tell
            tended = time.monotonic()
            lab.tend()
        time.sleep(POLL_SECONDS)


def _print(text: str) -> None:
    from vitui.text import safe

    print(safe(text), flush=True)


def _progress(run: Run) -> str:
    parts = [f"epoch {progress(run)}", f"step {run.step}/{run.total_steps}"]
    if run.loss is not None:
        parts.append(f"loss {run.loss:.4f}")
    if run.images_per_s:
        parts.append(f"{count(run.images_per_s)} images/s")
    parts.append(f"{duration(eta_seconds(run))} to go")
    return "  ".join(parts)


def _line(event: Event, run: Run) -> str:
    data = event.data
    match event.kind:
        case "started":
            return f"started on {data.get('host')} ({data.get('device')}), attempt {event.attempt}"
        case "phase":
            return f"{data.get('name')}…"
        case "model":
            part = data.get("trainable_params")
            trained = f" ({count(part)} trained)" if part not in (None, data.get("params")) else ""
            return (
                f"model {data.get('name')}: {count(data.get('params'))} parameters{trained}, "
                f"{count(data.get('macs'))} MACs"
            )
        case "data":
            return (
                f"data {data.get('dataset')}: {data.get('train_images')} training images, best epoch picked on "
                f"{data.get('select_images')} {data.get('select_split')} images, result reported on "
                f"{data.get('report_images')} {data.get('report_split')} images"
            )
        case "eval":
            values = data.get("values", {})
            shown = "  ".join(f"{key} {_number(values[key], 4 if key == 'loss' else 2)}" for key in values)
            weights = " ema" if data.get("weights") == "ema" else ""
            if data.get("role") != "select":
                which = "best" if data.get("role") == "report-best" else "last"
                return f"{which} epoch on {data.get('split')}{weights}: {shown}"
            loss = f"train loss {run.loss:.4f}  " if run.loss is not None else ""
            return (
                f"epoch {_number(event.epoch)}/{epochs(run.total_epochs)}  {loss}{data.get('split')}{weights} {shown}"
            )
        case "resumed":
            return (
                f"resumed at step {event.step}, epoch {_number(event.epoch)}"
                if event.step
                else "starting from the beginning"
            )
        case "warning":
            return f"warning: {data.get('message')}"
        case "nonfinite":
            return f"step {event.step}: {data.get('what')} is not finite, the update is skipped"
        case _:
            return ""


def _number(value: Any, digits: int | None = None) -> str:
    """A number of the journal, where NaN and infinities are words, with so many digits or as short as it goes."""
    if not isinstance(value, int | float):
        return "–" if value is None else str(value)
    return f"{value:g}" if digits is None else f"{value:.{digits}f}"


def _finish(lab: Lab, run: Run) -> int:
    from vitui.cli.plot import plot_run

    if plot := plot_run(lab, run.id):
        print(plot)
    print_summary(lab, run)
    return 0 if run.state in ("finished", "stopped") else 1


def reference_words(run: Run) -> str:
    """The published value, or what happened instead of one, and where that is written; empty without a reference."""
    found = percent(run.reference) if run.reference is not None else run.reference_outcome
    return f"{found} ({run.reference_source})" if found else ""


def print_summary(lab: Lab, run: Run) -> None:
    """How a run ended, its results beside the published one, and where its files are."""
    _print(f"{GLYPHS[run.state]} {run.state}: {run.name} ({run.id}) on {device_name(run)}")
    if run.evidence:
        _print(f"  {run.evidence}")
    if run.best is not None:
        marked = ", selected on the split it is reported on" if run.select_is_report else ""
        _print(f"  best  {run.selected_on} {run.metric} {percent(run.best)} at epoch {_number(run.best_epoch)}{marked}")
    if run.last is not None:
        _print(f"  last  {run.selected_on} {run.metric} {percent(run.last)}")
    if run.report_best is not None:
        _print(
            f"  {run.report_split}  {run.metric} {percent(run.report_best)} (best epoch), "
            f"{percent(run.report_last)} (last epoch)"
        )
    if reference := reference_words(run):
        _print(f"  reference {reference}")
    folder = lab.run_dir(run.id)
    _print(f"  files {folder.path}")
    if folder.model.exists():
        _print(f"  load  {loading(folder.model)}")
    sys.stdout.flush()
