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
    """
    with FlopCounterMode(display=False) as counter:
        _meta_forward(model, input_size)
    return Description(
        params=sum(p.numel() for p in model.parameters()),
        trainable_params=sum(p.numel() for p in model.parameters() if p.requires_grad),
        macs=counter.get_total_flops() // 2,
    )


def output_shape(model: nn.Module, input_size: tuple[int, int, int]) -> tuple[int, ...]:
    """Shape of the model's output for one image. Raises what the model's forward raises; TypeError for no tensor."""
    out = _meta_forward(model, input_size)
    if not isinstance(out, torch.Tensor):
        raise ValueError(f"the model returns {type(out).__name__}, not one tensor")
    return tuple(out.shape)


def _meta_forward(model: nn.Module, input_size: tuple[int, int, int]) -> object:
    ghost = copy.deepcopy(model).to("meta").eval()
    with torch.inference_mode():
        return ghost(torch.empty(1, *input_size, device="meta"))
