"""Curves over seeds: aligned by step, told how many, bounded however long they are."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from statistics import fmean, stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitui.errors import UsageError
from vitui.store.series import Series as Stored
from vitui.studies import plots
from vitui.studies.bands import Series, band, chosen, default_keys, overlay, overlays
from vitui.studies.formats import FORMATS
from vitui.studies.formats.svg import ended

from .homes import StudyHome
from .test_formats import check_alone

STUDY = 'base = "demo-digits"\nseeds = [0, 1, 2]\nadd = ["mixup", "cutmix"]'


def series(steps: Sequence[int], values: Sequence[float]) -> Series:
    return Series(np.array(steps, float), np.array(values, float))


def stored(home: StudyHome, run: str, key: str, steps: Sequence[int], values: Sequence[float]) -> None:
    with home.lab.store.writing() as db:
        kept = Stored(db, run)
        kept.add(key, list(steps), list(values), 1.7e9, 1)
        kept.flush()


def test_mean_and_spread_at_every_step() -> None:
    found = band(
        [series([10, 20, 30], [1.0, 2.0, 3.0]), series([10, 20], [3.0, 6.0]), series([20, 30], [math.nan, 5.0])]
    )
    assert found.steps.tolist() == [10, 20, 30] and found.n.tolist() == [2, 2, 2]
    assert found.mean.tolist() == [2.0, 4.0, 4.0]
    assert found.least.tolist() == [1.0, 2.0, 3.0] and found.most.tolist() == [3.0, 6.0, 5.0]
    assert found.deviation.tolist() == pytest.approx([stdev([1, 3]), stdev([2, 6]), stdev([3, 5])])


def test_seeds_that_end_early_are_left_out_from_there_on() -> None:
    found = band([series([1, 2, 3], [1.0, 1.0, 1.0]), series([1], [3.0]), series([1, 2], [2.0, math.inf])])
    assert found.n.tolist() == [3, 1, 1] and found.mean.tolist() == [2.0, 1.0, 1.0]
    assert math.isnan(found.deviation[1])


def test_nothing_makes_an_empty_band() -> None:
    for nothing in ([], [series([], [])], [series([1, 2], [math.nan, math.nan])]):
        found = band(nothing)
        assert found.steps.tolist() == found.mean.tolist() == found.least.tolist() == found.n.tolist() == []


points = st.lists(
    st.tuples(st.integers(0, 30), st.floats(-100, 100)), min_size=1, max_size=40, unique_by=lambda p: p[0]
)


@given(st.lists(points, min_size=1, max_size=4))
def test_a_band_is_what_python_computes(told: list[list[tuple[int, float]]]) -> None:
    found = band([series(*map(list, zip(*sorted(one), strict=True))) for one in told])
    for at, step in enumerate(found.steps.tolist()):
        values = [value for one in told for s, value in one if s == step]
        assert found.n[at] == len(values)
        assert found.mean[at] == pytest.approx(fmean(values)) and found.least[at] == min(values)
        assert found.most[at] == max(values)
        assert (
            math.isnan(found.deviation[at]) if len(values) < 2 else found.deviation[at] == pytest.approx(stdev(values))
        )


def test_long_series_are_binned() -> None:
    steps = range(1, 100_001)
    found = band([series(steps, [float(step) for step in steps]), series(steps, [step + 2.0 for step in steps])], 100)
    assert len(found.steps) == 100 and set(found.n.tolist()) == {2}
    assert found.steps[-1] == 100_000 and (np.diff(found.mean) > 0).all()
    assert found.mean[0] == pytest.approx(501.5, abs=1.5) and np.allclose(found.most - found.least, 2.0)


@pytest.fixture
def curves(home: StudyHome) -> StudyHome:
    """Three variants; of cutmix, one seed diverges half-way."""
    home.write("s", STUDY)
    for variant in home.planned("s").variants:
        for seed in range(3):
            level = {"base": 90.0, "mixup": 92.0, "cutmix": 80.0}[variant.name] + seed
            gone = variant.name == "cutmix" and seed == 2
            told = {"state": "diverged", "evidence": "loss was not finite", "selected_on": "minival"} if gone else {}
            run = home.run(variant, seed, None if gone else level, steps_per_epoch=100, **told)
            end = 5 if gone else 10
            stored(
                home,
                run,
                "minival/top1",
                [100 * (n + 1) for n in range(end)],
                [level - 10 / (n + 1) for n in range(end)],
            )
            stored(home, run, "train/loss", range(1, end * 100), [1 / step for step in range(1, end * 100)])
    return home


def test_curves_of_variants_are_over_epochs(curves: StudyHome) -> None:
    report = curves.lab.study_report("s")
    assert default_keys(curves.lab, report) == ["minival/top1", "train/loss"]
    found = overlay(curves.lab, report, "minival/top1")
    assert (found.x, found.unit, found.left_out) == ("epoch", "%", 0)
    assert [curve.variant for curve in found.curves] == ["base", "mixup", "cutmix"]
    base, _, cutmix = found.curves
    assert base.baseline and base.x.tolist() == [float(n) for n in range(1, 11)]
    assert base.band.mean.tolist() == pytest.approx([91 - 10 / n for n in range(1, 11)])
    assert cutmix.diverged == 1 and cutmix.band.n.tolist() == [3] * 5 + [2] * 5 and ended(cutmix) == [4]


def test_any_series_can_be_drawn_and_an_unknown_one_is_refused(curves: StudyHome) -> None:
    report = curves.lab.study_report("s")
    loss = overlay(curves.lab, report, "train/loss", only=["mixup"], points=50)
    assert [curve.variant for curve in loss.curves] == ["mixup"] and len(loss.curves[0].x) == 50 and loss.unit == ""
    with pytest.raises(UsageError, match="no run of study s has a curve nope; there are minival/top1, train/loss"):
        overlay(curves.lab, report, "nope")
    with pytest.raises(UsageError, match='no variant "nope"'):
        overlay(curves.lab, report, "train/loss", only=["nope"])


def test_a_picture_has_the_baseline_and_the_best(curves: StudyHome) -> None:
    report = curves.lab.study_report("s")
    assert [row.variant.name for row in chosen(report, 2)] == ["base", "mixup"]
    assert [row.variant.name for row in chosen(report, 1)] == ["base"]


def test_html_draws_curves_and_json_keeps_them(curves: StudyHome) -> None:
    report = curves.lab.study_report("s")
    found = overlays(curves.lab, report)
    page = check_alone(FORMATS["html"](report, found))
    words = "".join(page.text)
    assert ("clipPath".lower(), "id", "clip-minival-top1") in page.attributes  # the same in every process
    assert "Curves" in words and "minival/top1, %" in words and "a seed ends" in words and "2 of 3 seeds" not in words
    assert "3 of 3 seeds up to here" in words
    kept = json.loads(FORMATS["json"](report, found))["curves"]
    assert [one["key"] for one in kept] == ["minival/top1", "train/loss"]
    assert kept[0]["variants"][2]["n"] == [3] * 5 + [2] * 5


def test_a_study_without_runs_has_no_curves(home: StudyHome) -> None:
    home.write("s", STUDY)
    assert overlays(home.lab, home.lab.study_report("s")) == ()


def test_curves_in_the_terminal_have_no_colours_unless_asked(curves: StudyHome) -> None:
    report = curves.lab.study_report("s")
    found = overlay(curves.lab, report, "minival/top1")
    out = plots.curves(found, 90)
    assert "\x1b" not in out and "minival/top1" in out and "C  + CutMix" in out and "3 seeds, 1 diverged" in out
    assert max(map(len, out.splitlines())) <= 90
    assert "\x1b[" in plots.curves(found, 90, colours=True)


def test_differences_in_the_terminal(curves: StudyHome) -> None:
    report = curves.lab.study_report("s")
    out = plots.forest(report, 80)
    lines = out.splitlines()
    assert "less base, with 95% intervals" in lines[0] and lines[1].startswith("+ Mixup") and "+2.00" in lines[1]
    assert max(map(len, lines)) <= 80 and "\x1b" not in out and "\x1b[" not in plots.forest(report, 40)
    worse = next(line for line in lines if line.startswith("+ CutMix"))
    assert worse.index("○" if "○" in worse else "●") < lines[-1].index("0")
    assert plots.forest(curves.lab.study_report("augreg-i21k300"), 80) == ""
