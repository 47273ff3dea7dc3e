"""Recipe: one typed, validated tree that says what to train. Torch-free.

Every field carries its unit, range and a docstring; form, CLI help and table columns are made from them.
A field whose value is "auto" is decided by `engine.recipe.resolve.resolve` from facts about data, weights
and device; the raw value stays in ``recipe.toml``, the decided one goes to ``resolved.toml``.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from engine.recipe.fields.base import Section
from engine.recipe.fields.data import Augment, Data, Mix
from engine.recipe.fields.model import Distill, Model
from engine.recipe.fields.optimise import (
    SGD,
    AdamW,
    Constant,
    Cosine,
    HandCosine,
    Lec,
    MultiStep,
    Optim,
    Schedule,
    WarmRestarts,
)
from engine.recipe.fields.train import Evaluate, Regularize, Train

__all__ = [
    "DEFAULT_TAGS", "SGD", "AdamW", "Augment", "Constant", "Cosine", "Data", "Distill", "Evaluate", "HandCosine",
    "Lec", "Mix", "Model", "MultiStep", "Recipe", "Regularize", "Section", "Train", "WarmRestarts", "flatten",
]  # fmt: skip

# Sections that are tagged unions, with the variant meant where a recipe does not name one.
DEFAULT_TAGS = {"optim": "adamw", "schedule": "cosine"}


class Recipe(Section):
    """Everything that decides what a training run computes."""

    model: Model = Field(default_factory=Model)
    """What is trained."""
    data: Data = Field(default_factory=Data)
    """What it is trained on."""
    augment: Augment = Field(default_factory=Augment)
    """Changes to single training images."""
    mix: Mix = Field(default_factory=Mix)
    """Changes that blend two training images and their labels."""
    regularize: Regularize = Field(default_factory=Regularize)
    """What holds the model back."""
    distill: Distill = Field(default_factory=Distill)
    """The teacher it learns from."""
    optim: Optim = Field(default_factory=AdamW)
    """Optimiser."""
    schedule: Schedule = Field(default_factory=Cosine)
    """Learning rate over time."""
    train: Train = Field(default_factory=Train)
    """How long and in what steps."""
    evaluate: Evaluate = Field(default_factory=Evaluate)
    """How it is judged."""

    @model_validator(mode="before")
    @classmethod
    def _fill_tags(cls, tree: Any) -> Any:
        if not isinstance(tree, dict):
            return tree
        tagged = {k: {"name": tag, **tree[k]} for k, tag in DEFAULT_TAGS.items() if isinstance(tree.get(k), dict)}
        return {**tree, **tagged}

    @model_validator(mode="after")
    def _combinations(self) -> Recipe:
        if (self.mix.mixup or self.mix.cutmix) and self.micro_batch % 2:
            raise ValueError(
                "mix.mixup and mix.cutmix pair images inside a micro-batch, so "
                f"train.batch_size / train.grad_accum_steps = {self.micro_batch} must be even"
            )
        self._check_lengths()
        if isinstance(self.schedule, Cosine | WarmRestarts) and self.schedule.min_lr > self.optim.lr:
            raise ValueError(f"schedule.min_lr = {self.schedule.min_lr:g} is above optim.lr = {self.optim.lr:g}")
        if isinstance(size := self.data.img_size, int) and 0 < self.augment.resize < size:
            raise ValueError(
                f"augment.resize = {self.augment.resize} is less than data.img_size = {size}, "
                f"the square cut out of it; set it to {size} or more"
            )
        if self.data.normalize == "weights" and not self.model.pretrained:
            raise ValueError('data.normalize = "weights" needs model.pretrained = true; use "dataset" or "auto"')
        if self.evaluate.select_on == "minival" and not self.data.minival:
            raise ValueError('evaluate.select_on = "minival" needs data.minival above 0, e.g. data.minival=0.1')
        if self.evaluate.select_dataset and self.evaluate.select_on in ("minival", "val"):
            raise ValueError('evaluate.select_dataset decides what selects; leave evaluate.select_on at "auto"')
        if self.evaluate.select_dataset and self.data.minival:
            raise ValueError(
                "data.minival holds images out for nothing beside evaluate.select_dataset; set data.minival=0"
            )
        if self.distill.kind != "none" and self.train.loss == "sigmoid":
            raise ValueError('distill.kind needs train.loss = "cross-entropy"')
        if self.train.mode == "eval" and self.model.norm.startswith("rescale"):
            raise ValueError(f'train.mode = "eval" never calibrates model.norm = "{self.model.norm}"; use "train"')
        return self

    def _check_lengths(self) -> None:
        schedule, train = self.schedule, self.train
        if train.steps:
            if schedule.warmup_steps >= train.steps:
                raise ValueError(
                    f"schedule.warmup_steps = {schedule.warmup_steps} must be less than train.steps = {train.steps}"
                )
            if schedule.cooldown_epochs:
                raise ValueError("schedule.cooldown_epochs needs train.steps = 0, since train.steps counts no epochs")
        elif schedule.warmup_epochs + schedule.cooldown_epochs >= train.epochs:
            parts = [f"schedule.warmup_epochs = {schedule.warmup_epochs:g}"]
            if schedule.cooldown_epochs:
                parts.append(f"schedule.cooldown_epochs = {schedule.cooldown_epochs:g}")
            raise ValueError(f"{' and '.join(parts)} must be less than train.epochs = {train.epochs}")

    @property
    def micro_batch(self) -> int:
        """Images in one forward-backward pass."""
        return self.train.batch_size // self.train.grad_accum_steps

    def flat(self) -> dict[str, Any]:
        """Dotted leaf -> plain value; ``model.options`` gives one leaf for each option. Tuples are lists."""
        return flatten(self.model_dump(mode="json"))


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dict -> dict with dotted keys; an empty inner dict leaves no key."""
    out: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            out.update(flatten(value, f"{prefix}{key}."))
        else:
            out[f"{prefix}{key}"] = value
    return out
