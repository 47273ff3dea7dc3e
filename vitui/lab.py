"""Lab: an opened home directory. The one door through which the command line and the terminal app do everything."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitui import labels
from vitui.errors import Busy, NotFound, UsageError, VitError
from vitui.home import find_home, make_home
from vitui.reading import Reading
from vitui.store import Store, runs
from vitui.store.removal import TRASH

if TYPE_CHECKING:
    from engine.recipe import Recipe
    from vitui.composition import Composed
    from vitui.inspecting import Begun, Description
    from vitui.store import Run
    from vitui.studies.launching import StudyLaunched
    from vitui.studies.variants import Planned


class Lab(Reading):
    """Reading methods are cheap and never write; the others raise vitui.errors when they cannot do what was asked."""

    def __init__(self, home: Path, store: Store, messages: list[str]) -> None:
        self.home = home
        self.store = store
        self.messages = messages
        """Sentences the user should see once: a moved database, a newer one."""
        self.plans = {}

    @classmethod
    def open(cls, home: Path | None = None, *, create: bool = False, adopt: bool = True) -> Lab:
        """Open the home directory; find it as `vitui.home.find_home` says.

        `create`: make it if it does not exist. `adopt`: see to it that runs that wait or train have a worker, which
        also settles the state of runs that ended unseen.
        A directory without runs and database is no home: without `create` nothing is written to it.
        Raises UsageError when the home cannot be made or read.
        """
        place = find_home(home)
        if create:
            make_home(place)
        store = Store(place)
        exists = store.exists or (place / "runs").is_dir()
        if home is not None and not exists and not create:
            raise UsageError(f"there is no home at {place}; a first `vitui run` creates it")
        missing = not store.exists or store.path.stat().st_size == 0
        lab = cls(place, store, store.open() if exists else [])
        if exists and store.moved_aside:
            lab.rebuild()
        elif exists and missing and not store.read_only and next((place / "runs").glob("[!.]*"), None):
            found = lab.rebuild()
            lab.messages.append(f"{store.path} was missing; it is rebuilt from {found} run directories")
        if (place / "runs" / TRASH).is_dir():
            lab.sweep()
        if adopt and exists:
            try:
                lab.tend()
            except VitError as error:  # runs can be looked at all the same
                lab.messages.append(str(error))
        return lab

    @property
    def read_only(self) -> bool:
        """True when the database belongs to a newer program or the home cannot be written to."""
        return self.store.read_only

    def sweep(self) -> None:
        """Finish deleting what a crash has left half deleted."""
        from vitui.deleting import sweep

        sweep(self.store)

    def tend(self) -> None:
        """See to it that runs that wait or train have a worker. Cheap: whoever watches a run calls it now and then.

        Raises VitError, Busy when a worker cannot be started.
        """
        if not self.store.read_only and self._has_work():
            self._wake()

    def _has_work(self) -> bool:
        return bool(self.runs(states={"queued", "starting", "running"}, include_archived=True, limit=1))

    def _wake(self) -> None:
        from vitui.supervisor.ensure import ensure_worker

        ensure_worker(self.home)

    # -- launching -----------------------------------------------------------------------------------------------

    def compose(self, preset: str, switches: Sequence[str] = (), sets: Sequence[str] = ()) -> Composed:
        """A preset with toggles and overrides as a recipe. Raises RecipeError."""
        from vitui.composition import compose_run, roots

        return compose_run(preset, switches, sets, where=roots(self.home))

    def preflight(self, composed: Composed, device: str = "auto") -> None:
        """Raises UsageError when a launch cannot work here: data, device, space."""
        from vitui import lengths, preflight

        preflight.check_device(device, self.devices())
        preflight.check_data(self.home, composed.recipe)
        lengths.check_length(self.home, composed.recipe)
        preflight.check_space(self.home)

    def describe(
        self, recipe: Recipe, tell: Callable[[str], None] | None = None, begun: Begun | None = None
    ) -> Description:
        """What the model of a recipe is like; see vitui.admission.describe. Raises UsageError if it cannot be built."""
        from vitui.admission import describe

        return describe(self.home, recipe, tell, begun)

    def describe_all(self, recipes: Sequence[Recipe], tell: Callable[[str], None] | None = None) -> list[Description]:
        """As `describe`, of several at once, which loads the engine once."""
        from vitui.admission import describe_all

        return describe_all(self.home, recipes, tell)

    def launch(
        self,
        composed: Composed,
        *,
        name: str = "",
        device: str = "auto",
        tags: Collection[str] = (),
        notes: str = "",
        question: str = "",
        tell: Callable[[str], None] | None = None,
    ) -> str:
        """Write the run directory, then the row, then wake the worker. Returns the run id.

        Raises UsageError as `preflight` and `describe`; nothing is left behind then. The first launch of a model takes
        seconds: `tell` hears what is waited for.
        """
        one = [(composed, name)]
        return self.launch_all(one, device=device, tags=tags, notes=notes, question=question, tell=tell)[0]

    def launch_all(
        self,
        composed: Sequence[tuple[Composed, str]],
        *,
        device: str = "auto",
        tags: Collection[str] = (),
        notes: str = "",
        question: str = "",
        tell: Callable[[str], None] | None = None,
        once: bool = False,
    ) -> list[str]:
        """As `launch`, for recipes with their names: all of them are queued, in this order, or none is.

        `once`: without those that a run has trained or trains already, with the same seed.
        """
        from vitui.launching import launch_all

        self._writable()
        run_ids = launch_all(
            self, composed, device=device, tags=tags, notes=notes, question=question, tell=tell, once=once
        )
        if not run_ids:
            return run_ids
        try:
            self._wake()
        except VitError as error:
            one = len(run_ids) == 1
            named = ", ".join(run_ids[:5]) + (", …" if len(run_ids) > 5 else "")
            what = f"run {run_ids[0]} is" if one else f"runs {named} are"
            raise VitError(f"{what} queued, but nothing can start {'it' if one else 'them'} yet: {error}") from error
        return run_ids

    def rerun(
        self, run_id: str, seeds: str = "", *, tell: Callable[[str], None] | None = None, **given: Any
    ) -> list[str]:
        """Launch the recipe of a run again; see vitui.rerunning.rerun. Returns the new run ids."""
        from vitui.rerunning import rerun

        return rerun(self, run_id, seeds, tell=tell, **given)

    # -- control -------------------------------------------------------------------------------------------------

    def stop(self, run_id: str) -> None:
        """Ask a run to stop; one that waits is stopped at once, one that trains writes a checkpoint first.

        Raises Busy when the run has already ended.
        """
        from vitui.supervisor.attempts import note_dequeued

        self._writable()
        with self.store.writing() as db:
            if not runs.request_stop(db, run_id):
                raise Busy(f"run {run_id} has already ended ({self._state(run_id)})")
            after = runs.get(db, run_id)
        if after is not None and after.state == "stopped":
            # It waited and has ended with that: the run directory must know too, or a rebuild would queue it again.
            note_dequeued(self.run_dir(run_id), after.stop_requested or time.time())
        else:
            self._wake()

    def resume(self, run_id: str, *, device: str | None = None) -> None:
        """Queue an ended run again, to go on from its last checkpoint as a new attempt.

        Raises Busy when it is finished or has not ended; UsageError when its device or data are not here.
        """
        from engine.recipe import validate
        from vitui import preflight
        from vitui.composition import read_recipe

        self._writable()
        run = self.run(run_id)
        if run.state not in runs.RESUMABLE:
            raise Busy(f"run {run_id} is {run.state}; only a stopped, failed, diverged or lost run can be resumed")
        wanted = device or run.device
        preflight.check_device(wanted, self.devices())
        preflight.check_data(self.home, validate(read_recipe(self.run_dir(run_id).recipe)))
        preflight.check_space(self.home)
        with self.store.writing() as db:
            if not runs.transition(
                db, run_id, runs.RESUMABLE, "queued", evidence="", stop_requested=None, device=wanted
            ):
                raise Busy(f"run {run_id} is {self._state(run_id)} by now")
            if device:
                self._mirror(run_id, device=device)
        self._wake()

    def hold(self, run_id: str) -> None:
        """Keep a waiting run from being started. Raises Busy when it does not wait."""
        self._queue_edit(run_id, runs.hold)

    def release(self, run_id: str) -> None:
        """Let a held run start again. Raises Busy when it does not wait."""
        self._queue_edit(run_id, runs.release)
        self._wake()

    def move(self, run_id: str, position: int) -> None:
        """Put a waiting run at a 1-based place of the queue. Raises Busy when it does not wait."""
        self._queue_edit(run_id, lambda db, run: runs.move(db, run, position))

    def unpause(self) -> None:
        """Let the queue start runs again after failures paused it."""
        self._writable()
        if not self.store.exists:
            raise NotFound(f"{self.home} holds no runs yet")
        with self.store.writing() as db:
            runs.set_meta(db, "queue_paused", None)
        if self._has_work():
            self._wake()

    def _queue_edit(self, run_id: str, change: Callable[[Any, str], bool]) -> None:
        self._writable()
        with self.store.writing() as db:
            if not change(db, run_id):
                raise Busy(f"run {run_id} does not wait in the queue ({self._state(run_id)})")

    # -- editing -------------------------------------------------------------------------------------------------

    def set_name(self, run_id: str, name: str) -> None:
        """Raises UsageError for an empty or a very long one."""
        self._label(run_id, name=labels.checked_name(name))

    def set_notes(self, run_id: str, notes: str) -> None:
        self._label(run_id, notes=notes)

    def add_note(self, run_id: str, line: str) -> None:
        """Add a line to what is noted already."""
        self._label_from(run_id, lambda run: {"notes": f"{run.notes.rstrip()}\n{line}".lstrip("\n")})

    def edit_tags(self, run_id: str, text: str, *, replace: bool = False) -> None:
        """``+x -y``; see vitui.labels.edited_tags. Raises UsageError."""
        self._label_from(run_id, lambda run: {"tags": labels.edited_tags(text, run.tags, replace=replace)})

    def set_tags(self, run_id: str, tags: Collection[str]) -> None:
        self._label(run_id, tags=labels.clean_tags(tags))

    def set_star(self, run_id: str, star: bool) -> None:
        self._label(run_id, star=star)

    def set_archived(self, run_id: str, archived: bool) -> None:
        self._label(run_id, archived=archived)

    def _label(self, run_id: str, **values: Any) -> None:
        """Into run.json first, which is the truth, then into the database."""
        self._label_from(run_id, lambda _: values)

    def _label_from(self, run_id: str, change: Callable[[Run], dict[str, Any]]) -> None:
        """As `_label`, with values made from the run as it is now: nobody else can change it meanwhile."""
        self._writable()
        with self.store.writing() as db:
            values = change(self.run(run_id))
            self._mirror(run_id, **values)
            runs.set_labels(db, run_id, **values)

    def _mirror(self, run_id: str, **values: Any) -> None:
        labels.change(self.run_dir(run_id), self.run(run_id), **values)

    def _writable(self) -> None:
        if self.store.read_only:
            raise UsageError(self.store.why_read_only)

    # -- studies -------------------------------------------------------------------------------------------------

    def save_study(self, name: str, text: str, *, replace: bool = False) -> None:
        """Write a study's file once its text makes sense, with every recipe in it; see vitui.studies.keeping.save."""
        from vitui.studies.keeping import save

        self._writable()
        save(self, name, text, replace=replace)

    def fork_study(self, name: str, new: str) -> None:
        """A study of a new name with the same definition, planned with presets as they are now."""
        from vitui.studies.keeping import fork

        self._writable()
        fork(self, name, new)

    def remove_study(self, name: str) -> None:
        """Forget a study of one's own; its runs stay. Raises NotFound, UsageError for a shipped one."""
        from vitui.studies.keeping import remove

        self._writable()
        remove(self, name)

    def index_study(self, name: str) -> None:
        """Keep the variants of a study in the database, for reports and filters; nothing where they are there."""
        from vitui.studies.keeping import index

        if not self.store.read_only and self.store.exists:
            index(self, name)

    def describe_study(
        self,
        planned: Planned,
        only: Collection[tuple[str, int]] | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        """Ask the engine about every model that `launch_study` would queue, so that an estimate knows their size.

        Raises UsageError for the first that cannot be launched here, or not be built.
        """
        from vitui.studies.estimate import alike
        from vitui.studies.launching import lacking

        found = [one for one, _ in alike(self, planned, lacking(planned, only)[0])]
        for one in found:
            self.preflight(one, planned.study.device)
        self.describe_all([one.recipe for one in found], tell)

    def launch_study(
        self,
        name: str,
        *,
        retry: bool = True,
        only: Collection[tuple[str, int]] | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> StudyLaunched:
        """Queue what a study lacks; see vitui.studies.launching.launch_study."""
        from vitui.studies.launching import launch_study

        self._writable()
        return launch_study(self, name, retry=retry, only=only, tell=tell)

    # -- deleting ------------------------------------------------------------------------------------------------

    def delete(self, run_ids: Sequence[str]) -> None:
        """Delete runs for good, all or none; see vitui.deleting. Raises NotFound, Busy for one that has not ended."""
        from vitui.deleting import delete

        self._writable()
        delete(self.store, run_ids)

    # -- repair --------------------------------------------------------------------------------------------------

    def rebuild(self) -> int:
        """Make the database anew from the run directories, all at once, then what it has of studies from their files.

        Returns the number of runs found. A study that is broken is told in `messages`.
        Runs that train go on meanwhile: the worker waits for its turn to write and then goes on from the new rows.
        """
        from vitui.store.rebuild import rebuild
        from vitui.studies.keeping import index_all
        from vitui.supervisor.judge import judge

        if not self.home.is_dir():
            raise NotFound(f"there is no home at {self.home}; a first `vitui run` creates it")
        self._writable()
        done = rebuild(self.store, judge)
        self.messages.extend(done.messages)
        self.messages.extend(index_all(self))
        if self._has_work():
            self._wake()
        return done.runs
