"""Where a run comes from: who, where, what code, what packages."""

from __future__ import annotations

import getpass
import os
import platform
import socket
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("vitui", "torch", "torchvision", "timm", "numpy", "pillow", "safetensors", "scikit-learn")
PATCH_LIMIT = 1_000_000
"""Bytes of uncommitted changes that are kept."""


def gather(folder: Path | None = None) -> dict[str, Any]:
    """Host, user, command line, git commit with uncommitted changes of `folder` (default: here), package versions."""
    folder = folder or _cwd()
    return {
        "at": time.time(),
        "host": socket.gethostname(),
        "user": _user(),
        "argv": sys.argv,
        "cwd": str(folder or ""),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "git": _git(folder) if folder else None,
    }


def _cwd() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it has been deleted
        return None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's uid without a name
        return str(os.getuid())


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _git(folder: Path) -> dict[str, Any] | None:
    commit = _run(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    patch = _run(folder, "diff", "--no-ext-diff", "--no-textconv", "HEAD") or ""
    return {
        "commit": commit.strip(),
        "branch": (_run(folder, "rev-parse", "--abbrev-ref", "HEAD") or "").strip(),
        "dirty": bool(patch),
        "patch": patch[:PATCH_LIMIT],
    }


def _run(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, timeout=10, stdin=subprocess.DEVNULL, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")
