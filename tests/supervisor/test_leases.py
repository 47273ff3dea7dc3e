"""Leases between real processes and users."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from tests.supervisor.processes import until
from vitui.supervisor import leases, runner
from vitui.supervisor.leases import Place

HOLD = "import fcntl,os,sys,time; fd=os.open(sys.argv[1],os.O_RDWR); fcntl.flock(fd,2); print('held',flush=True); time.sleep(600)"


def test_files_are_named_by_device_and_slot(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    assert leases.path(tmp_path, Place("cpu", 0)) == tmp_path / "leases" / "cpu.0.lock"
    assert leases.path(tmp_path, Place("GPU-abc", 0), shared) == shared / "gpu-abc.lock"
    assert leases.path(tmp_path, Place("GPU-abc", 2), shared) == shared / "gpu-abc.2.lock"


def test_the_shared_folder_is_for_everybody_and_links_are_refused(tmp_path: Path) -> None:
    (tmp_path / "planted").symlink_to(tmp_path)
    old = os.umask(0o077)
    try:
        folder = leases.shared_folder([tmp_path / "none" / "here", tmp_path / "planted", tmp_path / "good"])
        fd = runner.take_lease(str(folder / "gpu-x.lock"))
    finally:
        os.umask(old)
    assert fd is not None
    assert folder == tmp_path / "good" and stat.S_IMODE(folder.stat().st_mode) == 0o1777
    assert stat.S_IMODE((folder / "gpu-x.lock").stat().st_mode) == 0o666
    os.close(fd)
    with pytest.raises(OSError):
        leases.shared_folder([tmp_path / "none" / "here"])


def test_held_by_another_process_until_it_dies(tmp_path: Path) -> None:
    file = tmp_path / "gpu-x.lock"
    assert not leases.held(file) and not file.exists()
    os.close(runner.open_lease(str(file)))
    holder = subprocess.Popen([sys.executable, "-S", "-c", HOLD, str(file)], stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
    assert leases.held(file) and runner.take_lease(str(file)) is None
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    until(lambda: not leases.held(file))
    holder.stdout.close()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "gpu-x.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError):
        runner.take_lease(str(tmp_path / "gpu-x.lock"))
    assert not (tmp_path / "victim").exists()


def test_a_lock_on_a_file_that_was_deleted_meanwhile_does_not_count(tmp_path: Path) -> None:
    file = tmp_path / "gpu-x.lock"
    first = runner.take_lease(str(file))
    assert first is not None
    got: list[int | None] = []
    waiter = threading.Thread(target=lambda: got.append(runner.take_lease(str(file), patience_s=20)))
    waiter.start()
    until(lambda: len(os.listdir("/proc/self/fd")) and waiter.is_alive())
    file.unlink()
    os.close(first)
    waiter.join()
    assert got[0] is not None and os.fstat(got[0]).st_ino == file.stat().st_ino
    os.close(got[0])


@pytest.mark.skipif(os.getuid() != 0, reason="needs two users")
def test_another_users_lease_file_in_a_sticky_folder_can_be_taken() -> None:
    """fs.protected_regular refuses O_CREAT there; leases open without it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copy(runner.__file__, folder / "lessee.py")
        shared = leases.shared_folder([folder / "shared"])
        os.close(runner.open_lease(str(shared / "gpu-x.lock")))
        os.chown(shared / "gpu-x.lock", 12345, 12345)
        code = (
            f"import os,sys; sys.path.insert(0,{name!r}); import lessee; os.setuid(65534);"
            f"print(lessee.take_lease({str(shared / 'gpu-x.lock')!r}) is not None)"
        )
        out = subprocess.run([sys.executable, "-S", "-B", "-c", code], capture_output=True, text=True)
        assert out.stdout.strip() == "True", out.stderr
