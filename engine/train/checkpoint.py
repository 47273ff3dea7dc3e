"""Full training state on disk: written whole or not at all, read without running anybody's code."""

from __future__ import annotations

import errno
import io
import os
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from engine.journal import RunDir, atomic_write, fsync_dir
from engine.train.errors import CheckpointError, DamagedError

FORMAT = 1


@dataclass
class Progress:
    """Where a run stands: what a checkpoint holds besides tensors."""

    step: int = 0
    """Finished optimiser updates."""
    seconds: float = 0.0
    """Time spent training and evaluating, over all attempts."""
    best: dict[str, Any] = field(default_factory=dict)
    """metric, value, step, epoch, split, weights of the best evaluation so far; empty before the first."""
    last: dict[str, Any] = field(default_factory=dict)
    """The same of the latest evaluation; its step says which weights were evaluated."""
    values: dict[str, float] = field(default_factory=dict)
    """All metrics of the latest evaluation of the weights that select."""
    nonfinite: int = 0
    """Updates in a row, up to now, that were skipped because something was not finite."""
    high_loss: int = 0
    """Updates in a row, up to now, with a finite loss above the limit (engine.train.guard)."""
    first_loss: float | None = None
    """Loss of the first step of the run that had a finite one."""


def save(run: RunDir, state: dict[str, Any], progress: Progress, best: bool) -> None:
    """Write checkpoints/last.pt, and make it checkpoints/best.pt too if `best`.

    Raises OSError when the disk is full or not writable; the earlier files are then intact.
    """
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, "progress": vars(progress), **state}, buffer)
    atomic_write(run.last, buffer.getbuffer())
    if best:
        _link(run.last, run.best)


def _link(source: Path, target: Path) -> None:
    """Give `target` the content of `source` atomically: a hard link where the filesystem has them, else a copy."""
    tmp = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    tmp.unlink(missing_ok=True)
    try:
        os.link(source, tmp)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS, errno.EXDEV):
            raise
        shutil.copyfile(source, tmp)
        with open(tmp, "rb") as copy:
            os.fsync(copy.fileno())
    os.replace(tmp, target)
    fsync_dir(target.parent)


def load(path: Path) -> dict[str, Any]:
    """A checkpoint's content on the CPU, ``progress`` as Progress.

    Raises DamagedError for wrong bytes, CheckpointError for another program's format, OSError when the file is missing
    or cannot be read at the moment.
    """
    try:
        # torch.load does not compare the archive's checksums with its bytes.
        with zipfile.ZipFile(path) as archive:
            if damaged := archive.testzip():
                raise ValueError(f"{damaged} is damaged")
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=False)
        found = content["format"]
    except (MemoryError, OSError) as error:
        if isinstance(error, OSError) and error.errno in (None, errno.EINVAL):  # an offset that leads nowhere
            raise _damaged(path, error) from None
        raise
    except Exception as error:  # torch raises UnpicklingError, RuntimeError, EOFError, KeyError for damage
        raise _damaged(path, error) from None
    if found != FORMAT:
        raise CheckpointError(
            f"checkpoint {path} has format {found}, this program reads format {FORMAT}; resume with the version of the "
            "program that wrote it"
        )
    try:
        content["progress"].pop("evaluated_epoch", None)  # in files from before there were evaluations inside epochs
        content["progress"] = Progress(**content["progress"])
    except (AttributeError, KeyError, TypeError) as error:
        raise _damaged(path, error) from None
    return dict(content)


def _damaged(path: Path, error: Exception) -> DamagedError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DamagedError(f"checkpoint {path} cannot be read ({reason})")


def recover(run: RunDir) -> tuple[dict[str, Any] | None, list[str]]:
    """What to go on from: the newest whole checkpoint (last, else best), and a sentence for each thing that was wrong.

    Afterwards last.pt is what is returned and best.pt is what its ``progress.best`` says, whenever the attempt before
    died. A damaged file is moved aside to ``*.damaged``, never overwritten; temporary files of killed attempts go.
    Raises CheckpointError for another format, OSError for files that cannot be read at the moment: a run must not start
    from the beginning, over good checkpoints, because of that.
    """
    for stale in run.checkpoints.glob(".*.tmp"):
        stale.unlink(missing_ok=True)
    problems: list[str] = []
    for path in (run.last, run.best):
        content = _load_or_move(path, problems)
        if content is None:
            continue
        content["path"] = path.relative_to(run.path).as_posix()
        if path == run.last:
            _match_best(run, content["progress"], problems)
        else:
            _link(run.best, run.last)
        return content, problems
    return None, problems


def _load_or_move(path: Path, problems: list[str]) -> dict[str, Any] | None:
    try:
        return load(path)
    except FileNotFoundError:
        return None
    except DamagedError as error:
        aside = path.with_name(f"{path.name}.damaged")
        path.replace(aside)
        problems.append(f"{error}; moved aside to {aside.name}")
        return None


def _match_best(run: RunDir, progress: Progress, problems: list[str]) -> None:
    """Make best.pt what `progress` of last.pt says: an attempt may have died between writing the one and the other."""
    if not progress.best or (run.best.exists() and run.best.samefile(run.last)):
        return
    best = _load_or_move(run.best, problems)
    if best is not None and best["progress"].step == progress.best["step"]:
        return
    if progress.best["step"] != progress.step:
        problems.append(f"the best checkpoint, of step {progress.best['step']}, is gone; a later one takes its place")
    if progress.last.get("step") == progress.step:
        progress.best = progress.last
        _link(run.last, run.best)
    else:
        progress.best = {}
