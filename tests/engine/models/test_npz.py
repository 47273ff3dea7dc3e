"""Google's .npz files: conventions by hand, from a tiny ViT turned into what Flax would have saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn

from engine.models.build import Built, build
from engine.models.errors import ModelError
from engine.recipe import validate

WIDTH, HEADS, DEPTH, PATCH = 32, 2, 2, 4
OPTIONS = {"embed_dim": WIDTH, "depth": DEPTH, "num_heads": HEADS, "patch_size": PATCH}


def archive(model: nn.Module) -> dict[str, np.ndarray[Any, Any]]:
    """A timm ViT as the original ViT and AugReg files name and lay it out.

    Kernels of linears are [in, out]; of query, key and value [width, heads, head width]; of the output projection
    [heads, head width, width]; of convolutions [height, width, in, out].
    """
    w: dict[str, Tensor] = {k: v.detach().clone() for k, v in model.state_dict().items()}
    out = {
        "cls": w["cls_token"],
        "embedding/kernel": w["patch_embed.proj.weight"].permute(2, 3, 1, 0),
        "embedding/bias": w["patch_embed.proj.bias"],
        "Transformer/posembed_input/pos_embedding": w["pos_embed"],
        "Transformer/encoder_norm/scale": w["norm.weight"],
        "Transformer/encoder_norm/bias": w["norm.bias"],
        "head/kernel": w["head.weight"].T,
        "head/bias": w["head.bias"],
    }
    for i in range(DEPTH):
        to, of = f"Transformer/encoderblock_{i}/", f"blocks.{i}."
        for theirs, ours in (("LayerNorm_0", "norm1"), ("LayerNorm_2", "norm2")):
            out[f"{to}{theirs}/scale"], out[f"{to}{theirs}/bias"] = w[f"{of}{ours}.weight"], w[f"{of}{ours}.bias"]
        for j in (0, 1):
            out[f"{to}MlpBlock_3/Dense_{j}/kernel"] = w[f"{of}mlp.fc{j + 1}.weight"].T
            out[f"{to}MlpBlock_3/Dense_{j}/bias"] = w[f"{of}mlp.fc{j + 1}.bias"]
        attention = f"{to}MultiHeadDotProductAttention_1/"
        for j, name in enumerate(("query", "key", "value")):
            rows = slice(j * WIDTH, (j + 1) * WIDTH)
            kernel = w[f"{of}attn.qkv.weight"][rows]
            out[f"{attention}{name}/kernel"] = kernel.T.reshape(WIDTH, HEADS, WIDTH // HEADS)
            out[f"{attention}{name}/bias"] = w[f"{of}attn.qkv.bias"][rows].reshape(HEADS, WIDTH // HEADS)
        out[f"{attention}out/kernel"] = w[f"{of}attn.proj.weight"].T.reshape(HEADS, WIDTH // HEADS, WIDTH)
        out[f"{attention}out/bias"] = w[f"{of}attn.proj.bias"]
    return {key: value.contiguous().numpy() for key, value in out.items()}


@pytest.fixture(scope="module")
def source() -> nn.Module:
    torch.manual_seed(1)
    model: nn.Module = timm.create_model("vit_tiny_patch16_224", num_classes=7, img_size=16, **OPTIONS)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    return model


def load(path: Path, *, classes: int = 7, img_size: int = 16, device: str = "cpu", **model: Any) -> Built:
    section = {"name": "vit_tiny_patch16_224", "pretrained": True, "weights": str(path), "options": OPTIONS, **model}
    return build(validate({"model": section}), channels=3, classes=classes, img_size=img_size, device=device)


def test_every_array_ends_where_it_belongs(source: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "vit.npz"
    np.savez(path, **archive(source))
    built = load(path)
    assert built.random == []
    torch.testing.assert_close(built.model.state_dict(), source.state_dict(), rtol=0, atol=0)


def test_another_number_of_classes_leaves_a_new_head(source: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "vit.npz"
    np.savez(path, **archive(source))
    built = load(path, classes=5, head_init="zero")
    assert built.random == ["head.weight", "head.bias"] and not built.model.head.weight.any()
    assert torch.equal(built.model.blocks[1].attn.qkv.weight, source.blocks[1].attn.qkv.weight)


def test_a_file_without_a_head_leaves_a_new_one(source: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "vit.npz"
    np.savez(path, **{k: v for k, v in archive(source).items() if not k.startswith("head/")})
    assert load(path).random == ["head.weight", "head.bias"]
    assert load(path, device="meta").random == ["head.weight", "head.bias"]


def test_positions_are_zoomed_bilinearly_and_the_token_keeps_its_row(source: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "vit.npz"
    np.savez(path, **archive(source))
    table = load(path, img_size=32).model.pos_embed.detach()
    assert torch.equal(table[0, 0], source.pos_embed[0, 0])
    grid = source.pos_embed.detach()[0, 1:].reshape(4, 4, WIDTH)

    def at(row: int, column: int) -> Tensor:
        """Pixel centres, edges held: the definition of bilinear zooming by two."""
        parts = torch.zeros(WIDTH)
        y, x = (min(max((i + 0.5) / 2 - 0.5, 0), 3) for i in (row, column))
        for r in range(4):
            for c in range(4):
                parts += max(0, 1 - abs(y - r)) * max(0, 1 - abs(x - c)) * grid[r, c]
        return parts

    for row, column in ((0, 0), (3, 2), (7, 5)):
        torch.testing.assert_close(table[0, 1 + row * 8 + column], at(row, column))


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize(
    ("change", "model", "message"),
    [
        ({}, {"options": {**OPTIONS, "depth": 3}}, "has 2 transformer blocks, vit_tiny_patch16_224 has 3"),
        ({}, {"options": {**OPTIONS, "depth": 1}}, "has 2 transformer blocks, vit_tiny_patch16_224 has 1"),
        ({}, {"options": {**OPTIONS, "patch_size": 8}}, "has patches of 4x4, vit_tiny_patch16_224 has 8x8"),
        ({}, {"options": {**OPTIONS, "embed_dim": 64}}, "does not fit vit_tiny_patch16_224"),
        ({}, {"name": "deit_tiny_distilled_patch16_224"}, "has no values for dist_token"),
        ({}, {"name": "resnet10t", "options": {}}, "resnet10t does not read .npz files"),
        ({}, {"norm": "bn"}, 'whose LayerNorms model.norm = "bn" would throw away'),
        ({"Transformer/encoder_norm/bias": None}, {}, "Transformer/encoder_norm/bias"),
        ({"embedding/kernel": np.array([{}], dtype=object)}, {}, "does not fit|not a readable"),
    ],
)
def test_files_that_do_not_fit_are_one_sentence(
    source: nn.Module, tmp_path: Path, change: dict[str, Any], model: dict[str, Any], message: str, device: str
) -> None:
    arrays: dict[str, Any] = {**archive(source), **change}
    path = tmp_path / "vit.npz"
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})
    with pytest.raises(ModelError, match=message) as caught:
        load(path, device=device, **model)
    assert "\n" not in str(caught.value)


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vit.npz"
    path.write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(ModelError, match=r"not a readable \.npz archive"):
        load(path)
