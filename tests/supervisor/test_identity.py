"""Who is alive: pid, start time and boot id, against real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.supervisor.processes import until
from vitui.supervisor import identity, runner
from vitui.supervisor.identity import Identity


@pytest.fixture
def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"], start_new_session=True)


def test_a_process_is_alive_until_it_is_killed_and_a_zombie_is_not(sleeper: subprocess.Popen[bytes]) -> None:
    who = Identity.of(sleeper.pid)
    assert who is not None and who.alive()
    assert who.send(signal.SIGKILL)
    until(lambda: Path(f"/proc/{sleeper.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z")
    os.kill(sleeper.pid, 0)  # which is what makes pid checks lie
    assert not who.alive() and not who.send(signal.SIGTERM)
    sleeper.wait()
    assert not who.alive() and Identity.of(sleeper.pid) is None and identity.start_time(sleeper.pid) is None


def test_another_start_time_or_boot_is_another_process_and_gets_no_signal(sleeper: subprocess.Popen[bytes]) -> None:
    who = Identity.of(sleeper.pid)
    assert who is not None
    for stranger in (replace(who, start=who.start + 1), replace(who, boot_id="another")):
        assert not stranger.alive() and not stranger.send(signal.SIGKILL) and not stranger.kill_group()
    assert sleeper.poll() is None and who.alive()
    assert who.kill_group()
    assert sleeper.wait() == -signal.SIGKILL


def test_kill_group_refuses_a_group_that_is_not_its_own(sleeper: subprocess.Popen[bytes]) -> None:
    child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    try:
        who = Identity.of(child.pid)
        assert who is not None and os.getpgid(child.pid) == os.getpgid(0)
        assert not who.kill_group()  # it would be us
    finally:
        child.kill()
        child.wait()
        sleeper.kill()
        sleeper.wait()


def test_a_name_with_parentheses_and_spaces_is_read_right(tmp_path: Path) -> None:
    program = tmp_path / "a) S 1 (b"
    os.symlink("/bin/sleep", program)
    child = subprocess.Popen([str(program), "600"])
    try:
        until(lambda: b"a) S 1 (b" in Path(f"/proc/{child.pid}/stat").read_bytes())
        who = Identity.of(child.pid)
        assert who is not None and who.alive() and who.start == runner._start_of(child.pid)
        assert abs(who.start - (identity.start_time(os.getpid()) or 0)) < 100 * 3600
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize(
    "launch",
    [
        {},
        {"boot_id": "b", "trainer": None},
        {"boot_id": "b", "trainer": {"pid": "12", "start": 3}},
        {"boot_id": "b", "trainer": {"pid": 0, "start": 3}},
        {"boot_id": "b", "trainer": {"pid": -1, "start": 3}},
        {"boot_id": None, "trainer": {"pid": 12, "start": 3}},
    ],
)
def test_a_damaged_launch_file_names_nobody(launch: dict[str, object]) -> None:
    assert Identity.from_launch(launch, "trainer") is None
