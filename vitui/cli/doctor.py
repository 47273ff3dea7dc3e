"""``vitui doctor``: what this machine and this home are like, and what to do about what is wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from vitui.cli.opening import Json, home_of, print_json

# https://sqlite.org/wal.html, "the WAL-reset bug": fixed in 3.51.3, and in these two branches.
WAL_FIXED = (3, 51, 3)
WAL_FIXED_BRANCHES = {(3, 50): (3, 50, 7), (3, 44): (3, 44, 6)}


@dataclass(frozen=True)
class Finding:
    """One line of the report. `level`: ok, note (worth knowing) or problem (something will not work)."""

    topic: str
    level: str
    text: str


def add_to(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(context: typer.Context, json: Json = False) -> None:
    """Check versions, home, database, worker, devices, terminal.

    Exit code 1 if something will not work.
    """
    from vitui.text import safe

    findings = list(_findings(home_of(context)))
    if json:
        print_json([asdict(finding) for finding in findings])
    else:
        marks = {"ok": "✓", "note": "·", "problem": "✗"}
        for finding in findings:
            print(f"{marks[finding.level]} {finding.topic:<9} {safe(finding.text)}")
    raise typer.Exit(1 if any(finding.level == "problem" for finding in findings) else 0)


def _findings(option: Path | None) -> Iterator[Finding]:
    import sqlite3

    yield from _versions()
    yield sqlite_finding(sqlite3.sqlite_version_info)
    yield _config()
    yield from _home(option)
    yield from _devices()
    yield from _terminal()


def _versions() -> Iterator[Finding]:
    from vitui.provenance import gather

    found = gather()
    words = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    yield Finding("versions", "ok", f"Python {found['python']}, {words}")
    for name in ("torch", "timm"):
        if name not in found["packages"]:
            yield Finding("versions", "problem", f"{name} is not installed; install vitui anew with its dependencies")
    if shutil.which("git") is None:
        yield Finding("versions", "note", "git is not installed: runs record no commit")


def sqlite_finding(version: tuple[int, ...]) -> Finding:
    """Whether the linked SQLite has the race between two writers of a WAL database."""
    shown = ".".join(map(str, version))
    branch = WAL_FIXED_BRANCHES.get((version[0], version[1]))
    if version >= WAL_FIXED or (branch is not None and version >= branch):
        return Finding("sqlite", "ok", f"SQLite {shown} has no known fault that matters here")
    return Finding(
        "sqlite", "note",
        f"SQLite {shown} can corrupt a WAL database that two connections write at once (fixed in 3.51.3); "
        "vitui lets only one write at a time: let other programs open lab.db read-only",
    )  # fmt: skip


def _config() -> Finding:
    """Which config file is in use and what it sets."""
    from vitui.errors import UsageError
    from vitui.home import config_files
    from vitui.settings import OF_TUI, Settings, read_settings
    from vitui.tui import check_settings

    try:
        settings = read_settings()
        check_settings(settings)
    except UsageError as error:
        return Finding("config", "problem", "; ".join(str(error).splitlines()))
    if settings.source is None:
        return Finding("config", "ok", f"no config file; looked for {' and '.join(map(str, config_files()))}")
    usual = Settings()
    sets = [
        f"{f.name} {getattr(settings, f.name)}" for f in OF_TUI if getattr(settings, f.name) != getattr(usual, f.name)
    ]
    if settings.keys:
        sets.append(f"{len(settings.keys)} action{'s' if len(settings.keys) != 1 else ''} with other keys")
    return Finding("config", "ok", f"{settings.source}" + (f": {', '.join(sets)}" if sets else ""))


def _home(option: Path | None) -> Iterator[Finding]:
    from vitui.errors import VitError
    from vitui.lab import Lab

    try:
        lab = Lab.open(option, adopt=False)
    except (VitError, OSError) as error:
        yield Finding("home", "problem", str(error))
        return
    for message in lab.messages:
        yield Finding("database", "note", message)
    if not lab.home.exists():
        yield Finding("home", "ok", f"{lab.home} does not exist yet; the first run creates it")
        return
    free = shutil.disk_usage(lab.home).free
    runs = lab.home / "runs"
    writable = os.access(runs if runs.exists() else lab.home, os.W_OK)
    level = "ok" if writable and free > 2 << 30 else "note" if writable else "problem"
    yield Finding(
        "home", level, f"{lab.home}: {'writable' if writable else 'NOT writable'}, {free / 2**30:.1f} GB free, "
        f"{_filesystem(lab.home)}",
    )  # fmt: skip
    if not lab.store.exists:
        yield Finding("database", "ok", "no database yet")
        return
    verdict = lab.store.reading().execute("pragma quick_check").fetchone()[0]
    rows: int = lab.store.reading().execute("select count(*) from runs").fetchone()[0]
    words = f"{rows} run{'' if rows == 1 else 's'}, integrity {verdict}"
    if verdict == "ok":
        yield Finding("database", "ok", words)
    else:
        yield Finding("database", "problem", f"{words}; `vitui rebuild` makes it anew")
    queue = lab.queue()
    words = f"worker runs (pid {queue.worker_pid})" if queue.worker_alive else "no worker runs"
    level = "note" if queue.waiting and not queue.worker_alive else "ok"
    waiting = len(queue.waiting)
    yield Finding("worker", level, f"{words}, {waiting or 'no'} run{' waits' if waiting == 1 else 's wait'}")
    if queue.paused:
        yield Finding("worker", "note", f"queue paused: {queue.paused}; `vitui queue resume` lets it go on")


def _filesystem(path: Path) -> str:
    """Type of the filesystem a path is on; file locks over a network are only as good as its server."""
    best, kind = "", "unknown filesystem"
    try:
        mounts = Path("/proc/mounts").read_text().splitlines()
    except OSError:
        return kind
    for line in mounts:
        _, point, found, *_ = line.split(" ")
        if (str(path) + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(best):
            best, kind = point, found
    return f"{kind} (a network filesystem: keep the home on a local disk)" if kind in ("nfs", "nfs4", "cifs") else kind


def _devices() -> Iterator[Finding]:
    from vitui.supervisor.devices import devices

    for device in devices():
        memory = (
            f", {device.memory_free / 2**30:.1f} of {device.memory_total / 2**30:.1f} GB free"
            if device.memory_total
            else ""
        )
        yield Finding("device", "ok", f"{device.name}{memory}")


def _terminal() -> Iterator[Finding]:
    term = os.environ.get("TERM", "")
    size = shutil.get_terminal_size()
    if not sys.stdout.isatty():
        yield Finding("terminal", "note", "stdout is no terminal: the terminal app needs one, commands do not")
    else:
        level = "note" if size.columns < 80 or size.lines < 24 or term in ("", "dumb") else "ok"
        colours = os.environ.get("COLORTERM") or "256 colours or fewer"
        yield Finding("terminal", level, f"TERM={term or 'unset'}, {size.columns}x{size.lines}, {colours}")
    if "TMUX" in os.environ:
        for option, wanted, why in (
            ("set-clipboard", "on", "copying from the app reaches your clipboard only with `set -g set-clipboard on`"),
            ("escape-time", "0", "the Esc key waits that many milliseconds; `set -sg escape-time 10` makes it quick"),
            ("mouse", "on", "the mouse reaches the app only with `set -g mouse on`"),
        ):
            value = _tmux(option)
            if value is not None and value != wanted and not (option == "escape-time" and int(value or 0) <= 50):
                yield Finding("tmux", "note", f"{option} is {value}: {why}")


def _tmux(option: str) -> str | None:
    try:
        done = subprocess.run(["tmux", "show", "-Agv", option], capture_output=True, text=True, timeout=2, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
