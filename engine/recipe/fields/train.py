"""How a model is held back, trained and judged."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from engine.recipe.fields.base import Auto, Section


class Regularize(Section):
    """What holds the model back."""

    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Mass moved from the true class to all classes; inside the soft targets when images are mixed."""
    drop_path: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Stochastic depth of the last block; linear over depth from 0."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout before the classifier (timm's drop_rate)."""
    pos_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout after position embeddings, where the model has it (timm's pos_drop_rate)."""
    proj_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout after attention and MLP projections, where the model has it (timm's proj_drop_rate)."""
    mlp_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout inside and after every MLP alone (not after attention)."""
    attn_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout of attention weights, where the model has it (timm's attn_drop_rate)."""
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Decay of the exponential moving average of weights and buffers, each update; 0: off."""
    ema_warmup: bool = True
    """Start the average with a decay of min(ema, (1 + t) / (10 + t)) so that short runs profit too."""

    @model_validator(mode="after")
    def _one_mlp_dropout(self) -> Regularize:
        if self.mlp_dropout and self.proj_dropout:
            raise ValueError("regularize.proj_dropout already covers MLPs; keep it or regularize.mlp_dropout")
        return self


class Train(Section):
    """How long and in what steps."""

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = Field(10, json_schema_extra={"unit": "epochs"})
    """Passes over the training images; train.steps, if set, decides instead."""
    steps: Annotated[int, Field(ge=0, le=1_000_000_000)] = Field(0, json_schema_extra={"unit": "steps"})
    """Length of the run in optimiser updates; 0: train.epochs decides."""
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = Field(128, json_schema_extra={"unit": "images"})
    """Images in one optimiser update (the effective batch)."""
    grad_accum_steps: Annotated[int, Field(ge=1, le=4096)] = 1
    """Forward-backward passes an update is split into; must divide batch_size."""
    scope: Literal["full", "head"] = "full"
    """What is trained: everything, or the classifier alone on a frozen model (linear probe)."""
    mode: Literal["train", "eval"] = Field("train", json_schema_extra={"advanced": True})
    """eval: no dropout, no stochastic depth, fixed BatchNorm statistics while training, as DeiT's fine-tuning does."""
    loss: Literal["cross-entropy", "sigmoid"] = "cross-entropy"
    """sigmoid: binary cross-entropy of every class, summed over classes (AugReg, big_vision)."""
    clip_grad: Annotated[float, Field(ge=0)] = 0.0
    """Largest global gradient norm; 0: no clipping."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Autocast type; auto: bf16 on a GPU (fp16 on an old one), fp32 on a CPU. On a GPU fp32 multiplies in TF32."""
    loss_scale: Annotated[float, Field(gt=0)] = Field(65536.0, json_schema_extra={"advanced": True})
    """First loss scale under fp16; it then finds its own."""
    sync_bn: bool = False
    """BatchNorm statistics over the batches of all GPUs of a run; on one GPU it changes nothing."""
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
    every_steps: Annotated[int, Field(ge=0)] = Field(0, json_schema_extra={"unit": "steps"})
    """Evaluate after every N optimiser updates instead; 0: every_epochs decides."""
    batch_size: Annotated[int, Field(ge=0)] = Field(0, json_schema_extra={"unit": "images", "advanced": True})
    """Images in one evaluation batch; 0: four training micro-batches, at least 256."""
    crop_pct: Annotated[float, Field(gt=0, le=1)] | Auto = "auto"
    """Centre crop after resizing to img_size / crop_pct; auto: that of the pretrained weights, else 1.0 (no crop)."""
    interpolation: Literal["auto", "bilinear", "bicubic"] = "auto"
    """Resampling of evaluation images; auto: that of the pretrained weights, else bicubic."""
    select_on: Literal["auto", "minival", "val", "report"] = "auto"
    """Split that picks the best checkpoint. auto: minival, else a val split that is not reported on, else the report
    split (then marked "selected on" it)."""
    select_dataset: str = Field("", max_length=200)
    """Another dataset of the same classes whose pictures pick the best checkpoint instead (ImageNetV2 for ImageNet)."""
    report_on: Literal["auto", "val", "test"] = "auto"
    """Split the result is reported on; auto: test if there is one, else val."""
