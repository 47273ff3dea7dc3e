"""Losses against formulas written with other operations, and numbers worked by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from timm.data.mixup import mixup_target
from timm.loss import SoftTargetCrossEntropy
from torch import Tensor

from engine.models.errors import ModelError
from engine.recipe.schema import Recipe
from engine.train.distill import Distillation, distillation_loss
from engine.train.guard import Guard
from engine.train.loss import Loss, loss_of_guessing, loss_per_image
from tests.engine.train.small import small_trainer


@pytest.fixture
def logits() -> Tensor:
    return torch.randn(6, 5, generator=torch.Generator().manual_seed(3)) * 3


LABELS = torch.tensor([0, 4, 2, 2, 1, 3])


def test_cross_entropy_smooths_classes_and_takes_soft_targets_as_they_are(logits: Tensor) -> None:
    smooth = 0.9 * torch.eye(5)[LABELS] + 0.1 / 5
    expected = -(smooth * logits.log_softmax(1)).sum(1)
    torch.testing.assert_close(loss_per_image(logits, LABELS, "cross-entropy", 0.1), expected)
    torch.testing.assert_close(loss_per_image(logits, smooth, "cross-entropy", 0.1), expected)
    mixed = mixup_target(LABELS, 5, lam=0.3, smoothing=0.1)
    theirs = SoftTargetCrossEntropy()(logits, mixed)
    torch.testing.assert_close(loss_per_image(logits, mixed, "cross-entropy", 0.1).mean(), theirs)


def test_trap_T20_the_sigmoid_loss_is_summed_over_classes(logits: Tensor) -> None:
    logits.requires_grad_()
    one_hot = torch.eye(5)[LABELS]
    # big_vision's sigmoid_xent: -sum(labels * log_p + (1 - labels) * log_not_p)
    theirs = -(one_hot * torch.sigmoid(logits).log() + (1 - one_hot) * torch.sigmoid(-logits).log()).sum(1)
    ours = loss_per_image(logits, LABELS, "sigmoid")
    torch.testing.assert_close(ours, theirs)
    mean = F.binary_cross_entropy_with_logits(logits, one_hot)
    torch.testing.assert_close(ours.mean(), 5 * mean)
    [gradient], [of_mean] = torch.autograd.grad(ours.mean(), logits), torch.autograd.grad(mean, logits)
    torch.testing.assert_close(gradient, 5 * of_mean)
    # two classes, logits 0 and ln 3: ln 2 for the right one, -ln(1 - 3/4) for the wrong one
    two = loss_per_image(torch.tensor([[0.0, math.log(3)]]), torch.tensor([0]), "sigmoid")
    assert two.item() == pytest.approx(math.log(2) + math.log(4))


def test_the_sigmoid_loss_smooths_classes_and_takes_soft_targets_as_they_are(logits: Tensor) -> None:
    smooth = 0.8 * torch.eye(5)[LABELS] + 0.2 / 5
    probability = torch.sigmoid(logits)
    expected = -(smooth * probability.log() + (1 - smooth) * (1 - probability).log()).sum(1)
    torch.testing.assert_close(loss_per_image(logits, LABELS, "sigmoid", 0.2), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(loss_per_image(logits, smooth, "sigmoid", 0.2), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("kind", "guess"), [("cross-entropy", math.log(1000)), ("sigmoid", 1000 * math.log(2))])
def test_divergence_is_measured_by_what_guessing_costs_under_the_loss(kind: Loss, guess: float) -> None:
    silent = loss_per_image(torch.zeros(1, 1000), torch.tensor([7]), kind).item()
    assert loss_of_guessing(kind, 1000) == pytest.approx(guess) == pytest.approx(silent, rel=1e-5)
    recipe = Recipe.model_validate({"train": {"loss": kind}})
    assert Guard(recipe, 1000, False)._guessing == pytest.approx(guess)


def test_trap_T02_label_smoothing_can_be_turned_off_while_images_are_mixed(tmp_path: Path) -> None:
    """With the flag hard-coded inside the mixing, the ablation "no label smoothing" would be a rerun."""
    losses = {}
    for smoothing in (0.0, 0.1):
        recipe = {"mix": {"mixup": 0.8, "cutmix": 1.0}, "regularize": {"label_smoothing": smoothing}}
        trainer = small_trainer(tmp_path / str(smoothing), recipe)
        images, targets = next(trainer.splits.train.epoch(0))
        assert targets.is_floating_point()
        losses[smoothing] = trainer._loss(images, targets).item()
        trainer.model.train()
        logits = trainer.model(images)
        plain = next(small_trainer(tmp_path / "plain", {"mix": recipe["mix"]}).splits.train.epoch(0))[1]
        expected = -(((1 - smoothing) * plain + smoothing / 3) * logits.log_softmax(1)).sum(1).mean().item()
        assert losses[smoothing] == pytest.approx(expected, rel=1e-5)
    assert losses[0.0] != pytest.approx(losses[0.1], rel=1e-3)


def test_hard_distillation_is_the_cross_entropy_with_the_teachers_choice() -> None:
    student = torch.tensor([[0.0, math.log(3)], [math.log(7), 0.0]])
    teacher = torch.tensor([[1.0, 2.0], [0.0, 5.0]])  # class 1 both times
    expected = (math.log(4 / 3) + math.log(8)) / 2
    assert distillation_loss(student, teacher, "hard", 7.0).item() == pytest.approx(expected)


def test_soft_distillation_is_a_divergence_divided_by_images_and_classes(logits: Tensor) -> None:
    teacher, tau = logits.flip(0) * 2, 3.0
    p, q = (teacher / tau).softmax(1).double(), (logits / tau).softmax(1).double()
    expected = (p * (p / q).log()).sum() * tau**2 / (6 * 5)
    assert distillation_loss(logits, teacher, "soft", tau).item() == pytest.approx(expected.item(), rel=1e-5)
    assert distillation_loss(logits, logits, "soft", tau).item() == pytest.approx(0, abs=1e-7)


def test_alpha_weighs_the_teacher_against_the_labels_and_the_teacher_stays_outside_the_graph() -> None:
    weight = torch.ones((), requires_grad=True)
    recipe = Recipe.model_validate({"distill": {"kind": "hard", "teacher": "t", "alpha": 0.25}})
    distillation = Distillation(recipe.distill, lambda images: images.flatten(1) * weight)
    taught = distillation.taught(torch.eye(2, dtype=torch.float16))
    assert not taught.requires_grad and taught.dtype == torch.float32
    student = torch.zeros(2, 2)
    combined = distillation.combine(torch.tensor(8.0), student, taught)
    assert combined.item() == pytest.approx(0.75 * 8 + 0.25 * math.log(2))
    with pytest.raises(ModelError, match="'t' knows 2 classes and the model learns 3"):
        distillation.combine(torch.tensor(8.0), torch.zeros(2, 3), taught)
