"""Writing an export so that it is there as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine.journal import fsync_dir
from vitui.errors import UsageError

HIDDEN = ".vitui-export-"
"""How the folder begins in which an export grows."""


def check_free(paths: Sequence[Path], force: bool) -> None:
    """Raises UsageError when one of them is there already and may not be replaced."""
    there = [path for path in paths if os.path.lexists(path)]
    if there and not force:
        more = f" (and {len(there) - 1} more)" if len(there) > 1 else ""
        raise UsageError(f"{there[0]}{more} is there already; --force replaces it, --out writes elsewhere")


@contextmanager
def staged(folder: Path, names: Sequence[str], *, force: bool) -> Iterator[Path]:
    """A hidden folder inside `folder`; when the body ends, `names` in it (files or folders) get their real places.

    Raises UsageError before anything is written when one of them is there already and not `force`, and when the
    folder cannot be made. When the body raises, nothing is left behind.
    """
    check_free([folder / name for name in names], force)
    made = _made(folder)
    inside = folder / f"{HIDDEN}{secrets.token_hex(4)}"
    inside.mkdir()
    try:
        yield inside
        for name in names:
            _sync(inside / name)
        for number, name in enumerate(names):
            _into_place(inside / name, folder / name, inside / f"old-{number}")
        fsync_dir(folder)
    finally:
        shutil.rmtree(inside, ignore_errors=True)
        for one in made:  # those that are still empty, the innermost first
            with contextlib.suppress(OSError):
                one.rmdir()


def _made(folder: Path) -> list[Path]:
    """The folders that had to be made for `folder` to be there, the innermost first."""
    absent = [path for path in (folder, *folder.parents) if not os.path.lexists(path)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made a folder ({error.strerror}); choose another with --out") from None
    return absent


def _into_place(fresh: Path, target: Path, aside: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # A folder takes the place of nothing but an empty one, so what is there has to go first; a link goes itself.
    if os.path.lexists(target) and (fresh.is_dir() or target.is_dir()):
        target.rename(aside)
    fresh.replace(target)


def _sync(path: Path) -> None:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file() and not one.is_symlink()]
    for one in files:
        with open(one, "rb") as written:
            os.fsync(written.fileno())
