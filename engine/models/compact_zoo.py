"""Compact transformers by name, in timm's registry: `timm.create_model("cct_7_3x1_32")` after `import engine.models`.

Names and sizes are SHI-Labs' (src/vit.py, cvt.py, cct.py). A name that ends in ``_sine`` has fixed sine positions;
SHI-Labs' own cct and cvt functions of that name drop the argument and train learned ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from timm.models import build_model_with_cfg, generate_default_cfgs, register_model
from torch import nn

from engine.models.compact import CompactTransformer, checkpoint_filter_fn

_SIZES: dict[int, dict[str, Any]] = {
    depth: {"depth": depth, "embed_dim": width, "num_heads": heads, "mlp_ratio": ratio}
    for depth, width, heads, ratio in (
        (2, 128, 2, 1.0), (4, 128, 2, 1.0), (6, 256, 4, 2.0), (7, 256, 4, 2.0), (8, 256, 4, 2.0), (14, 384, 6, 3.0),
    )
}  # fmt: skip

_CIFAR10 = {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2470, 0.2435, 0.2616)}
_CIFAR100 = {"mean": (0.5071, 0.4867, 0.4408), "std": (0.2675, 0.2565, 0.2761)}
_FLOWERS = {"mean": (0.4353, 0.3773, 0.2872), "std": (0.2966, 0.2455, 0.2698)}
_IMAGENET = {"mean": IMAGENET_DEFAULT_MEAN, "std": IMAGENET_DEFAULT_STD}
_CHECKPOINTS = "https://shi-labs.com/projects/cct/checkpoints/"


def _cfg(side: int, classes: int, statistics: dict[str, Any], file: str = "", crop_pct: float = 1.0) -> dict[str, Any]:
    return {
        "url": _CHECKPOINTS + file if file else "",
        "num_classes": classes,
        "input_size": (3, side, side),
        "pool_size": None,
        "fixed_input_size": True,
        "crop_pct": crop_pct,
        "interpolation": "bicubic",
        **statistics,
        "first_conv": "tokenizer.conv_layers.0.0",
        "classifier": "head",
    }


def _architectures() -> dict[str, dict[str, Any]]:
    """Constructor arguments by name, without the _sine twins."""
    patch = {"tokenizer": "patch", "kernel_size": 4}
    found = {f"vit_lite_{n}_4_32": {**_SIZES[n], **patch, "global_pool": "token"} for n in (2, 4, 6, 7)}
    found |= {f"cvt_{n}_4_32": {**_SIZES[n], **patch} for n in (2, 4, 6, 7, 8)}
    found |= {
        f"cct_{n}_{kernel}x{layers}_{side}": {**_SIZES[n], "kernel_size": kernel, "n_conv_layers": layers}
        for n, kernel, layers, side in (
            (2, 3, 2, 32), (4, 3, 2, 32), (6, 3, 1, 32), (6, 3, 2, 32), (7, 3, 1, 32), (7, 3, 2, 32),
            (7, 7, 2, 224), (14, 7, 2, 224), (14, 7, 2, 384),
        )
    }  # fmt: skip
    return found


# SHI-Labs' released weights, at the addresses of their src/cct.py and README.
_TAGS = {
    "cct_7_3x1_32.shi_cifar10_300ep": _cfg(32, 10, _CIFAR10, "pretrained/cct_7_3x1_32_cifar10_300epochs.pth"),
    "cct_7_3x1_32.shi_cifar100_300ep": _cfg(32, 100, _CIFAR100, "pretrained/cct_7_3x1_32_cifar100_300epochs.pth"),
    "cct_7_3x1_32_sine.shi_cifar10_5000ep": _cfg(
        32, 10, _CIFAR10, "pretrained/cct_7_3x1_32_sine_cifar10_5000epochs.pth"
    ),
    "cct_7_3x1_32_sine.shi_cifar10_1500ep": _cfg(
        32, 10, _CIFAR10, "pretrained/cct_7_3x1_32_sine_cifar10_1500epochs.pth"
    ),
    "cct_7_3x1_32_sine.shi_cifar100_5000ep": _cfg(
        32, 100, _CIFAR100, "pretrained/cct_7_3x1_32_sine_cifar100_5000epochs.pth"
    ),
    "cct_7_3x1_32_sine.shi_cifar100_1500ep": _cfg(
        32, 100, _CIFAR100, "pretrained/cct_7_3x1_32_sine_cifar100_1500epochs.pth"
    ),
    "cct_7_7x2_224_sine.shi_flowers102": _cfg(224, 102, _FLOWERS, "pretrained/cct_7_7x2_224_flowers102.pth"),
    "cct_14_7x2_224.shi_in1k": _cfg(224, 1000, _IMAGENET, "pretrained/cct_14_7x2_224_imagenet.pth", 0.9),
    "cct_14_7x2_384.shi_in1k": _cfg(384, 1000, _IMAGENET, "finetuned/cct_14_7x2_384_imagenet.pth", 1.0),
    "cct_14_7x2_384.shi_flowers102": _cfg(384, 102, _FLOWERS, "finetuned/cct_14_7x2_384_flowers102.pth"),
}


def _untagged(name: str) -> dict[str, Any]:
    if name.startswith("cct_14"):
        return _cfg(int(name.split("_")[3]), 1000, _IMAGENET, crop_pct=0.9 if "224" in name else 1.0)
    return _cfg(224, 102, _FLOWERS) if name.startswith("cct_7_7x2") else _cfg(32, 10, _CIFAR10)


def _entrypoint(name: str, arguments: dict[str, Any]) -> Callable[..., nn.Module]:
    def create(pretrained: bool = False, **kwargs: Any) -> nn.Module:
        model: nn.Module = build_model_with_cfg(
            CompactTransformer, name, pretrained, pretrained_filter_fn=checkpoint_filter_fn, **{**arguments, **kwargs}
        )
        return model

    create.__name__ = name
    return create


_NAMES = {
    name + suffix: {**arguments, "positional_embedding": kind}
    for name, arguments in _architectures().items()
    for suffix, kind in (("", "learnable"), ("_sine", "sine"))
}
default_cfgs = generate_default_cfgs(
    _TAGS | {name: _untagged(name) for name in _NAMES if not any(tag.startswith(f"{name}.") for tag in _TAGS)}
)
for _name, _arguments in _NAMES.items():
    register_model(_entrypoint(_name, _arguments))
