"""What reaches a person beside the screen: notes of ended runs, the clipboard, views kept for the next time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.tui.driving import notes, running, until
from tests.tui.fake_lab import QUEUED, RUNNING, FakeLab, run
from vitui.tui import clipboard
from vitui.tui.ends import Ends, sentence
from vitui.tui.remembered import Remembered, forget


def test_ends_are_told_once(lab: FakeLab) -> None:
    ends = Ends(lab)  # type: ignore[arg-type]
    assert ends.read() == []
    lab.change(RUNNING, state="diverged", evidence="loss is NaN")
    del lab.rows[QUEUED]
    assert [r.id for r in ends.read()] == [RUNNING]
    lab.touch()
    assert ends.read() == []


def test_what_is_said_of_an_end() -> None:
    done = run("a", name="base\x1b]0;x\x07", state="finished", report_best=97.123, report_split="test")
    assert sentence(done) == r"✓ base\x1b]0;x\x07 has finished: top1 97.12 on test"
    assert sentence(run("a", name="b", state="finished")) == "✓ b has finished"
    bad = run("a", name="b", state="diverged", evidence="NaN at epoch 35", best=80.7)
    assert sentence(bad) == "≈ b has diverged: NaN at epoch 35; best 80.70"
    assert sentence(run("a", name="b", state="lost")) == "? b is lost"


async def test_an_end_is_told_on_any_screen(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("2")
        lab.change(RUNNING, state="failed", evidence="out of memory")
        app.poller.wake()
        await until(pilot, lambda: "has failed: out of memory" in notes(app))


def test_views_are_kept_and_other_apps_sections_too(tmp_path: Path) -> None:
    mine, theirs = Remembered(tmp_path), Remembered(tmp_path)
    mine.put("runs", {"sort": ["best"]})
    mine.close()
    theirs.put("run", {"x": "epoch"})
    theirs.close()
    again = Remembered(tmp_path)
    assert again.get("runs") == {"sort": ["best"]} and again.get("run") == {"x": "epoch"} and again.get("compare") == {}
    assert forget(tmp_path) and not forget(tmp_path)
    assert Remembered(tmp_path).get("runs") == {}


@pytest.mark.parametrize("content", ["", "[1]", '{"runs": 3}', "\x00"])
def test_a_damaged_file_is_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "tui.json").write_text(content)
    kept = Remembered(tmp_path)
    assert kept.get("runs") == {}
    kept.put("runs", {"a": 1})
    kept.close()
    assert json.loads((tmp_path / "tui.json").read_text())["runs"] == {"a": 1}


def test_a_home_that_is_gone_is_no_trouble(tmp_path: Path) -> None:
    kept = Remembered(tmp_path / "gone")
    kept.put("runs", {"a": 1})
    kept.close()
    assert not (tmp_path / "gone").exists()


def test_without_tmux_only_what_is_known_is_said(tmp_path: Path) -> None:
    said = clipboard.deliver("swin\n", "the name", tmp_path, {})
    assert said == f"the name sent to the terminal (OSC 52, which some ignore); also in {tmp_path / 'copied.txt'}"
    assert (tmp_path / "copied.txt").read_text() == "swin\n"
    assert "too long" in clipboard.deliver("x" * 80_000, "the table", tmp_path, {})
    assert "not copied: screen" in clipboard.deliver("x", "it", tmp_path, {"STY": "1.pts"})
    assert clipboard.deliver("x", "it", tmp_path / "none", {}) == "it sent to the terminal (OSC 52, which some ignore)"


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_in_tmux_the_buffer_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    socket = tmp_path / "s"
    tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]
    environment = {key: value for key, value in os.environ.items() if key != "TMUX"}
    subprocess.run([*tmux, "new-session", "-d", "cat"], check=True, env=environment)
    try:
        shown = subprocess.run(
            [*tmux, "display", "-p", "#{socket_path},#{pid},0"], capture_output=True, text=True, check=True
        )
        monkeypatch.setenv("TMUX", shown.stdout.strip())
        assert "copied to tmux's buffer" in clipboard.deliver("äöü | table", "it", tmp_path)
        buffer = subprocess.run([*tmux, "show-buffer"], capture_output=True, check=True).stdout.decode()
        assert buffer == "äöü | table"
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)
    assert "could not be copied: tmux does not answer" in clipboard.deliver("x", "it", tmp_path)


def test_nothing_is_said_twice_of_a_run_that_has_ended() -> None:
    stopped = run("a", name="b", state="stopped", evidence="stopped at epoch 3, step 60", best=94.4)
    assert sentence(stopped) == "■ b: stopped at epoch 3, step 60; best 94.40"
    told = run("a", name="b", state="diverged", evidence="NaN at epoch 35; best top1 80.70 (epoch 7)", best=80.7)
    assert sentence(told) == "≈ b has diverged: NaN at epoch 35; best top1 80.70 (epoch 7)"
