"""Laying other runs over the curves of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vitui import display
from vitui.errors import VitError
from vitui.text import safe
from vitui.tui.screens.base import LabScreen
from vitui.tui.screens.pick import Choice, PickScreen

if TYPE_CHECKING:
    from vitui.store import Run

MOST = 19
"""Runs laid over one: as many as can be compared with it."""
ALONE = "alone"
"""Picked to take them all away."""


class OverlayActions(LabScreen):
    """The action that chooses runs; `overlays` are their ids."""

    run_id: str
    overlays: tuple[str, ...] = ()

    def watch_run(self) -> None:
        raise NotImplementedError

    def remember(self) -> None:
        raise NotImplementedError

    def action_overlay(self) -> None:
        """Choose among the runs of the lab, which are read in a thread."""
        lab = self.vitui.lab

        def work() -> None:
            try:
                runs = lab.runs(include_archived=True)
            except (VitError, OSError) as error:
                self.app.call_from_thread(self.vitui.tell, str(error), "error")
                return
            self.app.call_from_thread(self._choose, runs)

        self.run_worker(work, thread=True, group="overlay", exclusive=True, exit_on_error=False)

    def _choose(self, runs: Sequence[Run]) -> None:
        if not self.is_current:
            return
        own = next((run for run in runs if run.id == self.run_id), None)
        others = nearest(runs, own) if own is not None else []
        if not others:
            self.vitui.tell("no other run has curves yet", "warning")
            return
        choices = [Choice(run.id, run.name or run.id, detail(run, self.vitui.clock())) for run in others]
        if self.overlays:
            choices.insert(0, Choice(ALONE, "this run alone", "take the others away"))
        self.app.push_screen(
            PickScreen("Curves to lay over", choices, self.vitui.palette, many=True, picked=self.overlays), self._chosen
        )

    def _chosen(self, picked: list[str] | None) -> None:
        if picked is None:
            return
        ids = () if ALONE in picked else tuple(picked)
        if len(ids) > MOST:
            self.vitui.tell(f"{len(ids)} runs are too many to tell apart; the first {MOST} are drawn", "warning")
        self.overlays = ids[:MOST]
        self.watch_run()
        self.remember()


def nearest(runs: Sequence[Run], own: Run) -> list[Run]:
    """The others that have been trained: of the same preset and data first, then of the same data, newest first."""

    def place(run: Run) -> tuple[bool, bool]:
        return run.dataset != own.dataset, run.preset != own.preset

    newest = sorted(runs, key=lambda run: run.id, reverse=True)
    return sorted((run for run in newest if run.id != own.id and run.step), key=place)


def detail(run: Run, now: float) -> str:
    """What tells a run from others: result, preset, state, age, id."""
    value = run.report_best if run.report_best is not None else run.best
    parts = [display.percent(value), run.preset, run.state, f"{display.age(run.created, now)} ago", run.id]
    return safe("  ".join(part for part in parts if part), 120)
