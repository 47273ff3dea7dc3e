"""Several runs beside each other: their curves in the same charts, and the table of what they differ in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vitui.comparing import Comparison, FactsReader, RunFacts, side_by_side
from vitui.errors import NotFound
from vitui.text import safe
from vitui.tui.curve_marks import marks
from vitui.tui.curves import Drawn, levels, of_several, quantity
from vitui.tui.series import Span
from vitui.tui.views.curves import RunCurves
from vitui.tui.widgets.look import Panel

if TYPE_CHECKING:
    from vitui.lab import Lab


@dataclass(frozen=True, slots=True)
class CompareView:
    """`run_ids` were asked for; `gone` are those that are not in the lab any more. `found`: None where none is left."""

    run_ids: tuple[str, ...]
    gone: tuple[str, ...]
    found: Comparison | None
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class CompareWatch:
    """The runs in their order, the one that differences are to (None: the first), what of the curves is in view."""

    run_ids: tuple[str, ...]
    baseline: str | None = None
    span: Span | None = None

    period = 0.7

    @property
    def subject(self) -> str:
        return "compare"

    def reader(self, lab: Lab) -> CompareReader:
        return CompareReader(lab)


class CompareReader:
    """Reads the chosen runs as far as they changed. Used by one thread."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._readers: dict[str, tuple[FactsReader, RunCurves]] = {}
        self._token: int | None = None
        self._watch: CompareWatch | None = None
        self._view: CompareView | None = None
        self._made_of: tuple[tuple[RunFacts, ...], str | None] = ((), None)

    def read(self, now: float, watch: CompareWatch) -> CompareView | None:
        """The picture, or None when it is what it was."""
        token = self._lab.changes_token()
        if self._view is not None and token == self._token and watch == self._watch:
            return None
        old, self._token, self._watch = self._view, token, watch
        self._readers = {
            id: self._readers.get(id) or (FactsReader(self._lab, id), RunCurves(self._lab, id)) for id in watch.run_ids
        }
        runs, drawn, gone = list[RunFacts](), list[Drawn](), list[str]()
        for id, (facts_of, curves_of) in self._readers.items():
            try:
                facts = facts_of.read()
            except NotFound:
                gone.append(id)
                continue
            ink = len(runs)
            runs.append(facts)
            drawn.append(Drawn(facts.run, curves_of.read(facts.run, watch.span), "", ink))
        found = self._compared(runs, watch.baseline, old)
        view = CompareView(watch.run_ids, tuple(gone), found, self._panels(runs, drawn, found))
        if view == old:
            return None
        self._view = view
        return view

    def _compared(self, runs: Sequence[RunFacts], baseline: str | None, old: CompareView | None) -> Comparison | None:
        """The table; the same object where no run has changed."""
        made_of = tuple(runs), baseline
        same = [a is b for a, b in zip(made_of[0], self._made_of[0], strict=False)]
        if old is not None and len(runs) == len(self._made_of[0]) and all(same) and baseline == self._made_of[1]:
            return old.found
        self._made_of = made_of
        ids = [facts.run.id for facts in runs]
        return side_by_side(runs, ids.index(baseline) if baseline in ids else 0) if runs else None

    @staticmethod
    def _panels(runs: Sequence[RunFacts], drawn: Sequence[Drawn], found: Comparison | None) -> tuple[Panel, ...]:
        """A chart for each series that any run has, with every reference that is about it."""
        if found is None:
            return ()
        named = [
            replace(
                one,
                label=safe(column.label, 24),
                marks=tuple(
                    replace(mark, text=f"{column.letter}: {mark.text}")
                    for mark in marks(facts.events, facts.run, one.series)
                ),
            )
            for one, column, facts in zip(drawn, found.columns, runs, strict=True)
        ]
        return tuple(
            replace(
                panel,
                levels=tuple(
                    dict.fromkeys(
                        level
                        for facts in runs
                        for level in levels(quantity(panel.key), [panel.key], facts.run, facts.reference)
                    )
                ),
            )
            for panel in of_several(named)
        )

    def forget(self) -> None:
        self._token, self._view, self._made_of = None, None, ((), None)
