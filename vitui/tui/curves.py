"""Which series of a run go into which chart: a panel for each quantity, or for each series where runs are overlaid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vitui.references import same_split, value_of
from vitui.text import safe
from vitui.tui.series import Series
from vitui.tui.views.curves import pace
from vitui.tui.widgets.look import Level, Mark, Panel, Trace

if TYPE_CHECKING:
    from vitui.store import Run
    from vitui.tui.views.run import RunView

QUANTITIES: Mapping[str, tuple[str, str]] = {
    "loss": ("loss", ""), "top1": ("top-1", "%"), "top5": ("top-5", "%"), "lr": ("learning rate", ""),
    "grad_norm": ("gradient norm", ""), "images_per_s": ("throughput", "images/s"), "memory_gb": ("memory", "GB"),
    "utilization": ("device use", "%"), "temperature": ("temperature", "°C"), "power": ("power", "W"),
}  # fmt: skip
"""Title and unit of what the trainer measures, in the order of the charts. Any other quantity comes after them."""

_STEADY = frozenset({"lr", "memory_gb"})
"""Without noise: a moving average would only lag behind."""
_SAMPLED = frozenset({"train", "device"})
"""What is measured all the time rather than now and then on a split."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One of several runs in the same charts. `ink`: number of its colour and letter in all of them."""

    run: Run
    series: Mapping[str, Series]
    label: str
    ink: int
    marks: tuple[Mark, ...] = ()


def split_of(key: str) -> str:
    """``minival/ema_top1`` -> ``minival``; empty for a key without one."""
    return key.rpartition("/")[0]


def quantity(key: str) -> str:
    """``minival/ema_top1`` -> ``top1``: what is measured, whatever the weights."""
    return key.rpartition("/")[2].removeprefix("ema_")


def title(name: str) -> str:
    """A quantity in words."""
    return QUANTITIES[name][0] if name in QUANTITIES else safe(name.replace("_", " "), 40)


def ordered(keys: Sequence[str], selected_on: str = "") -> list[str]:
    """Series in the order of the charts; in each training first, then the split `selected_on`, plain weights first."""
    known = list(QUANTITIES)

    def place(key: str) -> tuple[Any, ...]:
        name, split = quantity(key), split_of(key)
        rank = known.index(name) if name in QUANTITIES else len(known)
        return rank, name, split not in _SAMPLED, split != selected_on, split, "/ema_" in key

    return sorted(keys, key=place)


def foremost(keys: Sequence[str]) -> list[str]:
    """Of series in the order of the charts, those that tell most: loss and accuracy."""
    found = (next((key for key in keys if quantity(key) == name), "") for name in ("loss", "top1"))
    return [key for key in found if key]


def panels(view: RunView, marks: tuple[Mark, ...] = ()) -> list[Panel]:
    """The charts of a run, with the runs laid over it, its `marks` on the time axis and the published value."""
    own = Drawn(view.run, view.series, safe(view.run.name or view.run.id, 24), 0, marks)
    if not view.overlays:
        return _of_one(own, view.reference)
    others = [
        Drawn(other.run, other.series, safe(other.run.name or other.run.id, 24), n)
        for n, other in enumerate(view.overlays, 1)
    ]
    return of_several([own, *others], view.reference)


def _of_one(drawn: Drawn, reference: Mapping[str, Any]) -> list[Panel]:
    """A panel for each quantity, with a trace for each split and kind of weights."""
    run, groups = drawn.run, dict[str, list[str]]()
    for key in ordered(list(drawn.series), run.selected_on):
        groups.setdefault(quantity(key), []).append(key)
    return [
        Panel(
            name,
            title(name),
            tuple(
                Trace(drawn.series[key], label_of(key, name), noisy(key), pace(run), ink)
                for ink, key in enumerate(keys)
            ),
            levels(name, keys, run, reference),
            drawn.marks,
            QUANTITIES.get(name, ("", ""))[1],
        )
        for name, keys in groups.items()
    ]


def of_several(runs: Sequence[Drawn], reference: Mapping[str, Any] | None = None) -> list[Panel]:
    """A panel for each series that any of the runs has, with a trace for each run. The reference is the first run's.

    Loss and accuracy come first: there are many panels, and a small terminal shows few at a time.
    """
    first = runs[0]
    keys = ordered(list({key for drawn in runs for key in drawn.series}), first.run.selected_on)
    first_of_all = foremost(keys)
    keys.sort(key=lambda key: first_of_all.index(key) if key in first_of_all else len(first_of_all))
    return [
        Panel(
            key,
            f"{title(quantity(key))} {label_of(key, quantity(key))}".strip(),
            tuple(
                Trace(drawn.series[key], drawn.label, noisy(key), pace(drawn.run), drawn.ink)
                for drawn in runs
                if key in drawn.series
            ),
            levels(quantity(key), [key], first.run, reference or {}),
            tuple(mark for drawn in runs for mark in drawn.marks),
            QUANTITIES.get(quantity(key), ("", ""))[1],
        )
        for key in keys
    ]


def noisy(key: str) -> bool:
    return split_of(key) in _SAMPLED and quantity(key) not in _STEADY


def label_of(key: str, name: str) -> str:
    """``minival/ema_top1`` -> ``minival ema``. Of what is only measured in training nothing need be said."""
    split, _, last = key.rpartition("/")
    if name not in ("loss", "memory_gb") and split in _SAMPLED:
        return ""
    return safe(f"{split or name} ema" if last.startswith("ema_") else split or name, 40)


def levels(name: str, keys: Sequence[str], run: Run, reference: Mapping[str, Any]) -> tuple[Level, ...]:
    """The published value in the chart of its metric, where the run measures on that split; it names the split."""
    value, split = value_of(reference), str(reference.get("split") or "test")
    if value is None or str(reference.get("metric") or "top1") != name:
        return ()
    # The split that reports is measured at the end only: there is no curve of it, so the line says what it is about.
    drawn = [split_of(key) for key in keys]
    if any(same_split(split, one) for one in drawn) or (
        same_split(split, run.report_split) and run.selected_on in drawn
    ):
        return (Level(value, f"ref {safe(split, 16)}"),)
    return ()
