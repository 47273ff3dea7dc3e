"""What somebody else reported: how it reads, and what it may be compared with (the same metric on the same split)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.recipe import Reference
    from vitui.store import Run


def same_split(one: str, other: str) -> bool:
    """Whether two names mean one split: people write ``val``, ``valid`` and ``validation``. Empty is none."""
    return bool(one) and _name(one) == _name(other)


def text_of(reference: Reference) -> str:
    """The value as its source writes it, without the unit of `unit_of`: ``91.10``, ``3.760M``, ``22:56``, ``+2``.

    Parameters are in millions (M), multiply-adds in billions (G), sizes in MB or GB. Where there is no value, what
    happened instead.
    """
    value = reference.value
    if value is None:
        return reference.outcome or "–"
    match reference.metric:
        case "params":
            return f"{_plain(value / 1e6, reference.decimals)}M"
        case "macs":
            return f"{_plain(value / 1e9, reference.decimals)}G"
        case "checkpoint_bytes":
            unit, name = (1e9, "GB") if value >= 1e9 else (1e6, "MB")
            return f"{_plain(value / unit, reference.decimals)} {name}"
        case "epoch_seconds":
            minutes, seconds = divmod(round(value), 60)
            return f"{minutes}:{seconds:02d}"
        case "gain":
            return _plain(value, reference.decimals, "+").replace("-", "−") if value else "0"
    percent = unit_of(reference.metric) == "%"
    return _plain(value, 2 if percent and reference.decimals is None else reference.decimals)


def unit_of(metric: str) -> str:
    """The unit that `text_of` leaves to a table's heading; empty where the text has it."""
    from engine.recipe.metrics import METRICS

    if metric in ("params", "macs", "checkpoint_bytes"):  # the text has it
        return ""
    return "min" if metric == "epoch_seconds" else METRICS[metric].unit


def title_of(metric: str) -> str:
    """Heading of a metric: ``top-1``, ``throughput``."""
    from engine.recipe.metrics import METRICS

    return METRICS[metric].title


def described(reference: Reference) -> str:
    """What stands before its source: ``91.25 ± 0.3  top1 on test, published``; ``31.5 images/s  throughput, draft``."""
    label = f" ({reference.label})" if reference.label else ""
    text = text_of(reference)
    if reference.judged:
        within = "" if reference.value is None else f" ± {reference.tolerance:g}"
        return f"{text}{within}  {reference.metric} on {reference.split}, {reference.kind}{label}"
    unit = "" if reference.value is None else unit_of(reference.metric)
    return f"{text} {unit}".rstrip() + f"  {title_of(reference.metric)}, {reference.kind}{label}"


def _plain(value: float, decimals: int | None, sign: str = "") -> str:
    """With so many decimals; None: as many as it takes."""
    return f"{value:{sign}.{decimals}f}" if decimals is not None else f"{value:{sign}.10g}"


def _name(split: str) -> str:
    return "val" if split in ("valid", "validation") else split


def value_of(reference: Mapping[str, Any]) -> float | None:
    """The number of a reference as run.json has it; None where it has none (or something else)."""
    value = reference.get("value")
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if good and value is not None else None


def comparable(run: Run, reference: Mapping[str, Any]) -> tuple[float | None, str]:
    """The result of `run` that its reference may be compared with, and why there is none.

    The closing evaluation where the reference is about that split, else the best value where it is about the split
    that selects. (None, "") where nothing has been measured yet.
    """
    metric, split = str(reference.get("metric") or "top1"), str(reference.get("split") or "test")
    if metric != run.metric:
        return None, f"it is about {metric}"
    if same_split(split, run.report_split):
        return _finite(run.report_best), ""
    if same_split(split, run.selected_on):
        return _finite(run.best), ""
    return None, f"it is about another split ({split})" if run.report_split else ""


def within(gap: float, tolerance: float) -> bool:
    """Whether a result that differs by `gap` from another reproduces it, both in the same unit.

    76.40 and 76.10 are 0.3 apart, though in floating point a little more: that does not count.
    """
    return abs(gap) <= tolerance + 1e-9


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
