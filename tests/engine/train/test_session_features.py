"""What a whole attempt does with a teacher, a frozen model, a length in steps. In this process, on the digits."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from timm.models import save_for_hf
from timm.models.deit import VisionTransformerDistilled
from torch import Tensor

from engine.journal import EXIT_BAD_INPUT, EXIT_FINISHED, RunDir, read_all
from engine.session import Session
from tests.engine.train.test_session import make_run

SMALL = {"embed_dim": 8, "depth": 1, "num_heads": 2, "patch_size": 4}
STUDENT: dict[str, Any] = {
    "model": {"name": "deit_tiny_distilled_patch16_224", "options": SMALL},
    "data": {"dataset": "digits"},
    "train": {"steps": 5, "batch_size": 32},
    "evaluate": {"every_steps": 2},
}


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def attempt(run: RunDir) -> tuple[int, list[dict[str, Any]]]:
    code = Session(run, 1, "cpu", run.data_root).execute()
    return code, list(read_all(run.journal))


def test_a_student_learns_from_the_model_of_a_run(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = timm.create_model("vit_tiny_patch16_224", img_size=8, in_chans=1, num_classes=10, **SMALL)
    model.pretrained_cfg |= {"input_size": [1, 8, 8], "mean": [0.1], "std": [0.2], "num_classes": 10}
    arguments = {**SMALL, "img_size": 8, "in_chans": 1}
    results = {}
    for alpha, names in ((0.1, list("0123456789")), (0.9, list("0123456798"))):
        config = {"model_args": arguments, "label_names": names}
        save_for_hf(model, tmp_path / "teacher", model_config=config, safe_serialization=True)
        distill = {"kind": "soft", "teacher": f"local-dir:{tmp_path / 'teacher'}", "alpha": alpha, "tau": 2.0}
        run = make_run(tmp_path, f"alpha-{alpha:g}", {**STUDENT, "distill": distill})
        code, events = attempt(run)
        assert code == EXIT_FINISHED, events[-1]
        results[alpha] = torch.load(run.last, weights_only=True)["model"]
        steps = [e["step"] for e in events if e["kind"] == "eval" and e["role"] == "select"]
        [data] = [e for e in events if e["kind"] == "data"]
        assert steps == [2, 4, 5] and data["total_steps"] == 5
        assert data["total_epochs"] == pytest.approx(5 / data["steps_per_epoch"])
        said = [e["message"] for e in events if e["kind"] == "warning"]
        expected = 'distill.teacher: 2 of its classes have other names than the dataset\'s, first "9" for "8"; '
        assert said == ([f"{expected}it teaches them as if they were the same"] if alpha == 0.9 else [])
    a, b = results[0.1], results[0.9]
    assert all(not torch.equal(a[name], b[name]) for name in ("head.weight", "head_dist.weight", "dist_token"))


def test_trap_T01_a_run_whose_second_head_is_left_out_fails_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def first_only(self: VisionTransformerDistilled, x: Tensor, pre_logits: bool = False) -> Tensor:
        return self.head(x[:, 0])  # type: ignore[no-any-return]

    monkeypatch.setattr(VisionTransformerDistilled, "forward_head", first_only)
    code, events = attempt(make_run(tmp_path, "r", {**STUDENT, "train": {**STUDENT["train"], "scope": "head"}}))
    assert code == EXIT_BAD_INPUT and events[-1]["kind"] == "failed"
    [line] = capsys.readouterr().err.strip().splitlines()
    assert "head_dist.weight, head_dist.bias of the classifier gets no gradient" in line


def test_a_probe_trains_both_heads_of_a_distilled_model_and_nothing_else(tmp_path: Path) -> None:
    run = make_run(tmp_path, "r", {**STUDENT, "train": {"steps": 2, "batch_size": 32, "scope": "head", "mode": "eval"}})
    code, events = attempt(run)
    assert code == EXIT_FINISHED, events[-1]
    [model] = [e for e in events if e["kind"] == "model"]
    assert model["trainable_params"] == 2 * (8 * 10 + 10)
    assert not [e for e in events if e["kind"] == "warning"]
    state = torch.load(run.last, weights_only=True)
    assert len(state["optimizer"]["state"]) == 4
