"""Studies: every study of the home and those that come with vitui, with how far each is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal

from vitui.text import safe
from vitui.tui.actions import Action, bindings
from vitui.tui.screens import study_words as words
from vitui.tui.screens.launch_info import InfoScreen
from vitui.tui.screens.studies_rows import draw_study, study_rows
from vitui.tui.screens.study_output import StudyOutput
from vitui.tui.screens.word_filter import WordFilter
from vitui.tui.views.studies import StudiesView, StudiesWatch
from vitui.tui.widgets.bar import Bar, Part
from vitui.tui.widgets.field import Field
from vitui.tui.widgets.lines import Line, Lines
from vitui.tui.widgets.listing import Listing

if TYPE_CHECKING:
    from vitui.studies.listing import StudyLine

ROOMY = 150
"""Columns from which on there is a page about the study beside the list; else it is under the list."""


class StudiesScreen(WordFilter, StudyOutput):
    """Shows what the poller reads; searches it here."""

    KIND = "studies"
    BINDINGS = bindings("studies")

    def __init__(self) -> None:
        super().__init__()
        self._view: StudiesView | None = None
        self._follow = ""

    def compose_body(self) -> ComposeResult:
        p = self.vitui.palette
        yield Bar(id="head")
        with Horizontal(id="beside"):
            yield Listing(p, draw_study, empty="reading the studies …", id="studies")
            yield Lines(id="aside")
        yield Lines(id="below")
        yield Field(id="studies-search", placeholder="search names, titles, bases")

    def on_mount(self) -> None:
        self.listing.set_active(True)
        follow = self.vitui.remembered.get(self.KIND).get("study")
        self._follow = follow if isinstance(follow, str) else ""
        self._show_head()

    def on_screen_resume(self) -> None:
        self.vitui.poller.watch(StudiesWatch())

    def fit(self, width: int, height: int) -> None:
        self.set_class(width >= ROOMY, "roomy")
        self._show_about()

    @property
    def listing(self) -> Listing:
        return self.query_one("#studies", Listing)

    # -- what is shown -------------------------------------------------------------------------------------------

    def see(self, view: object) -> None:
        if not isinstance(view, StudiesView):
            return
        self._view = view
        if self.is_current:
            self.vitui.poller.watch(StudiesWatch(view.pending))
        self._show()
        self.show_keys()

    def show_trouble(self) -> None:
        self._show_head()

    def show_busy(self) -> None:
        self._show_head()

    def _show(self) -> None:
        view = self._view
        if view is None:
            return
        hint = f"none yet: {self.key('study.new')} plans one, {self.key('study.fork')} copies one of those below"
        rows = study_rows(view.lines, view.uncounted, self.sought, hint)
        listing = self.listing
        listing.show(rows, "no study matches what is searched for")
        if self._follow and listing.put_on(self._follow):
            self._follow = ""
        if listing.current is not None and listing.current.heading:
            self._over_headings(1)
        self._show_head()
        self._show_about()

    def _show_head(self) -> None:
        p, view = self.vitui.palette, self._view
        parts: list[Part] = [("vitui", p.key), ("  studies", p.strong)]
        if view is not None:
            own = sum(not line.shipped for line in view.lines)
            parts.append((f"  {own} of your own, {len(view.lines) - own} come with vitui", p.text))
        if self.sought:
            parts.append((f"  /{safe(self.sought, 40)}", p.mark))
        if self.busy:
            parts.append((f"  {self.busy}", p.warn))
        if self.vitui.trouble:
            parts.append((f"  {self.vitui.trouble}", p.bad))
        right = [("counting runs …", p.dim)] if view is None or view.uncounted else []
        self.query_one("#head", Bar).show(parts, right)

    def _show_about(self) -> None:
        """What the study under the cursor is."""
        line, p = self.line, self.vitui.palette
        pane = self.query_one("#aside" if self.has_class("roomy") else "#below", Lines)
        width = pane.size.width - 3
        if width > 0:
            pane.show(self._page(line, width) if line is not None else [[("", p.dim)]])

    def _page(self, line: StudyLine, width: int) -> list[Line]:
        return words.page(line, None, (), self.key("study.fork"), width, self.vitui.palette)

    @property
    def line(self) -> StudyLine | None:
        """The study under the cursor."""
        row = self.listing.current
        return None if row is None or row.heading else row.content.line

    # -- moving --------------------------------------------------------------------------------------------------

    def move(self, lines: int) -> None:
        before = self.listing.cursor
        self.listing.move_by(lines)
        if not self._over_headings(1 if lines > 0 else -1):
            self.listing.move_to(before)

    def _over_headings(self, step: int) -> bool:
        """Bring the cursor off a heading, on in its direction or else back; False where there are only headings."""
        rows, listing = self.listing.rows, self.listing
        for direction in (step, -step):
            index = listing.cursor
            while 0 <= index < len(rows) and rows[index].heading:
                index += direction
            if 0 <= index < len(rows):
                listing.move_to(index)
                return True
        return False

    def page(self) -> int:
        return self.listing.page

    @on(Listing.Moved)
    def _moved(self) -> None:
        self._show_about()
        self.show_keys()
        if (line := self.line) is not None:
            self.vitui.remembered.put(self.KIND, {"study": line.name})

    @on(Listing.Clicked)
    def _clicked(self, event: Listing.Clicked) -> None:
        if event.again:
            self.action_open()

    # -- what actions are about ----------------------------------------------------------------------------------

    @property
    def study_name(self) -> str:
        return self.line.name if self.line is not None else ""

    def is_own(self) -> bool:
        return self.line is not None and not self.line.shipped

    def why_not(self, action: Action) -> str:
        line = self.line
        if action.id in ("study.new", "studies.search") or not action.id.startswith(("study.", "studies.")):
            return ""
        if line is None:
            return "put the cursor on a study first"
        if (
            line.problem
            and not line.cells
            and action.id in ("study.queue-all", "study.copy", "study.write", "study.stop")
        ):
            return line.problem.partition("\n")[0][:120]
        if action.id == "study.remove" and line.shipped:
            return "it comes with vitui"
        return ""

    # -- actions: see vitui.tui.actions --------------------------------------------------------------------------

    def action_open(self) -> None:
        if (line := self.line) is not None:
            self.vitui.open_study(line.name)

    def action_about(self) -> None:
        if (line := self.line) is not None:
            self.app.push_screen(
                InfoScreen(safe(line.name, 60), lambda width, _: self._page(line, width), self.vitui.palette)
            )

    def narrow(self) -> None:
        self._show()
        if self.sought:
            self.listing.move_to(0)
            self._over_headings(1)
