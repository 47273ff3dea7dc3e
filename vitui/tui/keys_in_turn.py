"""Keys one after the other: each goes where the one before it has led, however fast they come."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from functools import partial

from textual.app import App
from textual.events import Event, Key, Paste
from textual.message_pump import MessagePump

AT_ONCE = ("ctrl+c", "ctrl+q")
STUCK_S = 0.5
"""Seconds after which the next key does not wait any longer for the one before it."""


class KeysInTurn(App[None]):
    """Textual hands a key to what has the focus when it arrives, even if an earlier key, still on its way, moves it.

    Over a slow line keys come in bursts, and a search typed right after its `/` would carry out actions. So a key
    waits until the one before it has been through every queue on its way and through those it has led to.
    """

    def __init__(self) -> None:
        super().__init__()
        self._typed: deque[Key | Paste] = deque()
        self._turn = 0
        self._since: float | None = None
        """When the key was handed on that others wait for; None where none is."""

    async def on_event(self, event: Event) -> None:
        if not isinstance(event, Key | Paste) or event.is_forwarded or getattr(event, "key", "") in AT_ONCE:
            await super().on_event(event)
            return
        self._typed.append(event)
        if self._since is None or time.monotonic() - self._since > STUCK_S:
            await self._hand_on()

    async def _hand_on(self) -> None:
        """Hand the next key to what has the focus now."""
        event = self._typed.popleft()
        self._since = time.monotonic()
        self._turn += 1
        first = self._way()
        await super().on_event(event)
        self._follow(self._turn, [first[0], *first], rounds=1)

    def _way(self) -> list[MessagePump]:
        """The queues a key goes through: what has the focus, and up to the app."""
        here = self.focused or self.screen
        return [node for node in here.ancestors_with_self if isinstance(node, MessagePump)]

    def _follow(self, turn: int, way: Sequence[MessagePump], rounds: int) -> None:
        """Wait in each of these queues, one after the other, behind what the key has put there."""
        for i, node in enumerate(way):
            if node.call_later(partial(self._follow, turn, way[i + 1 :], rounds)):
                return
        if rounds:  # once more through where the focus is now: a screen may just have been opened
            self._follow(turn, self._way(), rounds - 1)
        else:
            self.call_later(self._over, turn)

    async def _over(self, turn: int) -> None:
        if turn != self._turn:
            return
        self._since = None
        if self._typed:
            await self._hand_on()
