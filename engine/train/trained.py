"""Modes and statistics of a model in training, and whether gradients arrive at its classifiers."""

from __future__ import annotations

from torch import Tensor, nn

from engine.models.errors import ModelError
from engine.models.head import classifiers
from engine.models.rescale import BiasLayer
from engine.recipe.schema import Recipe


def set_training_mode(model: nn.Module, recipe: Recipe) -> None:
    """Put every module into the mode it trains in.

    train.mode = "eval": all in eval mode; only the model's own flag is up where it distils, since by that timm's models
    decide whether both heads answer. train.scope = "head": BatchNorm of the frozen part keeps the statistics it has;
    dropout and stochastic depth act.
    """
    model.train(recipe.train.mode == "train")
    if recipe.train.mode == "eval":
        model.training = recipe.distill.kind != "none"
    elif recipe.train.scope == "head":
        inside = {id(module) for head in classifiers(model) for module in head.modules()}
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._NormBase) and id(module) not in inside:
                module.train(any(parameter.requires_grad for parameter in module.parameters()))


def statistics(model: nn.Module) -> list[Tensor]:
    """Buffers that a forward pass of training changes, before anybody knows whether its update will be applied."""
    found: list[Tensor | None] = []
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._NormBase):
            found += [module.running_mean, module.running_var]
        elif isinstance(module, BiasLayer):
            found += [module.mean, module.count]
    return [buffer for buffer in found if buffer is not None]


def without_gradient(model: nn.Module) -> list[str]:
    """Names of trainable parameters that a backward pass has not reached.

    Raises ModelError if a classifier is among them: it would stay as random as it began, and where the answers of two
    heads are averaged, it would spoil those of the other.
    """
    missing = {id(p): name for name, p in model.named_parameters() if p.requires_grad and p.grad is None}
    lost = [missing[id(p)] for head in classifiers(model) for p in head.parameters() if id(p) in missing]
    if lost:
        raise ModelError(
            f"{shortened(lost)} of the classifier gets no gradient from the loss, so it would stay untrained; "
            "use a model whose classifiers all take part in its output, or set distill.kind"
        )
    return list(missing.values())


def shortened(names: list[str], most: int = 3) -> str:
    """The first names of a list, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
