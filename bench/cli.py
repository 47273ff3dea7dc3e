"""What commands cost from start to exit: ``uv run python bench/cli.py [runs]``

Fills a temporary home with 10,000 ended runs and prints medians of interleaved rounds, so that a busy moment of the
machine meets all of them: wall time, processor time (which other jobs disturb less) and the peak of resident memory.
Budget: `vitui --help` and `vitui runs` under 0.3 s.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vitui.store import Store, runs

ROUNDS = 9
COMMANDS = (
    ("--version",),
    ("--help",),
    ("runs",),
    ("runs", "-n", "50"),
    ("runs", "--json"),
    ("runs", "cct paper"),
    ("show", "@", "--no-plot"),
    ("presets",),
)
NAMES = ("CCT-7/3x1, no mixup, seed {}",) * 5 + (
    "ünïcode schedule {}",
    "模型 ablation {}",
    "[bold]drop path[/] {} \x1b[31m",
)
STATES = ("finished",) * 8 + ("stopped", "failed", "diverged", "lost")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        fill(Store(Path(folder)), count)
        environment = {**os.environ, "VITUI_HOME": folder, "COLUMNS": "120"}
        rounds = [[measured(command, environment) for command in COMMANDS] for _ in range(ROUNDS)]
    print(f"{count} runs, {ROUNDS} rounds, Python {sys.version.split()[0]}")
    print(f"{'':<24} {'wall':>8} {'(min)':>9} {'CPU':>8} {'(min)':>9} {'peak':>8}")
    for command, taken in zip(COMMANDS, zip(*rounds, strict=True), strict=True):
        wall, cpu, peak = zip(*taken, strict=True)
        print(
            f"{' '.join(('vitui', *command)):<24} {statistics.median(wall):6.3f} s {min(wall):7.3f} s "
            f"{statistics.median(cpu):6.3f} s {min(cpu):7.3f} s {max(peak):5.0f} MB"
        )


def measured(command: tuple[str, ...], environment: dict[str, str]) -> tuple[float, float, float]:
    """Wall and processor seconds from start to exit, and the peak of resident memory in MB."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "vitui", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"vitui {' '.join(command)} ended with {process.returncode}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def fill(store: Store, count: int) -> None:
    """`count` runs as a year of ablations leaves them: all ended, names in several scripts, tags, accuracies."""
    store.open()
    config = {"model.name": "cct_7_3x1_32", "data.dataset": "cifar10", "train.epochs": 300}
    config |= {f"part{k % 9}.field{k}": k * 0.5 for k in range(60)}
    with store.writing() as db:
        for i in range(count):
            labels = {
                "name": NAMES[i % len(NAMES)].format(i),
                "preset": "cct-7-3x1",
                "created": 1.7e9 + 60 * i,
                "tags": ["paper", "cifar"] if i % 3 else [],
                "reference": {"value": 95.29, "source": "a table"},
            }
            runs.insert(db, runs.new_run(f"231114-{i // 10_000:02d}{i % 10_000:04d}-abcd", labels, config))
        db.execute("DELETE FROM queue")
        db.executemany(
            "UPDATE runs SET state = ?, best = ?, best_epoch = 290, last = 89.5, report_best = 90.25, "
            "selected_on = 'val', report_split = 'test', placed = 'GPU 0 NVIDIA H200', epoch = 300, "
            "ended = created + 3600, evidence = 'finished at epoch 300, step 117300' WHERE rowid = ?",
            [(STATES[i % len(STATES)], 90 + i % 7, i + 1) for i in range(count)],
        )
    store.close()


if __name__ == "__main__":
    main()
