"""The clipboard, through the terminal (OSC 52) and tmux."""

from __future__ import annotations

from typing import Any

from textual.app import App


def copy(app: App[Any], text: str, what: str) -> str:
    """Copy `text`; the sentence that says what came of it, about `what`."""
    app.copy_to_clipboard(text)
    return f"{what} sent to the terminal"
