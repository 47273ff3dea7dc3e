"""A trainer of a tenth of a second: real process, real journal, no model. Two at once are noticed."""

import argparse
import os
import socket
import sys
import time
from pathlib import Path

from engine.journal import Journal, RunDir

parser = argparse.ArgumentParser()
parser.add_argument("run_dir", type=Path)
parser.add_argument("--attempt", type=int)
parser.add_argument("--device")
args = parser.parse_args()
run = RunDir(args.run_dir)
home = run.path.parent.parent
busy = home / "busy"
fd = os.open(busy, os.O_CREAT | os.O_EXCL | os.O_WRONLY)  # fails when another one trains on the same device
with open(home / "ran.txt", "a") as file:
    file.write(f"{run.id}\n")
journal = Journal(run.journal, args.attempt)
journal.event(
    "started", argv=sys.argv, pid=os.getpid(), host=socket.gethostname(), device=args.device, engine_version="tiny"
)
for step in range(1, 6):
    time.sleep(0.01)
    journal.event("metrics", step=step, epoch=step / 5, values={"train/loss": 1 / step})
journal.event("finished", step=5, epoch=1.0, seconds=0.05, best={}, last={})
journal.close()
os.unlink(busy)
