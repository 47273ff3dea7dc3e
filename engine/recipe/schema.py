"""Recipe: one typed, validated tree that says what to train. Torch-free.

Every field carries its unit, range and a docstring; form, CLI help and table columns are made from them.
A field whose value is "auto" is decided by `engine.recipe.resolve.resolve` from facts about data, weights
and device; the raw value stays in ``recipe.toml``, the decided one goes to ``resolved.toml``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Auto = Literal["auto"]
Probability = Annotated[float, Field(ge=0, le=1)]
Scalar = bool | int | float | str
OptionValue = Scalar | list[int] | list[float] | list[str]


class Section(BaseModel):
    """Base of every part of a recipe: closed, immutable, documented."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class Model(Section):
    """What is trained."""

    name: str = Field("vit_tiny_patch16_224", min_length=1, max_length=200)
    """Model name in timm's registry, with its pretrained tag after a dot if one is meant."""
    pretrained: bool = False
    """Start from pretrained weights instead of random ones."""
    weights: str = ""
    """File with pretrained weights (.safetensors or .pth); empty: timm's hub, if pretrained is on."""
    init_positions: Literal["default", "sincos"] = "default"
    """How learned position embeddings start: as timm does, or at 2-D sine-cosine values (helps tiny models)."""
    options: dict[str, OptionValue] = Field(default_factory=dict)
    """Further keyword arguments of timm's constructor (embed_dim, depth, num_heads, patch_size, ...)."""

    @model_validator(mode="after")
    def _weights_need_pretrained(self) -> Model:
        if self.weights and not self.pretrained:
            raise ValueError("model.weights names a file but model.pretrained is false; set model.pretrained=true")
        return self


class Data(Section):
    """What it is trained on."""

    dataset: str = Field("digits", min_length=1, max_length=200)
    """Dataset name: a catalogue entry or one added with `vitui data add`."""
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
    crop: Literal["none", "pad", "resized"] = "none"
    """none: resize to img_size; pad: random crop after padding; resized: random resized crop."""
    pad: Annotated[int, Field(ge=0, le=64)] = Field(4, json_schema_extra={"unit": "px"})
    """Padding on each side for crop = "pad"."""
    pad_mode: Literal["constant", "reflect"] = "constant"
    """What the padding shows: black, or the mirrored image."""
    scale: tuple[Annotated[float, Field(gt=0, le=1)], Annotated[float, Field(gt=0, le=1)]] = Field(
        (0.08, 1.0), json_schema_extra={"unit": "fraction of area"}
    )
    """Area range for crop = "resized"."""
    ratio: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = (3 / 4, 4 / 3)
    """Aspect ratio range for crop = "resized"."""
    interpolation: Literal["bilinear", "bicubic", "random"] = "bicubic"
    """Resampling for crops and resizing; random: bilinear or bicubic by a fair coin for each image."""
    randaugment: str = Field("", pattern=r"^$|^rand(-[a-z]+[0-9.]*)+$")
    """timm's RandAugment string, e.g. rand-m9-mstd0.5-inc1; empty: off."""
    erasing: Probability = 0.0
    """Probability that random erasing blanks a rectangle."""
    erasing_mode: Literal["const", "rand", "pixel"] = "pixel"
    """Fill of the erased rectangle after normalisation: zero, one random colour, or noise for each pixel."""
    erasing_area: tuple[Probability, Probability] = Field((0.02, 1 / 3), json_schema_extra={"unit": "fraction of area"})
    """Area range of the erased rectangle."""
    order: Literal["mix-erase", "erase-mix"] = Field("mix-erase", json_schema_extra={"advanced": True})
    """timm's loader mixes images and then erases; DeiT's own loop erases and then mixes."""

    @model_validator(mode="after")
    def _ranges_ascend(self) -> Augment:
        for name in ("scale", "ratio", "erasing_area"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"augment.{name} = [{low}, {high}] must be ascending; write [{high}, {low}]")
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


class Regularize(Section):
    """What holds the model back."""

    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Mass moved from the true class to all classes; inside the soft targets when images are mixed."""
    drop_path: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Stochastic depth of the last block; linear over depth from 0."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout before the classifier (timm's drop_rate)."""
    proj_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout after attention and MLP projections, where the model has it (timm's proj_drop_rate)."""
    attn_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout of attention weights, where the model has it (timm's attn_drop_rate)."""
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Decay of the exponential moving average of weights and buffers, each update; 0: off."""
    ema_warmup: bool = True
    """Start the average with a decay of min(ema, (1 + t) / (10 + t)) so that short runs profit too."""


class AdamW(Section):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""

    name: Literal["adamw"] = "adamw"
    """Optimiser."""
    lr: Annotated[float, Field(gt=0, le=1e6)] = 1e-3
    """Peak learning rate, as used (no hidden scaling by batch size)."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.05
    """Decoupled decay; never applied to biases, norms, tokens and positions."""
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.999)
    """Decay of the first and second moment."""
    eps: Annotated[float, Field(gt=0)] = 1e-8
    """Added to the denominator."""


class SGD(Section):
    """Stochastic gradient descent with momentum."""

    name: Literal["sgd"] = "sgd"
    """Optimiser."""
    lr: Annotated[float, Field(gt=0, le=1e6)] = 0.01
    """Peak learning rate, as used (no hidden scaling by batch size)."""
    weight_decay: Annotated[float, Field(ge=0)] = 1e-5
    """L2 penalty; never applied to biases, norms, tokens and positions."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Momentum."""
    nesterov: bool = False
    """Nesterov's form of momentum."""

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> SGD:
        if self.nesterov and self.momentum == 0:
            raise ValueError("optim.nesterov needs optim.momentum above 0")
        return self


Optim = Annotated[AdamW | SGD, Field(discriminator="name")]


class Warmup(Section):
    """Base of schedules: a linear rise, then the schedule's own curve, a value for every optimiser step."""

    warmup_epochs: Annotated[float, Field(ge=0)] = Field(0.0, json_schema_extra={"unit": "epochs"})
    """Length of the linear warm-up, counted inside train.epochs."""
    warmup_lr: Annotated[float, Field(ge=0)] = 1e-6
    """Learning rate of the first step of the warm-up."""


class Cosine(Warmup):
    """Half a cosine from optim.lr to min_lr (Loshchilov and Hutter, 2017, one cycle)."""

    name: Literal["cosine"] = "cosine"
    """Schedule."""
    min_lr: Annotated[float, Field(ge=0)] = 0.0
    """Learning rate the curve ends at."""
    warmup_prefix: bool = True
    """True: the cosine starts at its peak after the warm-up; false: it runs from step 0 beneath it (timm's default)."""


class Constant(Warmup):
    """optim.lr all the way after the warm-up."""

    name: Literal["constant"] = "constant"
    """Schedule."""


Schedule = Annotated[Cosine | Constant, Field(discriminator="name")]


class Train(Section):
    """How long and in what steps."""

    epochs: Annotated[int, Field(ge=1, le=100_000)] = 10
    """Passes over the training images."""
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = Field(128, json_schema_extra={"unit": "images"})
    """Images in one optimiser update (the effective batch)."""
    grad_accum_steps: Annotated[int, Field(ge=1, le=4096)] = 1
    """Forward-backward passes an update is split into; must divide batch_size."""
    clip_grad: Annotated[float, Field(ge=0)] = 0.0
    """Largest global gradient norm; 0: no clipping."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Autocast type; auto: bf16 on a GPU (fp16 on an old one), fp32 on a CPU. On a GPU fp32 multiplies in TF32."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Decides initial weights, order of images, augmentation, dropout and the minival split."""
    threads: Annotated[int, Field(ge=1, le=1024)] | Auto = Field("auto", json_schema_extra={"advanced": True})
    """CPU threads of the trainer; auto: by model size (tiny models are fastest on one or two)."""
    log_every: Annotated[int, Field(ge=1, le=10_000)] = Field(10, json_schema_extra={"unit": "steps", "advanced": True})
    """Steps between journal entries; every single step's loss is in them all the same."""
    checkpoint_every_epochs: Annotated[int, Field(ge=0)] = Field(1, json_schema_extra={"unit": "epochs"})
    """Save the full training state after every N epochs (0: only at stop and end)."""
    checkpoint_every_steps: Annotated[int, Field(ge=0)] = Field(0, json_schema_extra={"unit": "steps"})
    """Save the full training state every N steps as well (0: not)."""
    nonfinite_patience: Annotated[int, Field(ge=1, le=1000)] = Field(
        3, json_schema_extra={"unit": "steps", "advanced": True}
    )
    """Updates in a row with NaN or infinite loss or gradient (skipped, never applied) that make a run diverged."""
    loss_limit: Annotated[float, Field(ge=0)] = Field(10.0, json_schema_extra={"advanced": True})
    """After 50 updates in a row with this many times the loss of guessing (or of step 1) a run has diverged; 0: off."""
    deterministic: bool = Field(False, json_schema_extra={"advanced": True})
    """Bit-for-bit repeatable on a GPU too, at a cost in speed (a CPU always is)."""

    @model_validator(mode="after")
    def _accumulation_divides(self) -> Train:
        if self.batch_size % self.grad_accum_steps:
            raise ValueError(
                f"train.grad_accum_steps = {self.grad_accum_steps} does not divide train.batch_size = {self.batch_size}"
            )
        return self


class Evaluate(Section):
    """How it is judged."""

    every_epochs: Annotated[int, Field(ge=1)] = Field(1, json_schema_extra={"unit": "epochs"})
    """Evaluate on the selection split after every N epochs, and after the last."""
    batch_size: Annotated[int, Field(ge=0)] = Field(0, json_schema_extra={"unit": "images", "advanced": True})
    """Images in one evaluation batch; 0: four training micro-batches, at least 256."""
    crop_pct: Annotated[float, Field(gt=0, le=1)] | Auto = "auto"
    """Centre crop after resizing to img_size / crop_pct; auto: that of the pretrained weights, else 1.0 (no crop)."""
    interpolation: Literal["auto", "bilinear", "bicubic"] = "auto"
    """Resampling of evaluation images; auto: that of the pretrained weights, else bicubic."""
    select_on: Literal["auto", "minival", "report"] = "auto"
    """Split that picks the best checkpoint. auto: minival if there is one, else the report split (then marked)."""


# Sections that are tagged unions, with the variant meant where a recipe does not name one.
DEFAULT_TAGS = {"optim": "adamw", "schedule": "cosine"}


class Recipe(Section):
    """Everything that decides what a training run computes."""

    model: Model = Field(default_factory=Model)
    """What is trained."""
    data: Data = Field(default_factory=Data)
    """What it is trained on."""
    augment: Augment = Field(default_factory=Augment)
    """Changes to single training images."""
    mix: Mix = Field(default_factory=Mix)
    """Changes that blend two training images and their labels."""
    regularize: Regularize = Field(default_factory=Regularize)
    """What holds the model back."""
    optim: Optim = Field(default_factory=AdamW)
    """Optimiser."""
    schedule: Schedule = Field(default_factory=Cosine)
    """Learning rate over time."""
    train: Train = Field(default_factory=Train)
    """How long and in what steps."""
    evaluate: Evaluate = Field(default_factory=Evaluate)
    """How it is judged."""

    @model_validator(mode="before")
    @classmethod
    def _fill_tags(cls, tree: Any) -> Any:
        if not isinstance(tree, dict):
            return tree
        tagged = {k: {"name": tag, **tree[k]} for k, tag in DEFAULT_TAGS.items() if isinstance(tree.get(k), dict)}
        return {**tree, **tagged}

    @model_validator(mode="after")
    def _combinations(self) -> Recipe:
        if (self.mix.mixup or self.mix.cutmix) and self.micro_batch % 2:
            raise ValueError(
                "mix.mixup and mix.cutmix pair images inside a micro-batch, so "
                f"train.batch_size / train.grad_accum_steps = {self.micro_batch} must be even"
            )
        if self.schedule.warmup_epochs >= self.train.epochs:
            raise ValueError(
                f"schedule.warmup_epochs = {self.schedule.warmup_epochs:g} must be less than "
                f"train.epochs = {self.train.epochs}"
            )
        if isinstance(self.schedule, Cosine) and self.schedule.min_lr > self.optim.lr:
            raise ValueError(f"schedule.min_lr = {self.schedule.min_lr:g} is above optim.lr = {self.optim.lr:g}")
        if self.data.normalize == "weights" and not self.model.pretrained:
            raise ValueError('data.normalize = "weights" needs model.pretrained = true; use "dataset" or "auto"')
        if self.evaluate.select_on == "minival" and not self.data.minival:
            raise ValueError('evaluate.select_on = "minival" needs data.minival above 0, e.g. data.minival=0.1')
        return self

    @property
    def micro_batch(self) -> int:
        """Images in one forward-backward pass."""
        return self.train.batch_size // self.train.grad_accum_steps

    def flat(self) -> dict[str, Any]:
        """Dotted leaf -> plain value; ``model.options`` gives one leaf for each option. Tuples are lists."""
        return flatten(self.model_dump(mode="json"))


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dict -> dict with dotted keys; an empty inner dict leaves no key."""
    out: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            out.update(flatten(value, f"{prefix}{key}."))
        else:
            out[f"{prefix}{key}"] = value
    return out
