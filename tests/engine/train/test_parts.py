"""Parts of training against independent values: averages, evaluation, the meter, checkpoints."""

from __future__ import annotations

import math
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from timm.utils import ModelEmaV3
from torch import nn

from engine.journal import RunDir
from engine.train import checkpoint
from engine.train.checkpoint import Progress
from engine.train.ema import Ema, decay_at
from engine.train.evaluate import evaluate
from engine.train.meter import Meter


def test_the_average_equals_timms_and_copies_counters() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    ours = Ema(model, 0.9, warmup=False)
    theirs = ModelEmaV3(model, decay=0.9, use_warmup=False)
    for step in range(7):
        model(torch.randn(8, 3))
        with torch.no_grad():
            for p in model.parameters():
                p.add_(torch.randn_like(p))
        ours.update(model, step)
        theirs.update(model)
    for (key, a), b in zip(ours.module.state_dict().items(), theirs.module.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, msg=key, rtol=1e-6, atol=1e-6)
    assert ours.module.state_dict()["1.num_batches_tracked"] == 7


def test_the_average_stays_where_an_update_was_skipped_and_warms_up() -> None:
    model = nn.Linear(2, 2)
    ema = Ema(model, 0.999, warmup=True)
    before = ema.module.weight.clone()
    with torch.no_grad():
        model.weight.add_(1)
    ema.update(model, 0, torch.tensor(0.0))
    assert torch.equal(ema.module.weight, before)
    ema.update(model, 0, torch.tensor(1.0))
    torch.testing.assert_close(ema.module.weight, before + 0.9)
    assert decay_at(0, 0.999, True) == 0.1 and decay_at(10**6, 0.999, True) == 0.999 == decay_at(0, 0.999, False)


def test_evaluation_counts_every_image_once_whatever_the_batches_are() -> None:
    torch.manual_seed(1)
    images, labels = torch.randn(103, 12), torch.randint(0, 7, (103,))
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(12, 7)).train()
    logits = model[1](images)
    top1 = 100 * (logits.argmax(1) == labels).double().mean().item()
    top5 = 100 * (logits.topk(5).indices == labels[:, None]).any(1).double().mean().item()
    loss = nn.functional.cross_entropy(logits, labels).item()
    for size in (1, 10, 103, 1000):
        score = evaluate(model, zip(images.split(size), labels.split(size), strict=True), nullcontext)
        assert score is not None and score.images == 103
        assert score.values["top1"] == pytest.approx(top1) and score.values["top5"] == pytest.approx(top5)
        assert score.values["loss"] == pytest.approx(loss, rel=1e-5)
    assert model.training


def test_few_classes_have_no_top5_and_evaluation_can_be_stopped() -> None:
    model = nn.Linear(2, 3)
    batch = (torch.randn(4, 2), torch.zeros(4, dtype=torch.int64))
    score = evaluate(model, [batch], nullcontext)
    assert score is not None and set(score.values) == {"top1", "loss"}
    assert evaluate(model, [batch], nullcontext, stop=lambda: True) is None
    with pytest.raises(ValueError, match="no image"):
        evaluate(model, [], nullcontext)


def test_the_meter_gives_every_step_in_order_with_its_numbers() -> None:
    meter = Meter(torch.device("cpu"), 4)
    seen = []
    for number in range(1, 11):
        meter.add(number, torch.tensor(float(number)), torch.tensor(math.nan), torch.tensor(number == 3))
        if meter.full:
            seen += list(meter.read())
    seen += list(meter.read(everything=True))
    assert [s.number for s in seen] == list(range(1, 11)) == [int(s.loss) for s in seen]
    assert [s.number for s in seen if s.skipped] == [3] and all(math.isnan(s.grad_norm) for s in seen)


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    run = RunDir(tmp_path / "run")
    run.checkpoints.mkdir(parents=True)
    return run


def test_a_checkpoint_comes_back_whole_and_best_survives_a_later_last(run: RunDir) -> None:
    state = {"model": {"w": torch.arange(3.0)}, "optimizer": {}, "scaler": {}, "ema": None}
    checkpoint.save(run, state, Progress(step=5, best={"value": 90.0}), best=True)
    checkpoint.save(run, state, Progress(step=6, best={"value": 90.0}), best=False)
    assert checkpoint.load(run.best)["progress"].step == 5 and checkpoint.load(run.last)["progress"].step == 6
    assert sorted(p.name for p in run.checkpoints.iterdir()) == ["best.pt", "last.pt"]


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "pickle"])
def test_a_damaged_last_checkpoint_falls_back_to_the_best_and_says_so(run: RunDir, damage: str) -> None:
    state = {"model": {"w": torch.arange(1000.0)}, "optimizer": {}, "scaler": {}, "ema": None}
    checkpoint.save(run, state, Progress(step=5), best=True)
    checkpoint.save(run, state, Progress(step=9), best=False)
    content = run.last.read_bytes()
    if damage == "pickle":
        import pickle

        class Bomb:
            def __reduce__(self) -> tuple[object, tuple[str]]:
                return (Path.touch, (run.path / "owned",))  # type: ignore[return-value]

        run.last.write_bytes(pickle.dumps(Bomb()))
    else:
        middle = len(content) // 4
        run.last.write_bytes(
            {
                "truncate": content[: len(content) // 2],
                "flip": content[:middle] + bytes(64) + content[middle + 64 :],
                "empty": b"",
            }[damage]
        )
    found, problems = checkpoint.recover(run)
    assert not (run.path / "owned").exists()
    if damage == "flip" and found is not None and found["progress"].step == 9:
        pytest.fail("a flipped block was not noticed")
    assert found is not None and found["progress"].step == 5 and found["path"] == "checkpoints/best.pt"
    assert len(problems) == 1 and "last.pt" in problems[0]
    # The report reads last.pt at the end, even of a run that has no step left to do.
    assert checkpoint.load(run.last)["progress"].step == 5
    assert (run.checkpoints / "last.pt.damaged").exists()
