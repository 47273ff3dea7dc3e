"""Runs as a comparison knows them, made by hand."""

from __future__ import annotations

from typing import Any

from tests.tui.fake_lab import run
from vitui.comparing import RunFacts
from vitui.store.metrics import Eval

REFERENCE = {"metric": "top1", "split": "test", "value": 97.0, "tolerance": 0.5, "source": "a paper, table 2"}
CONFIG = {"optim.lr": 0.001, "train.epochs": 30, "train.seed": 0, "evaluate.batch_size": 64}


def facts(name: str = "one", **given: Any) -> RunFacts:
    """A finished run of 30 epochs, 95 % on 1,000 test images, selected on 200 others; `run_*` change its row."""
    row = {key.removeprefix("run_"): given.pop(key) for key in list(given) if key.startswith("run_")}
    top1, images = given.pop("top1", 95.0), given.pop("images", 1000)
    select, report = row.get("selected_on", "minival"), row.get("report_split", "test")
    ended = row.get("state", "finished") == "finished"
    values = {
        "name": name, "dataset": "digits", "selected_on": select, "report_split": report, "total_epochs": 30.0,
        "epoch": 30.0, "best": 96.0, "last": 94.0, "best_step": 20, "report_best": top1 if ended else None,
        "report_last": top1 if ended else None, "params": 1000, "placed": "cpu", **row,
    }  # fmt: skip
    evals = [
        Eval(10, 10.0, select, "model", "select", 200, 1.0, {"top1": 90.0, "loss": 0.9}),
        Eval(20, 20.0, select, "model", "select", 200, 2.0, {"top1": 96.0, "top5": 99.0, "loss": 0.5}),
        Eval(30, 30.0, select, "model", "select", 200, 3.0, {"top1": 94.0, "loss": 0.6}),
    ]
    if ended:
        final = {"top1": top1, "top5": 99.5, "loss": 0.4}
        evals += [Eval(30, 30.0, report, "model", "report-last", images, 4.0, final)]
        evals += [Eval(20, 20.0, report, "model", "report-best", images, 4.0, final)]
    config = {**CONFIG, **given.pop("config", {})}
    known = {
        "config": config, "raw": {**config, **given.pop("raw", {})}, "resolved": True, "reference": REFERENCE,
        "provenance": {
            "host": "box", "packages": {"torch": "2.8.0"}, "git": {"commit": "c" * 40, "dirty": False, "patch": ""},
        },
        "data": {
            "fingerprint": "f" * 64, "train_images": 800, "select_split": select, "report_split": report,
            "report_images": images, "select_images": 200,
        },
        "evals": tuple(evals), "seconds": 100.0, "speed": 500.0, "memory": 2.0**30, "memory_kind": "GPU",
    }  # fmt: skip
    return RunFacts(run(row.pop("id", f"261117-164010-{name[:4]:x<4}"), **values), **{**known, **given})
