"""A study's text in the user's editor, on a copy that takes its place once it makes sense."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from vitui.cli.opening import say

if TYPE_CHECKING:
    from pathlib import Path

    from vitui.lab import Lab


def edited(lab: Lab, name: str, text: str, *, replace: bool) -> bool:
    """Open `text` in $VISUAL or $EDITOR and keep what is left there as the study. False where nothing was changed.

    What was typed is never lost: where it makes no study, UsageError says why and which file has it, and the next
    editing goes on from that.
    """
    from engine.journal import atomic_write
    from vitui.errors import UsageError, VitError

    draft = draft_of(lab, name)
    if kept := draft.exists():
        say(f"going on from what was left in {draft}")
    else:
        draft.parent.mkdir(exist_ok=True)
        atomic_write(draft, text.encode())
    try:
        _open(draft)
    except OSError as error:
        if not kept:
            draft.unlink()
        raise UsageError(
            f"{error.filename} cannot be started ({error.strerror}); set $EDITOR to an editor that is here"
        ) from None
    try:
        after = draft.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{draft} cannot be read: {error}") from None
    if replace and after == text:
        draft.unlink()
        return False
    try:
        lab.save_study(name, after, replace=replace)
    except (VitError, ValueError) as error:
        again = f"vitui study edit {name}" if replace else f"vitui study new {name} --edit"
        raise UsageError(f"{error}\nwhat you wrote is kept in {draft}; `{again}` goes on from it") from None
    draft.unlink()
    return True


def draft_of(lab: Lab, name: str) -> Path:
    """Where a study is edited: no study itself, since it does not end in .toml."""
    from vitui.studies.definition import own

    return own(lab.home) / f"{name}.toml.draft"


def _open(path: Path) -> None:
    """Raises OSError where the editor cannot be started, UsageError where it fails."""
    from vitui.errors import UsageError

    words = next((told for key in ("VISUAL", "EDITOR") if (told := _words(os.environ.get(key, "")))), ["vi"])
    code = subprocess.run([*words, str(path)], check=False).returncode
    if code != 0:
        raise UsageError(f"{words[0]} ended with code {code}; the study is as it was, and {path} has what you wrote")


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []
