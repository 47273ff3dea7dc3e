"""Recipe -> model: name, pretrained weights, classifier, image size, dropouts."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import timm
import torch
from torch import nn

from engine.models.errors import ModelError
from engine.models.weights import load_weights
from engine.recipe.schema import Recipe


def build_model(
    recipe: Recipe, *, channels: int, classes: int, img_size: int, fetch: bool = True
) -> tuple[nn.Module, dict[str, Any]]:
    """The recipe's model with a classifier of `classes`, taking float32 [B, channels, img_size, img_size].

    Initial weights depend on train.seed alone. Returns the model and the keyword arguments timm's constructor got,
    which is what an exported model needs to be built again. If not `fetch`, pretrained weights are left out, for a
    model whose weights come from a checkpoint.
    Raises ModelError: unknown name, unsupported argument, weights that cannot be had or do not fit.
    """
    name = recipe.model.name
    _check_name(name)
    arguments: dict[str, Any] = dict(recipe.model.options)
    for field, keyword in (
        ("drop_path", "drop_path_rate"),
        ("dropout", "drop_rate"),
        ("proj_dropout", "proj_drop_rate"),
        ("attn_dropout", "attn_drop_rate"),
    ):
        value = getattr(recipe.regularize, field)
        if value:
            arguments[keyword] = value
    torch.manual_seed(recipe.train.seed)
    hub = recipe.model.pretrained and not recipe.model.weights
    if hub:
        _check_tag(name)
    model, arguments = _create(
        name, arguments, img_size, pretrained=hub and fetch, in_chans=channels, num_classes=classes
    )
    if recipe.model.weights and fetch:
        load_weights(model, Path(recipe.model.weights).expanduser())
    elif recipe.model.init_positions == "sincos" and not recipe.model.pretrained:
        _sincos_positions(model, name)
    _check_forward(model, name, channels, classes, img_size)
    return model, arguments


def _check_name(name: str) -> None:
    base, _, tag = name.partition(".")
    if not timm.is_model(base):
        close = difflib.get_close_matches(base, timm.list_models(), n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ModelError(f'model.name = "{name}" is not a timm model{hint}')
    tags = [n.partition(".")[2] for n in timm.list_pretrained(f"{base}.*")]
    if tag and tag not in tags:
        raise ModelError(f'model.name = "{name}": {base} has no tag {tag}; it has {", ".join(tags) or "none"}')


def _check_tag(name: str) -> None:
    if not timm.models.is_model_pretrained(name):
        raise ModelError(f'model.pretrained = true, but timm has no weights for "{name}"; set model.weights to a file')


def _create(name: str, arguments: dict[str, Any], img_size: int, **fixed: Any) -> tuple[nn.Module, dict[str, Any]]:
    sized = {"img_size": img_size, **arguments}
    try:
        return timm.create_model(name, **fixed, **sized), sized
    except TypeError as error:
        if "img_size" not in str(error):
            raise _refused(name, arguments, error) from None
    except (AssertionError, RuntimeError, ValueError, OSError, KeyError) as error:
        raise _refused(name, sized, error) from None
    # Convolutional families take any size and have no such argument.
    try:
        return timm.create_model(name, **fixed, **arguments), arguments
    except (TypeError, AssertionError, RuntimeError, ValueError, OSError, KeyError) as error:
        raise _refused(name, arguments, error) from None


def _refused(name: str, arguments: dict[str, Any], error: Exception) -> ModelError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    hub_errors = {
        "LocalEntryNotFoundError",
        "HfHubHTTPError",
        "ConnectError",
        "OfflineModeIsEnabled",
        "URLError",
        "RepositoryNotFoundError",
    }
    if any(c.__name__ in hub_errors for c in type(error).__mro__):
        return ModelError(
            f'pretrained weights of "{name}" could not be fetched ({reason}); '
            "download them elsewhere and set model.weights to the file"
        )
    given = ", ".join(f"{k}={v}" for k, v in arguments.items())
    return ModelError(f'timm cannot build "{name}" with {given}: {reason}')


def _check_forward(model: nn.Module, name: str, channels: int, classes: int, img_size: int) -> None:
    """A pass on the meta device: the shape is checked in milliseconds, before any data is loaded."""
    from engine.inspect.describe import output_shape

    try:
        shape = output_shape(model, (channels, img_size, img_size))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise ModelError(
            f'"{name}" cannot take images of {channels}x{img_size}x{img_size}: {str(error).splitlines()[0]}'
        ) from None
    if shape != (1, classes):
        raise ModelError(f'"{name}" gives {shape} for one image, not (1, {classes}): it is not a classifier of images')


def _sincos_positions(model: nn.Module, name: str) -> None:
    from timm.layers import build_sincos2d_pos_embed

    table = getattr(model, "pos_embed", None)
    grid = getattr(getattr(model, "patch_embed", None), "grid_size", None)
    if not isinstance(table, nn.Parameter) or table.ndim != 3 or grid is None:
        raise ModelError(f'model.init_positions = "sincos": "{name}" has no learned position table')
    if table.shape[2] % 4:
        raise ModelError(f'model.init_positions = "sincos" needs a width divisible by 4, not {table.shape[2]}')
    values = build_sincos2d_pos_embed(list(grid), table.shape[2])
    prefix = table.shape[1] - values.shape[0]
    with torch.no_grad():
        table.zero_()
        table[0, prefix:] = values
