"""What a number that somebody else reported may be compared with: the same metric, measured on the same split."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vitui.store import Run


def same_split(one: str, other: str) -> bool:
    """Whether two names mean one split: people write ``val``, ``valid`` and ``validation``. Empty is none."""
    return bool(one) and _name(one) == _name(other)


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


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
