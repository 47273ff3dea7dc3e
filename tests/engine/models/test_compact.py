"""ViT-Lite, CVT and CCT against a second implementation, published counts, and timm's conventions."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import torch.nn.functional as F
from timm.models import group_parameters
from torch import Tensor, nn

from engine.inspect.describe import describe
from engine.models.build import build_model
from engine.models.compact import CompactTransformer, checkpoint_filter_fn
from engine.models.errors import ModelError
from engine.recipe import validate
from vitui.exporting.loading import COMPACT

# Parameters in millions at the classes of the published table, multiply-adds in G as SHI-Labs print them.
PUBLISHED = {
    "vit_lite_2_4_32": (0.215, None), "vit_lite_4_4_32": (0.413, None),
    "vit_lite_6_4_32": (3.191, 0.205), "vit_lite_7_4_32": (3.717, 0.239),
    "cvt_2_4_32": (0.215, None), "cvt_4_4_32": (0.413, None), "cvt_6_4_32": (3.190, 0.202), "cvt_7_4_32": (3.717, 0.236),
    "cct_2_3x2_32": (0.284, 0.033), "cct_4_3x2_32": (0.482, 0.046),
    "cct_6_3x2_32": (3.327, 0.241), "cct_7_3x2_32": (3.853, 0.275),
    "cct_6_3x1_32": (3.234, 0.813), "cct_7_3x1_32": (3.760, 0.947),
    "cct_7_7x2_224": (4.574, None), "cct_14_7x2_224": (22.367, 5.11), "cct_14_7x2_384": (22.513, 15.02),
}  # fmt: skip

TINY: dict[str, Any] = {"embed_dim": 16, "depth": 2, "num_heads": 2, "mlp_ratio": 2.0, "num_classes": 5, "img_size": 16}


def test_the_command_line_knows_which_architectures_timm_lacks() -> None:
    ours = {name for name in timm.list_models() if timm.model_entrypoint(name).__module__.startswith("engine.")}
    assert ours == {name for name in timm.list_models() if name.startswith(COMPACT)} >= set(PUBLISHED)


def test_parameters_and_multiply_adds_equal_the_published_ones() -> None:
    """SHI-Labs' counter sees linears, convolutions, ReLU and pooling, and not the two products inside attention."""
    for name, (millions, giga) in PUBLISHED.items():
        with torch.device("meta"):
            model = timm.create_model(name)
            sine = timm.create_model(f"{name}_sine")
        side = model.pretrained_cfg["input_size"][1]
        counted = describe(model, (3, side, side))
        assert round(counted.params / 1e6, 3) == millions, name
        assert counted.params - sum(p.numel() for p in sine.parameters()) == model.positional_emb.numel(), name
        if giga is None:
            continue
        tokens, width, depth = model.positional_emb.shape[1], model.embed_dim, len(model.blocks)
        elementwise = 0
        if name.startswith("cct"):
            conv_stride = 2 if "7x2" in name else 1
            for layer in model.tokenizer.conv_layers:
                side //= conv_stride
                elementwise += 2 * layer[0].out_channels * side * side
                side //= 2
        theirs = counted.macs - depth * 2 * tokens**2 * width + elementwise
        assert round(theirs / 1e9, 2 if giga > 5 else 3) == giga, name
    with torch.device("meta"):
        assert sum(p.numel() for p in timm.create_model("cct_7_3x1_32").parameters()) == 3_760_139  # Maevit's own count
        without = timm.create_model("cct_6_3x1_32", positional_embedding="none")
    assert round(sum(p.numel() for p in without.parameters()) / 1e6, 3) == 3.168  # the README's number


def shi_weights(kind: str, layers: int, kernel: int, *, tokens: int) -> dict[str, Tensor]:
    """Random weights under SHI-Labs' names, for width 16, depth 2, 5 classes."""
    draw = torch.Generator().manual_seed(7)
    shapes: dict[str, tuple[int, ...]] = {}
    widths = [3, *[64] * (layers - 1), 16]
    for i in range(layers):
        shapes[f"tokenizer.conv_layers.{i}.0.weight"] = (widths[i + 1], widths[i], kernel, kernel)
    if kind != "cct":
        shapes["tokenizer.conv_layers.0.0.bias"] = (16,)
    if kind == "vit_lite":
        shapes["classifier.class_emb"] = (1, 1, 16)
    else:
        shapes |= {"classifier.attention_pool.weight": (1, 16), "classifier.attention_pool.bias": (1,)}
    shapes["classifier.positional_emb"] = (1, tokens, 16)
    for i in range(2):
        block = f"classifier.blocks.{i}."
        for norm in ("pre_norm", "norm1"):
            shapes |= {f"{block}{norm}.weight": (16,), f"{block}{norm}.bias": (16,)}
        shapes |= {
            f"{block}self_attn.qkv.weight": (48, 16),
            f"{block}self_attn.proj.weight": (16, 16), f"{block}self_attn.proj.bias": (16,),
            f"{block}linear1.weight": (32, 16), f"{block}linear1.bias": (32,),
            f"{block}linear2.weight": (16, 32), f"{block}linear2.bias": (16,),
        }  # fmt: skip
    shapes |= {"classifier.norm.weight": (16,), "classifier.norm.bias": (16,)}
    shapes |= {"classifier.fc.weight": (5, 16), "classifier.fc.bias": (5,)}
    return {k: torch.randn(s, generator=draw) * 0.4 for k, s in shapes.items()}


def reference(w: dict[str, Tensor], x: Tensor, *, stride: int, padding: int, pool: bool) -> Tensor:
    """SHI-Labs' forward pass written from its description: loops over heads and einsum, no nn.Module."""

    def norm(x: Tensor, name: str) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        return scaled * w[f"classifier.{name}.weight"] + w[f"classifier.{name}.bias"]

    layer = 0
    while f"tokenizer.conv_layers.{layer}.0.weight" in w:
        bias = w.get(f"tokenizer.conv_layers.{layer}.0.bias")
        x = F.conv2d(x, w[f"tokenizer.conv_layers.{layer}.0.weight"], bias, stride, padding)
        if pool:
            x = F.max_pool2d(x.clamp(min=0), 3, 2, 1)
        layer += 1
    x = torch.einsum("bchw->bhwc", x).reshape(x.shape[0], -1, 16)
    token = w.get("classifier.class_emb")
    if token is not None:
        x = torch.cat([token.repeat(x.shape[0], 1, 1), x], 1)
    x = x + w["classifier.positional_emb"]
    for i in range(2):
        b = f"classifier.blocks.{i}"
        qkv = torch.einsum("bnd,ed->bne", norm(x, f"blocks.{i}.pre_norm"), w[f"{b}.self_attn.qkv.weight"])
        heads = []
        for h in range(2):
            q, k, v = (qkv[..., part * 16 + h * 8 : part * 16 + (h + 1) * 8] for part in range(3))
            heads.append(
                torch.einsum("bnm,bmd->bnd", (torch.einsum("bnd,bmd->bnm", q, k) / math.sqrt(8)).softmax(-1), v)
            )
        attended = torch.cat(heads, -1) @ w[f"{b}.self_attn.proj.weight"].T + w[f"{b}.self_attn.proj.bias"]
        x = norm(x + attended, f"blocks.{i}.norm1")  # the residual stream itself goes through the norm
        hidden = x @ w[f"{b}.linear1.weight"].T + w[f"{b}.linear1.bias"]
        hidden = 0.5 * hidden * (1 + torch.erf(hidden / math.sqrt(2)))
        x = x + hidden @ w[f"{b}.linear2.weight"].T + w[f"{b}.linear2.bias"]
    x = norm(x, "norm")
    if token is not None:
        pooled = x[:, 0]
    else:
        score = (x @ w["classifier.attention_pool.weight"].T + w["classifier.attention_pool.bias"])[..., 0]
        pooled = torch.einsum("bn,bnd->bd", score.softmax(1), x)
    return pooled @ w["classifier.fc.weight"].T + w["classifier.fc.bias"]


@pytest.mark.parametrize(
    ("name", "layers", "kernel", "tokens"),
    [("vit_lite_2_4_32", 1, 4, 17), ("cvt_2_4_32", 1, 4, 16), ("cct_2_3x2_32", 2, 3, 16), ("cct_7_3x1_32", 1, 3, 64)],
)
def test_trap_T11_the_second_norm_is_on_the_residual_stream(name: str, layers: int, kernel: int, tokens: int) -> None:
    kind = name.split("_2_")[0].split("_7_")[0]
    weights = shi_weights(kind, layers, kernel, tokens=tokens)
    model = timm.create_model(name, **TINY).eval()
    model.load_state_dict(checkpoint_filter_fn(dict(weights), model))
    images = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    stride, padding = (1, 1) if kind == "cct" else (4, 0)
    expected = reference(weights, images, stride=stride, padding=padding, pool=kind == "cct")
    with torch.no_grad():
        assert torch.allclose(model(images), expected, atol=2e-5)


def test_trap_T10_sine_models_have_sine_positions_that_nothing_trains() -> None:
    for name in ("cct_2_3x2_32_sine", "cvt_2_4_32_sine", "vit_lite_2_4_32_sine"):
        model = timm.create_model(name, **TINY)
        model.requires_grad_(True)
        table = model.positional_emb.clone()
        assert table.shape == (1, 16 + model.num_prefix_tokens, 16)
        for p, i in ((0, 0), (0, 1), (3, 0), (3, 1), (5, 6), (5, 7), (15, 15)):
            angle = p / 10000 ** (2 * (i // 2) / 16)
            assert table[0, p, i].item() == pytest.approx(math.sin(angle) if i % 2 == 0 else math.cos(angle), abs=1e-6)
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        model(torch.randn(2, 3, 16, 16)).square().sum().backward()
        optimizer.step()
        assert torch.equal(model.positional_emb, table) and "positional_emb" not in model.state_dict()
        learned = timm.create_model(name.removesuffix("_sine"), **TINY)
        assert "positional_emb" in dict(learned.named_parameters())


def test_initial_weights_are_those_of_the_original() -> None:
    torch.manual_seed(0)
    model = timm.create_model("cct_7_3x1_32")
    assert model.positional_emb.std().item() == pytest.approx(0.2, rel=0.02)
    assert model.tokenizer.conv_layers[0][0].weight.std().item() == pytest.approx(math.sqrt(2 / 27), rel=0.05)
    assert model.tokenizer.conv_layers[0][0].bias is None and model.blocks[0].attn.qkv.bias is None
    for linear in (m for m in model.modules() if isinstance(m, nn.Linear)):
        assert linear.weight.std().item() == pytest.approx(0.02, rel=0.15)
        assert linear.bias is None or linear.bias.abs().max() == 0
    assert timm.create_model("vit_lite_2_4_32").class_emb.abs().max() == 0


def test_every_rate_and_shape_is_an_option() -> None:
    def rates(model: Any) -> list[float]:
        return [getattr(block.drop_path1, "drop_prob", 0.0) for block in model.blocks]

    options = {**TINY, "depth": 3, "drop_path_rate": 0.1}
    assert rates(timm.create_model("cct_7_3x1_32", **options)) == pytest.approx([0, 0.05, 0.1])
    assert rates(timm.create_model("cct_7_3x1_32", **options, drop_path_shape="constant")) == pytest.approx([0.1] * 3)
    plain = timm.create_model("cct_7_3x1_32", **TINY)
    assert rates(plain) == [0, 0] and plain.blocks[0].attn.attn_drop.p == plain.head_drop.p == 0
    maevit = timm.create_model(
        "cct_7_3x1_32",
        **TINY,
        attn_drop_rate=0.2,
        proj_drop_rate=0.3,
        mlp_drop_rate=0.0,
        pos_drop_rate=0.4,
        drop_rate=0.5,
    )
    block = maevit.blocks[1]
    assert (block.attn.attn_drop.p, block.attn.proj_drop.p) == (0.2, 0.3) and (
        block.mlp.drop1.p,
        block.mlp.drop2.p,
    ) == (0, 0)
    assert (maevit.pos_drop.p, maevit.head_drop.p) == (0.4, 0.5)
    both = timm.create_model("cvt_2_4_32", **TINY, proj_drop_rate=0.3).blocks[0]
    assert both.attn.proj_drop.p == both.mlp.drop1.p == both.mlp.drop2.p == 0.3
    grey = timm.create_model(
        "cct_7_3x1_32", num_classes=10, in_chans=1, img_size=40, drop_path_rate=0.1, attn_drop_rate=0.1
    )
    assert grey(torch.zeros(2, 1, 40, 40)).shape == (2, 10) and grey.tokenizer.grid_size == (20, 20)
    wide = timm.create_model("cct_7_3x1_32", **{**TINY, "img_size": (16, 24)}, kernel_size=5, stride=2, padding=2)
    assert wide.tokenizer.grid_size == (4, 6) and wide(torch.zeros(1, 3, 16, 24)).shape == (1, 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"img_size": 18}, "18x18 do not divide into patches of 4"),
        ({"n_conv_layers": 2}, "one convolution"),
        ({"positional_embedding": "rotary"}, "none of learnable, sine, none"),
        ({"num_heads": 3}, "not a multiple"),
        ({"global_pool": "avg"}, "none of seq, token"),
    ],
)
def test_what_cannot_be_built_is_one_sentence(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        timm.create_model("cvt_2_4_32", **{**TINY, **options})
    with pytest.raises(ModelError, match="20x20 for a model of 16x16"):
        timm.create_model("cvt_2_4_32", **TINY)(torch.zeros(1, 3, 20, 20))


def test_timm_finds_groups_classifier_and_checkpointing() -> None:
    model = timm.create_model("vit_lite_2_4_32", **{**TINY, "depth": 3})
    groups = group_parameters(model, model.group_matcher(), reverse=True)
    assert groups["class_emb"] == groups["positional_emb"] == groups["tokenizer.conv_layers.0.0.weight"] == 0
    assert [groups[f"blocks.{i}.norm2.weight"] for i in range(3)] == [1, 2, 3]
    assert groups["norm.weight"] <= groups["head.weight"] and groups["norm.weight"] >= 3
    pool = timm.create_model("cvt_2_4_32", **TINY)
    ordered = group_parameters(pool, pool.group_matcher(), reverse=True)
    assert ordered["attention_pool.weight"] == ordered["norm.weight"]
    assert model.no_weight_decay() == {"positional_emb", "class_emb"}
    assert (
        model.pretrained_cfg["classifier"] == "head"
        and model.pretrained_cfg["first_conv"] == "tokenizer.conv_layers.0.0"
    )
    images = torch.randn(2, 3, 16, 16)
    plain = torch.autograd.grad(model(images).square().sum(), model.class_emb)[0]
    model.set_grad_checkpointing()
    assert torch.allclose(torch.autograd.grad(model(images).square().sum(), model.class_emb)[0], plain, atol=1e-6)
    model.reset_classifier(3)
    assert model.get_classifier() is model.head and model(images).shape == (2, 3)
    model.reset_classifier(0)
    assert model(images).shape == (2, 16)
    assert torch.equal(model(images), model.forward_head(model.forward_features(images), pre_logits=True))


def test_positions_are_resampled_bilinearly_and_the_class_token_kept() -> None:
    """A ramp over a 2x2 grid becomes 0, 1/4, 3/4, 1 along a side of 4: bilinear, half-pixel centres, no antialiasing."""
    model = timm.create_model("vit_lite_2_4_32", **TINY)
    state = timm.create_model("vit_lite_2_4_32", **{**TINY, "img_size": 8}).state_dict()
    state["positional_emb"] = torch.tensor([9.0, 0, 1, 0, 1])[None, :, None].repeat(1, 1, 16)
    table = checkpoint_filter_fn(state, model)["positional_emb"]
    assert table.shape == (1, 17, 16) and table[0, 0, 0] == 9
    assert table[0, 1:, 3].reshape(4, 4).tolist() == [[0, 0.25, 0.75, 1]] * 4
    state["positional_emb"] = torch.zeros(1, 4, 16)
    with pytest.raises(ModelError, match="3 tokens form no square grid"):
        checkpoint_filter_fn(state, model)


def test_learned_positions_are_not_taken_for_a_sine_model() -> None:
    model = timm.create_model("cct_2_3x2_32_sine", **TINY)
    weights = shi_weights("cct", 2, 3, tokens=16)
    with pytest.raises(ModelError, match="learned positions; use the model's name without _sine"):
        checkpoint_filter_fn(dict(weights), model)
    weights["classifier.positional_emb"] = model.positional_emb.clone()
    assert not model.load_state_dict(checkpoint_filter_fn(dict(weights), model)).missing_keys


def test_a_released_checkpoint_loads_by_file_with_another_classifier(tmp_path: Path) -> None:
    weights = shi_weights("cct", 2, 3, tokens=16)
    torch.save(weights, tmp_path / "cct.pth")
    options = {k: v for k, v in TINY.items() if k not in ("num_classes", "img_size")}
    recipe = validate(
        {
            "model": {
                "name": "cct_2_3x2_32",
                "options": options,
                "pretrained": True,
                "weights": str(tmp_path / "cct.pth"),
            }
        }
    )
    model, _ = build_model(recipe, channels=3, classes=7, img_size=16)
    assert isinstance(model, CompactTransformer) and model.head.weight.shape == (7, 16)
    assert torch.equal(model.blocks[1].mlp.fc2.weight, weights["classifier.blocks.1.linear2.weight"])
    assert torch.equal(model.blocks[1].norm2.weight, weights["classifier.blocks.1.norm1.weight"])
    assert torch.equal(model.positional_emb, weights["classifier.positional_emb"])


def test_timms_own_loader_adapts_channels_and_classes_of_released_weights(tmp_path: Path) -> None:
    weights = shi_weights("cct", 2, 3, tokens=16)
    torch.save(weights, tmp_path / "cct.pth")
    model = timm.create_model(
        "cct_2_3x2_32", pretrained=True, pretrained_cfg_overlay={"file": str(tmp_path / "cct.pth"), "num_classes": 5},
        **{**TINY, "num_classes": 7, "img_size": 32}, in_chans=1,
    )  # fmt: skip
    first = weights["tokenizer.conv_layers.0.0.weight"].sum(1, keepdim=True)
    assert torch.allclose(model.tokenizer.conv_layers[0][0].weight, first, atol=1e-6)
    assert model.head.weight.shape == (7, 16) and model.positional_emb.shape == (1, 64, 16)
    assert torch.equal(model.blocks[0].attn.qkv.weight, weights["classifier.blocks.0.self_attn.qkv.weight"])


def test_released_weights_have_tags_with_their_own_classes_and_statistics() -> None:
    for name, classes, side, red in (
        ("cct_7_3x1_32.shi_cifar10_300ep", 10, 32, 0.4914), ("cct_7_3x1_32.shi_cifar100_300ep", 100, 32, 0.5071),
        ("cct_7_3x1_32_sine.shi_cifar100_1500ep", 100, 32, 0.5071), ("cct_7_7x2_224_sine.shi_flowers102", 102, 224, 0.4353),
        ("cct_14_7x2_224.shi_in1k", 1000, 224, 0.485), ("cct_14_7x2_384.shi_flowers102", 102, 384, 0.4353),
    ):  # fmt: skip
        cfg = timm.get_pretrained_cfg(name)
        assert (cfg.num_classes, cfg.input_size[1], cfg.mean[0]) == (classes, side, red) and cfg.url.endswith(".pth")
    assert not timm.models.is_model_pretrained("cct_6_3x1_32")
