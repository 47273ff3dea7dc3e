"""What a run is as the tables hold it, and as it is before its first attempt. Plain data."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vitui.store.coerce import count, real, text


class Run(NamedTuple):
    """One run as the tables hold it. Times are Unix seconds, accuracies percent; None: not known (yet), or NaN.

    A named tuple because it is made ten times faster than a frozen dataclass, and a list has ten thousand of them.
    """

    id: str
    name: str
    preset: str
    family: str
    state: str
    state_at: float
    evidence: str
    """How it ended and how we know."""
    created: float
    started: float | None
    """When its first attempt said so."""
    ended: float | None
    launcher: str
    handle: dict[str, Any] | None
    """What the launcher needs to find the attempt again."""
    device: str
    """What was asked for: "auto", "cpu", "gpu", "gpu:N" or a GPU's UUID."""
    placed: str
    """What it got, e.g. "cpu" or "GPU 0 NVIDIA H200"."""
    gpus: int
    host: str
    attempt: int
    """The latest attempt; 0 before the first."""
    stop_requested: float | None
    seed: int | None
    model: str
    dataset: str
    params: int | None
    trainable_params: int | None
    epoch: float
    total_epochs: float | None
    """Not whole where the recipe counts steps; None before such a run has said how many make an epoch."""
    step: int
    total_steps: int | None
    steps_per_epoch: int | None
    batch_size: int | None
    images_per_s: float | None
    last_event_at: float | None
    metric: str
    best: float | None
    """Best finite value of `metric` on the selecting split, of the selecting weights (the average if there is one)."""
    best_epoch: float | None
    best_step: int | None
    last: float | None
    """The latest of those values."""
    selected_on: str
    select_is_report: bool
    """The split that selects is the one that reports: results are "selected on test"."""
    report_best: float | None
    report_last: float | None
    report_split: str
    loss: float | None
    """Latest training loss; None too when that is NaN (`latest.nan_count` counts those)."""
    reference: float | None
    reference_source: str
    reference_outcome: str
    """What the reference reports instead of a number, e.g. "NaN at epoch 35"."""
    star: bool
    archived: bool
    notes: str
    question: str
    exit_code: int | None
    exit_signal: int | None
    journal_offset: int
    """Bytes of the journal that are in the database."""
    journal_skipped: int
    """Journal lines and values that were damaged or not understood."""
    recipe_fingerprint: str = ""
    """What is trained, without the seed (engine.recipe.fingerprint); empty where its recipe could not be read."""
    tags: tuple[str, ...] = ()
    reason: str = ""
    """Why it waits."""
    position: int | None = None
    """1-based place in the queue."""
    held: bool = False


class Brief(NamedTuple):
    """What a line of a listing shows of a run, with the fields of `Run`: ten thousand take a quarter of the time."""

    id: str
    name: str
    state: str
    created: float
    device: str
    placed: str
    epoch: float
    total_epochs: float | None
    step: int
    total_steps: int | None
    batch_size: int | None
    images_per_s: float | None
    best: float | None
    last: float | None
    select_is_report: int
    """0 or 1."""
    report_best: float | None
    reference: float | None
    star: int
    """0 or 1."""


@dataclass(frozen=True, slots=True)
class NewRun:
    """What is known of a run before it starts. `config` is its recipe, dotted leaf -> plain value."""

    id: str
    name: str
    preset: str = ""
    family: str = ""
    created: float = 0.0
    device: str = "auto"
    gpus: int = 1
    seed: int | None = None
    model: str = ""
    dataset: str = ""
    total_epochs: float | None = None
    reference: float | None = None
    reference_source: str = ""
    reference_outcome: str = ""
    star: bool = False
    archived: bool = False
    notes: str = ""
    question: str = ""
    recipe_fingerprint: str = ""
    tags: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)


def new_run(run_id: str, labels: Mapping[str, Any], config: Mapping[str, Any]) -> NewRun:
    """From run.json and a flat recipe. Both may have been edited by hand: what has the wrong type counts as absent."""
    from engine.recipe.fingerprint import fingerprint  # pydantic comes with it

    reference = labels.get("reference")
    if not isinstance(reference, Mapping):
        reference = {}
    tags = labels.get("tags")
    return NewRun(
        id=run_id,
        name=text(labels.get("name")) or run_id,
        preset=text(labels.get("preset")),
        family=text(labels.get("family")),
        created=real(labels.get("created")) or 0.0,
        device=text(labels.get("device")) or "auto",
        gpus=count(labels.get("gpus")) or 1,
        seed=count(config.get("train.seed")),
        model=text(config.get("model.name")),
        dataset=text(config.get("data.dataset")),
        total_epochs=None if count(config.get("train.steps")) else count(config.get("train.epochs")),
        reference=real(reference.get("value")),
        reference_source=text(reference.get("source")),
        reference_outcome=text(reference.get("outcome")),
        star=labels.get("star") is True,
        archived=labels.get("archived") is True,
        notes=text(labels.get("notes")),
        question=text(labels.get("question")),
        recipe_fingerprint=fingerprint(config) if config else "",
        tags=clean_tags(tags) if isinstance(tags, list | tuple) else (),
        config=config,
    )


def clean_tags(given: Collection[Any]) -> tuple[str, ...]:
    return tuple(sorted({tag for value in given if (tag := text(value).strip())}))
