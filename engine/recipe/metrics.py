"""What a reference can report: results a run is judged by, and whatever else stands in published tables. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

JUDGED: Final = ("top1", "top5", "loss")
"""What a run is judged by: only these are compared with its own results. All others stand beside them in tables."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A quantity of a published table."""

    title: str
    """Its heading."""
    unit: str
    """Unit of `Reference.value`."""
    help: str


METRICS: Final[Mapping[str, Metric]] = MappingProxyType({
    "top1": Metric("top-1", "%", "accuracy on the split the reference names"),
    "top5": Metric("top-5", "%", "share of images with the label among the five likeliest classes"),
    "loss": Metric("loss", "", "mean loss of an image, as the recipe trains with"),
    "gain": Metric("gain", "points", "difference of two results of one table; the label says of which"),
    "upstream_top1": Metric("upstream top-1", "%", "accuracy of the checkpoint on the data it was pretrained on"),
    "imagenet_top1": Metric("ImageNet top-1", "%", "accuracy on ImageNet-1k, which is not the data of the recipe"),
    "cifar10_top1": Metric("CIFAR-10 top-1", "%", "accuracy of the model on CIFAR-10, not the data of the recipe"),
    "cifar100_top1": Metric("CIFAR-100 top-1", "%", "accuracy of the model on CIFAR-100, not the data of the recipe"),
    "coco_box_ap": Metric("COCO box AP", "%", "detection with the model as backbone: average precision of boxes"),
    "coco_mask_ap": Metric("COCO mask AP", "%", "instance segmentation with it: average precision of masks"),
    "ade20k_miou": Metric("ADE20k mIoU", "%", "semantic segmentation with it: mean intersection over union"),
    "params": Metric("parameters", "parameters", "parameters of the model"),
    "macs": Metric("MACs", "multiply-adds", "multiply-adds of one image, as the source counts them"),
    "images_per_s": Metric("throughput", "images/s", "inference on the device that the source names"),
    "checkpoint_bytes": Metric("checkpoint", "bytes", "size of a checkpoint file; MB and GB as the source writes them"),
    "epoch_seconds": Metric("time per epoch", "s", "training time of one epoch on the device that the source names"),
    "train_minutes": Metric("training time", "min", "time of a whole training on the device that the source names"),
})  # fmt: skip
"""Every metric a reference can have, in the order of a table's columns, with title, unit and meaning."""
