"""How numbers and states read, the same in command line and terminal app."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vitui.store import Brief, Run

GLYPHS = {
    "queued": "…", "starting": "◌", "running": "▶", "finished": "✓",
    "stopped": "■", "diverged": "≈", "failed": "✗", "lost": "?",
}  # fmt: skip
"""A sign for each state, so that colour alone never carries it."""


def duration(seconds: float | None) -> str:
    """``45s``, ``12m 05s``, ``3h 07m``, ``2d 04h``; a dash for None."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    s = max(0, round(seconds))
    if s < 60:
        return f"{s}s"
    if s < 3600:
        return f"{s // 60}m {s % 60:02d}s"
    if s < 86400:
        return f"{s // 3600}h {s % 3600 // 60:02d}m"
    return f"{s // 86400}d {s % 86400 // 3600:02d}h"


def age(at: float | None, now: float | None = None) -> str:
    """How long ago, in the largest unit alone: ``45s``, ``12m``, ``3h``, ``2d``."""
    if at is None or not math.isfinite(at):
        return "–"
    s = max(0.0, (time.time() if now is None else now) - at)
    for limit, unit, name in ((60, 1, "s"), (3600, 60, "m"), (86400, 3600, "h")):
        if s < limit:
            return f"{int(s // unit)}{name}"
    return f"{int(s // 86400)}d"


def moment(at: float | None, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A time (Unix seconds) as date and clock here; empty for None, a dash for one that no calendar has."""
    if at is None:
        return ""
    try:
        return time.strftime(form, time.localtime(at))
    except (OverflowError, ValueError, OSError):  # a damaged file may say anything
        return "–"


def percent(value: float | None, digits: int = 2) -> str:
    """A metric in percent; a dash for None."""
    return "–" if value is None else f"{value:.{digits}f}"


def count(value: float | None) -> str:
    """``950``, ``5.7k``, ``22.1M``, ``1.26G``; a dash for None."""
    if value is None:
        return "–"
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            scaled = value / limit
            return f"{scaled:.{2 if scaled < 10 else 1 if scaled < 100 else 0}f}{unit}"
    return f"{value:.0f}"


def bytes_(size: float) -> str:
    """A size in memory: ``950 B``, ``12.3 MiB``, ``2.31 GiB``."""
    for limit, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= limit:
            scaled = size / limit
            return f"{scaled:.{2 if scaled < 10 else 1 if scaled < 100 else 0}f} {unit}"
    return f"{size:.0f} B"


def value(thing: Any) -> str:
    """A recipe value as it is written in a file or after --set; a dash for a field that is not there."""
    if thing is None:
        return "–"
    if isinstance(thing, bool):
        return "true" if thing else "false"
    if isinstance(thing, float):
        return f"{thing:g}"
    if isinstance(thing, list):
        return "[" + ", ".join(value(item) for item in thing) + "]"
    return str(thing)


def eta_seconds(run: Run | Brief) -> float | None:
    """Seconds until the last step at the present speed, None where nothing is known. Evaluations are not counted."""
    if run.state != "running" or not run.images_per_s or not run.total_steps or not run.batch_size:
        return None
    return (run.total_steps - (run.step or 0)) * run.batch_size / run.images_per_s


def elapsed(run: Run, now: float) -> float | None:
    """Seconds since it was first started, up to its end; None before its start."""
    if run.started is None:
        return None
    return max(0.0, (run.ended if run.ended is not None else now) - run.started)


def progress(run: Run | Brief) -> str:
    """``12.4/30`` epochs, empty before anything is known."""
    if not run.total_epochs:
        return ""
    done = run.epoch or 0.0
    shown = f"{done:.1f}" if done % 1 else f"{done:.0f}"
    return f"{shown}/{epochs(run.total_epochs)}"


def epochs(total: float | None) -> str:
    """A length in epochs, with one decimal where it ends inside one; ``?`` where it is not known."""
    if total is None or not math.isfinite(total):
        return "?"
    return f"{total:.0f}" if total == int(total) else f"{total:.1f}"


def trained(run: Run) -> str:
    """``9.81M parameters``, with how many of them are trained where that is not all; empty before it is known."""
    if not run.params:
        return ""
    part = run.trainable_params
    return f"{count(run.params)} parameters" + ("" if part in (None, run.params) else f", {count(part)} trained")


def device_name(run: Run | Brief) -> str:
    """Where the run is or was placed, else what it asks for."""
    return run.placed or run.device


def number(value: float | None, digits: int = 4) -> str:
    """A measured value in `digits` significant digits without a needless exponent: ``0.4123``, ``1.2e-05``."""
    if value is None:
        return percent(None)
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
    return nonfinite(value) if value is not None and not math.isfinite(value) else percent(value)


def rate(value: float | None) -> str:
    """Images per second, at most seven cells: ``0.85``, ``73.2``, ``1,234``, ``21.3k``."""
    if value is None or not math.isfinite(value):
        return percent(None)
    if value < 100:
        return f"{value:.{2 if value < 10 else 1}f}"
    return f"{value:,.0f}" if value < 10_000 else count(value)


def short_device(name: str) -> str:
    """``GPU 0 NVIDIA H200`` as ``GPU 0``; anything else as it is."""
    words = name.split()
    return " ".join(words[:2]) if len(words) > 2 and words[0] == "GPU" and words[1].isdigit() else name
