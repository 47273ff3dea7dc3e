"""What can be asked of an opened home without changing anything: the reading half of `vitui.lab.Lab`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.journal import RunDir
from vitui import labels
from vitui.errors import NotFound
from vitui.store import LIVE, Brief, Run, Store, runs

if TYPE_CHECKING:
    from engine.recipe import Preset
    from vitui.composition import Composed
    from vitui.evidence import Attempt
    from vitui.occupancy import Occupied
    from vitui.preflight import DatasetStatus
    from vitui.query.fields import Field, Fields
    from vitui.store.metrics import Curve, Envelope, Eval, Event, Extent
    from vitui.studies.compute import Tradeoff
    from vitui.studies.definition import Study
    from vitui.studies.estimate import StudyEstimate
    from vitui.studies.listing import StudyLine
    from vitui.studies.opening import Plans
    from vitui.studies.picked import PickedTable
    from vitui.studies.previewing import StudyPreview
    from vitui.studies.report import Report
    from vitui.studies.scoreboard import Score
    from vitui.studies.variants import Planned
    from vitui.supervisor.devices import Device, Inventory


@dataclass(frozen=True)
class QueueView:
    """What waits and who works on it. `paused` is the reason nothing is started, None while things are."""

    paused: str | None
    waiting: list[Run]
    worker_alive: bool
    worker_pid: int | None


class Reading:
    """Cheap, and never writes."""

    home: Path
    store: Store
    plans: Plans

    def resolve(self, prefix: str) -> str:
        """The run id an unambiguous prefix (or ``@`` for the newest run) stands for. Raises NotFound, UsageError."""
        if not self.store.exists:
            raise NotFound(f"no run {prefix}: {self.home} holds no runs yet")
        if prefix == "@":
            newest = self.runs(limit=1, include_archived=True)
            if not newest:
                raise NotFound(f"{self.home} holds no runs yet")
            return newest[0].id
        return runs.resolve_prefix(self.store.reading(), prefix)

    def run(self, run_id: str) -> Run:
        """One run. Raises NotFound."""
        found = runs.get(self.store.reading(), run_id) if self.store.exists else None
        if found is None:
            raise NotFound(f"no run {run_id} in {self.home}")
        return found

    def runs(
        self,
        *,
        states: Collection[str] | None = None,
        text: str | None = None,
        include_archived: bool = False,
        limit: int | None = None,
    ) -> list[Run]:
        """Runs, newest first; empty for a home without any."""
        if not self.store.exists:
            return []
        return runs.list_runs(
            self.store.reading(), states=states, text=text, include_archived=include_archived, limit=limit
        )

    def values(
        self, field: Field, run_ids: Collection[str] | None = None, *, until: float | None = None
    ) -> dict[str, Any]:
        """A field that is not in the run's row, of all runs or of these; see vitui.query.values.read_values."""
        from vitui.query.values import read_values

        return read_values(self.store.reading(), field, run_ids, until=until) if self.store.exists else {}

    def fields(self, *, described: bool = True) -> Fields:
        """Everything that runs can be asked about; see vitui.query.values.known_fields."""
        from vitui.query.values import known_fields

        return known_fields(self.store.reading() if self.store.exists else None, described=described)

    def differing(self, run_ids: Collection[str]) -> list[str]:
        """Recipe fields that are not the same in all of these runs, by name."""
        from vitui.store import values

        return values.differing_keys(self.store.reading(), run_ids) if self.store.exists else []

    def briefs(
        self, *, states: Collection[str] | None = None, include_archived: bool = False, limit: int | None = None
    ) -> list[Brief]:
        """As `runs`, with only what a listing shows of each."""
        if not self.store.exists:
            return []
        return runs.list_briefs(self.store.reading(), states=states, include_archived=include_archived, limit=limit)

    def _state(self, run_id: str) -> str:
        return self.run(run_id).state

    def curve(self, run_id: str, key: str, **window: float) -> Curve:
        """Every point of a series; see vitui.store.metrics.curve."""
        from vitui.store import metrics

        return metrics.curve(self.store.reading(), run_id, key, **window)

    def envelope(self, run_id: str, key: str, buckets: int = 2000, **window: float) -> Envelope:
        """A series at screen resolution with its extremes kept; see vitui.store.metrics.envelope."""
        from vitui.store import metrics

        return metrics.envelope(self.store.reading(), run_id, key, buckets, **window)

    def keys(self, run_id: str) -> list[str]:
        """Names of the series a run has."""
        from vitui.store import metrics

        return metrics.keys(self.store.reading(), run_id)

    def extents(self, run_id: str) -> dict[str, Extent]:
        """How far each series of a run has come, by key."""
        from vitui.store import metrics

        return metrics.extents(self.store.reading(), run_id)

    def evals(self, run_id: str) -> list[Eval]:
        """Evaluations of a run in order, superseded ones left out."""
        from vitui.store import metrics

        return metrics.evals(self.store.reading(), run_id)

    def events(self, run_id: str, kinds: Collection[str] | None = None) -> list[Event]:
        """Journal events of a run other than metrics."""
        from vitui.store import metrics

        return metrics.events(self.store.reading(), run_id, kinds)

    def config(self, run_id: str) -> dict[str, Any]:
        """The recipe of a run, dotted leaf -> value, as the trainer resolved it where it got that far.

        Empty where there is none; raises UsageError where it cannot be read.
        """
        from engine.recipe.schema import flatten
        from vitui.composition import read_recipe

        run = self.run_dir(run_id)
        path = run.resolved if run.resolved.exists() else run.recipe
        return flatten(read_recipe(path)) if path.exists() else {}

    def labels(self, run_id: str) -> dict[str, Any]:
        """run.json: name, preset, changes against it, origins of values, tags, notes."""
        return labels.read_object(self.run_dir(run_id).labels)

    def provenance(self, run_id: str) -> dict[str, Any]:
        """Host, user, command line, commit, packages."""
        return labels.read_object(self.run_dir(run_id).provenance)

    def attempts(self, run_id: str) -> list[Attempt]:
        """Every attempt of a run with how it ended; empty where its directory is gone."""
        from vitui import evidence

        return evidence.attempts(self.run_dir(run_id))

    def checkpoints(self, run_id: str) -> list[tuple[str, int]]:
        """Files of checkpoints of a run, each with its bytes."""
        from vitui import evidence

        return evidence.file_sizes(self.run_dir(run_id).checkpoints)

    def run_dir(self, run_id: str) -> RunDir:
        return RunDir(self.home / "runs" / run_id)

    def size(self, run_id: str) -> int:
        """Bytes on disk of a run directory."""
        from vitui.deleting import size

        return size(self.run_dir(run_id).path)

    def recipe_text(self, run_id: str) -> str:
        """recipe.toml as it was launched. Raises NotFound."""
        path = self.run_dir(run_id).recipe
        try:
            return path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise NotFound(f"{path} cannot be read: {error.strerror}") from None

    def composed_of(self, run_id: str) -> Composed:
        """The recipe as it was launched, ready to launch again. Raises NotFound, UsageError."""
        from vitui.rerunning import composed_of

        return composed_of(self.run_dir(run_id), self.run(run_id))

    def command_of(self, run_id: str) -> str:
        """The command line that launches this recipe again. Raises NotFound, UsageError."""
        from vitui.rerunning import command_of

        return command_of(self.composed_of(run_id), run_id, self.run(run_id).device, self.home)

    def queue(self) -> QueueView:
        """What waits, in order, with reasons, and the worker's state."""
        from vitui.supervisor.ensure import worker_pid

        pid = worker_pid(self.home)
        if not self.store.exists:
            return QueueView(None, [], pid is not None, pid)
        waiting = sorted(self.runs(states={"queued"}, include_archived=True), key=lambda run: run.position or 0)
        return QueueView(runs.get_meta(self.store.reading(), "queue_paused"), waiting, pid is not None, pid)

    def devices(self) -> list[Device]:
        """What runs can be placed on."""
        from vitui.supervisor.devices import devices

        return devices()

    def inventory(self) -> Inventory:
        """As `devices`, with the reason why GPUs cannot be seen. Takes up to two seconds while a driver hangs."""
        from vitui.supervisor.devices import inventory

        return inventory()

    def occupancy(self, found: Inventory | None = None) -> tuple[tuple[Occupied, ...], str]:
        """Devices with the runs and the strangers on them, and why GPUs cannot be seen (empty when they can).

        `found`: a look at the devices that was taken already.
        """
        from vitui.occupancy import occupancy, trainer_group

        found = found or self.inventory()
        live = self.runs(states=LIVE, include_archived=True)
        groups = {run.id: trainer_group(self.run_dir(run.id), run.attempt) for run in live}
        known = {run_id: group for run_id, group in groups.items() if group is not None}
        return occupancy(found.devices, live, known), found.trouble

    def worker_log(self, lines: int) -> tuple[str, ...]:
        """The last lines of what the worker has to say, safe for a terminal."""
        from vitui.text import console_line

        try:
            with open(self.home / "worker.log", "rb") as file:
                start = file.seek(max(0, file.seek(0, 2) - 200 * lines))
                found = file.read().decode("utf-8", "replace").splitlines()[1 if start else 0 :]
        except OSError:
            return ()
        return tuple(console_line(line) for line in found[-lines:])

    def presets(self) -> list[Preset]:
        """Every preset that can be run, shipped and own. Raises RecipeError for a broken one."""
        from engine.recipe import presets
        from vitui.composition import roots

        return presets.load_all(roots(self.home))

    def data_status(self) -> list[DatasetStatus]:
        """Datasets and whether they are here."""
        from vitui.preflight import dataset_status

        return dataset_status(self.home)

    def studies(self) -> list[StudyLine]:
        """Every study, own ones first, with how far it is. Broken ones are listed with what is wrong."""
        from vitui.studies.listing import lines

        return lines(self)

    def study_files(self) -> dict[str, Path]:
        """Every study's file by name, in the order of `studies`. Only looks into two folders."""
        from vitui.studies import definition
        from vitui.studies.listing import names

        found = definition.find(self.home)
        return {name: found[name] for name in names(self) if name in found}

    def study_line(self, name: str, *, counted: bool = True) -> StudyLine:
        """One line of `studies`; without `counted` its variants are not looked at, which may take seconds."""
        from vitui.studies.listing import line

        return line(self, name, counted=counted)

    def study(self, name: str) -> Study:
        """A study as its file defines it. Raises NotFound, UsageError."""
        from vitui.studies.definition import read

        return read(self.home, name)[0]

    def planned(self, name: str, *, _seen: Sequence[str] = ()) -> Planned:
        """A study with its variants and the runs that fill its cells; see vitui.studies.opening.planned."""
        from vitui.studies.opening import planned

        return planned(self, name, _seen)

    def study_estimate(self, name: str, only: Collection[tuple[str, int]] | None = None) -> StudyEstimate:
        """What launching a study would queue, and what that costs; see vitui.studies.estimate."""
        from vitui.studies.estimate import study_estimate

        return study_estimate(self, self.planned(name), only)

    def study_preview(self, name: str, text: str) -> StudyPreview:
        """What a study's text would make before it is saved; see vitui.studies.previewing. Takes seconds for a large
        one."""
        from vitui.studies.previewing import preview

        return preview(self, name, text)

    def study_text(self, name: str) -> str:
        """The text of a study's file, whatever it says. Raises NotFound, UsageError."""
        from vitui.studies.definition import text_of

        return text_of(self.home, name)

    def study_report(self, name: str, baseline: str = "") -> Report:
        """What a study shows so far; see vitui.studies.report. `baseline`: the variant that differences are to, where
        it is not the study's own. Raises NotFound, UsageError."""
        from vitui.studies.report import report

        planned = self.planned(name)
        return report(self, planned.against(baseline) if baseline else planned)

    def study_tradeoff(
        self, names: Sequence[str], *, axis: str = "", by: str = "start", upstream: bool = False
    ) -> Tradeoff:
        """Accuracy against compute of the runs of studies, with simulated random search; see vitui.studies.compute."""
        from vitui.studies.compute import tradeoff

        return tradeoff(self, [self.planned(name) for name in names], axis=axis, by=by, upstream=upstream)

    def study_picked(self, name: str) -> PickedTable:
        """What picking one checkpoint by its upstream score costs; see vitui.studies.picked. Raises NotFound,
        UsageError for a study that starts from no other."""
        from vitui.studies.picked import picked_table

        return picked_table(self, self.planned(name))

    def scoreboard(self) -> list[Score]:
        """Every preset with a reference, and this home's own results beside it; see vitui.studies.scoreboard."""
        from vitui.studies.scoreboard import scoreboard

        return scoreboard(self)

    def changes_token(self) -> int:
        """A number that is another one once the database has changed."""
        return self.store.changes_token()
