"""The preview beside the list on large terminals: what there is to say about the run under the cursor."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

from textual.app import ComposeResult
from textual.containers import Vertical

from vitui import display
from vitui.query.groups import Group
from vitui.text import safe
from vitui.tui import format, words
from vitui.tui.curves import Drawn, of_several
from vitui.tui.theme import Palette
from vitui.tui.views.curves import RunCurves
from vitui.tui.widgets.chart import Chart
from vitui.tui.widgets.lines import Line, Lines
from vitui.tui.widgets.look import Panel

if TYPE_CHECKING:
    from textual.timer import Timer

    from vitui.store import Run
    from vitui.tui.app import VituiApp

REST = 0.2
"""Seconds the cursor must rest on a run before its files are read."""
KEPT = 200
"""Runs whose run.json is kept in memory."""
KINDS = ("accuracy", "loss")
"""The charts."""


class Preview(Vertical):
    """Key facts of a run at once; its curves and what differs from its preset as soon as they are read, in a thread."""

    def __init__(self, palette: Palette, *, id: str) -> None:
        super().__init__(id=id)
        self._palette = palette
        self._run: Run | None = None
        self._said: dict[str, dict[str, Any]] = {}
        self._curves: RunCurves | None = None
        self._reading = threading.Lock()
        """A thread that is no longer wanted goes on reading; the next one must not read the same curves beside it."""
        self._drawn: Run | None = None
        """The run as it was when its curves were read."""
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Lines(id="preview-facts")
        for kind in KINDS:
            yield Chart(self._palette, id=f"preview-{kind}")

    @property
    def vitui(self) -> VituiApp:
        return cast("VituiApp", self.app)

    def about(self, row: Run | Group | None) -> None:
        """Show this run; of a group its first. Nothing is read while the preview is not on the screen."""
        run = row.runs[0] if isinstance(row, Group) else row
        other = run is None or self._run is None or run.id != self._run.id
        self._run = run
        if run is None or not self.display or not self.size.width:
            return
        self._show(run)
        if other:
            self._clear()
        if self._timer is not None and other:
            self._timer.stop()
            self._timer = None
        behind = self._drawn is None or (self._drawn.id, self._drawn.journal_offset) != (run.id, run.journal_offset)
        if self._timer is None and (behind or run.id not in self._said):
            self._timer = self.set_timer(REST, self._read)

    def on_resize(self) -> None:
        self.about(self._run)

    def _clear(self) -> None:
        for kind in KINDS:
            self.query_one(f"#preview-{kind}", Chart).show(Panel("", "", ()))

    def _show(self, run: Run) -> None:
        facts = self.query_one("#preview-facts", Lines)
        facts.show(fact_lines(run, self._palette, facts.size.width, self.vitui.clock(), self._said.get(run.id)))

    def _read(self) -> None:
        run, lab = self._run, self.vitui.lab
        self._timer = None
        if run is None:
            return
        curves = self._curves
        if curves is None or curves.run_id != run.id:
            curves = self._curves = RunCurves(lab, run.id)
        keys = {
            kind: f"{run.selected_on}/{run.metric or 'top1'}" if kind == "accuracy" else "train/loss" for kind in KINDS
        }

        def work() -> None:
            try:
                said = lab.labels(run.id)
                with self._reading:
                    series = curves.read(run, None, list(keys.values()))
            except Exception:  # a run that has just been deleted, a lab that cannot be read: the list says so
                return
            found = of_several([Drawn(run, series, "", 0)], said.get("reference"))
            panels = {kind: panel for panel in found for kind, key in keys.items() if panel.key == key}
            self.app.call_from_thread(self._have, run, said, panels)

        self.run_worker(work, thread=True, exclusive=True, group="preview", exit_on_error=False)

    def _have(self, run: Run, said: dict[str, Any], panels: dict[str, Panel]) -> None:
        if len(self._said) > KEPT:
            self._said.clear()
        self._said[run.id] = said
        if self._run is not None and self._run.id == run.id and self.is_attached:
            self._drawn = run
            self._show(self._run)
            for kind in KINDS:
                self.query_one(f"#preview-{kind}", Chart).show(panels.get(kind, Panel("", "", ())))


def fact_lines(run: Run, p: Palette, width: int, now: float, said: dict[str, Any] | None = None) -> list[Line]:
    """Facts of a run, a line each, from its row; and from its run.json, where that has been read."""
    room = max(8, width - 10)
    sign, style = words.state_part(run, p)
    out: list[Line] = [[(safe(run.name or run.id, width), p.strong)], [(sign, style), (f"  {run.id}", p.dim)]]
    why = words.reason(run, p)
    if why is not None:
        first, rest = words.broken(why[0], width)
        out += [[(first, why[1])], *([[(safe(rest, width), why[1])]] if rest else [])]
    took = display.elapsed(run, now)
    facts = [
        ("preset", run.preset),
        ("model", run.model + (f"  {display.count(run.params)}" if run.params else "")),
        ("dataset", run.dataset),
        ("device", format.short_device(display.device_name(run))),
        ("seed", "" if run.seed is None else str(run.seed)),
        ("launched", display.moment(run.created, "%Y-%m-%d %H:%M")),
        ("epoch", display.progress(run)),
        ("took", "" if took is None else display.duration(took)),
        ("speed", f"{format.rate(run.images_per_s)} images/s" if run.images_per_s else ""),
        ("tags", " ".join(run.tags)),
    ]
    out.append("")
    out += [[(f"{label:<10}", p.dim), (safe(text, room), p.text)] for label, text in facts if text]
    out += ["", *_accuracy_lines(run, p, width, said or {})]
    for label, text in (("question", run.question), ("note", run.notes)):
        if text.strip():
            out += ["", [(label, p.dim)]]
            out += [[(safe(line, width), p.text)] for line in text.splitlines()[:6]]
    return out if said is None else [*out, *change_lines(said.get("changes"), p)]


def _accuracy_lines(run: Run, p: Palette, width: int, said: dict[str, Any]) -> list[Line]:
    """One accuracy a line: those that `words.accuracies` puts into one."""
    reference = said.get("reference")
    parts = words.accuracies(run, p, 4 * width, reference if isinstance(reference, dict) else None)
    told = [part for part in parts if part[0] != words.SEPARATOR]
    return [[(safe(text, width), style)] for text, style in told]


def change_lines(changes: object, p: Palette) -> list[Line]:
    """What differs from the preset, as run.json has it; whatever is damaged is left out."""
    entries = [one for one in changes if isinstance(one, dict)] if isinstance(changes, list) else []
    told = [(str(one.get("key")), one.get("before"), one.get("after")) for one in entries]
    if not told:
        return ["", [("as its preset", p.dim)]]
    lines: list[Line] = ["", [("differs from its preset", p.dim)]]
    for key, before, after in told[:20]:
        lines.append([
            (safe(key, 30), p.text), (f"  {safe(display.value(before), 24)} → ", p.dim),
            (safe(display.value(after), 24), p.strong),
        ])  # fmt: skip
    if len(told) > 20:
        lines.append([(f"and {len(told) - 20} more", p.dim)])
    return lines
