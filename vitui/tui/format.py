"""Numbers as short text, beyond what `vitui.display` has. Pure."""

from __future__ import annotations

import math

from vitui import display


def number(value: float | None, digits: int = 4) -> str:
    """A measured value in `digits` significant digits without a needless exponent: ``0.4123``, ``1.2e-05``."""
    if value is None:
        return display.percent(None)
    if not math.isfinite(value):
        return nonfinite(value)
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if -3 <= size < digits + 2:
        return f"{value:.{max(0, digits - 1 - size)}f}"
    return f"{value:.{max(1, digits - 3)}e}"


def nonfinite(value: float) -> str:
    """``NaN``, ``Inf`` or ``-Inf``."""
    return "NaN" if value != value else "Inf" if value > 0 else "-Inf"


def accuracy(value: float | None) -> str:
    """A metric in percent in at most six cells: ``96.42``, ``100.00``, ``NaN``; a dash for None."""
    return nonfinite(value) if value is not None and not math.isfinite(value) else display.percent(value)


def rate(value: float | None) -> str:
    """Images per second, at most seven cells: ``0.85``, ``73.2``, ``1,234``, ``21.3k``."""
    if value is None or not math.isfinite(value):
        return display.percent(None)
    if value < 100:
        return f"{value:.{2 if value < 10 else 1}f}"
    return f"{value:,.0f}" if value < 10_000 else display.count(value)


def short_device(name: str) -> str:
    """``GPU 0 NVIDIA H200`` as ``GPU 0``; anything else as it is."""
    words = name.split()
    return " ".join(words[:2]) if len(words) > 2 and words[0] == "GPU" and words[1].isdigit() else name
