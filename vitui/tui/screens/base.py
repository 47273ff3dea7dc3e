"""What the screens have in common: the palette, the key line, the size they need, moving in a list."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.events import Resize
from textual.screen import Screen

from vitui.tui.actions import Action, key_line, on_screen
from vitui.tui.widgets.bar import Bar, Part, link

if TYPE_CHECKING:
    from vitui.tui.app import VituiApp

MIN_WIDTH, MIN_HEIGHT = 60, 15


def too_small(width: int, height: int) -> str:
    """What is wrong and what is needed, in as many words as fit in `width` cells."""
    need = f"{MIN_WIDTH}x{MIN_HEIGHT}"
    texts = (f"{width}x{height} is too small: {need} is needed", f"needs {need}", need)
    return next((text for text in texts if len(text) <= width), need)


class LabScreen(Screen[None]):
    """A screen named in the table of actions. Below MIN_WIDTH x MIN_HEIGHT it shows one line that says so."""

    KIND = ""
    AUTO_FOCUS = None

    @property
    def vitui(self) -> VituiApp:
        return cast("VituiApp", self.app)

    def compose(self) -> ComposeResult:
        yield Bar(id="too-small")
        yield from self.compose_body()
        yield Bar(id="keys")

    def compose_body(self) -> ComposeResult:
        raise NotImplementedError

    def on_resize(self, event: Resize) -> None:
        width, height = event.size
        small = width < MIN_WIDTH or height < MIN_HEIGHT
        self.set_class(small, "small")
        self.query_one("#too-small", Bar).show([(too_small(width, height), self.vitui.palette.warn)] if small else [])
        self.fit(width, height)
        self.show_keys()

    def fit(self, width: int, height: int) -> None:
        """Arrange what depends on the size."""

    def show_keys(self) -> None:
        """The key line: as many actions as fit, and that quitting stops nothing."""
        p, room = self.vitui.palette, self.size.width - 2
        chosen: set[str] = set()
        for action in key_line(self.KIND):
            need = len(action.shown) + len(self._key_label(action)) + 3
            if need <= room:
                chosen.add(action.id)
                room -= need
        left: list[Part] = []
        right: list[Part] = []
        for action in on_screen(self.KIND):
            if action.id in chosen:
                todo = f"screen.{action.method}"
                texts = [(action.shown, link(p.key, todo)), (" " + self._key_label(action), link(p.dim, todo))]
                if action.id == "app.leave":
                    right = texts
                else:
                    left += [*texts, ("  ", p.dim)]
        self.query_one("#keys", Bar).show(left[:-1], right)

    @staticmethod
    def _key_label(action: Action) -> str:
        return f"{action.label}, training goes on" if action.id == "app.leave" else action.label

    # What the app tells its screens.

    def see(self, view: object) -> None:
        """A new picture of what is watched; a screen takes those it knows."""

    def gone(self, subject: Hashable) -> None:
        """The subject of a watch is not in the lab any more."""

    def show_trouble(self) -> None:
        """The lab cannot be read (`self.vitui.trouble` says why), or can again: say so."""

    # Actions every screen has; see vitui.tui.actions.

    def action_go_runs(self) -> None:
        self.vitui.go("runs")

    def action_go_launch(self) -> None:
        self.vitui.go("launch")

    def action_go_compare(self) -> None:
        self.vitui.go("compare")

    def action_go_devices(self) -> None:
        self.vitui.go("devices")

    def action_help(self) -> None:
        from vitui.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.KIND, self.vitui.palette))

    def action_palette(self) -> None:
        self.app.action_command_palette()

    def action_leave(self) -> None:
        self.app.exit()

    def move(self, lines: int) -> None:
        """Move in whatever list is in front."""
        raise NotImplementedError

    def page(self) -> int:
        """Lines of that list that are in view."""
        raise NotImplementedError

    def action_down(self) -> None:
        self.move(1)

    def action_up(self) -> None:
        self.move(-1)

    def action_half_down(self) -> None:
        self.move(max(1, self.page() // 2))

    def action_half_up(self) -> None:
        self.move(-max(1, self.page() // 2))

    def action_page_down(self) -> None:
        self.move(self.page())

    def action_page_up(self) -> None:
        self.move(-self.page())

    def action_top(self) -> None:
        self.move(-(1 << 40))

    def action_bottom(self) -> None:
        self.move(1 << 40)
