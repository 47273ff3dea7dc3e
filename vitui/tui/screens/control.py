"""What can be done to runs from any screen that shows some: stop, resume, rerun, clone, compare, copy, delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from vitui import display
from vitui.errors import UsageError, VitError
from vitui.store import LIVE, RESUMABLE, WAITING
from vitui.tui import words
from vitui.tui.actions import Action, key_of
from vitui.tui.screens.ask import AskScreen
from vitui.tui.screens.bulk import in_bulk, title
from vitui.tui.screens.labelling import LabelActions
from vitui.tui.screens.pick import Choice, PickScreen
from vitui.tui.screens.prompt import PromptScreen

if TYPE_CHECKING:
    from vitui.store import Run
    from vitui.tui.app import VituiApp

ON_RUNS = frozenset(
    f"run.{name}"
    for name in (
        "stop",
        "resume",
        "rerun",
        "clone",
        "note",
        "tags",
        "name",
        "star",
        "archive",
        "delete",
        "compare",
        "copy",
    )
)
"""Actions that need a run."""


class RunActions(LabelActions):
    """The actions on the chosen runs, for every screen that has some: implement `chosen`."""

    def chosen_states(self) -> frozenset[str]:
        """The states that the chosen runs are in."""
        return frozenset(run.state for run in self.chosen())

    def why_not(self, action: Action) -> str:
        if action.id not in ON_RUNS:
            return super().why_not(action)
        states = self.chosen_states()
        if not states:
            return "there is no run here"
        if action.id == "run.stop" and not states & (LIVE | WAITING):
            return "already ended, nothing to stop"
        if action.id == "run.resume" and not states & RESUMABLE:
            return "only a stopped, diverged, failed or lost run can be resumed"
        if action.id == "run.delete" and states <= LIVE | WAITING:
            return "only what has ended can be deleted; stop it first"
        return super().why_not(action)

    def action_stop(self) -> None:
        stop(self.vitui, self.chosen())

    def action_resume(self) -> None:
        resume(self.vitui, self.chosen())

    def action_compare(self) -> None:
        from vitui.comparing import LEAST, MOST

        runs = self.some()
        if LEAST <= len(runs) <= MOST:
            self.vitui.compare([run.id for run in runs])
        elif runs:
            mark = key_of("runs.mark", self.vitui.actions)
            more = f"; {len(runs)} are chosen" if len(runs) > MOST else ""
            self.vitui.tell(f"mark {LEAST} to {MOST} runs in the list ({mark}), then compare them{more}", "warning")

    def action_clone(self) -> None:
        runs = self.some()
        if len(runs) > 1:
            self.vitui.tell(f"{len(runs)} runs are chosen; one at a time can be edited into a new one", "warning")
        elif runs:
            self.vitui.start_from(runs[0].id)

    # -- again ---------------------------------------------------------------------------------------------------

    def action_rerun(self) -> None:
        from vitui.rerunning import check_seeds

        runs = self.some()
        if not runs:
            return

        def check(text: str) -> str:
            try:
                check_seeds(text)
            except UsageError as error:
                return str(error)
            return ""

        def answered(text: str | None) -> None:
            if text is not None:
                lab, tell = self.vitui.lab, self.vitui.tell

                def job(run: Run) -> None:
                    lab.rerun(run.id, text, tell=lambda said: self.app.call_from_thread(tell, said))

                done = "queued again" if len(runs) == 1 else "are queued again"
                in_bulk(self.vitui, runs, job, done)

        self.app.push_screen(
            PromptScreen(
                f"Run {title(runs)} again with seeds", self.vitui.palette,
                hint="empty: the same seed; 0,1,2 or 3 more", check=check,
            ),
            answered,
        )  # fmt: skip

    # -- copy ----------------------------------------------------------------------------------------------------

    def action_copy(self) -> None:
        runs = self.some()
        if not runs:
            return
        one = runs[0]
        detail = (lambda text: text) if len(runs) == 1 else (lambda _: f"of {len(runs)} runs, a line each")
        choices = [
            Choice("id", "run id", detail(one.id)),
            Choice("name", "name", detail(one.name)),
            Choice("path", "path", detail(str(self.vitui.lab.run_dir(one.id).path))),
            Choice("command", "command", detail("the vitui run line that gives the same recipe")),
            Choice("results", "results", detail(self._results(one))),
            Choice("recipe", "recipe", "as TOML"),
        ]

        def answered(picked: list[str] | None) -> None:
            if picked:
                self._copy(picked[0], runs)

        self.app.push_screen(PickScreen(f"Copy of {title(runs)}", choices, self.vitui.palette), answered)

    def _results(self, run: Run) -> str:
        told = "".join(text for text, _ in words.accuracies(run, self.vitui.palette, 400))
        return f"{run.name} ({run.id}): {told or run.state}"

    def _copy(self, what: str, runs: Sequence[Run]) -> None:
        lab = self.vitui.lab
        texts: dict[str, Callable[[Run], str]] = {
            "id": lambda run: run.id,
            "name": lambda run: run.name,
            "path": lambda run: str(lab.run_dir(run.id).path),
            "command": lambda run: lab.command_of(run.id),
            "results": self._results,
            "recipe": lambda run: (f"# {run.id}\n" if len(runs) > 1 else "") + lab.recipe_text(run.id),
        }

        def work() -> None:
            try:
                text = "\n".join(map(texts[what], runs))
            except (VitError, OSError) as error:
                self.app.call_from_thread(self.vitui.tell, str(error), "error")
                return
            named = f"the {what} of {title(runs)}"
            self.app.call_from_thread(self.vitui.copy, text, named)

        self.app.run_worker(work, thread=True, group="copy", exit_on_error=False)

    # -- delete --------------------------------------------------------------------------------------------------

    def action_delete(self) -> None:
        """Ask with the size that it frees, which is found out in a thread first."""
        runs = self.some()
        targets = [run for run in runs if run.state not in LIVE | WAITING]
        if not targets:
            if runs:
                self.vitui.tell(f"{title(runs)}: only what has ended can be deleted; stop it first", "warning")
            return
        lab = self.vitui.lab

        def work() -> None:
            try:
                size = sum(lab.size(run.id) for run in targets)
            except (VitError, OSError) as error:
                self.app.call_from_thread(self.vitui.tell, str(error), "error")
                return
            self.app.call_from_thread(self._ask_delete, targets, len(runs) - len(targets), size)

        self.app.run_worker(work, thread=True, group="size", exclusive=True, exit_on_error=False)

    def _ask_delete(self, targets: list[Run], kept: int, size: int) -> None:
        lab = self.vitui.lab
        detail = f"{display.bytes_(size)} are freed. Checkpoints, curves and logs are gone for good."
        if kept:
            detail += f" {kept} that wait or train stay."

        def answered(yes: bool | None) -> None:
            if yes:
                in_bulk(
                    self.vitui, targets, lambda run: lab.delete([run.id]), "deleted",
                    others=kept, why="wait or train and were kept",
                )  # fmt: skip

        if self.is_attached:
            self.app.push_screen(AskScreen(f"Delete {title(targets)}?", detail, self.vitui.palette), answered)


def stop(app: VituiApp, runs: Sequence[Run]) -> None:
    """Ask, then stop those of `runs` that wait or train."""
    targets = [run for run in runs if run.state in LIVE | WAITING]
    if not targets:
        app.tell(f"{title(runs)}: already ended, nothing to stop" if runs else "no run to stop", "warning")
        return
    asked = [run for run in targets if run.stop_requested is not None and run.state in LIVE]
    if len(asked) == len(targets):
        app.tell(stopping(asked, app.clock()), "warning")
        return
    targets = [run for run in targets if run not in asked]
    waiting = sum(run.state in WAITING for run in targets)
    if waiting == len(targets):
        detail = "Not started yet: taken out of the queue; resume puts it back."
    else:
        detail = "Finishes the step, writes a checkpoint, ends; resume goes on from there."
    others = len(runs) - len(targets)
    why = "had already ended" if not asked else "are stopping already"
    if 0 < len(asked) < others:
        why = "had already ended or are stopping"

    def answered(yes: bool | None) -> None:
        if yes:
            in_bulk(
                app, targets, lambda run: app.lab.stop(run.id), "asked to stop",
                others=others, why=why,
            )  # fmt: skip

    app.push_screen(AskScreen(f"Stop {title(targets)}?", detail, app.palette), answered)


def stopping(runs: Sequence[Run], now: float) -> str:
    """Since when runs are stopping, and what comes next."""
    from vitui.supervisor.attempts import Settings

    grace = Settings().grace_s
    since = max(0.0, now - min(run.stop_requested or now for run in runs))
    left = grace - since
    force = f"ended by force in {display.duration(left)} if it has not by then" if left > 0 else "being ended by force"
    return f"{title(runs)}: asked to stop {display.duration(since)} ago; {force}"


def resume(app: VituiApp, runs: Sequence[Run]) -> None:
    """Queue those of `runs` again that ended without finishing."""
    targets = [run for run in runs if run.state in RESUMABLE]
    if not targets:
        reason = "only a stopped, diverged, failed or lost run can be resumed"
        app.tell(f"{title(runs)}: {reason}" if runs else "no run to resume", "warning")
        return
    in_bulk(
        app, targets, lambda run: app.lab.resume(run.id), "queued to resume",
        others=len(runs) - len(targets), why="finished or have not ended",
    )  # fmt: skip
