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

FORMAT = 1


@dataclass
class Progress:
    """Where a run stands: what a checkpoint holds besides tensors."""

    step: int = 0
    """Finished optimiser updates."""
    evaluated_epoch: int = 0
    """Last epoch whose evaluation was done."""
    seconds: float = 0.0
    """Time spent training and evaluating, over all attempts."""
    best: dict[str, Any] = field(default_factory=dict)
    """metric, value, step, epoch, split, weights of the best evaluation so far; empty before the first."""
    last: dict[str, Any] = field(default_factory=dict)
    """The same of the latest evaluation."""
    values: dict[str, float] = field(default_factory=dict)
    """All metrics of the latest evaluation of the weights that select."""


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
    """A checkpoint's content on the CPU, ``progress`` as Progress. Raises ValueError naming the file when damaged."""
    try:
        # torch.load does not compare the archive's checksums with its bytes.
        with zipfile.ZipFile(path) as archive:
            if damaged := archive.testzip():
                raise ValueError(f"{damaged} is damaged")
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=False)
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}")
        content["progress"] = Progress(**content["progress"])
    except FileNotFoundError:
        raise
    except Exception as error:  # torch raises UnpicklingError, RuntimeError, EOFError, KeyError for damage
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"checkpoint {path} cannot be read ({reason})") from None
    return dict(content)


def load_latest(run: RunDir) -> tuple[dict[str, Any] | None, list[str]]:
    """The newest readable checkpoint of a run (last, else best) and a sentence for each one that was damaged."""
    problems = []
    for path in (run.last, run.best):
        try:
            content = load(path)
        except FileNotFoundError:
            continue
        except ValueError as error:
            problems.append(str(error))
            continue
        content["path"] = path.relative_to(run.path).as_posix()
        return content, problems
    return None, problems
