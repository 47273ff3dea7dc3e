"""Surgery: the norms against formulas with other operations, where they go, and what they add to the parameters."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn

from engine.models.errors import ModelError
from engine.models.norms import TokenBatchNorm, TokenGroupNorm, modify
from engine.optim import build_optimizer
from engine.recipe import validate
from engine.recipe.schema import Model
from tests.engine.models.variants import FAMILIES, RESCALE, VARIANTS, changed, images

DEIT_L: dict[str, Any] = {"name": "vit_large_patch16_224", "depth": 12}
BN_WN = {"norm": "bn", "weight_norm": True}
FFN = {"norm": "bn", "ffn_norm": "before-act"}

# Millions of parameters at 1,000 classes; those of the notebook's table follow from exactly these constructions.
COUNTS: list[tuple[str, dict[str, Any], dict[str, Any], float]] = [
    ("deit_tiny_patch16_224", {}, {}, 5.717),
    ("deit_small_patch16_224", {}, {}, 22.051),
    ("deit_base_patch16_224", {}, {}, 86.568),
    ("vit_large_patch16_224", {"depth": 12}, {}, 153.172),
    ("swin_tiny_patch4_window7_224", {}, {}, 28.288),
    ("swin_small_patch4_window7_224", {}, {}, 49.606),
    ("deit_base_patch16_224", {}, {"norm": "bn", "activation": "relu6"}, 86.568),
    ("vit_large_patch16_224", {"depth": 12}, {"norm": "bn", "activation": "relu6"}, 153.172),
    ("swin_small_patch4_window7_224", {}, {"norm": "bn", "activation": "relu6"}, 49.606),
    ("deit_base_patch16_224", {}, BN_WN, 86.651),
    ("vit_large_patch16_224", {"depth": 12}, BN_WN, 153.283),
    ("swin_small_patch4_window7_224", {}, BN_WN, 49.687),
    ("deit_tiny_patch16_224", {}, BN_WN, 5.738),
    ("deit_base_patch16_224", {}, FFN, 86.641),
    ("vit_large_patch16_224", {"depth": 12}, FFN, 153.270),
    ("swin_small_patch4_window7_224", {}, FFN, 49.678),
    ("deit_base_patch16_224", {}, {**FFN, "weight_norm": True}, 86.724),
    ("vit_large_patch16_224", {"depth": 12}, {**FFN, "weight_norm": True}, 153.381),
    ("swin_small_patch4_window7_224", {}, {**FFN, "weight_norm": True}, 49.760),
    ("deit_tiny_patch16_224", {}, {**FFN, "weight_norm": True}, 5.757),
    ("deit_tiny_patch16_224", {}, {"norm": "ln-bn", "weight_norm": True}, 5.738),
    ("deit_tiny_patch16_224", {}, {"norm": "ln-bn-series", "weight_norm": True}, 5.748),
    ("deit_base_patch16_224", {}, {"norm": "ln-bn-series"}, 86.606),
    ("deit_base_patch16_224", {}, {"norm": "ln-bn-series", "ffn_norm": "after-act"}, 86.680),
    ("deit_base_patch16_224", {}, {"norm": "gn"}, 86.568),
]


def test_parameter_counts_are_those_of_the_study() -> None:
    for name, options, change, millions in COUNTS:
        with torch.device("meta"):
            model = timm.create_model(name, **options)
            modify(model, Model(name=name, norm_eps=1e-5, **change), name=name)
        assert all(t.is_meta for t in model.state_dict().values()), (name, change)
        counted = sum(p.numel() for p in model.parameters())
        assert round(counted / 1e6, 3) == millions, (name, change, counted)


@pytest.mark.parametrize("shape", [(3, 10, 8), (3, 4, 5, 8)])
def test_token_batch_norm_is_batch_norm_over_images_and_tokens(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    layer = TokenBatchNorm(8, eps=1e-5, momentum=0.1)
    nn.init.uniform_(layer.bn.weight)
    nn.init.uniform_(layer.bn.bias)
    x = torch.randn(shape) * 3 + 1
    rows = [x[..., c].flatten() for c in range(8)]
    mean = torch.stack([row.sum() / len(row) for row in rows])
    variance = torch.stack([((row - m) ** 2).sum() / len(row) for row, m in zip(rows, mean, strict=True)])
    expected = (x - mean) / (variance + 1e-5).sqrt() * layer.bn.weight + layer.bn.bias
    assert torch.allclose(layer(x), expected, atol=1e-5)
    count = x.numel() // 8
    assert torch.allclose(layer.bn.running_mean, 0.1 * mean, atol=1e-6)
    assert torch.allclose(layer.bn.running_var, 0.9 + 0.1 * variance * count / (count - 1), atol=1e-5)
    layer.eval()
    fixed = (x - layer.bn.running_mean) / (layer.bn.running_var + 1e-5).sqrt() * layer.bn.weight + layer.bn.bias
    assert torch.allclose(layer(x), fixed, atol=1e-5)
    assert torch.allclose(layer(x[:1]), fixed[:1], atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 10, 8), (3, 4, 5, 8)])
def test_token_group_norm_is_by_image_over_tokens_and_two_of_eight_channels(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    layer = TokenGroupNorm(4, 8, eps=1e-6)
    nn.init.uniform_(layer.weight)
    nn.init.uniform_(layer.bias)
    x = torch.randn(shape) * 3 + 1
    expected = torch.empty_like(x)
    for image in range(3):
        for group in range(4):
            part = x[image, ..., 2 * group : 2 * group + 2]
            normed = (part - part.mean()) / (part.var(correction=0) + 1e-6).sqrt()
            expected[image, ..., 2 * group : 2 * group + 2] = normed
    assert torch.allclose(layer(x), expected * layer.weight + layer.bias, atol=1e-5)
    published = nn.functional.group_norm(x.flatten(1, -2).permute(0, 2, 1), 4, layer.weight, layer.bias, 1e-6)
    assert torch.allclose(layer(x).flatten(1, -2), published.permute(0, 2, 1), atol=1e-6)


def layer_norm(x: Tensor, eps: float) -> Tensor:
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + eps).sqrt()


def batch_norm(x: Tensor, eps: float) -> Tensor:
    rows = x.reshape(-1, x.shape[-1])
    return (x - rows.mean(0)) / (rows.var(0, correction=0) + eps).sqrt()


def group_norm(x: Tensor, eps: float) -> Tensor:
    grouped = x.reshape(x.shape[0], -1, 4, x.shape[-1] // 4)
    centred = grouped - grouped.mean((1, 3), keepdim=True)
    return (centred / (grouped.var((1, 3), correction=0, keepdim=True) + eps).sqrt()).reshape(x.shape)


VIT_NORMS = ["blocks.0.norm1", "blocks.0.norm2", "blocks.1.norm1", "blocks.1.norm2", "norm"]
SWIN_NORMS = [
    "patch_embed.norm", "layers.0.blocks.0.norm1", "layers.0.blocks.0.norm2", "layers.1.downsample.norm",
    "layers.1.blocks.0.norm1", "layers.1.blocks.0.norm2", "layers.1.blocks.1.norm1", "layers.1.blocks.1.norm2", "norm",
]  # fmt: skip
CAIT_NORMS = [
    f"{part}.{i}.{norm}" for part in ("blocks", "blocks_token_only") for i in range(2) for norm in ("norm1", "norm2")
]
PLACES = {
    "vit": VIT_NORMS, "vit-mean": [*VIT_NORMS[:-1], "fc_norm"], "deit-distilled": VIT_NORMS, "swin": SWIN_NORMS,
    "cait": [*CAIT_NORMS, "norm"], "cct": VIT_NORMS,
}  # fmt: skip


@pytest.mark.parametrize("norm", ["bn", "gn", "ln-bn", "bn-ln", "ln-bn-series"])
@pytest.mark.parametrize("family", PLACES)
def test_every_norm_computes_what_its_place_asks(family: str, norm: str) -> None:
    """Each LayerNorm's place is watched in a real forward pass; all others of the model stay what they are."""
    model = changed(family, {"norm": norm})
    model.requires_grad_(False).train()
    plain = timm.create_model(FAMILIES[family][0], **FAMILIES[family][1])
    eps = {name: m.eps for name, m in plain.named_modules() if isinstance(m, nn.LayerNorm)}
    assert set(eps) == set(PLACES[family])
    seen: dict[str, tuple[Tensor, Tensor]] = {}
    for place in PLACES[family]:
        model.get_submodule(place).register_forward_hook(
            lambda _, args, out, place=place: seen.__setitem__(place, (args[0], out))
        )
    model(images(family))
    assert set(seen) == set(PLACES[family])
    for place, (x, out) in seen.items():
        kind = {"ln-bn": "bn" if place.endswith("norm2") else "ln", "bn-ln": "bn" if place.endswith("norm1") else "ln"}
        match kind.get(norm, norm):
            case "ln":
                expected = layer_norm(x, eps[place])
            case "bn":
                expected = batch_norm(x, 1e-5)
            case "gn":
                expected = group_norm(x, 1e-6)
            case _:
                expected = batch_norm(layer_norm(x, eps[place]), 1e-5)
        assert torch.allclose(out, expected, atol=2e-4), place


@pytest.mark.parametrize("order", ["before-act", "after-act"])
def test_ffn_norm_and_relu6_sit_where_they_should(order: str) -> None:
    model = changed("vit", {"ffn_norm": order, "activation": "relu6"}).train()
    mlp = model.blocks[1].mlp
    nn.init.normal_(mlp.fc1.weight)
    x = 5 * torch.randn(3, 7, 32)
    hidden = x @ mlp.fc1.weight.T + mlp.fc1.bias
    assert hidden.abs().max() > 6
    if order == "before-act":
        hidden = batch_norm(hidden, 1e-5).clamp(0, 6)
    else:
        hidden = batch_norm(hidden.clamp(0, 6), 1e-5)
    assert torch.allclose(mlp(x), hidden @ mlp.fc2.weight.T + mlp.fc2.bias, atol=1e-4)


def test_weight_norm_starts_from_the_weights_and_covers_four_linears_of_each_block() -> None:
    for family, expected in (("vit", 8), ("swin", 12), ("cct", 8), ("cait", 8 + 2 * 6)):
        torch.manual_seed(0)
        plain = timm.create_model(FAMILIES[family][0], **FAMILIES[family][1]).eval()
        model = changed(family, {"weight_norm": True}).eval()
        gains = {k: v for k, v in model.state_dict().items() if k.endswith("parametrizations.weight.original0")}
        assert len(gains) == expected and all(v.shape[1:] == (1,) for v in gains.values())
        with torch.no_grad():
            assert torch.allclose(model(images(family)), plain(images(family)), atol=1e-5)
    linear = model.blocks[0].attn.proj
    gain, direction = linear.parametrizations.weight.original0, linear.parametrizations.weight.original1
    with torch.no_grad():
        gain.mul_(2)
        direction.mul_(3)
    rows = torch.stack([g * v / v.square().sum().sqrt() for g, v in zip(gain, direction, strict=True)])
    assert torch.allclose(linear.weight, rows, atol=1e-6)


def test_trap_T19_gains_of_weight_norm_are_not_decayed() -> None:
    model = changed("vit", {"weight_norm": True, "norm": "bn"})
    recipe = validate({"optim": {"name": "adamw", "weight_decay": 0.3}})
    decayed = {
        id(p) for group in build_optimizer(model, recipe).param_groups if group["weight_decay"] for p in group["params"]
    }
    names = {name for name, p in model.named_parameters() if id(p) in decayed}
    kinds = {name.rsplit(".", 1)[-1] for name in names}
    assert kinds == {"weight", "original1"} and len([n for n in names if n.endswith("original1")]) == 8
    assert not any(".bn." in name for name in names)


def test_batch_norms_are_found_by_the_conversion_to_sync_bn() -> None:
    model = changed("swin", {"norm": "bn", "ffn_norm": "after-act"})
    expected = model.eval()(images("swin"))
    sync = nn.SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(model))
    assert len([m for m in sync.modules() if isinstance(m, nn.SyncBatchNorm)]) == len(SWIN_NORMS) + 3
    assert torch.allclose(sync.eval()(images("swin")), expected, atol=1e-6)


def test_eps_and_momentum_are_the_recipes() -> None:
    model = timm.create_model("vit_tiny_patch16_224", **FAMILIES["vit"][1])
    modify(model, Model(norm="ln-bn", norm_eps=1e-6, norm_momentum=0.03), name="vit")
    block = model.blocks[0]
    assert (block.norm2.bn.eps, block.norm2.bn.momentum) == (1e-6, 0.03) and block.norm1.eps == 1e-6
    with pytest.raises(ValueError, match="resolve"):
        modify(model, Model(norm="bn"), name="vit")


@pytest.mark.parametrize(
    ("name", "options", "change", "message"),
    [
        ("resnet10t", {}, {"norm": "bn"}, 'model.norm = "bn" needs a ViT.*"resnet10t" is none'),
        ("resnet10t", {}, {"weight_norm": True}, "model.weight_norm = true needs a ViT"),
        ("resnet10t", {}, {"activation": "relu6"}, 'model.activation = "relu6" needs a ViT'),
        ("vit_tiny_patch16_224", {"act_layer": "silu"}, {"activation": "relu6"}, "place of GELU; the MLPs.*SiLU"),
        ("vit_tiny_patch16_224", {"norm_layer": "rmsnorm"}, {"norm": "bn"}, "place of LayerNorms, but.*RmsNorm"),
        ("vit_tiny_patch16_224", {"norm_layer": "rmsnorm"}, {"norm": "ln-bn"}, "place of LayerNorms"),
        ("vit_tiny_patch16_224", {"embed_dim": 18, "num_heads": 3}, {"norm": "gn"}, "18 channels.*no multiple of 4"),
        ("vit_tiny_patch16_224", {"scale_mlp_norm": True}, {"ffn_norm": "after-act"}, "a norm there already"),
        ("vit_giant_patch14_dinov2", {"patch_size": 8}, {"activation": "relu6"}, "those of.*are (SwiGLU|GluMlp)"),
        ("swin_tiny_patch4_window7_224", None, {"norm": "rescale"}, "for plain ViT and DeiT models of timm, not for"),
        ("cct_7_3x1_32", None, {"norm": "rescale-paper"}, '"rescale-paper" is for plain ViT'),
    ],
)
def test_what_cannot_be_exchanged_is_one_sentence(
    name: str, options: dict[str, Any] | None, change: dict[str, Any], message: str
) -> None:
    small = {**FAMILIES["vit"][1], **options} if options else {}
    with torch.device("meta"):
        model = timm.create_model(name, **small)
        with pytest.raises(ModelError, match=message):
            modify(model, Model(name=name, norm_eps=1e-5, **change), name=name)


CASES = [(f, v) for f in FAMILIES for v in ("plain", *VARIANTS)]
CASES += [(f, v) for f in ("vit", "vit-mean", "deit-distilled") for v in RESCALE]


def test_every_family_and_variant_takes_an_optimiser_step() -> None:
    """Forward, backward and step: all finite, every parameter has a gradient, and states load back to the same outputs."""
    for family, variant in CASES:
        change = {**VARIANTS, **RESCALE, "plain": {}}[variant]
        model = changed(family, change, drop_path_rate=0.1).train()
        x = images(family)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        loss = nn.functional.cross_entropy(model(x), torch.tensor([0, 1, 2, 3]))
        loss.backward()
        assert loss.isfinite(), (family, variant)
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None and parameter.grad.isfinite().all(), (family, variant, name)
        optimizer.step()
        twin = changed(family, change, seed=1)
        twin.load_state_dict(copy.deepcopy(model).state_dict())
        with torch.no_grad():
            assert torch.equal(twin.eval()(x), model.eval()(x)), (family, variant)
