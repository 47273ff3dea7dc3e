"""Launch: a preset, its toggles and fields in a form, and what that makes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from textual import on
from textual.widgets import Input

from vitui.text import safe
from vitui.tui.actions import bindings
from vitui.tui.screens import launch_desk as desk
from vitui.tui.screens import launch_preview as words
from vitui.tui.screens.ask import AskScreen
from vitui.tui.screens.launch_edits import LaunchEdits
from vitui.tui.screens.launch_form import PANES
from vitui.tui.screens.launch_info import InfoScreen
from vitui.tui.widgets.lines import Lines
from vitui.tui.widgets.listing import Listing

QUIET_S = 0.8
"""Seconds without a change before the engine is asked: it needs both hands of a small machine."""


class LaunchScreen(LaunchEdits):
    """A preset, its toggles and fields in a form, and what that makes."""

    BINDINGS = bindings("launch")

    def on_mount(self) -> None:
        kept = self.vitui.remembered.get(self.KIND)
        self._restore(kept)
        self.desk = desk.Desk(self.vitui.lab, self.post_message)
        if self._first:
            for edit in self._first:
                self.desk.edit(edit)
        else:
            draft = kept.get("draft")
            self.desk.edit(lambda *_: _remembered(draft))
        self._first = []
        self.query_one("#presets", Listing).show((), "reading the presets…")
        for name in ("toggles", "fields", "run"):
            self.query_one(f"#{name}", Listing).show((), words.NO_PRESET)

    def on_screen_resume(self) -> None:
        self.vitui.poller.watch(None)
        # Data, presets and past runs may be others than when the screen was last in front.
        self.desk.refresh()
        self._shelf()

    def on_unmount(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    def start_from(self, run_id: str) -> None:
        """Put the recipe of a run into the form: clone and edit."""

        def clone(*_: object) -> Any:
            from vitui.drafts.ground import draft_of

            return draft_of(self.vitui.lab, run_id)

        self._begin(clone, "fields")

    def take_preset(self, name: str, sets: Sequence[str] = ()) -> None:
        """Put a preset into the form, with fields changed as words of --set say."""

        def take(*_: object) -> Any:
            from vitui.drafts import Draft

            return Draft(preset=name, sets=dict(word.split("=", 1) for word in sets))

        self._begin(take, "fields" if sets else "toggles")

    def _begin(self, edit: desk.Edit, pane: str) -> None:
        self.pane = pane
        if self.is_mounted:
            self.close_edit()
            self._arrange()
            self.desk.edit(edit)
        else:
            self._first.append(edit)

    def _shelf(self) -> None:
        work = partial(desk.shelve, self.vitui.lab, self.post_message)
        self.run_worker(work, thread=True, exclusive=True, group="presets", exit_on_error=False)

    # -- remembered ----------------------------------------------------------------------------------------------

    def _restore(self, kept: dict[str, Any]) -> None:
        if not self._first and kept.get("draft") and kept.get("pane") in PANES:  # without one: the presets
            self.pane = str(kept["pane"])
        folded = kept.get("folded")
        if isinstance(folded, list):
            self._folded = {name for name in folded if isinstance(name, str)}
        self._changed_only = kept.get("changed_only") is True
        if isinstance(kept.get("preset"), str):
            self._follow = kept["preset"]

    @on(desk.Shown)
    def _shown(self, message: desk.Shown) -> None:
        before, self.sheet = self.sheet, message.sheet
        name = self.sheet.draft.preset if self.sheet.draft else ""
        if name and (before is None or before.draft is None or before.draft.preset != name):
            self._follow = name
        self._show_presets()
        self._show_form()
        self._consider_engine()
        self._show_all_words()
        self._remember()

    @on(desk.Listed)
    def _shelved(self, message: desk.Listed) -> None:
        self._entries = message.entries
        if message.problem:
            self.query_one("#presets", Listing).show((), message.problem)
            self._entries = None
        self._show_presets()
        self.about()

    @on(desk.Refused)
    def _refused(self, message: desk.Refused) -> None:
        self.vitui.tell(message.problem, "error")

    @on(Listing.Moved)
    def _moved(self, message: Listing.Moved) -> None:
        if message.listing is self.listing():
            self.about()

    # -- the engine ----------------------------------------------------------------------------------------------

    def _consider_engine(self) -> None:
        """Ask the engine about the model once nothing has changed for a while, where it has never been asked.

        A question about an older draft is given up at once.
        """
        if self._quiet is not None:
            self._quiet.stop()
            self._quiet = None
        sheet, recipe = self.sheet, self._recipe_shown()
        if self._asking is not None:
            if self._asking.recipe == recipe:
                return
            self._asking.cancel()
            self._asking = None
        cost = sheet.estimate if sheet else None
        if recipe is not None and cost is not None and cost.description is None and not self._model_problem:
            self._quiet = self.set_timer(QUIET_S, self._ask_engine)

    def _ask_engine(self) -> None:
        made = self.sheet.preview if self.sheet else None
        if made is not None and made.composed is not None:
            self._asking = desk.Asking(made.composed)
            self._engine.put(partial(self._asking.ask, self.vitui.lab, self.post_message))
            self._show_preview()

    @on(desk.Described)
    def _described(self, message: desk.Described) -> None:
        if message.asking is not self._asking:
            return  # about an older draft
        self._asking = None
        if message.problem:
            self._unbuildable = (message.asking.recipe, message.problem)
            self._show_all_words()
        else:
            self.desk.refresh()

    # -- panes and cursor ----------------------------------------------------------------------------------------

    def move(self, lines: int) -> None:
        if self._editing and not self.commit():
            return
        listing = self.listing()
        if listing is None:
            self.query_one("#preview", Lines).scroll_by(lines)
        else:
            listing.move_by(lines)

    def page(self) -> int:
        listing = self.listing()
        return self.query_one("#preview", Lines).page if listing is None else listing.page

    def action_next_pane(self) -> None:
        if self._editing:
            self.move(1)
        else:
            self.action_to_pane(PANES[(PANES.index(self.pane) + 1) % len(PANES)])

    def action_previous_pane(self) -> None:
        if self._editing:
            self.move(-1)
        else:
            self.action_to_pane(PANES[(PANES.index(self.pane) - 1) % len(PANES)])

    def action_back(self) -> None:
        if self._editing:
            self.close_edit()
        elif self.has_class("searching") or self._search.get(self.pane):
            self._find("")
            self._close_search()
        elif self.pane != "presets":
            self.action_to_pane("presets")
        else:
            self.vitui.go("runs")

    # -- searching -----------------------------------------------------------------------------------------------

    def action_search(self) -> None:
        if self.pane not in ("presets", "toggles", "fields"):
            self.action_to_pane("fields")
        field = self.query_one("#launch-search", Input)
        field.value = self._search.get(self.pane, "")
        self.set_class(True, "searching")
        field.focus()

    @on(Input.Changed, "#launch-search")
    def _searching(self, event: Input.Changed) -> None:
        if self.has_class("searching"):
            self._find(event.value)

    def _find(self, text: str) -> None:
        self._search[self.pane] = text
        self._show_presets()
        self._show_form()
        listing = self.listing()
        row = listing.current if listing is not None else None
        if listing is not None and row is not None and row.heading:
            listing.move_by(1)
        self._show_titles()
        self.about()

    def action_changed_only(self) -> None:
        if self.pane not in ("toggles", "fields"):
            self.action_to_pane("fields")
        self._changed_only = not self._changed_only
        self._find(self._search.get(self.pane, ""))
        self._remember()

    # -- asking and leaving --------------------------------------------------------------------------------------

    def action_info(self) -> None:
        row = self.query_one("#presets", Listing).current if self.pane == "presets" else None
        name = row.key if row is not None and not row.heading else ""
        if not name and self.sheet and self.sheet.draft:
            name = self.sheet.draft.preset
        entry = next((one for one in self._entries or () if one.name == name), None)
        if entry is None:
            self.vitui.tell("put the cursor on a preset first")
            return
        title = safe(entry.name, 60)
        self.app.push_screen(InfoScreen(title, partial(words.preset_page, entry), self.vitui.palette))

    def action_copy(self) -> None:
        made = self.sheet.preview if self.sheet else None
        if made is not None:
            self.vitui.copy(made.command, "the command")

    def action_launch(self) -> None:
        sheet, p = self.sheet, self.vitui.palette
        if self._launching:
            self.vitui.tell(self._launching)
            return
        if self._editing:
            self.about("enter keeps what is typed, esc leaves it; then launch")
            return
        if problem := self.problem:
            self.vitui.tell(problem, "error")
            self.desk.refresh()  # the data may have come meanwhile
            return
        assert sheet is not None and sheet.draft is not None and sheet.preview is not None
        again, seeds = words.repeated(sheet.repeats), sheet.preview.seeds
        if len(seeds) == 1 and not again:
            self._launch()
            return
        what = f"Queue {len(seeds)} runs?" if len(seeds) > 1 else "Launch it again?"
        detail = again or f"one for each of the seeds {', '.join(map(str, seeds))} · {words.gist(sheet)}"
        self.app.push_screen(AskScreen(what, safe(detail, 300), p), lambda yes: self._launch() if yes else None)

    def _launch(self) -> None:
        sheet = self.sheet
        if sheet is None or sheet.draft is None:
            return
        self._launching = "launching…"
        self._show_go()

        def tell(text: str) -> None:
            self.app.call_from_thread(self._still_launching, text)

        work = partial(desk.launch, self.vitui.lab, sheet.draft, tell, self.post_message)
        self.run_worker(work, thread=True, group="launch", exit_on_error=False)

    def _still_launching(self, text: str) -> None:
        if self._launching:
            self._launching = f"launching… {safe(text, 200)}"
            self._show_go()

    @on(desk.Launched)
    def _launched(self, message: desk.Launched) -> None:
        self._launching = ""
        self._show_go()
        self.vitui.poller.wake()
        self.desk.refresh()
        if message.problem:
            self.vitui.tell(message.problem, "error")
            return
        ids = message.run_ids
        one = len(ids) == 1
        self.vitui.tell(f"run {ids[0]} is queued" if one else f"{len(ids)} runs are queued, {ids[0]} first")
        if self.app.screen is self:  # else somebody has gone elsewhere meanwhile
            self.vitui.go("runs")
            if one:
                self.vitui.open_run(ids[0])

    # -- mouse ---------------------------------------------------------------------------------------------------

    @on(Listing.Clicked)
    def _clicked(self, message: Listing.Clicked) -> None:
        name = message.listing.id or self.pane
        if self._editing and not self.commit():
            return
        if name != self.pane:
            self.action_to_pane(name)
        if message.again:
            self.action_choose()
        self.about()


def _remembered(content: Any) -> Any:
    """The draft that stood in the form when the app was left; None for anything else."""
    from vitui.drafts import Draft

    return Draft.from_json(content)
