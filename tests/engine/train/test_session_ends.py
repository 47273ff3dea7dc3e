"""How an attempt begins after an earlier one and ends when the system fails it: what is journalled, said, returned."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import timm
import tomli_w
import torch
from safetensors.torch import save_file

from engine import journal
from engine.journal import EXIT_BAD_INPUT, EXIT_FAILED, EXIT_FINISHED, EXIT_STOPPED, RunDir, read_all
from engine.session import Session
from tests.engine.train.test_session import TINY, finish, make_run, start, steps_logged
from tests.engine.train.waiting import until


@pytest.fixture
def signals() -> Iterator[None]:
    """Gives the signals back that a session in this process takes."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def session(run: RunDir) -> Session:
    return Session(run, 1, "cpu", run.data_root)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nmore"), "double train.grad_accum_steps"),
        (MemoryError(), "more memory"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "free space on the disk"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/x/resolved.toml"), "/x/resolved.toml: Permission"),
    ],
)
def test_what_the_system_does_to_a_run_is_a_sentence_and_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], signals: None,
    error: Exception, said: str,
) -> None:  # fmt: skip
    run = make_run(tmp_path, "r", TINY)

    def fail(self: Session) -> int:
        raise error

    monkeypatch.setattr(Session, "_run", fail)
    assert session(run).execute() == EXIT_FAILED
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and said in lines[0]
    end = list(read_all(run.journal))[-1]
    assert end["kind"] == "failed" and end["remedy"] and said in f"{end['error']}; {end['remedy']}"


def test_a_fault_of_the_program_keeps_its_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signals: None) -> None:
    run = make_run(tmp_path, "r", TINY)

    def fail(self: Session) -> int:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Session, "_run", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        session(run).execute()
    assert list(read_all(run.journal))[-1]["remedy"] == "the whole error is in console.log"


def test_a_run_directory_that_cannot_be_written_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], signals: None
) -> None:
    run = make_run(tmp_path, "r", TINY)
    run.checkpoints.write_text("in the way")
    assert session(run).execute() == EXIT_FAILED
    assert str(run.checkpoints) in capsys.readouterr().err and not run.journal.exists()


def test_deterministic_prepares_cublas_before_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signals: None
) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    missing: dict[str, Any] = {"data": {"dataset": "nowhere"}}
    assert session(make_run(tmp_path, "a", missing)).execute() == EXIT_BAD_INPUT
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
    run = make_run(tmp_path, "b", {**missing, "train": {"deterministic": True}})
    assert session(run).execute() == EXIT_BAD_INPUT
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_a_second_start_by_hand_supersedes_what_a_kill_left_without_a_checkpoint(tmp_path: Path) -> None:
    run = make_run(tmp_path, "r", {**TINY, "train": {"epochs": 2, "batch_size": 32}})
    first = start(run)
    until(lambda: steps_logged(run) >= 10, first)
    first.kill()
    first.wait(60)
    assert not run.last.exists()
    second = start(run)
    until(lambda: [e for e in read_all(run.journal) if e["kind"] == "resumed"], second)
    second.kill()
    second.wait(60)
    [resumed] = [e for e in read_all(run.journal) if e["kind"] == "resumed"]
    assert resumed["step"] == 0


@pytest.mark.slow
def test_a_resumed_run_needs_no_pretrained_weights_and_says_what_is_decided_otherwise(tmp_path: Path) -> None:
    options = {**TINY["model"]["options"], "img_size": 8, "in_chans": 1}
    weights = tmp_path / "weights.safetensors"
    save_file(timm.create_model("vit_tiny_patch16_224", num_classes=10, **options).state_dict(), weights)
    recipe = {
        **TINY, "model": {**TINY["model"], "pretrained": True, "weights": str(weights)}, "regularize": {},
        "train": {"epochs": 1, "batch_size": 32}, "data": {"dataset": "digits", "normalize": "dataset"},
    }  # fmt: skip
    run = make_run(tmp_path, "r", recipe)
    first = start(run)
    until(lambda: steps_logged(run) >= 10, first)
    first.send_signal(signal.SIGTERM)
    assert first.wait(60) == EXIT_STOPPED
    weights.unlink()
    decided = journal.read_toml(run.resolved)
    decided["train"]["threads"] = 77  # as another machine would
    run.resolved.write_text(tomli_w.dumps(decided))
    code, errors = finish(run)
    assert code == EXIT_FINISHED, errors
    said = [e["message"] for e in read_all(run.journal) if e["kind"] == "warning"]
    assert said == ["this attempt computes otherwise than before: train.threads was 77, is 1"]
