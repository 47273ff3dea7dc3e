"""What is trained, and the teacher it may learn from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from engine.recipe.fields.base import Auto, OptionValue, Section

# Arguments of timm's constructors that fields of their own, or the data, decide.
_DECIDED_BY = {
    "img_size": "data.img_size",
    "in_chans": "data.dataset",
    "num_classes": "data.dataset",
    "pretrained": "model.pretrained",
    "checkpoint_path": "model.weights",
}


class Model(Section):
    """What is trained."""

    name: str = Field("vit_tiny_patch16_224", min_length=1, max_length=200)
    """Model name in timm's registry, with its pretrained tag after a dot if one is meant."""
    pretrained: bool = False
    """Start from pretrained weights instead of random ones."""
    weights: str = ""
    """File with pretrained weights (.safetensors, .pth or Google's .npz); empty: timm's hub, if pretrained is on."""
    init: Literal["default", "rescalevit"] = "default"
    """Random weights as timm draws them, or as RescaleViT's code does (zero tokens and positions, Xavier MLPs)."""
    init_positions: Literal["default", "sincos"] = "default"
    """How learned position embeddings start: as timm does, or at 2-D sine-cosine values (helps tiny models)."""
    head_init: Literal["default", "zero"] = "default"
    """Weights of a newly made classifier: as the model draws them, or zero."""
    head_bias: float = 0.0
    """Bias a newly made classifier starts with (-6.9 makes 1,000 sigmoid outputs start near 1/1000)."""
    norm: Literal["default", "bn", "gn", "rescale", "rescale-paper", "ln-bn", "bn-ln", "ln-bn-series"] = "default"
    """Normalisation in place of LayerNorm: token BatchNorm, 4-group GroupNorm, Rescale as coded in RescaleViT or as in
    RescaleNet's paper, LN before attention and BN before the MLP, the reverse, or LN followed by BN everywhere."""
    norm_eps: Annotated[float, Field(gt=0)] | Auto = Field("auto", json_schema_extra={"advanced": True})
    """Epsilon of the replacing norms; auto: 1e-5 for BatchNorm, 1e-6 for the others."""
    norm_momentum: Annotated[float, Field(gt=0, le=1)] = Field(0.1, json_schema_extra={"advanced": True})
    """Share of the newest batch in BatchNorm's running statistics."""
    ffn_norm: Literal["none", "before-act", "after-act"] = "none"
    """BatchNorm on the hidden features of every MLP, before or after its activation."""
    weight_norm: bool = False
    """Weight normalisation (Salimans and Kingma, 2016) of qkv, proj, fc1 and fc2 in every block."""
    activation: Literal["default", "relu6"] = "default"
    """Activation of every MLP: the model's own (GELU), or ReLU6 in its place."""
    options: dict[str, OptionValue] = Field(default_factory=dict)
    """Further keyword arguments of timm's constructor (embed_dim, depth, num_heads, patch_size, ...)."""

    @model_validator(mode="after")
    def _weights_need_pretrained(self) -> Model:
        if self.weights and not self.pretrained:
            raise ValueError("model.weights names a file but model.pretrained is false; set model.pretrained=true")
        return self

    @model_validator(mode="after")
    def _options_leave_other_fields_alone(self) -> Model:
        for key in self.options:
            if key in _DECIDED_BY:
                raise ValueError(f"model.options.{key} is decided by {_DECIDED_BY[key]}; leave it out of model.options")
        return self

    @property
    def modified(self) -> bool:
        """Whether modules are exchanged after timm has built the model."""
        return self.norm != "default" or self.ffn_norm != "none" or self.weight_norm or self.activation != "default"


class Distill(Section):
    """Learning from a teacher through a distillation token (DeiT, Touvron et al., 2021)."""

    kind: Literal["none", "hard", "soft"] = "none"
    """hard: the teacher's top class is a label; soft: its whole distribution at a temperature."""
    teacher: str = ""
    """The teacher: a timm name with its pretrained tag, or `local-dir:PATH` of a run's model/ folder."""
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Weight of the teacher's part of the loss; 1 - alpha is left to the labels. Neither may be 0: its head would learn
    nothing, and evaluation averages both."""
    tau: Annotated[float, Field(gt=0)] = 1.0
    """Temperature for kind = "soft"."""

    @model_validator(mode="after")
    def _teacher_goes_with_kind(self) -> Distill:
        if (self.kind == "none") != (not self.teacher):
            raise ValueError('distill.kind = "hard" or "soft" and distill.teacher go together; set both, or neither')
        return self
