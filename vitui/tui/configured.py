"""The app as its user has set it up: keys, theme, glyphs; and what every action goes through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rich.style import Style
from textual.actions import ActionParseResult
from textual.dom import DOMNode
from textual.filter import LineFilter, Monochrome, NoColor

from vitui.settings import Settings
from vitui.tui.actions import ACTIONS
from vitui.tui.glyphs import AsciiOnly
from vitui.tui.keymap import remapped
from vitui.tui.keys_in_turn import KeysInTurn
from vitui.tui.remembered import Remembered
from vitui.tui.screens.base import LabScreen
from vitui.tui.theme import OKABE_ITO
from vitui.tui.themes import APPEARANCES, appearance_for

SECTION = "everywhere"
"""Under which name the theme chosen in the app is remembered."""


class ConfiguredApp(KeysInTurn):
    """Raises UsageError for keys in `settings` that cannot be."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, settings: Settings, remembered: Remembered) -> None:
        self.settings = settings
        self.actions = remapped(ACTIONS, settings.keys, settings.where)
        """The table of actions with the user's keys in it."""
        self.remembered = remembered
        """How the views were left: columns, filters, axes."""
        self.palette = replace(OKABE_ITO, glyphs="braille" if settings.glyphs == "auto" else settings.glyphs)
        self._ascii = AsciiOnly(enabled=self.palette.glyphs == "ascii")
        self._colourless = NoColor()
        super().__init__()
        # Every animated frame is sent over the line: one animated page turn is 470 kB.
        self.animation_level = "none"
        for one in APPEARANCES.values():
            self.register_theme(one.theme)
        self._dress(self._wanted())

    # -- theme ---------------------------------------------------------------------------------------------------

    def _wanted(self) -> str:
        """The theme chosen in the app, as long as the setting is still the one it was chosen over."""
        chosen = self.remembered.get(SECTION)
        name = chosen.get("theme")
        return name if name in APPEARANCES and chosen.get("over") == self.settings.theme else self.settings.theme

    def _dress(self, name: str) -> dict[Style, Style]:
        appearance = appearance_for(name, self.console.color_system, no_color=self.no_color)
        change = self.palette.become(appearance.palette)
        self.theme = appearance.theme.name
        return change

    def choose_theme(self, name: str) -> None:
        """Change to a theme of vitui.tui.themes now, and open with it from now on."""
        self.remembered.put(SECTION, {"theme": name, "over": self.settings.theme})
        self.restyle(self._dress(name))

    def restyle(self, change: Mapping[Style, Style]) -> None:
        """Draw every screen again: the palette has other colours."""
        for screen in self.lab_screens():
            screen.restyle(change)

    def lab_screens(self) -> list[LabScreen]:
        """Every screen of the lab that has been opened and not left for good."""
        return [screen for screen in self.screen_stack if isinstance(screen, LabScreen)]

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What lines go through on their way out."""
        filters = list(super().get_line_filters())
        if self.no_color and self.native_ansi_color:
            # Textual would make greys of colours; NO_COLOR asks for none, and greys of the terminal's own are black.
            filters = [self._colourless if isinstance(one, Monochrome) else one for one in filters]
        return [*filters, self._ascii] if self._ascii.enabled else filters

    # -- actions -------------------------------------------------------------------------------------------------

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: dict[str, DOMNode] | None = None,  # type: ignore[override]
    ) -> bool:
        """Carry out an action, or say why it cannot be now; what the key line says may be different then."""
        screen = self.screen
        if isinstance(screen, LabScreen) and isinstance(action, str):
            mine = default_namespace is screen or action.startswith("screen.")
            if mine and screen.refuse(action.removeprefix("screen.")):
                return True
        handled = await super().run_action(action, default_namespace, namespaces)
        if isinstance(screen, LabScreen) and screen.is_attached:
            screen.show_keys()
        return handled
