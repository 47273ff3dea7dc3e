"""Published results beside those of this home."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.studies.scoreboard import Score


@dataclass(frozen=True, slots=True)
class ScoreboardView:
    """Those that have runs first."""

    scores: tuple[Score, ...]


@dataclass(frozen=True, slots=True)
class ScoreboardWatch:
    """The scoreboard."""

    subject = "scoreboard"
    period = 1.0

    def reader(self, lab: Lab) -> ScoreboardReader:
        return ScoreboardReader(lab)


class ScoreboardReader:
    """Reads it when the database has changed, but spends at most PART of the time on it. Used by one thread."""

    PART = 0.1

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._token: int | None = None
        self._again_at = 0.0
        self._given: ScoreboardView | None = None

    def read(self, now: float, watch: ScoreboardWatch) -> ScoreboardView | None:
        """The scoreboard, or None when it is what it was."""
        token, clock = self._lab.changes_token(), time.monotonic()
        if self._given is not None and (token == self._token or clock < self._again_at):
            return None
        view = ScoreboardView(tuple(self._lab.scoreboard()))
        self._token, done = token, time.monotonic()
        self._again_at = done + (done - clock) / self.PART
        if view == self._given:
            return None
        self._given = view
        return view

    def forget(self) -> None:
        """Give it again at the next reading."""
        self._given = None
