"""Runs to export, made through their journals as a trainer writes them."""

from __future__ import annotations

import math
from typing import Any

from engine.journal import RunDir, write_json
from tests.store.homes import Home, append, data, evaluation, event, metrics, started
from vitui.lab import Lab
from vitui.store.ingest import ingest

RUN, OTHER = "250101-120000-aaaa", "250102-120000-bbbb"
PROVENANCE = {
    "at": 99.0, "host": "secret-box", "user": "alice", "argv": ["vitui"], "cwd": "/home/alice", "python": "3.11.7",
    "packages": {"torch": "2.8.0", "timm": "1.0.20"},
    "git": {"commit": "c" * 40, "branch": "main", "dirty": True, "patch": "secret patch"},
}  # fmt: skip
LOSSES = [2.0, 1.5, math.nan, math.inf, 1.25, 1.0, 0.5, -math.inf, 0.25, 0.125]


def trained(home: Home, run_id: str = RUN, *, state: str = "finished", **labels: Any) -> RunDir:
    """Ten steps an epoch for three epochs, a stop in the second and a resume from step 10: what came later is again."""
    run = home.add(run_id, **labels)
    write_json(run.provenance, PROVENANCE)
    append(
        run, started(),
        event("model", 100.5, name="vit_tiny", params=1000, trainable_params=900, macs=5000, input_size=[1, 8, 8]),
        {**data("minival", "test"), "report_images": 360, "select_images": 72, "fingerprint": "f" * 64},
        metrics(10, 110.0, train__loss=LOSSES, train__lr=[0.1] * 10),
        evaluation(10, 50.0, at=110.7, split="minival", images=72),
        metrics(20, 120.0, train__loss=[9.0] * 10, train__lr=[9.0] * 10),
        evaluation(20, 9.0, at=120.7, split="minival", images=72),
        started(2, 200.0), event("resumed", 200.5, 2, step=10, epoch=1.0, path="checkpoints/last.pt"),
        metrics(20, 210.0, 2, train__loss=[0.1 * n for n in range(10)], train__lr=[0.01] * 10),
        evaluation(20, 60.0, at=210.9, attempt=2, split="minival", images=72),
        metrics(30, 230.0, 2, train__loss=[0.01 * n for n in range(10)], train__lr=[0.001] * 10),
        evaluation(30, 55.0, at=230.9, attempt=2, split="minival", images=72),
    )  # fmt: skip
    if state == "finished":
        closing(run)
    settle(home, run, state)
    return run


def closing(run: RunDir) -> None:
    append(
        run, evaluation(30, 54.0, at=231.5, attempt=2, role="report-last", images=360),
        evaluation(20, 59.5, at=231.7, attempt=2, role="report-best", images=360),
    )  # fmt: skip


def settle(home: Home, run: RunDir, state: str) -> None:
    """Read its journal, and say in which state it is."""
    while ingest(home.store, run).more:
        pass
    with home.store.writing() as db:
        db.execute("DELETE FROM queue WHERE run = ?", (run.id,))
        db.execute("UPDATE runs SET state = ?, ended = 240.0 WHERE id = ?", (state, run.id))


def exported(run: RunDir, **config: Any) -> None:
    """A model/ as a finished run has it, without weights."""
    run.model.mkdir()
    cfg = {"input_size": [1, 8, 8], "mean": [0.3047], "std": [0.3757], "crop_pct": 0.9, "license": "apache-2.0"}
    content = {"architecture": "vit_tiny_patch16_224", "label_names": [*"0123456789"], "pretrained_cfg": cfg}
    write_json(run.model / "config.json", {**content, **config})


def opened(home: Home) -> Lab:
    return Lab.open(home.path, adopt=False)


def same(one: list[float], other: list[float]) -> bool:
    """Equal number by number, NaN to NaN."""
    return len(one) == len(other) and all(a == b or (a != a and b != b) for a, b in zip(one, other, strict=True))
