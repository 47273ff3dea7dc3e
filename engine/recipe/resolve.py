"""Every "auto" of a recipe decided, in one pure function. Torch-free."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from engine.recipe.compose import merge, validate
from engine.recipe.schema import Model, Recipe

# A dataset may live on the device when it takes at most this share of the free memory (engine.md 2.1).
RESIDENT_SHARE = 0.25
# Below this many multiply-adds an image a second CPU thread costs more than it gives (engine.md 6.2, 6.3).
ONE_THREAD_MACS = 5_000_000


@dataclass(frozen=True)
class Facts:
    """What is known about data, weights and device when a run starts. None: the weights say nothing about it."""

    image_size: int
    """Side the packed images have, in px."""
    train_bytes: int
    """Packed training images, in bytes."""
    splits: tuple[str, ...] = ("train", "test")
    """Splits the dataset has."""
    weights_crop_pct: float | None = None
    weights_interpolation: str | None = None
    device: str = "cpu"
    """``cpu`` or ``cuda``."""
    bf16: bool = False
    """Whether the GPU computes in bfloat16 (compute capability 8.0 and later)."""
    free_memory: int = 0
    """Free bytes on the device (host memory for the CPU)."""
    cores: int = 1
    """CPU cores this process may use."""
    macs: int = 0
    """Multiply-adds of one forward pass of one image."""


def resolve(recipe: Recipe, facts: Facts) -> Recipe:
    """The recipe with no "auto" left. Depends on nothing but its arguments."""
    select_on, report_on = judging(recipe, facts.splits)
    choices: dict[str, dict[str, Any]] = {
        "model": {"norm_eps": norm_eps(recipe.model)},
        "data": {
            "img_size": facts.image_size,
            "normalize": "weights" if recipe.model.pretrained else "dataset",
            "tier": "resident" if facts.train_bytes <= RESIDENT_SHARE * facts.free_memory else "packed",
        },
        "train": {"precision": _precision(facts), "threads": _threads(facts)},
        "evaluate": {
            "crop_pct": (recipe.model.pretrained and facts.weights_crop_pct) or 1.0,
            "interpolation": (recipe.model.pretrained and facts.weights_interpolation) or "bicubic",
            "report_on": report_on,
            "select_on": select_on,
        },
    }
    tree = recipe.model_dump(mode="json")
    patch = {
        section: {key: value for key, value in values.items() if tree[section][key] == "auto"}
        for section, values in choices.items()
    }
    if recipe.evaluate.batch_size == 0:
        patch["evaluate"]["batch_size"] = max(256, 4 * recipe.micro_batch)
    return validate(merge(tree, patch))


def norm_eps(model: Model) -> float:
    """model.norm_eps decided: torch's default of BatchNorm where there is one, else that of a ViT's LayerNorm."""
    if model.norm_eps != "auto":
        return model.norm_eps
    return 1e-5 if "bn" in model.norm or model.ffn_norm != "none" else 1e-6


def judging(recipe: Recipe, splits: Collection[str]) -> tuple[str, str]:
    """evaluate.select_on and evaluate.report_on with no "auto" left, for a dataset with these splits.

    What picks the best checkpoint is never trained on, and what is reported on picks only if there is nothing else.
    (`evaluate.select_dataset` comes before this; "report" then stands for its own report split.)
    """
    report = recipe.evaluate.report_on
    if report == "auto":
        report = "test" if "test" in splits else "val"
    select = recipe.evaluate.select_on
    if select == "auto":
        free = "val" in splits and report != "val" and recipe.data.train_split == "train"
        select = "minival" if recipe.data.minival else "val" if free else "report"
        if recipe.evaluate.select_dataset:
            select = "report"
    return select, report


def _precision(facts: Facts) -> str:
    if facts.device == "cpu":
        return "fp32"
    return "bf16" if facts.bf16 else "fp16"


def _threads(facts: Facts) -> int:
    return 1 if facts.macs < ONE_THREAD_MACS else facts.cores
