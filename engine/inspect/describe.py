"""Counts that describe a model: parameters, multiply-adds."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Description:
    """`params` and `trainable_params` count scalars; `macs` are multiply-adds of one image's forward pass."""

    params: int
    trainable_params: int
    macs: int


def describe(model: nn.Module, input_size: tuple[int, int, int]) -> Description:
    """Count a model for one float32 image of `input_size` [C, H, W]. Runs on the meta device: nothing is computed.

    Multiply-adds are half of torch's FlopCounterMode: matrix products, convolutions and attention, as papers count.
    All tokens are counted. Some papers leave the class token out: ViT-L/16 at 384 px has 191.1 G with it, and the
    190.7 G that Swin's paper quotes without it.
    """
    with FlopCounterMode(display=False) as counter:
        _meta_forward(model, input_size)
    return Description(
        params=sum(p.numel() for p in model.parameters()),
        trainable_params=sum(p.numel() for p in model.parameters() if p.requires_grad),
        macs=counter.get_total_flops() // 2,
    )


def output_shape(model: nn.Module, input_size: tuple[int, int, int]) -> tuple[int, ...]:
    """Shape of the model's output for one image. Raises what the model's forward raises; ValueError for no tensor."""
    out = _meta_forward(model, input_size)
    if not isinstance(out, torch.Tensor):
        raise ValueError(f"the model returns {type(out).__name__}, not one tensor")
    return tuple(out.shape)


def meta_copy(model: nn.Module) -> nn.Module:
    """A copy of `model` on the meta device: shapes, modes and requires_grad, but no values and no memory.

    Unlike ``copy.deepcopy(model).to("meta")`` it never holds the weights twice.
    """
    memo: dict[int, object] = {}
    for parameter in model.parameters():
        ghost = torch.empty_like(parameter, device="meta")
        memo[id(parameter)] = nn.Parameter(ghost, requires_grad=parameter.requires_grad)
    for buffer in model.buffers():
        memo[id(buffer)] = torch.empty_like(buffer, device="meta")
    return copy.deepcopy(model, memo)


def _meta_forward(model: nn.Module, input_size: tuple[int, int, int]) -> object:
    # Without gradients wanted, torch's module tracker has nothing to hook and takes models, such as CaiT, that pass
    # a parameter from module to module.
    ghost = meta_copy(model).eval().requires_grad_(False)
    with torch.inference_mode():
        return ghost(torch.empty(1, *input_size, device="meta"))
