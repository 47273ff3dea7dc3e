"""Device leases: an flock on a file per device slot, whose descriptor the trainer inherits.

The kernel frees a lease the moment its last holder dies, whoever was killed; there is nothing to clean up. GPUs are
leased in a folder shared by all users of the machine, the CPU (one slot a home) below the home.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from vitui.supervisor.runner import take_lease

SHARED = (Path("/run/lock/vitui"), Path("/dev/shm/vitui-leases"), Path("/tmp/vitui-leases"))
"""Where GPU leases may live: the first that can be written, the same for every user of a machine."""


class Place(NamedTuple):
    """One slot of one device. `key` is "cpu" or a GPU's UUID."""

    key: str
    slot: int


def shared_folder(candidates: Iterable[Path] = SHARED) -> Path:
    """The folder of GPU leases, made (mode 1777) if it is missing. Raises OSError when none can be written."""
    failure: OSError | None = None
    for folder in candidates:
        try:
            try:
                folder.mkdir()
                folder.chmod(0o1777)
            except FileExistsError:
                pass
            if not stat.S_ISDIR(folder.lstat().st_mode):  # a link planted in a folder everybody may write
                continue
            if os.access(folder, os.W_OK | os.X_OK):
                return folder
        except OSError as error:
            failure = error
    raise failure or PermissionError(f"no folder for device leases: tried {', '.join(map(str, candidates))}")


def path(home: Path, place: Place, shared: Path | None = None) -> Path:
    """The lease file of a slot. Makes the folder it lies in, not the file. Raises OSError."""
    if place.key == "cpu":
        folder = home / "leases"
        folder.mkdir(exist_ok=True)
        return folder / f"cpu.{place.slot}.lock"
    suffix = f".{place.slot}" if place.slot else ""
    return (shared or shared_folder()) / f"gpu-{place.key.removeprefix('GPU-')}{suffix}.lock"


def held(file: Path) -> bool:
    """Whether some process holds this lease now. Looking takes it for an instant; runners allow for that."""
    if not file.exists():
        return False
    fd = take_lease(str(file))
    if fd is None:
        return True
    os.close(fd)
    return False
