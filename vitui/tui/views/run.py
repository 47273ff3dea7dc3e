"""One run with its curves, events, recipe and log."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vitui.tui.series import Series, enveloped, exact
from vitui.tui.tail import Tail

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.store import Run
    from vitui.store.metrics import Event

EXACT_POINTS = 20_000
"""Longer series come as envelopes of BUCKETS buckets, whatever their length."""
BUCKETS = 2000


@dataclass(frozen=True, slots=True)
class Setting:
    """A line of the recipe. `before` is the preset's value where the run has another one, else None."""

    key: str
    value: Any
    changed: bool
    before: Any
    origin: str


@dataclass(frozen=True, slots=True)
class RunView:
    """One run with its curves."""

    run: Run
    series: Mapping[str, Series]
    events: tuple[Event, ...]
    recipe: tuple[Setting, ...]
    log: tuple[str, ...]
    now: float
    lr: float | None = None
    phase: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunWatch:
    """One run. `window`: its steps in view, None for all of it."""

    run_id: str
    window: tuple[float, float | None] | None = None

    period = 0.35

    @property
    def subject(self) -> Hashable:
        return "run", self.run_id

    def reader(self, lab: Lab) -> RunReader:
        return RunReader(lab, self.run_id)


class RunReader:
    """Reads one run with its curves, events, recipe and log, as far as they changed. Used by one thread."""

    def __init__(self, lab: Lab, run_id: str) -> None:
        self.run_id = run_id
        self._lab = lab
        self._tail = Tail(lab.run_dir(run_id).console)
        self._token: int | None = None
        self._window: tuple[float, float | None] | None = None
        self._curves_of: tuple[Any, ...] = ()
        self._recipe_of: tuple[Any, ...] = ()
        self._view: RunView | None = None

    def read(self, now: float, watch: RunWatch) -> RunView | None:
        """The run, or None when nothing has changed. Raises NotFound when it is gone."""
        window = watch.window
        new_log = self._tail.poll()
        token = self._lab.changes_token()
        old = self._view
        if old is not None and token == self._token and window == self._window:
            if not new_log:
                return None
            self._view = RunView(
                old.run, old.series, old.events, old.recipe, self._tail.lines, now, old.lr, old.phase, old.facts
            )
            return self._view
        self._token, self._window = token, window
        run = self._lab.run(self.run_id)
        if old is not None and not new_log and old.run == run and self._curves_of == self._version(run):
            return None
        series, events, recipe, lr, facts = (
            (old.series, old.events, old.recipe, old.lr, old.facts) if old else ({}, (), (), None, {})
        )
        if self._curves_of != self._version(run):
            series, lr = self._read_series(run, window), self._read_lr(run)
            events = tuple(self._lab.events(self.run_id))
            self._curves_of = self._version(run)
        if self._recipe_of != (run.state, run.attempt, run.params):
            recipe, facts = self._read_recipe(), self._lab.provenance(self.run_id)
            self._recipe_of = (run.state, run.attempt, run.params)
        phase = next((str(_field(e, "name")) for e in reversed(events) if e.kind == "phase"), "")
        self._view = RunView(run, series, events, recipe, self._tail.lines, now, lr, phase, facts)
        return self._view

    def _version(self, run: Run) -> tuple[Any, ...]:
        long = (run.step or 0) > EXACT_POINTS
        return (run.journal_offset, run.attempt, self._window if long else None)

    def _read_series(self, run: Run, window: tuple[float, float | None] | None) -> dict[str, Series]:
        out = {}
        for key in self._lab.keys(self.run_id):
            if key.endswith(("/loss", "top1", "top5")):
                dense = key.startswith("train/") and (run.step or 0) > EXACT_POINTS
                out[key] = self._long(key, run, window) if dense else self._points(key)
        return out

    def _points(self, key: str, **bounds: float) -> Series:
        curve = self._lab.curve(self.run_id, key, **bounds)
        return exact(key, curve.steps, curve.values, curve.at)

    def _long(self, key: str, run: Run, window: tuple[float, float | None] | None) -> Series:
        """An envelope of all; a window gets its own, with a margin that panning may show before it is read again."""
        bounds: dict[str, float] = {}
        if window is not None:
            low, high = window[0], window[1] if window[1] is not None else float(run.step or 0)
            margin = high - low
            bounds = {"step_min": max(0.0, low - margin), "step_max": high + margin}
            if 3 * margin <= EXACT_POINTS:
                return self._points(key, **bounds)
        e = self._lab.envelope(self.run_id, key, BUCKETS, **bounds)
        return enveloped(key, e.step_last, e.at_last, e.min, e.max, e.first, e.last, e.mean, e.count, e.nan_count)

    def _read_lr(self, run: Run) -> float | None:
        recent = self._lab.curve(self.run_id, "train/lr", step_min=max(0, (run.step or 0) - 1000))
        return float(recent.values[-1]) if len(recent.values) else None

    def _read_recipe(self) -> tuple[Setting, ...]:
        labels = self._lab.labels(self.run_id)
        changes = {change["key"]: change for change in labels.get("changes") or ()}
        origins = labels.get("origins") or {}
        return tuple(
            Setting(key, value, key in changes, changes.get(key, {}).get("before"), str(origins.get(key, "")))
            for key, value in self._lab.config(self.run_id).items()
        )

    def forget(self) -> None:
        self._token, self._view, self._curves_of, self._recipe_of = None, None, (), ()


def _field(event: Event, name: str) -> Any:
    return event.data.get(name)
