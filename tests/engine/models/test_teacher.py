"""The teacher: frozen, seeing what it was trained to see, and only of the dataset's own classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import timm
import torch

from engine.journal import RunDir
from engine.models.build import build
from engine.models.errors import ModelError
from engine.models.teacher import Teacher, build_teacher, logits
from engine.recipe import validate
from engine.recipe.schema import Recipe
from engine.train.export import export_model

TINY = {"embed_dim": 32, "depth": 2, "num_heads": 2, "patch_size": 4}


def student(teacher: str) -> Recipe:
    return validate({"distill": {"kind": "hard", "teacher": teacher}})


@pytest.mark.parametrize("norm", ["default", "bn"])
def test_a_run_s_own_export_teaches(tmp_path: Path, norm: str) -> None:
    recipe = validate({"model": {"name": "vit_tiny_patch16_224", "options": TINY, "norm": norm}})
    built = build(recipe, channels=1, classes=3, img_size=16)
    cfg: dict[str, Any] = {"input_size": [1, 16, 16], "mean": [0.2], "std": [0.5], "crop_pct": 1.0}
    run = RunDir(tmp_path)
    export_model(run, built.model, recipe.model, {**built.arguments, "in_chans": 1}, cfg, list("abc"))
    teacher = build_teacher(student(f"local-dir:{run.model}"), channels=1, classes=3, img_size=16)
    assert (teacher.mean, teacher.std) == ((0.2,), (0.5,))
    assert not teacher.module.training and not any(p.requires_grad for p in teacher.module.parameters())
    images = torch.randn(2, 1, 16, 16)
    torch.testing.assert_close(logits(teacher, images, (0.2,), (0.5,)), built.model.eval()(images))
    with pytest.raises(ModelError, match="knows 3 classes, the dataset has 4"):
        build_teacher(student(f"local-dir:{run.model}"), channels=1, classes=4, img_size=16)
    with pytest.raises(ModelError, match="cannot take images of 3x16x16"):
        build_teacher(student(f"local-dir:{run.model}"), channels=3, classes=3, img_size=16)
    (run.model / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"^distill.teacher: there is no file .*model.safetensors$"):
        build_teacher(student(f"local-dir:{run.model}"), channels=1, classes=3, img_size=16)


def test_the_teacher_sees_the_pixels_under_its_own_normalisation() -> None:
    mine, theirs = ((0.1, 0.2, 0.3), (0.3, 0.2, 0.1)), ((0.5, 0.4, 0.6), (0.25, 0.5, 0.125))
    pixels = torch.rand(2, 3, 5, 5)

    def normalised(mean: tuple[float, ...], std: tuple[float, ...]) -> torch.Tensor:
        return torch.stack([(pixels[:, c] - mean[c]) / std[c] for c in range(3)], dim=1)

    seen = Teacher(torch.nn.Identity(), *theirs)
    torch.testing.assert_close(logits(seen, normalised(*mine), *mine), normalised(*theirs))
    images = normalised(*theirs)
    assert logits(seen, images, *theirs) is images
    weighing = Teacher(torch.nn.Linear(5, 2), *mine)
    assert not logits(weighing, images, *mine).requires_grad


def test_hub_teachers_bring_their_own_constants_and_size() -> None:
    teacher = build_teacher(student("regnety_160.deit_in1k"), channels=3, classes=1000, img_size=224, device="meta")
    assert teacher.mean == (0.485, 0.456, 0.406) and sum(p.numel() for p in teacher.module.parameters()) == 83_590_140
    gray = build_teacher(
        student("vit_tiny_patch16_224.augreg_in21k_ft_in1k"), channels=1, classes=1000, img_size=64, device="meta"
    )
    assert gray.mean == (0.5,) and gray.module.pos_embed.shape == (1, 17, 192)


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        ("regnety_16", 'distill.teacher = "regnety_16" is not a timm model; did you mean regnety_160'),
        ("regnety_160", "needs its pretrained tag; there are regnety_160.deit_in1k"),
        ("regnety_160.deit", "has no tag deit; it has deit_in1k"),
        ("regnety_160.deit_in1k", "knows 1000 classes, the dataset has 10"),
        ("local-dir:/nowhere/model", "distill.teacher: /nowhere/model holds no exported model"),
    ],
)
def test_teachers_that_cannot_teach_are_one_sentence(teacher: str, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        build_teacher(student(teacher), channels=3, classes=10, img_size=32)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_teacher_that_cannot_be_fetched_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    tag = "test_resnet.r160_in1k"
    assert timm.is_model("test_resnet")
    with pytest.raises(ModelError, match=r"could not be fetched.*local-dir:PATH"):
        build_teacher(student(tag), channels=3, classes=1000, img_size=160)
