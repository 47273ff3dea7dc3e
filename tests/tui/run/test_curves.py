"""What is read of a run's curves, and into which charts they go."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tui.fake_lab import DIVERGED, FINISHED, NOW, RUNNING, Curve, Event, FakeLab, run, train
from vitui.tui.curve_marks import marks
from vitui.tui.curves import levels, ordered, panels
from vitui.tui.series import Series, Span, XAxis
from vitui.tui.views.curves import EXACT_POINTS, TAIL_POINTS, RunCurves
from vitui.tui.views.run import RunReader, RunView, RunWatch


class Counting(FakeLab):
    """Counts what is read of curves: (key, first step asked for)."""

    asked: list[tuple[str, float | None]]

    def curve(self, run_id: str, key: str, step_min: float | None = None, step_max: float | None = None) -> Curve:
        self.asked.append((key, step_min))
        return super().curve(run_id, key, step_min, step_max)


def lab_of(path: Path, points: int, **values: Any) -> Counting:
    lab = Counting(path, [run("r", state="running", step=points, steps_per_epoch=100, **values)])
    lab.asked = []
    grow(lab, points)
    return lab


def grow(lab: FakeLab, points: int, seed: int = 0) -> None:
    steps = np.arange(1.0, points + 1)
    values = np.random.default_rng(seed).normal(size=10**6)[:points]
    lab.curves["r"] = {"train/loss": Curve(steps, values, steps), "val/top1": Curve(steps[:3], values[:3], steps[:3])}
    lab.change("r", step=points)


def loss(curves: RunCurves, lab: FakeLab, span: Span | None = None) -> Series:
    return curves.read(lab.run("r"), span)["train/loss"]


def test_only_what_is_new_is_read_and_what_is_old_stays_the_same_object(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, 500)
    curves = RunCurves(lab, "r")
    first = curves.read(lab.run("r"), None)
    lab.asked.clear()
    assert curves.read(lab.run("r"), None) is first and lab.asked == []
    grow(lab, 700)
    second = curves.read(lab.run("r"), None)
    assert lab.asked == [("train/loss", 501)]
    assert second["val/top1"] is first["val/top1"] and second["train/loss"] is not first["train/loss"]
    assert np.array_equal(second["train/loss"].mean, lab.curves["r"]["train/loss"].values)
    assert list(curves.read(lab.run("r"), None, {"val/top1"})) == ["val/top1"]


def test_a_resumed_run_is_read_again(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, 500)
    curves = RunCurves(lab, "r")
    before = loss(curves, lab).mean
    lab.journal["r"] = [Event("resumed", NOW, 300)]
    grow(lab, 600, seed=1)
    after = loss(curves, lab).mean
    assert np.array_equal(after, lab.curves["r"]["train/loss"].values) and not np.array_equal(after[:500], before)


def test_a_long_series_is_an_envelope_that_loses_no_point_while_it_grows(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, EXACT_POINTS + 5000)
    curves = RunCurves(lab, "r")
    assert len(loss(curves, lab)) == 2000
    for points in (EXACT_POINTS + 5000 + 100, EXACT_POINTS + 5000 + TAIL_POINTS + 200):
        grow(lab, points)
        series, values = loss(curves, lab), lab.curves["r"]["train/loss"].values
        assert series.count.sum() == points and series.step[-1] == points
        assert series.hi.max() == values.max() and series.lo.min() == values.min()
        assert np.all(np.diff(series.step) > 0)
        assert len(series) == (2100 if points == EXACT_POINTS + 5100 else 2000), "new points, then a new envelope"


@pytest.mark.parametrize("high", [9500.0, None])
def test_what_is_in_view_is_finer_and_the_rest_still_there(tmp_path: Path, high: float | None) -> None:
    points = 200_000
    lab = lab_of(tmp_path, points)
    curves = RunCurves(lab, "r")
    low = 9000.0 if high is not None else points - 500.0
    lab.asked.clear()
    series = loss(curves, lab, Span(XAxis.STEP, low, high))
    assert series.count.sum() == points and np.all(np.diff(series.step) > 0)
    inside = (series.step >= low) & (series.step <= (high or points))
    assert inside.sum() == 501 and np.all(series.count[inside] == 1), "every point of the window"
    lab.asked.clear()
    assert len(loss(curves, lab, Span(XAxis.STEP, low + 10, high))) == len(series) and lab.asked == [], "at hand"
    assert len(loss(curves, lab)) == 2000


def test_a_window_in_epochs(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, 100_000)
    series = loss(RunCurves(lab, "r"), lab, Span(XAxis.EPOCH, 500.0, 503.0))
    inside = (series.step >= 50_000) & (series.step <= 50_300)
    assert inside.sum() == 301


def test_not_finite_points_of_a_long_series_are_kept_apart(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, 30_000)
    lab.curves["r"]["train/loss"].values[12_345] = math.nan
    lab.curves["r"]["train/loss"].values[-1] = math.inf
    curves = RunCurves(lab, "r")
    assert len(loss(curves, lab).bad_step) == 2
    grow(lab, 30_100)
    lab.curves["r"]["train/loss"].values[-1] = math.nan
    series = loss(curves, lab)
    assert series.bad_step[-1] == 30_100 and np.isfinite(series.mean).all()


# -- which chart -------------------------------------------------------------------------------------------------


def view_of(lab: FakeLab, run_id: str, *overlays: str) -> RunView:
    view = RunReader(lab, run_id).read(NOW, RunWatch(run_id, overlays=overlays))  # type: ignore[arg-type]
    assert view is not None
    return view


def test_a_chart_for_every_quantity_in_order(lab: FakeLab) -> None:
    series = lab.curves[RUNNING]
    for key in ("device/temperature", "train/grad_norm", "train/images_per_s", "val/f1_macro", "train/memory_gb",
                "device/memory_gb", "device/utilization", "minival/ema_top1", "device/power", "test/loss"):  # fmt: skip
        series[key] = series["train/loss"]
    charts = panels(view_of(lab, RUNNING))
    assert [chart.title for chart in charts] == [
        "loss", "top-1", "top-5", "learning rate", "gradient norm", "throughput", "memory", "device use",
        "temperature", "power", "f1 macro",
    ]  # fmt: skip
    by_key = {chart.key: chart for chart in charts}
    assert [t.label for t in by_key["loss"].traces] == ["train", "minival", "test"]
    assert [t.label for t in by_key["top1"].traces] == ["minival", "minival ema"]
    assert [t.label for t in by_key["memory_gb"].traces] == ["device", "train"]
    assert [t.ink for t in by_key["loss"].traces] == [0, 1, 2]
    assert [t.smooth for t in by_key["loss"].traces] == [True, False, False] and not by_key["lr"].traces[0].smooth
    assert by_key["top1"].unit == "%" and by_key["images_per_s"].unit == "images/s"
    assert by_key["loss"].traces[0].pace.steps_per_epoch == 41 and by_key["loss"].traces[0].pace.images_per_step == 32


def test_a_split_that_selects_comes_first() -> None:
    keys = ["val/top1", "minival/ema_top1", "minival/top1", "train/loss", "a/loss"]
    assert ordered(keys, "minival") == ["train/loss", "a/loss", "minival/top1", "minival/ema_top1", "val/top1"]


def test_runs_laid_over_have_a_chart_for_each_series_and_one_ink_everywhere(lab: FakeLab) -> None:
    charts = panels(view_of(lab, RUNNING, FINISHED, DIVERGED, "261101-000000-none"))
    assert [chart.key for chart in charts] == ["train/loss", "minival/top1", "minival/loss", "minival/top5", "train/lr"]
    assert charts[0].title == "loss train" and charts[1].title == "top-1 minival" and charts[4].title == "learning rate"
    for chart in charts:
        assert [(t.label, t.ink) for t in chart.traces] == [
            ("digits mixup 0.2", 0), ("demo-digits", 1), ("cifar10 lr 0.5", 2),
        ]  # fmt: skip
    assert charts[0].traces[2].pace.steps_per_epoch == 382, "each with the pace of its run"


REFERENCE = {"metric": "top1", "split": "test", "value": 97.0}


@pytest.mark.parametrize(
    ("reference", "name", "keys", "expected"),
    [
        (REFERENCE, "top1", ["test/top1"], "ref test"),
        (REFERENCE, "top1", ["minival/top1"], "ref test"),
        (REFERENCE, "top5", ["test/top5"], ""),
        ({**REFERENCE, "metric": "top5"}, "top5", ["test/top5"], "ref test"),
        ({**REFERENCE, "split": "val"}, "top1", ["minival/top1"], ""),
        ({**REFERENCE, "split": "validation"}, "top1", ["val/top1"], "ref validation"),
        ({**REFERENCE, "value": math.nan}, "top1", ["test/top1"], ""),
        ({**REFERENCE, "value": True}, "top1", ["test/top1"], ""),
        ({}, "top1", ["test/top1"], ""),
    ],
)
def test_the_published_value_only_where_split_and_metric_fit(
    reference: dict[str, Any], name: str, keys: list[str], expected: str
) -> None:
    row = run("r", selected_on="minival", report_split="test")
    assert "".join(level.label for level in levels(name, keys, row, reference)) == expected


def test_events_are_marks_on_the_time_axis(lab: FakeLab) -> None:
    row = lab.run(DIVERGED)
    lab.journal[DIVERGED].append(Event("warning", NOW - 70_990 + 100 * 0.045, data={"message": "\x1b[31mlow disk"}))
    found = marks(lab.journal[DIVERGED], row, view_of(lab, DIVERGED).series)
    assert [mark.kind for mark in found] == ["best", "best", "best", "nonfinite", "diverged", "warning"]
    assert found[3].step == 1300 and "3 in a row" in found[3].text
    assert found[-1].step == pytest.approx(100, abs=1), "an event without a step is placed by its time"
    assert found[-1].text == "\\x1b[31mlow disk" and found[0].pace.steps_per_epoch == 382


def test_very_many_checkpoints_do_not_hide_what_matters() -> None:
    events = [Event("checkpoint", NOW, n, data={"best": n == 1}) for n in range(5000)] + [Event("stopped", NOW, 5000)]
    assert [mark.kind for mark in marks(events, run("r"), {})] == ["best", "stopped"]  # type: ignore[arg-type]


def test_a_view_is_the_same_while_nothing_changes(lab: FakeLab) -> None:
    reader = RunReader(lab, RUNNING)  # type: ignore[arg-type]
    watch = RunWatch(RUNNING, overlays=(FINISHED,))
    first = reader.read(NOW, watch)
    assert first is not None and len(first.overlays) == 1 and reader.read(NOW, watch) is None
    lab.touch()
    assert reader.read(NOW, watch) is None, "something else has changed"
    train(lab, FINISHED, 1231, 1231, 41, final=98.4, start=NOW - 9290, seed=2)
    lab.touch()
    second = reader.read(NOW, watch)
    assert second is not None and second.overlays != first.overlays and second.series is first.series
