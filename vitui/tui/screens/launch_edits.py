"""Editing in the launch form: a value in its place, choices, flags, toggles, presets, and back again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on
from textual.widgets import Input

from vitui.errors import UsageError
from vitui.tui.screens.launch_desk import Edit
from vitui.tui.screens.launch_details import device_choices
from vitui.tui.screens.launch_form import LaunchForm
from vitui.tui.screens.launch_rows import OPTIONS, Detail, Heading
from vitui.tui.screens.pick import Choice, PickScreen
from vitui.tui.widgets.listing import Row

if TYPE_CHECKING:
    from engine.recipe import Preset, Recipe
    from vitui.drafts import Draft
    from vitui.drafts.preview import FieldValue, Switch
    from vitui.drafts.shelf import PresetEntry


def plain(text: str) -> str:
    """A value as one would type it: an empty text is not written as two quotes."""
    return "" if text == '""' else text


def set_field(key: str, text: str) -> Edit:
    """A field typed."""
    return lambda draft, preset: draft and draft.set(key, text, preset)


def reset_field(key: str, before: str) -> Edit:
    """A field as the preset has it: what was typed is taken away, and what a toggle set is typed over."""

    def edit(draft: Draft | None, preset: Preset | None) -> Draft | None:
        if draft is None:
            return None
        return draft.unset(key) if key in draft.sets else draft.set(key, before, preset)

    return edit


def flip_toggle(id: str, on: bool) -> Edit:
    """A toggle turned on or off."""
    return lambda draft, preset: draft.flip(id, on, preset) if draft and preset else draft


def set_detail(key: str, text: str, first_seed: int) -> Edit:
    """A detail of the run: name, seeds, device, tags, question or notes."""

    def edit(draft: Draft | None, _: Preset | None) -> Draft | None:
        from vitui.drafts.seeds import parse_seeds

        if draft is None:
            return None
        if key == "seeds":
            return replace(draft, seeds=parse_seeds(text, first_seed))
        if key == "tags":
            return replace(draft, tags=tuple(dict.fromkeys(text.replace(",", " ").split())))
        return replace(draft, **{key: text.strip()})  # type: ignore[arg-type]

    return edit


class LaunchEdits(LaunchForm):
    """What enter, space, left and right do to a row of the form."""

    # -- one value -----------------------------------------------------------------------------------------------

    def recipe(self) -> Recipe | None:
        """The recipe that values are checked against."""
        made = self.sheet.preview if self.sheet else None
        if made is None:
            return None
        return made.recipe or (made.preset.recipe if made.preset else None)

    def first_seed(self) -> int:
        """The seed a count of seeds begins with: what was typed as train.seed, else the preset's."""
        draft, made = (self.sheet.draft, self.sheet.preview) if self.sheet else (None, None)
        typed = draft.sets.get("train.seed", "") if draft else ""
        return int(typed) if typed.isdecimal() else made.base.train.seed if made and made.base else 0

    def check(self, key: str, text: str) -> str:
        """Why a text is refused as the value of a field or detail; empty when it is taken."""
        from vitui.drafts.fields import value_problem
        from vitui.drafts.seeds import parse_seeds

        if self.pane == "run":
            try:
                if key == "seeds":
                    parse_seeds(text, self.first_seed())
            except UsageError as error:
                return str(error)
            return ""
        recipe = self.recipe()
        return value_problem(recipe, key, text) if recipe is not None else ""

    def warning(self, key: str, text: str) -> str:
        """What does not go together with the other fields: it is taken, but the recipe waits for the other value."""
        from vitui.drafts.fields import problem_of

        recipe = self.recipe()
        return problem_of(recipe, key, text) if self.pane == "fields" and recipe is not None else ""

    def edit_row(self, row: Row) -> None:
        """What enter does on a row of fields or details."""
        content = row.content
        if isinstance(content, Detail):
            if content.key == "device":
                self._pick(content.title, self._devices(), content.value.partition(" ")[0], self._device)
            else:
                self._open(row, content.value)
            return
        one: FieldValue = content
        if one.field.kind == "flag":
            self.step(row, 1)
        elif one.field.kind == "choice":
            choices = [Choice(choice, choice or "empty") for choice in one.field.choices]
            self._pick(one.field.key, choices, one.text, lambda text: self.desk.edit(set_field(one.field.key, text)))
        else:
            self._open(row, plain(one.text))

    def step(self, row: Row, by: int) -> None:
        """What left, right and space do on a row of fields or details: the next choice."""
        content = row.content
        if isinstance(content, Detail):
            if content.key == "device":
                names = [choice.id for choice in self._devices()]
                self._device(_next(names, content.value.partition(" ")[0], by))
            return
        one: FieldValue = content
        if one.field.kind == "flag":
            self.desk.edit(set_field(one.field.key, "false" if one.text == "true" else "true"))
        elif one.field.kind == "choice":
            self.desk.edit(set_field(one.field.key, _next(list(one.field.choices), one.text, by)))

    def flip(self, switch: Switch) -> None:
        """What enter and space do on a toggle."""
        from vitui.drafts.preview import flip_problem

        made = self.sheet.preview if self.sheet else None
        if not switch.available:
            self.about(switch.reason)
        elif made is not None and (problem := flip_problem(made, switch.toggle.id, not switch.on)):
            self.about(problem)
        else:
            self.desk.edit(flip_toggle(switch.toggle.id, not switch.on))

    def _devices(self) -> list[Choice]:
        return device_choices(self.sheet) if self.sheet else []

    def _device(self, name: str) -> None:
        self.desk.edit(set_detail("device", name, self.first_seed()))

    def _pick(self, title: str, choices: list[Choice], now: str, take: Callable[[str], object]) -> None:
        def picked(ids: list[str] | None) -> None:
            if ids:
                take(ids[0])

        ordered = sorted(choices, key=lambda choice: choice.id != now)  # the present one is under the cursor
        self.vitui.push_screen(PickScreen(title, ordered, self.vitui.palette), picked)

    # -- the line that is edited ---------------------------------------------------------------------------------

    def _open(self, row: Row, value: str) -> None:
        """Edit a value where it stands."""
        self._editing, self._opened = row.key, value
        field = self.edit_field()
        field.value = value
        field.cursor_position = len(value)
        self.set_class(True, "editing")
        self.place_edit()
        field.focus()
        self.about()

    def typed(self, text: str) -> None:
        """What is edited has changed: say at once what is wrong with it."""
        if self._editing:
            self.about(self.check(self._editing, text) or self.warning(self._editing, text))

    def commit(self) -> bool:
        """Take what is edited into the draft; False when it is refused and the line stays open."""
        if not self._editing:
            return True
        key, text = self._editing, self.edit_field().value
        if problem := self.check(key, text):
            self.about(problem)
            return False
        self.close_edit()
        if text == self._opened:
            return True  # only looked at: the preset goes on deciding it
        if self.pane == "run":
            self.desk.edit(set_detail(key, text, self.first_seed()))
        elif not (key == OPTIONS and not text.strip()):
            self.desk.edit(set_field(key, text))
        return True

    def close_edit(self) -> None:
        """Leave the line that is edited; what was typed is forgotten."""
        if self._editing:
            self._editing = ""
            self.set_class(False, "editing")
            self.vitui.screen.set_focus(None)
            self.about()

    def action_to_pane(self, name: str) -> None:
        if self._editing and not self.commit():
            return
        self._close_search()
        self.pane = name
        self._arrange()
        self._remember()
        self.call_after_refresh(self._placed)

    # -- changing the draft --------------------------------------------------------------------------------------

    @on(Input.Changed, "#launch-edit")
    def _typing(self, event: Input.Changed) -> None:
        self.typed(event.value)

    def action_choose(self) -> None:
        if self._editing:
            self.commit()
            return
        self._close_search()
        listing = self.listing()
        row = listing.current if listing is not None else None
        if row is None:
            return
        if row.heading:
            self._fold(row, not row.content.folded)
        elif self.pane == "presets":
            self._take(row)
        elif self.pane == "toggles":
            self.flip(row.content)
        else:
            self.edit_row(row)

    def action_flip(self) -> None:
        listing = self.listing()
        row = listing.current if listing is not None else None
        if row is None:
            return
        if row.heading or self.pane in ("presets", "toggles"):
            self.action_choose()
        else:
            self.step(row, 1)

    def action_next_value(self) -> None:
        self._aside(1)

    def action_previous_value(self) -> None:
        self._aside(-1)

    def _aside(self, by: int) -> None:
        listing = self.listing()
        row = listing.current if listing is not None else None
        if listing is None or row is None:
            return
        if self.pane == "presets":
            if not row.heading:
                if by < 0:
                    family = "family " + row.content.entry.family
                    listing.put_on(family)
            elif row.content.folded != (by < 0):
                self._fold(row, by < 0)
        elif self.pane != "toggles" and not row.heading:
            self.step(row, by)

    def _fold(self, row: Row, folded: bool) -> None:
        heading: Heading = row.content
        if heading.foldable:
            self._folded ^= {heading.title} if folded != (heading.title in self._folded) else set()
            self._show_presets()
            self._remember()

    def action_fold_all(self) -> None:
        if self.pane != "presets":
            self.action_to_pane("presets")
        families = {entry.family for entry in self._entries or () if not entry.problem}
        self._folded = set() if self._folded >= families else families
        self._show_presets()
        self._remember()

    def _take(self, row: Row) -> None:
        """The preset under the cursor into the form; details of the run stay."""
        entry: PresetEntry = row.content.entry
        if entry.problem:
            self.about(entry.problem)
            return
        lost = self.sheet.draft.changed if self.sheet and self.sheet.draft else False
        self.desk.edit(_taking(entry.name))
        if lost:
            self.vitui.tell(f"{entry.name} as it is; {self.key('launch.undo')} brings back what stood in the form")
        if self.mode == 1:
            self.action_to_pane("toggles")

    def action_reset(self) -> None:
        listing = self.listing()
        row = listing.current if listing is not None else None
        if row is None or row.heading:
            return
        if self.pane == "toggles" and row.content.differs:
            self.desk.edit(flip_toggle(row.content.toggle.id, row.content.in_preset))
        elif self.pane == "fields" and (row.content.changed or self._is_typed(row.key)):
            self.desk.edit(reset_field(row.key, row.content.before))
        elif self.pane == "run":
            self.desk.edit(set_detail(row.key, "auto" if row.key == "device" else "", self.first_seed()))

    def _is_typed(self, key: str) -> bool:
        return bool(self.sheet and self.sheet.draft and key in self.sheet.draft.sets)

    def action_undo(self) -> None:
        self.desk.undo()

    def action_start_over(self) -> None:
        self.close_edit()
        draft = self.sheet.draft if self.sheet else None
        if draft is not None and draft.preset:
            self.desk.edit(_taking(draft.preset))
            self.vitui.tell(f"{draft.preset} as it is; {self.key('launch.undo')} brings back what stood in the form")
        elif draft is not None:
            self.desk.edit(lambda d, _: d and type(d)(preset="", base=d.base))


def _next(choices: list[str], now: str, by: int) -> str:
    """The choice after (or before) the present one, round and round."""
    if now not in choices:
        return choices[0]
    return choices[(choices.index(now) + by) % len(choices)]


def _taking(name: str) -> Edit:
    """An unchanged preset; details of the run stay as they are."""

    def edit(draft: Draft | None, _: object) -> Draft | None:
        from vitui.drafts import Draft

        if draft is None:
            return Draft(preset=name)
        return replace(draft, preset=name, base="", flips=(), sets={})

    return edit
