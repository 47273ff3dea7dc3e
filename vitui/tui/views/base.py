"""What a watch and a reader are."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from vitui.lab import Lab


class Reader(Protocol):
    """Reads one subject, as far as it changed. Used by the poller's thread only."""

    def read(self, now: float, watch: Any) -> object | None:
        """The picture for `watch`, None when it is what it was. Raises NotFound when the subject is gone."""
        ...

    def forget(self) -> None:
        """Give the whole picture again at the next reading."""
        ...


class Watch(Protocol):
    """What a screen wants to see; immutable and comparable."""

    @property
    def subject(self) -> Hashable:
        """A reader is kept as long as this is the same; the rest of the watch may change (a window, columns)."""
        ...

    @property
    def period(self) -> float:
        """Seconds between two looks."""
        ...

    def reader(self, lab: Lab) -> Reader:
        """A fresh reader of the subject."""
        ...
