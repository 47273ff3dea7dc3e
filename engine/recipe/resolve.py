"""Every "auto" of a recipe decided, in one pure function. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.recipe.compose import merge, validate
from engine.recipe.schema import Recipe

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
    report = recipe.evaluate.report_on if recipe.evaluate.report_on != "auto" else _report_split(facts)
    choices: dict[str, dict[str, Any]] = {
        "model": {"norm_eps": 1e-5 if "bn" in recipe.model.norm or recipe.model.ffn_norm != "none" else 1e-6},
        "data": {
            "img_size": facts.image_size,
            "normalize": "weights" if recipe.model.pretrained else "dataset",
            "tier": "resident" if facts.train_bytes <= RESIDENT_SHARE * facts.free_memory else "packed",
        },
        "train": {"precision": _precision(facts), "threads": _threads(facts)},
        "evaluate": {
            "crop_pct": (recipe.model.pretrained and facts.weights_crop_pct) or 1.0,
            "interpolation": (recipe.model.pretrained and facts.weights_interpolation) or "bicubic",
            "report_on": report,
            "select_on": _select_split(recipe, facts, report),
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


def _report_split(facts: Facts) -> str:
    return "test" if "test" in facts.splits else "val"


def _select_split(recipe: Recipe, facts: Facts, report: str) -> str:
    """What picks the best checkpoint: never images that are trained on, and those reported on only if nothing else is.

    (`evaluate.select_dataset` comes before this; "report" then stands for its own report split.)
    """
    if recipe.evaluate.select_dataset:
        return "report"
    if recipe.data.minival:
        return "minival"
    free = "val" in facts.splits and report != "val" and recipe.data.train_split == "train"
    return "val" if free else "report"


def _precision(facts: Facts) -> str:
    if facts.device == "cpu":
        return "fp32"
    return "bf16" if facts.bf16 else "fp16"


def _threads(facts: Facts) -> int:
    return 1 if facts.macs < ONE_THREAD_MACS else facts.cores
