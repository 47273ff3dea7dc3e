"""Writing to the terminal only what is not there yet.

Textual's own partial update of a line writes everything from the widget's left edge up to the last cell that changed:
a crosshair moved by one column in six charts would send the whole screen over the link. And every change of layout (a
note in the corner, a resize, which lays out five times) writes all lines again.
"""

from __future__ import annotations

import curses
import re
import sys
from collections.abc import Callable
from functools import lru_cache

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Size


class Painted:
    """What stands on the terminal's lines, as far as it is known.

    `erases`: the terminal fills what it erases with the background colour in force, as `fills_what_it_erases` says.
    """

    def __init__(self, *, erases: bool = False) -> None:
        self._terse = terser if erases else terse
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
            return _Lines(update, self._lines, self._terse)
        return _Spans(update, self._lines, self._terse) if isinstance(update, ChopsUpdate) else update


class _Lines(CompositorUpdate):
    """Whole lines, without those that stand there already."""

    def __init__(self, update: LayoutUpdate, known: dict[int, str], shorten: Callable[[str], str]) -> None:
        self._update = update
        self._known = known
        self._shorten = shorten

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
        return stepped(self._shorten("".join(sequences)))


class _Spans(CompositorUpdate):
    """Spans of lines, cut at both ends; a whole line is written only if it does not stand there already."""

    def __init__(self, update: ChopsUpdate, known: dict[int, str], shorten: Callable[[str], str]) -> None:
        self._update = update
        self._known = known
        self._shorten = shorten

    def render_segments(self, console: Console) -> str:
        """The escape sequences that bring the spans up to date."""
        sequences: list[str] = []
        for y, x1, x2 in self._update.spans:
            text, whole = self._span(y, x1, x2, console)
            if not whole:
                self._known.pop(y, None)
            elif self._known.get(y) == text:
                continue
            else:
                self._known[y] = text
            sequences.append(text if not whole else Control.move_to(0, y).segment.text + text)
        return self._shorten("".join(sequences))

    def _span(self, y: int, x1: int, x2: int, console: Console) -> tuple[str, bool]:
        """What to write, and whether it is the whole line; that is without the move to its beginning."""
        chops, ends = self._update.chops[y], self._update.chop_ends[y]
        whole = x1 <= 0 and x2 >= ends[-1] and all(strip is not None for strip in chops.values())
        sequences, at = [], 0 if whole else None
        for end, (x, strip) in zip(ends, chops.items(), strict=False):
            left, right = max(x, x1), min(end, x2)
            if strip is not None and left < right:
                if at != left:
                    sequences.append(Control.move_to(left, y).segment.text)
                part = strip if (left, right) == (x, end) else strip.crop(left - x, right - x)
                sequences.append(part.render(console))
                at = right
        return "".join(sequences), whole


def fills_what_it_erases(term: str) -> bool:
    """Whether a terminal of this name gives what it erases the background colour in force (terminfo: bce).

    tmux does, though its terminfo does not say so; kitty does not, whatever else it has in common with xterm.
    """
    if term.startswith("tmux"):
        return True
    try:
        curses.setupterm(term, sys.__stdout__.fileno() if sys.__stdout__ is not None else 1)
    except (curses.error, OSError, ValueError):  # no such terminal is known here, or there is none
        return False
    return curses.tigetflag("bce") == 1


# Perhaps the end of a piece of styled text and a move of the cursor, and the style and the text of the next piece.
_SEAM = re.compile(r"(\x1b\[0m)?((?:\x1b\[\d+;\d+H)*)\x1b\[((?!0m)[\d;]+)m([^\x1b]*)")
_COLOURS = re.compile(r"(?P<attributes>(?:\d;)*?(?:\d;?)??)(?P<front>38;5;\d+|38;2;\d+;\d+;\d+|3[0-79]|9[0-7]);"
                      r"(?P<back>48;5;\d+|48;2;\d+;\d+;\d+|4[0-79]|10[0-7])")  # fmt: skip
_ONLY_BACK = re.compile(r"48;5;\d+|48;2;\d+;\d+;\d+|4[0-79]|10[0-7]")
_ON_LETTERS = frozenset("123;")
"""Attributes that a space does not show: bold, dim, italic."""
_BLANKS = re.compile(" {12,}")
"""Where erasing and a step to the right are shorter."""


def terse(sequences: str, *, erase: bool = False) -> str:
    """`sequences` with, of each style after the first, only what differs from the one before.

    Textual resets and sets everything for each piece of text: two thirds of the bytes of a chart. Of spaces only the
    background is seen. With `erase`, long runs of them are erased, not written.
    """
    before = ""

    def shorter(seam: re.Match[str]) -> str:
        nonlocal before
        reset, moves, style, text = seam.groups()
        change = ""
        if reset is None:  # the first, or after text without a style: nothing is in force
            change, before = f"\x1b[{style}m", style
        elif text.strip(" ") or not _same_spaces(before, style):
            change, before = _change(before, style), style
        if erase and _same_spaces(before, before):
            text = _BLANKS.sub(_erased, text)
        return f"{moves}{change}{text}"

    return _SEAM.sub(shorter, sequences)


def terser(sequences: str) -> str:
    """As `terse`, for terminals that fill what they erase."""
    return terse(sequences, erase=True)


_LINE_END = re.compile(r"(?P<blanks>\x1b\[\d+X\x1b\[\d+C *(?=\x1b\[\d+;1H|\x1b\[0m$))|\x1b\[(?P<row>\d+);1H")


def stepped(sequences: str) -> str:
    """Whole lines: to the next one by a line feed, and what is erased at the end of one without counting it."""
    row = 0

    def shorter(found: re.Match[str]) -> str:
        nonlocal row
        if found["blanks"]:
            return "\x1b[K"
        before, row = row, int(found["row"])
        return "\r\n" if before and row == before + 1 else found[0]

    return _LINE_END.sub(shorter, sequences)


def _erased(blanks: re.Match[str]) -> str:
    count = len(blanks[0])
    return f"\x1b[{count}X\x1b[{count}C"


@lru_cache(maxsize=4096)
def _same_spaces(before: str, after: str) -> bool:
    """Whether a space looks the same in two styles, and has no more to it than a background."""
    backs = []
    for style in (before, after):
        found = _COLOURS.fullmatch(style)
        if found is None and _ONLY_BACK.fullmatch(style):
            backs.append(style)
        elif found is None or not _ON_LETTERS.issuperset(found["attributes"]):
            return False
        else:
            backs.append(found["back"])
    return backs[0] == backs[1]


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
