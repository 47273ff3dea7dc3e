"""The classifier of a model: its names, how a new one starts, and training it alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.models.errors import ModelError
from engine.models.names import pretrained_cfg
from engine.recipe.schema import Model


def classifier_names(model: nn.Module) -> tuple[str, ...]:
    """Names of the modules that depend on the number of classes, as timm's config has them; two when distilled."""
    names = pretrained_cfg(model).get("classifier") or ()
    return (names,) if isinstance(names, str) else tuple(names)


def classifiers(model: nn.Module) -> list[nn.Module]:
    """The classifier, or both of a distilled model; none of a model without timm's get_classifier()."""
    getter = getattr(model, "get_classifier", None)
    found = getter() if callable(getter) else ()
    return [head for head in (found if isinstance(found, tuple | list) else (found,)) if isinstance(head, nn.Module)]


def classifier_keys(model: nn.Module) -> list[str]:
    """Keys of the classifiers' parameters in ``model.state_dict()``."""
    prefixes = tuple(f"{name}." for name in classifier_names(model))
    return [key for key in model.state_dict() if key.startswith(prefixes)] if prefixes else []


@torch.no_grad()
def start_head(model: nn.Module, how: Model) -> None:
    """Give the classifiers' newly made weights and biases the values model.head_init and model.head_bias ask for.

    (Zero weights and a bias of -6.9 or -10 are big_vision's, configs/vit_i1k.py and vit_i21k.py.)
    Raises ModelError where there is a bias to set but none in the model.
    """
    if not new_head_wanted(how):
        return
    names = classifier_names(model)
    if not names:
        raise ModelError(f'model.head_init = "{how.head_init}": timm does not say where this model\'s classifier is')
    for name in names:
        head = model.get_submodule(name)
        weight, bias = getattr(head, "weight", None), getattr(head, "bias", None)
        if how.head_init == "zero" and isinstance(weight, Tensor):
            weight.zero_()
        if isinstance(bias, Tensor):
            bias.fill_(how.head_bias)
        elif how.head_bias:
            raise ModelError(f"model.head_bias = {how.head_bias:g}: the classifier {name} of this model has no bias")


def new_head_wanted(how: Model) -> bool:
    """Whether the recipe says how a new classifier starts."""
    return how.head_init != "default" or how.head_bias != 0


def refuse_kept_head(how: Model, classes: int) -> None:
    """Raises ModelError where values for a new classifier are asked for but pretrained weights bring one."""
    if new_head_wanted(how):
        field = "head_init" if how.head_init != "default" else "head_bias"
        raise ModelError(
            f"model.{field} = {getattr(how, field)} is for a new classifier, but the pretrained weights bring one "
            f"of the same {classes} classes, which is kept; leave model.{field} at its default"
        )


def train_head_only(model: nn.Module) -> None:
    """Freeze everything but the classifier: both of them in a distilled model, which averages them.

    Raises ModelError where the model has no classifier with parameters.
    """
    model.requires_grad_(False)
    parameters = [p for head in classifiers(model) for p in head.parameters()]
    if not parameters:
        raise ModelError('train.scope = "head": this model has no classifier of its own; use train.scope = "full"')
    for parameter in parameters:
        parameter.requires_grad_(True)
