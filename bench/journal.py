"""What one journal call costs the training loop, and what reading a journal back costs.

    uv run python bench/journal.py

Prints medians over interleaved rounds: an event of the trainer's own size (10 steps of three series) and a bare write()
of the same bytes beside it, so that the share of our own code is seen. Budget: under 20 microseconds a call.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from engine.journal import Journal, encode, read

CALLS, ROUNDS = 5_000, 7


def main() -> None:
    values = {"train/loss": [0.5 + i / 7 for i in range(10)], "train/grad_norm": [1.25] * 10, "train/lr": [0.001] * 10}
    small = {"train/loss": 0.5123, "train/lr": 0.001}
    line = encode({"kind": "metrics", "at": time.time(), "attempt": 1, "step": 10, "epoch": 0.1, "values": values})
    names = ("10 steps x 3 series", "2 scalars", "write() alone", "read, an event")
    timings: dict[str, list[float]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            path = Path(folder) / f"{number}.jsonl"
            journal = Journal(path, 1)
            for name, event in (("10 steps x 3 series", values), ("2 scalars", small)):
                started = time.perf_counter()
                for step in range(CALLS):
                    journal.event("metrics", step=step, epoch=0.1, values=event)
                timings[name].append((time.perf_counter() - started) / CALLS)
            journal.close()
            fd = os.open(path.with_suffix(".raw"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            started = time.perf_counter()
            for _ in range(CALLS):
                os.write(fd, line)
            timings["write() alone"].append((time.perf_counter() - started) / CALLS)
            os.close(fd)
            started = time.perf_counter()
            found = read(path, limit_bytes=1 << 30)
            timings["read, an event"].append((time.perf_counter() - started) / len(found.events))
    for name, seconds in timings.items():
        low, middle, high = (1e6 * f(seconds) for f in (min, statistics.median, max))
        print(f"{name:<22} {middle:7.1f} µs  (min {low:.1f}, max {high:.1f})")


if __name__ == "__main__":
    main()
