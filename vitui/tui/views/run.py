"""One run with its curves, events, recipe, origin and log, and the curves of others laid over it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from vitui.errors import NotFound, VitError
from vitui.tui.logfile import LogFile, LogPage, LogWindow
from vitui.tui.series import Series, Span
from vitui.tui.tail import Tail
from vitui.tui.views.curves import RunCurves

if TYPE_CHECKING:
    from vitui.evidence import Attempt
    from vitui.lab import Lab
    from vitui.store import Run
    from vitui.store.metrics import Event


@dataclass(frozen=True, slots=True)
class Setting:
    """A line of the recipe. `before` is the preset's value where the run has another one, else None."""

    key: str
    value: Any
    changed: bool
    before: Any
    origin: str


@dataclass(frozen=True, slots=True)
class Overlay:
    """Another run whose curves are laid over."""

    run: Run
    series: Mapping[str, Series]


@dataclass(frozen=True, slots=True)
class RunView:
    """One run with its curves.

    `log`: the end of its log; `page`: the part of all of it that was asked for. `reference`: the number somebody else
    reported, as run.json has it. `path`: its directory, of `size` bytes, which exists if `here`. `problem`: what of it
    cannot be read, as a sentence.
    """

    run: Run
    series: Mapping[str, Series]
    events: tuple[Event, ...]
    recipe: tuple[Setting, ...]
    log: tuple[str, ...]
    now: float
    lr: float | None = None
    phase: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    reference: Mapping[str, Any] = field(default_factory=dict)
    overlays: tuple[Overlay, ...] = ()
    page: LogPage | None = None
    attempts: tuple[Attempt, ...] = ()
    checkpoints: tuple[tuple[str, int], ...] = ()
    size: int | None = None
    path: str = ""
    here: bool = True
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RunWatch:
    """One run. `span`: what of its curves is in view; `overlays`: ids of runs laid over; `log`: which lines of it."""

    run_id: str
    span: Span | None = None
    overlays: tuple[str, ...] = ()
    log: LogWindow | None = None

    period = 0.35

    @property
    def subject(self) -> Hashable:
        return "run", self.run_id

    def reader(self, lab: Lab) -> RunReader:
        return RunReader(lab, self.run_id)


class RunReader:
    """Reads one run as far as it changed. Used by one thread."""

    def __init__(self, lab: Lab, run_id: str) -> None:
        self.run_id = run_id
        self._lab = lab
        self._tail = Tail(lab.run_dir(run_id).console)
        self._log = LogFile(lab.run_dir(run_id).console)
        self._curves = RunCurves(lab, run_id)
        self._over: dict[str, RunCurves] = {}
        self._token: int | None = None
        self._watch: RunWatch | None = None
        self._view: RunView | None = None
        self._saved: tuple[Any, ...] = ()

    def read(self, now: float, watch: RunWatch) -> RunView | None:
        """The run, or None when nothing has changed. Raises NotFound when it is gone."""
        old, before = self._view, self._watch
        tailed = self._tail.poll()
        page = self._page(watch, old)
        token = self._lab.changes_token()
        same_curves = before is not None and (watch.span, watch.overlays) == (before.span, before.overlays)
        self._watch = watch
        if old is not None and token == self._token and same_curves:
            if not tailed and page == old.page:
                return None
            self._view = replace(old, log=self._tail.lines, page=page, now=now)
            return self._view
        self._token = token
        run = self._lab.run(self.run_id)
        series = self._curves.read(run, watch.span)
        new = replace(self._parts(run, old), run=run, series=series, log=self._tail.lines, page=page)
        new = replace(new, overlays=self._overlays(watch, old), lr=_latest(series, "train/lr"), now=now)
        if old is not None and replace(new, now=old.now) == old:
            return None
        self._view = new
        return new

    def _page(self, watch: RunWatch, old: RunView | None) -> LogPage | None:
        if watch.log is None:
            return None
        before = self._watch
        if self._log.poll() or old is None or old.page is None or before is None or watch.log != before.log:
            return self._log.page(watch.log)
        return old.page

    def _parts(self, run: Run, old: RunView | None) -> RunView:
        """Events, recipe and origin, each read again only when it can have changed."""
        here = self._lab.run_dir(self.run_id).path.is_dir()
        journalled = (run.journal_offset, run.attempt)
        settled = (run.state, run.attempt, run.params, here)
        view = old or RunView(run, {}, (), (), (), 0.0)
        if old is None or self._saved[0] != journalled:
            events = tuple(self._lab.events(self.run_id))
            phase = next((str(e.data.get("name")) for e in reversed(events) if e.kind == "phase"), "")
            view = replace(view, events=events if events != view.events else view.events, phase=phase)
        if old is None or self._saved[1] != settled:
            recipe, problem = self._recipe()
            view = replace(
                view, recipe=recipe, problem=problem, here=here, facts=self._lab.provenance(self.run_id),
                reference=self._reference(), attempts=tuple(self._lab.attempts(self.run_id)),
            )  # fmt: skip
        written = sum(event.kind == "checkpoint" for event in view.events)
        if old is None or self._saved[2] != (written, settled):
            size = self._lab.size(self.run_id) if here else None
            path = str(self._lab.run_dir(self.run_id).path)
            view = replace(view, checkpoints=tuple(self._lab.checkpoints(self.run_id)), size=size, path=path)
        self._saved = (journalled, settled, (written, settled))
        return view

    def _recipe(self) -> tuple[tuple[Setting, ...], str]:
        try:
            config = self._lab.config(self.run_id)
        except VitError as error:
            return (), str(error)
        labels = self._lab.labels(self.run_id)
        listed, named = labels.get("changes"), labels.get("origins")
        entries = [c for c in listed if isinstance(c, dict)] if isinstance(listed, list) else []
        changes = {str(change.get("key")): change.get("before") for change in entries}
        origins = named if isinstance(named, dict) else {}
        return (
            tuple(
                Setting(key, value, key in changes, changes.get(key), str(origins.get(key, "")))
                for key, value in config.items()
            ),
            "",
        )

    def _reference(self) -> Mapping[str, Any]:
        reference = self._lab.labels(self.run_id).get("reference")
        return reference if isinstance(reference, dict) else {}

    def _overlays(self, watch: RunWatch, old: RunView | None) -> tuple[Overlay, ...]:
        kept = {overlay.run.id: overlay for overlay in old.overlays} if old else {}
        self._over = {id: self._over.get(id) or RunCurves(self._lab, id) for id in watch.overlays}
        out = []
        for id, curves in self._over.items():
            try:
                run = self._lab.run(id)
            except NotFound:  # deleted since it was chosen
                continue
            new = Overlay(run, curves.read(run, watch.span))
            out.append(kept[id] if kept.get(id) == new else new)
        return tuple(out)

    def forget(self) -> None:
        self._token, self._view, self._saved = None, None, ()


def _latest(series: Mapping[str, Series], key: str) -> float | None:
    return series[key].latest if key in series else None
