"""A text in the user's own editor, while the app steps aside."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

if TYPE_CHECKING:
    from vitui.tui.app import VituiApp


def command(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The editor of $VISUAL or $EDITOR, else vi."""
    for name in ("VISUAL", "EDITOR"):
        try:
            words = shlex.split(environ.get(name, ""))
        except ValueError:
            words = []
        if words:
            return words
    return ["vi"]


def edited(app: VituiApp, text: str, name: str = "note.md", what: str = "the note") -> str | None:
    """`text` as it was left in the editor, without newlines at its end; None, with a sentence, where that failed.

    `name`: of the file that the editor sees; `what` it is, in sentences. Blocks: nobody looks at the app meanwhile.
    """
    words = command()
    with tempfile.TemporaryDirectory(prefix="vitui-") as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8", errors="replace")
        try:
            with app.suspend():
                code = subprocess.run([*words, str(path)], check=False).returncode
        except SuspendNotSupported:
            app.tell(f"no editor can be opened in this kind of terminal, so {what} is as it was", "warning")
            return None
        except OSError as error:
            app.tell(f"{words[0]} cannot be started ({error.strerror}); set $EDITOR to an editor that is here", "error")
            return None
        if code != 0:
            app.tell(f"{words[0]} ended with code {code}; {what} is as it was", "warning")
            return None
        try:
            return path.read_text(encoding="utf-8", errors="replace").rstrip("\n")
        except OSError as error:
            app.tell(f"what {words[0]} wrote cannot be read ({error.strerror}); {what} is as it was", "error")
            return None
