"""What a comparison needs to know of one run, read as far as it has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vitui.errors import UsageError
from vitui.store.states import LIVE

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.store import Run
    from vitui.store.metrics import Eval, Event

ENDINGS = frozenset({"resumed", "stopped", "diverged", "failed", "warning"})
"""Events that are shown beside curves."""
SPEED_BUCKETS = 64
_GROWING = ("evals", "events", "seconds", "speed", "memory", "memory_kind")
"""What a journal adds to, as `RunFacts` calls it."""


@dataclass(frozen=True)
class RunFacts:
    """One run. Times in seconds, sizes in bytes; what is not known is None or empty.

    `config` is the recipe as the trainer resolved it (where it got that far: `resolved`), `raw` as it was written.
    `problem`: why the recipe cannot be read. `memory_kind`: "GPU" or "main memory".
    """

    run: Run
    config: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)
    resolved: bool = False
    problem: str = ""
    reference: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    started: Mapping[str, Any] = field(default_factory=dict)
    evals: tuple[Eval, ...] = ()
    events: tuple[Event, ...] = ()
    seconds: float | None = None
    speed: float | None = None
    memory: float | None = None
    memory_kind: str = ""


class FactsReader:
    """Reads one run again and again; what has not changed is not read, and then it gives the same object."""

    def __init__(self, lab: Lab, run_id: str) -> None:
        self.run_id = run_id
        self._lab = lab
        self._facts: RunFacts | None = None
        self._fixed: dict[str, Any] = {}
        self._fixed_of: tuple[Any, ...] = ()
        self._earlier = 0.0

    def read(self) -> RunFacts:
        """The run as it is now. Raises NotFound when it is not in the lab any more."""
        run = self._lab.run(self.run_id)
        if self._facts is not None and run == self._facts.run:
            return self._facts
        if (key := (run.state, run.attempt, run.params, run.total_steps)) != self._fixed_of:
            self._fixed, self._fixed_of = self._read_fixed(run), key
        self._facts = RunFacts(run, **self._fixed, **self._read_growing(run))
        return self._facts

    def _read_fixed(self, run: Run) -> dict[str, Any]:
        """What is settled once an attempt has begun."""
        from engine.recipe.schema import flatten
        from vitui.composition import read_recipe

        folder, problem = self._lab.run_dir(self.run_id), ""
        config, raw = dict[str, Any](), dict[str, Any]()
        try:
            config = self._lab.config(self.run_id)
            raw = flatten(read_recipe(folder.recipe)) if folder.recipe.exists() else config
        except UsageError as error:
            problem = str(error)
        if not config and not problem:
            problem = f"{folder.recipe} is gone"
        reference = self._lab.labels(self.run_id).get("reference")
        events = self._lab.events(self.run_id)
        self._earlier = _spans(events, run.attempt)
        last = {event.kind: event.data for event in events if event.kind in ("model", "data", "started")}
        return {
            "config": config,
            "raw": raw or config,
            "resolved": folder.resolved.exists(),
            "problem": problem,
            "reference": reference if isinstance(reference, dict) else {},
            "provenance": self._lab.provenance(self.run_id),
            "model": last.get("model", {}),
            "data": last.get("data", {}),
            "started": last.get("started", {}),
        }

    def _read_growing(self, run: Run) -> dict[str, Any]:
        """What grows with the journal."""
        old = self._facts
        if old is not None and (old.run.journal_offset, old.run.state) == (run.journal_offset, run.state):
            return {name: getattr(old, name) for name in _GROWING}
        keys = set(self._lab.keys(self.run_id))
        memory, kind = self._memory(run, keys)
        return {
            "evals": tuple(self._lab.evals(self.run_id)),
            "events": tuple(self._lab.events(self.run_id, ENDINGS)),
            "seconds": self._seconds(run),
            "speed": self._speed(keys) or run.images_per_s,
            "memory": memory,
            "memory_kind": kind,
        }

    def _seconds(self, run: Run) -> float | None:
        """Of all attempts together, without the time between them; up to the last that is known of one that runs."""
        if run.started is None:
            return None
        end = run.ended if run.ended is not None else run.last_event_at
        begun = [event.at for event in self._lab.events(self.run_id, {"started"}) if event.attempt == run.attempt]
        start = begun[-1] if begun else run.started
        return self._earlier + (max(0.0, end - start) if end is not None else 0.0)

    def _speed(self, keys: set[str]) -> float | None:
        """Images a second in training: the median, so that neither a slow start nor one hiccup tells."""
        import numpy as np

        if "train/images_per_s" not in keys:
            return None
        means = self._lab.envelope(self.run_id, "train/images_per_s", SPEED_BUCKETS).mean
        finite = means[np.isfinite(means)]
        return float(np.median(finite)) if len(finite) else None

    def _memory(self, run: Run, keys: set[str]) -> tuple[float | None, str]:
        """The most it needed, on the GPU where it had one, else resident in main memory."""
        from vitui.supervisor.judge import read_exit

        if "train/memory_gb" in keys:
            return self._highest("train/memory_gb"), "GPU"
        folder = self._lab.run_dir(self.run_id)
        try:
            numbers = folder.attempt_numbers()
        except OSError:
            numbers = []
        known = [(read_exit(folder.attempt(number)) or {}).get("max_rss_kb") for number in numbers]
        peaks = [kb * 1024.0 for kb in known if isinstance(kb, int | float) and kb > 0]
        if "device/memory_gb" in keys and run.placed in ("", "cpu") and run.state in LIVE:
            peaks += [found] if (found := self._highest("device/memory_gb")) else []
        return (max(peaks), "main memory") if peaks else (None, "")

    def _highest(self, key: str) -> float | None:
        import numpy as np

        most = self._lab.envelope(self.run_id, key, 1).max
        finite = most[np.isfinite(most)]
        return float(finite.max()) * 2**30 if len(finite) else None


def _spans(events: Sequence[Event], latest: int) -> float:
    """Seconds that the attempts before `latest` took, each up to the last it told."""
    first, last = dict[int, float](), dict[int, float]()
    for event in events:
        if event.attempt < latest:
            first.setdefault(event.attempt, event.at)
            last[event.attempt] = event.at
    return sum(max(0.0, last[attempt] - at) for attempt, at in first.items())
