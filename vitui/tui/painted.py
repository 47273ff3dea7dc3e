"""Writing to the terminal only what is not there yet.

Textual's own partial update of a line writes everything from the widget's left edge up to the last cell that changed:
a crosshair moved by one column in six charts would send the whole screen over the link. And every change of layout (a
note in the corner, a resize, which lays out five times) writes all lines again.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Size


class Painted:
    """What stands on the terminal's lines, as far as it is known."""

    def __init__(self) -> None:
        self._lines: dict[int, str] = {}
        self._size = Size(0, 0)

    def forget(self) -> None:
        """Something else may have written to the terminal."""
        self._lines.clear()

    def only_new(self, update: CompositorUpdate, size: Size) -> CompositorUpdate:
        """`update` without what stands there; `size` is the terminal's."""
        if size != self._size:
            self._size = size
            self.forget()
        if isinstance(update, LayoutUpdate):
            return _Lines(update, self._lines)
        return _Spans(update, self._lines) if isinstance(update, ChopsUpdate) else update


class _Lines(CompositorUpdate):
    """Whole lines, without those that stand there already."""

    def __init__(self, update: LayoutUpdate, known: dict[int, str]) -> None:
        self._update = update
        self._known = known

    def render_segments(self, console: Console) -> str:
        """The escape sequences that bring the lines up to date."""
        sequences: list[str] = []
        x, top = self._update.region.x, self._update.region.y
        for y, line in enumerate(self._update.strips, top):
            text = "".join(strip.render(console) for strip in line)
            if self._known.get(y) != text:
                self._known[y] = text
                sequences.append(Control.move_to(x, y).segment.text)
                sequences.append(text)
        return terse("".join(sequences))


class _Spans(CompositorUpdate):
    """Spans of lines, cut at both ends."""

    def __init__(self, update: ChopsUpdate, known: dict[int, str]) -> None:
        self._update = update
        self._known = known

    def render_segments(self, console: Console) -> str:
        """The escape sequences that bring the spans up to date."""
        sequences: list[str] = []
        chops, ends = self._update.chops, self._update.chop_ends
        for y, x1, x2 in self._update.spans:
            self._known.pop(y, None)
            for end, (x, strip) in zip(ends[y], chops[y].items(), strict=False):
                left, right = max(x, x1), min(end, x2)
                if strip is not None and left < right:
                    sequences.append(Control.move_to(left, y).segment.text)
                    sequences.append(strip.crop(left - x, right - x).render(console))
        return terse("".join(sequences))


# The end of a piece of styled text, perhaps a move of the cursor, and the style of the next piece.
_SEAM = re.compile(r"\x1b\[0m((?:\x1b\[\d+;\d+H)*)\x1b\[([\d;]+)m")
_STYLE = re.compile(r"\x1b\[([\d;]+)m")
_COLOURS = re.compile(r"(?P<attributes>(?:\d;)*?(?:\d;?)??)(?P<front>38;5;\d+|38;2;\d+;\d+;\d+|3[0-79]|9[0-7]);"
                      r"(?P<back>48;5;\d+|48;2;\d+;\d+;\d+|4[0-79]|10[0-7])")  # fmt: skip


def terse(sequences: str) -> str:
    """`sequences` with, of each style after the first, only what differs from the one before.

    Textual resets and sets everything for each piece of text: two thirds of the bytes of a chart.
    """
    first = _STYLE.search(sequences)
    if first is None:
        return sequences
    before = first[1]

    def shorter(seam: re.Match[str]) -> str:
        nonlocal before
        moves, style = seam[1], seam[2]
        change = _change(before, style)
        before = style
        return moves + change

    return _SEAM.sub(shorter, sequences)


@lru_cache(maxsize=4096)
def _change(before: str, after: str) -> str:
    """The sequence that leads from one style to another."""
    if before == after:
        return ""
    old, new = _COLOURS.fullmatch(before), _COLOURS.fullmatch(after)
    if old is None or new is None or old["attributes"] != new["attributes"]:
        return f"\x1b[0;{after}m"
    codes = [new[part] for part in ("front", "back") if new[part] != old[part]]
    return f"\x1b[{';'.join(codes)}m"
