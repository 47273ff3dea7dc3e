"""Rescaled residual branches in place of normalisation, in two readings.

RescaleViT (github.com/ChaofanTao/RescaleViT, models/modeling.py, RescaleBlock) as coded: with block i = 1..L,
alpha_i = sqrt(i / (i + 1)), a learned scalar s and bias layers B before both branches,
``x = x + Attn(B(x)); x = alpha_i x + s / sqrt(L) MLP(B(x))``, and no norm before the head.

RescaleNet ("Is normalization indispensable for training deep neural networks?", NeurIPS 2020; github.com/hukkai/
rescaling, models/rescale.py): every residual branch is rescaled, and counted from L - 1. A transformer block has two
branches, so L is twice its depth: ``x = alpha_k x + s / sqrt(L) branch(B(x))`` with idx = L - 1 + k, k = 0..L-1,
alpha_k = sqrt(idx / (idx + 1)); initial branch weights are multiplied by ((idx + 1) / L)^(-1/6), the exponent of their
code; one more bias layer stands before the head.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from timm.models.vision_transformer import Block, VisionTransformer
from torch import Tensor, nn

from engine.models.errors import ModelError

# Forward passes whose mean a bias layer takes away (models/rescale_mapping.py, threshold), and the factor of its bias
# meanwhile.
CALIBRATION_CALLS = 8
CALIBRATION_FACTOR = 0.01


class BiasLayer(nn.Module):
    """x + b - mean on [..., width]: a learned bias, and the mean of the first 8 batches (models/rescale_mapping.py).

    While it calibrates, `mean` is the running average of each batch's mean and b counts a hundredth. Only forward
    passes that train are counted: in training mode and with gradients. In the original every pass counts, so that an
    evaluation or a count of operations before training spoils it.
    """

    count: Tensor
    mean: Tensor

    def __init__(self, width: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(width, device=device, dtype=dtype))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64, device=device))
        self.register_buffer("mean", torch.zeros(width, device=device, dtype=dtype))

    def forward(self, x: Tensor) -> Tensor:
        """[..., width] -> the same shape."""
        if self.training and torch.is_grad_enabled():
            calibrating = self.count < CALIBRATION_CALLS
            offset = self.offset(calibrating, self._calibrate(x.detach(), calibrating))
        else:
            offset = self.offset(self.count < CALIBRATION_CALLS, self.mean)
        return x + offset

    def offset(self, calibrating: Tensor, mean: Tensor) -> Tensor:
        """What is added to x, [width]. A choice by tensor: no synchronisation with the device, one graph to compile."""
        return torch.where(calibrating, CALIBRATION_FACTOR * self.bias, self.bias) - mean

    @torch.no_grad()
    def _calibrate(self, x: Tensor, calibrating: Tensor) -> Tensor:
        batch_mean = x.mean(dim=tuple(range(x.ndim - 1)), dtype=torch.float32).to(self.mean.dtype)
        step = (batch_mean - self.mean) / (self.count + 1)
        self.mean.copy_(torch.where(calibrating, self.mean + step, self.mean))
        self.count.add_(calibrating)
        return self.mean


class Residual(nn.Module):
    """keep * x + scale * weight * branch, `scale` one learned number that starts at 1."""

    def __init__(self, keep: float, weight: float, *, device: torch.device | None, dtype: torch.dtype | None) -> None:
        super().__init__()
        self.keep = keep
        self.weight = weight
        self.scale = nn.Parameter(torch.ones(1, device=device, dtype=dtype))

    def forward(self, x: Tensor, branch: Tensor) -> Tensor:
        """Two tensors of one shape -> one."""
        return torch.add(branch * (self.scale * self.weight), x, alpha=self.keep)


class RescaleBlock(nn.Module):
    """A timm ViT block with bias layers for norms and rescaled branches; its other modules keep their names."""

    def __init__(self, block: Any, attention: Residual | None, mlp: Residual, like: Tensor) -> None:
        super().__init__()
        width = like.shape[0]
        self.norm1 = BiasLayer(width, device=like.device, dtype=like.dtype)
        self.attn, self.ls1, self.drop_path1 = block.attn, block.ls1, block.drop_path1
        self.residual1 = attention
        self.norm2 = BiasLayer(width, device=like.device, dtype=like.dtype)
        self.mlp, self.ls2, self.drop_path2 = block.mlp, block.ls2, block.drop_path2
        self.residual2 = mlp

    def forward(self, x: Tensor) -> Tensor:
        """[B, N, width] -> [B, N, width]."""
        branch = self.drop_path1(self.ls1(self.attn(self.norm1(x))))
        x = x + branch if self.residual1 is None else self.residual1(x, branch)
        branch = self.drop_path2(self.ls2(self.mlp(self.norm2(x))))
        return self.residual2(x, branch)  # type: ignore[no-any-return]


def rescale(model: nn.Module, *, paper: bool, name: str) -> None:
    """Exchange the blocks and the last norm of a timm ViT or DeiT, in place; weights must have their initial values.

    `paper`: RescaleNet's reading, else RescaleViT's. Raises ModelError, which calls the model `name`, for any other
    kind of model.
    """
    field = f'model.norm = "{"rescale-paper" if paper else "rescale"}"'
    if not isinstance(model, VisionTransformer) or any(type(block) is not Block for block in model.blocks):
        raise ModelError(f'{field} is for plain ViT and DeiT models of timm, not for "{name}"')
    if model.attn_pool is not None:
        raise ModelError(f'{field} is for models with a class token or mean pooling; "{name}" pools by attention')
    depth = len(model.blocks)
    branches = 2 * depth
    like = model.blocks[0].attn.proj.weight[0]
    where = {"device": like.device, "dtype": like.dtype}
    blocks = []
    for i, block in enumerate(model.blocks):
        if paper:
            first = branches - 1 + 2 * i
            weight = branches**-0.5
            attention = Residual(math.sqrt(first / (first + 1)), weight, **where)
            mlp = Residual(math.sqrt((first + 1) / (first + 2)), weight, **where)
            _scale_weights((block.attn.qkv, block.attn.proj), ((first + 1) / branches) ** (-1 / 6))
            _scale_weights((block.mlp.fc1, block.mlp.fc2), ((first + 2) / branches) ** (-1 / 6))
        else:
            attention = None
            mlp = Residual(math.sqrt((i + 1) / (i + 2)), depth**-0.5, **where)
        blocks.append(RescaleBlock(block, attention, mlp, like))
    model.blocks = nn.Sequential(*blocks)
    model.norm = BiasLayer(like.shape[0], **where) if paper else nn.Identity()
    model.fc_norm = nn.Identity()


@torch.no_grad()
def _scale_weights(linears: tuple[nn.Linear, nn.Linear], factor: float) -> None:
    for linear in linears:
        linear.weight.mul_(factor)
