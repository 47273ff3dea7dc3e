"""Jump mode: a letter over everything that can be chosen on the screen; typing it goes there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding
from textual.events import Click, Key
from textual.screen import ModalScreen

from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Bar
from vitui.tui.widgets.listing import Listing

if TYPE_CHECKING:
    from textual.screen import Screen

LETTERS = "fjdkslaghrueiwoqptyvncmxbz"
"""Those under the fingers first."""


class Target(NamedTuple):
    """A place on the screen: its cell, what it is called, and what going there does."""

    x: int
    y: int
    label: str
    go: Callable[[], Any]


def names(count: int) -> list[str]:
    """A name for each of `count` targets: one letter, two where one is not enough; none begins another."""
    if count <= len(LETTERS):
        return list(LETTERS[:count])
    return ["".join(pair) for pair in product(LETTERS, repeat=2)][:count]


def targets_on(screen: Screen[Any]) -> list[Target]:
    """What can have the focus, lists, and links (tabs, say) of a screen, from the top left on; not its key line."""
    found: list[Target] = []
    for widget in screen.query("*"):
        region = widget.region
        if not region or not widget.is_on_screen or widget.id == "keys":
            continue
        if isinstance(widget, Bar):
            x, y = widget.content_region.offset
            for start, text, action in widget.links():
                found.append(Target(x + start, y, text, _follow(widget, action)))
        elif isinstance(widget, Listing):
            if not any((widget.id or "-") in target.label for target in found):  # a tab leads there already
                found.append(Target(region.x, region.y, widget.id or "", _into(widget)))
        elif widget.focusable:
            found.append(Target(region.x, region.y, widget.id or "", widget.focus))
    return sorted(found, key=lambda target: (target.y, target.x))


def _follow(bar: Bar, action: str) -> Callable[[], Any]:
    return lambda: bar.call_later(bar.app.run_action, action, bar)


def _into(listing: Listing) -> Callable[[], Any]:
    """As a click beside its rows: the screen brings the list to the front."""
    return lambda: listing.post_message(Listing.Clicked(listing, "", False))


class JumpScreen(ModalScreen[None]):
    """Letters over `targets`; a key that begins none of them leaves."""

    AUTO_FOCUS = None
    BINDINGS = [Binding("escape,ctrl+o,backspace", "leave_jump", show=False)]

    def __init__(self, targets: Sequence[Target], palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self._targets = dict(zip(names(len(targets)), targets, strict=False))
        self._typed = ""

    def compose(self) -> ComposeResult:
        for name, target in self._targets.items():
            bar = Bar(id=f"jump-{name}")
            bar.styles.position = "absolute"
            bar.styles.offset = (target.x, target.y)
            bar.styles.width = len(name) + 2
            yield bar
        yield Bar(id="jump-hint")

    def on_mount(self) -> None:
        p = self._palette
        for name in self._targets:
            self.query_one(f"#jump-{name}", Bar).show([(f" {name} ", p.mark)])
        self.query_one("#jump-hint", Bar).show([("type a letter to go there", p.text)], [("esc leaves", p.dim)])

    def on_key(self, event: Key) -> None:
        if event.key in ("escape", "backspace", "ctrl+o"):
            return
        event.stop()
        self._typed += event.key
        target = self._targets.get(self._typed)
        if target is not None:
            self.dismiss()
            self.app.call_later(target.go)
            return
        left = [name for name in self._targets if name.startswith(self._typed)]
        for name in self._targets:
            self.query_one(f"#jump-{name}", Bar).display = name in left
        if not left:
            self.dismiss()

    def on_click(self, event: Click) -> None:
        self.dismiss()

    def action_leave_jump(self) -> None:
        self.dismiss()
