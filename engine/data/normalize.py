"""Which mean and standard deviation images are normalised by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

# torchvision's ImageNet constants and Inception's 0.5, as timm.data.constants has them.
_CONSTANTS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "inception": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}


class HasStatistics(Protocol):
    """What is needed of a dataset here."""

    @property
    def channels(self) -> int: ...
    @property
    def mean(self) -> Sequence[float]: ...
    @property
    def std(self) -> Sequence[float]: ...


def mean_std(
    kind: str, dataset: HasStatistics, weights_cfg: Mapping[str, Any]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and std for each channel, on the scale 0 to 1, for a resolved data.normalize.

    Constants of three channels are averaged for a dataset of one, as timm averages the first convolution.
    """
    if kind == "dataset":
        return tuple(dataset.mean), tuple(dataset.std)
    mean, std = (weights_cfg["mean"], weights_cfg["std"]) if kind == "weights" else _CONSTANTS[kind]
    return _fit(mean, dataset.channels), _fit(std, dataset.channels)


def _fit(values: Sequence[float], channels: int) -> tuple[float, ...]:
    if len(values) == channels:
        return tuple(values)
    return (sum(values) / len(values),) * channels
