"""Lines of the Devices screen. Pure: a view in, styled lines out, and what each line stands for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitui import display
from vitui.text import cell_width, safe
from vitui.tui import format, words
from vitui.tui.actions import ACTIONS, Action, key_of
from vitui.tui.theme import Palette
from vitui.tui.views.devices import SAMPLE_S, UNITS, DevicesView, Samples
from vitui.tui.widgets.bar import Part

if TYPE_CHECKING:
    from vitui.occupancy import Occupied
    from vitui.store import Run

BLOCKS = "▁▂▃▄▅▆▇█"
GAUGE = 10
NAME_WIDTH = 22


@dataclass(frozen=True, slots=True)
class Entry:
    """What a line stands for: a device or a run, waiting or placed. Lines without one cannot be chosen."""

    kind: str
    key: str


Row = tuple[Entry | None, list[Part]]


def device_lines(view: DevicesView, p: Palette, width: int, actions: Sequence[Action] = ACTIONS) -> list[Row]:
    """Devices with their runs and strangers, then the queue. `actions`: with the user's keys, which are told."""
    rows: list[Row] = []
    for one in view.occupied:
        rows += _device(one, view.samples.get(one.device.key, Samples()), view, p, width)
    if not view.occupied:
        rows.append((None, [("  looking at the devices", p.dim)]))
    if view.trouble:
        rows.append((None, [("  ! ", p.warn), (safe(view.trouble, max(10, width - 4)), p.warn)]))
    rows.append((None, []))
    rows += _queue(view, p, width, actions)
    return rows


def _device(one: Occupied, samples: Samples, view: DevicesView, p: Palette, width: int) -> list[Row]:
    device = one.device
    entry = Entry("device", device.key)
    name = safe(f"{device.label} {device.name}", NAME_WIDTH)
    use = samples.last("use")
    used, total = (device.memory_total - device.memory_free) / 2**30, device.memory_total / 2**30
    parts: list[Part] = [
        (name + " " * (NAME_WIDTH - cell_width(name) + 1), p.strong),
        *gauge(use, p),
        (f" {'–' if use is None else f'{use:3.0f} %':>5}", p.text),
        (f"  {used:5.1f}/{total:.1f} GiB", p.text if device.memory_free > 0.05 * device.memory_total else p.warn),
    ]
    if device.temperature is not None:
        parts.append((f"  {device.temperature} °C", p.warn if device.temperature >= 85 else p.text))
    if device.power is not None:
        parts.append((f"  {device.power:.0f} W", p.text))
    if device.key == "cpu":
        parts.append((f"  load {view.load[0]:.1f} {view.load[1]:.1f} {view.load[2]:.1f}", p.dim))
    rows: list[Row] = [(entry, parts)]
    if (line := _spark_line("use", samples, p, width)) is not None:
        rows.append((None, line))
    for run in one.runs:
        rows.append((Entry("run", run.id), _live(run, p)))
    for process in one.others:
        rows.append((None, [("  ! ", p.warn), (safe(str(process), 60), p.warn), ("  not one of these runs", p.dim)]))
    if not one.runs and not one.others:
        rows.append((None, [("    free", p.dim)]))
    return rows


def _spark_line(quantity: str, samples: Samples, p: Palette, width: int) -> list[Part] | None:
    values = samples.values.get(quantity, ())
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return None
    top = 100.0 if quantity == "use" else max(known)
    cells = max(10, min(width - 40, 60))
    low, high = min(known), max(known)
    said = f"  {low:.0f} to {high:.0f} {UNITS[quantity]} in {display.duration(SAMPLE_S * len(values))}"
    return [(f"    {quantity:<12}", p.dim), (sparkline(values, cells, top), p.curves[0]), (said, p.dim)]


def detail_lines(view: DevicesView, key: str, p: Palette, width: int) -> list[list[Part]]:
    """Every figure of one device over the last ten minutes."""
    samples = view.samples.get(key, Samples())
    found = [_spark_line(quantity, samples, p, width) for quantity in UNITS]
    return [line for line in found if line is not None]


def sparkline(values: Sequence[float], cells: int, top: float) -> str:
    """The newest at the right; each cell the largest of its values, as a block of eight heights; gaps where unknown."""
    per_cell = max(1, math.ceil(len(values) / cells))
    out = []
    # Counted from the newest: the cells then move on only when one of them is full.
    for end in range(len(values), 0, -per_cell):
        known = [value for value in values[max(0, end - per_cell) : end] if not math.isnan(value)]
        if not known:
            out.append(" ")
            continue
        part = max(known) / top if top > 0 else 0.0
        out.append(BLOCKS[min(7, max(0, int(part * 8)))])
    return "".join(reversed(out))


def gauge(percent: float | None, p: Palette, cells: int = GAUGE) -> list[Part]:
    """A bar filled to `percent`."""
    full = 0 if percent is None else min(cells, max(0, round(percent / 100 * cells)))
    return [("█" * full, p.curves[0]), ("░" * (cells - full), p.dim)]


def _live(run: Run, p: Palette) -> list[Part]:
    eta = display.eta_seconds(run)
    facts: list[Part | None] = [
        (safe(run.name or run.id, 40), p.text),
        (f"epoch {display.progress(run)}", p.text) if run.total_epochs else None,
        (f"{format.rate(run.images_per_s)} img/s", p.dim) if run.images_per_s else None,
        (f"{display.duration(eta)} left", p.dim) if eta is not None else None,
        (run.id, p.dim),
    ]
    return [("    ", p.text), words.state_part(run, p), ("  ", p.text), *words.joined(facts, p.dim)]


def _queue(view: DevicesView, p: Palette, width: int, actions: Sequence[Action]) -> list[Row]:
    waiting = view.queue.waiting
    head = f"Queue: {len(waiting)} waiting" if waiting else "Queue: nothing waits"
    rows: list[Row] = [(None, [(head, p.strong)])]
    if view.queue.paused:
        why = safe(view.queue.paused, max(20, width - 30))
        rows.append(
            (
                None,
                [("  paused: ", p.bad), (why, p.bad), (f"  {key_of('devices.unpause', actions)} lets it go on", p.dim)],
            )
        )
    place_width = len(str(len(waiting)))
    room = max(12, min(30, width // 4))
    for place, run in enumerate(waiting, 1):
        name = safe(run.name or run.id, room)
        name += " " * (room - cell_width(name))
        why = f"held; {key_of('devices.hold', actions)} lets it start" if run.held else run.reason or "its turn comes"
        parts: list[Part] = [
            (f"{place:>{place_width + 2}}  ", p.dim),
            (f"{name} ", p.text),
            (f"{safe(run.device, 8):<8} ", p.dim),
            (f"{display.age(run.state_at, view.now):>4}  ", p.dim),
            (safe(why, 300), p.warn if run.held else p.text),
        ]
        rows.append((Entry("waiting", run.id), parts))
    return rows


def worker_part(view: DevicesView, p: Palette, actions: Sequence[Action] = ACTIONS) -> Part:
    """Whether somebody works on the queue. `actions`: as for `device_lines`."""
    if view.queue.worker_alive:
        return f"worker {view.queue.worker_pid} at work", p.good
    busy = view.queue.waiting or any(one.runs for one in view.occupied)
    return (
        (f"no worker; {key_of('devices.wake-worker', actions)} starts one", p.bad)
        if busy
        else ("no worker needed", p.dim)
    )
