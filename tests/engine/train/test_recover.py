"""What a later attempt finds and does after an earlier one ended badly."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.journal import RunDir, read_all
from engine.models.rescale import BiasLayer
from engine.optim import build_optimizer, restore_optimizer
from engine.recipe import validate
from engine.train import checkpoint, loop
from engine.train.checkpoint import Progress
from engine.train.errors import CheckpointError
from engine.train.stop import Stopped
from tests.engine.train.small import small_trainer

STATE: dict[str, Any] = {"model": {"w": torch.arange(3.0)}, "optimizer": {}, "scaler": {}, "ema": None}


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    run = RunDir(tmp_path / "run")
    run.checkpoints.mkdir(parents=True)
    return run


def at(step: int, best: int | None = None) -> Progress:
    return Progress(step=step, best={"step": best, "value": 9.0} if best else {}, last={"step": step, "value": 9.0})


def test_an_attempt_that_died_between_last_and_best_is_put_right(run: RunDir) -> None:
    checkpoint.save(run, STATE, at(5, 5), best=True)
    checkpoint.save(run, STATE, at(9, 9), best=False)  # killed before best.pt was made the same
    content, problems = checkpoint.recover(run)
    assert content is not None and content["progress"].best["step"] == 9 and not problems
    assert checkpoint.load(run.best)["progress"].step == 9
    run.best.unlink()
    assert checkpoint.recover(run)[0] is not None and checkpoint.load(run.best)["progress"].step == 9


def test_a_best_checkpoint_that_is_gone_is_not_claimed_any_more(run: RunDir) -> None:
    checkpoint.save(run, STATE, Progress(step=9, best={"step": 5, "value": 9.0}, last={"step": 8, "value": 1.0}), False)
    content, problems = checkpoint.recover(run)
    assert content is not None and content["progress"].best == {} and "step 5, is gone" in problems[0]
    checkpoint.save(run, STATE, at(10, 5), best=False)  # evaluated: it can take the place itself
    content, problems = checkpoint.recover(run)
    assert content is not None and content["progress"].best["step"] == 10 and len(problems) == 1
    assert checkpoint.load(run.best)["progress"].step == 10


def test_another_format_is_refused_and_nothing_is_moved(run: RunDir) -> None:
    checkpoint.save(run, STATE, at(5, 5), best=True)
    torch.save({**torch.load(run.last, weights_only=True), "format": 99}, run.last)
    with pytest.raises(CheckpointError, match="format 99"):
        checkpoint.recover(run)
    assert sorted(p.name for p in run.checkpoints.iterdir()) == ["best.pt", "last.pt"]


def test_a_checkpoint_that_cannot_be_read_at_the_moment_does_not_start_the_run_over(run: RunDir) -> None:
    checkpoint.save(run, STATE, at(5, 5), best=True)
    run.last.unlink()
    run.last.mkdir()  # reading it is an error of the system, not damage
    with pytest.raises(OSError) as caught:
        checkpoint.recover(run)
    assert caught.value.errno == errno.EISDIR and run.last.is_dir() and run.best.is_file()


def test_what_a_killed_attempt_was_writing_is_cleared_away(run: RunDir) -> None:
    (run.checkpoints / ".last.pt.123.abcd.tmp").write_bytes(b"half")
    assert checkpoint.recover(run) == (None, []) and not list(run.checkpoints.iterdir())


def test_options_of_the_optimiser_are_not_those_of_the_device_or_recipe_before() -> None:
    def build(**optim: object) -> torch.optim.Optimizer:
        return build_optimizer(torch.nn.Linear(2, 2), validate({"optim": optim}))

    before = build(weight_decay=0.5)
    for group in before.param_groups:
        group["fused"] = True
    for parameter in (p for g in before.param_groups for p in g["params"]):
        parameter.grad = torch.ones_like(parameter)
    before.step()
    after = build(weight_decay=0.1)
    restore_optimizer(after, before.state_dict())
    assert [g["weight_decay"] for g in after.param_groups] == [0.1, 0.0]
    assert not any(g["fused"] for g in after.param_groups)
    assert all(s["step"] == 1 and s["exp_avg"].abs().sum() > 0 for s in after.state.values())
    assert len(after.state) == 2
    saved = before.state_dict()
    saved["param_groups"][0]["names"] = ["other"]
    with pytest.raises(ValueError, match="other parameters"):
        restore_optimizer(after, saved)


def test_momentum_begins_at_zero_even_when_the_first_fused_step_is_skipped() -> None:
    layer = torch.nn.Linear(2, 2)
    optimizer = build_optimizer(layer, validate({"optim": {"name": "sgd"}}))
    assert all(torch.equal(s["momentum_buffer"], torch.zeros_like(p)) for p, s in optimizer.state.items())
    assert len(optimizer.state) == 2
    for group in optimizer.param_groups:
        group["fused"] = True
    optimizer.found_inf = torch.tensor(1.0)  # type: ignore[attr-defined]
    before = layer.weight.clone()
    for parameter in layer.parameters():
        parameter.grad = torch.full_like(parameter, torch.nan)
    optimizer.step()
    assert torch.equal(layer.weight, before) and not optimizer.state[layer.weight]["momentum_buffer"].any()


def test_a_checkpoint_of_other_data_is_refused(tmp_path: Path) -> None:
    trainer = small_trainer(tmp_path / "r", {})
    trainer.train()
    content, _ = checkpoint.recover(trainer.run)
    assert content is not None
    with pytest.raises(CheckpointError, match="fingerprint was f, is g"):
        small_trainer(tmp_path / "r", {}, fingerprint="g").restore(content)
    with pytest.raises(CheckpointError, match="steps_per_epoch was 6, is 12"):
        small_trainer(tmp_path / "r", {"train": {"batch_size": 2}}).restore(content)
    other = {**content, "data": {**content["data"], "mean": [0.25]}}
    with pytest.raises(CheckpointError, match=r"mean was \[0.25\], is \[0.5\]"):
        small_trainer(tmp_path / "r", {}).restore(other)
    again = small_trainer(tmp_path / "r", {})
    again.restore(content)
    assert again.progress.step == 12 and again.progress.first_loss == trainer.progress.first_loss is not None


def test_a_run_can_go_on_in_fp16_from_a_device_where_it_needed_no_scaler(tmp_path: Path) -> None:
    trainer = small_trainer(tmp_path / "r", {"train": {"precision": "fp32"}})
    trainer.train()
    content, _ = checkpoint.recover(trainer.run)
    assert content is not None and content["scaler"] == {}
    again = small_trainer(tmp_path / "r", {"train": {"precision": "fp16"}})
    again.restore(content)
    assert again.scaler.is_enabled() and again.scaler.get_scale() > 1


def test_running_statistics_survive_a_step_that_is_skipped(tmp_path: Path) -> None:
    trainer = small_trainer(tmp_path / "r", {"regularize": {"ema": 0.9}})
    norm = trainer.model[0]
    images, labels = torch.rand(4, 1, 4, 4), torch.tensor([0, 1, 2, 0])
    trainer._step(iter([(images, labels)]), 1)
    kept = norm.running_mean.clone(), norm.running_var.clone()
    assert kept[0].item() != 0
    trainer._step(iter([(images * torch.nan, labels)]), 1)
    assert torch.equal(norm.running_mean, kept[0]) and torch.equal(norm.running_var, kept[1])
    assert all(torch.isfinite(v).all() for v in trainer.ema.module.state_dict().values())


def test_a_skipped_step_does_not_count_for_rescales_calibration(tmp_path: Path) -> None:
    torch.manual_seed(0)
    layer = BiasLayer(16)
    trainer = small_trainer(
        tmp_path / "r", {}, model=torch.nn.Sequential(torch.nn.Flatten(), layer, torch.nn.Linear(16, 3))
    )
    images, labels = torch.rand(4, 1, 4, 4), torch.tensor([0, 1, 2, 0])
    trainer._step(iter([(images, labels)]), 1)
    kept = layer.mean.clone()
    torch.testing.assert_close(kept, images.flatten(1).mean(0))
    trainer._step(iter([(images * torch.nan, labels)]), 1)
    assert torch.equal(layer.mean, kept) and layer.count == 1


class FullDisk:
    """Makes checkpoint writes fail the way a full disk does, for as long as `full` is true."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        real = checkpoint.atomic_write

        def write(path: Path, data: bytes | memoryview) -> None:
            if self.full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            real(path, data)

        monkeypatch.setattr(checkpoint, "atomic_write", write)


def test_a_best_epoch_that_could_not_be_saved_is_not_the_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk(monkeypatch)
    trainer = small_trainer(tmp_path / "r", {"train": {"epochs": 3}})
    disk.full = True
    trainer._epoch()
    trainer._evaluate_if_due()
    assert trainer.progress.best == {} and not trainer.run.last.exists()
    disk.full = False
    trainer.train()
    best = checkpoint.load(trainer.run.best)["progress"]
    assert best.step == trainer.progress.best["step"] > 6


def test_a_run_whose_last_checkpoint_cannot_be_written_has_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(monkeypatch)
    trainer = small_trainer(tmp_path / "r", {"train": {"epochs": 1}})
    disk.full = True
    with pytest.raises(OSError, match="No space left"):
        trainer.train()


def test_a_stop_that_could_not_save_says_where_it_would_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk(monkeypatch)
    trainer = small_trainer(tmp_path / "r", {})
    disk.full, trainer.stop.reason = True, "SIGTERM"
    with pytest.raises(Stopped, match=r"SIGTERM; its checkpoint could not be written.* from step 0"):
        trainer.train()


def test_an_evaluation_without_a_finite_loss_is_never_the_best(tmp_path: Path) -> None:
    trainer = small_trainer(tmp_path / "r", {})
    trainer._epoch()
    weight = trainer.model[2].weight
    kept = weight.detach().clone()
    with torch.no_grad():
        weight.fill_(torch.nan)
    trainer._evaluate_if_due()
    assert trainer.progress.best == {} and not trainer.run.best.exists()
    with torch.no_grad():
        weight.copy_(kept)
    trainer.train()
    assert trainer.progress.best["step"] == 12
    assert [e["what"] for e in read_all(trainer.run.journal) if e["kind"] == "nonfinite"] == ["test/loss"]


def test_speed_is_of_the_steps_done_not_of_the_losses_that_have_arrived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GPU's losses come one interval late; its first figure would be half the speed, its last one too much."""
    trainer = small_trainer(tmp_path / "r", {"train": {"log_every": 2, "epochs": 1}})
    trainer.meter._cuda = True
    copy = trainer.meter._copy

    def late() -> Any:
        trainer.meter._cuda = False
        try:
            return copy()
        finally:
            trainer.meter._cuda = True

    trainer.meter._copy = late  # type: ignore[method-assign]
    # A clock that stands still but for one second a step: four images a second, whenever it is looked at.
    monkeypatch.setattr(loop.time, "monotonic", lambda: float(trainer.progress.step))
    trainer._epoch()
    values = [e["values"] for e in read_all(trainer.run.journal) if e["kind"] == "metrics"]
    assert [len(v["train/loss"]) for v in values] == [2, 2, 2]
    assert [v.get("train/images_per_s") for v in values] == [4.0, 4.0, None]


def test_a_result_without_its_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    trainer = small_trainer(tmp_path / "r", {})
    trainer.train()
    trainer.run.best.unlink()
    with pytest.raises(CheckpointError, match=r"best.pt is gone; resume the run"):
        trainer.report()
    assert checkpoint.recover(trainer.run)[0] is not None
    assert trainer.report()["report-best"]["step"] == checkpoint.load(trainer.run.best)["progress"].step
