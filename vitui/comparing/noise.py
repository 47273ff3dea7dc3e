"""How far an accuracy may be off because only so many images were counted."""

from __future__ import annotations

import math

SURE = 1.96
"""Standard errors beyond which a difference counts: 95 % of a normal distribution lie inside."""


def standard_error(percent: float, images: int | None) -> float | None:
    """Binomial standard error of an accuracy, in percent: 100 sqrt(p (1 - p) / n). None where n is not known.

    p is kept half an image away from 0 and 1, where the formula would say that there is no doubt at all.
    """
    if not images or images < 1 or not math.isfinite(percent):
        return None
    p = min(max(percent / 100, 0.5 / images), 1 - 0.5 / images)
    return 100 * math.sqrt(p * (1 - p) / images)


def combined(a: float | None, b: float | None) -> float | None:
    """Standard error of a difference, as if both were measured on images of their own.

    On the same images two models mostly fail together, and the true one is smaller: this errs on the careful side.
    """
    return None if a is None or b is None else math.hypot(a, b)


def verdict(difference: float, error: float | None, better: int) -> str:
    """``better``, ``worse``, ``same`` or ``noise``; empty where more is neither (`better`: 1 more, -1 less)."""
    if difference == 0:
        return "same"
    if not better or not math.isfinite(difference):
        return ""
    if error is not None and abs(difference) <= SURE * error:
        return "noise"
    return "better" if difference * better > 0 else "worse"
