"""Surgery on built models: token BatchNorm, GroupNorm, mixtures, Rescale, BatchNorm in MLPs, weight norm, ReLU6."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from timm.layers import Mlp
from timm.layers.activations import GELU, GELUTanh, QuickGELU
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from engine.models.anatomy import Anatomy, Role, anatomy
from engine.models.errors import ModelError
from engine.models.rescale import rescale
from engine.recipe.schema import Model

# Groups of RescaleViT's GroupNorm (models/modeling.py, MyGroupNorm).
GROUPS = 4

_FAMILIES = "a ViT, DeiT, Swin or CaiT of timm or a compact transformer"


class TokenBatchNorm(nn.Module):
    """BatchNorm of each channel over all tokens of all images: [..., C] -> [..., C].

    The BatchNorm1d inside sees rows of [tokens, C], so that torch's SyncBatchNorm conversion fits it as it is.
    """

    def __init__(self, channels: int, *, eps: float, momentum: float, **where: Any) -> None:
        super().__init__()
        self.bn: nn.Module = nn.BatchNorm1d(channels, eps=eps, momentum=momentum, **where)

    def forward(self, x: Tensor) -> Tensor:
        """Any number of leading dimensions, channels last."""
        return self.bn(x.reshape(-1, x.shape[-1])).reshape(x.shape)  # type: ignore[no-any-return]


class TokenGroupNorm(nn.GroupNorm):
    """GroupNorm of each image over its tokens and C / groups channels: [B, ..., C] -> [B, ..., C]."""

    def forward(self, x: Tensor) -> Tensor:
        """Images first, channels last."""
        rows = x.reshape(x.shape[0], -1, x.shape[-1]).transpose(1, 2)
        normed = F.group_norm(rows, self.num_groups, self.weight, self.bias, self.eps)
        return normed.transpose(1, 2).reshape(x.shape)


def modify(model: nn.Module, how: Model, *, name: str) -> None:
    """Exchange modules of a built `model` in place, as norm, ffn_norm, weight_norm and activation of `how` say.

    Weights must have their initial (or loaded) values already: weight norm and "rescale-paper" start from them.
    Replacing norms start at weight 1 and bias 0. `how.norm_eps` must be decided; the LayerNorms that a mixture keeps
    keep their own. Raises ModelError, which names the field and calls the model `name`, where there is nothing to
    exchange or what is there cannot be exchanged.
    """
    if not how.modified:
        return
    if how.norm_eps == "auto":
        raise ValueError("norm_eps is still auto; resolve the recipe first")
    if how.norm in ("rescale", "rescale-paper"):
        rescale(model, paper=how.norm == "rescale-paper", name=name)
    body = anatomy(model)
    if body is None:
        raise ModelError(f'{_changed_field(how)} needs {_FAMILIES}; "{name}" is none of these')

    def batch_norm(channels: int, like: Tensor) -> nn.Module:
        return TokenBatchNorm(
            channels, eps=float(how.norm_eps), momentum=how.norm_momentum, device=like.device, dtype=like.dtype
        )

    if how.norm not in ("default", "rescale", "rescale-paper"):
        _exchange_norms(body, how, name, batch_norm)
    if how.activation == "relu6":
        _relu6(body, name)
    if how.ffn_norm != "none":
        for block in body.blocks:
            mlp = _plain_mlp(block.mlp, f'model.ffn_norm = "{how.ffn_norm}"', name)
            norm = batch_norm(mlp.fc1.out_features, mlp.fc1.weight)
            if how.ffn_norm == "before-act":
                mlp.act = nn.Sequential(OrderedDict(norm=norm, act=mlp.act))
            elif not isinstance(mlp.norm, nn.Identity):
                raise ModelError(f'model.ffn_norm = "after-act": the MLPs of "{name}" have a norm there already')
            else:
                mlp.norm = norm
    if how.weight_norm:
        for block in body.blocks:
            for owner, attribute in block.linears:
                linear = getattr(owner, attribute, None)
                if not isinstance(linear, nn.Linear):
                    raise ModelError(f'model.weight_norm = true: "{name}" has blocks without a linear {attribute}')
                weight_norm(linear, "weight", dim=0)


def _changed_field(how: Model) -> str:
    if how.norm != "default":
        return f'model.norm = "{how.norm}"'
    if how.ffn_norm != "none":
        return f'model.ffn_norm = "{how.ffn_norm}"'
    return "model.weight_norm = true" if how.weight_norm else f'model.activation = "{how.activation}"'


def _exchange_norms(body: Anatomy, how: Model, name: str, batch_norm: Callable[[int, Tensor], nn.Module]) -> None:
    # A mixture leaves every norm that is not before an attention or an MLP a LayerNorm.
    exchanged: dict[str, tuple[Role, ...]] = {"ln-bn": ("mlp",), "bn-ln": ("attention",)}
    roles = exchanged.get(how.norm, ("attention", "mlp", "other"))
    found = 0
    for norm in body.norms:
        owner, attribute = norm.place
        old = getattr(owner, attribute)
        if norm.role not in roles or isinstance(old, nn.Identity):
            continue
        if not isinstance(old, nn.LayerNorm):
            kind = type(old).__name__
            raise ModelError(f'model.norm = "{how.norm}" takes the place of LayerNorms, but "{name}" has {kind}')
        like = old.weight if old.weight is not None else next(owner.parameters())
        channels = old.normalized_shape[0]
        if how.norm == "gn":
            if channels % GROUPS:
                raise ModelError(f'model.norm = "gn": {channels} channels of "{name}" are no multiple of {GROUPS}')
            eps = float(how.norm_eps)
            new: nn.Module = TokenGroupNorm(GROUPS, channels, eps=eps, device=like.device, dtype=like.dtype)
        elif how.norm == "ln-bn-series":
            new = nn.Sequential(OrderedDict(ln=old, bn=batch_norm(channels, like)))
        else:
            new = batch_norm(channels, like)
        setattr(owner, attribute, new)
        found += 1
    if not found:
        raise ModelError(f'model.norm = "{how.norm}": "{name}" has no LayerNorm to exchange; set it to "default"')


def _relu6(body: Anatomy, name: str) -> None:
    for block in body.blocks:
        mlp = _plain_mlp(block.mlp, 'model.activation = "relu6"', name)
        if not isinstance(mlp.act, nn.GELU | GELU | GELUTanh | QuickGELU):
            kind = type(mlp.act).__name__
            raise ModelError(f'model.activation = "relu6" takes the place of GELU; the MLPs of "{name}" have {kind}')
        mlp.act = nn.ReLU6()


def _plain_mlp(mlp: nn.Module, field: str, name: str) -> Any:
    if type(mlp) is not Mlp or not isinstance(mlp.fc1, nn.Linear):
        raise ModelError(f'{field} needs MLPs of two linear layers; those of "{name}" are {type(mlp).__name__}')
    return mlp
