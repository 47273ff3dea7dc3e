"""Parameter groups and optimisers."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Any

import torch
from timm.models import group_parameters
from torch import nn

from engine.models.errors import ModelError
from engine.recipe.schema import AdamW, Recipe

# Tokens and position tables have two or more dimensions but are no weight matrices. Models name most of them in
# no_weight_decay(); these names are what timm's families use where one forgets.
_NEVER_DECAYED = (
    "pos_embed", "cls_token", "dist_token", "reg_token", "mask_token", "class_token",
    "relative_position_bias_table", "positional_emb", "class_emb",
)  # fmt: skip


def decays(name: str, parameter: nn.Parameter, no_decay: set[str]) -> bool:
    """Whether weight decay applies: only to weight matrices and kernels.

    Not to biases and norms (one dimension or fewer), tokens, positions, what `no_decay` names (patterns as timm's
    no_weight_decay() gives them), nor the gain of a weight-normalised layer, which has shape [out, 1] and so escapes a
    rule by dimensions.
    """
    leaf = name.rsplit(".", 1)[-1]
    gain = leaf == "weight_g" or (".parametrizations." in f".{name}" and leaf == "original0")
    named = any(fnmatch(name, pattern) for pattern in no_decay)
    return not (parameter.ndim <= 1 or leaf == "bias" or named or leaf in _NEVER_DECAYED or gain)


def param_groups(model: nn.Module, weight_decay: float, layer_decay: float = 1.0) -> list[dict[str, Any]]:
    """Trainable parameters in groups of equal decay and equal share of the learning rate.

    Each group has params, names, weight_decay and lr_scale; its learning rate is the schedule's value times lr_scale.
    The scale is 1 for the head and `layer_decay` times that of the block above for every block below it, down to the
    stem (timm's param_groups_layer_decay, after BEiT). Raises ModelError where a model knows of no blocks.
    """
    protocol = getattr(model, "no_weight_decay", None)
    no_decay = set(protocol()) if callable(protocol) else set()
    scales = _layer_scales(model, layer_decay)
    groups: dict[tuple[float, bool], dict[str, Any]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            decayed, scale = decays(name, parameter, no_decay), scales.get(name, 1.0)
            group = groups.setdefault(
                (-scale, not decayed),
                {"params": [], "names": [], "weight_decay": weight_decay if decayed else 0.0, "lr_scale": scale},
            )
            group["params"].append(parameter)
            group["names"].append(name)
    return [groups[key] for key in sorted(groups)]


def _layer_scales(model: nn.Module, layer_decay: float) -> dict[str, float]:
    """Parameter name -> share of the learning rate; empty where it is the same for all."""
    if layer_decay == 1:
        return {}
    matcher = getattr(model, "group_matcher", None)
    if not callable(matcher):
        raise ModelError(
            f"optim.layer_decay = {layer_decay:g} needs a model that says which block its parameters belong to "
            f"(group_matcher), and {type(model).__name__} does not; set optim.layer_decay=1"
        )
    layers: dict[str, int] = group_parameters(model, matcher(coarse=False), reverse=True)
    top = max(layers.values())
    return {name: layer_decay ** (top - layer) for name, layer in layers.items()}


def build_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser over `param_groups`; the fused kernel on a GPU, where it can skip a bad step by itself.

    Raises ModelError as `param_groups` does, and where every parameter is frozen.
    """
    groups = param_groups(model, recipe.optim.weight_decay, recipe.optim.layer_decay)
    if not groups:
        raise ModelError(f"{recipe.model.name} has nothing to train: all its parameters are frozen")
    fused = groups[0]["params"][0].is_cuda
    if isinstance(recipe.optim, AdamW):
        return torch.optim.AdamW(
            groups, lr=recipe.optim.lr, betas=recipe.optim.betas, eps=recipe.optim.eps, fused=fused or None
        )
    optimizer = torch.optim.SGD(
        groups,
        lr=recipe.optim.lr,
        momentum=recipe.optim.momentum,
        nesterov=recipe.optim.nesterov,
        fused=fused or None,
    )
    if recipe.optim.momentum:
        # The fused kernel makes these from uninitialised memory and, when the very first step is skipped (as under a
        # loss scaler it often is), leaves them so. From zeros the first step computes the same.
        for group in groups:
            for parameter in group["params"]:
                optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return optimizer


def restore_optimizer(optimizer: torch.optim.Optimizer, saved: dict[str, Any]) -> None:
    """Load the moments of a `state_dict`. Options stay those this optimiser was built with.

    torch would take the saved options too: after a change of device the kernels of the other one (which, not being
    fused, cannot skip a bad step), and the weight decay of back then. Raises ValueError for other parameters.
    """
    own = optimizer.state_dict()["param_groups"]
    if [group["names"] for group in own] != [group["names"] for group in saved["param_groups"]]:
        raise ValueError("the optimiser has other parameters")
    groups = [{**mine, "params": theirs["params"]} for mine, theirs in zip(own, saved["param_groups"], strict=True)]
    optimizer.load_state_dict({**saved, "param_groups": groups})


def set_learning_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Give every group its share of the schedule's value; layer decay and head scale live in ``lr_scale``."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group["lr_scale"]
