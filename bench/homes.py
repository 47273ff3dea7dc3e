"""Homes to measure with: one finished run with long curves, ten thousand runs, runs that are to train."""

from __future__ import annotations

import json
import math
import random
import time
from pathlib import Path

from engine.journal import Journal, RunDir, write_json
from vitui.lab import Lab
from vitui.store import NewRun, Store, runs

FINISHED = "260101-120000-aaaa"


def finished(home: Path, points: int, series: int) -> str:
    """A finished run with noisy falling curves, indexed as any run directory is. Returns its id."""
    dice = random.Random(0)
    lab = Lab.open(home, create=True)
    folder = RunDir(home / "runs" / FINISHED)
    folder.attempt(1).mkdir(parents=True)
    write_json(folder.attempt(1) / "launch.json", {})
    write_json(folder.attempt(1) / "exit.json", {"code": 0, "reason": "exit"})
    folder.recipe.write_text('[model]\nname = "vit_tiny_patch16_224"\n[data]\ndataset = "digits"\n')
    write_json(folder.labels, {"name": "bench", "preset": "demo-digits", "created": 1_767_268_800.0})
    journal = Journal(folder.journal, 1)
    journal.event("started", argv=[], pid=1, host="bench", device="cpu", engine_version="0")
    for start in range(0, points, 500):
        block = range(start, min(start + 500, points))
        values = {
            f"train/series_{k}": [math.exp(-3 * step / points) + dice.gauss(0, 0.1) for step in block]
            for k in range(series)
        }
        journal.event("metrics", step=block[-1] + 1, epoch=(block[-1] + 1) / 1000, values=values)
    journal.event("finished", step=points, epoch=points / 1000, seconds=1.0, best={}, last={})
    journal.close()
    lab.rebuild()
    return FINISHED


def many(home: Path, count: int) -> None:
    """`count` older, ended runs: rows with a recipe each, as months of work leave them."""
    store, dice, now = Store(home), random.Random(1), time.time()
    store.open()
    with store.writing() as db:
        for n in range(count):
            created = now - 3600.0 * (n + 24)
            id = f"{time.strftime('%y%m%d-%H%M%S', time.gmtime(created))}-{n % 65536:04x}"
            labels = {
                "name": f"run {n}", "preset": f"preset-{n % 40}", "created": created,
                "tags": ["paper"] if n % 5 else [],
            }  # fmt: skip
            config = {
                "model.name": "vit_tiny_patch16_224", "data.dataset": "cifar100", "optim.lr": 1e-3 * (n % 7 + 1),
                "train.seed": n % 3, **{f"part{k % 9}.field{k}": k * 0.5 for k in range(40)},
            }  # fmt: skip
            runs.insert(db, runs.new_run(id, labels, config))
            db.execute(
                "UPDATE runs SET state = 'finished', best = ?, last = ?, report_best = ?, epoch = 300, total_epochs = "
                "300, started = created, ended = created + 3600, evidence = 'exit code 0' WHERE id = ?",
                (best := dice.gauss(80, 5), best - 0.5, best - 0.2, id),
            )
        db.execute("DELETE FROM queue")
    store.close()


def queue(home: Path, count: int, device: str, **plan: object) -> list[RunDir]:
    """`count` waiting runs for bench/trainer.py with this plan."""
    store, out = Store(home), []
    store.open()
    with store.writing() as db:
        for n in range(count):
            created = time.time() + n / 1000
            run = RunDir(home / "runs" / f"{time.strftime('%y%m%d-%H%M%S', time.gmtime(created))}-{n:04x}")
            run.path.mkdir(parents=True)
            run.recipe.write_text('[model]\nname = "vit_tiny_patch16_224"\n[data]\ndataset = "digits"\n')
            write_json(run.labels, {"name": f"live {n}", "preset": "demo-digits", "created": created})
            (run.path / "plan.json").write_text(json.dumps({**plan, "seed": n}))
            runs.insert(db, NewRun(run.id, f"live {n}", created=created, preset="demo-digits", device=device))
            out.append(run)
    store.close()
    return out
