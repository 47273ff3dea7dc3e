"""``vitui devices``: what this machine trains on, and who uses it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from vitui.cli.opening import Json, open_lab, print_json, say


def add_to(app: typer.Typer) -> None:
    app.command()(devices)


def devices(context: typer.Context, json: Json = False) -> None:
    """Show GPUs and CPU: use, memory, runs, other processes.

    Memory in GiB, use in percent, temperature in degrees C, power in watts.
    """
    lab = open_lab(context)
    found, trouble = lab.occupancy()
    if json:
        listed: list[dict[str, Any]] = [
            {
                **asdict(one.device),
                "runs": [run.id for run in one.runs],
                "others": [asdict(process) for process in one.others],
            }
            for one in found
        ]
        print_json({"devices": listed, "trouble": trouble})
        return
    from vitui.cli.table import print_table
    from vitui.display import value

    if trouble:
        say(trouble)
    rows = []
    for one in found:
        device = one.device
        used = (device.memory_total - device.memory_free) / 2**30
        rows.append((
            device.label, device.name, value(device.utilization), f"{used:.1f}/{device.memory_total / 2**30:.1f}",
            value(device.temperature), value(device.power), ", ".join(run.id for run in one.runs) or "–",
            ", ".join(map(str, one.others)) or "–",
        ))  # fmt: skip
    print_table(
        ("device", "name", "use", "memory", "temp", "power", "runs", "others"), rows,
        right=("use", "memory", "temp", "power"), give="others",
    )  # fmt: skip
