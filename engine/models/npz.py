"""Google's own checkpoints (original ViT, AugReg, big_vision) as they publish them: NumPy .npz archives."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

from numpy.lib import format as npy
from torch import nn

from engine.models.errors import ModelError
from engine.models.head import classifier_keys
from engine.models.names import pretrained_cfg

# What timm's loader (timm/models/vision_transformer.py, _load_weights) fills; nothing else comes from such a file.
_FILLED = re.compile(
    r"(patch_embed\.|cls_token$|pos_embed$|norm\.|head\.(weight|bias)$|attn_pool\."
    r"|blocks\.\d+\.(norm1|norm2|attn\.qkv|attn\.proj|mlp\.fc1|mlp\.fc2)\.)"
)
_BLOCK = re.compile(r"Transformer/encoderblock_(\d+)/")
_STACKED = re.compile(r"Transformer/encoderblock/LayerNorm_0/scale$")
_HEAD = re.compile(r"(^|/)head/bias$")
_PATCHES = re.compile(r"(^|/)embedding/kernel$")


def load_npz(model: nn.Module, path: Path) -> list[str]:
    """Load a Flax archive into a timm ViT or hybrid through timm's own loader, which never unpickles.

    At another image size the position grid is resampled bilinearly, as Google's code does; tokens keep their rows.
    The classifier is left out where the file has none or one of another number of classes; its names are returned.
    A model on the meta device is only compared by names and shapes.
    Raises ModelError: not such an archive, a model the format is not for, other depth, width or patch size.
    """
    name = pretrained_cfg(model).get("architecture", type(model).__name__)
    loader: Any = getattr(model, "load_pretrained", None)
    if loader is None:
        raise ModelError(f"model.weights: {path.name} is for ViTs and their hybrids; {name} does not read .npz files")
    shapes = _shapes(path)
    unfilled = [key for key in model.state_dict() if not _FILLED.match(key)]
    if unfilled:
        raise ModelError(f"model.weights: {path} has no values for {unfilled[0]} of {name}; give a .safetensors file")
    _check_sizes(model, name, shapes, path)
    try:
        loader(str(path))
    except KeyError as error:
        raise ModelError(f"model.weights: {path} does not fit {name}: {str(error.args[0]).splitlines()[0]}") from None
    except (RuntimeError, ValueError, AttributeError) as error:
        raise ModelError(f"model.weights: {path} does not fit {name}: {str(error).splitlines()[0]}") from None
    classes: Any = model.num_classes
    kept = any(_HEAD.search(key) and shape == (classes,) for key, shape in shapes.items())
    return [] if kept else classifier_keys(model)


def _check_sizes(model: nn.Module, name: str, shapes: dict[str, tuple[int, ...]], path: Path) -> None:
    """What timm's loader would pass over: it reads as many blocks as the model has, and resamples patches."""
    depth = len({match.group(1) for match in map(_BLOCK.search, shapes) if match})
    depth = next((shape[0] for key, shape in shapes.items() if _STACKED.search(key)), depth)
    own = len(list(model.get_submodule("blocks").children()))
    if depth != own:
        raise ModelError(f"model.weights: {path} has {depth} transformer blocks, {name} has {own}")
    kernel = next((shape for key, shape in shapes.items() if _PATCHES.search(key)), None)
    patch = tuple(model.get_parameter("patch_embed.proj.weight").shape[-2:])
    if kernel is not None and len(kernel) == 4 and kernel[:2] != patch:
        raise ModelError(
            f"model.weights: {path} has patches of {kernel[0]}x{kernel[1]}, {name} has {patch[0]}x{patch[1]}"
        )


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of the archive's arrays, from their headers alone."""
    shapes: dict[str, tuple[int, ...]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as member:
                    old = npy.read_magic(member) == (1, 0)
                    header = npy.read_array_header_1_0(member) if old else npy.read_array_header_2_0(member)
                shapes[name.removesuffix(".npy")] = header[0]
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ModelError(f"model.weights: {path} is not a readable .npz archive ({error})") from None
    return shapes
