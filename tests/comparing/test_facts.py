"""Reading what a comparison needs: from a real journal, and nothing twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tui.fake_lab import DIVERGED, FINISHED, NOW, RUNNING, FakeLab, populated
from vitui.comparing import FactsReader, comparison
from vitui.errors import NotFound, UsageError
from vitui.store.metrics import Event


class CountingLab(FakeLab):
    """Counts what is read."""

    def __init__(self, given: FakeLab) -> None:
        self.__dict__.update(given.__dict__)
        self.read: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        if name in ("evals", "events", "labels", "provenance", "config", "envelope"):
            self.read.append(name)
        return super().__getattribute__(name)


@pytest.fixture
def lab(tmp_path: Path) -> CountingLab:
    return CountingLab(populated(tmp_path))


def test_an_unchanged_run_is_the_same_object(lab: CountingLab) -> None:
    reader = FactsReader(lab, FINISHED)  # type: ignore[arg-type]
    first = reader.read()
    lab.read.clear()
    assert reader.read() is first and lab.read == []


def test_what_only_a_start_can_change_is_not_read_with_every_step(lab: CountingLab) -> None:
    reader = FactsReader(lab, RUNNING)  # type: ignore[arg-type]
    reader.read()
    lab.read.clear()
    lab.change(RUNNING, step=800, journal_offset=2)
    assert reader.read().run.step == 800
    assert "evals" in lab.read and not {"labels", "provenance", "config"} & set(lab.read)
    warned = Event(99, "warning", 1, NOW, 800, 19.0, {})
    lab.journal[RUNNING].append(warned)
    lab.change(RUNNING, journal_offset=3)
    assert reader.read().events[-1] is warned, "what went wrong on the way is there at once"
    lab.read.clear()
    lab.change(RUNNING, name="renamed")
    assert reader.read().run.name == "renamed" and lab.read == []


def test_a_run_that_is_gone_is_not_found(lab: CountingLab) -> None:
    del lab.rows[FINISHED]
    with pytest.raises(NotFound):
        FactsReader(lab, FINISHED).read()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ids", "baseline", "said"),
    [
        ([], None, "no run cannot be compared"),
        ([FINISHED, FINISHED], None, "one run alone cannot be compared"),
        ([str(n) for n in range(21)], None, "21 runs are too many"),
        ([FINISHED, RUNNING], DIVERGED, "the baseline"),
    ],
)
def test_what_cannot_be_compared_is_said(lab: CountingLab, ids: list[str], baseline: str | None, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        comparison(lab, ids, baseline)  # type: ignore[arg-type]
