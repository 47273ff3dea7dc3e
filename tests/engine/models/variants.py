"""Tiny models of every family, and the modifications they are tried with."""

from __future__ import annotations

from typing import Any

import timm
import torch
from torch import nn

from engine.models.norms import modify
from engine.recipe.resolve import norm_eps
from engine.recipe.schema import Model

_VIT: dict[str, Any] = {"embed_dim": 32, "depth": 2, "num_heads": 2, "patch_size": 8, "img_size": 32, "num_classes": 5}
_SWIN: dict[str, Any] = {"embed_dim": 16, "depths": (1, 2), "num_heads": (1, 2), "patch_size": 2, "num_classes": 5}
_COMPACT: dict[str, Any] = {"embed_dim": 32, "depth": 2, "num_heads": 2, "img_size": 16, "num_classes": 5}

# Name in timm's registry and arguments of its constructor.
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "vit": ("vit_tiny_patch16_224", _VIT),
    "vit-mean": ("vit_tiny_patch16_224", {**_VIT, "global_pool": "avg"}),
    "vit-mean-norm-first": ("vit_tiny_patch16_224", {**_VIT, "global_pool": "avg", "fc_norm": False}),
    "deit-distilled": ("deit_tiny_distilled_patch16_224", _VIT),
    "swin": ("swin_tiny_patch4_window7_224", {**_SWIN, "window_size": 4, "img_size": 32}),
    "swin-padded": ("swin_tiny_patch4_window7_224", {**_SWIN, "window_size": 7, "img_size": 32}),
    "cait": ("cait_xxs24_224", {**_VIT, "depth": 2}),
    "vit_lite": ("vit_lite_2_4_32", _COMPACT),
    "cvt": ("cvt_2_4_32", _COMPACT),
    "cct": ("cct_7_3x1_32", _COMPACT),
}

VARIANTS: dict[str, dict[str, Any]] = {
    "bn": {"norm": "bn"},
    "gn": {"norm": "gn"},
    "ln-bn": {"norm": "ln-bn"},
    "bn-ln": {"norm": "bn-ln"},
    "ln-bn-series": {"norm": "ln-bn-series"},
    "bn-ffnbn": {"norm": "bn", "ffn_norm": "before-act"},
    "ffnbn-after": {"ffn_norm": "after-act"},
    "wn": {"weight_norm": True},
    "relu6": {"activation": "relu6"},
    "bn-wn-relu6": {"norm": "bn", "weight_norm": True, "activation": "relu6"},
    "all": {"norm": "bn", "ffn_norm": "before-act", "weight_norm": True, "activation": "relu6"},
}
# For plain ViTs alone.
RESCALE: dict[str, dict[str, Any]] = {"rescale": {"norm": "rescale"}, "rescale-paper": {"norm": "rescale-paper"}}


def changed(family: str, change: dict[str, Any], seed: int = 0, **options: Any) -> Any:
    """A tiny model of `family` with the fields `change` of engine.recipe.schema.Model applied to it."""
    name, arguments = FAMILIES[family]
    torch.manual_seed(seed)
    model = timm.create_model(name, **{**arguments, **options})
    how = Model(name=name, **change)
    modify(model, how.model_copy(update={"norm_eps": norm_eps(how)}), name=name)
    return model


def images(family: str, batch: int = 4) -> torch.Tensor:
    """Random images for `family`, the same every time."""
    side = FAMILIES[family][1]["img_size"]
    return torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(3))


@torch.no_grad()
def scramble(model: nn.Module) -> None:
    """Weights, biases, and running statistics as after a training: none of them at its neutral value."""
    draw = torch.Generator().manual_seed(11)
    for parameter in model.parameters():
        if parameter.ndim <= 1:
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=draw))
    for name, buffer in model.named_buffers():
        if name.endswith(("running_mean", ".mean")):
            buffer.copy_(0.5 * torch.randn(buffer.shape, generator=draw))
        elif name.endswith("running_var"):
            buffer.copy_(0.3 + torch.rand(buffer.shape, generator=draw))
