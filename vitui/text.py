"""Text that came from a run, a user or a file, made fit for a terminal. Loads rich only to measure wide letters."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

ELLIPSIS = "…"
MAX_COMBINING = 3
"""Combining marks in a row that are kept on one letter; more of them climb over the neighbouring lines."""

_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
# Cc control, Cf format (bidi overrides, zero-width joiners, tags), Cs surrogate, Co private, Cn unassigned,
# Zl/Zp line and paragraph separators: none of them may reach a terminal, which would obey or misplace them.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Variation selectors and skin tones: a terminal adds them to the sign before, or gives them cells of their own.
_ADDED = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0x1F3FB, 0x1F400))))
# Two of them are a flag in two cells, or letters in one or two cells each: drawn as the letters they stand for.
_REGIONAL = {chr(0x1F1E6 + n): chr(ord("A") + n) for n in range(26)}
# Letters without a sign, and signs that are one cell in some terminals and two in others (tmux among them).
_UNCERTAIN = frozenset(
    map(chr, (0x115F, 0x1160, 0x3164, 0xFFA0, 0x1171E, *range(0x2630, 0x2638), *range(0x268A, 0x2690),
              *range(0x3248, 0x3250), *range(0x1D300, 0x1D357), *range(0x1D360, 0x1D377)))
)  # fmt: skip

# CSI, OSC (up to BEL, ST or the line's end), the other string sequences, and two-byte escapes; C1 forms as well.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]"
)


def safe(text: str, width: int | None = None) -> str:
    r"""`text` with everything a terminal would obey made visible, and cut to `width` cells if that is given.

    Control, escape, bidi and other invisible characters become ASCII escapes (``\x1b``, ``\u202e``, ``\n``), and so do
    those on whose width terminals do not agree (the spacing vowel signs of Indian scripts are the best known);
    variation selectors and skin tones are left out, flags are their two letters. What is cut ends in an ellipsis.
    The result never holds a newline and never needs more than `width` cells.
    """
    if text.isascii() and text.isprintable():
        if width is None or len(text) <= width:
            return text
        return text[: width - 1] + ELLIPSIS if width > 0 else ""
    out: list[str] = []
    used = marks = 0
    fits = 0  # `out[:fits]` leaves room for the ellipsis
    for character in text:
        shown, cells = _shown(character)
        if cells == 0 and shown:
            marks += 1
            if not out or marks > MAX_COMBINING:
                shown = _escape(character)
                cells = len(shown)
        elif shown:
            marks = 0
        if width is not None:
            if used + cells > width:
                return "".join(out[:fits]) + ELLIPSIS if width > 0 else ""
            if used + cells < width:
                fits = len(out) + 1
        out.append(shown)
        used += cells
    return "".join(out)


def strip_escapes(text: str) -> str:
    """`text` without terminal escape sequences (colours, cursor movement, titles, links)."""
    return _ESCAPES.sub("", text) if ("\x1b" in text or not text.isascii()) else text


def console_line(text: str, width: int = 2000) -> str:
    r"""One line of a program's output as it stood on the screen at the end.

    Escape sequences are removed, a carriage return starts the line over (so of a progress bar only its last state
    is left), tabs become spaces, whatever else is invisible is escaped by `safe`. At most `width` cells.
    """
    text = strip_escapes(text).rstrip("\r\n")
    if "\r" in text:
        text = next((part for part in reversed(text.split("\r")) if part.strip()), "")
    if "\t" in text:
        text = text.expandtabs(8)
    return safe(text, width)


def cell_width(text: str) -> int:
    """Cells `text` needs in a terminal (wide letters two, combining marks none)."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # the table the terminal interface measures with, too

    return cell_len(text)


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Safe `text` in lines of at most `width` cells, broken between words; a longer word is broken where it must be.

    Lines after the first begin with `indent`. No lines for a text of nothing but spaces.
    """
    lines: list[str] = []
    line, fresh = "", True
    for word in text.split(" "):
        glued = line + word if fresh else f"{line} {word}"
        if fresh or cell_width(glued) <= width:
            line = glued
        else:
            lines.append(line)
            line = indent + word
        fresh = False
        while cell_width(line) > width:
            cut = max(_fitting(line, width), len(indent) + 1)
            lines.append(line[:cut])
            line = indent + line[cut:]
    return [*lines, line] if line.strip(" ") else lines


def _fitting(text: str, width: int) -> int:
    """How many characters of `text` fit in `width` cells."""
    used = 0
    for number, character in enumerate(text):
        used += cell_width(character)
        if used > width:
            return number
    return len(text)


@lru_cache(maxsize=4096)
def _shown(character: str) -> tuple[str, int]:
    if " " <= character <= "~":
        return character, 1
    if character in _ADDED:
        return "", 0
    if character in _REGIONAL:
        return _REGIONAL[character], 1
    category = unicodedata.category(character)
    cells = cell_width(character)
    if category in _HIDDEN or category == "Mc" or character in _UNCERTAIN:
        shown = _escape(character)
        return shown, len(shown)
    return character, cells


def _escape(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
