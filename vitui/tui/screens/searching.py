"""Searching the log of a run and filtering the fields of its recipe."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual import on
from textual.widgets import Input
from textual.worker import get_current_worker

from vitui.text import safe
from vitui.tui.logfile import MOST_FOUND, Found, LogPage, pattern, search
from vitui.tui.screens.base import LabScreen

if TYPE_CHECKING:
    from vitui.tui.widgets.log_view import LogView


Told = tuple[int, str]
"""A piece of what is said at the right of the tabs; those with large numbers are left out first."""


@dataclass
class Search:
    """A search of the log: the numbers of the lines found so far, and how far it has come."""

    text: str
    wanted: re.Pattern[str]
    lines: list[int] = field(default_factory=list)
    here: int | None = None
    next_line: int = 0
    offset: int = 0
    share: float = 0.0
    running: bool = True
    total: int = 0
    """Lines the log had when the search set out or went on."""


class SearchActions(LabScreen):
    """The keys of the search, for the Run screen."""

    run_id: str
    fields_wanted = ""
    """Words that the fields of the recipe in view have."""
    _search: Search | None = None

    @property
    def pane(self) -> str:
        raise NotImplementedError

    @property
    def log_view(self) -> LogView:
        raise NotImplementedError

    def action_show_pane(self, name: str) -> None:
        raise NotImplementedError

    def remember(self) -> None:
        raise NotImplementedError

    def _show_pane(self) -> None:
        raise NotImplementedError

    def _show_tabs(self) -> None:
        raise NotImplementedError

    def search_refused(self, action: str) -> str:
        """Why an action on the log cannot be carried out now; empty where it can."""
        if action in ("run.match-next", "run.match-back", "run.follow", "run.wrap") and self.pane != "log":
            return "only in the log pane"
        if action in ("run.match-next", "run.match-back") and (self._search is None or not self._search.lines):
            return "nothing is found; / searches the log" if self._search is None else "no line matches"
        return ""

    # -- the line that is typed ----------------------------------------------------------------------------------

    def action_search(self) -> None:
        if self.pane not in ("log", "recipe"):
            self.action_show_pane("log")
        field = self.query_one("#find", Input)
        log = self.pane == "log"
        field.placeholder = "search: text or /regular expression/" if log else "fields: words of name or value"
        field.value = (self._search.text if self._search else "") if log else self.fields_wanted
        self.add_class("finding")
        self.set_focus(field)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the open line its key is a character like any other."""
        if action == "search" and self.has_class("finding"):
            return False
        return super().check_action(action, parameters)

    def close_find(self) -> bool:
        """Close the open line; False where none is open."""
        if not self.has_class("finding"):
            return False
        self.remove_class("finding")
        self.set_focus(None)
        return True

    def end_search(self) -> bool:
        """Forget what was searched in the pane in front; False where there is nothing."""
        if self.pane == "recipe" and self.fields_wanted:
            self.fields_wanted = ""
            self._show_pane()
        elif self.pane == "log" and self._search is not None:
            self._search = None
            self.workers.cancel_group(self, "log-search")
            self.log_view.mark(None)
        else:
            return False
        self._show_tabs()
        return True

    @on(Input.Changed, "#find")
    def _find_typed(self, event: Input.Changed) -> None:
        if self.pane == "recipe" and self.has_class("finding"):
            self.fields_wanted = event.value
            self._show_pane()
            self._show_tabs()

    @on(Input.Submitted, "#find")
    def _find_done(self, event: Input.Submitted) -> None:
        if self.pane == "log":
            wanted, problem = pattern(event.value)
            if problem:
                self.vitui.tell(problem, "warning")
                return
            self.end_search()
            if wanted is not None:
                self._search = Search(event.value, wanted)
                self.log_view.mark(wanted)
                self._go_on()
        self.close_find()
        self._show_tabs()

    # -- the log -------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Search from where the search has come to, in a thread."""
        found_by = self._search
        if found_by is None:
            return
        found_by.running, found_by.total = True, self.log_view.total
        path = self.vitui.lab.run_dir(self.run_id).console
        room = MOST_FOUND - len(found_by.lines)

        def work() -> None:
            worker = get_current_worker()
            for found in search(
                path, found_by.wanted, lambda: worker.is_cancelled, found_by.next_line, found_by.offset, room
            ):
                if worker.is_cancelled:
                    return
                self.app.call_from_thread(self._found, found_by, found)
            if not worker.is_cancelled:
                self.app.call_from_thread(self._found, found_by, None)

        self.run_worker(work, thread=True, group="log-search", exclusive=True, exit_on_error=False)

    def _found(self, found_by: Search, found: Found | None) -> None:
        """A piece has been searched; None: all of it."""
        if found_by is not self._search:
            return
        if found is None:
            found_by.running, found_by.share = False, 1.0
        else:
            found_by.lines += found.lines
            found_by.next_line, found_by.offset = found.next_line, found.offset
            found_by.share = found.offset / max(1, found.size)
        if found_by.here is None and found_by.lines:
            top = self.log_view.in_view()[0] - 1
            if found_by.lines[-1] >= top or found is None:
                index = bisect_left(found_by.lines, max(0, top))
                self._stand_at(found_by.lines[min(index, len(found_by.lines) - 1)])
        self._show_tabs()

    def _stand_at(self, line: int) -> None:
        assert self._search is not None
        self._search.here = line
        self.log_view.mark(self._search.wanted, line)

    def log_has_grown(self, page: LogPage) -> None:
        """Search what has come at the end as well; all again where the file is another one."""
        found_by = self._search
        if found_by is None or found_by.running or len(found_by.lines) >= MOST_FOUND:
            return
        if page.total < found_by.next_line:
            self._search = Search(found_by.text, found_by.wanted)
            self._go_on()
        elif page.total != found_by.total:
            self._go_on()

    def action_match_next(self) -> None:
        self._step(1)

    def action_match_back(self) -> None:
        self._step(-1)

    def _step(self, way: int) -> None:
        found_by = self._search
        if found_by is None or not found_by.lines:
            return
        lines = found_by.lines
        first, last = self.log_view.in_view()
        if found_by.here is not None:
            here = found_by.here
        else:
            here = first - 2 if way > 0 else last
        index = bisect_right(lines, here) if way > 0 else bisect_left(lines, here) - 1
        self._stand_at(lines[index % len(lines)])
        self._show_tabs()

    def action_follow(self) -> None:
        """Keep the end of the log in view, or not."""
        self.log_view.follow(not self.log_view.following)
        self._show_tabs()

    def action_wrap(self) -> None:
        """Long lines of the log in several rows, or cut."""
        self.log_view.wrap(not self.log_view.wraps)
        self.remember()

    # -- what is said --------------------------------------------------------------------------------------------

    def log_told(self) -> list[Told]:
        """What the search has found, where in the log, whether it follows."""
        first, last = self.log_view.in_view()
        found_by, view = self._search, self.log_view
        return [
            (3, safe(found_by.text, 20) if found_by is not None else ""),
            (0, self._matches(found_by) if found_by is not None else ""),
            (1, f"{first:,}-{last:,} of {view.total:,}" if view.total else ""),
            (2, "following" if view.following else ""),
        ]

    @staticmethod
    def _matches(found_by: Search) -> str:
        count = f"{len(found_by.lines):,}" + ("+" if len(found_by.lines) >= MOST_FOUND else "")
        if found_by.here is not None:
            count = f"{bisect_left(found_by.lines, found_by.here) + 1:,} of {count}"
        elif not found_by.lines and not found_by.running:
            count = "no match"
        going = f" ({found_by.share:.0%} searched)" if found_by.running else ""
        return f"match {count}{going}" if found_by.here is not None else f"{count}{going}"

    def recipe_told(self) -> list[Told]:
        """What the fields are filtered by."""
        return [(0, f"fields with {safe(self.fields_wanted, 16)}" if self.fields_wanted.strip() else "")]
