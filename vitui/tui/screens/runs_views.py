"""How the Runs screen is arranged: columns, order, groups, archived or not, and views saved under a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual import on

from vitui.errors import UsageError
from vitui.query.arrangement import NEWEST, Arrangement
from vitui.query.columns import FIXED, Columns
from vitui.query.fields import Field, Fields
from vitui.query.order import By, parse_order, written
from vitui.query.run_fields import RUN_FIELDS
from vitui.tui.screens.control import RunActions
from vitui.tui.screens.pick import Choice, PickScreen
from vitui.tui.screens.prompt import PromptScreen
from vitui.tui.screens.words_prompt import WordsScreen
from vitui.tui.widgets.run_table import RunTable, sort_cycle

if TYPE_CHECKING:
    from vitui.store import Run

VIEWS = "views"
"""Under which name saved views are remembered."""
WIDER = 2
"""Cells by which a key makes a column wider."""
MOST_DIFFERING = 40
"""Recipe fields that only-differing columns show at most."""
USUAL_GROUPS = ("recipe", "preset", "tag", "model", "dataset", "state", "optim.name", "optim.lr")
PLAIN, DELETE = "\0plain", "\0delete"
"""Entries of the list of views that are none."""
NAME_CELLS = 60


class ArrangedRuns(RunActions):
    """The actions that change the arrangement; `arranged` is told each new one and shows it."""

    arrangement: Arrangement
    fields: Fields

    def arranged(self, new: Arrangement) -> None:
        """Show and remember a new arrangement."""
        raise NotImplementedError

    def listed(self) -> Sequence[Run]:
        """Every run that the filter lets through."""
        raise NotImplementedError

    @property
    def table(self) -> RunTable:
        return self.query_one("#table", RunTable)

    def field_of(self, key: str) -> Field:
        """A field that is shown, sorted or grouped by, also when no run has it any more; else one of those there are.

        Raises UsageError for an unknown one.
        """
        now = self.arrangement
        used = (*(column.field for column in now.columns), *(by.field for by in now.order), *now.groups)
        return next((field for field in used if field.key == key), None) or self.fields.get(key)

    # -- order ---------------------------------------------------------------------------------------------------

    def action_sort(self) -> None:
        """By the column under the column cursor, the other way round at the second time; else by the next column."""
        main = self.arrangement.order[0]
        if self.table.column:
            self._sort_by(self.table.column)
        else:
            key = sort_cycle(self.table.shown_columns, main.field.key)
            self.arranged(replace(self.arrangement, order=(By(self.field_of(key)),)))

    def _sort_by(self, key: str) -> None:
        main = self.arrangement.order[0]
        again = main.field.key == key and not main.reverse
        self.arranged(replace(self.arrangement, order=(By(self.field_of(key), again),)))

    def action_reverse(self) -> None:
        main, *rest = self.arrangement.order
        self.arranged(replace(self.arrangement, order=(By(main.field, not main.reverse), *rest)))

    def action_newest(self) -> None:
        self.arranged(replace(self.arrangement, order=NEWEST))
        self.table.move_to(0)

    def action_order(self) -> None:
        def check(text: str) -> str:
            try:
                parse_order(text, self.fields)
            except UsageError as error:
                return str(error)
            return ""

        def answered(text: str | None) -> None:
            if text is not None:
                self.arranged(replace(self.arrangement, order=parse_order(text, self.fields) or NEWEST))

        self.app.push_screen(
            WordsScreen(
                "Sort by several fields", self.vitui.palette, words=self.fields.names(), between=",", signs="-",
                value=written(self.arrangement.order), hint="best,-lr; smooth(minival/top1)", check=check,
            ),
            answered,
        )  # fmt: skip

    @on(RunTable.HeaderClicked)
    def _header_clicked(self, event: RunTable.HeaderClicked) -> None:
        self._sort_by(event.key)

    # -- columns -------------------------------------------------------------------------------------------------

    def action_column_left(self) -> None:
        self.table.move_column(-1)

    def action_column_right(self) -> None:
        self.table.move_column(1)

    def action_wider(self) -> None:
        self._widen(WIDER)

    def action_narrower(self) -> None:
        self._widen(-WIDER)

    def _widen(self, by: int) -> None:
        if not self.table.column:
            self.table.move_column(0)
        key = self.table.column
        if key:
            self._set_width(key, (self.table.column_width(key) or self.field_of(key).width) + by)

    @on(RunTable.Resized)
    def _dragged(self, event: RunTable.Resized) -> None:
        self._set_width(event.key, event.width)

    def _set_width(self, key: str, width: int) -> None:
        columns = self.arrangement.columns
        if columns.index(key) is None:  # one that is shown only because the runs differ in it
            self.vitui.tell(
                f"choose this column first ({self.key('runs.columns')}): its width is kept with the chosen ones"
            )
            return
        self.arranged(replace(self.arrangement, columns=columns.resized(key, width)))

    def action_columns(self) -> None:
        now = self.arrangement.columns

        def answered(picked: list[str] | None) -> None:
            if picked:
                self.arranged(replace(self.arrangement, columns=now.chosen(picked, self.fields), differing=False))

        choices = _choices([*(c.field for c in now), *self.fields.all()])
        self.app.push_screen(
            PickScreen("Columns", choices, self.vitui.palette, many=True, ordered=True, picked=now.keys), answered
        )

    def action_differing(self) -> None:
        new = not self.arrangement.differing
        if new and len(self.listed()) < 2:
            self.vitui.tell("two runs at least must be shown to differ", "warning")
            return
        self.arranged(replace(self.arrangement, differing=new))

    # -- groups --------------------------------------------------------------------------------------------------

    def action_group(self) -> None:
        now = self.arrangement.groups

        def answered(picked: list[str] | None) -> None:
            if picked is not None:
                keys = [] if "" in picked else picked
                self.arranged(replace(self.arrangement, groups=tuple(self.field_of(key) for key in keys)))

        usual = [field for key in USUAL_GROUPS if (field := self.fields.find(key)) is not None]
        choices = [Choice("", "(no groups)", "a plain list"), *_choices([*now, *usual, *self.fields.all()])]
        self.app.push_screen(
            PickScreen(
                "Group by", choices, self.vitui.palette, many=True, ordered=True, picked=[f.key for f in now]
            ),
            answered,
        )  # fmt: skip

    def action_archived(self) -> None:
        self.arranged(replace(self.arrangement, archived=not self.arrangement.archived))

    # -- saved views ---------------------------------------------------------------------------------------------

    def saved_views(self) -> dict[str, Any]:
        """Views by name, as they were saved."""
        return {name: view for name, view in self.vitui.remembered.get(VIEWS).items() if isinstance(view, dict)}

    def action_save_view(self) -> None:
        views = self.saved_views()

        def check(text: str) -> str:
            if not text.strip():
                return "give the view a name"
            if not text.isprintable() or len(text) > NAME_CELLS:
                return f"a name of at most {NAME_CELLS} printable characters"
            return ""

        def answered(text: str | None) -> None:
            if text is not None:
                name = text.strip()
                known = name in views
                self.vitui.remembered.put(VIEWS, {**self.saved_views(), name: self.arrangement.as_json()})
                self.vitui.tell(f"view {name} {'replaced' if known else 'saved'}; {self.key('runs.views')} shows all")

        self.app.push_screen(
            PromptScreen(
                "Save filter, columns, order and groups as", self.vitui.palette, hint="an old name is replaced",
                check=check, words=sorted(views),
            ),
            answered,
        )  # fmt: skip

    def action_views(self) -> None:
        views = self.saved_views()
        choices = [Choice(name, name, told(Arrangement.from_json(views[name], self.fields))) for name in sorted(views)]
        choices.append(Choice(PLAIN, "(as at first)", told(Arrangement())))
        if views:
            choices.append(Choice(DELETE, "(delete views)", "choose which"))

        def answered(picked: list[str] | None) -> None:
            if not picked:
                return
            if picked[0] == DELETE:
                self._delete_views(views)
            else:
                self.arranged(Arrangement.from_json(views.get(picked[0]), self.fields))

        self.app.push_screen(PickScreen("Views", choices, self.vitui.palette), answered)

    def _delete_views(self, views: dict[str, Any]) -> None:
        def answered(picked: list[str] | None) -> None:
            if picked:
                left = {name: view for name, view in self.saved_views().items() if name not in picked}
                self.vitui.remembered.put(VIEWS, left)
                self.vitui.tell(f"deleted {picked[0] if len(picked) == 1 else f'{len(picked)} views'}")

        choices = [Choice(name, name) for name in sorted(views)]
        self.app.push_screen(PickScreen("Delete views", choices, self.vitui.palette, many=True), answered)


def _choices(fields: Sequence[Field]) -> list[Choice]:
    return [Choice(field.key, field.key, field.help) for field in dict.fromkeys(fields)]


def told(view: Arrangement) -> str:
    """A view in words."""
    parts = [f"/{view.filter}" if view.filter else "all runs", f"by {written(view.order)}"]
    if view.groups:
        parts.append(f"in groups of {', '.join(field.key for field in view.groups)}")
    parts.append(f"{len(view.columns)} columns")
    if view.archived:
        parts.append("with archived")
    return ", ".join(parts)


def differing_columns(
    chosen: Columns, keys: Sequence[str], fields: Fields, runs: Sequence[Run], values: Any, now: float
) -> Columns:
    """The fixed columns, results that differ, recipe fields `keys`, and what else of the chosen ones differs."""
    fixed = chosen.items[:FIXED]
    recipe = [field for key in keys if (field := fields.find(key)) is not None][:MOST_DIFFERING]
    others = [c for c in chosen.items[FIXED:] if c.field not in recipe and _differs(c.field, runs, values, now)]
    results = [column for column in others if column.field.better]
    return Columns((
        *fixed, *results, *Columns(()).with_fields(recipe).items, *(c for c in others if c not in results),
    ))  # fmt: skip


def _differs(field: Field, runs: Sequence[Run], values: Any, now: float) -> bool:
    """Whether at least two of `runs` have other values. Ids and ages always differ and say nothing."""
    if field in (RUN_FIELDS["id"], RUN_FIELDS["age"]) or not runs:
        return False
    first = field.get(runs[0], values, now)
    return any(field.get(run, values, now) != first for run in runs)
