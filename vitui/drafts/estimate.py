"""What a launch will cost: time, memory, disk. From past runs of the same model and what the engine said of it."""

from __future__ import annotations

import math
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from vitui.admission import question, recall, shape_of
from vitui.display import bytes_, rate
from vitui.errors import VitError
from vitui.lengths import steps_per_epoch
from vitui.store.speeds import Past, equal, past_runs

if TYPE_CHECKING:
    from engine.recipe import Recipe
    from vitui.composition import Composed
    from vitui.inspecting import Begun, Description
    from vitui.lab import Lab
    from vitui.reading import Reading
    from vitui.supervisor.devices import Device

LOOKED_AT = 5
"""Past runs whose speed is read point by point."""

# Fields that decide how fast a model trains, besides its name, its options, its image size and its device.
_SPEED = (
    "model.norm", "model.ffn_norm", "model.weight_norm", "model.activation", "train.scope", "train.precision",
    "distill.kind", "distill.teacher",
)  # fmt: skip
# Further fields that decide its memory.
_MEMORY = ("train.batch_size", "train.grad_accum_steps", "optim.name", "optim.momentum", "train.mode")
_AVERAGE = "regularize.ema"
"""Of any strength, it keeps the weights a second time."""


@dataclass(frozen=True)
class Estimate:
    """What is known at once. None: not known."""

    description: Description | None
    """Parameters, trained parameters, MACs, memory; None before the engine was asked (`describe_later`)."""
    memory_bytes: int | None
    memory_basis: str
    seconds: float | None
    """Of one run."""
    time_basis: str
    disk_bytes: int | None
    """Checkpoints and the exported model of one run, at the end."""
    fits: str
    """Whether that memory is there, as a sentence; empty where nothing is known."""
    runs: int = 1

    @property
    def total_seconds(self) -> float | None:
        """Of all runs, one after the other."""
        return None if self.seconds is None else self.seconds * self.runs

    @property
    def total_disk_bytes(self) -> int | None:
        """Of all runs."""
        return None if self.disk_bytes is None else self.disk_bytes * self.runs


def estimate(lab: Reading, composed: Composed, device: str = "auto", runs: int = 1) -> Estimate:
    """What `runs` runs of a recipe cost on a device, as far as it is known without asking the engine.

    Milliseconds, but for the first look at the GPUs: call it in a thread.
    """
    from vitui.supervisor.devices import matching

    recipe = composed.recipe
    places = matching(device, lab.devices())
    known = recall(lab.home, question(lab.home, recipe).key)
    past = _alike(lab, recipe, places)
    memory, memory_basis = _memory(recipe, known, past)
    seconds, time_basis = _time(lab, recipe, past, places)
    return Estimate(
        known, memory, memory_basis, seconds, time_basis, _disk(known), _fits(memory, places), max(1, runs)
    )  # fmt: skip


def describe_later(lab: Lab, composed: Composed, begun: Begun | None = None) -> Description:
    """Ask the engine about the model: seconds, for a background thread. `estimate` knows the answer from then on.

    `begun` is given what ends the asking, for another thread to call.

    Raises UsageError with the reason when the model cannot be built, VitError when the engine cannot be asked.
    """
    return lab.describe(composed.recipe, begun=begun)


# -- past runs ---------------------------------------------------------------------------------------------------


def _alike(lab: Reading, recipe: Recipe, places: Sequence[Device]) -> list[Past]:
    """Past runs of the same model at the same image size on the same kind of device, the newest first."""
    if not lab.store.exists or not places:
        return []
    try:
        found = past_runs(lab.store.reading(), recipe.model.name)
    except VitError:
        return []
    flat, side = recipe.flat(), shape_of(lab.home, recipe).img_size
    return [
        run
        for run in found
        if _on(run, places)
        and _options(run.config) == {key: value for key, value in flat.items() if key.startswith("model.options.")}
        and all(equal(run.config.get(key), flat[key]) for key in _SPEED)
        and _side(lab, recipe, run) == side
    ]


def _on(run: Past, places: Sequence[Device]) -> bool:
    if run.placed == "cpu":
        return places[0].key == "cpu" and run.host == socket.gethostname()
    return any(place.key != "cpu" and run.placed.partition(" ")[2].partition(" ")[2] == place.name for place in places)


def _options(config: Any) -> dict[str, Any]:
    import json

    out = {}
    for key, value in config.items():
        if key.startswith("model.options."):
            try:
                out[key] = json.loads(value) if isinstance(value, str) else value
            except ValueError:
                out[key] = value
    return out


def _side(lab: Reading, recipe: Recipe, run: Past) -> int:
    """Side of the images a past run saw (px)."""
    size = run.config.get("data.img_size")
    dataset = run.config.get("data.dataset")
    data = recipe.data.model_copy(
        update={"dataset": str(dataset), "img_size": size if isinstance(size, int) else "auto"}
    )
    return shape_of(lab.home, recipe.model_copy(update={"data": data})).img_size


def _time(lab: Reading, recipe: Recipe, past: list[Past], places: Sequence[Device]) -> tuple[float | None, str]:
    if not places:
        return None, "its device is not on this machine"
    where = "the CPU" if places[0].key == "cpu" else places[0].name
    each = steps_per_epoch(lab.home, recipe)
    total = recipe.train.steps or (recipe.train.epochs * each if each else None)
    if not past:
        return None, f"no run of this model on {where} yet; its first steps will tell"
    if total is None:
        return None, f"the size of {recipe.data.dataset} is not known yet"
    same = [run for run in past if run.batch_size == recipe.train.batch_size]
    chosen = (same or past)[:LOOKED_AT]
    speed = median(_steady(lab, run) for run in chosen)
    training = total * recipe.train.batch_size / speed
    outside = _outside(lab, chosen)
    evaluations = _evaluations(recipe, total, each)
    count = "1 run" if len(chosen) == 1 else f"{len(chosen)} runs"
    basis = f"from {count} of this model on {where} at {rate(speed)} images/s"
    if not same:
        basis += f", with batches of {', '.join(sorted({str(run.batch_size) for run in chosen}, key=int))}"
    if outside is None:
        return training, f"{basis}; evaluations not counted"
    return training + outside * evaluations, f"{basis}, evaluations as they took"


def _steady(lab: Reading, run: Past) -> float:
    """Images a second of a run, median over its course without the first fifth."""
    curve = lab.envelope(run.run, "train/images_per_s", 200)
    speeds = [value for value in curve.mean.tolist() if math.isfinite(value) and value > 0]
    steady = speeds[len(speeds) // 5 :]
    return median(steady) if steady else run.images_per_s


def _outside(lab: Reading, past: list[Past]) -> float | None:
    """Seconds an evaluation took with all that is done beside it, median over the finished runs; None without any."""
    taken = [
        max(0.0, run.trained_s - run.step * run.batch_size / _steady(lab, run)) / run.evaluations
        for run in past
        if run.trained_s and run.evaluations
    ]
    return median(taken) if taken else None


def _evaluations(recipe: Recipe, total: int, each: int | None) -> int:
    """Evaluations on the selecting split in `total` steps, the last one among them."""
    every = recipe.evaluate.every_steps or (recipe.evaluate.every_epochs * each if each else total)
    return -(-total // every)


# -- memory and disk ---------------------------------------------------------------------------------------------


def _memory(recipe: Recipe, known: Description | None, past: list[Past]) -> tuple[int | None, str]:
    flat = recipe.flat()
    for run in past:
        averaged = float(run.config.get(_AVERAGE) or 0) > 0
        if averaged != (recipe.regularize.ema > 0):
            continue
        if run.memory_bytes and all(key not in flat or equal(run.config.get(key), flat[key]) for key in _MEMORY):
            return run.memory_bytes, f"as run {run.run} took"
    if known is None:
        return None, "not known before the engine has looked at the model"
    images = recipe.micro_batch
    return known.memory.total(images), f"estimate: {images} images at a time in 32 bits; PyTorch itself comes on top"


def _disk(known: Description | None) -> int | None:
    """best.pt and last.pt with weights, average and the optimiser's state, and the exported weights."""
    if known is None:
        return None
    memory = known.memory
    return 2 * (memory.weights + memory.ema + memory.optimizer) + memory.weights


def _fits(memory: int | None, places: Sequence[Device]) -> str:
    if memory is None or not places or not any(place.memory_total for place in places):
        return ""
    most = max(places, key=lambda place: place.memory_total)
    free = max(places, key=lambda place: place.memory_free)
    need = bytes_(memory)
    if memory > most.memory_total:
        return (
            f"does not fit: {need} of the {bytes_(most.memory_total)} {most.label} has; "
            "raise train.grad_accum_steps or choose a smaller train.batch_size"
        )
    if memory > free.memory_free:
        return f"does not fit now: {need}, but only {bytes_(free.memory_free)} are free on {free.label}"
    return f"fits: {need} of {bytes_(free.memory_free)} free on {free.label}"
