"""What is read is what was ingested: every point, and envelopes that hide none of them."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from engine.journal import RunDir
from tests.store.homes import Home, append, evaluation, event, metrics
from vitui.store import metrics as read
from vitui.store.ingest import ingest
from vitui.store.metrics import Envelope

RUN = "250101-120000-aaaa"


def filled(home: Home, values: list[float], log_every: int = 100, stride: int = 1) -> RunDir:
    """One series: a value for every step (or every `stride`-th)."""
    run = home.add()
    for start in range(0, len(values), log_every):
        part = values[start : start + log_every]
        if stride == 1:
            append(run, metrics(start + len(part), 1.7e9 + start, train__loss=part))
        else:
            for i, value in enumerate(part, start + 1):
                append(run, metrics(i * stride, 1.7e9 + i, train__loss=value))
    ingest(home.store, run)
    return run


def covered(envelope: Envelope, steps: np.ndarray, values: np.ndarray) -> None:
    """Every point is inside its bucket, every bucket says the truth about its points."""
    assert envelope.count.sum() == len(values) and (envelope.count > 0).all()
    done = 0
    for i, n in enumerate(envelope.count):
        part = values[done : done + n]
        own = steps[done : done + n]
        finite = part[np.isfinite(part)]
        assert (envelope.step_first[i], envelope.step_last[i]) == (own[0], own[-1])
        assert envelope.nan_count[i] == n - len(finite)
        np.testing.assert_equal([envelope.first[i], envelope.last[i]], [part[0], part[-1]])
        if len(finite):
            assert (envelope.min[i], envelope.max[i]) == (finite.min(), finite.max())
            assert envelope.mean[i] == pytest.approx(finite.mean(), rel=1e-9, abs=1e-12)
        else:
            assert np.isnan([envelope.min[i], envelope.max[i], envelope.mean[i]]).all()
        done += n


def noisy(n: int, seed: int = 0) -> list[float]:
    rng = random.Random(seed)
    values = [float(f"{rng.gauss(2, 1):.7g}") for _ in range(n)]
    for i in range(17, n, 211):
        values[i] = rng.choice([math.nan, math.inf, -math.inf, 1e30, -1e30])
    if n > 2000:
        values[1000:1600] = [math.nan] * 600  # a whole chunk and more
    return values


@pytest.mark.parametrize("stride", [1, 50])
def test_a_curve_is_exactly_what_went_in(home: Home, stride: int) -> None:
    values = noisy(2500)
    filled(home, values, stride=stride)
    curve = read.curve(home.store.reading(), RUN, "train/loss")
    np.testing.assert_array_equal(curve.steps, np.arange(1, 2501) * stride)
    np.testing.assert_array_equal(curve.values, values)
    assert {a.dtype for a in (curve.steps, curve.values, curve.at)} == {np.dtype("float64")}
    assert (np.diff(curve.at) >= 0).all() and curve.at[0] >= 1.7e9
    part = read.curve(home.store.reading(), RUN, "train/loss", step_min=700 * stride, step_max=1300 * stride + 0.5)
    np.testing.assert_array_equal(part.values, values[699:1300])
    for missing in (("nobody", "train/loss"), (RUN, "nothing")):
        assert len(read.curve(home.store.reading(), *missing).steps) == 0
    assert len(read.curve(home.store.reading(), RUN, "train/loss", step_min=1e9).steps) == 0


def test_points_is_every_point_as_a_row(home: Home) -> None:
    values = noisy(1500)
    run = filled(home, values)
    uneven = [3, 4, 9, 10, 500, 500, 501]
    for step in uneven:
        append(run, metrics(step, 1.8e9 + step, odd=float(step) / 7))
    ingest(home.store, run)
    wanted = [(s, None if math.isnan(v) else v) for s, v in enumerate(values, 1)]
    assert home.points(RUN, "train/loss") == pytest.approx(wanted, rel=1e-15, nan_ok=True) or [
        (s, v) for s, v in home.points(RUN, "train/loss")
    ] == [(s, v) for s, v in wanted]
    assert [s for s, _ in home.points(RUN, "odd")] == uneven
    assert [v for _, v in home.points(RUN, "odd")] == pytest.approx([s / 7 for s in uneven], rel=1e-15)
    first, last = home.store.reading().execute("SELECT min(at), max(at) FROM points WHERE key = 'odd'").fetchone()
    assert (first, last) == (1.8e9 + 3, 1.8e9 + 501)


@pytest.mark.parametrize("buckets", [1, 3, 20, 100, 2000, 10_000])
@pytest.mark.parametrize("n", [1, 2, 511, 513, 6000])
def test_an_envelope_tells_the_truth_about_every_bucket(home: Home, n: int, buckets: int) -> None:
    values = noisy(n)
    filled(home, values)
    envelope = read.envelope(home.store.reading(), RUN, "train/loss", buckets)
    assert len(envelope.count) == min(n, buckets) or len(envelope.count) <= buckets <= -(-n // 512)
    covered(envelope, np.arange(1, n + 1.0), np.array(values))
    assert envelope.count.dtype == envelope.nan_count.dtype == np.int64


def test_a_long_series_is_summarised_and_its_window_cut_to_the_point(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "EXACT_CHUNKS", 2)
    values = noisy(6000)
    filled(home, values)
    low, high = 700, 5301
    envelope = read.envelope(home.store.reading(), RUN, "train/loss", 2000, step_min=low, step_max=high)
    covered(envelope, np.arange(low, high + 1.0), np.array(values[low - 1 : high]))
    assert len(envelope.count) == 10  # eight whole chunks and two that the window cuts
    inside = read.envelope(home.store.reading(), RUN, "train/loss", 1, step_min=600, step_max=601)
    assert (inside.step_first.tolist(), inside.step_last.tolist(), inside.count.tolist()) == ([600.0], [601.0], [2])


@pytest.mark.parametrize("buckets", [10, 300])
def test_one_spike_and_one_nan_among_a_hundred_thousand_points_are_seen(home: Home, buckets: int) -> None:
    values = [1.0] * 100_000
    values[61_803] = 1e6
    values[14_142] = math.nan
    filled(home, values, log_every=1000)
    envelope = read.envelope(home.store.reading(), RUN, "train/loss", buckets)
    assert len(envelope.count) <= buckets and envelope.max.max() == 1e6 and envelope.nan_count.sum() == 1
    spike = int(np.argmax(envelope.max))
    assert envelope.step_first[spike] <= 61_804 <= envelope.step_last[spike]


def test_an_envelope_of_nothing_is_empty(home: Home) -> None:
    home.add()
    for buckets in (0, 1, 100):
        envelope = read.envelope(home.store.reading(), RUN, "train/loss", buckets)
        assert len(envelope.count) == len(envelope.min) == 0


def test_evaluations_and_events_come_in_order_and_by_kind(home: Home) -> None:
    run = home.add()
    append(run, event("warning", 1.0, message="[red]\x1b"), evaluation(10, 50.0, at=2.0), evaluation(10, 55.0, at=2.5, weights="ema"),
           evaluation(10, 51.0, at=3.0, split="val", role="report-best"), evaluation(10, 52.0, at=4.0))  # fmt: skip
    ingest(home.store, run)
    db = home.store.reading()
    found = read.evals(db, RUN)
    # The same evaluation made again (after a resume) stands where the later one was made.
    assert [(e.weights, e.role, e.values["top1"]) for e in found] == [
        ("ema", "select", 55.0), ("model", "report-best", 51.0), ("model", "select", 52.0)
    ]  # fmt: skip
    assert [e.kind for e in read.events(db, RUN)] == ["warning", "eval", "eval", "eval", "eval"]
    assert [e.data["message"] for e in read.events(db, RUN, ["warning"])] == ["[red]\x1b"]
    assert read.events(db, RUN, []) == [] and read.events(db, "nobody") == []
    assert [e.seq for e in read.events(db, RUN)] == [1, 2, 3, 4, 5]
