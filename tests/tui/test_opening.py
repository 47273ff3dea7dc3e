"""Opening the app: where it cannot open it says so, and what it loads."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.tui.driving import running
from tests.tui.fake_lab import FakeLab
from vitui.errors import UsageError
from vitui.tui import check_terminal, write_crash


def test_without_a_terminal_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "__stdin__", nothing)
        with pytest.raises(UsageError, match=r"standard input is not a terminal.*vitui runs"):
            check_terminal()


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_move_its_cursor(monkeypatch: pytest.MonkeyPatch, term: str) -> None:
    master, slave = pty.openpty()
    try:
        with open(slave, closefd=False) as stream:
            monkeypatch.setattr(sys, "__stdin__", stream)
            monkeypatch.setattr(sys, "__stdout__", stream)
            monkeypatch.setenv("TERM", "xterm")
            check_terminal()
            monkeypatch.setenv("TERM", term)
            with pytest.raises(UsageError, match="TERM"):
                check_terminal()
    finally:
        os.close(master)
        os.close(slave)


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys, vitui.tui; print([m for m in ('torch', 'timm', 'textual', 'numpy', 'rich') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_the_whole_app_loads_no_torch() -> None:
    code = "import sys, vitui.tui.app; print([m for m in ('torch', 'timm', 'plotext', 'sqlite_utils') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_a_crash_is_written_down(tmp_path: Path) -> None:
    try:
        raise RuntimeError("bad \udcff thing")
    except RuntimeError as error:
        path = write_crash(tmp_path, error)
    assert path is not None and path.parent == tmp_path and "RuntimeError: bad" in path.read_text()
    assert write_crash(tmp_path / "missing", RuntimeError()) is None


CRASHING = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.tui.fake_lab import populated
from vitui.tui import run_tui
from vitui.tui.screens.runs import RunsScreen
def explode(self):
    raise RuntimeError("a fault in a key")
RunsScreen.action_sort = explode
sys.exit(run_tui(populated(Path({home!r}))))
"""


def on_a_pty(code: str, keys: bytes, timeout: float = 30.0) -> tuple[int, str]:
    """Run Python in a terminal of 80x24, press keys once something is drawn, and return exit code and output."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "LINES": "24", "COLUMNS": "80"}
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    )
    os.close(slave)
    output, sent, end = b"", False, time.monotonic() + timeout
    try:
        while time.monotonic() < end:
            if select.select([master], [], [], 0.1)[0]:
                try:
                    block = os.read(master, 65536)
                except OSError:
                    break
                if not block:
                    break
                output += block
            if not sent and b"18.6/30" in output:
                os.write(master, keys)
                sent = True
        return process.wait(timeout=10), output.decode("utf-8", "replace")
    finally:
        process.kill()
        os.close(master)


def test_a_crash_in_a_real_terminal_leaves_a_report_and_a_sentence(tmp_path: Path) -> None:
    code = CRASHING.format(root=str(Path(__file__).parents[2]), home=str(tmp_path))
    status, output = on_a_pty(code, b"s")
    assert status == 1
    assert "the terminal app has crashed (RuntimeError); the report is in" in output
    assert "Traceback" not in output
    (report,) = tmp_path.glob("crash-*.log")
    assert "a fault in a key" in report.read_text()


def test_quitting_in_a_real_terminal(tmp_path: Path) -> None:
    code = CRASHING.format(root=str(Path(__file__).parents[2]), home=str(tmp_path))
    status, output = on_a_pty(code, b"q")
    assert status == 0
    assert output.rstrip().endswith("\x1b[?25h") or "\x1b[?1049l" in output, "the terminal is given back"
    assert not list(tmp_path.glob("crash-*"))


async def test_nothing_of_the_lab_is_read_in_the_app_s_own_loop(lab: FakeLab) -> None:
    async with running(lab) as (_, pilot):
        await pilot.press("j", "enter", "tab", "tab", "escape", "escape", "/", "a", "escape")
    assert lab.readers == {"vitui-poller"}


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("COLORTERM", "")])
async def test_without_colours(lab: FakeLab, monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    monkeypatch.setenv("TERM", "xterm")
    async with running(lab) as (app, pilot):
        await pilot.press("j", "enter")
        colours = {
            segment.style.color.name
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if segment.style is not None and segment.style.color is not None
        }
        if variable == "COLORTERM":
            assert app.console.color_system == "standard"
            assert not any(name.startswith("#") for name in colours), "the terminal's own sixteen colours"
        else:
            assert app.no_color
