"""What the screens have in common: the palette, the key line, the size they need, moving in a list."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

from rich.style import Style
from textual.app import ComposeResult
from textual.binding import BindingsMap
from textual.events import DescendantBlur, DescendantFocus, Resize
from textual.geometry import Size
from textual.screen import Screen

from vitui.tui.actions import Action, bindings, key_line, on_screen
from vitui.tui.screens.jump import Target, targets_on
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Bar, Part, link
from vitui.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from vitui.tui.app import VituiApp

MIN_WIDTH, MIN_HEIGHT = 60, 15


@runtime_checkable
class Restyled(Protocol):
    """A widget that keeps what it has made of a palette."""

    def restyle(self, palette: Palette) -> None:
        """Make it again of this one."""


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
        self._take_keys()
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
        self.make_room(width)
        self.fit(width, height)
        self.show_keys()

    def _screen_resized(self, size: Size) -> None:
        self.make_room(size.width)
        super()._screen_resized(size)

    def make_room(self, width: int) -> None:
        """Show or hide what has room only sometimes, before the others get their places: they are drawn for it once."""

    def _compositor_refresh(self) -> None:
        """Nothing is composed while updates are held back: it would not be shown, and be forgotten."""
        if not self.app._batch_count:
            super()._compositor_refresh()

    def fit(self, width: int, height: int) -> None:
        """Arrange what depends on the size."""

    def _take_keys(self) -> None:
        """Put the user's keys in the place of those of the table."""
        kept = [b for bound in self._bindings.key_to_bindings.values() for b in bound if b.id is None]
        self._bindings = BindingsMap([*kept, *bindings(self.KIND, self.vitui.actions)])

    # What can be done now.

    @property
    def actions(self) -> list[Action]:
        """The actions of this screen, with the user's keys."""
        return on_screen(self.KIND, self.vitui.actions)

    def why_not(self, action: Action) -> str:
        """Why an action cannot be carried out now, in a few words; empty where it can. Must be cheap and safe text."""
        return ""

    def possible(self, action: Action) -> bool:
        """Whether an action makes sense now: others are not in the key line, and say why when they are tried."""
        return not self.why_not(action)

    def refuse(self, method: str) -> bool:
        """Say why the action with this method cannot be carried out now; False where it can."""
        action = next((a for a in self.actions if a.method == method), None)
        if action is None or not self.check_action(method, ()):
            return False
        why = self.why_not(action)
        if why:
            self.vitui.tell(f"{action.label}: {why}", "warning")
        return bool(why)

    def perform(self, action: Action) -> None:
        """Carry out an action as if its key had been pressed."""
        self.call_later(self.vitui.run_action, action.method, self)

    def key(self, action_id: str) -> str:
        """How the first key of an action is written; empty where the user took its keys away."""
        found = next((a for a in self.actions if a.id == action_id), None)
        return found.shown if found is not None else ""

    def show_keys(self) -> None:
        """The key line: as many of the possible actions as fit, and that quitting stops nothing."""
        if not self.is_mounted:
            return
        p, room = self.vitui.palette, self.size.width - 2
        chosen: set[str] = set()
        for action in key_line(self.KIND, actions=self.actions):
            need = len(action.shown) + len(self._key_label(action)) + 3
            if need <= room and self.possible(action):
                chosen.add(action.id)
                room -= need
        left: list[Part] = []
        right: list[Part] = []
        for action in self.actions:
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

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        self.show_keys()

    def on_descendant_blur(self, event: DescendantBlur) -> None:
        self.show_keys()

    def jump_targets(self) -> list[Target]:
        """Where the jump mode can go; by default what can have the focus, and every link that is not a key."""
        return targets_on(self)

    def restyle(self, change: Mapping[Style, Style]) -> None:
        """The palette has other colours (`change`: what became of each style): draw everything again."""
        other = replace(self.vitui.palette)  # not the one that widgets hold already, so that they see the change
        for widget in self.query("*"):
            if isinstance(widget, Restyled):
                widget.restyle(other)
            if isinstance(widget, Bar | Lines):
                widget.recolour(change)
            widget.notify_style_update()
            widget.refresh()
        if self.size.width:
            self.fit(*self.size)
            self.show_keys()

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

    def action_go_studies(self) -> None:
        self.vitui.go("studies")

    def action_go_scoreboard(self) -> None:
        self.vitui.go("scoreboard")

    def action_help(self) -> None:
        from vitui.tui.screens.help import HelpScreen, carry_out, everything

        title = f"Keys of the {self.KIND} screen"
        self.app.push_screen(HelpScreen(title, everything(self), self.vitui.palette), carry_out)

    def action_palette(self) -> None:
        from vitui.tui.screens.help import HelpScreen, RunsByName, carry_out, possible_now

        runs = self.vitui.runs_known
        title = f"Commands, and {len(runs):,} runs by name" if runs else "Commands"
        more = RunsByName(runs, self.vitui.open_run)
        self.app.push_screen(HelpScreen(title, possible_now(self), self.vitui.palette, more), carry_out)

    def action_jump(self) -> None:
        from vitui.tui.screens.jump import JumpScreen

        targets = self.jump_targets()
        if targets:
            self.app.push_screen(JumpScreen(targets, self.vitui.palette))
        else:
            self.vitui.tell("nothing to jump to here")

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
