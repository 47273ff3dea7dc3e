"""A trainer that only writes: journal events and log lines of a real one, at the rate that plan.json asks for.

``python bench/trainer.py RUN_DIR --attempt N --device D`` is what the worker starts; ``python bench/trainer.py worker
HOME …`` is the real worker with eight pretended GPUs and this trainer. plan.json: `events_per_s`; `events`, after which
it is finished; `steps`, how many an event reports. Event n says that n epochs are over, so that what stands on a screen
tells which event has arrived there.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import signal
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from engine import journal
from engine.journal import Journal, RunDir

GPUS = 8


def write_event(log: Journal, number: int, plan: dict[str, float], dice: random.Random) -> None:
    """One event with the keys of a real trainer, every tenth time an evaluation too."""
    steps, epochs = int(plan["steps"]), plan["events"]
    block = range((number - 1) * steps, number * steps)
    fallen = [math.exp(-3 * step / steps / epochs) for step in block]
    values: dict[str, object] = {
        "train/loss": [round(2 * left + dice.gauss(0, 0.1), 5) for left in fallen],
        "train/grad_norm": [round(left + dice.gauss(0, 0.05), 5) for left in fallen],
        "train/lr": [round(1e-3 * left, 9) for left in fallen],
        "train/images_per_s": round(730 + dice.gauss(0, 20), 1),
    }
    if number % 10 == 0:
        values |= {"device/utilization": 97.0, "device/memory_gb": 12.5, "device/temperature": 61.0}
    log.event("metrics", step=number * steps, epoch=float(number), values=values)
    if number % 10 == 0:
        top1 = round(90 * (1 - fallen[-1]) + dice.gauss(0, 0.5), 2)
        log.event("eval", step=number * steps, epoch=float(number), split="val", weights="model", images=1000,
                  values={"top1": top1, "top5": 99.0, "loss": fallen[-1]}, role="select")  # fmt: skip


def train(argv: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--attempt", type=int, required=True)
    parser.add_argument("--device", required=True)
    options = parser.parse_args(argv)
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    run = RunDir(options.run_dir)
    plan = json.loads((run.path / "plan.json").read_text())
    dice, steps, events = random.Random(plan["seed"]), plan["steps"], plan["events"]
    log = Journal(run.journal, options.attempt)
    log.event("started", argv=sys.argv, pid=os.getpid(), host=socket.gethostname(), device=options.device,
              engine_version="bench")  # fmt: skip
    log.event("data", dataset="none", steps_per_epoch=steps, total_steps=steps * events, total_epochs=events)
    begun, number = time.monotonic(), 0
    while number < events and not asked:
        number += 1
        time.sleep(max(0.0, begun + number / plan["events_per_s"] - time.monotonic()))
        write_event(log, number, plan, dice)
        print(f"epoch {number} loss 0.1234 top1 91.2 lr 1e-3 img/s 734", flush=True)
    if asked:
        log.event("stopped", step=number * steps, epoch=float(number), reason="asked to (SIGTERM)")
    else:
        best = {"metric": "top1", "value": 90.0, "step": number * steps, "epoch": number, "selected_on": "val"}
        log.event("finished", step=number * steps, epoch=float(number), seconds=1.0, best=best, last=best)
    log.close()
    return journal.EXIT_STOPPED if asked else 0


def worker(argv: list[str]) -> int:
    from tests.supervisor.fake_nvml import FakeNvml
    from vitui.supervisor import devices
    from vitui.supervisor.attempts import Settings
    from vitui.supervisor.worker import main

    class Cards(FakeNvml):
        def nvmlDeviceGetUUID(self, handle: int) -> str:
            return f"GPU-{handle:04x}-bench"

    devices._probe = devices.Probe(lambda: Cards(GPUS))
    engine = (sys.executable, str(Path(__file__).resolve()))
    return main(argv, Settings(engine=engine, leases=Path(argv[0]) / "leases"))


if __name__ == "__main__":
    sys.exit(worker(sys.argv[2:]) if sys.argv[1] == "worker" else train(sys.argv[1:]))
