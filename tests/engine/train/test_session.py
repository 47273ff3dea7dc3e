"""Whole attempts of the real trainer, as processes: exact resume, stop, divergence, export, failures in one sentence."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
import torch

from engine import journal
from engine.journal import RunDir, read_all
from engine.recipe import validate
from tests.engine.train.waiting import until

TINY: dict[str, Any] = {
    "model": {
        "name": "vit_tiny_patch16_224",
        "options": {"embed_dim": 16, "depth": 1, "num_heads": 2, "patch_size": 4, "proj_drop_rate": 0.1},
    },
    "data": {"dataset": "digits", "minival": 0.1},
    "regularize": {"drop_path": 0.1, "ema": 0.99, "label_smoothing": 0.1},
    "augment": {"crop": "pad", "pad": 1, "erasing": 0.3},
    "mix": {"mixup": 0.2},
    "train": {"epochs": 3, "batch_size": 32, "grad_accum_steps": 2, "clip_grad": 1.0, "checkpoint_every_steps": 7},
}


def make_run(home: Path, name: str, recipe: dict[str, Any]) -> RunDir:
    run = RunDir(home / "runs" / name)
    run.path.mkdir(parents=True)
    (home / "data").mkdir(exist_ok=True)
    run.recipe.write_bytes(tomli_w.dumps(validate(recipe).model_dump(mode="json")).encode())
    return run


def start(run: RunDir, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "engine", str(run.path), "--device", "cpu"],
        stderr=subprocess.PIPE, text=True, env={**os.environ, **env},
    )  # fmt: skip


def finish(run: RunDir) -> tuple[int, str]:
    process = start(run)
    _, errors = process.communicate(timeout=240)
    return process.returncode, errors


def kinds(run: RunDir) -> list[str]:
    return [event["kind"] for event in read_all(run.journal)]


def steps_logged(run: RunDir) -> int:
    return max((e["step"] for e in read_all(run.journal) if e["kind"] == "metrics"), default=0)


def surviving(run: RunDir, kind: str) -> list[dict[str, Any]]:
    """Events of a kind that no resume superseded, without what differs between attempts."""
    out: list[dict[str, Any]] = []
    for event in read_all(run.journal):
        if event["kind"] == "resumed":
            out = [e for e in out if e["step"] <= event["step"]]
        if event["kind"] == kind:
            out.append({k: v for k, v in event.items() if k not in ("at", "attempt", "crc", "seconds")})
    return out


def curve(run: RunDir, key: str) -> list[tuple[int, float]]:
    points: dict[int, float] = {}
    for event in read_all(run.journal):
        if event["kind"] == "resumed":
            points = {s: v for s, v in points.items() if s <= event["step"]}
        if event["kind"] == "metrics" and isinstance(event["values"].get(key), list):
            values = event["values"][key]
            points |= {event["step"] - len(values) + 1 + i: journal.number(v) for i, v in enumerate(values)}
    return sorted(points.items())


def test_a_run_interrupted_twice_ends_with_the_very_same_weights(tmp_path: Path) -> None:
    """Once by SIGTERM in the middle of an epoch, once by kill -9 after a checkpoint; dropout, mixing, EMA are all on."""
    whole, broken = make_run(tmp_path, "whole", TINY), make_run(tmp_path, "broken", TINY)
    reference = start(whole)

    first = start(broken)
    until(lambda: steps_logged(broken) >= 10, first)
    first.send_signal(signal.SIGTERM)
    assert first.wait(60) == journal.EXIT_STOPPED
    stopped_at = surviving(broken, "stopped")[-1]["step"]
    assert stopped_at % 40 != 0, "the interruption must fall inside an epoch"

    second = start(broken)
    until(
        lambda: any(e["kind"] == "checkpoint" and e["step"] > stopped_at + 14 for e in read_all(broken.journal)), second
    )
    second.kill()
    second.wait(60)
    assert kinds(broken)[-1] != "finished"

    assert finish(broken)[0] == journal.EXIT_FINISHED
    assert reference.wait(240) == journal.EXIT_FINISHED

    for name in ("last.pt", "best.pt"):
        a = torch.load(whole.checkpoints / name, weights_only=True)
        b = torch.load(broken.checkpoints / name, weights_only=True)
        for part in ("model", "ema"):
            assert all(torch.equal(x, y) for x, y in zip(a[part].values(), b[part].values(), strict=True)), (name, part)
    assert surviving(whole, "eval") == surviving(broken, "eval")
    assert len(surviving(whole, "eval")) == 3 * 2 + 2
    losses = curve(whole, "train/loss")
    assert losses == curve(broken, "train/loss") and [s for s, _ in losses] == list(range(1, len(losses) + 1))
    assert kinds(broken).count("resumed") == 2 and kinds(broken).count("started") == 3


def test_the_exported_model_scores_what_was_reported(tmp_path: Path) -> None:
    import timm

    run = make_run(tmp_path, "r", TINY)
    assert finish(run)[0] == journal.EXIT_FINISHED
    end = list(read_all(run.journal))[-1]
    model = timm.create_model(f"local-dir:{run.model}", pretrained=True).eval()
    cfg = model.pretrained_cfg
    images = np.load(tmp_path / "data/digits/test.images.npy")
    labels = torch.from_numpy(np.load(tmp_path / "data/digits/test.labels.npy"))
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    pixels = (pixels - torch.tensor(cfg["mean"]).view(1, -1, 1, 1)) / torch.tensor(cfg["std"]).view(1, -1, 1, 1)
    with torch.inference_mode():
        top1 = 100 * (model(pixels).argmax(1) == labels).double().mean().item()
    assert top1 == pytest.approx(end["best"]["report"]["top1"], abs=1e-4)
    assert tuple(cfg["input_size"]) == (1, 8, 8) and model.num_classes == 10
    assert run.resolved.exists() and "auto" not in validate(journal.read_toml(run.resolved)).flat().values()


def test_an_absurd_learning_rate_ends_as_diverged_with_the_good_checkpoint_intact(tmp_path: Path) -> None:
    recipe = {
        **TINY,
        "optim": {"name": "sgd", "lr": 1e6, "momentum": 0.9},
        "schedule": {"name": "constant", "warmup_epochs": 1.05, "warmup_lr": 1e-5},
        "mix": {}, "regularize": {}, "train": {"epochs": 4, "batch_size": 32, "log_every": 3},
    }  # fmt: skip
    # The warm-up climbs in steps of lr / W, so a first epoch that learns needs a rate that explodes only later.
    run = make_run(tmp_path, "r", recipe)
    code, _ = finish(run)
    assert code == journal.EXIT_DIVERGED
    events = list(read_all(run.journal))
    assert events[-1]["kind"] == "diverged" and events[-1]["step"] > 0 and events[-1]["epoch"] > 0
    assert "not finite" in events[-1]["reason"]
    bad = [e for e in events if e["kind"] == "nonfinite"]
    assert [e["consecutive"] for e in bad[-3:]] == [1, 2, 3]
    assert any(not math.isfinite(v) for _, v in curve(run, "train/loss")) or any(
        not math.isfinite(v) for _, v in curve(run, "train/grad_norm")
    )
    if run.last.exists():
        content = torch.load(run.last, weights_only=True)
        assert all(torch.isfinite(v).all() for v in content["model"].values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": {"dataset": "nowhere"}}, "nowhere"),
        ({"model": {"name": "vit_tinny_patch16_224"}}, "did you mean vit_tiny_patch16_224?"),
        ({"train": {"batch_size": 5000}}, "5000"),
    ],
)
def test_what_cannot_be_trained_ends_as_failed_in_one_sentence(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    run = make_run(tmp_path, "r", {**TINY, **change})
    code, errors = finish(run)
    assert code == journal.EXIT_BAD_INPUT
    assert message in errors and "Traceback" not in errors and len(errors.strip().splitlines()) == 1
    end = list(read_all(run.journal))[-1]
    assert end["kind"] == "failed" and message in end["error"]


def test_a_gpu_that_is_not_there_is_never_replaced_by_the_cpu(tmp_path: Path) -> None:
    run = make_run(tmp_path, "r", TINY)
    done = subprocess.run(
        [sys.executable, "-m", "engine", str(run.path), "--device", "cuda"],
        capture_output=True, text=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    assert done.returncode == journal.EXIT_BAD_INPUT and "use --device cpu" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stop_before_the_first_step_can_be_resumed(tmp_path: Path) -> None:
    run = make_run(tmp_path, "r", {**TINY, "train": {"epochs": 1, "batch_size": 64}})
    process = start(run)
    until(lambda: run.journal.exists() and "phase" in kinds(run), process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == journal.EXIT_STOPPED
    assert finish(run)[0] == journal.EXIT_FINISHED
    assert kinds(run).count("finished") == 1
