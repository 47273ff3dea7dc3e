"""Which runs have ended since the last look, whatever is on the screen. Used by the poller's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitui import display
from vitui.errors import NotFound
from vitui.store import ENDED, LIVE, WAITING
from vitui.text import safe
from vitui.tui import format

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.store import Run

ALARMS = frozenset({"diverged", "failed", "lost"})


class Ends:
    """Looks at live and waiting runs alone, and only when the database has changed."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._token: int | None = None
        self._active: set[str] | None = None

    def read(self) -> list[Run]:
        """Runs that waited or trained at the last look and have ended; none at the first."""
        token = self._lab.changes_token()
        if token == self._token:
            return []
        active = {run.id for run in self._lab.runs(states=LIVE | WAITING, include_archived=True)}
        gone = sorted((self._active or set()) - active)
        self._token, self._active = token, active
        ended = []
        for run_id in gone:
            try:
                run = self._lab.run(run_id)
            except NotFound:  # deleted meanwhile
                continue
            if run.state in ENDED:
                ended.append(run)
        return ended


def sentence(run: Run) -> str:
    """What is said about a run that has ended."""
    name = f"{display.GLYPHS.get(run.state, '')} {safe(run.name or run.id, 40)}"
    if run.state == "finished":
        value = run.report_best if run.report_best is not None else run.best
        where = run.report_split if run.report_best is not None else run.selected_on
        result = f": {safe(run.metric, 12)} {format.accuracy(value)} on {safe(where, 12)}" if value is not None else ""
        return f"{name} has finished{result}"
    best = f"; best {format.accuracy(run.best)}" if run.best is not None and "best" not in run.evidence else ""
    if run.evidence.startswith(run.state):  # "stopped at epoch 3": need not be said twice
        return f"{name}: {safe(run.evidence, 160)}{best}"
    why = f": {safe(run.evidence, 160)}" if run.evidence else ""
    return f"{name} {'is' if run.state == 'lost' else 'has'} {run.state}{why}{best}"
