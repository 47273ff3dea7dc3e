"""The run directory on disk: its layout, its append-only journal, its atomic files. Torch-free.

This module is the only place that knows file names inside a run directory and the fields of every
journal event; the trainer writes through it and everybody else reads through it.

Journal format: one JSON object a line, ending in a CRC-32 of the line without it::

    {"kind":"metrics","at":1763800000.1,"attempt":1,"step":20,"values":{...},"crc":"8b2d1c00"}

Every event has ``kind``, ``at`` (Unix seconds) and ``attempt`` (1-based). ``step`` counts finished
optimiser updates from the start of the run, ``epoch`` counts finished passes over the training data
(a float inside an epoch). Non-finite numbers are the strings "NaN", "Infinity", "-Infinity".

========== ==================================================================================
kind       further fields
========== ==================================================================================
started    ``argv, pid, host, device, engine_version``; the first event of each attempt
phase      ``name`` (importing, packing, building, training, evaluating, exporting): where time goes before step 1
model      ``name, params, trainable_params, macs, input_size [C,H,W], pretrained, random (names of a pretrained
           model's parameters that start afresh: a new classifier)``
data       ``dataset, fingerprint, classes, train_images, select_split (or "minival", or the name of
           evaluate.select_dataset), select_images, report_split, report_images, steps_per_epoch, total_steps,
           total_epochs (a fraction where train.steps decides), batch_size, micro_batch, tier, mean, std``
metrics    ``step, epoch, values {key: number or list}``; a list holds consecutive steps *ending* at ``step``
eval       ``step, epoch, split, weights ("model" or "ema"), images, values {top1, top5, loss}, role
           ("select", or "report-best"/"report-last" for the closing evaluations)``
checkpoint ``step, epoch, path (relative), best (bool), metric, value``
resumed    ``step, epoch, path``: points of earlier attempts beyond ``step`` are superseded
warning    ``message``
nonfinite  ``step, epoch, what (loss or grad_norm of an update, or SPLIT/loss of an evaluation), consecutive``
stopped    ``step, epoch, reason``: asked for; resumable from a checkpoint of that step (or as ``reason`` says)
finished   ``step, epoch, seconds, best {metric, value, step, epoch, selected_on}, last {...}``
diverged   ``step, epoch, reason, best {...}``: the guard (engine.train.guard) gave up; last good checkpoint intact
failed     ``step, epoch, error, remedy``
========== ==================================================================================

Keys of ``metrics`` that the trainer writes: of every step ``train/loss``, ``train/grad_norm`` and ``train/lr``; once an
event ``train/images_per_s`` and, on a GPU, ``train/memory_gb`` (the most that was allocated so far, GiB). About every
ten seconds how busy the device is, as far as it tells: ``device/utilization`` (percent; of a GPU as NVML counts, else
processor time of the trainer and its children in percent of all cores given to it), ``device/memory_gb`` (GiB in use on
the GPU by all processes, else resident memory of the trainer and its children), ``device/temperature`` (degrees
Celsius) and ``device/power`` (watts).
"""

from __future__ import annotations

import errno
import json
import math
import os
import secrets
import time
import tomllib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

TERMINAL_KINDS: Final = frozenset({"stopped", "finished", "diverged", "failed"})
KINDS: Final = TERMINAL_KINDS | {
    "started", "phase", "model", "data", "metrics", "eval", "checkpoint", "resumed", "warning", "nonfinite",
}  # fmt: skip

# Exit codes of `python -m engine`: what the process says when nobody can read its journal.
EXIT_FINISHED: Final = 0
EXIT_FAILED: Final = 1
EXIT_BAD_INPUT: Final = 2
EXIT_DIVERGED: Final = 3
EXIT_STOPPED: Final = 75  # EX_TEMPFAIL of sysexits.h: asked to stop, run again to go on

_TAIL = len(',"crc":"00000000"}')
_NONFINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def new_run_id(now: float | None = None) -> str:
    """``YYMMDD-HHMMSS-xxxx``: sorts by time (local), typeable; the last four are random base-32."""
    stamp = time.strftime("%y%m%d-%H%M%S", time.localtime(now))
    return f"{stamp}-{''.join(secrets.choice('abcdefghjkmnpqrstvwxyz23456789') for _ in range(4))}"


@dataclass(frozen=True)
class RunDir:
    """Names inside one run directory. Creating the object touches nothing on disk."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def recipe(self) -> Path:
        return self.path / "recipe.toml"

    @property
    def resolved(self) -> Path:
        """The recipe with every ``auto`` replaced, written by the trainer when it knows all facts."""
        return self.path / "resolved.toml"

    @property
    def provenance(self) -> Path:
        return self.path / "provenance.json"

    @property
    def labels(self) -> Path:
        """``run.json``: what people say about the run (name, tags, notes, preset, question); mirrors the database."""
        return self.path / "run.json"

    @property
    def journal(self) -> Path:
        return self.path / "journal.jsonl"

    @property
    def console(self) -> Path:
        return self.path / "console.log"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def last(self) -> Path:
        return self.checkpoints / "last.pt"

    @property
    def best(self) -> Path:
        return self.checkpoints / "best.pt"

    @property
    def model(self) -> Path:
        return self.path / "model"

    @property
    def attempts(self) -> Path:
        return self.path / "attempts"

    def attempt(self, number: int) -> Path:
        return self.attempts / str(number)

    def attempt_numbers(self) -> list[int]:
        """Attempts that exist on disk, ascending; empty before the first."""
        try:
            names = os.listdir(self.attempts)
        except FileNotFoundError:
            return []
        return sorted(int(n) for n in names if n.isdigit())

    @property
    def data_root(self) -> Path:
        """Packed datasets of the home this run belongs to: ``<home>/data``."""
        return self.path.parent.parent / "data"


def atomic_write(path: Path, data: bytes | memoryview) -> None:
    """Write a whole file or nothing: temporary name in the same folder, fsync, rename, fsync of the folder.

    Raises OSError (disk full, permission); the old file, if any, is then untouched.
    """
    tmp = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    fd = os.open(tmp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(tmp, path)
    except BaseException:
        tmp.unlink(missing_ok=True)
        raise
    fsync_dir(path.parent)


def fsync_dir(path: Path) -> None:
    """Make renames in a folder durable. Filesystems that cannot fsync folders (some NFS) are left alone."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(fd)


def write_json(path: Path, value: Any) -> None:
    """`atomic_write` of indented JSON; non-finite floats become the journal's strings."""
    atomic_write(path, (json.dumps(_finite(value), indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace"))


def read_json(path: Path) -> Any | None:
    """The value in a JSON file, or None when it is missing, torn or not JSON."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as a dict. Raises OSError, tomllib.TOMLDecodeError (a ValueError)."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        if value != value:
            return "NaN"
        if value in (math.inf, -math.inf):
            return "Infinity" if value > 0 else "-Infinity"
        return value
    if isinstance(value, Mapping):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return value


def number(value: Any) -> float:
    """A journal number as float, the non-finite strings included. Raises ValueError for anything else."""
    if isinstance(value, str):
        if value in _NONFINITE:
            return _NONFINITE[value]
        raise ValueError(f"not a number: {value!r}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError("an integer beyond every float") from None


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


def encode(event: Mapping[str, Any]) -> bytes:
    """One event as its line, checksum and newline included. ASCII only, so a line never splits inside a character."""
    try:
        body = _encode(event)
    except ValueError:  # a NaN somewhere: rare, so only then pay for the walk
        body = _encode(_finite(event))
    raw = body.encode("ascii")
    return b'%s,"crc":"%08x"}\n' % (raw[:-1], zlib.crc32(raw))


def decode(line: bytes) -> dict[str, Any] | None:
    """The event in one line (without newline), or None when its checksum or JSON is wrong."""
    if len(line) <= _TAIL or line[-_TAIL : -_TAIL + 8] != b',"crc":"':
        return None
    body = line[:-_TAIL] + b"}"
    try:
        if line[-10:] != b'%08x"}' % zlib.crc32(body):
            return None
        event = json.loads(body)
    except (ValueError, RecursionError):  # brackets nested by the thousand are JSON too
        return None
    return event if isinstance(event, dict) and isinstance(event.get("kind"), str) else None


class Journal:
    """The writing end. One `write()` an event on an O_APPEND descriptor, so a killed process loses nothing it logged.

    When a write fails or is short (disk full), the unwritten event is kept and retried at the next call, and the
    next record starts with a newline so that the torn bytes spoil only themselves. The number of events that wait
    is bounded (oldest metrics are dropped first, and their number is reported in a warning once writing works).
    """

    MAX_PENDING = 10_000

    def __init__(self, path: Path, attempt: int) -> None:
        self.path = path
        self.attempt = attempt
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._pending: list[bytes] = []
        self._dropped = 0
        # An earlier attempt may have died in the middle of a line.
        size = os.fstat(self._fd).st_size
        self._torn = False
        if size:
            with open(path, "rb") as existing:
                existing.seek(size - 1)
                self._torn = existing.read(1) != b"\n"

    def event(self, kind: str, /, **fields: Any) -> None:
        """Append one event. Never raises for a full disk: the event then waits for the next call or `sync`."""
        line = encode({"kind": kind, "at": time.time(), "attempt": self.attempt, **fields})
        if not self._pending and not self._torn:
            try:
                written = os.write(self._fd, line)
            except OSError:
                written = 0
            if written == len(line):
                return
            self._torn = written > 0
        self._keep(line)
        self._flush()

    def _keep(self, line: bytes) -> None:
        self._pending.append(line)
        if len(self._pending) > self.MAX_PENDING:
            # What ended or changed the run matters more than one more point of a curve.
            metrics = b'{"kind":"metrics"'
            victim = next((i for i, p in enumerate(self._pending) if p.startswith(metrics)), 0)
            del self._pending[victim]
            self._dropped += 1

    def _flush(self) -> bool:
        while self._pending:
            line = (b"\n" if self._torn else b"") + self._pending[0]
            try:
                written = os.write(self._fd, line)
            except OSError:
                return False
            if written != len(line):
                self._torn = self._torn or written > 0
                return False
            self._torn = False
            del self._pending[0]
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self.event("warning", message=f"{dropped} metric events were lost while the disk was full")
        return not self._pending

    @property
    def pending(self) -> int:
        """Events that could not be written yet."""
        return len(self._pending)

    def sync(self) -> bool:
        """Retry what waits and fsync. True when everything logged is on disk."""
        done = self._flush()
        try:
            os.fsync(self._fd)
        except OSError:
            return False
        return done

    def close(self) -> None:
        self.sync()
        os.close(self._fd)


@dataclass(frozen=True)
class Read:
    """What one `read` found: events, the offset to go on from, damaged lines passed over."""

    events: list[dict[str, Any]]
    offset: int
    skipped: int


def read(path: Path, offset: int = 0, limit_bytes: int = 8 << 20) -> Read:
    """Events from `offset` on (at most about `limit_bytes` of them; call again while the offset moves).

    A torn last line is left until it completes. A damaged line is counted and skipped; reading goes on at the next
    newline. A missing file reads as empty. A file shorter than `offset` (replaced) reads as empty at that offset.
    """
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            block = file.read(limit_bytes)
    except FileNotFoundError:
        return Read([], offset, 0)
    end = block.rfind(b"\n") + 1
    if end == 0 and len(block) == limit_bytes:
        # One line longer than the window: no event is, so it is damage; pass over the window.
        return Read([], offset + len(block), 1)
    events: list[dict[str, Any]] = []
    skipped = 0
    for line in block[:end].split(b"\n"):
        if not line:
            continue
        event = decode(line)
        if event is None:
            skipped += 1
        else:
            events.append(event)
    return Read(events, offset + end, skipped)


def read_all(path: Path) -> Iterator[dict[str, Any]]:
    """Every event of a journal, in file order."""
    offset = 0
    while True:
        part = read(path, offset)
        yield from part.events
        if part.offset == offset:
            return
        offset = part.offset
