"""The form of a new study: what it varies, and live what that comes to, before anything is written or queued."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.events import Click
from textual.message import Message
from textual.screen import ModalScreen

from vitui.errors import UsageError, VitError
from vitui.text import safe
from vitui.tui.newest import Newest
from vitui.tui.screens import study_draft as drafts
from vitui.tui.screens import study_words as words
from vitui.tui.screens.pick import Choice, PickScreen
from vitui.tui.screens.pick_preset import PresetPickScreen
from vitui.tui.screens.prompt import PromptScreen
from vitui.tui.screens.words_prompt import WordsScreen
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Bar, link
from vitui.tui.widgets.lines import Line, Lines
from vitui.tui.widgets.listing import Listing

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.studies.previewing import StudyPreview

LISTED = {"axes": ";", "random": ";", "sets": " "}
"""Rows of several words, and what stands between them."""
NAMES_SHOWN = 40


class Previewed(Message, bubble=False):
    """What a draft comes to. `number` counts the drafts; `text`: of its file."""

    def __init__(self, number: int, text: str, found: StudyPreview | None, problem: str = "") -> None:
        super().__init__()
        self.number, self.text, self.found, self.problem = number, text, found, problem


class StudyFormScreen(ModalScreen[str | None]):
    """Dismissed with the name of the study that was saved, None for esc. `draft` is changed as it is filled in."""

    AUTO_FOCUS = None
    BINDINGS = [
        Binding("escape,q", "cancel", show=False),
        Binding("down,j,tab", "move(1)", show=False),
        Binding("up,k,shift+tab", "move(-1)", show=False),
        Binding("enter,space", "edit", show=False),
        Binding("u,delete,backspace", "reset", show=False),
        Binding("s,ctrl+s,f5", "save", show=False),
        Binding("pagedown,ctrl+d", "scroll(8)", show=False),
        Binding("pageup,ctrl+u", "scroll(-8)", show=False),
    ]

    def __init__(self, lab: Lab, palette: Palette, draft: drafts.Draft) -> None:
        super().__init__()
        self._lab, self._palette, self.draft = lab, palette, draft
        self._number = 0
        self._previewed: Previewed | None = None
        self._newest = Newest("vitui-study-form")
        self._saving = False

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Bar(id="form-title")
            yield Listing(self._palette, drafts.draw_row, id="form")
            yield Lines(id="form-about")
            yield Lines(id="form-preview")
            yield Bar(id="form-go")

    def on_mount(self) -> None:
        p = self._palette
        hint = "enter edits, u sets back, s saves, esc leaves"
        self.query_one("#form-title", Bar).show([("A new study", p.strong)], [(hint, p.dim)])
        self._listing.set_active(True)
        self.changed()

    @property
    def _listing(self) -> Listing:
        return self.query_one("#form", Listing)

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def changed(self) -> None:
        """The draft is another one: show it, and work out what it comes to."""
        self._listing.show(drafts.rows(self.draft))
        self._number += 1
        self._previewed = None
        if not drafts.lacking(self.draft):
            self._newest.put(partial(self._preview, self._number, dict(self.draft)))
        self._show()

    def _preview(self, number: int, draft: drafts.Draft) -> None:
        """In a thread: composing a large grid takes seconds."""
        from vitui.studies.drafting import study_text

        try:
            text = study_text(drafts.wish(draft))
            found = self._lab.study_preview(drafts.name_of(draft), text)
            self.post_message(Previewed(number, text, found, found.problem))
        except (VitError, ValueError) as error:
            self.post_message(Previewed(number, "", None, str(error)))
        except Exception as error:  # whatever it is, the form stays and says so
            self.post_message(Previewed(number, "", None, f"{type(error).__name__}: {error}"))

    @on(Previewed)
    def _shown(self, message: Previewed) -> None:
        if message.number == self._number:
            self._previewed = message
            self._show()

    # -- what is shown -------------------------------------------------------------------------------------------

    def _show(self) -> None:
        p, row = self._palette, self._listing.current
        about = self.query_one("#form-about", Lines)
        width = max(20, about.size.width - 2)
        about.show(words.paragraph(row.content.help, width, p.dim) if row is not None else [])
        self.query_one("#form-preview", Lines).show(self._lines(width))
        ready = self._previewed is not None and not self._previewed.problem and not self._saving
        name = safe(drafts.name_of(self.draft), 40)
        text = "saving …" if self._saving else f"[ s  save {name}, then ask whether to queue it ]"
        self.query_one("#form-go", Bar).show([(text, link(p.key if ready else p.dim, "screen.save"))])

    def _lines(self, width: int) -> list[Line]:
        p = self._palette
        if lacking := drafts.lacking(self.draft):
            return [[(lacking, p.warn)]]
        made = self._previewed
        if made is None:
            return [[("putting its recipes together …", p.dim)]]
        if made.problem or made.found is None or made.found.planned is None:
            return words.paragraph(made.problem, width, p.bad)
        planned, estimate = made.found.planned, made.found.estimate
        lines: list[Line] = [[(words.size(planned), p.strong)]]
        for sentence in words.cost(estimate) if estimate is not None else []:
            lines += words.paragraph(sentence, width, p.text, indent="  ")
        for sentence in planned.waiting:
            lines += words.paragraph(sentence, width, p.warn, indent="  ")
        names = [variant.name for variant in planned.variants[:NAMES_SHOWN]]
        more = f", … and {len(planned.variants) - len(names):,} more" if len(planned.variants) > len(names) else ""
        return [*lines, "", *words.paragraph(", ".join(names) + more, width, p.dim)]

    # -- keys ----------------------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        self._listing.move_by(by)

    @on(Listing.Moved)
    def _moved(self) -> None:
        self._show()

    @on(Listing.Clicked)
    def _clicked(self, event: Listing.Clicked) -> None:
        if event.again:
            self.action_edit()

    def on_click(self, event: Click) -> None:
        if event.widget is self:  # beside the box
            self.action_cancel()

    def action_scroll(self, lines: int) -> None:
        self.query_one("#form-preview", Lines).scroll_by(lines)

    def action_cancel(self) -> None:
        if not self._saving:
            self.dismiss(None)

    def action_reset(self) -> None:
        row = self._listing.current
        if row is not None and self.draft.pop(row.key, None) is not None:
            self.changed()

    def action_save(self) -> None:
        made = self._previewed
        if self._saving or made is None or made.problem:
            return
        self._saving = True
        self._show()
        name, lab = drafts.name_of(self.draft), self._lab

        def work() -> None:
            problem = ""
            try:
                lab.save_study(name, made.text)
            except (VitError, OSError, ValueError) as error:
                problem = str(error)
            self.app.call_from_thread(self._saved, name, problem)

        self.app.run_worker(work, thread=True, group="study", exit_on_error=False)

    def _saved(self, name: str, problem: str) -> None:
        self._saving = False
        if problem:
            self._previewed = Previewed(self._number, "", None, problem)
            self._show()
            return
        self.draft.clear()
        self.dismiss(name)

    # -- one row -------------------------------------------------------------------------------------------------

    def action_edit(self) -> None:
        """The row under the cursor: a list to pick from, or a line to type in."""
        row = self._listing.current
        if row is None:
            return
        match row.key:
            case "base" | "presets":
                self._read(self._presets, partial(self._pick_preset, row.key))
            case "kinds":
                choices = [Choice(kind, kind, detail) for kind, detail in drafts.KINDS.items()]
                self._pick("What varies", choices, drafts.kinds(self.draft), self._kinds)
            case "leave_out" | "add":
                if not self.draft.get("base"):
                    self._tell("pick a base first")
                else:
                    self._read(self._ground, partial(self._pick_toggles, row.key))
            case key if key in LISTED:
                self._read(self._known, partial(self._type, key))
            case key:
                self._type(key, None)

    def _read(self, job: Callable[[], Any], then: Callable[[Any], object]) -> None:
        """What a row is picked from, in a thread."""

        def work() -> None:
            try:
                found = job()
            except (VitError, OSError, ValueError) as error:
                self.app.call_from_thread(self._tell, str(error))
                return
            self.app.call_from_thread(then, found)

        self.run_worker(work, thread=True, exclusive=True, group="form", exit_on_error=False)

    def _presets(self) -> Any:
        from vitui.drafts.shelf import preset_entries

        return preset_entries(self._lab)

    def _ground(self) -> Any:
        from vitui.studies.previewing import ground

        return ground(self._lab, self.draft["base"], self.draft.get("sets", "").split())

    def _known(self) -> Any:
        """What completes a line; None where the base is no recipe, or not known yet: it can be typed all the same."""
        from vitui.studies.previewing import ground

        try:
            return ground(self._lab, self.draft["base"], ()) if self.draft.get("base") else None
        except (VitError, OSError, ValueError):
            return None

    def _tell(self, problem: str) -> None:
        self.query_one("#form-about", Lines).show(words.paragraph(problem, 90, self._palette.warn))

    def _keep(self, key: str, value: str) -> None:
        if value:
            self.draft[key] = value
        else:
            self.draft.pop(key, None)
        self.changed()

    def _kinds(self, picked: list[str]) -> None:
        self._keep("kinds", ", ".join(picked))

    def _pick(self, title: str, choices: list[Choice], picked: list[str], take: Callable[[list[str]], object]) -> None:
        def done(ids: list[str] | None) -> None:
            if ids is not None:
                take(ids)

        self.app.push_screen(PickScreen(title, choices, self._palette, many=True, picked=picked), done)

    def _pick_preset(self, key: str, entries: Any) -> None:
        many = key == "presets"

        def done(ids: list[str] | None) -> None:
            if ids:
                self._keep(key, " ".join(ids))

        title = "Presets that are variants" if many else "The preset that variants differ from"
        picked = self.draft.get(key, "").split()
        self.app.push_screen(PresetPickScreen(title, entries, self._palette, many=many, picked=picked), done)

    def _pick_toggles(self, key: str, found: Any) -> None:
        wanted = key == "leave_out"
        switches = [one for one in found.toggles if one.on == wanted]
        if not switches:
            self._tell(f"no toggle is {'on' if wanted else 'off'} in {safe(self.draft['base'], 40)}")
            return
        title = "Toggles to leave out, one at a time" if wanted else "Toggles to add, one at a time"
        choices = [Choice(one.id, one.label, f"{one.group}  {one.id}") for one in switches]
        self._pick(title, choices, self.draft.get(key, "").split(), lambda ids: self._keep(key, " ".join(ids)))

    def _type(self, key: str, found: Any) -> None:
        row = next(one.content for one in drafts.rows(self.draft) if one.key == key)
        between = LISTED.get(key)

        def check(text: str) -> str:
            try:
                drafts_problem(key, text)
            except UsageError as error:
                return str(error)
            return ""

        def done(text: str | None) -> None:
            if text is not None:
                self._keep(key, text.strip())

        title = f"{row.title}"
        if between and found is not None:
            completions = [f"{name}=" for name in (*found.fields, *(one.id for one in found.toggles if key == "axes"))]
            self.app.push_screen(
                WordsScreen(
                    title, self._palette, words=completions, between=between, signs="", value=row.value,
                    hint=row.help, check=check,
                ),
                done,
            )  # fmt: skip
        else:
            self.app.push_screen(
                PromptScreen(title, self._palette, value=row.value, hint=row.help, check=check), done
            )  # fmt: skip


def drafts_problem(key: str, text: str) -> None:
    """Raises UsageError for what cannot stand in a row."""
    from vitui.studies.definition import checked_study_name
    from vitui.studies.drafting import Wish, seeds, study_text

    if not text.strip():
        return
    if key == "name":
        checked_study_name(text.strip())
    elif key == "seeds":
        seeds(text)
    elif key == "n" and not (text.strip().isdecimal() and int(text) > 0):
        raise UsageError("a whole number from 1")
    elif key in ("axes", "random"):
        parts = [part.strip() for part in text.split(";") if part.strip()]
        study_text(Wish(base="base", axes=parts) if key == "axes" else Wish(base="base", random=parts, n=1))
    elif key == "sets":
        study_text(Wish(base="base", sets=text.split()))
