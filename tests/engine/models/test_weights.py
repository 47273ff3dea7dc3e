"""Weights from files: what is resampled, dropped or refused, plain models and changed ones, and exports read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from engine.journal import RunDir
from engine.models import exported
from engine.models.build import Built, build
from engine.models.errors import ModelError
from engine.recipe import validate
from engine.train.export import export_model

TINY = {"embed_dim": 32, "depth": 2, "num_heads": 2, "patch_size": 4}
CFG = {"input_size": [3, 16, 16], "mean": [0.5] * 3, "std": [0.25] * 3, "crop_pct": 1.0, "interpolation": "bicubic"}


def tiny(*, classes: int = 4, img_size: int = 16, device: str = "cpu", **model: Any) -> Built:
    recipe = validate({"model": {"name": "vit_tiny_patch16_224", "options": TINY, **model}})
    return build(recipe, channels=3, classes=classes, img_size=img_size, device=device)


def shaken(model: nn.Module) -> nn.Module:
    """Every value random, running variances positive: what is not loaded shows."""
    generator = torch.Generator().manual_seed(5)
    for key, value in model.state_dict().items():
        if value.is_floating_point():
            drawn = torch.randn(value.shape, generator=generator)
            value.copy_(drawn.abs() + 0.5 if key.endswith("running_var") else drawn)
    return model


def write(path: Path, model: nn.Module) -> str:
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, path)
    return str(path)


def export(folder: Path, **model: Any) -> tuple[nn.Module, Path]:
    """A model with random values, and the model/ folder a run would leave of it."""
    built = tiny(**model)
    how = validate({"model": {"name": "vit_tiny_patch16_224", "options": TINY, **model}}).model
    shaken(built.model)
    run = RunDir(folder)
    export_model(run, built.model, how, {**built.arguments, "in_chans": 3}, CFG, list("abcd"))
    return built.model.eval(), run.model


# -- plain files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "deit_tiny_distilled_patch16_224"])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_positions_are_resampled_bicubically_and_tokens_keep_their_rows(tmp_path: Path, name: str, suffix: str) -> None:
    source = shaken(timm.create_model(name, num_classes=4, img_size=16, **TINY))
    path = tmp_path / f"w{suffix}"
    if suffix == ".pth":
        torch.save({"state_dict": source.state_dict()}, path)
    else:
        write(path, source)
    built = tiny(name=name, pretrained=True, weights=str(path), img_size=24)
    tokens = 2 if "distilled" in name else 1
    table, old = built.model.pos_embed.detach()[0], source.pos_embed.detach()[0]
    assert torch.equal(table[:tokens], old[:tokens]) and built.random == []
    grid = old[tokens:].T.reshape(1, 32, 4, 4)
    # timm and DeiT enlarge with the bicubic kernel of a = -0.5 that antialiasing brings with it in torch.
    expected = F.interpolate(grid, size=(6, 6), mode="bicubic", antialias=True)
    torch.testing.assert_close(table[tokens:].T.reshape(1, 32, 6, 6), expected)


def test_trap_T01_one_head_of_two_is_never_left_alone_at_random(tmp_path: Path) -> None:
    """A file whose second head is missing, or of other classes: both are made anew, and said to be."""
    name = "deit_tiny_distilled_patch16_224"
    heads = ["head.weight", "head.bias", "head_dist.weight", "head_dist.bias"]
    state = shaken(timm.create_model(name, num_classes=4, img_size=16, **TINY)).state_dict()
    torch.save({k: v for k, v in state.items() if not k.startswith("head_dist")}, tmp_path / "missing.pth")
    torch.save(
        {**state, "head_dist.weight": torch.ones(7, 32), "head_dist.bias": torch.ones(7)}, tmp_path / "other.pth"
    )
    torch.save(state, tmp_path / "whole.pth")
    for file, random in (("missing", heads), ("other", heads), ("whole", [])):
        built = tiny(name=name, pretrained=True, weights=str(tmp_path / f"{file}.pth"))
        assert sorted(built.random) == sorted(random), file
        kept = [torch.equal(built.model.state_dict()[key], state[key]) for key in heads]
        assert kept == [not random] * 4, file


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_files_that_do_not_fit_are_named_without_being_loaded(tmp_path: Path, device: str) -> None:
    plain = timm.create_model("vit_tiny_patch16_224", num_classes=4, img_size=16, **TINY)
    path = write(tmp_path / "w.safetensors", plain)
    narrow = {**TINY, "embed_dim": 24}
    odd = write(tmp_path / "odd.safetensors", timm.create_model("vit_tiny_patch16_224", img_size=16, **narrow))
    for change, message in (
        (
            {"options": {**TINY, "embed_dim": 64}},
            r"does not fit model.name = \w+: .*\[32\] for \[64\], .* and 27 more$",
        ),
        (
            {"options": {**narrow, "class_token": False, "global_pool": "avg"}, "weights": odd},
            r"does not fit model.name = \w+: pos_embed \[1, 17, 24\] for \[1, 16, 24\]$",  # 17 are no square
        ),
        ({"options": {**TINY, "depth": 3}}, "missing blocks.2"),
        ({"options": {**TINY, "depth": 1}}, "not in the model: blocks.1"),
        ({"options": {**TINY, "patch_size": 8}}, "has patches of 4x4, the model has 8x8"),
        ({"name": "resnet10t", "options": {}}, "does not fit model.name = resnet10t"),
        ({"head_init": "zero"}, "head_init = zero is for a new classifier"),
        ({"norm": "bn"}, 'weights of the plain model, whose LayerNorms model.norm = "bn" would throw away'),
        ({"norm": "gn"}, 'weights of the plain model, whose LayerNorms model.norm = "gn" would throw away'),
        ({"weights": str(tmp_path / "w.zip")}, "there is no file"),
    ):
        with pytest.raises(ModelError, match=message):
            tiny(**{"pretrained": True, "weights": path, "device": device, **change})
    assert tiny(pretrained=True, weights=path, device=device, classes=9).random == ["head.weight", "head.bias"]


def test_layer_scale_of_deit3_files_is_found_under_its_old_name(tmp_path: Path) -> None:
    source = shaken(timm.create_model("deit3_small_patch16_224", num_classes=4, img_size=16, **TINY))
    old = {k.replace("ls1.gamma", "gamma_1").replace("ls2.gamma", "gamma_2"): v for k, v in source.state_dict().items()}
    torch.save(old, tmp_path / "w.pth")
    built = tiny(name="deit3_small_patch16_224", pretrained=True, weights=str(tmp_path / "w.pth"))
    torch.testing.assert_close(built.model.state_dict(), source.state_dict())


def test_weights_of_the_plain_model_start_one_with_weight_norm_and_relu6(tmp_path: Path) -> None:
    source = shaken(timm.create_model("vit_tiny_patch16_224", num_classes=4, img_size=16, **TINY)).eval()
    path = write(tmp_path / "w.safetensors", source)
    wrapped = tiny(pretrained=True, weights=path, weight_norm=True)
    assert wrapped.random == [] and any("parametrizations" in k for k in wrapped.model.state_dict())
    images = torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(wrapped.model.eval()(images), source(images), rtol=1e-4, atol=1e-4)
    clipped = tiny(pretrained=True, weights=path, activation="relu6")
    assert torch.equal(clipped.model.blocks[1].mlp.fc2.weight, source.blocks[1].mlp.fc2.weight)
    added = tiny(pretrained=True, weights=path, ffn_norm="before-act").random
    assert len(added) == 10 and all(key.startswith("blocks.") and ".mlp." in key for key in added)


# -- exports ---------------------------------------------------------------------------------------------------------

CHANGES: list[dict[str, Any]] = [
    {"norm": "gn"},
    {"norm": "bn", "activation": "relu6", "weight_norm": True},
    {"norm": "ln-bn-series", "ffn_norm": "after-act"},
    {"norm": "rescale-paper"},
    {"activation": "relu6"},
    {"norm": "bn", "norm_eps": 0.01},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda c: "-".join(map(str, c.values())))
def test_a_changed_model_comes_back_from_its_export_and_never_as_another(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    model, folder = export(tmp_path, **change)
    images = torch.randn(2, 3, 16, 16)
    loaded = exported.load(folder)
    assert not loaded.training
    torch.testing.assert_close(loaded(images), model(images))
    assert loaded.pretrained_cfg["mean"] == [0.5] * 3 and loaded.pretrained_cfg["label_names"] == list("abcd")  # type: ignore[index]
    with pytest.raises(RuntimeError, match="Unknown model"):
        timm.create_model(f"local-dir:{folder}", pretrained=True)
    # As a start for a run of the same kind, and refused for one of another norm.
    path = str(folder / "model.safetensors")
    again = tiny(pretrained=True, weights=path, **change)
    assert again.random == []
    torch.testing.assert_close(again.model.eval()(images), model(images))
    assert tiny(pretrained=True, weights=path, classes=9, device="meta", **change).random[0].startswith("head")
    if "norm" in change:
        with pytest.raises(ModelError, match=f'is of a model with norm = "{change["norm"]}"'):
            tiny(pretrained=True, weights=path)


def test_an_unchanged_model_comes_back_by_timm_and_by_exported_alike(tmp_path: Path) -> None:
    model, folder = export(tmp_path)
    images = torch.randn(2, 3, 16, 16)
    by_timm = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    assert torch.equal(by_timm(images), model(images)) and torch.equal(exported.load(folder)(images), model(images))
    assert exported.load(folder, img_size=24)(torch.zeros(1, 3, 24, 24)).shape == (1, 4)
    with pytest.raises(ModelError, match=r'of a model with norm = "default", not model\.norm = "gn"'):
        tiny(pretrained=True, weights=str(folder / "model.safetensors"), norm="gn")


@pytest.mark.parametrize("change", [{}, {"norm": "bn"}], ids=["plain", "bn"])
def test_trap_T18_a_run_that_starts_from_an_export_normalises_as_that_was_trained(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    """timm's own constants for the name are std 0.5 and crop_pct 0.9; the export says 0.25 and 1.0."""
    _, folder = export(tmp_path, **change)
    recipe = validate({"model": {"name": "vit_tiny_patch16_224", "options": TINY, "pretrained": True, **change,
                                 "weights": str(folder / "model.safetensors")}})  # fmt: skip
    for fetch in (True, False):  # a resumed run as well
        cfg = build(recipe, channels=3, classes=4, img_size=16, fetch=fetch).model.pretrained_cfg
        assert cfg["std"] == [0.25] * 3 and cfg["crop_pct"] == 1.0 and cfg["classifier"] == "head"  # type: ignore[index]
    (folder / "config.json").unlink()
    if not change:
        cfg = tiny(pretrained=True, weights=str(folder / "model.safetensors")).model.pretrained_cfg
        assert cfg["std"] == (0.5, 0.5, 0.5) and cfg["crop_pct"] == 0.9  # type: ignore[index]


def test_folders_that_hold_no_export_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no config\.json in it"):
        exported.load(tmp_path / "nowhere")
    _, folder = export(tmp_path, norm="bn")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "vitui": {**config["vitui"], "norm": "bnn"}}))
    with pytest.raises(ModelError, match="bnn"):
        exported.load(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"is not the config\.json of an exported model"):
        exported.load(folder)
