"""Ticks at round numbers and their labels. Pure."""

from __future__ import annotations

import math
import time
from itertools import pairwise

from vitui.tui.series import XAxis

_TIMES = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 4 * 3600, 6 * 3600, 12 * 3600, 86_400)


def nice_step(span: float, most: int) -> float:
    """The smallest of 1, 2, 5 x 10^n that divides `span` into at most `most` parts."""
    rough = span / max(most, 1)
    if not rough > 1e-300 or not math.isfinite(rough):  # powers of ten end before the smallest numbers do
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in (1, 2, 5):
        if factor * power >= rough * (1 - 1e-9):
            return factor * power
    return 10 * power


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if last - first > 1000:  # the span is lost in the magnitude of the values
        return [low, high]
    return [n * step for n in range(first, last + 1)]


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round values in [low, high], ascending, at most about `most`; at least one where the range holds one."""
    return _multiples(low, high, nice_step(high - low, most)) if high > low else [low]


def count_ticks(low: float, high: float, most: int) -> list[float]:
    """As `ticks`, whole numbers only: half a step does not exist."""
    return _multiples(low, high, max(1.0, nice_step(high - low, most)))


def time_ticks(low: float, high: float, most: int) -> list[float]:
    """Seconds at which a clock shows something round."""
    rough = (high - low) / max(most, 1)
    step = next((t for t in _TIMES if t >= rough), 0) or 86_400 * nice_step(rough / 86_400, 1)
    return _multiples(low, high, float(step))


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Exponents (base 10) of round values between 10^low and 10^high: decades, or 1-2-5 where few decades show."""
    decades = [float(n) for n in range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)]
    if len(decades) >= 3:
        return decades[:: math.ceil(len(decades) / max(most, 1))]
    fine = [n + math.log10(f) for n in range(math.floor(low), math.floor(high) + 1) for f in (1, 2, 5)]
    fine = [v for v in fine if low - 1e-9 <= v <= high + 1e-9]
    if 2 <= len(fine) <= most:
        return fine
    if len(fine) > most:
        return fine[:: math.ceil(len(fine) / max(most, 1))]
    return [math.log10(v) for v in ticks(10**low, 10**high, most) if v > 0]


def labels(values: list[float]) -> list[str]:
    """Plain decimal labels, all with the decimals the smallest distance needs; exponents for huge and tiny ranges."""
    if not values:
        return []
    gap = min((b - a for a, b in pairwise(values)), default=abs(values[0]) or 1.0)
    largest = max(abs(v) for v in values)
    if largest >= 1e6 or (0 < largest < 1e-3):
        return _scientific(values)
    decimals = max(0, -math.floor(math.log10(gap) + 1e-9)) if gap > 0 else 0
    return [f"{v + 0.0:.{min(decimals, 6)}f}" for v in values]


def count_labels(values: list[float]) -> list[str]:
    """Labels of steps and images: thousands as k, millions as M, thousand millions as G."""
    largest = max((abs(v) for v in values), default=0.0)
    for scale, unit, above in ((1e9, "G", 2e9), (1e6, "M", 2e6), (1e3, "k", 10e3)):
        if largest >= above:
            return [f"{v / scale:g}{unit}" if v else "0" for v in values]
    return [f"{v:g}" for v in values]


def time_labels(values: list[float]) -> list[str]:
    """Labels of durations: ``0``, ``30s``, ``5m``, ``1h20``, ``2d``."""
    out = []
    for value in values:
        s = round(value)
        if s >= 86_400 and s % 86_400 == 0:
            out.append(f"{s // 86_400}d")
        elif s >= 3600:
            out.append(f"{s // 3600}h{s % 3600 // 60:02d}" if s % 3600 else f"{s // 3600}h")
        elif s >= 60:
            out.append(f"{s // 60}m{s % 60:02d}" if s % 60 else f"{s // 60}m")
        else:
            out.append(f"{s}s" if s else "0")
    return out


def log_labels(exponents: list[float]) -> list[str]:
    """Labels of logarithmic ticks: the values themselves."""
    out = []
    for exponent in exponents:
        value = 10.0**exponent if abs(exponent) < 300 else math.inf
        out.append(f"{value:.5g}" if -4 <= exponent < 5 else f"1e{round(exponent)}")
    return out


def _scientific(values: list[float]) -> list[str]:
    """As short as tells them apart: ``1e6``, ``1.2e-5``, ``9.9985e5``."""
    out: list[str] = []
    for digits in range(2, 9):
        out = ["0" if value == 0 else _short(f"{value:.{digits}e}") for value in values]
        if len(set(out)) == len(set(values)):
            break
    return out


def _short(text: str) -> str:
    mantissa, exponent = text.split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def clock_ticks(low: float, high: float, most: int) -> list[float]:
    """Seconds since 1970 at which the local clock shows something round."""
    offset = _offset(low)
    return [t - offset for t in time_ticks(low + offset, high + offset, most)]


def clock_labels(values: list[float]) -> list[str]:
    """Labels of moments: the time of day, with seconds or the day where the ticks need it."""
    step = min((b - a for a, b in pairwise(values)), default=60.0)
    days = bool(values) and values[-1] - values[0] >= 86_400
    form = "%d %b" if step >= 86_400 else "%d %H:%M" if days else "%H:%M" if step >= 60 else "%H:%M:%S"
    return [clock(value, form) for value in values]


def clock(at: float, form: str = "%H:%M:%S") -> str:
    """A moment (seconds since 1970) on the local clock; a question mark where the calendar does not go that far."""
    try:
        return time.strftime(form, time.localtime(at))
    except (OverflowError, ValueError, OSError):
        return "?"


def _offset(at: float) -> float:
    try:
        return float(time.localtime(at).tm_gmtoff)
    except (OverflowError, ValueError, OSError):
        return 0.0


def place_ticks(low: float, high: float, most: int, kind: XAxis, log: bool) -> tuple[list[float], list[str]]:
    """Places of round positions of a horizontal axis between two places (logarithms where `log`), and their labels."""
    if log:
        places = log_ticks(low, high, most)
        name = time_labels if kind is XAxis.RELATIVE else count_labels
        return places, [name([10.0 ** min(p, 300.0)])[0] for p in places]
    match kind:
        case XAxis.STEP | XAxis.IMAGES:
            values = count_ticks(low, high, most)
            return values, count_labels(values)
        case XAxis.EPOCH:
            values = ticks(low, high, most)
            return values, labels(values)
        case XAxis.RELATIVE:
            values = time_ticks(low, high, most)
            return values, time_labels(values)
        case XAxis.WALL:
            values = clock_ticks(low, high, most)
            return values, clock_labels(values)
