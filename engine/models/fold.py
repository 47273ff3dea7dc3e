"""Folding: fixed BatchNorms, bias layers and weight norms into the weights next to them, for inference."""

from __future__ import annotations

import copy
from typing import Any

import torch
from timm.layers import Mlp
from torch import Tensor, nn
from torch.nn.utils import parametrize

from engine.models.anatomy import NormPlace, Place, anatomy
from engine.models.norms import TokenBatchNorm
from engine.models.rescale import CALIBRATION_CALLS, BiasLayer

# Scale and shift of a fixed norm, float64 [C] each: y = scale * x + shift.
Affine = tuple[Tensor, Tensor]


@torch.no_grad()
def fold(model: nn.Module) -> nn.Module:
    """A copy of `model` in evaluation mode with the same outputs (to rounding) and fewer operations.

    With W, b the next linear layer and y = s x + t the norm in evaluation mode (s = gamma / sigma,
    t = beta - gamma mu / sigma): W' = W diag(s), b' = b + W t. A norm that follows its linear layer or convolution
    folds backwards: W' = diag(s) W, b' = s b + t. Weight norms are multiplied out. A norm stays where other layers
    than linear ones read it: the second of a compact block, Swin's first where windows are padded. A model of a kind
    that is not known comes back with its weight norms multiplied out and otherwise as it was.
    """
    model = copy.deepcopy(model).eval()
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Linear) and parametrize.is_parametrized(child, "weight"):
                setattr(module, name, _plain(child))
    body = anatomy(model)
    if body is not None:
        for norm in body.norms:
            _fold_norm(norm)
        for block in body.blocks:
            if isinstance(block.mlp, Mlp):
                _fold_mlp(block.mlp)
    return model


def _plain(linear: nn.Linear) -> nn.Linear:
    # torch's remove_parametrizations takes the weight from the class, which a copy shares with its original.
    like = linear.weight
    plain = nn.Linear(linear.in_features, linear.out_features, linear.bias is not None, like.device, like.dtype).eval()
    plain.weight.copy_(like)
    if linear.bias is not None:
        plain.bias.copy_(linear.bias)
    return plain


def _fold_norm(norm: NormPlace) -> None:
    owner, name = norm.place
    old = getattr(owner, name)
    kept: nn.Module = nn.Identity()
    if isinstance(old, nn.Sequential) and isinstance(old[-1], TokenBatchNorm):
        kept, old = old[0], old[-1]
    affine = _affine(old)
    if affine is None:
        return
    if norm.source is not None:
        if not isinstance(kept, nn.Identity):
            return
        _into_source(norm.source, affine)
    elif norm.readers:
        for reader in norm.readers:
            _into_reader(reader, affine)
    else:
        return
    setattr(owner, name, kept)


def _fold_mlp(mlp: Any) -> None:
    after = _affine(mlp.norm)
    if after is not None:
        _into_reader((mlp, "fc2"), after)
        mlp.norm = nn.Identity()
    before = _affine(mlp.act[0]) if isinstance(mlp.act, nn.Sequential) else None
    if before is not None:
        _into_source((mlp, "fc1"), before)
        mlp.act = mlp.act[-1]


def _affine(norm: nn.Module) -> Affine | None:
    """What `norm` does in evaluation mode; None for what is not the same affine map for every input."""
    if isinstance(norm, BiasLayer):
        shift = norm.offset(norm.count < CALIBRATION_CALLS, norm.mean).double()
        return torch.ones_like(shift), shift
    if not isinstance(norm, TokenBatchNorm):
        return None
    bn: Any = norm.bn
    mean, variance, weight, bias = (t.double() for t in (bn.running_mean, bn.running_var, bn.weight, bn.bias))
    scale = weight / (variance + bn.eps).sqrt()
    return scale, bias - scale * mean


def _into_reader(place: Place, affine: Affine) -> None:
    scale, shift = affine
    linear = getattr(*place)
    weight = linear.weight.double()
    _set(linear, weight * scale, weight @ shift + _bias(linear))


def _into_source(place: Place, affine: Affine) -> None:
    scale, shift = affine
    layer = getattr(*place)
    weight = layer.weight.double()
    _set(layer, weight * scale.reshape(-1, *[1] * (weight.ndim - 1)), _bias(layer) * scale + shift)


def _bias(layer: Any) -> Tensor:
    if layer.bias is None:
        return torch.zeros(layer.weight.shape[0], dtype=torch.float64, device=layer.weight.device)
    bias: Tensor = layer.bias.double()
    return bias


def _set(layer: Any, weight: Tensor, bias: Tensor) -> None:
    like = layer.weight
    like.copy_(weight)
    if layer.bias is None:
        layer.bias = nn.Parameter(bias.to(like.dtype))
    else:
        layer.bias.copy_(bias)
