"""Rescale in both readings, by explicit formulas, and the calibration of its bias layers."""

from __future__ import annotations

import copy
import io
import math
from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn

from engine.inspect.describe import describe
from engine.models.norms import modify
from engine.models.rescale import BiasLayer
from engine.recipe.schema import Model
from tests.engine.models.variants import FAMILIES, changed, images, scramble

# sqrt(i / (i + 1)) for i = 1..12, as printed in the study's notes.
ALPHA_12 = [0.7071, 0.8165, 0.8660, 0.8944, 0.9129, 0.9258, 0.9354, 0.9428, 0.9487, 0.9535, 0.9574, 0.9608]


def calibrated(layer: BiasLayer, mean: Tensor) -> None:
    layer.mean.copy_(mean)
    layer.count.fill_(8)


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("vit_base_patch16_224", 85.786), ("vit_base_patch32_224", 87.443),
        ("vit_large_patch16_224", 303.261), ("vit_large_patch32_224", 305.469),
    ],
)  # fmt: skip
def test_parameters_are_those_the_authors_log(name: str, millions: float) -> None:
    with torch.device("meta"):
        model = timm.create_model(name, num_classes=10)
        modify(model, Model(name=name, norm="rescale", norm_eps=1e-6), name=name)
    assert round(sum(p.numel() for p in model.parameters()) / 1e6, 3) == millions


def test_factors_of_twelve_blocks() -> None:
    model = changed("vit", {"norm": "rescale"}, depth=12, embed_dim=8)
    assert [round(b.residual2.keep, 4) for b in model.blocks] == ALPHA_12
    assert math.prod(b.residual2.keep for b in model.blocks) == pytest.approx(1 / math.sqrt(13))
    assert all(b.residual2.weight == pytest.approx(0.2887, abs=1e-4) and b.residual1 is None for b in model.blocks)
    assert isinstance(model.norm, nn.Identity) and isinstance(model.fc_norm, nn.Identity)

    paper = changed("vit", {"norm": "rescale-paper"}, depth=12, embed_dim=8)
    residuals = [r for b in paper.blocks for r in (b.residual1, b.residual2)]
    assert [r.keep for r in residuals] == pytest.approx([math.sqrt((23 + k) / (24 + k)) for k in range(24)])
    assert all(r.weight == pytest.approx(1 / math.sqrt(24)) and r.scale.item() == 1 for r in residuals)
    # RescaleNet's claim: with these factors and branches of variance L / (idx + 1), the variance stays 1.
    variance = 1.0
    for k, r in enumerate(residuals):
        variance = r.keep**2 * variance + r.weight**2 * 24 / (24 + k)
    assert variance == pytest.approx(1.0)


def test_only_the_papers_reading_scales_initial_branch_weights() -> None:
    torch.manual_seed(0)
    plain = timm.create_model(FAMILIES["vit"][0], **FAMILIES["vit"][1]).state_dict()
    as_coded = changed("vit", {"norm": "rescale"}).state_dict()
    paper = changed("vit", {"norm": "rescale-paper"}).state_dict()
    assert all(torch.equal(v, as_coded[k]) for k, v in plain.items() if "norm" not in k)
    for i in range(2):
        for branch, (k, names) in enumerate(((2 * i, ("attn.qkv", "attn.proj")), (2 * i + 1, ("mlp.fc1", "mlp.fc2")))):
            factor = ((4 + k) / 4) ** (-1 / 6)  # idx + 1 = L + k with L = 4 branches
            for name in (f"blocks.{i}.{n}.weight" for n in names):
                assert torch.allclose(paper[name], plain[name] * factor), (name, branch)
    for name in ("patch_embed.proj.weight", "head.weight", "pos_embed", "blocks.1.mlp.fc2.bias"):
        assert torch.equal(paper[name], plain[name])


@pytest.mark.parametrize("norm", ["rescale", "rescale-paper"])
@torch.no_grad()
def test_a_whole_model_computes_the_formula(norm: str) -> None:
    model = changed("vit", {"norm": norm}).eval()
    scramble(model)
    for layer in (m for m in model.modules() if isinstance(m, BiasLayer)):
        layer.count.fill_(8)
    w = model.state_dict()

    def linear(x: Tensor, name: str) -> Tensor:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def bias(x: Tensor, name: str) -> Tensor:
        return x + w[f"{name}.bias"] - w[f"{name}.mean"]

    x = nn.functional.conv2d(images("vit"), w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], 8)
    x = torch.cat([w["cls_token"].expand(4, 1, 32), x.flatten(2).mT], 1) + w["pos_embed"]
    for i in range(2):
        q, k, v = (
            t.unflatten(-1, (2, 16)) for t in linear(bias(x, f"blocks.{i}.norm1"), f"blocks.{i}.attn.qkv").chunk(3, -1)
        )
        attention = (torch.einsum("bnhd,bmhd->bhnm", q, k) / 4).softmax(-1)
        branch = linear(torch.einsum("bhnm,bmhd->bnhd", attention, v).flatten(2), f"blocks.{i}.attn.proj")
        if norm == "rescale":
            x = x + branch
        else:
            scale = w[f"blocks.{i}.residual1.scale"] / math.sqrt(4)
            x = math.sqrt((3 + 2 * i) / (4 + 2 * i)) * x + scale * branch
        hidden = nn.functional.gelu(linear(bias(x, f"blocks.{i}.norm2"), f"blocks.{i}.mlp.fc1"))
        branch = linear(hidden, f"blocks.{i}.mlp.fc2")
        scale = w[f"blocks.{i}.residual2.scale"]
        if norm == "rescale":
            x = math.sqrt((i + 1) / (i + 2)) * x + scale / math.sqrt(2) * branch
        else:
            x = math.sqrt((4 + 2 * i) / (5 + 2 * i)) * x + scale / math.sqrt(4) * branch
    if norm == "rescale-paper":
        x = bias(x, "norm")
    assert torch.allclose(model(images("vit")), linear(x[:, 0], "head"), atol=1e-4)


def test_calibration_by_hand() -> None:
    """Eight passes: the running average of the batch means is taken away, and b counts a hundredth; then b counts whole."""
    layer = BiasLayer(2).train()
    with torch.no_grad():
        layer.bias.copy_(torch.tensor([100.0, -100.0]))
    for call in range(1, 9):
        out = layer(torch.full((2, 3, 2), float(call)))  # batch mean = call, so the average is (call + 1) / 2
        average = (call + 1) / 2
        assert out[0, 0].tolist() == pytest.approx([call + 1 - average, call - 1 - average])
        assert layer.count == call and layer.mean.tolist() == pytest.approx([average] * 2)
    out = layer(torch.full((2, 3, 2), 50.0))
    assert layer.count == 8 and layer.mean.tolist() == [4.5, 4.5]
    assert out[1, 2].tolist() == pytest.approx([50 + 100 - 4.5, 50 - 100 - 4.5])
    out.sum().backward()
    assert layer.bias.grad is not None and layer.bias.grad.tolist() == [6, 6]
    layer.bias.grad = None
    early = BiasLayer(2).train()
    early(torch.ones(2, 3, 2)).sum().backward()
    assert early.bias.grad is not None and early.bias.grad.tolist() == pytest.approx([0.06, 0.06])


def test_trap_T14_only_training_passes_calibrate() -> None:
    model = changed("vit", {"norm": "rescale-paper"})
    layers = [m for m in model.modules() if isinstance(m, BiasLayer)]
    x = images("vit")
    before = copy.deepcopy(model.state_dict())

    def untouched() -> bool:
        return all(torch.equal(v, before[k]) for k, v in model.state_dict().items())

    model.eval()
    for _ in range(9):
        model(x)
    assert untouched(), "evaluation"
    model.train()
    with torch.inference_mode():
        model(x)
    with torch.no_grad():
        model(x)
    assert untouched(), "passes without gradients"
    describe(model, (3, 32, 32))
    ghost = copy.deepcopy(model).to("meta").train()
    ghost(torch.empty(2, 3, 32, 32, device="meta"))
    assert untouched(), "counting operations"
    torch.export.export(model, (x,), strict=False)
    assert untouched(), "export"
    model(x)
    assert all(layer.count == 1 for layer in layers)
    assert all(layer.mean.abs().max() > 0 for layer in layers)
    # What a model computes in evaluation between calibrating passes is what it was trained as.
    with torch.no_grad():
        layers[0].bias.fill_(1.0)
        inside = layers[0].eval()(torch.zeros(1, 1, 32))
    assert torch.allclose(inside[0, 0], 0.01 - layers[0].mean)


def test_an_interrupted_calibration_goes_on_bit_for_bit() -> None:
    def train(model: Any, steps: range) -> None:
        for step in steps:
            torch.manual_seed(step)
            model.zero_grad()
            model(torch.randn(4, 3, 32, 32)).square().mean().backward()
            with torch.no_grad():
                for p in model.parameters():
                    p.sub_(0.1 * p.grad)

    whole = changed("vit", {"norm": "rescale"}).train()
    train(whole, range(12))
    broken = changed("vit", {"norm": "rescale"}).train()
    train(broken, range(5))
    file = io.BytesIO()
    torch.save(broken.state_dict(), file)
    file.seek(0)
    resumed = changed("vit", {"norm": "rescale"}, seed=9).train()
    resumed.load_state_dict(torch.load(file, weights_only=True))
    copied = copy.deepcopy(resumed)
    for model in (resumed, copied):
        train(model, range(5, 12))
        assert all(torch.equal(v, whole.state_dict()[k]) for k, v in model.state_dict().items())
    assert whole.blocks[0].norm1.count == 8


def test_accumulation_may_calibrate_between_a_forward_and_its_backward_pass() -> None:
    model = changed("vit", {"norm": "rescale"}).train()
    first, second = model(images("vit")), model(images("vit") + 1)
    (first.sum() + second.sum()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_it_compiles_to_one_graph() -> None:
    layer, eager = BiasLayer(4).train(), BiasLayer(4).train()
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    for i in range(10):
        x = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(i))
        assert torch.equal(compiled(x), eager(x))
    assert layer.count == 8 and torch.equal(layer.mean, eager.mean)
