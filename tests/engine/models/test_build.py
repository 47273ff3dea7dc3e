"""What a recipe's fields do to a model, counted and compared by hand; and what cannot be done, in one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import nn

from engine.data.normalize import mean_std
from engine.models.build import Built, build
from engine.models.errors import ModelError
from engine.recipe import validate

TINY = {"embed_dim": 32, "depth": 2, "num_heads": 2, "patch_size": 4}


def tiny(tree: Mapping[str, Any] | None = None, name: str = "vit_tiny_patch16_224", **model: Any) -> Built:
    """A two-block ViT for four classes of 16 px."""
    recipe = validate({**(tree or {}), "model": {"name": name, "options": TINY, **model}})
    return build(recipe, channels=3, classes=4, img_size=16)


def on_meta(tree: Mapping[str, Any], classes: int = 200, img_size: int = 384) -> Built:
    return build(validate(tree), channels=3, classes=classes, img_size=img_size, device="meta")


# -- scope ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "trainable"),
    [
        ("vit_large_patch16_384.augreg_in21k_ft_in1k", 1024 * 200 + 200),
        ("cait_s36_384.fb_dist_in1k", 384 * 200 + 200),
        ("deit_base_distilled_patch16_384.fb_in1k", 2 * (768 * 200 + 200)),
        ("swin_large_patch4_window12_384.ms_in22k_ft_in1k", 1536 * 200 + 200),
    ],
)
def test_head_scope_trains_a_new_head_alone(name: str, trainable: int) -> None:
    built = on_meta({"model": {"name": name, "pretrained": True}, "train": {"scope": "head"}})
    trained = {n for n, p in built.model.named_parameters() if p.requires_grad}
    assert sum(p.numel() for p in built.model.parameters() if p.requires_grad) == trainable
    assert trained == set(built.random)  # what is trained is exactly what does not come from the weights
    full = on_meta({"model": {"name": name, "pretrained": True}})
    assert all(p.requires_grad for p in full.model.parameters()) and full.random == built.random


def test_pretrained_weights_of_as_many_classes_keep_their_head() -> None:
    name = "deit_base_distilled_patch16_384.fb_in1k"
    assert on_meta({"model": {"name": name, "pretrained": True}}, classes=1000).random == []


def test_trap_T18_constants_follow_the_weights() -> None:
    class Data:
        channels, mean, std = 3, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)

    half, imagenet = ((0.5,) * 3, (0.5,) * 3), ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    for name, size, expected in (
        ("vit_tiny_patch16_384.augreg_in21k_ft_in1k", 384, half),
        ("vit_base_patch32_224.orig_in21k", 224, half),
        ("deit_tiny_distilled_patch16_224.fb_in1k", 224, imagenet),
        ("cait_xxs24_224.fb_dist_in1k", 224, imagenet),
        ("swin_tiny_patch4_window7_224.ms_in1k", 224, imagenet),
    ):
        model = on_meta({"model": {"name": name, "pretrained": True}}, img_size=size).model
        assert mean_std("weights", Data(), model.pretrained_cfg) == expected, name  # type: ignore[arg-type]


# -- how weights start -----------------------------------------------------------------------------------------------


def test_rescalevit_starts_tokens_at_zero_and_mlps_by_xavier() -> None:
    wide = {"embed_dim": 96, "depth": 1, "num_heads": 2, "patch_size": 4}
    model = tiny(init="rescalevit", options=wide).model
    values = model.state_dict()
    assert not values["cls_token"].any() and not values["pos_embed"].any()
    for layer, fans in (("fc1", (96, 384)), ("fc2", (384, 96))):
        weight, bias = values[f"blocks.0.mlp.{layer}.weight"], values[f"blocks.0.mlp.{layer}.bias"]
        bound = math.sqrt(6 / sum(fans))
        assert 0.98 * bound < weight.abs().max() <= bound
        assert 0 < bias.abs().max() < 1e-5
    # torch's default of a linear layer: uniform within 1 / sqrt(inputs), weight and bias.
    for key in ("blocks.0.attn.qkv.weight", "blocks.0.attn.qkv.bias", "blocks.0.attn.proj.bias", "head.weight"):
        assert 0.9 < values[key].abs().max() * math.sqrt(96) <= 1.0001, key
    assert values["head.bias"].any() and tiny().model.state_dict()["pos_embed"].any()


def test_a_new_head_starts_at_zero_with_the_bias_asked_for() -> None:
    model = tiny(head_init="zero", head_bias=-6.9).model
    assert not model.head.weight.any() and torch.equal(model.head.bias, torch.full((4,), -6.9))
    biased = tiny(head_bias=-10.0).model
    assert biased.head.weight.any() and torch.equal(biased.head.bias, torch.full((4,), -10.0))
    both = tiny(name="deit_tiny_distilled_patch16_224", head_init="zero").model
    assert not both.head.weight.any() and not both.head_dist.weight.any()
    assert not any(p.any() for p in both.head_dist.parameters())


# -- dropouts --------------------------------------------------------------------------------------------------------


def test_each_dropout_is_where_its_field_says() -> None:
    def rates(**regularize: float) -> dict[str, float]:
        model = tiny({"regularize": regularize}).model
        found = {n: m.p for n, m in model.named_modules() if isinstance(m, nn.Dropout) and m.p}
        return found | {n: m.attn_drop.p for n, m in model.named_modules() if hasattr(m, "attn_drop") and m.attn_drop.p}

    blocks = range(2)
    mlp = {f"blocks.{i}.mlp.drop{j}" for i in blocks for j in (1, 2)}
    assert rates(pos_dropout=0.1) == {"pos_drop": 0.1}
    assert rates(dropout=0.3) == {"head_drop": 0.3}
    assert rates(mlp_dropout=0.2) == dict.fromkeys(mlp, 0.2)
    assert set(rates(proj_dropout=0.2)) == mlp | {f"blocks.{i}.attn.proj_drop" for i in blocks}
    assert set(rates(attn_dropout=0.2)) == {f"blocks.{i}.attn{end}" for i in blocks for end in ("", ".attn_drop")}


def test_mlp_dropout_stays_when_norms_and_activations_are_exchanged() -> None:
    tree = {"regularize": {"mlp_dropout": 0.2}}
    model = tiny(tree, norm="rescale", activation="relu6", ffn_norm="before-act").model
    assert [model.blocks[i].mlp.drop1.p for i in (0, 1)] == [0.2, 0.2]


def test_sync_bn_converts_token_batchnorms_and_keeps_what_they_compute() -> None:
    model = tiny({"train": {"sync_bn": True}}, norm="bn").model
    kinds = [type(m).__name__ for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    assert kinds == ["SyncBatchNorm"] * 5
    plain = tiny(norm="bn").model
    images = torch.randn(3, 3, 16, 16)
    torch.testing.assert_close(model.train()(images), plain.train()(images))
    torch.testing.assert_close(dict(model.named_buffers()), dict(plain.named_buffers()))


# -- T1 --------------------------------------------------------------------------------------------------------------


def test_trap_T01_both_heads_are_made_anew_trained_and_averaged() -> None:
    tree = {"train": {"scope": "head"}, "distill": {"kind": "hard", "teacher": "resnet18.a1_in1k"}}
    model = tiny(tree, name="deit_tiny_distilled_patch16_224").model
    heads = {"head.weight", "head.bias", "head_dist.weight", "head_dist.bias"}
    assert {n for n, p in model.named_parameters() if p.requires_grad} == heads
    model.train().set_distilled_training(True)
    images = torch.randn(2, 3, 16, 16)
    sum(out.square().sum() for out in model(images)).backward()
    assert all(p.grad is not None and p.grad.any() for n, p in model.named_parameters() if n in heads)
    assert not any(p.grad is not None for n, p in model.named_parameters() if n not in heads)
    model.eval()
    with torch.no_grad():
        tokens = model.forward_features(images)
        by_hand = (
            tokens[:, 0] @ model.head.weight.T + model.head.bias + tokens[:, 1] @ model.head_dist.weight.T
            + model.head_dist.bias
        ) / 2  # fmt: skip
        torch.testing.assert_close(model(images), by_hand)


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (
            {"model": {"name": "swin_tiny_patch4_window7_224"}, "regularize": {"pos_dropout": 0.1}},
            'regularize.pos_dropout = 0.1: "swin_tiny_patch4_window7_224" has no such dropout',
        ),
        ({"model": {"name": "resnet10t"}, "regularize": {"attn_dropout": 0.1}}, "regularize.attn_dropout = 0.1"),
        ({"model": {"name": "resnet10t"}, "regularize": {"mlp_dropout": 0.1}}, "regularize.mlp_dropout = 0.1"),
        ({"model": {"name": "resnet10t", "init": "rescalevit"}}, 'model.init = "rescalevit" is for plain ViTs'),
        ({"model": {"name": "resnet10t", "norm": "bn"}}, "model.norm"),
        (
            {"model": {"name": "vit_tiny_patch16_224.augreg_in21k_ft_in1k", "pretrained": True, "norm": "bn"}},
            'model.norm = "bn" would throw away the trained LayerNorms',
        ),
        (
            {"model": {"name": "vit_tiny_patch16_224.augreg_in21k_ft_in1k", "pretrained": True, "head_init": "zero"}},
            "model.head_init = zero is for a new classifier, but the pretrained weights bring one of the same 1000",
        ),
        (
            {
                "model": {"name": "vit_tiny_patch16_224"},
                "distill": {"kind": "soft", "teacher": "regnety_160.deit_in1k"},
            },
            'distill.kind = "soft": "vit_tiny_patch16_224" has no distillation token or head; models that have one: deit_',
        ),
        (
            {"model": {"name": "resnet10t", "options": {"embed_dim": 64}}},
            'model.options.embed_dim = 64: "resnet10t" has no argument embed_dim; model.options={} leaves all',
        ),
        (
            {"model": {"name": "vit_tiny_patch16_224", "options": {"patch_size": 0}}},
            'timm cannot build "vit_tiny_patch16_224" with img_size=224, patch_size=0: ',
        ),
        ({"model": {"name": "local-dir:/x/model"}}, "is not a timm model; to start from a run, name its model and"),
        ({"model": {"name": "vit_nope", "pretrained": True}}, 'model.name = "vit_nope" is not a timm model'),
        (
            {"model": {"name": "vit_tiny_patch16_224", "options": {"patch_size": 9}}},
            "data.img_size = 224 is no multiple of the patch size 9",
        ),
        ({"model": {"name": "vit_base_patch32_plus_256", "pretrained": True}}, "timm has no weights"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_with_the_field(tree: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        on_meta(tree, classes=1000, img_size=224)
    assert message in str(caught.value) and "\n" not in str(caught.value)
