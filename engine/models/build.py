"""Recipe -> model: name, weights, exchanged modules, classifier, dropouts, and what of it is trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from timm.layers import PatchEmbed, convert_sync_batchnorm
from torch import nn

from engine.inspect.describe import output_shape
from engine.models.config import seen_pixels
from engine.models.errors import ModelError
from engine.models.exchange import exchange, load_and_exchange
from engine.models.head import classifier_keys, refuse_kept_head, start_head, train_head_only
from engine.models.names import DROPOUTS, check_hub_weights, check_name, hub_classes, pretrained_cfg, refused
from engine.models.start import set_mlp_dropout, start_weights
from engine.recipe.resolve import norm_eps
from engine.recipe.schema import Model, Recipe

# What timm's constructors raise, besides TypeError, for arguments they cannot work with.
_REFUSALS = (AssertionError, RuntimeError, ValueError, OSError, LookupError, ArithmeticError, AttributeError)


@dataclass(frozen=True)
class Built:
    """A model as a recipe describes it."""

    model: nn.Module
    arguments: dict[str, Any]
    """Keyword arguments timm's constructor got; with the recipe's `model` they build it again."""
    random: list[str]
    """Of a pretrained model: parameters that start afresh all the same (a new classifier, added BatchNorms)."""


def build_model(
    recipe: Recipe, *, channels: int, classes: int, img_size: int, fetch: bool = True
) -> tuple[nn.Module, dict[str, Any]]:
    """Model and constructor arguments of `build`."""
    built = build(recipe, channels=channels, classes=classes, img_size=img_size, fetch=fetch)
    return built.model, built.arguments


def build(
    recipe: Recipe, *, channels: int, classes: int, img_size: int, fetch: bool = True, device: str = "cpu"
) -> Built:
    """The recipe's model with a classifier of `classes`, taking float32 [B, channels, img_size, img_size].

    Initial weights depend on train.seed alone. Autos of the recipe may be undecided.

    The classifier of pretrained weights is kept where it has just as many classes and made anew otherwise, all heads
    of it; model.head_init and model.head_bias are for one made anew and an error where it is kept.
    With a file that lies in an exported model's folder, `model.pretrained_cfg` has the mean, std, crop_pct and
    interpolation of that folder's config.json; else those of timm's own weights for the name.
    Modules are exchanged (model.norm, ffn_norm, weight_norm, activation) after weights are in, except where a file is
    of a model so exchanged. A norm other than the default is refused with weights of the plain model: their trained
    LayerNorms would be thrown away.

    If not `fetch`, pretrained weights are left out, for a model whose weights come from a checkpoint. On the device
    "meta" nothing is allocated, fetched or drawn: of hub weights only the tag is looked up, and of a file with weights
    only names and shapes are read and compared.
    Raises ModelError: unknown name, unsupported argument or change, weights that cannot be had or do not fit.
    """
    how = recipe.model.model_copy(update={"norm_eps": norm_eps(recipe.model)})
    check_name(how.name)
    hub = how.pretrained and not how.weights
    if hub:
        _check_hub(how, classes)
    torch.manual_seed(recipe.train.seed)
    arguments = {**how.options, **_dropouts(recipe)}
    download = hub and fetch and device != "meta"
    model, arguments = _create(
        how.name, arguments, img_size, device, pretrained=download, in_chans=channels, num_classes=classes
    )
    if not how.pretrained:
        start_weights(model, how)
    if not hub or hub_classes(how.name) != classes:
        start_head(model, how)
    if recipe.regularize.mlp_dropout:
        set_mlp_dropout(model, recipe.regularize.mlp_dropout, how.name)
    if how.weights and fetch:
        random = load_and_exchange(model, how, Path(how.weights).expanduser())
        if not set(random) & set(classifier_keys(model)):
            refuse_kept_head(how, classes)
    else:
        new_head = classifier_keys(model) if hub and hub_classes(how.name) != classes else []
        added = exchange(model, how)
        random = new_head + (added if hub else [])
    if how.weights:
        # timm's constants are those of its own weights for the name.
        cfg = pretrained_cfg(model) | seen_pixels(Path(how.weights).expanduser().parent)
        model.pretrained_cfg = cfg  # type: ignore[assignment]
    _check_forward(model, how.name, channels, classes, img_size)
    return Built(_for_training(model, recipe), arguments, random)


def _dropouts(recipe: Recipe) -> dict[str, float]:
    wanted = {keyword: getattr(recipe.regularize, field) for keyword, field in DROPOUTS.items()}
    return {keyword: value for keyword, value in wanted.items() if value}


def _check_hub(how: Model, classes: int) -> None:
    check_hub_weights(how.name)
    if how.norm != "default":
        raise ModelError(
            f'model.norm = "{how.norm}" would throw away the trained LayerNorms of "{how.name}"; set '
            f"model.pretrained = false, or model.weights to the model.safetensors of a run with that norm"
        )
    if hub_classes(how.name) == classes:
        refuse_kept_head(how, classes)


def _create(
    name: str, arguments: dict[str, Any], img_size: int, device: str, **fixed: Any
) -> tuple[nn.Module, dict[str, Any]]:
    remedy = "download them elsewhere and set model.weights to the file"
    sized = {"img_size": img_size, **arguments}
    try:
        return _timm(name, device, **fixed, **sized), sized
    except TypeError as error:
        if "img_size" not in str(error):
            raise refused(name, arguments, error, remedy) from None
    except _REFUSALS as error:
        raise refused(name, sized, error, remedy) from None
    # Convolutional families take any size and have no such argument.
    try:
        return _timm(name, device, **fixed, **arguments), arguments
    except (TypeError, *_REFUSALS) as error:
        raise refused(name, arguments, error, remedy) from None


def _timm(name: str, device: str, **arguments: Any) -> nn.Module:
    with torch.device(device):
        model: nn.Module = timm.create_model(name, **arguments)
    return model


def _check_forward(model: nn.Module, name: str, channels: int, classes: int, img_size: int) -> None:
    """A pass on the meta device: the shape is checked in milliseconds, before any data is loaded."""
    patches: Any = getattr(model, "patch_embed", None)
    if type(patches) is PatchEmbed and not patches.dynamic_img_pad and img_size % patches.patch_size[0]:
        raise ModelError(
            f'data.img_size = {img_size} is no multiple of the patch size {patches.patch_size[0]} of "{name}", which '
            "would not see the rest; change data.img_size or model.options.patch_size"
        )
    try:
        shape = output_shape(model, (channels, img_size, img_size))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise ModelError(
            f'"{name}" cannot take images of {channels}x{img_size}x{img_size}: {str(error).splitlines()[0]}'
        ) from None
    if shape != (1, classes):
        raise ModelError(f'"{name}" gives {shape} for one image, not (1, {classes}): it is not a classifier of images')


def _for_training(model: nn.Module, recipe: Recipe) -> nn.Module:
    """Freeze what train.scope leaves out, synchronise BatchNorms, and see to it that a teacher can be listened to."""
    if recipe.distill.kind != "none" and not hasattr(model, "set_distilled_training"):
        raise ModelError(
            f'distill.kind = "{recipe.distill.kind}": "{recipe.model.name}" has no distillation token or head; '
            "models that have one: deit_*_distilled_*, levit_*, pit_*_distilled_*"
        )
    if recipe.train.scope == "head":
        train_head_only(model)
    if recipe.train.sync_bn:
        synchronised: nn.Module = convert_sync_batchnorm(model)
        return synchronised
    return model
