"""Pretrained weights from a file of the user's, without unpickling anything and without skipping anything silently."""

from __future__ import annotations

import sys
from inspect import signature
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine.models.errors import ModelError
from engine.models.head import classifier_keys
from engine.models.names import pretrained_cfg
from engine.models.npz import load_npz

_PICKLED = (".pth", ".pt", ".bin", ".tar")


def read_weights(path: Path, *, meta: bool = False) -> dict[str, Tensor]:
    """The tensors of a .safetensors or .pth/.pt/.bin file, wrapper dicts of training scripts and prefixes removed.

    If `meta`, names and shapes alone, as tensors on the meta device.
    Raises ModelError: missing file, unknown suffix, pickled code inside, no tensors.
    """
    check_file(path)
    if path.suffix == ".safetensors":
        return _read_safetensors(path, meta)
    try:
        content: Any = torch.load(path, map_location="meta" if meta else "cpu", weights_only=True)
    except Exception:  # UnpicklingError, RuntimeError, EOFError, zipfile's; torch's own words advise to run the code
        raise ModelError(
            f"model.weights: {path} cannot be loaded as plain tensors: it is damaged, or holds Python objects, which "
            "are not unpickled here; where it comes from, save its state_dict() as .safetensors"
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


def check_file(path: Path) -> None:
    """Raises ModelError where there is no such file, or it is of no kind that is read."""
    if not path.is_file():
        raise ModelError(f"model.weights: there is no file {path}")
    if path.suffix not in (".safetensors", ".npz", *_PICKLED):
        raise ModelError(f"model.weights: {path} must end in .safetensors, .npz, .pth, .pt or .bin")


def _read_safetensors(path: Path, meta: bool) -> dict[str, Tensor]:
    import safetensors
    from safetensors.torch import load_file

    try:
        if not meta:
            return load_file(path)
        with safetensors.safe_open(path, framework="pt") as file:  # reads the header alone
            shapes = {key: file.get_slice(key).get_shape() for key in file.keys()}  # noqa: SIM118
        return {key: torch.empty(shape, device="meta") for key, shape in shapes.items()}
    except (safetensors.SafetensorError, OSError) as error:
        raise ModelError(f"model.weights: {path} is not a readable safetensors file ({error})") from None


def load_weights(model: nn.Module, path: Path) -> list[str]:
    """Load `path` into a timm model; position tables are resampled and input convolutions adapted by timm's own code.

    Tables from .safetensors and .pth files are resampled as timm does (bicubic, antialiased), those of Google's .npz
    files bilinearly, as Google's own code zooms them. A model on the meta device is only compared by names and shapes.
    The classifier is dropped, all heads of it, unless the file has every head with the model's number of classes:
    a distilled model with one trained and one random head would average the two.
    Returns the names left at random: the classifier's where it was dropped, nothing else.
    Raises ModelError naming what is missing, unexpected or of another shape.
    """
    check_file(path)
    if path.suffix == ".npz":
        return load_npz(model, path)
    meta = next(model.parameters()).is_meta
    return load_state(model, read_weights(path, meta=meta), path)


def load_state(model: nn.Module, state: dict[str, Tensor], path: Path) -> list[str]:
    """`load_weights` for tensors that were read from `path` already."""
    state = _filtered(model, state, path)
    own = model.state_dict()
    cfg = pretrained_cfg(model)
    _adapt_input(cfg, state, own)
    head_keys = classifier_keys(model)
    whole = all(k in state and state[k].shape == own[k].shape for k in head_keys)
    if not whole:
        for key in head_keys:
            state.pop(key, None)
    if differences := _differences(state, own, head_keys):
        name = cfg.get("architecture", "model")
        raise ModelError(f"model.weights: {path} does not fit model.name = {name}: {differences}")
    if not next(model.parameters()).is_meta:
        model.load_state_dict(state, strict=False)
    return [k for k in head_keys if k not in state]


def _differences(state: dict[str, Tensor], own: dict[str, Tensor], head_keys: list[str]) -> str:
    """Shapes that differ; else names that are missing or too many; empty where all fit but the classifier."""
    wrong = [
        f"{k} {list(state[k].shape)} for {list(own[k].shape)}"
        for k in state
        if k in own and k not in head_keys and state[k].shape != own[k].shape
    ]
    if wrong:
        return _some(wrong)
    # Counters of BatchNorm are younger than the oldest files; torch starts them at zero.
    missing = [k for k in own if k not in state and k not in head_keys and not k.endswith(".num_batches_tracked")]
    unexpected = [k for k in state if k not in own]
    parts = (("missing", missing), ("not in the model:", unexpected))
    return "; ".join(f"{what} {_some(names)}" for what, names in parts if names)


def _filtered(model: nn.Module, state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Names and position tables of other scripts made timm's, by the function of the model's own module."""
    kernel, own = state.get("patch_embed.proj.weight"), model.state_dict().get("patch_embed.proj.weight")
    if kernel is not None and own is not None and kernel.ndim == 4 and kernel.shape[-2:] != own.shape[-2:]:
        # timm would resample the patches too, so that the weights of another model would load without a word.
        theirs, ours = ("x".join(map(str, w.shape[-2:])) for w in (kernel, own))
        raise ModelError(f"model.weights: {path} has patches of {theirs}, the model has {ours}")
    filter_fn = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    if filter_fn is None:
        return dict(state)
    # DeiT III's own files call LayerScale gamma_1, gamma_2; timm renames them where asked to.
    options = {"adapt_layer_scale": True} if "adapt_layer_scale" in signature(filter_fn).parameters else {}
    try:
        return dict(filter_fn(state, model, **options))
    except Exception as error:  # these functions index and reshape what they take to be of their own family
        reason = (str(error).splitlines() or [""])[0]
        told = _differences(state, model.state_dict(), classifier_keys(model)) or f"{type(error).__name__}: {reason}"
        name = pretrained_cfg(model).get("architecture", "model")
        raise ModelError(f"model.weights: {path} does not fit model.name = {name}: {told}") from None


def _adapt_input(cfg: dict[str, Any], state: dict[str, Tensor], own: dict[str, Tensor]) -> None:
    from timm.models._manipulate import adapt_input_conv

    first = cfg.get("first_conv") or ()
    for name in [first] if isinstance(first, str) else first:
        key = f"{name}.weight"
        if key in state and key in own and state[key].shape[1] == 3 != own[key].shape[1]:
            state[key] = adapt_input_conv(own[key].shape[1], state[key])


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
