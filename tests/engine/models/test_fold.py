"""Folding changes outputs by less than 1e-5, takes away what it can, and leaves what it must."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import timm
import torch
from torch import nn
from torch.nn.utils import parametrize

from engine.models.fold import fold
from engine.models.norms import TokenBatchNorm
from engine.models.rescale import BiasLayer
from tests.engine.models.variants import FAMILIES, RESCALE, VARIANTS, changed, images, scramble

FOLDING = {k: v for k, v in VARIANTS.items() if k not in ("gn", "relu6")}
CASES = [(family, variant) for family in FAMILIES for variant in FOLDING]
CASES += [(family, variant) for family in ("vit", "vit-mean", "deit-distilled") for variant in RESCALE]


def left(model: nn.Module) -> list[str]:
    return [name for name, m in model.named_modules() if isinstance(m, TokenBatchNorm | BiasLayer)]


def kept(family: str, variant: str) -> set[str]:
    """Where a BatchNorm has to stay: on the residual stream of compact blocks, before padded windows."""
    if "norm" not in VARIANTS.get(variant, {}) or variant == "gn":
        return set()
    if family in ("vit_lite", "cvt", "cct") and variant != "bn-ln":
        suffix = ".bn" if variant == "ln-bn-series" else ""
        return {f"blocks.{i}.norm2{suffix}" for i in range(2)}
    if family == "swin-padded" and variant != "ln-bn":
        suffix = ".bn" if variant == "ln-bn-series" else ""
        padded = {f"layers.{stage}.blocks.{i}.norm1{suffix}" for stage, i in ((0, 0), (1, 0), (1, 1))}
        return padded | ({"patch_embed.norm.bn"} if suffix else set())
    return {"patch_embed.norm.bn"} if family == "swin" and variant == "ln-bn-series" else set()


@pytest.mark.parametrize("family", FAMILIES)
def test_outputs_stay_and_norms_go(family: str) -> None:
    for variant in (v for f, v in CASES if f == family):
        model = changed(family, {**VARIANTS, **RESCALE}[variant])
        scramble(model)
        before = copy.deepcopy(model.state_dict())
        folded = fold(model.train())
        assert not folded.training and model.training
        assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items()), variant
        model.eval()
        x = images(family)
        with torch.no_grad():
            expected = model(x)
            assert expected.std() > 1e-3, variant
            assert (folded(x) - expected).abs().max() < 1e-5, variant
        assert set(left(folded)) == kept(family, variant), variant
        assert not any(parametrize.is_parametrized(m) for m in folded.modules()), variant


def test_a_linear_after_a_norm_by_hand() -> None:
    """W' = W diag(g / s), b' = b + W (beta - g mu / s) on a 2x2 layer with round numbers."""
    model = changed("vit", {"norm": "bn", "norm_eps": 0.75})
    norm, head = model.norm.bn, model.head
    with torch.no_grad():
        norm.running_mean.fill_(3.0)
        norm.running_var.fill_(3.25)  # s = sqrt(3.25 + 0.75) = 2
        norm.weight.fill_(4.0)  # scale 2
        norm.bias.fill_(7.0)  # shift 7 - 2 * 3 = 1
        head.weight.fill_(0.5)
        head.bias.fill_(0.25)
    folded: Any = fold(model)
    assert torch.allclose(folded.head.weight, torch.ones(5, 32))
    assert torch.allclose(folded.head.bias, torch.full((5,), 0.25 + 0.5 * 32))
    assert isinstance(folded.norm, nn.Identity)


def test_a_maximum_over_tokens_keeps_the_norm_before_it() -> None:
    model = changed("vit", {"norm": "bn"}, global_pool="max", fc_norm=False)
    scramble(model)
    folded = fold(model.eval())
    assert left(folded) == ["norm"]
    with torch.no_grad():
        assert (folded(images("vit")) - model(images("vit"))).abs().max() < 1e-5


def test_models_without_anything_to_fold_come_back_equal() -> None:
    for model, side in ((timm.create_model("resnet10t", num_classes=3).eval(), 64), (changed("vit", {}).eval(), 32)):
        x = torch.randn(1, 3, side, side)
        with torch.no_grad():
            assert torch.equal(fold(model)(x), model(x))


def test_a_folded_vit_is_a_plain_vit_without_norms() -> None:
    model = changed("vit", {"norm": "bn", "weight_norm": True, "ffn_norm": "before-act"})
    scramble(model)
    plain = timm.create_model(FAMILIES["vit"][0], **FAMILIES["vit"][1], norm_layer=nn.Identity)
    plain.load_state_dict(fold(model).state_dict())
    with torch.no_grad():
        assert torch.allclose(plain.eval()(images("vit")), model.eval()(images("vit")), atol=1e-5)
