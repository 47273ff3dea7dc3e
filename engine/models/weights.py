"""Pretrained weights from a file of the user's, without unpickling anything and without skipping anything silently."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine.models.errors import ModelError


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors or .pth/.pt/.bin file, wrapper dicts of training scripts and prefixes removed.

    Raises ModelError: missing file, unknown suffix, pickled code inside, no tensors.
    """
    if not path.is_file():
        raise ModelError(f"model.weights: there is no file {path}")
    if path.suffix == ".safetensors":
        import safetensors
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except (safetensors.SafetensorError, OSError) as error:
            raise ModelError(f"model.weights: {path} is not a readable safetensors file ({error})") from None
    if path.suffix not in (".pth", ".pt", ".bin", ".tar"):
        raise ModelError(f"model.weights: {path} must end in .safetensors, .pth, .pt or .bin")
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises UnpicklingError, RuntimeError, EOFError, zipfile errors
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"model.weights: {path} cannot be loaded as plain tensors ({reason}); "
            "convert it to .safetensors in the environment it comes from"
        ) from None
    for key in ("state_dict_ema", "model_ema", "state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
            break
    if not isinstance(content, dict) or not any(isinstance(v, Tensor) for v in content.values()):
        raise ModelError(f"model.weights: {path} holds no dictionary of tensors")
    return {
        str(k).removeprefix("module.").removeprefix("_orig_mod."): v
        for k, v in content.items()
        if isinstance(v, Tensor)
    }


def load_weights(model: nn.Module, path: Path) -> list[str]:
    """Load `path` into a timm model; position tables are resampled and input convolutions adapted by timm's own code.

    Returns the names left at random: classifier weights where the class count differs, nothing else.
    Raises ModelError naming what is missing, unexpected or of another shape.
    """
    from timm.models._manipulate import adapt_input_conv

    state = read_weights(path)
    filter_fn = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    if filter_fn is not None:
        state = filter_fn(state, model)
    own = model.state_dict()
    cfg: dict[str, Any] = getattr(model, "pretrained_cfg", None) or {}
    first = cfg.get("first_conv", ())
    for name in [first] if isinstance(first, str) else first:
        key = f"{name}.weight"
        if key in state and key in own and state[key].shape[1] != own[key].shape[1]:
            state[key] = adapt_input_conv(own[key].shape[1], state[key])
    classifier = cfg.get("classifier", ())
    heads = tuple(f"{name}." for name in ([classifier] if isinstance(classifier, str) else classifier))
    head_keys = [k for k in own if k.startswith(heads)] if heads else []
    if any(k in state and state[k].shape != own[k].shape for k in head_keys):
        for key in head_keys:
            state.pop(key, None)
    wrong = [
        f"{k} {list(state[k].shape)} for {list(own[k].shape)}"
        for k in state
        if k in own and state[k].shape != own[k].shape
    ]
    if wrong:
        raise ModelError(f"model.weights: {path} does not fit the model: {_some(wrong)}")
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing = [k for k in missing if k not in head_keys]
    if missing or unexpected:
        parts = []
        if missing:
            parts.append(f"missing {_some(missing)}")
        if unexpected:
            parts.append(f"not in the model: {_some(unexpected)}")
        raise ModelError(
            f"model.weights: {path} does not fit model.name = {cfg.get('architecture', 'model')}: {'; '.join(parts)}"
        )
    return [k for k in head_keys if k not in state]


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
