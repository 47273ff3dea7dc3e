"""Messages from threads to the app: the only way a thread reaches a widget."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from vitui.store import Run


class _Newest(Message, bubble=False):
    """Only the newest one matters: one that still waits is replaced."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, type(self))


class Seen(_Newest):
    """A new picture of what the screen in front watches. `view`: one of the views of vitui.tui.views."""

    def __init__(self, view: object) -> None:
        super().__init__()
        self.view = view


class Gone(Message, bubble=False):
    """What was watched is not in the lab any more."""

    def __init__(self, subject: Hashable) -> None:
        super().__init__()
        self.subject = subject


class Ended(Message, bubble=False):
    """A run that waited or trained has ended."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run


class ReadFailed(_Newest):
    """The lab could not be read; it will be tried again. An empty reason: it works again."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason
