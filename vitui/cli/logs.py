"""``vitui logs``: what a trainer printed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vitui.cli.opening import RunId, open_lab, say

if TYPE_CHECKING:
    from vitui.lab import Lab

POLL_SECONDS = 0.2
TAIL_BYTES = 4 << 20


def add_to(app: typer.Typer) -> None:
    app.command()(logs)


def logs(
    context: typer.Context,
    run: RunId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends.")] = False,
    lines: Annotated[
        int, typer.Option("-n", "--lines", metavar="N", min=0, help="Lines from the end to begin with.")
    ] = 200,
    journal: Annotated[bool, typer.Option("--journal", help="The journal's events instead of the console.")] = False,
) -> None:
    """Print a run's console log (all attempts). Control characters are shown, never sent to the terminal."""
    from vitui.text import safe

    lab = open_lab(context)
    run_id = lab.resolve(run)
    path = lab.run_dir(run_id).journal if journal else lab.run_dir(run_id).console
    if not path.exists() and not follow:
        say(f"run {run_id} is {lab.run(run_id).state} and has printed nothing yet")
        return
    offset, tail = last_lines(path, lines)
    for line in tail:
        print(safe(line))
    if follow:
        for line in new_lines(lab, run_id, path, offset):
            print(safe(line), flush=True)


def last_lines(path: Path, count: int) -> tuple[int, list[str]]:
    """The offset behind the last whole line and up to `count` lines before it; progress bars keep their last state."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            block = file.read()
    except FileNotFoundError:
        return 0, []
    end = block.rfind(b"\n") + 1
    lines = [_text(line) for line in block[:end].split(b"\n")[:-1]]
    return size - len(block) + end, lines[len(lines) - count :] if count else []


def new_lines(lab: Lab, run_id: str, path: Path, offset: int) -> Iterator[str]:
    """Lines as they come, until the run has ended and its last line was read."""
    from vitui.store.runs import ENDED

    while True:
        ended = lab.run(run_id).state in ENDED
        try:
            with open(path, "rb") as file:
                if file.seek(0, 2) < offset:  # rotated: begin anew
                    offset = 0
                file.seek(offset)
                block = file.read(TAIL_BYTES)
        except FileNotFoundError:
            block = b""
        end = len(block) if ended or len(block) == TAIL_BYTES else block.rfind(b"\n") + 1
        offset += end
        for line in block[:end].split(b"\n"):
            if line:
                yield _text(line)
        if ended and not block:
            return
        if not block:
            time.sleep(POLL_SECONDS)


def _text(line: bytes) -> str:
    # A carriage return starts the line anew on a terminal: what counts is what would be left standing.
    return line.rstrip(b"\r").rsplit(b"\r", 1)[-1].decode("utf-8", "replace")
