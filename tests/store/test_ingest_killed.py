"""Ingest killed at any moment: nothing twice, nothing lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.journal import RunDir
from tests.store.homes import ROOT, Home, append, evaluation, event, integrity, lines, metrics, python, row, started
from vitui.store.ingest import ingest


@pytest.mark.parametrize("seed", range(6))
def test_killed_anywhere_and_repeated_gives_the_rows_of_one_reading(home: Home, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    story: list[dict[str, Any]] = [started()]
    for step in range(10, 4000, 10):
        story.append(
            metrics(step, train__loss=[rng.random() for _ in range(10)], train__lr=[0.1] * 10, gpu=float(step))
        )
        if step % 500 == 0:
            story += [
                evaluation(step, rng.random()),
                event("checkpoint", step=step, epoch=step / 10, path="p", best=False),
            ]
        if step == 2600:
            story += [started(2), event("resumed", attempt=2, step=2305, epoch=230.5, path="p")]
        if step > 2600:
            story[-1]["attempt"] = 2
    calm = Home(tmp_path / "calm")
    for place in (home, calm):
        place.add().journal.write_bytes(lines(story))
    run = RunDir(calm.path / "runs" / "250101-120000-aaaa")
    assert ingest(calm.store, run).more is False
    # Killed by itself at a random one of the statements it sends, so that every stage is met whatever the machine's speed.
    code = (
        "import os, sys; from pathlib import Path; from engine.journal import RunDir\n"
        "from vitui.store import Store, ingest as module\n"
        "home, left = Path(sys.argv[1]), [int(sys.argv[2])]\n"
        "module.SLICE_BYTES = 4096\n"
        "def count(statement):\n"
        "    left[0] -= 1\n"
        "    if left[0] <= 0: os.kill(os.getpid(), 9)\n"
        "store = Store(home)\n"
        "with store.writing() as db:\n"
        "    db.set_trace_callback(count)\n"
        "    module.ingest_into(db, RunDir(home / 'runs' / '250101-120000-aaaa'), budget_bytes=20_000)\n"
    )
    killed = 0
    for _ in range(8):
        child = subprocess.run(
            [sys.executable, "-c", code, str(home.path), str(rng.randrange(1, 60))],
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )
        killed += child.returncode == -signal.SIGKILL
    assert killed >= 3
    victim = RunDir(home.path / "runs" / run.id)
    while ingest(home.store, victim).more:
        pass
    assert integrity(home.store.path) == "ok"
    assert home.dump() == calm.dump()
    calm.store.close()


def test_killed_from_outside_at_random_moments(home: Home, tmp_path: Path) -> None:
    run = home.add()
    append(run, *(metrics(s, train__loss=[float(i) for i in range(10)]) for s in range(10, 20_001, 10)))
    code = (
        "import sys; from pathlib import Path; from engine.journal import RunDir; from vitui.store import Store, ingest as module\n"
        "module.SLICE_BYTES = 8192; print('go', flush=True)\n"
        "while module.ingest(Store(Path(sys.argv[1])), RunDir(Path(sys.argv[1]) / 'runs' / sys.argv[2]), budget_bytes=8192).more: pass\n"
    )
    rng = random.Random(1)
    for _ in range(4):
        child = python(code, str(home.path), run.id)
        assert child.stdout is not None and child.stdout.readline() == "go\n"
        while child.poll() is None and rng.random() < 0.999:
            os.sched_yield()
        child.kill()
        child.communicate()
    while ingest(home.store, run).more:
        pass
    assert home.points(run.id, "train/loss") == [(s, float((s - 1) % 10)) for s in range(1, 20_001)]
    assert row(home, run).journal_skipped == 0 and integrity(home.store.path) == "ok"
