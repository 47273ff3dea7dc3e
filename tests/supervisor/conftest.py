"""Real homes, and the certainty that no process outlives its test."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.supervisor.lab import TinyLab
from tests.supervisor.processes import processes_below


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home folder; whatever process has to do with it is killed at the end, by identity."""
    (tmp_path / "runs").mkdir()
    yield tmp_path
    for _ in range(50):
        left = processes_below(tmp_path)
        if not left:
            return
        for process in left:
            process.send(signal.SIGKILL)
        time.sleep(0.02)
    raise AssertionError(f"processes that cannot be killed: {left}")


@pytest.fixture
def lab(home: Path) -> TinyLab:
    """A home with a store and the tiny engine behind the real worker."""
    return TinyLab(home)
