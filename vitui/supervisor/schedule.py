"""Who runs where, as a pure function: the queue, the devices and who holds them in; starts and reasons out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from vitui.supervisor.devices import Device, describe_request, matching
from vitui.supervisor.leases import Place


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued run. `device` is what was asked for ("auto", "cpu", "gpu", "gpu:N", a UUID); `needs_gb` GPU memory."""

    run_id: str
    position: int
    device: str = "auto"
    gpus: int = 1
    held: bool = False
    needs_gb: float | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """A run that starts or runs, and the slots it has."""

    run_id: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Start:
    """Start this run on these slots."""

    run_id: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Leave this run in the queue, because of `reason` (never empty)."""

    run_id: str
    reason: str


Action = Start | Wait


def schedule(
    waiting: Sequence[Waiting],
    live: Sequence[Live],
    devices: Sequence[Device],
    leased: Collection[Place] = (),
    pause: str = "",
    trouble: str = "",
) -> list[Action]:
    """One action for each waiting run, in queue order.

    `leased`: slots whose lease is taken, by our own runs or by anybody; `pause`: why the queue stands still, empty when
    it does not; `trouble`: why GPUs cannot be seen at present. First come, first served among runs that fit the same
    device: a run that waits for busy slots keeps the free ones it needs from those behind it.
    """
    owner = {place: run.run_id for run in live for place in run.places}
    taken: dict[Place, str] = dict.fromkeys(leased, "") | owner
    kept: dict[Place, str] = {}
    actions: list[Action] = []
    for run in sorted(waiting, key=lambda item: (item.position, item.run_id)):
        if run.held:
            actions.append(Wait(run.run_id, "held; release it to let it start"))
        elif pause:
            actions.append(Wait(run.run_id, f"the queue is paused: {pause}"))
        else:
            actions.append(_place(run, devices, taken, kept, trouble))
    return actions


def _place(
    run: Waiting, devices: Sequence[Device], taken: dict[Place, str], kept: dict[Place, str], trouble: str
) -> Action:
    wanted = matching(run.device, devices)
    count = run.gpus
    if len(wanted) < count:
        if trouble and run.device != "cpu":
            return Wait(run.run_id, trouble)
        return Wait(run.run_id, f"{describe_request(run.device, count)} not found on this machine")
    fits: list[Device] = []
    obstacles: list[str] = []
    free: list[Place] = []
    for device in wanted:
        obstacle = _obstacle(run, device, taken)
        if obstacle:
            obstacles.append(obstacle)
            continue
        fits.append(device)
        slots = [Place(device.key, slot) for slot in range(device.slots)]
        open_slot = next((place for place in slots if place not in taken and place not in kept), None)
        if open_slot is not None:
            free.append(open_slot)
        else:
            obstacles.append(_occupied(device, slots, taken, kept))
    if len(free) >= count:
        for place in free[:count]:
            taken[place] = run.run_id
        return Start(run.run_id, tuple(free[:count]))
    if len(fits) >= count:  # only busy, so its turn comes: nobody behind may take what it waits for
        for place in free:
            kept[place] = run.run_id
    reason = "; ".join(obstacles)
    return Wait(run.run_id, reason if count == 1 else f"needs {count} GPUs, {len(free)} free: {reason}")


def _obstacle(run: Waiting, device: Device, taken: Mapping[Place, str]) -> str:
    """What beside slots keeps a run off a device, or an empty string."""
    if device.key == "cpu":
        return ""
    free, total = device.memory_free / 2**30, device.memory_total / 2**30
    if run.needs_gb is not None and free < run.needs_gb:
        return f"{device.label}: {free:.1f} of {total:.1f} GB free, needs {run.needs_gb:g}{_others(device)}"
    named = run.device not in ("auto", "gpu")
    ours = any(place.key == device.key for place in taken)
    if not named and not ours and device.processes:
        return f"{device.label}: {free:.1f} of {total:.1f} GB free{_others(device)}"
    return ""


def _others(device: Device) -> str:
    if not device.processes:
        return ""
    names = ", ".join(str(process) for process in device.processes[:3])
    more = len(device.processes) - 3
    return f", in use by {names}" + (f" and {more} more" if more > 0 else "")


def _occupied(device: Device, slots: Sequence[Place], taken: Mapping[Place, str], kept: Mapping[Place, str]) -> str:
    runs = [taken[place] for place in slots if taken.get(place)]
    if runs:
        return f"{device.label}: busy with {', '.join(runs)}"
    ahead = [kept[place] for place in slots if place in kept]
    if ahead:
        return f"{device.label}: kept for {ahead[0]}, which is ahead in the queue"
    return f"{device.label}: leased by another process"
