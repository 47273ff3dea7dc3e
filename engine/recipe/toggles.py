"""Toggles: the named switches an ablation flips, as patches on a recipe. Torch-free.

Whether a toggle is on is computed from the recipe, never stored beside it. A preset may give a toggle a meaning of its
own (``[toggles.randaugment]`` in its file), because "add RandAugment" is another change where the paper's base already
has some of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.recipe.compose import Layer, Tree, compose, merge, validate
from engine.recipe.errors import RecipeError, nearest
from engine.recipe.schema import Recipe, flatten


@dataclass(frozen=True)
class Toggle:
    """A switch. `on` holds what turning it on sets where it was off; `off` what turning it off sets (dotted keys)."""

    id: str
    label: str
    group: str
    on: Mapping[str, Any]
    off: Mapping[str, Any]
    exact: bool = False
    """On means its own values and no others, as for rivals that share a field (augment.crop); otherwise on means
    anything but the off value."""
    told_by: tuple[str, ...] = ()
    """Fields that tell whether it is on; empty: all that it sets when on (exact) or when off."""
    besides: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """Field -> further values that do not count as on."""
    excludes: tuple[str, ...] = ()
    """Toggles that are turned off when this one is turned on."""

    def is_on(self, recipe: Recipe) -> bool | None:
        """Whether the recipe has it; None where the recipe lacks the field (Nesterov momentum with AdamW)."""
        return self._state(recipe.flat())

    def meaning(self, on: Mapping[str, Any] | None, off: Mapping[str, Any] | None) -> Toggle:
        """This toggle with other values to set. What tells its state stays, and so does its shipped off value: where a
        preset calls RandAugment at magnitude 0 "off", no RandAugment at all is not on either."""
        told_by = self.told_by or tuple(self.on if self.exact else self.off)
        besides = {key: (self.off[key], *self.besides.get(key, ())) for key in told_by if key in self.off}
        return replace(
            self,
            on=self.on if on is None else on,
            off=self.off if off is None else off,
            told_by=told_by,
            besides=self.besides if self.exact else besides,
        )

    def _state(self, flat: Mapping[str, Any]) -> bool | None:
        keys = self.told_by or tuple(self.on if self.exact else self.off)
        if any(key not in flat for key in keys):
            return None
        if self.exact:
            return all(flat[key] == self.on[key] for key in keys)
        return any(flat[key] not in (self.off[key], *self.besides.get(key, ())) for key in keys)


def _plain(id: str, label: str, group: str, key: str, on: Any, off: Any) -> Toggle:
    return Toggle(id, label, group, {key: on}, {key: off})


def _choice(id: str, label: str, group: str, key: str, on: str, off: str) -> Toggle:
    return Toggle(id, label, group, {key: on}, {key: off}, exact=True)


def _level(id: str, label: str, magnitude: int, mixup: float) -> Toggle:
    # Steiner et al. (2022), section 3.3: (layers, magnitude, Mixup alpha); two layers everywhere.
    on = {"augment.randaugment": f"tf-n2-m{magnitude}", "mix.mixup": mixup}
    return Toggle(id, f"AugReg level {label}", "augreg", on, {"augment.randaugment": "", "mix.mixup": 0.0}, exact=True)


_AUGMENT = (
    _plain("hflip", "Horizontal flip", "augment", "augment.hflip", 0.5, 0.0),
    _plain("vflip", "Vertical flip", "augment", "augment.vflip", 0.5, 0.0),
    Toggle("random-crop", "Random crop with black padding", "augment",
           {"augment.crop": "pad", "augment.pad_mode": "constant"}, {"augment.crop": "none"}, exact=True),
    Toggle("simple-random-crop", "Random crop with mirrored padding (DeiT III)", "augment",
           {"augment.crop": "pad", "augment.pad_mode": "reflect"},
           {"augment.crop": "none", "augment.pad_mode": "constant"}, exact=True),
    Toggle("random-resized-crop", "Random resized crop", "augment", {"augment.crop": "resized"},
           {"augment.crop": "none"}, exact=True),
    Toggle("larger-crop", "Resize larger, then random crop", "augment",
           {"augment.crop": "larger", "augment.resize": 256}, {"augment.crop": "none", "augment.resize": 0},
           exact=True, told_by=("augment.crop",)),
    _plain("randaugment", "RandAugment", "augment", "augment.randaugment", "rand-m9-mstd0.5-inc1", ""),
    Toggle("autoaugment", "AutoAugment", "augment", {"augment.autoaugment": "imagenet"}, {"augment.autoaugment": ""},
           besides={"augment.autoaugment": ("3a",)}),
    _choice("three-augment", "Three-augment (DeiT III)", "augment", "augment.autoaugment", "3a", ""),
    Toggle("color-jitter", "Color jitter", "augment", {"augment.color_jitter": 0.4},
           {"augment.color_jitter": 0.0, "augment.color_jitter_hue": 0.0}),
    _plain("grayscale", "Random grayscale", "augment", "augment.grayscale", 0.2, 0.0),
    _plain("equalize", "Random equalisation", "augment", "augment.equalize", 0.3, 0.0),
    _plain("sharpness", "Random sharpening", "augment", "augment.sharpness", 0.25, 0.0),
    _plain("rotation", "Random rotation", "augment", "augment.rotation", 7.0, 0.0),
    _plain("erasing", "Random erasing", "augment", "augment.erasing", 0.25, 0.0),
    _plain("repeated-augmentation", "Repeated augmentation", "augment", "augment.repeats", 3, 1),
)  # fmt: skip

_MIX = (
    _plain("mixup", "Mixup", "mix", "mix.mixup", 0.8, 0.0),
    _plain("cutmix", "CutMix", "mix", "mix.cutmix", 1.0, 0.0),
    _plain("stop-mixing", "No mixing after epoch 175", "mix", "mix.off_epoch", 175, 0),
)

_REGULARIZE = (
    _plain("label-smoothing", "Label smoothing", "regularize", "regularize.label_smoothing", 0.1, 0.0),
    _plain("drop-path", "Stochastic depth", "regularize", "regularize.drop_path", 0.1, 0.0),
    _plain("dropout", "Dropout before the classifier", "regularize", "regularize.dropout", 0.1, 0.0),
    _plain("pos-dropout", "Dropout after positions", "regularize", "regularize.pos_dropout", 0.1, 0.0),
    _plain("proj-dropout", "Dropout after projections", "regularize", "regularize.proj_dropout", 0.1, 0.0),
    _plain("mlp-dropout", "Dropout in MLPs", "regularize", "regularize.mlp_dropout", 0.1, 0.0),
    _plain("attn-dropout", "Dropout of attention", "regularize", "regularize.attn_dropout", 0.1, 0.0),
    _plain("ema", "Moving average of weights", "regularize", "regularize.ema", 0.999, 0.0),
)

_NORM = (
    _choice("bn", "BatchNorm for LayerNorm", "norm", "model.norm", "bn", "default"),
    _choice("gn", "GroupNorm for LayerNorm", "norm", "model.norm", "gn", "default"),
    _choice("rescale", "Rescale for LayerNorm (RescaleViT)", "norm", "model.norm", "rescale", "default"),
    _choice("rescale-paper", "Rescale for LayerNorm (RescaleNet)", "norm", "model.norm", "rescale-paper", "default"),
    _choice("ln-bn", "LayerNorm, and BatchNorm before MLPs", "norm", "model.norm", "ln-bn", "default"),
    _choice("bn-ln", "BatchNorm, and LayerNorm before MLPs", "norm", "model.norm", "bn-ln", "default"),
    _choice("ln-bn-series", "LayerNorm followed by BatchNorm", "norm", "model.norm", "ln-bn-series", "default"),
    _choice("ffn-bn", "BatchNorm before the activation of MLPs", "norm", "model.ffn_norm", "before-act", "none"),
    _choice("ffn-bn-after", "BatchNorm after the activation of MLPs", "norm", "model.ffn_norm", "after-act", "none"),
    _plain("weight-norm", "Weight normalisation", "norm", "model.weight_norm", True, False),
    _plain("sync-bn", "BatchNorm over all GPUs", "norm", "train.sync_bn", True, False),
)

_MODEL = (
    Toggle("pretrained", "Pretrained weights", "model", {"model.pretrained": True},
           {"model.pretrained": False, "model.weights": ""}),
    _choice("relu6", "ReLU6 for GELU", "model", "model.activation", "relu6", "default"),
    _choice("sincos-positions", "Sine-cosine positions at the start", "model", "model.init_positions", "sincos",
            "default"),
    _choice("zero-head", "Classifier starts at zero", "model", "model.head_init", "zero", "default"),
    _choice("head-only", "Train the classifier alone", "model", "train.scope", "head", "full"),
    _choice("eval-mode", "Train in evaluation mode", "model", "train.mode", "eval", "train"),
    # DeiT (Touvron et al., 2021), section 5.2: hard labels of a RegNetY-16GF.
    Toggle("distillation", "Learn from a teacher", "model",
           {"distill.kind": "hard", "distill.teacher": "regnety_160.deit_in1k"},
           {"distill.kind": "none", "distill.teacher": ""}),
)  # fmt: skip

_OPTIMISE = (
    _choice("sgd", "SGD in place of AdamW", "optimise", "optim.name", "sgd", "adamw"),
    _plain("nesterov", "Nesterov momentum", "optimise", "optim.nesterov", True, False),
    _plain("weight-decay", "Weight decay", "optimise", "optim.weight_decay", 0.05, 0.0),
    _plain("layer-decay", "Layer-wise learning rate decay", "optimise", "optim.layer_decay", 0.75, 1.0),
    _plain("clip-grad", "Gradient clipping", "optimise", "train.clip_grad", 1.0, 0.0),
    _choice("sigmoid-loss", "Sigmoid loss", "optimise", "train.loss", "sigmoid", "cross-entropy"),
    _plain("amp", "Mixed precision", "optimise", "train.precision", "auto", "fp32"),
)

_SCHEDULE = (
    Toggle("warmup", "Warm-up", "schedule", {"schedule.warmup_epochs": 1.0},
           {"schedule.warmup_epochs": 0.0, "schedule.warmup_steps": 0}),
    _choice("harmonic-warmup", "Harmonic warm-up", "schedule", "schedule.warmup_kind", "harmonic", "linear"),
    _plain("cooldown", "Cool-down", "schedule", "schedule.cooldown_epochs", 10.0, 0.0),
    Toggle("cycles", "Two cosine cycles, the second a tenth", "schedule",
           {"schedule.cycles": 2, "schedule.cycle_decay": 0.1}, {"schedule.cycles": 1, "schedule.cycle_decay": 1.0},
           told_by=("schedule.cycles",)),
    _choice("epoch-lr", "One learning rate for an epoch", "schedule", "schedule.unit", "epoch", "step"),
)  # fmt: skip

_DATA = (
    Toggle("minival", "Select on a minival split", "data", {"data.minival": 0.1},
           {"data.minival": 0.0, "evaluate.select_on": "auto"}, told_by=("data.minival",)),
    _choice("train-on-val", "Train on train and val", "data", "data.train_split", "train+val", "train"),
    _plain("select-on-v2", "Select on ImageNetV2", "data", "evaluate.select_dataset", "imagenetv2", ""),
)  # fmt: skip

_AUGREG = (
    _level("augreg-light1", "light1", 0, 0.0),
    _level("augreg-light2", "light2", 10, 0.2),
    _level("augreg-medium1", "medium1", 15, 0.2),
    _level("augreg-medium2", "medium2", 15, 0.5),
    _level("augreg-strong1", "strong1", 20, 0.5),
    _level("augreg-strong2", "strong2", 20, 0.8),
    # The same 0.1 for the three dropouts of the original block and for stochastic depth (section 3.3).
    Toggle("augreg-reg", "AugReg regularisation 0.1", "augreg",
           {"regularize.pos_dropout": 0.1, "regularize.proj_dropout": 0.1, "regularize.drop_path": 0.1},
           {"regularize.pos_dropout": 0.0, "regularize.proj_dropout": 0.0, "regularize.drop_path": 0.0}, exact=True),
    Toggle("augreg-wd", "AugReg's larger weight decay", "augreg", {"optim.weight_decay": 0.1},
           {"optim.weight_decay": 0.03}, exact=True),
)  # fmt: skip

# Asking for two of a group is refused, and turning one on turns off those that are on.
RIVALS: tuple[tuple[str, ...], ...] = (
    ("random-crop", "simple-random-crop", "random-resized-crop", "larger-crop"),
    ("randaugment", "autoaugment", "three-augment", *(t.id for t in _AUGREG if "augment.randaugment" in t.on)),
    tuple(t.id for t in _NORM if "model.norm" in t.on),
    ("ffn-bn", "ffn-bn-after"),
    ("proj-dropout", "mlp-dropout"),
)


def _with_rivals(toggle: Toggle) -> Toggle:
    groups = [group for group in RIVALS if toggle.id in group]
    return replace(toggle, excludes=tuple(i for group in groups for i in group if i != toggle.id))


TOGGLES: tuple[Toggle, ...] = tuple(
    _with_rivals(toggle)
    for group in (_AUGMENT, _MIX, _REGULARIZE, _NORM, _MODEL, _OPTIMISE, _SCHEDULE, _DATA, _AUGREG)
    for toggle in group
)

BY_ID: Mapping[str, Toggle] = {toggle.id: toggle for toggle in TOGGLES}


def parse(word: str, known: Mapping[str, Toggle] = BY_ID) -> tuple[Toggle, bool]:
    """``mixup`` or ``no-mixup`` as (toggle, wanted). Raises RecipeError with the nearest spelling."""
    wanted = not word.startswith("no-")
    toggle = known.get(word if wanted else word.removeprefix("no-"))
    if toggle is None:
        spellings = [*known, *(f"no-{i}" for i in known)]
        raise RecipeError(f"unknown toggle {word}{nearest(word, spellings) or '; `vitui toggles` lists them'}")
    return toggle, wanted


def patch(recipe: Recipe, words: Sequence[str], known: Mapping[str, Toggle] = BY_ID) -> list[Layer]:
    """The layers that flip `words` on `recipe`, one after the other. Flipping what is already so changes nothing.

    `known`: the toggles as the recipe's preset means them (`Preset.toggles`). Raises RecipeError: unknown toggle, a
    toggle both on and off, two that exclude or undo each other, or one whose field this recipe does not have.
    """
    tree = recipe.model_dump(mode="json")
    flat = flatten(tree)
    chosen: dict[str, bool] = {}
    layers: list[Layer] = []
    for word in words:
        toggle, wanted = parse(word, known)
        if chosen.get(toggle.id, wanted) != wanted:
            raise RecipeError(f"toggle {toggle.id} is asked for both on and off; keep one of the two")
        for other in toggle.excludes if wanted else ():
            if chosen.get(other):
                raise RecipeError(f"toggles {other} and {toggle.id} exclude each other; keep one of the two")
        chosen[toggle.id] = wanted
        state = toggle._state(flat)
        if state is None:
            missing = next(key for key in (*toggle.on, *toggle.off) if key not in flat)
            section = missing.split(".")[0]
            raise RecipeError(
                f"toggle {word}: this recipe has no {missing} ({section}.name = {flat[f'{section}.name']})"
            )
        if state != wanted:
            values = dict(toggle.on if wanted else toggle.off)
            for other in toggle.excludes if wanted else ():
                if known[other]._state(flat):
                    values = {**known[other].off, **values}
            layers.append(Layer(f"toggle {word}", _tree(values)))
            tree = merge(tree, layers[-1].tree)
            flat = _leaves(tree)
        # What was asked for before must still be so: an AugReg level has a Mixup of its own.
        for earlier, was in chosen.items():
            if earlier != toggle.id and known[earlier]._state(flat) != was:
                name = earlier if was else f"no-{earlier}"
                raise RecipeError(f"toggles {name} and {word} undo each other; keep one of the two")
    return layers


def _leaves(tree: Tree) -> dict[str, Any]:
    """Leaves of a recipe that later toggles may have to make valid; defaults too, where it already is."""
    try:
        return validate(tree).flat()
    except RecipeError:
        return flatten(tree)


def states(recipe: Recipe, known: Mapping[str, Toggle] = BY_ID) -> dict[str, bool | None]:
    """`Toggle.is_on` of every toggle by id; `known` as in `patch`."""
    flat = recipe.flat()
    return {id: toggle._state(flat) for id, toggle in known.items()}


def on(recipe: Recipe, known: Mapping[str, Toggle] = BY_ID) -> list[str]:
    """Ids of the toggles that are on in a recipe; `known` as in `patch`."""
    return [id for id, state in states(recipe, known).items() if state]


def _tree(values: Mapping[str, Any]) -> Tree:
    tree: Tree = {}
    for key, value in values.items():
        *sections, leaf = key.split(".")
        node = tree
        for section in sections:
            node = node.setdefault(section, {})
        node[leaf] = value
    return tree


def apply(recipe: Recipe, words: Sequence[str], known: Mapping[str, Toggle] = BY_ID) -> Recipe:
    """`recipe` with toggles flipped. Raises RecipeError as `patch`."""
    changed, _ = compose([Layer("recipe", recipe.model_dump(mode="json")), *patch(recipe, words, known)])
    return changed
