"""What a training run will hold in a device's memory, in bytes, found without computing or allocating anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from engine.inspect.describe import meta_copy
from engine.recipe.schema import SGD, Recipe


@dataclass(frozen=True)
class Memory:
    """Bytes by use. Everything is float32; under bf16 or fp16 autocast activations take roughly half."""

    weights: int
    """Parameters and buffers."""
    gradients: int
    """One for each trainable parameter."""
    optimizer: int
    """Moments: two for AdamW, one for SGD with momentum, none for SGD without."""
    ema: int
    """The averaged copy of parameters and buffers, if regularize.ema is on."""
    activations_per_image: int
    """Saved in the forward pass for the backward pass, for each image of a micro-batch."""
    teacher: int
    """Parameters and buffers of the teacher, if there is one."""


@dataclass(frozen=True)
class Footprint:
    """What of `Memory` is the model's own and no matter of optimiser or averaging; bytes."""

    weights: int
    gradients: int
    activations_per_image: int
    teacher: int


def footprint(
    model: nn.Module, input_size: tuple[int, int, int], *, train: bool = True, teacher: nn.Module | None = None
) -> Footprint:
    """Measure `model`, which may be on the meta device, for float32 images of `input_size` [C, H, W].

    `train`: whether it trains in training mode, with its dropouts, or in eval mode (train.mode).
    Raises what the model's forward pass raises.
    """
    return Footprint(
        weights=_bytes(model.parameters()) + _bytes(model.buffers()),
        gradients=_bytes(p for p in model.parameters() if p.requires_grad),
        activations_per_image=saved_per_image(model, input_size, train=train),
        teacher=0 if teacher is None else _bytes(teacher.parameters()) + _bytes(teacher.buffers()),
    )


def estimate(of: Footprint, recipe: Recipe) -> Memory:
    """The memory of training by `recipe` what has the footprint `of`.

    Not counted: workspaces of kernels, the allocator's slack, the batch itself, and the teacher's forward pass.
    """
    moments = (1 if recipe.optim.momentum else 0) if isinstance(recipe.optim, SGD) else 2
    return Memory(
        weights=of.weights,
        gradients=of.gradients,
        optimizer=moments * of.gradients,
        ema=of.weights if recipe.regularize.ema else 0,
        activations_per_image=of.activations_per_image,
        teacher=of.teacher,
    )


def saved_per_image(model: nn.Module, input_size: tuple[int, int, int], *, train: bool = True) -> int:
    """Bytes autograd keeps for one more float32 image: what a batch of three keeps less what a batch of two does.

    Storages are counted once, however many views of them are kept, and parameters not at all. Attention counts as
    its fused kernels are: queries, keys, values and output, not the table of tokens times tokens.
    """
    ghost = meta_copy(model).train(train)
    own = {p.untyped_storage()._cdata for p in ghost.parameters()} | {
        b.untyped_storage()._cdata for b in ghost.buffers()
    }
    two, three = (_saved(ghost, (batch, *input_size), own) for batch in (2, 3))
    return three - two


def _saved(model: nn.Module, shape: tuple[int, ...], own: set[int]) -> int:
    kept: dict[int, Any] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            kept[storage._cdata] = storage  # held, so that no other storage gets its address
        return tensor

    with _FusedAttention(), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model(torch.empty(shape, device="meta"))
    return sum(int(storage.nbytes()) for storage in kept.values())


class _FusedAttention(TorchFunctionMode):
    """On the meta device torch spells attention out; a GPU takes a fused kernel, which is what memory depends on."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is not F.scaled_dot_product_attention:
            return func(*args, **kwargs)
        return _attention(*args, **kwargs)


def _attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None,
) -> Tensor:  # fmt: skip
    if attn_mask is not None or query.ndim != 4:
        # Not every kernel takes a mask or windows as a fifth dimension; the table is counted then.
        return F.scaled_dot_product_attention(query, key, value, attn_mask, dropout_p, is_causal, scale=scale)
    kernel = torch.ops.aten._scaled_dot_product_efficient_attention
    out: Tensor = kernel(query, key, value, None, True, dropout_p, is_causal, scale=scale)[0]
    return out


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(t.numel() * t.element_size() for t in tensors)
