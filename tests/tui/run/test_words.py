"""What is said of a run: against which reference, what goes wrong, where it comes from."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.journal import Journal, RunDir
from tests.tui.fake_lab import DIVERGED, FAILED, NOW, QUEUED, RUNNING, Event, FakeLab, run
from vitui import evidence
from vitui.references import comparable, same_split
from vitui.tui import words
from vitui.tui.alarm import alarm, jump
from vitui.tui.screens.run_panes.bare import bare_lines
from vitui.tui.screens.run_panes.events import at_cursor, event_lines
from vitui.tui.screens.run_panes.origin import origin_lines
from vitui.tui.screens.run_panes.recipe import recipe_lines
from vitui.tui.series import exact
from vitui.tui.theme import OKABE_ITO
from vitui.tui.views.run import RunReader, RunView, RunWatch
from vitui.tui.widgets.lines import Line


def plain(lines: list[Line]) -> str:
    return "\n".join(line if isinstance(line, str) else "".join(text for text, _ in line) for line in lines)


def view_of(lab: FakeLab, run_id: str) -> RunView:
    view = RunReader(lab, run_id).read(NOW, RunWatch(run_id))  # type: ignore[arg-type]
    assert view is not None
    return view


ROW = run("r", reference=97.0, report_best=97.78, best=98.6, selected_on="minival", report_split="test")


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ({"metric": "top1", "split": "test"}, "reference 97.00 (+0.78)"),
        ({"metric": "top1", "split": "minival"}, "reference 97.00 on minival (+1.60)"),
        ({"metric": "top1", "split": "val"}, "reference 97.00 on val"),
        ({"metric": "top5", "split": "test"}, "reference 97.00 top5"),
        (None, "reference 97.00"),
        ({}, "reference 97.00"),
    ],
)
def test_a_difference_only_against_the_same_metric_on_the_same_split(
    reference: dict[str, Any] | None, said: str
) -> None:
    part = words.versus(ROW, OKABE_ITO, reference)
    assert part is not None and part[0] == said


def test_before_it_is_measured_and_on_splits_with_other_names() -> None:
    row = ROW._replace(report_split="val", report_best=None)
    assert comparable(row, {"split": "validation"}) == (None, "")
    assert comparable(row._replace(report_best=math.nan), {"split": "valid"}) == (None, "")
    assert comparable(row, {"split": "test"}) == (None, "it is about another split (test)")
    assert same_split("valid", "val") and not same_split("", "") and not same_split("test", "val")


# -- what goes wrong ---------------------------------------------------------------------------------------------


def losses(*parts: tuple[int, float]) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 0.05, sum(n for n, _ in parts))
    return noise + np.concatenate([np.full(n, level) for n, level in parts])


@pytest.mark.parametrize(
    ("values", "jumped"),
    [
        (losses((300, 0.6), (20, 2.0)), True),
        (losses((300, 0.6), (20, 0.65)), False),
        (losses((300, 2.3), (20, 0.5)), False),
        (losses((300, 0.6), (19, 0.6), (1, 40.0)), False),
        (losses((10, 0.6), (20, 2.0)), False),
    ],
)
def test_a_loss_that_jumps(values: np.ndarray, jumped: bool) -> None:
    assert (jump(exact("train/loss", np.arange(1.0, len(values) + 1), values)) is not None) == jumped


def test_the_alarm(lab: FakeLab) -> None:
    assert alarm(view_of(lab, RUNNING)) == "" and alarm(view_of(lab, DIVERGED)) == "diverged"
    lab.journal[RUNNING] += [Event("nonfinite", NOW, 750 + n, 18.3, {"what": "loss", "consecutive": n}) for n in (1, 2)]
    assert alarm(view_of(lab, RUNNING)) == "loss not finite 2 times, 2 in a row"
    lab.journal[RUNNING][-2:] = [Event("nonfinite", NOW, 41, 1.0, {"what": "loss", "consecutive": 1})]
    assert alarm(view_of(lab, RUNNING)) == "", "long ago"
    lab.curves[RUNNING]["train/loss"].values[-20:] = 9.0
    said = alarm(view_of(lab, RUNNING))
    assert said.startswith("loss jumped from 0.") and said.endswith(" to 9.00")


# -- panes -------------------------------------------------------------------------------------------------------


def test_recipe_fields_by_words(lab: FakeLab) -> None:
    settings = view_of(lab, RUNNING).recipe
    found = plain(recipe_lines(settings, OKABE_ITO, "WEIGHT decay"))
    assert "1 of 26 fields" in found and "optim.weight_decay" in found and "optim.lr " not in found
    assert "mix.mixup" in plain(recipe_lines(settings, OKABE_ITO, "toggle")), "by what set it, too"
    assert "0 of 26 fields" in plain(recipe_lines(settings, OKABE_ITO, "nothing like it"))
    assert plain(recipe_lines((), OKABE_ITO, problem="recipe.toml is damaged\x1b")) == "recipe.toml is damaged\\x1b"


def test_a_damaged_recipe_is_told_and_nothing_else_is_lost(lab: FakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    from vitui.errors import UsageError

    def broken(run_id: str) -> dict[str, Any]:
        raise UsageError("recipe.toml line 3 is not TOML")

    monkeypatch.setattr(lab, "config", broken)
    lab.label_files[RUNNING] = {"changes": "x", "origins": 3, "reference": [1]}
    view = view_of(lab, RUNNING)
    assert view.problem == "recipe.toml line 3 is not TOML" and view.recipe == () and view.series
    assert view.reference == {}


def test_the_event_under_the_cursor_has_a_bar(lab: FakeLab) -> None:
    lines = event_lines(view_of(lab, DIVERGED).events, OKABE_ITO, 120)
    assert plain([lines[-1]]).startswith(" ") and plain([at_cursor(lines[-1], OKABE_ITO)]).startswith("▌")
    assert "diverged    loss is NaN three times in a row" in plain(lines)


def test_where_it_comes_from(lab: FakeLab) -> None:
    lab.facts[RUNNING] = {
        "at": NOW - 75, "host": "gpu-box", "user": "ann", "argv": ["vitui", "run", "demo digits"], "cwd": "/work",
        "python": "3.11", "platform": "Linux", "packages": {"torch": "2.15.0"},
        "git": {"commit": "3f9c2d81", "branch": "main", "dirty": True,
                "patch": "diff --git a/x.py b/x.py\n+1\ndiff --git a/y.py b/y.py\n+2\n"},
    }  # fmt: skip
    here = lab.run_dir(RUNNING)
    for number, exit in ((1, {"reason": "signal", "signal": 9, "code": None, "at": NOW - 50, "max_rss_kb": 2048}),
                         (2, None)):  # fmt: skip
        folder = here.attempt(number)
        folder.mkdir(parents=True)
        (folder / "launch.json").write_text(
            json.dumps({"at": NOW - 60, "host": "gpu-box", "device": "cpu", "trainer": {"pid": 4711}})
        )
        if exit is not None:
            (folder / "exit.json").write_text(json.dumps(exit))
    here.checkpoints.mkdir()
    (here.checkpoints / "last.pt").write_bytes(b"x" * 3000)
    told = plain(origin_lines(view_of(lab, RUNNING), OKABE_ITO, 100))
    for text in ("ann on gpu-box", "vitui run 'demo digits'", "3f9c2d81", "56 B in 2 files: x.py, y.py", "torch 2.15.0",
                 "Attempt 1", "gpu-box, cpu, pid 4711", "killed by SIGKILL", "signal 9, peak memory 2.00 MiB", "10s",
                 "Attempt 2", "goes on", "last.pt", "2.93 KiB", str(here.path)):  # fmt: skip
        assert text in re.sub(r"\n +", "", told) or text in told, text  # a long path is broken


def test_hostile_provenance_is_drawn_all_the_same(lab: FakeLab) -> None:
    lab.facts[RUNNING] = {"argv": 3, "git": [], "packages": "x", "at": "now", "user": "\x1b[2J", "host": None}
    told = plain(origin_lines(view_of(lab, RUNNING), OKABE_ITO, 60))
    assert "\x1b" not in told and "not launched from a git repository" in " ".join(told.split())


def test_attempts_of_a_directory_that_is_gone_or_damaged(tmp_path: Path) -> None:
    here = RunDir(tmp_path / "r")
    assert evidence.attempts(here) == [] and evidence.file_sizes(here.checkpoints) == []
    here.attempt(1).mkdir(parents=True)
    (here.attempt(1) / "exit.json").write_text("torn")
    (here.attempt(1) / "launch.json").write_text("[]")
    [attempt] = evidence.attempts(here)
    assert attempt.state == "lost" and "exit.json does not say how it ended" in attempt.why and attempt.pid is None


def test_a_stop_is_told_with_its_checkpoint(tmp_path: Path) -> None:
    here = RunDir(tmp_path / "r")
    here.attempt(1).mkdir(parents=True)
    journal = Journal(here.journal, 1)
    journal.event("stopped", step=40, epoch=1.0, reason="asked to stop")
    journal.close()
    (here.attempt(1) / "exit.json").write_text(json.dumps({"reason": "exited", "code": 75, "at": NOW}))
    [attempt] = evidence.attempts(here)
    assert attempt.state == "stopped" and "asked to stop" in attempt.why and attempt.code == 75


def test_what_stands_where_there_are_no_curves(lab: FakeLab) -> None:
    def said(run_id: str) -> str:
        return " ".join(plain(bare_lines(view_of(lab, run_id), NOW, OKABE_ITO, 78)).split())

    assert bare_lines(view_of(lab, RUNNING), NOW, OKABE_ITO, 78) == []
    assert "is gone" in said(QUEUED), "no directory"
    for run_id in (QUEUED, FAILED):
        lab.run_dir(run_id).path.mkdir(parents=True)
    assert said(QUEUED).startswith("waits, number 1 in the queue: the CPU is busy with")
    assert said(FAILED) == "failed before its first step was journalled it has printed nothing"
    lab.run_dir(FAILED).console.write_text("Traceback\n")
    assert said(FAILED).endswith("the end of its log:")
    lab.change(QUEUED, state="starting", started=NOW - 12)
    lab.journal[QUEUED] = [Event("phase", NOW - 10, data={"name": "packing"})]
    assert said(QUEUED) == "no step yet: packing, since 12s"


@pytest.mark.parametrize("at", [1e300, -1e300, math.inf, math.nan])
def test_a_time_that_no_calendar_has(lab: FakeLab, at: float) -> None:
    """A damaged file may say anything; the screen stays."""
    lab.journal[RUNNING].append(Event("warning", at, data={"message": "late", "seconds": at}))
    lab.journal[RUNNING].append(Event("finished", NOW, data={"seconds": at}))
    lab.facts[RUNNING] = {"at": at, "host": "h"}
    view = view_of(lab, RUNNING)
    assert "late" in plain(event_lines(view.events, OKABE_ITO, 120)) and "–" in plain(
        event_lines(view.events, OKABE_ITO, 80)
    )
    assert "–" in plain(origin_lines(view, OKABE_ITO, 80))


def test_an_exit_that_no_machine_has(tmp_path: Path) -> None:
    folder = RunDir(tmp_path).attempt(1)
    folder.mkdir(parents=True)
    (folder / "exit.json").write_text('{"code": 0, "max_rss_kb": 1e999, "at": 1' + "0" * 400 + "}")
    (attempt,) = evidence.attempts(RunDir(tmp_path))
    assert attempt.peak_bytes is None and attempt.ended is None
