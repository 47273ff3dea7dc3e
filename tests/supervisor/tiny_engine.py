"""A trainer small enough to kill by the dozen: real process, real journal, real checkpoints, no model.

``python tiny_engine.py RUN_DIR --attempt N --device D`` reads ``plan.json`` beside recipe.toml:
steps, step_s, checkpoint_every, and what should go wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from engine import journal
from engine.journal import Journal, RunDir

stop = False


def on_term(signum: int, frame: object) -> None:
    global stop
    stop = True


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--attempt", type=int, required=True)
    parser.add_argument("--device", required=True)
    args = parser.parse_args()
    run = RunDir(args.run_dir)
    plan = json.loads((run.path / "plan.json").read_text())
    if plan.get("ignore_term"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, on_term)

    # Who trains here now: two at once is what must never be.
    occupied = run.path.parent.parent / "occupied"
    if plan.get("exclusive", True):
        os.close(os.open(occupied, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    with open(run.path.parent.parent / "ran.txt", "a") as file:
        file.write(f"{run.id} {args.attempt}\n")
    for mode in plan.get("children", []):
        code = "import os,sys,time\nif sys.argv[1]=='setsid': os.setsid()\ntime.sleep(600)"
        subprocess.Popen([sys.executable, "-c", code, mode])

    log = Journal(run.journal, args.attempt)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    log.event(
        "started",
        visible=visible,
        argv=sys.argv,
        pid=os.getpid(),
        host=socket.gethostname(),
        device=args.device,
        engine_version="tiny",
    )
    print("hello from attempt", args.attempt, flush=True)
    if plan.get("noise_bytes"):
        sys.stdout.write("x" * plan["noise_bytes"])
        sys.stdout.flush()
    step, best = 0, 0.0
    if run.last.exists():
        step = json.loads(run.last.read_text())["step"]
    if args.attempt > 1:  # from step 0 where no checkpoint was reached
        log.event("resumed", step=step, epoch=step / 10, path="checkpoints/last.pt")
    run.checkpoints.mkdir(exist_ok=True)
    log.event("data", dataset="none", steps_per_epoch=10, total_steps=plan["steps"], total_epochs=plan["steps"] / 10)

    def save() -> None:
        journal.write_json(run.last, {"step": step})
        log.event("checkpoint", step=step, epoch=step / 10, path="checkpoints/last.pt", best=False)
        log.sync()

    def leave(code: int) -> int:
        if plan.get("exclusive", True):
            occupied.unlink(missing_ok=True)
        log.close()
        return code

    while step < plan["steps"]:
        time.sleep(plan.get("step_s", 0.01))
        step += 1
        log.event("metrics", step=step, epoch=step / 10, values={"train/loss": 1 / step})
        if step == plan.get("die_at"):
            if "die_code" in plan:
                log.event("failed", step=step, epoch=step / 10, error="out of ideas", remedy="think")
                return leave(plan["die_code"])
            os.kill(os.getpid(), plan["die_signal"])
        if step == plan.get("diverge_at"):
            log.event(
                "diverged",
                step=step,
                epoch=step / 10,
                reason="NaN",
                best={"metric": "top1", "value": 80.7, "epoch": 33},
            )
            return leave(journal.EXIT_DIVERGED)
        if step % plan.get("checkpoint_every", 10) == 0:
            save()
        if stop:
            save()
            log.event("stopped", step=step, epoch=step / 10, reason="asked to (SIGTERM)")
            return leave(journal.EXIT_STOPPED)
    best = {"metric": "top1", "value": 90.0, "step": step, "epoch": step / 10, "selected_on": "val"}
    log.event("finished", step=step, epoch=step / 10, seconds=1.0, best=best, last=best)
    return leave(plan.get("exit_code", 0))


if __name__ == "__main__":
    sys.exit(main())
