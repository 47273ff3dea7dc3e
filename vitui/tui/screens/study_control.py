"""What is done to studies from their screens: queueing, stopping, forking, editing, removing, planning new ones."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from vitui.errors import UsageError, VitError
from vitui.text import safe
from vitui.tui.editor import edited
from vitui.tui.screens import control
from vitui.tui.screens import study_words as words
from vitui.tui.screens.ask import AskScreen
from vitui.tui.screens.base import LabScreen
from vitui.tui.screens.prompt import PromptScreen

if TYPE_CHECKING:
    from vitui.store import Run
    from vitui.studies.estimate import StudyEstimate
    from vitui.studies.launching import StudyLaunched

Only = Collection[tuple[str, int]]
"""Cells: variant and seed."""


class StudyActions(LabScreen):
    """The actions on the study that is chosen, for the list of them and for the screen of one."""

    busy = ""
    """What is going on in a thread, as a few words for the head; empty: nothing."""

    @property
    def study_name(self) -> str:
        """The study that actions are about; empty: none."""
        raise NotImplementedError

    def is_own(self) -> bool:
        """Whether its file is the user's."""
        raise NotImplementedError

    def show_busy(self) -> None:
        """`busy` has changed."""

    def left(self, name: str) -> None:
        """The study is gone, or another one has taken its place."""

    def _busy(self, text: str) -> None:
        self.busy = safe(text, 120)
        if self.is_mounted and self.is_attached:
            self.show_busy()

    def in_thread(self, doing: str, job: Callable[[], Any], then: Callable[[Any], object]) -> None:
        """Do `job` in a thread, showing `doing` meanwhile, then give what it made to `then`; or say what went wrong."""
        self._busy(doing)

        def work() -> None:
            try:
                made = job()
            except (VitError, OSError, ValueError) as error:
                self.app.call_from_thread(self._failed, str(error))
            except Exception as error:  # a fault of the lab must not close the window on the runs
                self.app.call_from_thread(self._failed, f"{type(error).__name__}: {error}")
            else:
                self.app.call_from_thread(self._made, then, made)

        self.app.run_worker(work, thread=True, group="study", exit_on_error=False)

    def _failed(self, problem: str) -> None:
        self._busy("")
        self.vitui.poller.wake()
        self.vitui.tell(problem, "error")

    def _made(self, then: Callable[[Any], object], made: Any) -> None:
        self._busy("")
        then(made)

    # -- queueing ------------------------------------------------------------------------------------------------

    def action_queue_all(self) -> None:
        if self.study_name:
            self.queue(self.study_name, None, f"study {self.study_name}")

    def queue(self, name: str, only: Only | None, what: str) -> None:
        """Work out what is lacking and what it costs, ask, and queue it."""
        lab = self.vitui.lab
        if self.busy:
            self.vitui.tell(self.busy)
            return

        def job() -> tuple[tuple[str, ...], StudyEstimate]:
            return lab.planned(name).changed, lab.study_estimate(name, only)

        def then(made: tuple[tuple[str, ...], StudyEstimate]) -> None:
            changed, estimate = made
            if not self.is_current:  # somebody has gone elsewhere meanwhile
                return
            if changed:
                self._ask_fork(name, changed)
            elif not estimate.queue and not estimate.resume:
                self.vitui.tell(f"nothing to queue: {what} has a run in every cell")
            else:
                self._ask_queue(name, only, what, estimate)

        self.in_thread("working out what it costs …", job, then)

    def _ask_queue(self, name: str, only: Only | None, what: str, estimate: StudyEstimate) -> None:
        lab = self.vitui.lab

        def tell(text: str) -> None:
            self.app.call_from_thread(self._busy, f"queueing: {text}")

        def answered(yes: bool | None) -> None:
            if yes:
                launch = partial(lab.launch_study, name, only=only, tell=tell)
                self.in_thread("queueing …", launch, self._queued)

        elsewhere = only is not None  # what other cells have is no answer to a question about these
        detail = "; ".join(words.cost(replace(estimate, reuse=0) if elsewhere else estimate))
        self.app.push_screen(
            AskScreen(safe(words.question(estimate, what), 200), safe(detail[:1].upper() + detail[1:] + ".", 500),
                      self.vitui.palette), answered,
        )  # fmt: skip

    def _queued(self, done: StudyLaunched) -> None:
        self.vitui.poller.wake()
        self.vitui.tell(words.outcome(done))
        for problem in done.refused[:2]:
            self.vitui.tell(problem, "error")
        if len(done.refused) > 2:
            self.vitui.tell(f"{len(done.refused) - 2} more cannot be resumed", "error")

    def _ask_fork(self, name: str, changed: Collection[str]) -> None:
        """Its presets say something else now: nothing is queued beside what was trained with others."""

        def answered(yes: bool | None) -> None:
            if yes:
                self._prompt_fork(name)

        told = "; ".join(changed)
        detail = (
            f"{told}. New runs could not be compared with the old ones. A fork is planned with presets as they are now."
        )
        question = f"Presets have changed since {name} was queued. Fork it?"
        self.app.push_screen(AskScreen(safe(question, 200), safe(detail, 600), self.vitui.palette), answered)

    # -- stopping ------------------------------------------------------------------------------------------------

    def stop_runs(self) -> list[Run] | None:
        """The runs to stop, None where they have to be looked up."""
        return None

    def action_stop(self) -> None:
        known, name, lab = self.stop_runs(), self.study_name, self.vitui.lab
        if known is not None:
            self._stop(known)
        elif name:
            self.in_thread(
                "looking for its runs …",
                lambda: [cell.run for cell in lab.planned(name).cells if cell.run is not None],
                self._stop,
            )

    def _stop(self, found: list[Run]) -> None:
        control.stop(self.vitui, list({run.id: run for run in found}.values()))  # two cells may share one

    def action_runs(self) -> None:
        """All of its runs in the list of runs, once the database knows which these are."""
        name = self.study_name
        if name:
            job = partial(self.vitui.lab.index_study, name)
            self.in_thread("", job, lambda _: self.vitui.show_runs(f"study:{name}"))

    # -- files ---------------------------------------------------------------------------------------------------

    def action_fork(self) -> None:
        if self.study_name:
            self._prompt_fork(self.study_name)

    def _prompt_fork(self, name: str) -> None:
        self.in_thread("", self.vitui.lab.study_files, partial(self._ask_name, name))

    def _ask_name(self, name: str, taken: Collection[str]) -> None:
        lab = self.vitui.lab

        def answered(new: str | None) -> None:
            if new is not None:
                new = new.strip()
                self.in_thread(
                    f"forking {name} …",
                    partial(lab.fork_study, name, new),
                    lambda _: self._open_new(new, f"a fork of {safe(name, 40)}"),
                )

        self.app.push_screen(
            PromptScreen(
                f"Fork {safe(name, 40)} as", self.vitui.palette, value=free_name(name, taken),
                hint="the same definition under another name, with presets as they are now",
                check=partial(name_problem, taken=taken),
            ),
            answered,
        )  # fmt: skip

    def _open_new(self, name: str, what: str) -> None:
        self.vitui.poller.wake()
        self.vitui.tell(f"study {name} is {what}")
        if self.is_current:
            self.vitui.open_study(name)

    def action_edit(self) -> None:
        """Its text in the editor; of one that ships, a fork's."""
        name = self.study_name
        if not name:
            return
        if self.is_own():
            self.in_thread("", partial(self.vitui.lab.study_text, name), partial(self._edit, name))
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._prompt_fork(name)

        question = f"{name} comes with vitui and stays as it is. Fork it under a name of your own?"
        self.app.push_screen(AskScreen(safe(question, 200), "Then edit the fork.", self.vitui.palette), answered)

    def _edit(self, name: str, text: str, before: str | None = None) -> None:
        lab = self.vitui.lab
        new = edited(self.vitui, text, f"{name}.toml", f"study {name}")
        if new is None or new.rstrip() == (before or text).rstrip():
            return
        new += "\n"

        def job() -> str:
            try:
                lab.save_study(name, new, replace=True)
            except (VitError, ValueError) as error:
                return str(error)
            return ""

        def then(problem: str) -> None:
            self.vitui.poller.wake()
            if not problem:
                self.vitui.tell(f"study {name} is as you wrote it")
                return

            def answered(again: bool | None) -> None:
                if again:
                    self._edit(name, new, before or text)

            detail = f"{safe(problem, 500)}. Else what you wrote is forgotten, and the study is as it was."
            question = "That cannot be a study. Edit it again?"
            self.app.push_screen(AskScreen(question, detail, self.vitui.palette), answered)

        self.in_thread("checking every recipe …", job, then)

    def action_remove(self) -> None:
        name, lab = self.study_name, self.vitui.lab
        if not name:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.in_thread("", partial(lab.remove_study, name), lambda _: self._removed(name))

        detail = "Its file is deleted, and what pins its recipes to when they were queued. Its runs stay."
        self.app.push_screen(AskScreen(f"Remove study {safe(name, 40)}?", detail, self.vitui.palette), answered)

    def _removed(self, name: str) -> None:
        self.vitui.poller.wake()
        self.vitui.tell(f"study {name} is removed; its runs stay")
        self.left(name)

    # -- new -----------------------------------------------------------------------------------------------------

    def action_new(self) -> None:
        from vitui.tui.screens.study_form import StudyFormScreen

        def answered(name: str | None) -> None:
            if name:
                self.vitui.poller.wake()
                self.vitui.open_study(name).queue(name, None, f"study {name}")

        self.app.push_screen(StudyFormScreen(self.vitui.lab, self.vitui.palette, self.vitui.study_draft), answered)


def name_problem(text: str, taken: Collection[str]) -> str:
    """What is wrong with a name for a new study; empty where nothing is."""
    from vitui.studies.definition import checked_study_name

    try:
        checked_study_name(text.strip())
    except UsageError as error:
        return str(error)
    return f"there is a study {text.strip()} already" if text.strip() in taken else ""


def free_name(name: str, taken: Collection[str]) -> str:
    """The first of NAME-2, NAME-3, … that is no study yet."""
    base = name.rstrip("0123456789").removesuffix("-") if name.rpartition("-")[2].isdigit() else name
    return next(f"{base}-{n}" for n in range(2, 10_000) if f"{base}-{n}" not in taken)
