"""Stopping and resuming from any screen: which runs it applies to, the question, the doing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from vitui.store import LIVE, RESUMABLE, WAITING
from vitui.text import safe
from vitui.tui.screens.ask import AskScreen

if TYPE_CHECKING:
    from vitui.store import Run
    from vitui.tui.app import VituiApp


def title(runs: Sequence[Run]) -> str:
    """One run by name, more by number."""
    return f"{safe(runs[0].name or runs[0].id, 40)} ({runs[0].id})" if len(runs) == 1 else f"{len(runs)} runs"


def stop(app: VituiApp, runs: Sequence[Run]) -> None:
    """Ask, then stop those of `runs` that wait or train."""
    targets = [run for run in runs if run.state in LIVE | WAITING]
    if not targets:
        app.tell(f"{title(runs)}: already ended, nothing to stop" if runs else "no run to stop", "warning")
        return
    waiting = sum(run.state in WAITING for run in targets)
    if waiting == len(targets):
        detail = "Not started yet: taken out of the queue; resume puts it back."
    else:
        detail = "Finishes the step, writes a checkpoint, ends; resume goes on from there."

    def answered(yes: bool | None) -> None:
        if yes:
            app.carry_out(f"asked to stop: {title(targets)}", [partial(app.lab.stop, run.id) for run in targets])

    app.push_screen(AskScreen(f"Stop {title(targets)}?", detail, app.palette), answered)


def resume(app: VituiApp, runs: Sequence[Run]) -> None:
    """Queue those of `runs` again that ended without finishing."""
    targets = [run for run in runs if run.state in RESUMABLE]
    if not targets:
        reason = "only a stopped, diverged, failed or lost run can be resumed"
        app.tell(f"{title(runs)}: {reason}" if runs else "no run to resume", "warning")
        return
    app.carry_out(f"queued to resume: {title(targets)}", [partial(app.lab.resume, run.id) for run in targets])
