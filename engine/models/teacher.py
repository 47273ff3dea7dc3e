"""The frozen model a student learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from engine.data.normalize import mean_std
from engine.inspect.describe import output_shape
from engine.models import exported
from engine.models.errors import ModelError
from engine.models.names import check_name, hub_classes, pretrained_cfg, refused
from engine.recipe.schema import Recipe

_LOCAL = "local-dir:"


@dataclass(frozen=True)
class Teacher:
    """A model in eval mode that needs no gradients, and what its images are normalised by, on the scale 0 to 1."""

    module: nn.Module
    mean: tuple[float, ...]
    std: tuple[float, ...]
    classes: tuple[str, ...] = ()
    """Names of its classes, where the weights come with them."""


@dataclass(frozen=True)
class _Images:
    """What `mean_std` asks of a dataset."""

    channels: int
    mean: Sequence[float] = ()
    std: Sequence[float] = ()


def build_teacher(recipe: Recipe, *, channels: int, classes: int, img_size: int, device: str = "cpu") -> Teacher:
    """distill.teacher with its weights, for float32 images [B, channels, img_size, img_size].

    A timm name needs its pretrained tag, so that it is said which weights teach; `local-dir:PATH` is a folder that a
    run exported, exchanged modules included. Its classes have to be as many as the dataset's, in the same order. On
    the device "meta" nothing is fetched and of a folder only shapes are read.
    Raises ModelError: unknown or untagged name, no such folder, other classes, weights that cannot be fetched.
    """
    name = recipe.distill.teacher
    if name.startswith(_LOCAL):
        try:
            model = exported.load(Path(name.removeprefix(_LOCAL)).expanduser(), img_size=img_size, device=device)
        except ModelError as error:
            raise ModelError(f"distill.teacher: {error}") from None
        theirs = int(getattr(model, "num_classes", 0))
    else:
        check_name(name, "distill.teacher")
        if not name.partition(".")[2]:
            tags = ", ".join(timm.list_pretrained(f"{name}.*")) or "none"
            raise ModelError(f'distill.teacher = "{name}" needs its pretrained tag; there are {tags}')
        model, theirs = None, hub_classes(name)
    if theirs != classes:
        raise ModelError(f'distill.teacher = "{name}" knows {theirs} classes, the dataset has {classes}')
    if model is None:
        model = _from_hub(name, channels, img_size, device)
    try:
        shape = output_shape(model, (channels, img_size, img_size))
    except (RuntimeError, AssertionError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f'distill.teacher = "{name}" cannot take images of {channels}x{img_size}x{img_size}: {reason}'
        ) from None
    if shape != (1, classes):
        raise ModelError(f'distill.teacher = "{name}" gives {shape} for one image, not (1, {classes})')
    mean, std = mean_std("weights", _Images(channels), model.pretrained_cfg)  # type: ignore[arg-type]
    names = pretrained_cfg(model).get("label_names") or ()
    return Teacher(model.eval().requires_grad_(False), mean, std, tuple(names))


def _from_hub(name: str, channels: int, img_size: int, device: str) -> nn.Module:
    fixed: dict[str, Any] = {"pretrained": device != "meta", "in_chans": channels}
    if timm.models.get_pretrained_cfg(name).fixed_input_size:
        fixed["img_size"] = img_size
    try:
        with torch.device(device):
            model: nn.Module = timm.create_model(name, **fixed)
    except (TypeError, AssertionError, RuntimeError, ValueError, OSError, KeyError, AttributeError) as error:
        remedy = "fetch them where there is a network, or teach with local-dir:PATH of a run's model/ folder"
        raise refused(name, fixed, error, remedy) from None
    return model


@torch.no_grad()
def logits(teacher: Teacher, images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """What the teacher says [B, classes] of the student's own images [B, C, H, W], normalised by `mean` and `std`.

    They are normalised anew by the teacher's constants first, in one multiply-add.
    """
    if (tuple(mean), tuple(std)) != (teacher.mean, teacher.std):
        scale, shift = _renormalisation(tuple(mean), tuple(std), teacher.mean, teacher.std, images.device, images.dtype)
        images = torch.addcmul(shift, images, scale)
    out: Tensor = teacher.module(images)
    return out


@lru_cache(maxsize=8)
def _renormalisation(
    mean: tuple[float, ...], std: tuple[float, ...], teacher_mean: tuple[float, ...], teacher_std: tuple[float, ...],
    device: torch.device, dtype: torch.dtype,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Scale and shift [C, 1, 1], kept on the device so that no step waits for a copy."""
    channels = list(zip(mean, std, teacher_mean, teacher_std, strict=True))
    scale = [s / ts for _, s, _, ts in channels]
    shift = [(m - tm) / ts for m, _, tm, ts in channels]
    return (
        torch.tensor(scale, device=device, dtype=dtype).view(-1, 1, 1),
        torch.tensor(shift, device=device, dtype=dtype).view(-1, 1, 1),
    )
