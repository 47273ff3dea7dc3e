"""Picking presets, drawn as the Launch screen draws them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from vitui.tui.screens.launch_rows import preset_line
from vitui.tui.screens.pick import Choice, PickScreen
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Part
from vitui.tui.widgets.listing import Row

if TYPE_CHECKING:
    from vitui.drafts.shelf import PresetEntry


class PresetPickScreen(PickScreen):
    """As PickScreen; searched are names, titles, models, datasets and families."""

    def __init__(
        self, title: str, entries: Sequence[PresetEntry], palette: Palette, *, many: bool = False,
        picked: Collection[str] = (),
    ) -> None:  # fmt: skip
        self._entries = {entry.name: entry for entry in entries if not entry.problem}
        choices = [Choice(name, name, one.haystack) for name, one in self._entries.items()]
        # What could be trained now comes before what has no data here.
        lacking = {name for name, one in self._entries.items() if one.data_state in ("missing", "damaged")}
        choices.sort(key=lambda choice: (choice.id not in picked, choice.id in lacking))
        super().__init__(title, choices, palette, many=many, picked=picked)

    def draw(self, row: Row, room: int, p: Palette) -> Sequence[Part]:
        mark = ("[x] " if row.key in self._picked else "[ ] ") if self._many else ""
        return [(mark, p.mark), *preset_line(self._entries[row.key], False, room - len(mark), p)]
