"""A trainer of a tenth of a second: real process, real journal, no model. Two at once are noticed.

With TINY_WHOLE in the environment it goes through all epochs of its recipe, at a fiftieth of a second each: time to
watch it, to stop it and to resume it.
"""

import argparse
import os
import signal
import socket
import sys
import time
import tomllib
from pathlib import Path

from engine import journal
from engine.journal import Journal, RunDir

STEPS = 5
"""Steps of an epoch."""

parser = argparse.ArgumentParser()
parser.add_argument("run_dir", type=Path)
parser.add_argument("--attempt", type=int)
parser.add_argument("--device")
args = parser.parse_args()
run = RunDir(args.run_dir)
home = run.path.parent.parent
asked: list[int] = []
signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
epochs = tomllib.loads(run.recipe.read_text())["train"]["epochs"] if "TINY_WHOLE" in os.environ else 1
busy = home / "busy"
fd = os.open(busy, os.O_CREAT | os.O_EXCL | os.O_WRONLY)  # fails when another one trains on the same device
with open(home / "ran.txt", "a") as file:
    file.write(f"{run.id}\n")
log = Journal(run.journal, args.attempt)
log.event(
    "started", argv=sys.argv, pid=os.getpid(), host=socket.gethostname(), device=args.device, engine_version="tiny"
)
step = 0
if args.attempt > 1 and run.last.exists():
    step = int(run.last.read_text())
    log.event("resumed", step=step, epoch=step / STEPS, path="checkpoints/last.pt")
if epochs > 1:
    log.event("data", dataset="none", steps_per_epoch=STEPS, total_steps=STEPS * epochs, total_epochs=epochs)
while step < STEPS * epochs and not asked:
    if step % STEPS == 0 and epochs > 1:
        time.sleep(0.02)
    elif epochs == 1:
        time.sleep(0.01)
    step += 1
    log.event("metrics", step=step, epoch=step / STEPS, values={"train/loss": 1 / step})
    if step % STEPS == 0 and epochs > 1:
        log.event("eval", step=step, epoch=step / STEPS, split="val", weights="model", images=10, role="select",
                  values={"top1": 90 - 100 / (step + 1), "loss": 1 / step})  # fmt: skip
if asked:
    run.checkpoints.mkdir(exist_ok=True)
    journal.write_json(run.last, step)
    log.event("checkpoint", step=step, epoch=step / STEPS, path="checkpoints/last.pt", best=False)
    log.event("stopped", step=step, epoch=step / STEPS, reason="asked to (SIGTERM)")
else:
    log.event("finished", step=step, epoch=step / STEPS, seconds=0.05, best={}, last={})
log.close()
os.unlink(busy)
sys.exit(journal.EXIT_STOPPED if asked else 0)
