"""The Launch screen's panes: how they are laid out and what they show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Input

from vitui.text import safe
from vitui.tui.actions import Action
from vitui.tui.newest import Newest
from vitui.tui.screens import launch_preview as words
from vitui.tui.screens.base import LabScreen
from vitui.tui.screens.launch_desk import Asking, Desk, Edit, Sheet
from vitui.tui.screens.launch_details import details
from vitui.tui.screens.launch_rows import (
    DIFFERS,
    MISSING,
    draw_detail,
    draw_field,
    draw_preset,
    draw_switch,
    field_rows,
    preset_rows,
    switch_rows,
    value_column,
)
from vitui.tui.widgets.bar import Bar, Part, link
from vitui.tui.widgets.chart import Chart
from vitui.tui.widgets.field import Field
from vitui.tui.widgets.lines import Line, Lines
from vitui.tui.widgets.listing import Draw, Listing
from vitui.tui.words import fitted

if TYPE_CHECKING:
    from engine.recipe import Recipe
    from vitui.drafts.shelf import PresetEntry

PANES = ("presets", "toggles", "fields", "run", "preview")
LISTS: tuple[tuple[str, Draw], ...] = (
    ("presets", draw_preset), ("toggles", draw_switch), ("fields", draw_field), ("run", draw_detail),
)  # fmt: skip
TWO, THREE = 110, 170
"""Widths from which the preview stands beside the form, and presets too."""
THREE_HIGH = 30


class LaunchForm(LabScreen):
    """Five panes: one at a time, the preview beside it, or all of them, as the terminal has room."""

    KIND = "launch"
    desk: Desk

    def __init__(self) -> None:
        super().__init__()
        self._editing = ""  # key of the row that is edited
        self._opened = ""  # its value when it was opened
        self.pane = "presets"
        self.sheet: Sheet | None = None
        self._first: list[Edit] = []  # changes asked for before the screen was ever shown
        self._entries: Sequence[PresetEntry] | None = None
        self._folded: set[str] = set()
        self._search: dict[str, str] = {}
        self._changed_only = False
        self._follow = "demo-digits"  # preset that the cursor is to be put on when the list is there
        self._engine = Newest("vitui-launch-engine")
        self._quiet: Timer | None = None
        self._asking: Asking | None = None
        self._unbuildable: tuple[Recipe, str] | None = None
        self._launching = ""
        self._rates: Any = None

    # -- making --------------------------------------------------------------------------------------------------

    def compose_body(self) -> ComposeResult:
        p = self.vitui.palette
        lists = {name: Listing(p, draw, id=name) for name, draw in LISTS}
        yield Bar(id="head")
        yield Bar(id="launch-tabs")
        with Horizontal(id="columns"):
            for column, names in (("shelf", ("presets", "run")), ("form", ("toggles", "fields"))):
                with Vertical(id=f"{column}-column", classes="column"):
                    for name in names:
                        with Vertical(id=f"{name}-pane", classes="pane"):
                            yield Bar(id=f"{name}-title", classes="pane-title")
                            yield lists[name]
            with Vertical(id="preview-column", classes="column"), Vertical(id="preview-pane", classes="pane"):
                yield Bar(id="preview-title", classes="pane-title")
                yield Lines(id="preview")
                yield Chart(p, empty="no learning rate to show", id="rates")
        yield Lines(id="about")
        for name in ("launch-search", "launch-edit"):
            yield Field(id=name, placeholder="search" if name == "launch-search" else "")
        yield Bar(id="go")

    # -- layout --------------------------------------------------------------------------------------------------

    def fit(self, width: int, height: int) -> None:
        self.set_class(height >= THREE_HIGH, "tall")
        self._arrange()
        self.call_after_refresh(self._placed)

    def _placed(self) -> None:
        if self._editing:
            self.place_edit()
        self._show_all_words()

    @property
    def mode(self) -> int:
        """How many columns there are."""
        width, height = self.size
        return 3 if width >= THREE and height >= THREE_HIGH else 2 if width >= TWO else 1

    def _arrange(self) -> None:
        """Show the panes there is room for, and where the keys go."""
        mode = self.mode
        self.set_class(mode == 3, "three")
        form = self.pane if self.pane != "preview" or mode == 1 else "toggles"
        shown = set(PANES) if mode == 3 else {form, "preview"} if mode == 2 else {form}
        for name in PANES:
            self.query_one(f"#{name}-pane").display = name in shown
            self.query_one(f"#{name}-title").display = mode == 3
        for column, names in (
            ("shelf", ("presets", "run")),
            ("form", ("toggles", "fields")),
            ("preview", ("preview",)),
        ):
            self.query_one(f"#{column}-column").display = any(name in shown for name in names)
        self.query_one("#launch-tabs").display = mode < 3
        self.query_one("#about").display = self.pane != "preview" or mode == 3
        for name, _ in LISTS:
            self.query_one(f"#{name}", Listing).set_active(name == self.pane)
        self._show_titles()
        self.about()
        self.show_keys()

    def listing(self) -> Listing | None:
        return None if self.pane == "preview" else self.query_one(f"#{self.pane}", Listing)

    def edit_field(self) -> Input:
        return self.query_one("#launch-edit", Input)

    def place_edit(self) -> None:
        """Put the line that is edited over the value it is about."""
        listing = self.listing()
        row = listing.current if listing is not None else None
        if listing is None or row is None:
            return
        place = listing.region
        column = value_column(row, listing.room) + 1
        field = self.edit_field()
        field.styles.offset = (place.x + column, place.y + listing.line_of_cursor())
        field.styles.width = max(8, place.width - column - 1)

    def _close_search(self) -> None:
        if self.has_class("searching"):
            self.set_class(False, "searching")
            self.set_focus(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A slash is a character like any other while something is typed."""
        typing = self.has_class("searching") or bool(self._editing)
        return False if action == "search" and typing else super().check_action(action, parameters)

    def why_not(self, action: Action) -> str:
        draft = self.sheet.draft if self.sheet else None
        match action.id:
            case "launch.choose" | "launch.flip" if self.pane == "preview":
                return "the preview is only read"
            case "launch.reset" if self.pane not in ("toggles", "fields", "run"):
                return "only what stands in the form can be set back"
            case "launch.undo" if self.sheet is None or not self.sheet.undoable:
                return "nothing has been changed yet"
            case "launch.copy" | "launch.start-over" if draft is None:
                return words.NO_PRESET
        return ""

    def _remember(self) -> None:
        draft = self.sheet.draft if self.sheet else None
        row = self.query_one("#presets", Listing).current
        self.vitui.remembered.put(
            self.KIND,
            {
                "draft": draft.as_json() if draft else None,
                "pane": self.pane,
                "folded": sorted(self._folded),
                "changed_only": self._changed_only,
                "preset": row.key if row else self._follow,
            },
        )

    # -- showing -------------------------------------------------------------------------------------------------

    def _show_presets(self) -> None:
        if self._entries is None:
            return
        draft, listing = self.sheet.draft if self.sheet else None, self.query_one("#presets", Listing)
        search = self._search.get("presets", "")
        rows = preset_rows(self._entries, draft.preset if draft else "", search, self._folded)
        nothing = "no preset matches what is searched for" if self._entries else "there are no presets"
        listing.show(rows, nothing)
        if self._follow and listing.put_on(self._follow):
            self._follow = ""
        elif listing.current is not None and listing.current.heading and search and len(rows) > 1:
            listing.move_to(1)
        self._show_titles()

    def _show_form(self) -> None:
        sheet = self.sheet
        made = sheet.preview if sheet else None
        if sheet is None or made is None:
            return
        only = self._changed_only
        what = "nothing is changed" if only else "nothing matches what is searched for"
        gone = words.verdict(sheet, "") if made.preset is None else what
        listings = {
            "toggles": switch_rows(made.switches, self._search.get("toggles", ""), only),
            "fields": field_rows(made.fields, self._search.get("fields", ""), only),
            "run": details(sheet),
        }
        for name, rows in listings.items():
            listing = self.query_one(f"#{name}", Listing)
            fresh = not listing.rows
            listing.show(rows, gone)
            if fresh and len(rows) > 1 and rows[0].heading:
                listing.move_to(1)

    def _show_all_words(self) -> None:
        self._show_head()
        self._show_titles()
        self._show_preview()
        self._show_go()
        self.about()
        self.show_keys()

    def _show_head(self) -> None:
        p, draft = self.vitui.palette, self.sheet.draft if self.sheet else None
        made = self.sheet.preview if self.sheet else None
        parts: list[tuple[int, Part | None]] = [(0, ("Launch", p.strong))]
        if draft is not None:
            parts += [
                (0, (safe(draft.preset or "a recipe without preset", 40), p.key)),
                (1, (f"cloned from run {draft.base}", p.warn) if draft.base else None),
                (2, (safe(made.preset.title, 70), p.dim) if made and made.preset and not draft.base else None),
            ]
        self.query_one("#head", Bar).show(fitted(parts, p.dim, self.size.width - 2))

    def _counts(self) -> dict[str, str]:
        made = self.sheet.preview if self.sheet else None
        toggles = sum(switch.differs for switch in made.switches) if made else 0
        fields = sum(one.changed for one in made.fields) if made else 0
        seeds = len(made.seeds) if made else 1
        return {
            "toggles": f" {toggles}{DIFFERS}" if toggles else "",
            "fields": f" {fields}{DIFFERS}" if fields else "",
            "run": f" x{seeds}" if seeds > 1 else "",
            "preview": f" {MISSING}" if made and self.problem else "",
        }

    def _show_titles(self) -> None:
        p, counts = self.vitui.palette, self._counts()
        tabs: list[Part] = []
        for name in PANES:
            here, searched = name == self.pane, self._search.get(name, "")
            style = p.strong if here else p.dim
            title = f"{'▌' if here else ' '}{name}{counts.get(name, '')}"
            tabs += [(title, link(style, f"screen.to_pane('{name}')")), ("  ", p.dim)]
            found: list[Part] = [(f"   / {safe(searched, 30)}", p.key)] if searched else []
            if name in ("toggles", "fields") and self._changed_only:
                found.append(("   changed only", p.key))
            self.query_one(f"#{name}-title", Bar).show(
                [(title, link(p.key if here else p.dim, f"screen.to_pane('{name}')")), *found]
            )
        searched = self._search.get(self.pane, "")
        right: list[Part] = [(f"/ {safe(searched, 20)} ", p.key)] if searched else []
        if self._changed_only and self.pane in ("toggles", "fields"):
            right.append(("changed only", p.key))
        self.query_one("#launch-tabs", Bar).show(tabs, right)

    def _show_preview(self) -> None:
        pane = self.query_one("#preview", Lines)
        if not pane.size.width or not self.query_one("#preview-pane").display:
            return
        asking, roomy = self._asking is not None, self.size.height >= THREE_HIGH
        width, p = pane.size.width - 1, self.vitui.palette
        pane.show(
            words.preview_lines(self.sheet, asking, self._model_problem, width, p, self.key("launch.copy"), roomy=roomy)
        )
        made = self.sheet.preview if self.sheet else None
        rates = made.rates if made else None
        if self._rates is None or rates != self._rates:
            self._rates = rates
            self.query_one("#rates", Chart).show(words.rates_panel(made))

    def _show_go(self) -> None:
        p, sheet = self.vitui.palette, self.sheet
        if self._launching:
            self.query_one("#go", Bar).show([(self._launching, p.warn)])
            return
        problem = self.problem
        todo = "screen.launch"
        button = link(p.dim if problem else p.key, todo)
        text = words.many(sheet) if sheet and sheet.draft else "launch"
        said = (f"{MISSING} {safe(problem, 300)}", p.bad) if problem else (words.gist(sheet) if sheet else "", p.text)
        self.query_one("#go", Bar).show([(f"[ {self.key('launch.launch')} {text} ]", button), ("  ", p.text), said])

    @property
    def problem(self) -> str:
        """Why what stands in the form cannot be launched; empty when nothing is known against it."""
        return words.verdict(self.sheet, self._model_problem)

    def about(self, problem: str = "") -> None:
        """Tell of what is under the cursor; `problem` comes first."""
        if not self.is_mounted or not self.size.width:
            return
        p, width = self.vitui.palette, self.size.width - 3
        lines: list[Line] = words.wrapped(problem, width, p.warn) if problem else []
        if not problem and self._editing:
            lines = [[("enter keeps, esc leaves", p.dim)]]
        listing = self.listing()
        row = listing.current if listing is not None else None
        if row is not None and not row.heading:
            lines += words.about_row(row, self.sheet, width, p)
        self.query_one("#about", Lines).show(lines)

    # -- what is known of the model ------------------------------------------------------------------------------

    @property
    def _model_problem(self) -> str:
        recipe = self._recipe_shown()
        return self._unbuildable[1] if self._unbuildable and recipe and self._unbuildable[0] == recipe else ""

    def _recipe_shown(self) -> Recipe | None:
        made = self.sheet.preview if self.sheet else None
        return made.recipe if made else None
