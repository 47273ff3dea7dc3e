"""Curves of variants over their seeds: the mean with a band, a trace for each variant. Used by the poller's thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from vitui.studies.bands import POINTS, band
from vitui.studies.bands import Series as Points
from vitui.text import safe
from vitui.tui.curves import QUANTITIES, foremost, label_of, noisy, ordered, quantity, title
from vitui.tui.series import Series, enveloped
from vitui.tui.views.curves import pace
from vitui.tui.widgets.look import Panel, Trace

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.store import Run

BINS = 100
"""Points of the mean of a noisy series at most: more of them would show the noise of single batches."""
Curves = Mapping[str, Mapping[str, Series]]
"""Run id -> series of that run, by key."""


@dataclass(frozen=True, slots=True)
class VariantRuns:
    """A variant that is drawn. `runs`: those of its seeds that have begun; `ink`: number of its colour and letter."""

    name: str
    label: str
    runs: tuple[Run, ...]
    ink: int


@dataclass(frozen=True, slots=True)
class Plottable:
    """Series that some run has; `foremost`: loss and accuracy, which are drawn where nothing was chosen."""

    all: tuple[str, ...]
    foremost: tuple[str, ...]


def plottable(lab: Lab, variants: Sequence[VariantRuns]) -> Plottable:
    """What can be drawn of these variants, in the order of charts."""
    keys: set[str] = set()
    selected_on = ""
    for one in variants:
        for run in one.runs[:1]:
            keys |= lab.extents(run.id).keys()
            selected_on = selected_on or run.selected_on
    known = ordered(list(keys), selected_on)
    return Plottable(tuple(known), tuple(foremost(known)))


Kept = dict[tuple[str, str], tuple[tuple[Series, ...], Series]]
"""Means that were made, by series and variant, with what they were made of."""


def panels(variants: Sequence[VariantRuns], curves: Curves, keys: Sequence[str], kept: Kept) -> tuple[Panel, ...]:
    """A panel for each series, with a trace for each variant that has it. `kept` is brought up to date: a mean of the
    same curves is the same object again, so charts know it."""
    fresh: Kept = {}
    out = []
    for key in keys:
        traces = []
        for one in variants:
            seeds = [(run, found) for run in one.runs if (found := curves[run.id].get(key)) is not None and len(found)]
            if not seeds:
                continue
            made_of = tuple(found for _, found in seeds)
            before, series = kept.get((key, one.name), ((), None))
            same = len(before) == len(made_of) and all(a is b for a, b in zip(before, made_of, strict=True))
            if series is None or not same:
                series = averaged(key, seeds)
            fresh[key, one.name] = made_of, series
            n = f" of {len(seeds)}" if len(seeds) > 1 else ""
            label = f"{safe(one.label, 24)}{n}"
            traces.append(Trace(series, label, noisy(key), pace(one.runs[0]), one.ink, banded=len(seeds) > 1))
        name = quantity(key)
        unit = QUANTITIES.get(name, ("", ""))[1]
        out.append(Panel(key, f"{title(name)} {label_of(key, name)}".strip(), tuple(traces), unit=unit))
    kept.clear()
    kept.update(fresh)
    return tuple(out)


def averaged(key: str, seeds: Sequence[tuple[Run, Series]]) -> Series:
    """The mean over seeds (see vitui.studies.bands) with a band of its standard deviation; one seed as it is.

    Its time is that since the start, averaged, from the start of the first seed on.
    """
    if len(seeds) == 1:
        return seeds[0][1]
    found = band([Points(one.step, one.mean) for _, one in seeds], BINS if noisy(key) else POINTS)
    deviation = np.nan_to_num(found.deviation)
    clocks = [one.at - (run.started or 0.0) for run, one in seeds]
    at = np.zeros(len(found.steps))
    if all(run.started and len(one.at) and one.at[-1] > 0 for run, one in seeds):
        told = [np.interp(found.steps, one.step, clock) for (_, one), clock in zip(seeds, clocks, strict=True)]
        at = np.mean(told, axis=0) + (seeds[0][0].started or 0.0)
    none = np.zeros(len(found.steps))
    mean = found.mean
    series = enveloped(
        key, found.steps, at, mean - deviation, mean + deviation, mean, mean, mean, none + 1, none
    )  # fmt: skip
    bad = np.unique(np.concatenate([one.bad_step for _, one in seeds]))
    return replace(series, bad_step=bad, bad_at=np.zeros(len(bad)))
