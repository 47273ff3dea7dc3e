"""Scoreboard: every preset with a published result, and this home's own results beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult

from vitui.studies.formats.scoreboard import text
from vitui.text import safe
from vitui.tui.actions import Action, bindings
from vitui.tui.screens import score_rows as told
from vitui.tui.screens.launch_info import InfoScreen
from vitui.tui.screens.pick import Choice, PickScreen
from vitui.tui.screens.prompt import PromptScreen
from vitui.tui.screens.word_filter import WordFilter
from vitui.tui.screens.writing import FileWriting, file_problem
from vitui.tui.views.scoreboard import ScoreboardView, ScoreboardWatch
from vitui.tui.widgets.bar import Bar, Part
from vitui.tui.widgets.field import Field
from vitui.tui.widgets.lines import Line, Lines
from vitui.tui.widgets.listing import Row
from vitui.tui.widgets.table import Column, Table

if TYPE_CHECKING:
    from vitui.studies.scoreboard import Score
    from vitui.tui.theme import Palette

WIDE = 120
ENDINGS = {".md": "md", ".csv": "csv", ".tex": "latex", ".txt": "table"}
KINDS = {"md": "Markdown", "csv": "CSV", "latex": "LaTeX", "table": "aligned text"}


class ScoreboardScreen(WordFilter, FileWriting):
    """Shows what the poller reads; filters and sorts it here."""

    KIND = "scoreboard"
    BINDINGS = bindings("scoreboard")

    def __init__(self) -> None:
        super().__init__()
        self._view: ScoreboardView | None = None
        self._everything = False
        self._families: frozenset[str] = frozenset()
        self._order = ("", False)

    def compose_body(self) -> ComposeResult:
        yield Bar(id="head")
        yield Table(self.vitui.palette, self._draw, id="scores")
        yield Lines(id="nothing")
        yield Bar(id="detail", classes="detail")
        yield Bar(id="detail-more", classes="detail")
        yield Field(id="score-search", placeholder="only presets with these words")

    def on_mount(self) -> None:
        kept = self.vitui.remembered.get(self.KIND)
        self._everything = kept.get("everything") is True
        families = kept.get("families")
        if isinstance(families, list):
            self._families = frozenset(name for name in families if isinstance(name, str))
        self._show()

    def on_screen_resume(self) -> None:
        self.vitui.poller.watch(ScoreboardWatch())

    def fit(self, width: int, height: int) -> None:
        self.table.restyle(self.vitui.palette)
        self._show()

    @property
    def table(self) -> Table:
        return self.query_one("#scores", Table)

    @property
    def current(self) -> Score | None:
        """The result under the cursor."""
        row = self.table.current
        return row.content if row is not None else None

    # -- what is shown -------------------------------------------------------------------------------------------

    def see(self, view: object) -> None:
        if isinstance(view, ScoreboardView):
            self._view = view
            self._show()
            self.show_keys()

    def show_trouble(self) -> None:
        self._show_head()

    def shown(self) -> Sequence[Score]:
        """What the filters leave, in order."""
        if self._view is None:
            return ()
        words = self.sought.casefold().split()
        found = [
            one
            for one in self._view.scores
            if (self._everything or one.runs)
            and (not self._families or one.family in self._families)
            and all(word in one.haystack for word in words)
        ]
        key, reverse = self._order
        return told.ordered(found, key, reverse=reverse) if key else found

    def _show(self) -> None:
        found = self.shown()
        rows = [Row(f"{one.name}/{one.metric}", one) for one in found]
        self.set_class(not rows, "empty")
        self.table.show(rows, told.columns(found, wide=self.size.width >= WIDE), self._draw)
        self.query_one("#nothing", Lines).show([] if rows else self._nothing())
        self._show_head()
        self._show_detail()

    def _draw(self, row: Row, column: Column, p: Palette) -> Part:
        return told.draw(row.content, column.key, p)

    def _nothing(self) -> list[Line]:
        p = self.vitui.palette
        if self._view is None:
            return [[("comparing every preset with a published result …", p.dim)]]
        everything = (self.key("scoreboard.everything"), p.key)
        if self.sought or self._families:
            back, family = (self.key("app.back"), p.key), (self.key("scoreboard.family"), p.key)
            todo: Line = [back, (" clears the search, ", p.text), family, (" chooses other families", p.text)]
            if self._everything:
                return [[("No published result has these words or families.", p.warn)], "", todo]
            told = "None that has runs here has these words or families."
            return [[(told, p.warn)], "", [everything, (" searches all published results, ", p.text), *todo]]
        number = len(self._view.scores)
        return [
            [("No preset with a published result has been run here yet.", p.strong)],
            "",
            [everything, (f"  shows all {number:,} published results; ", p.text), (self.key("scoreboard.open"), p.key),
             (" there puts the preset into Launch", p.text)],
            [(self.key("app.go-launch"), p.key), ("  launches a preset; its result shows up here", p.text)],
        ]  # fmt: skip

    def _show_head(self) -> None:
        p, view = self.vitui.palette, self._view
        parts: list[Part] = [("vitui", p.key), ("  scoreboard", p.strong)]
        right: list[Part] = []
        if view is not None:
            ran = [one for one in view.scores if one.runs]
            parts.append((f"  {len(ran):,} of {len(view.scores):,} published results have runs", p.text))
            if ran:
                right = [(told.summary(ran), p.dim)]
        if self._families:
            parts.append((f"  {safe(', '.join(sorted(self._families)), 40)}", p.mark))
        if self.sought:
            parts.append((f"  /{safe(self.sought, 40)}", p.mark))
        if self.vitui.trouble:
            parts.append((f"  {self.vitui.trouble}", p.bad))
        self.query_one("#head", Bar).show(parts, right)

    @on(Table.Moved)
    def _show_detail(self) -> None:
        one, p = self.current, self.vitui.palette
        above, below = told.about(one, p) if one is not None else ([], [])
        column = self.table.column
        if one is not None and column is not None and column.key not in ("preset", "verdict", "source"):
            cell = text(one, column.key)
            below = [(f"{column.title}: ", p.dim), (safe(cell, 200), p.text), (f"  {column.about}", p.dim)]
        self.query_one("#detail", Bar).show(above)
        self.query_one("#detail-more", Bar).show(below)

    def why_not(self, action: Action) -> str:
        needs_row = ("scoreboard.open", "scoreboard.about", "scoreboard.copy", "scoreboard.write", "scoreboard.sort")
        if action.id in needs_row and not self.shown():
            return "there is no result here"
        return ""

    # -- moving --------------------------------------------------------------------------------------------------

    def move(self, lines: int) -> None:
        self.table.move_by(lines)

    def page(self) -> int:
        return self.table.page

    def action_column_left(self) -> None:
        self.table.move_column(-1)

    def action_column_right(self) -> None:
        self.table.move_column(1)

    # -- actions: see vitui.tui.actions --------------------------------------------------------------------------

    @on(Table.Opened)
    def action_open(self) -> None:
        """The runs of the preset in the list; Launch with the recipe where there are none."""
        one = self.current
        if one is None:
            return
        if one.runs:
            self.vitui.show_runs(f"preset:{_quoted(one.preset)}")
        else:
            self.vitui.launch_with(one.preset, one.sets)

    def _refilter(self) -> None:
        self._show()
        self.show_keys()
        kept = {"everything": self._everything, "families": sorted(self._families)}
        self.vitui.remembered.put(self.KIND, kept)

    def action_everything(self) -> None:
        self._everything = not self._everything
        self._refilter()

    def action_family(self) -> None:
        counts: dict[str, int] = {}
        for one in self._view.scores if self._view is not None else ():
            counts[one.family] = counts.get(one.family, 0) + 1

        def picked(names: list[str] | None) -> None:
            if names is not None:
                self._families = frozenset(names) - {""}
                self._refilter()

        choices = [Choice("", "(all families)"), *(Choice(n, n, f"{counts[n]} results") for n in sorted(counts))]
        self.app.push_screen(
            PickScreen("Families", choices, self.vitui.palette, many=True, picked=self._families), picked
        )  # fmt: skip

    @on(Table.TitleClicked)
    def action_sort(self) -> None:
        """By the column under the column cursor; again: the other way round; again: as at first."""
        column = self.table.column
        if column is None:
            return
        key, reverse = self._order
        self._order = (column.key, False) if key != column.key else ("", False) if reverse else (key, True)
        self.table.sorted_by(self._order[0], "▼" if told.falls(column.key) != self._order[1] else "▲")
        self._show()

    def action_about(self) -> None:
        if (one := self.current) is not None:
            page = lambda width, p: told.page(one, width, p)  # noqa: E731
            self.app.push_screen(InfoScreen(safe(one.name, 60), page, self.vitui.palette))

    def action_copy(self) -> None:
        def picked(names: list[str] | None) -> None:
            if names:
                self.vitui.copy(told.as_format(self.shown(), names[0]), f"the scoreboard as {KINDS[names[0]]}")

        choices = [Choice(kind, title, f"{len(self.shown()):,} results") for kind, title in KINDS.items()]
        self.app.push_screen(PickScreen("Copy what is shown as", choices, self.vitui.palette), picked)

    def action_write(self) -> None:
        def typed(text: str | None) -> None:
            if text is not None:
                path = Path(text.strip()).expanduser()
                self.write_file(path, told.as_format(self.shown(), ENDINGS[path.suffix.lower()]))

        self.app.push_screen(
            PromptScreen(
                "Write what is shown to", self.vitui.palette, value="scoreboard.md",
                hint=f"its ending says the format: {', '.join(ENDINGS)}",
                check=lambda text: file_problem(text, ENDINGS),
            ),
            typed,
        )  # fmt: skip

    def narrow(self) -> None:
        self._show()


def _quoted(word: str) -> str:
    return word if word.replace("-", "").replace("_", "").replace(".", "").isalnum() else f'"{word}"'
