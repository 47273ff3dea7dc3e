"""Optimisers and learning-rate schedules: tagged unions, each variant with defaults of its own."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from engine.recipe.fields.base import Section


class Optimizer(Section):
    """What every optimiser has."""

    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Each block's learning rate times this for every block above it (timm's --layer-decay); 1: the same for all."""


class AdamW(Optimizer):
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


class SGD(Optimizer):
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


class Curve(Section):
    """What every schedule has: a warm-up, its own curve, a cool-down."""

    warmup_epochs: Annotated[float, Field(ge=0)] = Field(0.0, json_schema_extra={"unit": "epochs"})
    """Length of the warm-up, counted inside the run's length."""
    warmup_steps: Annotated[int, Field(ge=0)] = Field(0, json_schema_extra={"unit": "steps"})
    """Length of the warm-up in optimiser steps; 0: warmup_epochs decides."""
    warmup_lr: Annotated[float, Field(ge=0)] = 1e-6
    """Learning rate of the first step of a linear warm-up."""
    warmup_kind: Literal["linear", "harmonic"] = "linear"
    """linear: from warmup_lr to optim.lr; harmonic: optim.lr / (W - t), as the Compact Transformers' own script."""
    warmup_prefix: bool = True
    """True: the curve starts at its peak after the warm-up; false: it runs from step 0 beneath it (timm's default)."""
    cooldown_epochs: Annotated[float, Field(ge=0)] = Field(0.0, json_schema_extra={"unit": "epochs"})
    """Epochs at the end, counted inside train.epochs, that stay at the learning rate the curve ends at."""
    unit: Literal["step", "epoch"] = "step"
    """A new learning rate for every optimiser step, or one held for each epoch as timm's and DeiT's scripts do."""

    @model_validator(mode="after")
    def _one_warmup(self) -> Curve:
        if self.warmup_epochs and self.warmup_steps:
            raise ValueError("schedule.warmup_epochs and schedule.warmup_steps both set a warm-up; keep one of them")
        return self


class Cosine(Curve):
    """Half cosines from optim.lr to min_lr (Loshchilov and Hutter, 2017; timm's cycles with decay)."""

    name: Literal["cosine"] = "cosine"
    """Schedule."""
    min_lr: Annotated[float, Field(ge=0)] = 0.0
    """Learning rate each cycle ends at."""
    cycles: Annotated[int, Field(ge=1, le=100)] = 1
    """Number of cosine cycles."""
    cycle_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Peak of each cycle as a part of the one before."""
    cycle_mul: Annotated[float, Field(ge=1, le=10)] = 1.0
    """Length of each cycle as a multiple of the one before."""


class WarmRestarts(Curve):
    """Cosine annealing with warm restarts, as torch's CosineAnnealingWarmRestarts."""

    name: Literal["warm-restarts"] = "warm-restarts"
    """Schedule."""
    min_lr: Annotated[float, Field(ge=0)] = 0.0
    """Learning rate each cycle ends at."""
    first_cycle_epochs: Annotated[float, Field(gt=0)] = Field(10.0, json_schema_extra={"unit": "epochs"})
    """Length of the first cycle (T_0)."""
    cycle_mul: Annotated[int, Field(ge=1, le=10)] = 1
    """Length of each cycle as a multiple of the one before (T_mult)."""


class Lec(Curve):
    """Maevit's cosine with lengthening periods between two falling bounds (LECosineAnnealing)."""

    name: Literal["lec"] = "lec"
    """Schedule."""
    end_lr: Annotated[float, Field(gt=0)] = 5e-5
    """Upper bound at the end; at the start it is optim.lr."""
    low_lr: Annotated[float, Field(gt=0)] = 1e-4
    """Lower bound at the start."""
    low_end_lr: Annotated[float, Field(gt=0)] = 5e-7
    """Lower bound at the end, where the curve ends; it falls exponentially."""
    folds: Annotated[int, Field(ge=1, le=1000)] = 7
    """How many times the curve comes down: ceil(0.625 folds - 0.25) peaks follow the first."""
    bound: Literal["exponential", "linear"] = "exponential"
    """How the upper bound falls."""


class MultiStep(Curve):
    """optim.lr times gamma at each milestone."""

    name: Literal["multistep"] = "multistep"
    """Schedule."""
    milestones: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (30.0, 60.0, 90.0), json_schema_extra={"unit": "epochs"}
    )
    """Epochs at which the learning rate drops."""
    gamma: Annotated[float, Field(gt=0, le=1)] = 0.1
    """What it is multiplied by."""

    @model_validator(mode="after")
    def _ascending(self) -> MultiStep:
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"schedule.milestones = {list(self.milestones)} must be ascending, each once")
        return self


class HandCosine(Curve):
    """Maevit's hand-made wave: a cosine of growing period between a linear and an exponential bound, by step."""

    name: Literal["hand-cosine"] = "hand-cosine"
    """Schedule."""
    slope: Annotated[float, Field(ge=0)] = Field(2.5575e-8, json_schema_extra={"unit": "a step"})
    """What the upper bound loses with every step; it starts at optim.lr and never falls below zero."""
    low_lr: Annotated[float, Field(gt=0)] = 2.5e-4
    """Lower bound at the start."""
    low_decay: Annotated[float, Field(gt=0, le=1)] = 0.99965
    """What the lower bound is multiplied by with every step."""
    period: Annotated[float, Field(gt=0)] = Field(100.0, json_schema_extra={"unit": "steps a radian"})
    """Steps a radian of the cosine takes at the start."""
    stretch: Annotated[float, Field(ge=0)] = 0.0104167
    """What that grows by with every step."""


class Constant(Curve):
    """optim.lr all the way after the warm-up."""

    name: Literal["constant"] = "constant"
    """Schedule."""


Schedule = Annotated[Cosine | WarmRestarts | Lec | MultiStep | HandCosine | Constant, Field(discriminator="name")]
