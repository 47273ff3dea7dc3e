"""The list of studies: at once as their files say, then with how far each is, one after the other."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.studies.listing import StudyLine


@dataclass(frozen=True, slots=True)
class StudiesView:
    """`pending`: studies whose runs have not been counted yet, or are counted anew."""

    lines: tuple[StudyLine, ...]
    uncounted: frozenset[str]
    pending: bool


@dataclass(frozen=True, slots=True)
class StudiesWatch:
    """The list of studies. `hurry`: while some are uncounted there is no pause between two looks."""

    hurry: bool = False

    subject = "studies"

    @property
    def period(self) -> float:
        return 0.02 if self.hurry else 1.0

    def reader(self, lab: Lab) -> StudiesReader:
        return StudiesReader(lab)


class StudiesReader:
    """Counts the runs of a few studies at each look, and of none again before PART of the time has been spent on it.

    Planning a study composes its recipes: seconds for all that ship, once in the life of the app. Used by one thread.
    """

    BUDGET_S = 0.1
    PART = 0.1

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._lines: dict[str, StudyLine] = {}
        self._counted: set[str] = set()
        self._due: list[str] = []
        self._of: object = None
        self._spent = 0.0
        self._again_at = 0.0
        self._given: StudiesView | None = None

    def read(self, now: float, watch: StudiesWatch) -> StudiesView | None:
        """The list, or None when it is what it was."""
        files = self._lab.study_files()
        clock = time.monotonic()
        of = (self._lab.changes_token(), _stamps(files))
        if of != self._of and clock >= self._again_at and not self._due:
            self._of, self._spent, self._due = of, 0.0, list(files)
        for name in files.keys() - self._lines.keys():
            self._lines[name] = self._lab.study_line(name, counted=False)
        if self._given is not None:  # the first picture does not wait for any counting
            self._count(clock, files)
        self._lines = {name: self._lines[name] for name in files}
        uncounted = frozenset(self._lines.keys() - self._counted)
        view = StudiesView(tuple(self._lines.values()), uncounted, bool(self._due))
        if view == self._given:
            return None
        self._given = view
        return view

    def _count(self, clock: float, files: Mapping[str, Path]) -> None:
        while self._due and time.monotonic() - clock < self.BUDGET_S:
            name = self._due.pop(0)
            if name in files:
                self._lines[name] = self._lab.study_line(name)
                self._counted.add(name)
        spent = time.monotonic()
        self._spent += spent - clock
        if not self._due:
            self._again_at = spent + self._spent / self.PART
            self._spent = 0.0

    def forget(self) -> None:
        """Give the list again at the next reading, counted anew."""
        self._given, self._of, self._again_at = None, None, 0.0


def _stamps(files: Mapping[str, Path]) -> tuple[tuple[str, int], ...]:
    """When each file was last written."""
    out = []
    for name, path in files.items():
        try:
            out.append((name, path.stat().st_mtime_ns))
        except OSError:
            out.append((name, 0))
    return tuple(out)
