"""What is trained: both heads of a distilled model, the classifier alone, a model in eval mode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from timm.models.deit import VisionTransformerDistilled
from torch import Tensor, nn

from engine.journal import read_all
from engine.models.errors import ModelError
from engine.recipe import validate
from engine.recipe.fields.model import Distill
from engine.train.distill import Distillation
from engine.train.trained import set_training_mode
from tests.engine.train.small import small_trainer


def deit(kind: type[VisionTransformerDistilled] = VisionTransformerDistilled, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    return kind(
        img_size=4, patch_size=2, in_chans=1, num_classes=3, embed_dim=8, depth=1, num_heads=2, weight_init="",
        global_pool="token", **options,
    )  # fmt: skip


def teach(images: Tensor) -> Tensor:
    return images.flatten(1)[:, :3] * 5


HARD = {"kind": "hard", "teacher": "somebody", "alpha": 0.5}


class Probe(nn.Module):
    """A body with BatchNorm and dropout, and a head of its own, as timm's models have them."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(16, 8))
        self.head = nn.Sequential(nn.BatchNorm1d(8, affine=False), nn.Linear(8, 3))

    def get_classifier(self) -> nn.Module:
        return self.head

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))  # type: ignore[no-any-return]


def frozen() -> Probe:
    model = Probe()
    model.body.requires_grad_(False)
    return model


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_trap_T01_both_heads_learn_and_evaluation_averages_them(tmp_path: Path, mode: str) -> None:
    """The class head from the labels, the distillation head from the teacher; in eval mode just as well."""
    model = deit()
    distillation = Distillation(Distill.model_validate(HARD), teach)
    recipe = {"distill": HARD, "train": {"mode": mode, "epochs": 1}}
    trainer = small_trainer(tmp_path, recipe, model=model, distillation=distillation)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    images, labels = next(trainer.splits.train.epoch(0))
    set_training_mode(model, trainer.recipe)
    first, second = model(images)
    expected = 0.5 * nn.functional.cross_entropy(first, labels)
    expected = expected + 0.5 * nn.functional.cross_entropy(second, teach(images).argmax(1))
    assert trainer._loss(images, labels).item() == pytest.approx(expected.item(), rel=1e-6)
    trainer.train()
    for name in ("head.weight", "head_dist.weight", "dist_token", "cls_token"):
        assert not torch.equal(before[name], model.state_dict()[name]), name
    model.eval()
    tokens = model.forward_features(images)
    mean = (model.head(tokens[:, 0]) + model.head_dist(tokens[:, 1])) / 2
    torch.testing.assert_close(model(images), mean)


def test_trap_T01_without_a_teacher_both_heads_learn_from_the_labels(tmp_path: Path) -> None:
    model = deit()
    trainer = small_trainer(tmp_path, {"train": {"epochs": 1}}, model=model)
    before = model.head_dist.weight.clone()
    trainer.train()
    assert not torch.equal(model.head_dist.weight, before)
    assert not [e for e in read_all(trainer.run.journal) if e["kind"] == "warning"]


class OneHead(VisionTransformerDistilled):
    """What ``pred, _ = model(x)`` makes of it: the second head takes no part, and evaluation would average it in."""

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        return self.head(x[:, 0])  # type: ignore[no-any-return]


def test_trap_T01_a_head_that_gets_no_gradient_is_an_error(tmp_path: Path) -> None:
    trainer = small_trainer(tmp_path, {}, model=deit(OneHead))
    with pytest.raises(ModelError, match=r"head_dist.weight, head_dist.bias of the classifier gets no gradient"):
        trainer.train()
    assert trainer.progress.step == 0


def test_a_model_whose_outputs_do_not_fit_the_loss_is_an_error(tmp_path: Path) -> None:
    model = deit()
    model.set_distilled_training(True)
    with pytest.raises(ModelError, match=r'gives 2 outputs in training, but distill.kind = "none" needs 1'):
        small_trainer(tmp_path, {}, model=model).train()


def test_other_parameters_without_a_gradient_are_a_warning_once_an_attempt(tmp_path: Path) -> None:
    model = frozen()
    model.spare = nn.Linear(2, 2)
    trainer = small_trainer(tmp_path, {"train": {"scope": "head"}}, model=model)
    trainer.train()
    [said] = [e["message"] for e in read_all(trainer.run.journal) if e["kind"] == "warning"]
    assert "spare.weight, spare.bias: trained, but the loss does not depend on it" in said


def test_training_the_head_leaves_the_rest_and_its_statistics_as_they_are(tmp_path: Path) -> None:
    model = frozen()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    recipe = {"train": {"scope": "head"}, "evaluate": {"every_steps": 1}, "regularize": {"ema": 0.5}}
    trainer = small_trainer(tmp_path, recipe, model=model)
    trainer.train()
    after = model.state_dict()
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert same == {name for name in before if name.startswith("body.")}
    assert model.body[2].training and model.head[0].training and not model.body[0].training
    assert trainer.ema is not None
    average = trainer.ema.module.state_dict()
    assert all(torch.equal(before[name], average[name]) for name in same)
    assert not torch.equal(average["head.1.weight"], before["head.1.weight"])


def test_eval_mode_trains_weights_without_dropout_and_with_fixed_statistics(tmp_path: Path) -> None:
    model = Probe()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    trainer = small_trainer(tmp_path, {"train": {"mode": "eval"}}, model=model)
    images, labels = next(trainer.splits.train.epoch(0))
    set_training_mode(model, trainer.recipe)
    assert trainer._loss(images, labels).item() == trainer._loss(images, labels).item()
    trainer.train()
    after = model.state_dict()
    assert not torch.equal(after["body.3.weight"], before["body.3.weight"])
    for name in ("body.0.running_mean", "body.0.num_batches_tracked", "head.0.running_var"):
        assert torch.equal(after[name], before[name]), name
    assert not any(module.training for module in model.modules())


def test_batchnorm_that_is_trained_outside_the_head_follows_its_batches() -> None:
    model = frozen()
    model.body[0].weight.requires_grad_(True)
    set_training_mode(model, validate({"train": {"scope": "head"}}))
    assert model.body[0].training
