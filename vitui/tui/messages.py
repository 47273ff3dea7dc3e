"""Messages from threads to the app: the only way a thread reaches a widget."""

from __future__ import annotations

from textual.message import Message

from vitui.tui.views import RunsView, RunView


class _Newest(Message, bubble=False):
    """Only the newest one matters: one that still waits is replaced."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, type(self))


class RunsRead(_Newest):
    """The list of runs has changed."""

    def __init__(self, view: RunsView) -> None:
        super().__init__()
        self.view = view


class RunRead(_Newest):
    """The watched run has changed."""

    def __init__(self, view: RunView) -> None:
        super().__init__()
        self.view = view


class RunGone(Message, bubble=False):
    """The watched run is not in the lab any more."""

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self.run_id = run_id


class ReadFailed(_Newest):
    """The lab could not be read; it will be tried again. An empty reason: it works again."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason
