"""Where norms, attention and MLPs of a model are, and what stands next to each norm: what surgery and folding need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from timm.layers import GluMlp, Mlp
from timm.models.cait import Cait
from timm.models.swin_transformer import SwinTransformer
from timm.models.vision_transformer import Block as VitBlock
from timm.models.vision_transformer import VisionTransformer
from torch import nn

from engine.models.compact import CompactTransformer
from engine.models.rescale import RescaleBlock

# An attribute of a module, so that what it holds can be read and exchanged.
Place = tuple[nn.Module, str]
Role = Literal["attention", "mlp", "other"]


@dataclass(frozen=True)
class NormPlace:
    """A normalisation layer and its neighbours."""

    place: Place
    role: Role
    """What it stands before: a block's attention, a block's MLP, or anything else (stem, merging, head)."""
    readers: tuple[Place, ...] = ()
    """The linear layers that take its output, if nothing else does and nothing but linear steps lie between."""
    source: Place | None = None
    """The convolution whose output alone it takes."""


@dataclass(frozen=True)
class BlockPlaces:
    """The linear layers of one block, and its MLP."""

    linears: tuple[Place, ...]
    mlp: nn.Module


@dataclass(frozen=True)
class Anatomy:
    """Every norm in the order of the forward pass, and every block."""

    norms: tuple[NormPlace, ...]
    blocks: tuple[BlockPlaces, ...]


def anatomy(model: nn.Module) -> Anatomy | None:
    """Norms and blocks of a timm ViT, DeiT, Swin or CaiT, or of a compact transformer; None for any other model.

    The norm between embedding and blocks (CLIP's) and those of queries and keys are not among them.
    """
    if isinstance(model, VisionTransformer):
        return _vit(model) if all(isinstance(b, VitBlock | RescaleBlock) for b in model.blocks) else None
    if isinstance(model, SwinTransformer):
        return _swin(model)
    if isinstance(model, Cait):
        return _cait(model)
    if isinstance(model, CompactTransformer):
        return _compact(model)
    return None


def _vit(model: Any) -> Anatomy:
    norms = [n for block in model.blocks for n in _pre_norms(block, ("qkv",))]
    heads = _linears((model, "head"), (model, "head_dist"))
    # Taking a token or the mean of tokens commutes with a norm that is fixed and acts channel by channel; a maximum or
    # attention pooling does not.
    linear_pool = model.attn_pool is None and model.global_pool in ("token", "avg")
    norms.append(
        NormPlace((model, "norm"), "other", heads if linear_pool and isinstance(model.fc_norm, nn.Identity) else ())
    )
    norms.append(NormPlace((model, "fc_norm"), "other", heads))
    return Anatomy(tuple(norms), tuple(_block(block, ("qkv", "proj")) for block in model.blocks))


def _swin(model: Any) -> Anatomy:
    norms = [NormPlace((model.patch_embed, "norm"), "other", source=(model.patch_embed, "proj"))]
    blocks = []
    for stage in model.layers:
        if hasattr(stage.downsample, "norm"):
            down = stage.downsample
            norms.append(NormPlace((down, "norm"), "other", _linears((down, "reduction"))))
        for block in stage.blocks:
            # Windows that do not divide the map are padded with zeros between norm and qkv.
            whole = not getattr(block, "dynamic_mask", False) and not any(
                side % window for side, window in zip(block.input_resolution, block.window_size, strict=True)
            )
            norms += _pre_norms(block, ("qkv",) if whole else ())
            blocks.append(_block(block, ("qkv", "proj")))
    mean_pool = model.head.global_pool.pool_type == "avg"
    norms.append(NormPlace((model, "norm"), "other", _linears((model.head, "fc")) if mean_pool else ()))
    return Anatomy(tuple(norms), tuple(blocks))


def _cait(model: Any) -> Anatomy:
    norms: list[NormPlace] = []
    blocks = []
    for part, names in ((model.blocks, ("qkv",)), (model.blocks_token_only or (), ("q", "k", "v"))):
        for block in part:
            norms += _pre_norms(block, names)
            blocks.append(_block(block, (*names, "proj")))
    norms.append(NormPlace((model, "norm"), "other", _linears((model, "head"))))
    return Anatomy(tuple(norms), tuple(blocks))


def _compact(model: Any) -> Anatomy:
    norms: list[NormPlace] = []
    for block in model.blocks:
        before_attention, before_mlp = _pre_norms(block, ("qkv",))
        # The second norm is the residual stream itself: not the MLP alone reads it.
        norms += [before_attention, NormPlace(before_mlp.place, "mlp")]
    # The weights of sequence pooling add up to one, so it commutes with the norm as a mean does.
    norms.append(NormPlace((model, "norm"), "other", _linears((model, "attention_pool"), (model, "head"))))
    return Anatomy(tuple(norms), tuple(_block(block, ("qkv", "proj")) for block in model.blocks))


def _pre_norms(block: Any, attention: Iterable[str]) -> list[NormPlace]:
    first = _linears((block.mlp, "fc1")) if isinstance(block.mlp, Mlp | GluMlp) else ()
    return [
        NormPlace((block, "norm1"), "attention", _linears(*((block.attn, name) for name in attention))),
        NormPlace((block, "norm2"), "mlp", first),
    ]


def _block(block: Any, attention: Iterable[str]) -> BlockPlaces:
    return BlockPlaces((*((block.attn, name) for name in attention), (block.mlp, "fc1"), (block.mlp, "fc2")), block.mlp)


def _linears(*places: Place) -> tuple[Place, ...]:
    return tuple((owner, name) for owner, name in places if isinstance(getattr(owner, name, None), nn.Linear))
