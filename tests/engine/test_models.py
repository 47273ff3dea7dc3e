"""Building models from recipes: sizes, weights from files, and refusals in one sentence."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.data import resolve_data_config

from engine.inspect.describe import describe
from engine.journal import RunDir
from engine.models.build import build_model
from engine.models.errors import ModelError
from engine.recipe import validate
from engine.train.export import export_model

TINY = {"embed_dim": 32, "depth": 2, "num_heads": 2, "patch_size": 4}


def recipe(**model: object):  # type: ignore[no-untyped-def]
    return validate({"model": {"name": "vit_tiny_patch16_224", "options": TINY, **model}})


def test_a_model_is_built_for_its_data_and_depends_on_the_seed_alone() -> None:
    a, arguments = build_model(recipe(), channels=1, classes=7, img_size=28)
    torch.manual_seed(99)
    b, _ = build_model(recipe(), channels=1, classes=7, img_size=28)
    assert a(torch.zeros(2, 1, 28, 28)).shape == (2, 7) and arguments["img_size"] == 28
    assert all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_convolutional_families_take_any_size() -> None:
    model, arguments = build_model(validate({"model": {"name": "resnet10t"}}), channels=3, classes=5, img_size=40)
    assert model(torch.zeros(1, 3, 40, 40)).shape == (1, 5) and "img_size" not in arguments


def test_counts_equal_known_values() -> None:
    """DeiT's paper and timm's table: ViT-Ti/16 5.72 M parameters, 1.26 G multiply-adds at 224 px."""
    counted = describe(timm.create_model("vit_tiny_patch16_224"), (3, 224, 224))
    assert counted.params == counted.trainable_params == 5_717_416
    assert counted.macs / 1e9 == pytest.approx(1.26, abs=0.01)


def test_drop_path_grows_linearly_with_depth() -> None:
    model, _ = build_model(
        validate({"model": {"name": "vit_tiny_patch16_224", "options": {**TINY, "depth": 4}}, "regularize": {"drop_path": 0.3}}),
        channels=3, classes=2, img_size=32,
    )  # fmt: skip
    rates = [getattr(block.drop_path1, "drop_prob", 0.0) for block in model.blocks]
    assert rates == pytest.approx([0.0, 0.1, 0.2, 0.3])


def test_sincos_positions_are_set_and_still_trained() -> None:
    model, _ = build_model(recipe(init_positions="sincos"), channels=3, classes=2, img_size=32)
    table = model.pos_embed
    assert table.requires_grad and table.abs().max() <= 1 and table[0, 0].abs().sum() == 0  # the class token's row
    with pytest.raises(ModelError, match="no learned position table"):
        build_model(
            validate({"model": {"name": "resnet10t", "init_positions": "sincos"}}), channels=3, classes=2, img_size=32
        )


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_weights_from_a_file_keep_all_but_the_classifier(tmp_path: Path, suffix: str) -> None:
    source = timm.create_model("vit_tiny_patch16_224", num_classes=11, img_size=32, **TINY)
    path = tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch.save({"model": {f"module.{k}": v for k, v in source.state_dict().items()}, "epoch": 3}, path)
    else:
        save_file(source.state_dict(), path)
    model, _ = build_model(recipe(pretrained=True, weights=str(path)), channels=3, classes=4, img_size=32)
    own = model.state_dict()
    for key, value in source.state_dict().items():
        assert torch.equal(own[key], value) != key.startswith("head."), key


def test_positions_are_resampled_for_another_size(tmp_path: Path) -> None:
    source = timm.create_model("vit_tiny_patch16_224", num_classes=4, img_size=32, **TINY)
    path = tmp_path / "weights.safetensors"
    save_file(source.state_dict(), path)
    model, _ = build_model(recipe(pretrained=True, weights=str(path)), channels=3, classes=4, img_size=48)
    assert model.pos_embed.shape == (1, 145, 32)
    assert torch.equal(model.head.weight, source.head.weight)


def test_a_pickle_with_code_in_it_is_refused_and_not_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return (Path.touch, (tmp_path / "owned",))

    path = tmp_path / "weights.pth"
    path.write_bytes(pickle.dumps({"model": Bomb()}))
    with pytest.raises(ModelError, match=r"cannot be loaded as plain tensors: .* are not unpickled here; .*") as caught:
        build_model(recipe(pretrained=True, weights=str(path)), channels=3, classes=4, img_size=32)
    assert "weights_only" not in str(caught.value), "torch's own words advise to run the code in it"
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"name": "vit_tinny_patch16_224"}, "is not a timm model; did you mean vit_tiny_patch16_224?"),
        ({"name": "vit_tiny_patch16_224.nope"}, "has no tag nope; it has augreg_in21k"),
        ({"name": "vit_tiny_patch16_224", "options": {"embed_dimm": 3}}, "embed_dimm"),
        ({"name": "vit_tiny_patch16_224", "options": {"embed_dim": 31}}, "timm cannot build"),
        (
            {"name": "vit_tiny_patch16_224", "pretrained": True, "weights": "/nowhere.pth"},
            "there is no file /nowhere.pth",
        ),
        ({"name": "vit_tiny_patch16_224", "options": {**TINY, "global_pool": ""}}, "it is not a classifier of images"),
    ],
)
def test_what_cannot_be_built_is_one_sentence(model: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        build_model(validate({"model": model}), channels=3, classes=4, img_size=32)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_weights_of_another_model_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(timm.create_model("resnet10t", num_classes=4).state_dict(), path)
    with pytest.raises(ModelError, match="does not fit"):
        build_model(recipe(pretrained=True, weights=str(path)), channels=3, classes=4, img_size=32)


def test_pretrained_weights_that_cannot_be_fetched_are_never_replaced_by_random_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match=r"could not be fetched.*set model.weights to the file"):
        build_model(
            validate({"model": {"name": "vit_tiny_patch16_224", "pretrained": True}}),
            channels=3,
            classes=4,
            img_size=224,
        )


def test_an_export_is_evaluated_at_the_size_it_was_trained_at(tmp_path: Path) -> None:
    plain = validate({"model": {"name": "resnet10t"}})
    model, arguments = build_model(plain, channels=3, classes=5, img_size=40)
    assert model.pretrained_cfg["test_input_size"] == (3, 224, 224)  # what the authors of its weights found best
    cfg = {"input_size": [3, 40, 40], "mean": [0.5] * 3, "std": [0.5] * 3, "crop_pct": 1.0, "interpolation": "bicubic"}
    run = RunDir(tmp_path)
    export_model(run, model, plain.model, {**arguments, "in_chans": 3}, cfg, list("abcde"))
    loaded = timm.create_model(f"local-dir:{run.model}", pretrained=True)
    assert resolve_data_config(model=loaded, use_test_size=True)["input_size"] == (3, 40, 40)
    assert resolve_data_config(model=loaded, use_test_size=True)["crop_pct"] == 1.0
