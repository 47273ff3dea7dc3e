"""What stands in the form of a new study, as rows and as the wish that its text is made from. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Part
from vitui.tui.widgets.listing import Row, cells

if TYPE_CHECKING:
    from vitui.studies.drafting import Wish

Draft = dict[str, str]
"""Key of a row -> what was typed or picked; toggles and presets with spaces, axes with semicolons between them."""

LEAVE_OUT, ADD, GRID, PRESETS, SEARCH = "leave-one-out", "add-one-in", "grid", "presets", "random search"
KINDS: Final = {
    LEAVE_OUT: "each toggle that is on in the base, switched off alone",
    ADD: "toggles that are off in the base, each switched on alone",
    GRID: "every combination of values of fields",
    PRESETS: "a list of presets, each as it is",
    SEARCH: "fields drawn at random",
}
"""What a study can vary; several at once, but a grid stands alone with presets and search."""
TITLE: Final = 12


@dataclass(frozen=True, slots=True)
class FormRow:
    """A row of the form. `hint`: what an empty value means; `help`: for the line under the form."""

    key: str
    title: str
    value: str
    hint: str
    help: str


def kinds(draft: Mapping[str, str]) -> list[str]:
    """What is varied."""
    return [kind for kind in draft.get("kinds", LEAVE_OUT).split(", ") if kind in KINDS]


def rows(draft: Mapping[str, str]) -> list[Row]:
    """The rows of the form: those that what is varied needs among them."""
    chosen = kinds(draft)

    def row(key: str, title: str, hint: str, help: str) -> FormRow:
        return FormRow(key, title, draft.get(key, ""), hint, help)

    found = [
        row("name", "name", suggested(draft), "What the study and its file are called."),
        row("base", "base", "enter picks a preset", "The preset that variants differ from."),
        FormRow("kinds", "vary", ", ".join(chosen), "enter picks", "What makes the variants: one or several ways."),
    ]
    if LEAVE_OUT in chosen:
        found.append(
            row(
                "leave_out",
                "leave out",
                "every toggle that is on, but for data and precision",
                "Toggles that are switched off alone.",
            )
        )
    if ADD in chosen:
        found.append(row("add", "add", "enter picks toggles", "Toggles that are switched on alone."))
    if GRID in chosen:
        found.append(
            row("axes", "grid", "optim.lr=1e-3,3e-4; aug=none,mixup",
                "FIELD=VALUE,VALUE or NAME=TOGGLE,none for each axis, with ; between them.")
        )  # fmt: skip
    if PRESETS in chosen:
        found.append(row("presets", "presets", "enter picks presets", "Presets that are variants as they are."))
    if SEARCH in chosen:
        found.append(
            row("random", "draw", "optim.lr=1e-4..1e-2:log; train.batch_size=32,64",
                "FIELD=LOW..HIGH, with :log or :int behind it, or FIELD=A,B,C; ; between them.")
        )  # fmt: skip
        found.append(row("n", "how many", "20", "Variants that are drawn."))
    found += [
        row("seeds", "seeds", "3", "How many, counted from the recipe's own seed on, or which ones: 0,1,2."),
        row("sets", "in each run", "as the recipes are", "FIELD=VALUE with spaces between, such as train.epochs=5."),
        row("title", "title", "none", "A line above the table."),
        row("question", "question", "none", "What it is to find out; kept with every run."),
    ]  # fmt: skip
    return [Row(one.key, one) for one in found]


def draw_row(row: Row, width: int, p: Palette) -> list[Part]:
    """A row of the form."""
    content: FormRow = row.content
    left = max(0, width - TITLE - 1)
    shown = cells(content.value, left, p.strong) if content.value else cells(content.hint, left, p.dim)
    return [cells(content.title, TITLE, p.text), (" ", p.text), shown]


def suggested(draft: Mapping[str, str]) -> str:
    """A name for a study that was given none."""
    base = draft.get("base") or draft.get("presets", "").partition(" ")[0]
    if not base:
        return "a name"
    ends = {LEAVE_OUT: "ablation", ADD: "ablation", GRID: "grid", PRESETS: "presets", SEARCH: "search"}
    return f"{base}-{ends.get(next(iter(kinds(draft)), ''), 'study')}"


def name_of(draft: Mapping[str, str]) -> str:
    """The study's name, as typed or suggested."""
    return draft.get("name", "").strip() or suggested(draft)


def lacking(draft: Mapping[str, str]) -> str:
    """What has to be filled in before there is anything to plan; empty where nothing has."""
    chosen = kinds(draft)
    if not chosen:
        return "pick what varies"
    if not draft.get("base") and chosen != [PRESETS]:
        return "pick a base: a preset that variants differ from"
    for kind, key, what in (
        (ADD, "add", "pick toggles to add"), (GRID, "axes", "type the axes of the grid"),
        (PRESETS, "presets", "pick presets"), (SEARCH, "random", "type what is drawn at random"),
    ):  # fmt: skip
        if kind in chosen and not draft.get(key, "").strip():
            return what
    if GRID in chosen and {LEAVE_OUT, ADD} & set(chosen):
        return "a grid has all its variants from its axes: leave out and add cannot stand beside it"
    return ""


def wish(draft: Mapping[str, str]) -> Wish:
    """What is in the form, as words. Raises UsageError for a number of variants that is none."""
    from vitui.errors import UsageError
    from vitui.studies.drafting import Wish

    chosen = kinds(draft)
    n = draft.get("n", "").strip() or "20"
    if SEARCH in chosen and not n.isdecimal():
        raise UsageError(f'how many = "{n}" is no whole number')

    def several(kind: str, key: str, between: str | None = None) -> list[str]:
        words = draft.get(key, "").split(between) if kind in chosen else []
        return [word.strip() for word in words if word.strip()]

    return Wish(
        base=draft.get("base", ""),
        leave_out=several(LEAVE_OUT, "leave_out") or (["all"] if LEAVE_OUT in chosen else []),
        add=several(ADD, "add"),
        presets=several(PRESETS, "presets"),
        axes=several(GRID, "axes", ";"),
        random=several(SEARCH, "random", ";"),
        n=int(n) if SEARCH in chosen else None,
        seeds=draft.get("seeds", "").strip() or "3",
        sets=draft.get("sets", "").split(),
        title=draft.get("title", ""),
        question=draft.get("question", ""),
    )
