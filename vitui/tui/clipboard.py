"""The clipboard of whoever looks at the terminal, which may be far away: tmux's buffer, and OSC 52.

A terminal does not answer OSC 52 and many ignore it, tmux drops it from programs by default (`set-clipboard
external`), screen always. So the text is kept in a file too, and what is said is only what is known.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from engine.journal import atomic_write

OSC_52_BYTES = 74_994
"""The longest text that xterm, hterm and tmux's outer terminals take in one OSC 52 (100,000 bytes of base64)."""
TMUX_PATIENCE_S = 2.0


def deliver(text: str, what: str, home: Path, environ: Mapping[str, str] = os.environ) -> str:
    """What became of copying `text`, sent to the terminal already; `what` names it. Waits for tmux."""
    kept = _keep(text, home)
    also = f"; also in {kept}" if kept else ""
    if environ.get("TEXTUAL_DRIVER"):
        return f"{what} sent to the browser, which may not take it{also}"
    if environ.get("TMUX"):
        if _tmux(["load-buffer", "-w", "-"], text):
            return f"{what} copied to tmux's buffer (prefix ] pastes it) and passed on to the terminal{also}"
        if _tmux(["load-buffer", "-"], text):
            return f"{what} copied to tmux's buffer (prefix ] pastes it); this tmux does not pass it on{also}"
        return f"{what} could not be copied: tmux does not answer{also or '; and no file could be written'}"
    if environ.get("STY"):
        return f"{what} not copied: screen passes nothing on to the terminal{also}"
    if len(text.encode("utf-8", "replace")) > OSC_52_BYTES:
        return f"{what} is too long for a terminal's clipboard{also}"
    return f"{what} sent to the terminal (OSC 52, which some ignore){also}"


def _tmux(arguments: list[str], text: str) -> bool:
    try:
        done = subprocess.run(
            ["tmux", *arguments], input=text.encode("utf-8", "replace"), capture_output=True, timeout=TMUX_PATIENCE_S
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _keep(text: str, home: Path) -> Path | None:
    """The file that holds the text; None where it cannot be written."""
    path = home / "copied.txt"
    try:
        atomic_write(path, text.encode("utf-8", "replace"))
    except OSError:
        return None
    return path
