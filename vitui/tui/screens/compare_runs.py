"""Which runs are compared, and to which: choosing, taking out, the baseline; kept for the next time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vitui.comparing import MOST
from vitui.tui.screens.base import LabScreen
from vitui.tui.screens.overlaying import detail
from vitui.tui.screens.pick import Choice, PickScreen

if TYPE_CHECKING:
    from vitui.comparing import Comparison


def valid_ids(value: object) -> tuple[str, ...]:
    """Run ids as they were remembered; what is no list of them gives none."""
    if not isinstance(value, list):
        return ()
    return tuple(dict.fromkeys(id for id in value if isinstance(id, str) and id))[:MOST]


class CompareRuns(LabScreen):
    """Holds `run_ids` in their order and `baseline` (None: the first)."""

    run_ids: tuple[str, ...] = ()
    baseline: str | None = None

    @property
    def found(self) -> Comparison | None:
        """The comparison as it was last read."""
        raise NotImplementedError

    @property
    def current_run(self) -> str | None:
        """The run under the column cursor."""
        raise NotImplementedError

    def runs_changed(self) -> None:
        """Other runs, or another baseline: watch them, keep them, show them."""
        raise NotImplementedError

    def choose(self, run_ids: Sequence[str]) -> None:
        """Compare these runs from now on: the first twenty, each once."""
        ids = tuple(dict.fromkeys(run_ids))
        if len(ids) > MOST:
            self.vitui.tell(f"{len(ids)} runs are too many beside each other; the first {MOST} are compared", "warning")
        self.run_ids = ids[:MOST]
        if self.baseline not in self.run_ids:
            self.baseline = None
        if self.is_mounted:
            self.runs_changed()

    def drop(self, run_ids: Sequence[str]) -> None:
        """These are not compared any more."""
        self.choose([id for id in self.run_ids if id not in run_ids])

    def action_choose_runs(self) -> None:
        """Pick among the runs of the list; those that are compared come first, marked."""
        now = self.vitui.clock()
        known = {run.id: run for run in self.vitui.runs_known}
        chosen = [id for id in self.run_ids if id in known]
        order = [*chosen, *(id for id in known if id not in chosen)]
        if not order:
            self.vitui.tell(f"there are no runs yet; launch one first ({self.key('app.go-launch')})", "warning")
            return
        choices = [Choice(id, known[id].name or id, detail(known[id], now)) for id in order]
        title = f"Runs to compare, at most {MOST}"
        self.app.push_screen(PickScreen(title, choices, self.vitui.palette, many=True, picked=chosen), self._picked)

    def _picked(self, picked: list[str] | None) -> None:
        if picked is not None:
            # Archived runs are not in the list; they stay until they are taken out.
            unseen = {id for id in self.run_ids if id not in {run.id for run in self.vitui.runs_known}}
            kept = [id for id in self.run_ids if id in picked or id in unseen]
            self.choose([*kept, *(id for id in picked if id not in kept)])

    def action_take_out(self) -> None:
        if (here := self.current_run) is not None:
            self.drop([here])

    def action_baseline(self) -> None:
        if (here := self.current_run) is not None:
            self.baseline = here
            self.runs_changed()
