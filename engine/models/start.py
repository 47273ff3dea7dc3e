"""What random weights start as, where a recipe says other than timm."""

from __future__ import annotations

import torch
from torch import nn

from engine.models.errors import ModelError
from engine.recipe.schema import Model


def start_weights(model: nn.Module, how: Model) -> None:
    """Apply model.init and model.init_positions to a freshly made model. ModelError where it has no such parts."""
    if how.init == "rescalevit":
        _rescalevit(model, how.name)
    if how.init_positions == "sincos":
        _sincos_positions(model, how.name)


def set_mlp_dropout(model: nn.Module, probability: float, name: str) -> None:
    """Drop after the activation and after the second layer of every MLP, and nowhere else (RescaleViT's dropout).

    Raises ModelError where the model has no MLPs as timm's ViTs have.
    """
    found = False
    for module in model.modules():
        drops = [getattr(module, part, None) for part in ("drop1", "drop2")]
        if hasattr(module, "fc1") and hasattr(module, "fc2"):
            for drop in drops:
                if isinstance(drop, nn.Dropout):
                    drop.p = probability
                    found = True
    if not found:
        raise ModelError(
            f'regularize.mlp_dropout = {probability:g}: "{name}" has no MLPs with dropout; '
            "set regularize.mlp_dropout = 0"
        )


@torch.no_grad()
def _rescalevit(model: nn.Module, name: str) -> None:
    """Tokens and positions zero, MLPs Xavier-uniform with biases N(0, 1e-6), all other linears as torch draws them.

    (RescaleViT, models/modeling.py. Its query, key and value are three linears; torch's range depends on the inputs
    alone, so one linear of all three starts the same. Patches are torch's default in timm, too.)
    """
    from timm.models.vision_transformer import VisionTransformer

    if not isinstance(model, VisionTransformer):
        raise ModelError(f'model.init = "rescalevit" is for plain ViTs; "{name}" is {type(model).__name__}')
    for token in ("cls_token", "dist_token", "reg_token", "pos_embed"):
        parameter = getattr(model, token, None)
        if isinstance(parameter, nn.Parameter):
            parameter.zero_()
    for path, module in model.named_modules():
        if isinstance(module, nn.Linear) and ".mlp." in path:
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.normal_(module.bias, std=1e-6)
        elif isinstance(module, nn.Linear):
            module.reset_parameters()


@torch.no_grad()
def _sincos_positions(model: nn.Module, name: str) -> None:
    from timm.layers import build_sincos2d_pos_embed

    table = getattr(model, "pos_embed", None)
    grid = getattr(getattr(model, "patch_embed", None), "grid_size", None)
    if not isinstance(table, nn.Parameter) or table.ndim != 3 or grid is None:
        raise ModelError(
            f'model.init_positions = "sincos": "{name}" has no learned position table; set it to "default"'
        )
    if table.shape[2] % 4:
        raise ModelError(f'model.init_positions = "sincos" needs a width divisible by 4, not {table.shape[2]}')
    values = build_sincos2d_pos_embed(list(grid), table.shape[2], device=table.device)
    prefix = table.shape[1] - values.shape[0]
    table.zero_()
    table[0, prefix:] = values
