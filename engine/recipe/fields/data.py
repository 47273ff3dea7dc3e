"""What a model is trained on, and what happens to the images on the way."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from engine.recipe.fields.base import Auto, Probability, Section
from engine.recipe.randaugment import parse


class Data(Section):
    """What it is trained on."""

    dataset: str = Field("digits", min_length=1, max_length=200)
    """Dataset name: a catalogue entry or one added with `vitui data add`."""
    train_split: Literal["train", "train+val"] = "train"
    """Images trained on: the train split, or train and val together."""
    train_fraction: Annotated[float, Field(gt=0, le=1)] = Field(1.0, json_schema_extra={"unit": "fraction of train"})
    """Part of the training images used (stratified, by train.seed)."""
    img_size: Annotated[int, Field(ge=4, le=2048)] | Auto = Field("auto", json_schema_extra={"unit": "px"})
    """Side of the square the model sees; auto: the size the images are packed at."""
    normalize: Literal["auto", "dataset", "weights", "imagenet", "inception"] = "auto"
    """Mean and std: the dataset's, the pretrained weights', ImageNet's or 0.5; auto: weights' if any."""
    minival: Annotated[float, Field(ge=0, le=0.5)] = Field(0.0, json_schema_extra={"unit": "fraction of train"})
    """Part of the training images held out (stratified, by train.seed) to select the best checkpoint on."""
    tier: Literal["auto", "resident", "packed"] = Field("auto", json_schema_extra={"advanced": True})
    """Where training images wait: on the device (resident) or memory-mapped on disk (packed); auto: by free memory."""


class Augment(Section):
    """Changes to single training images."""

    hflip: Probability = 0.0
    """Probability of a horizontal flip."""
    vflip: Probability = 0.0
    """Probability of a vertical flip."""
    crop: Literal["none", "pad", "resized", "larger"] = "none"
    """none: resize to img_size; pad: random crop after padding; resized: random resized crop; larger: resize to
    augment.resize, then random crop."""
    pad: Annotated[int, Field(ge=0, le=64)] = Field(4, json_schema_extra={"unit": "px"})
    """Padding on each side for crop = "pad"."""
    pad_mode: Literal["constant", "reflect"] = "constant"
    """What the padding shows: black, or the mirrored image."""
    resize: Annotated[int, Field(ge=0, le=4096)] = Field(0, json_schema_extra={"unit": "px"})
    """Side images are resized to for crop = "larger"; at least data.img_size."""
    scale: tuple[Annotated[float, Field(gt=0, le=1)], Annotated[float, Field(gt=0, le=1)]] = Field(
        (0.08, 1.0), json_schema_extra={"unit": "fraction of area"}
    )
    """Area range for crop = "resized"."""
    ratio: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = (3 / 4, 4 / 3)
    """Aspect ratio range for crop = "resized"."""
    interpolation: Literal["bilinear", "bicubic", "random"] = "bicubic"
    """Resampling for crops and resizing; random: bilinear or bicubic by a fair coin for each image."""
    color_jitter: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Brightness, contrast and saturation each times a factor within 1 ± this, in random order; 0: off."""
    color_jitter_hue: Annotated[float, Field(ge=0, le=0.5)] = Field(0.0, json_schema_extra={"unit": "turns"})
    """Hue turned by up to this either way, as a part of the color jitter; 0: off."""
    color_jitter_prob: Probability = 1.0
    """Probability that the color jitter is applied to an image."""
    grayscale: Probability = 0.0
    """Probability that an image loses its colour."""
    equalize: Probability = 0.0
    """Probability that an image's histogram is equalised."""
    sharpness: Probability = 0.0
    """Probability that an image is sharpened by augment.sharpness_factor."""
    sharpness_factor: Annotated[float, Field(ge=0, le=10)] = 2.0
    """Sharpening: 0 blurs, 1 changes nothing, 2 doubles."""
    rotation: Annotated[float, Field(ge=0, le=180)] = Field(0.0, json_schema_extra={"unit": "degrees"})
    """Rotation by up to this either way, black corners, nearest pixel (RandomRotation)."""
    randaugment: str = Field("", pattern=r"^$|^(rand|tv|tf)(-[a-z]+[0-9.]*)*$")
    """RandAugment: timm's string (rand-m9-mstd0.5-inc1), torchvision's (tv-n2-m9, 31 levels), TensorFlow's as AugReg
    used it (tf-n2-m15); empty: off."""
    autoaugment: Literal["", "imagenet", "cifar10", "svhn", "original", "originalr", "v0", "v0r", "3a"] = ""
    """AutoAugment policy: torchvision's (imagenet, cifar10, svhn), timm's (original, v0; with r: inverted posterize),
    or DeiT III's three-augment (3a); empty: off."""
    erasing: Probability = 0.0
    """Probability that random erasing blanks a rectangle."""
    erasing_mode: Literal["const", "rand", "pixel"] = "pixel"
    """Fill of the erased rectangle after normalisation: zero, one random colour, or noise for each pixel."""
    erasing_area: tuple[Probability, Probability] = Field((0.02, 1 / 3), json_schema_extra={"unit": "fraction of area"})
    """Area range of the erased rectangle."""
    order: Literal["mix-erase", "erase-mix"] = Field("mix-erase", json_schema_extra={"advanced": True})
    """timm's loader mixes images and then erases; DeiT's own loop erases and then mixes."""
    repeats: Annotated[int, Field(ge=1, le=16)] = 1
    """Repeated augmentation (Hoffer et al., 2020): an epoch shows a part of the images, each this many times in one
    batch, differently changed; its number of steps stays."""
    off_epoch: Annotated[int, Field(ge=0)] = Field(0, json_schema_extra={"unit": "epochs"})
    """Epoch from which images are only resized and normalised; 0: never."""

    @model_validator(mode="after")
    def _consistent(self) -> Augment:
        for name in ("scale", "ratio", "erasing_area"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"augment.{name} = [{low}, {high}] must be ascending; write [{high}, {low}]")
        if self.randaugment:
            try:
                parse(self.randaugment)
            except ValueError as error:
                raise ValueError(f"augment.randaugment: {error}") from None
        if self.randaugment and self.autoaugment:
            raise ValueError('augment.randaugment and augment.autoaugment exclude each other; set one of them to ""')
        if (self.crop == "larger") != (self.resize > 0):
            raise ValueError('augment.crop = "larger" and augment.resize go together; set both, or neither')
        return self


class Mix(Section):
    """Changes that blend two training images and their labels."""

    mixup: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Mixup alpha; 0: off."""
    cutmix: Annotated[float, Field(ge=0, le=10)] = 0.0
    """CutMix alpha; 0: off."""
    prob: Probability = 1.0
    """Probability that a batch is mixed at all."""
    switch_prob: Probability = 0.5
    """Probability of CutMix rather than Mixup where both are on."""
    pairing: Literal["timm", "big-vision"] = Field("timm", json_schema_extra={"advanced": True})
    """timm: partners in reverse order; big-vision: the neighbour, and the image itself never has the smaller weight."""
    off_epoch: Annotated[int, Field(ge=0)] = Field(0, json_schema_extra={"unit": "epochs"})
    """Epoch from which nothing is mixed any more; label smoothing stays; 0: never."""
