"""What may be asked of timm's registry, and timm's own refusals as one sentence each."""

from __future__ import annotations

import difflib
import re
from typing import Any

import timm
from torch import nn

from engine.models.errors import ModelError

# The recipe's field for each dropout that is an argument of timm's constructors.
DROPOUTS = {
    "drop_path_rate": "drop_path",
    "drop_rate": "dropout",
    "pos_drop_rate": "pos_dropout",
    "proj_drop_rate": "proj_dropout",
    "attn_drop_rate": "attn_dropout",
}
_HUB_ERRORS = {
    "LocalEntryNotFoundError", "HfHubHTTPError", "ConnectError", "ConnectTimeout", "OfflineModeIsEnabled", "URLError",
    "RepositoryNotFoundError", "EntryNotFoundError",
}  # fmt: skip
_UNKNOWN_ARGUMENT = re.compile(r"unexpected keyword argument '(\w+)'")


def check_name(name: str, what: str = "model.name") -> None:
    """Whether timm knows `name`, a model with or without a pretrained tag. `what` is what the sentence speaks of.

    Raises ModelError: unknown model (with the nearest name), unknown tag (with those there are).
    """
    base, _, tag = name.partition(".")
    if not timm.is_model(base):
        close = difflib.get_close_matches(base, timm.list_models(), n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        if name.startswith("local-dir:"):
            hint = "; to start from a run, name its model and set model.weights to its model/model.safetensors"
        raise ModelError(f'{what} = "{name}" is not a timm model{hint}')
    tags = [n.partition(".")[2] for n in timm.list_pretrained(f"{base}.*")]
    if tag and tag not in tags:
        raise ModelError(f'{what} = "{name}": {base} has no tag {tag}; it has {", ".join(tags) or "none"}')


def pretrained_cfg(model: nn.Module) -> dict[str, Any]:
    """timm's facts about a model and its weights (architecture, classifier, first_conv, mean, ...), if it has any."""
    cfg: Any = getattr(model, "pretrained_cfg", None)
    return cfg or {}


def check_hub_weights(name: str) -> None:
    """Raises ModelError where timm has no pretrained weights for `name`."""
    if not timm.models.is_model_pretrained(name):
        raise ModelError(f'model.pretrained = true, but timm has no weights for "{name}"; set model.weights to a file')


def hub_classes(name: str) -> int:
    """Classes of the classifier that comes with timm's weights for `name`; 0 for weights without one."""
    return int(timm.models.get_pretrained_cfg(name).num_classes)


def refused(name: str, arguments: dict[str, Any], error: Exception, remedy: str) -> ModelError:
    """timm's error over building `name` with `arguments`, as a ModelError.

    `remedy` ends the sentence where weights could not be fetched.
    """
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if any(c.__name__ in _HUB_ERRORS for c in type(error).__mro__):
        return ModelError(f'pretrained weights of "{name}" could not be fetched ({reason}); {remedy}')
    for keyword, field in DROPOUTS.items():
        if isinstance(error, TypeError) and f"'{keyword}'" in reason and keyword in arguments:
            return ModelError(
                f'regularize.{field} = {arguments[keyword]:g}: "{name}" has no such dropout; set regularize.{field} = 0'
            )
    unknown = _UNKNOWN_ARGUMENT.search(reason)
    if unknown and unknown[1] in arguments:
        key = unknown[1]
        return ModelError(
            f'model.options.{key} = {arguments[key]}: "{name}" has no argument {key}; '
            "model.options={} leaves all of them out, such as those of another model that a preset names"
        )
    given = ", ".join(f"{k}={v}" for k, v in arguments.items())
    return ModelError(f'timm cannot build "{name}" with {given}: {reason}')
