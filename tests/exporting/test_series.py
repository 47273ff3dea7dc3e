"""Every point of every series comes out once, whatever the pieces it is read in."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exporting.making import LOSSES, RUN, closing, opened, same, trained
from tests.store.homes import Home, append, event, metrics
from vitui.errors import UsageError
from vitui.exporting import series
from vitui.exporting.series import blocks, check_keys, names, rows, snapshot, windows
from vitui.store import Store
from vitui.store.ingest import ingest


@given(st.integers(0, 10_000), st.integers(0, 100_000), st.integers(1, 3000))
def test_windows_hold_every_step_once(points: int, last: int, size: int) -> None:
    found = list(windows(points, last, size))
    assert found[0][0] == -math.inf and found[-1][1] == math.inf
    assert all(after == high + 1 for (_, high), (after, _) in pairwise(found))
    assert len(found) == max(1, math.ceil(points / size))


@pytest.mark.parametrize("size", [1, 7, 512, 100_000])
def test_blocks_are_the_whole_curve(home: Home, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Also of a series whose steps are uneven: dense first, then one every hundred."""
    run = trained(home)
    append(run, *(event("metrics", 300.0 + n, 2, step=100 * n, epoch=1.0, values={"odd": 1.0 / n}) for n in range(1, 40)),
           metrics(5000, 400.0, 2, odd=[float(n) for n in range(700)]))  # fmt: skip
    ingest(home.store, run)
    monkeypatch.setattr(series, "BLOCK", size)
    lab = opened(home)
    for key in lab.keys(RUN):
        found, curve = list(blocks(lab, RUN, [key])), lab.curve(RUN, key)
        assert [step for b in found for step in b.steps.tolist()] == curve.steps.tolist()
        assert same([value for b in found for value in b.values.tolist()], curve.values.tolist())
        if not key.startswith("minival/"):
            assert [at for b in found for at in b.at.tolist()] == curve.at.tolist()
        assert size < 700 or len(found) == 1


def test_evaluations_have_the_times_of_the_journal(home: Home) -> None:
    trained(home)
    [block] = blocks(opened(home), RUN, ["minival/top1"])
    assert block.steps.tolist() == [10, 20, 30]
    assert block.at.tolist() == [110.7, 210.9, 230.9]
    assert block.values.tolist() == [50.0, 60.0, 55.0]


@pytest.mark.parametrize("size", [1, 13, 100_000])
def test_rows_bring_everything_of_a_step_together(home: Home, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    trained(home)
    monkeypatch.setattr(series, "BLOCK", size)
    found = list(rows(opened(home), RUN, ()))
    assert [step for step, _, _ in found] == list(range(1, 31))
    assert same([values["train/loss"] for _, _, values in found][:10], LOSSES)
    by_step = {step: values for step, _, values in found}
    assert by_step[20]["minival/top1"] == 60.0 and by_step[20]["report-best/test/top1"] == 59.5
    assert by_step[30]["report-last/test/top1"] == 54.0 and "report-best/test/top1" not in by_step[30]
    times = [at for _, at, _ in found]
    assert times == sorted(times) and times[-1] == 230.9


def test_a_closing_evaluation_at_a_step_without_points_is_a_row(home: Home) -> None:
    trained(home)
    found = list(rows(opened(home), RUN, ["report-*"]))
    assert [(step, at) for step, at, _ in found] == [(20, 231.7), (30, 231.5)]


def test_names_and_patterns(home: Home) -> None:
    trained(home)
    lab = opened(home)
    assert names(lab, RUN)[:5] == ["minival/loss", "minival/top1", "minival/top5", "train/loss", "train/lr"]
    assert {block.key for block in blocks(lab, RUN, ["train/*", "minival/top1"])} == {
        "train/loss", "train/lr", "minival/top1",
    }  # fmt: skip
    check_keys(lab, [RUN], ["train/*", "report-best/test/top1"])
    with pytest.raises(UsageError, match=r"no run has a series train/los, did you mean train/loss\?; there are: "):
        check_keys(lab, [RUN], ["train/los"])


def test_a_snapshot_is_of_one_moment(home: Home) -> None:
    """What a live run adds meanwhile, and what a resume takes away, is not seen inside."""
    run = trained(home, state="running")
    lab, writer = opened(home), Store(home.path)
    with snapshot(lab):
        before = lab.curve(RUN, "train/loss").values.tolist()
        append(run, metrics(31, 300.0, 2, train__loss=7.0), event("resumed", 301.0, 3, step=10, epoch=1.0, path=""))
        closing(run)
        ingest(writer, run)
        assert same(lab.curve(RUN, "train/loss").values.tolist(), before) and len(before) == 30
        assert len(lab.evals(RUN)) == 3
    assert len(lab.curve(RUN, "train/loss").values) == 10
    writer.close()


def test_superseded_points_are_exported_once(home: Home) -> None:
    trained(home)
    [block] = blocks(opened(home), RUN, ["train/loss"])
    assert block.steps.tolist() == list(range(1, 31))
    assert 9.0 not in block.values.tolist()
