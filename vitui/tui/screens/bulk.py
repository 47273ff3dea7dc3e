"""Doing one thing to many runs in a thread, and saying honestly what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from vitui.errors import VitError
from vitui.text import safe

if TYPE_CHECKING:
    from vitui.store import Run
    from vitui.tui.app import Severity, VituiApp


def title(runs: Sequence[Run]) -> str:
    """One run by name, more by number."""
    return f"{safe(runs[0].name or runs[0].id, 40)} ({runs[0].id})" if len(runs) == 1 else f"{len(runs)} runs"


def in_bulk(
    app: VituiApp, runs: Sequence[Run], job: Callable[[Run], object], done: str, *, others: int = 0, why: str = ""
) -> None:
    """Do `job` to each of `runs`, then say how many are `done` and what kept the rest; look at the lab at once.

    `others`: chosen runs it does not apply to, `why` in words.
    """

    def work() -> None:
        problems = []
        for run in runs:
            try:
                job(run)
            except VitError as error:
                problems.append(str(error))
            except Exception as error:  # a fault of the lab must not close the window on the other runs
                problems.append(f"{type(error).__name__}: {error}")
        app.poller.wake()
        app.call_from_thread(app.tell, *outcome(runs, problems, done, others, why))

    app.run_worker(work, thread=True, group="lab", exit_on_error=False)


def outcome(runs: Sequence[Run], problems: Sequence[str], done: str, others: int, why: str) -> tuple[str, Severity]:
    """What is said at the end, and how loud: ``3 of 5 runs asked to stop; 2 had already ended``."""
    total, good = len(runs) + others, len(runs) - len(problems)
    severity: Severity = "information" if not problems else "error" if not good else "warning"
    if total == 1:
        return (problems[0] if problems else f"{title(runs)} {done}"), severity
    parts = [f"{total} runs {done}" if good == total else f"{good} of {total} runs {done}"]
    if others:
        parts.append(f"{others} {why}")
    if problems:
        parts.append(problems[0] if len(problems) == 1 else f"{len(problems)} refused, the first: {problems[0]}")
    return "; ".join(parts), severity
