"""Deleting runs so that a crash at any moment leaves each of them whole or gone.

Under the writer's lock the directory is renamed into ``runs/.trash`` and its rows are deleted; its files go after
that. A directory in the trash is a deleted run, whatever the database says of it: rows that a crash has left are
deleted at the next opening of the home, like the files. Rebuilding passes over hidden folders.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.journal import fsync_dir
from vitui.errors import Busy, NotFound, UsageError, VitError
from vitui.store import LIVE, WAITING, Store, removal, runs
from vitui.store.removal import TRASH

BLOCK = 512
"""Bytes that st_blocks counts in, whatever the file system's own blocks are (POSIX stat)."""


def size(folder: Path) -> int:
    """Bytes on disk below a folder, of files with several names once; links are not followed. 0 where it is gone."""
    total, seen, todo = 0, set[tuple[int, int]](), [os.fspath(folder)]
    if folder.is_symlink():
        return 0
    while todo:
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    try:
                        info = entry.stat(follow_symlinks=False)
                    except OSError:  # a checkpoint is replaced at this moment
                        continue
                    if info.st_nlink > 1 and not entry.is_dir(follow_symlinks=False):
                        if (info.st_dev, info.st_ino) in seen:
                            continue
                        seen.add((info.st_dev, info.st_ino))
                    total += info.st_blocks * BLOCK
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
        except OSError:
            continue
    return total


def delete(store: Store, run_ids: Sequence[str]) -> None:
    """Delete runs with everything in their directories: all of them, or none where one cannot be.

    Raises NotFound, Busy for a run that waits or trains, VitError where a directory cannot be moved or emptied, and
    what `store.writing` raises. Removing files that were left is tried again at each opening of the home.
    """
    folder = store.home / "runs"
    moved: list[tuple[Path, Path]] = []
    with _trash(folder) as trash:
        try:
            with store.writing() as db:
                for run_id in dict.fromkeys(run_ids):
                    _check(runs.get(db, run_id), run_id)
                    place = folder / run_id
                    aside = trash / f"{run_id}.{secrets.token_hex(4)}"
                    try:
                        place.rename(aside)
                    except FileNotFoundError:  # somebody has removed it by hand: the rows are what is left
                        continue
                    moved.append((place, aside))
                removal.delete(db, list(run_ids))
                if moved:
                    fsync_dir(trash)
                    fsync_dir(folder)
        except BaseException as error:
            for place, aside in moved:
                with contextlib.suppress(OSError):  # the next opening finishes what cannot be undone
                    aside.rename(place)
            if isinstance(error, OSError):
                raise VitError(f"the directory of a run cannot be deleted: {error.strerror}; nothing was") from error
            raise
        left = [aside for _, aside in moved if not _remove(aside)]
    if left:
        raise VitError(f"deleted, but some files could not be removed; look at {', '.join(map(str, left))}")


def sweep(store: Store) -> None:
    """Finish what a crash interrupted. Cheap where nothing was; leaves alone what another process is deleting."""
    folder = store.home / "runs"
    if store.read_only or not store.exists or not (folder / TRASH).is_dir():
        return
    with contextlib.suppress(VitError, OSError), _trash(folder, wait=False) as trash:
        left = sorted(trash.iterdir())
        ids = [aside.name.rpartition(".")[0] for aside in left]
        with store.writing() as db:
            removal.delete(db, sorted({run_id for run_id in ids if not (folder / run_id).exists()}))
        for aside in left:
            _remove(aside)


def _check(run: runs.Run | None, run_id: str) -> None:
    if run is None:
        raise NotFound(f"run {run_id} is not here any more")
    if run.state in LIVE | WAITING:
        raise Busy(f"run {run_id} is {run.state}; stop it first, then it can be deleted")
    if run_id in ("", ".", "..") or Path(run_id).name != run_id:
        raise UsageError(f"{run_id!r} is no name of a run directory; delete it by hand and run `vitui rebuild`")


@contextlib.contextmanager
def _trash(folder: Path, *, wait: bool = True) -> Iterator[Path]:
    """The trash, held against others who would empty it. Raises Busy where that is so and `wait` is False."""
    trash = folder / TRASH
    if trash.is_symlink():
        raise UsageError(f"{trash} is a link; nothing is moved to where it leads, remove it")
    while True:
        try:
            trash.mkdir(parents=True, exist_ok=True)
            fd = os.open(trash, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:  # whoever had it has just removed it
            continue
        except OSError as error:
            raise VitError(f"{trash} cannot be used: {error.strerror}") from None
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                raise Busy(f"{trash} is being emptied") from None
            except OSError:  # a file system without locks for folders
                pass
            if not trash.is_dir() or not os.path.samestat(os.fstat(fd), trash.stat()):
                continue  # emptied and removed while we waited
            try:
                yield trash
            finally:
                with contextlib.suppress(OSError):  # not empty: something could not be removed
                    trash.rmdir()
            return
        finally:
            os.close(fd)


def _remove(aside: Path) -> bool:
    """Remove a directory for good; of a link only the link. False where something could not be removed."""
    with contextlib.suppress(OSError):
        if aside.is_symlink() or not aside.is_dir():
            aside.unlink()
        else:
            shutil.rmtree(aside, ignore_errors=True)
    return not os.path.lexists(aside)
