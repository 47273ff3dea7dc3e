"""What the store costs: `python bench/store.py [points]` prints a table. Uses a temporary home; takes a minute."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from engine.journal import RunDir, encode
from vitui.store import Store, metrics, runs

INGEST = """
import json, sys, time
from pathlib import Path
from engine.journal import RunDir
from vitui.store import Store
from vitui.store.ingest import ingest
store, points, began = Store(Path(sys.argv[1])), 0, time.perf_counter()
while True:
    done = ingest(store, RunDir(Path(sys.argv[1]) / "runs" / sys.argv[2]))
    points += done.points
    if not done.more:
        break
seconds = time.perf_counter() - began
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([points / seconds, peak / 1024]))
"""

LIST = """
import sys
from pathlib import Path
from vitui.store import Store, runs
store = Store(Path(sys.argv[1])); store.open(); print(len(runs.list_runs(store.reading())))
"""


def main() -> None:
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        store.open()
        show("what", "measured")
        for name, log_every, keys in (("long", 10, 1), ("three", 10, 3), ("single", 1, 1)):
            count = points if name == "long" else points // 5
            size = store.path.stat().st_size
            run = write_journal(store, name, count, log_every, keys)
            speed, peak = json.loads(child(INGEST, folder, name)[0])
            show(f"ingest, {log_every} steps and {keys} series an event", f"{speed:,.0f} points/s, peak {peak:.0f} MB")
            touch(store)  # the last to close empties the -wal into the database
            grown = (store.path.stat().st_size - size) / count / keys
            show("  database / journal", f"{grown:.1f} / {run.journal.stat().st_size / count / keys:.1f} bytes/point")
        curves(store, points)
        listing(store, folder)


def curves(store: Store, points: int) -> None:
    db = store.reading()
    key = "train/0"
    show(f"curve, {points:,} points whole", f"{best(lambda: metrics.curve(db, 'long', key)):.1f} ms")
    for buckets in (2000, 400):
        spent = best(lambda buckets=buckets: metrics.envelope(db, "long", key, buckets))  # type: ignore[misc]
        show(f"envelope of it, {buckets} buckets", f"{spent:.1f} ms")
    window = {"step_min": points * 0.4, "step_max": points * 0.4 + 130_000}
    spent = best(lambda: metrics.envelope(db, "long", key, 2000, **window))
    show("envelope of a window of 130,000 points (exact)", f"{spent:.1f} ms")
    rows = best(lambda: db.execute("SELECT count(value) FROM points WHERE run = 'long'").fetchone(), 1)
    show(f"view points, {points:,} rows", f"{rows:.0f} ms")


def listing(store: Store, folder: str) -> None:
    with store.writing() as db:
        for i in range(10_000):
            labels = {
                "name": f"run number {i}",
                "preset": "cifar10/cct-7",
                "created": 1e9 + i,
                "tags": ["a"] if i % 3 else [],
            }
            config = {f"part{k % 9}.field{k}": k * 0.5 for k in range(60)}
            runs.insert(db, runs.new_run(f"250101-{i:06d}-aaaa", labels, config))
        db.execute("DELETE FROM queue")
        db.execute("UPDATE runs SET state = 'finished', best = 90.0, evidence = 'exit code 0', ended = created + 3600")
    show("list 10,000 runs", f"{best(lambda: runs.list_runs(store.reading())):.0f} ms")
    show("list the newest 100 of them", f"{best(lambda: runs.list_runs(store.reading(), limit=100)):.1f} ms")
    show("filter them by a word", f"{best(lambda: runs.list_runs(store.reading(), text='number 777')):.0f} ms")
    empty = min(child("pass", folder)[1] for _ in range(5))
    whole = min(child(LIST, folder)[1] for _ in range(5))
    show("a process that opens and lists them (of that, Python)", f"{whole * 1e3:.0f} ms ({empty * 1e3:.0f} ms)")
    show("a write transaction, while somebody reads", f"{best(lambda: touch(store), 20):.2f} ms")
    store.close()
    show("a write transaction, alone", f"{best(lambda: touch(store), 20):.2f} ms")


def touch(store: Store) -> None:
    with store.writing() as db:
        db.execute("UPDATE runs SET notes = ? WHERE id = 'long'", (str(time.time()),))


def write_journal(store: Store, name: str, count: int, log_every: int, keys: int) -> RunDir:
    """A run with `count` steps of `keys` series, a journal event every `log_every` steps."""
    rng = random.Random(0)
    run = RunDir(store.home / "runs" / name)
    run.path.mkdir(parents=True)
    with store.writing() as db:
        runs.insert(db, runs.NewRun(name, name))
    with open(run.journal, "wb") as file:
        for step in range(log_every, count + 1, log_every):
            values = {
                f"train/{key}": [float(f"{rng.random() * 3:.7g}") for _ in range(log_every)] for key in range(keys)
            }
            event = {
                "kind": "metrics",
                "at": 1.7e9 + step,
                "attempt": 1,
                "step": step,
                "epoch": step / 390,
                "values": values,
            }
            file.write(encode(event))
    return run


def child(code: str, *arguments: str) -> tuple[str, float]:
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return done.stdout, time.perf_counter() - began


def best(work: Callable[[], object], repeats: int = 5) -> float:
    """Shortest time of a call, ms."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times) * 1e3


def show(what: str, measured: str) -> None:
    print(f"{what:<55} {measured}", flush=True)


if __name__ == "__main__":
    main()
