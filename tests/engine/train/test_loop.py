"""The loop, on twenty-four tiny images: what an update is, when is evaluated, and that stopping changes nothing."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from engine.journal import read_all
from engine.recipe import RecipeError
from engine.schedules import learning_rate
from engine.train import checkpoint
from engine.train.loop import Trainer
from engine.train.stop import Stopped
from tests.engine.train.small import small_trainer

PLAIN_SGD = {"name": "sgd", "lr": 0.5, "momentum": 0.0, "weight_decay": 0.0}
CONSTANT = {"name": "constant"}


def linear() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 3))


def dropping() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(16, 3))


def weights(trainer: Trainer) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in trainer.model.state_dict().items()}


def evaluated(trainer: Trainer) -> list[int]:
    return [e["step"] for e in read_all(trainer.run.journal) if e["kind"] == "eval" and e["weights"] == "model"]


def test_trap_T04_an_accumulated_step_equals_that_of_the_whole_batch(tmp_path: Path) -> None:
    """With SGD an undivided loss makes the step as many times too long as there are micro-batches."""
    for parts in (1, 2, 4):
        recipe = {"optim": PLAIN_SGD, "schedule": CONSTANT, "train": {"batch_size": 8, "grad_accum_steps": parts}}
        trainer = small_trainer(tmp_path / str(parts), recipe, model=linear())
        pairs = list(trainer.splits.train.epoch(0))[:parts]
        images, labels = (torch.cat(part) for part in zip(*pairs, strict=True))
        assert len(images) == 8
        model = linear()
        loss = -model(images).log_softmax(1)[torch.arange(8), labels].sum() / 8
        loss.backward()
        trainer._step(iter(pairs), parts)
        for ours, reference in zip(trainer.model.parameters(), model.parameters(), strict=True):
            torch.testing.assert_close(ours, reference - 0.5 * reference.grad)
        trainer._log(everything=True)
        [metrics] = [e for e in read_all(trainer.run.journal) if e["kind"] == "metrics"]
        assert metrics["values"]["train/loss"] == [pytest.approx(loss.item(), rel=1e-6)]


def test_trap_T03_accumulation_changes_memory_and_the_batch_size_changes_the_update(tmp_path: Path) -> None:
    def after(batch: int, parts: int) -> Tensor:
        recipe = {"train": {"batch_size": batch, "grad_accum_steps": parts, "epochs": 2}, "optim": {"lr": 0.01}}
        trainer = small_trainer(tmp_path / f"{batch}-{parts}", recipe, model=linear())
        sizes = {len(images) for images, _ in trainer.splits.train.epoch(0)}
        assert sizes == {batch // parts}
        trainer.train()
        assert trainer.progress.step == 2 * (24 // batch)
        return trainer.model[1].weight.detach()

    whole = after(8, 1)
    torch.testing.assert_close(after(8, 4), whole, rtol=1e-5, atol=1e-6)
    assert (after(4, 1) - whole).abs().max() > 1e-3


def test_trap_T22_the_learning_rate_used_is_the_recipes_whatever_the_batch(tmp_path: Path) -> None:
    for batch, parts in ((4, 1), (8, 1), (8, 4)):
        recipe = {
            "optim": {"lr": 3e-4}, "schedule": {"warmup_epochs": 1},
            "train": {"batch_size": batch, "grad_accum_steps": parts, "log_every": 1, "epochs": 3},
        }  # fmt: skip
        trainer = small_trainer(tmp_path / f"{batch}-{parts}", recipe, model=linear())
        used: list[float] = []
        trainer.optimizer.register_step_pre_hook(lambda o, *_, used=used: used.append(o.param_groups[0]["lr"]))
        trainer.train()
        spe = 24 // batch
        assert used == [learning_rate(trainer.recipe, step, spe) for step in range(3 * spe)]
        assert max(used) == used[spe] == 3e-4
        told = [e["values"]["train/lr"] for e in read_all(trainer.run.journal) if e["kind"] == "metrics"]
        assert [rate for part in told for rate in part] == pytest.approx(used, rel=1e-6)


def test_trap_T09_a_resume_brings_back_optimiser_and_schedule_and_an_evaluation_counts_all_images(
    tmp_path: Path,
) -> None:
    recipe = {"train": {"epochs": 3}, "schedule": {"warmup_epochs": 1}, "evaluate": {"batch_size": 7}}
    trainer = small_trainer(tmp_path, recipe)
    stop_after(trainer, 9)
    with pytest.raises(Stopped):
        trainer.train()
    moments = [state["exp_avg"].clone() for state in trainer.optimizer.state.values()]
    again = resumed(tmp_path, recipe)
    kept = list(again.optimizer.state.values())
    assert len(kept) == 4 and all(state["step"] == 9 for state in kept)
    assert all(torch.equal(a, state["exp_avg"]) for a, state in zip(moments, kept, strict=True))
    rates: list[float] = []
    again.optimizer.register_step_pre_hook(lambda o, *_: rates.append(o.param_groups[0]["lr"]))
    again.train()
    assert rates == [learning_rate(again.recipe, step, 6) for step in range(9, 18)]
    last = [e for e in read_all(again.run.journal) if e["kind"] == "eval"][-1]
    sizes, right, cost = [], 0, 0.0
    for images, labels in again.splits.select.batches():
        with torch.no_grad():
            logits = again.model.eval()(images)
        sizes.append(len(labels))
        right += int((logits.argmax(1) == labels).sum())
        cost += F.cross_entropy(logits, labels).item() * len(labels)
    assert sizes == [7, 7, 7, 3] and last["images"] == 24 and last["step"] == 18
    assert last["values"]["top1"] == pytest.approx(100 * right / 24)
    assert last["values"]["loss"] == pytest.approx(cost / 24, rel=1e-5)


def test_evaluations_inside_epochs_come_at_every_multiple_and_change_no_weight(tmp_path: Path) -> None:
    often = small_trainer(tmp_path / "often", {"evaluate": {"every_steps": 4}}, model=dropping())
    seldom = small_trainer(tmp_path / "seldom", {"evaluate": {"every_epochs": 2}}, model=dropping())
    often.train()
    seldom.train()
    assert evaluated(often) == [4, 8, 12] and evaluated(seldom) == [12]
    a, b = weights(often), weights(seldom)
    assert all(torch.equal(a[name], b[name]) for name in a)
    best = often.progress.best
    assert best["step"] in (4, 8, 12) and checkpoint.load(often.run.best)["progress"].step == best["step"]


def test_checkpoints_by_steps_come_at_every_multiple_at_the_ends_of_epochs_too(tmp_path: Path) -> None:
    """Six steps an epoch: every multiple of 6 is the end of one, and every third multiple of 4."""
    for every, expected in ((6, [6, 12, 18]), (4, [4, 8, 12, 16, 18])):
        train = {"epochs": 3, "checkpoint_every_steps": every, "checkpoint_every_epochs": 0}
        trainer = small_trainer(tmp_path / str(every), {"train": train, "evaluate": {"every_epochs": 3}})
        trainer.train()
        events = [e for e in read_all(trainer.run.journal) if e["kind"] == "checkpoint"]
        assert [e["step"] for e in events] == expected


def test_a_run_counted_in_steps_ends_inside_an_epoch_with_evaluation_and_checkpoint(tmp_path: Path) -> None:
    recipe = {"train": {"steps": 9, "epochs": 100}, "optim": {"lr": 0.5}, "schedule": {"warmup_steps": 2}}
    trainer = small_trainer(tmp_path, recipe)
    trainer.train()
    assert trainer.progress.step == trainer.total_steps == 9 and trainer.epoch == 1.5
    assert evaluated(trainer) == [6, 9]
    assert checkpoint.load(trainer.run.last)["progress"].step == 9
    assert trainer.report()["report-last"]["step"] == 9
    inside = small_trainer(tmp_path / "short", {"train": {"steps": 2, "epochs": 100}})
    inside.train()
    assert evaluated(inside) == [2] and inside.run.best.exists()
    with pytest.raises(RecipeError, match="must be less than the whole run, which has 9 steps"):
        small_trainer(tmp_path / "long", {"train": {"steps": 9}, "schedule": {"warmup_epochs": 2}})


def test_the_evaluation_loss_is_of_the_kind_that_is_trained(tmp_path: Path) -> None:
    trainer = small_trainer(tmp_path, {"train": {"loss": "sigmoid"}, "regularize": {"label_smoothing": 0.1}})
    trainer.train()
    cost = 0.0
    for images, labels in trainer.splits.select.batches():
        with torch.no_grad():
            logits = trainer.model.eval()(images)
        cost += F.binary_cross_entropy_with_logits(logits, F.one_hot(labels, 3).float(), reduction="sum").item()
    assert trainer.progress.last["loss"] == pytest.approx(cost / 24, rel=1e-5)


class Steep(nn.Module):
    """Every gradient is finite in float32, and their norm is not: its squares overflow."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * 1e22 + torch.zeros(len(x), 3)


@pytest.mark.parametrize("clip", [0.0, 1.0])
@pytest.mark.parametrize("precision", ["fp16", "fp32"])
def test_an_update_whose_norm_overflows_is_skipped_for_real(tmp_path: Path, precision: str, clip: float) -> None:
    """GradScaler.step() sees that no single gradient is infinite, and would apply what is counted as skipped."""
    train = {"precision": precision, "loss_scale": 1024.0, "clip_grad": clip, "nonfinite_patience": 100}
    recipe = {"optim": PLAIN_SGD, "schedule": CONSTANT, "train": train, "regularize": {"ema": 0.5}}
    trainer = small_trainer(tmp_path, recipe, model=Steep())
    assert trainer.scaler.get_scale() == (1024.0 if precision == "fp16" else 1.0)
    grads: list[Tensor] = []
    assert isinstance(trainer.model, Steep)
    trainer.model.weight.register_post_accumulate_grad_hook(lambda p: grads.append(p.grad.clone()))
    trainer._step(trainer.splits.train.epoch(0), 1)
    assert torch.isfinite(grads[0]).all() and grads[0].abs().max() > 1e20
    assert not trainer.model.weight.any()
    trainer._log(everything=True)
    [bad] = [e for e in read_all(trainer.run.journal) if e["kind"] == "nonfinite"]
    assert bad["what"] == "grad_norm"


def stop_after(trainer: Trainer, step: int) -> None:
    """Ask `trainer` to stop as soon as `step` updates are done, as a signal that comes in the meantime does."""
    real = trainer._step

    def counted(batches: Any, accumulate: int) -> None:
        real(batches, accumulate)
        if trainer.progress.step >= step:
            trainer.stop.reason = "SIGTERM"

    trainer._step = counted  # type: ignore[method-assign]


class Killed(BaseException):
    """Nothing of the trainer may catch this."""


def kill_after(trainer: Trainer, step: int) -> None:
    real = trainer._step

    def counted(batches: Any, accumulate: int) -> None:
        if trainer.progress.step >= step:
            raise Killed
        real(batches, accumulate)

    trainer._step = counted  # type: ignore[method-assign]


def resumed(path: Path, recipe: dict[str, Any], model: nn.Module | None = None) -> Trainer:
    """A new attempt as the session begins one."""
    trainer = small_trainer(path, recipe, model=model)
    content, problems = checkpoint.recover(trainer.run)
    assert not problems
    if content is not None:
        trainer.restore(content)
    trainer.journal.event("resumed", step=trainer.progress.step, epoch=trainer.epoch, path="")
    return trainer


def surviving(trainer: Trainer) -> dict[tuple[int, str], dict[str, float]]:
    """(step, weights) -> values of the evaluations that no resume superseded; each of them once."""
    found: dict[tuple[int, str], dict[str, float]] = {}
    for event in read_all(trainer.run.journal):
        if event["kind"] == "resumed":
            found = {key: value for key, value in found.items() if key[0] <= event["step"]}
        if event["kind"] == "eval":
            assert (event["step"], event["weights"]) not in found
            found[event["step"], event["weights"]] = event["values"]
    return found


@example(steps=0, every_steps=1, saving=0, parts=1, scope="full", ema=0.0, ends=[(True, 2), (False, 0)])
@settings(max_examples=15, deadline=None)
@given(
    steps=st.integers(0, 17), every_steps=st.integers(0, 5), saving=st.integers(0, 7), parts=st.sampled_from([1, 2]),
    scope=st.sampled_from(["full", "head"]), ema=st.sampled_from([0.0, 0.9]),
    ends=st.lists(st.tuples(st.booleans(), st.integers(0, 17)), min_size=1, max_size=3),
)  # fmt: skip
def test_a_run_that_is_stopped_and_killed_anywhere_ends_with_the_same_bits(
    steps: int, every_steps: int, saving: int, parts: int, scope: str, ema: float, ends: list[tuple[bool, int]]
) -> None:
    recipe = {
        "train": {"steps": steps, "epochs": 2, "batch_size": 4, "grad_accum_steps": parts, "scope": scope,
                  "checkpoint_every_steps": saving, "log_every": 4},
        "evaluate": {"every_steps": every_steps}, "schedule": {"warmup_steps": min(1, steps - 1) if steps else 1},
        "regularize": {"ema": ema, "label_smoothing": 0.1}, "mix": {"mixup": 0.5}, "augment": {"erasing": 0.5},
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        whole = small_trainer(Path(folder) / "whole", recipe, model=dropping())
        whole.train()
        broken = small_trainer(Path(folder) / "broken", recipe, model=dropping())
        for stops, step in ends:
            (stop_after if stops else kill_after)(broken, step)
            with contextlib.suppress(Stopped, Killed):
                broken.train()
            broken.journal.close()
            broken = resumed(Path(folder) / "broken", recipe, dropping())
        broken.train()
        for path in ("last", "best"):
            a, b = (checkpoint.load(getattr(trainer.run, path)) for trainer in (whole, broken))
            assert all(torch.equal(a["model"][key], b["model"][key]) for key in a["model"])
            assert not ema or all(torch.equal(a["ema"][key], b["ema"][key]) for key in a["ema"])
            moments = a["optimizer"]["state"], b["optimizer"]["state"]
            assert all(torch.equal(v, moments[1][k][n]) for k, s in moments[0].items() for n, v in s.items())
            apart = {"seconds"}
            assert {k: v for k, v in vars(a["progress"]).items() if k not in apart} == {
                k: v for k, v in vars(b["progress"]).items() if k not in apart
            }
        assert surviving(whole) == surviving(broken)
