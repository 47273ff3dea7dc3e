"""ASCII alone: what is drawn, whatever it is, in signs that every terminal and font has.

Applied where lines leave the app, so borders, scroll bars and the names of runs are covered like the app's own signs.
"""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from vitui.text import cell_width

SIGNS = {
    # States, marks, switches.
    "▶": ">", "✓": "v", "✗": "x", "■": "#", "≈": "!", "◌": "o", "●": "@", "○": "o", "◉": "@", "◇": "o", "◆": "*",
    "★": "*", "☆": ".", "•": "*", "·": ".", "□": "[", "▪": "#", "▫": ".", "☑": "x", "☐": ".", "✔": "v", "✘": "x",
    # Arrows, folds, order.
    "▲": "^", "▼": "v", "△": "^", "▽": "v", "▾": "v", "▸": ">", "◂": "<", "▴": "^", "◀": "<", "►": ">", "◄": "<",
    "→": ">", "←": "<", "↑": "^", "↓": "v", "↔": "-", "↕": "|", "⇒": ">", "⇐": "<", "⟶": ">", "↵": "<", "⏎": "<",
    "›": ">", "‹": "<", "»": ">", "«": "<", "⋯": ".", "↗": "/", "↘": "\\",
    # Arithmetic and writing.
    "≠": "!", "±": "~", "×": "x", "÷": "/", "≤": "<", "≥": ">", "−": "-", "–": "-", "—": "-", "‑": "-", "…": "~",
    "†": "+", "‡": "#", "°": "o", "µ": "u", "μ": "u", "σ": "s", "Δ": "d", "∆": "d", "∞": "8",
    "√": "V", "²": "2", "³": "3", "½": "h",
    "‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "′": "'", "″": '"', "§": "S", "№": "#", "⌫": "<",
    # Lines and blocks.
    "━": "=", "╸": "-", "╺": "-", "═": "=", "║": "|", "┃": "|", "┆": ":", "┊": ":", "╎": ":", "╏": ":", "┄": ".",
    "┈": ".", "╌": ".", "┅": ".", "┉": ".", "▌": ">", "▐": "|", "█": "#", "▓": "#", "▒": ":", "░": ".",
    "▁": "_", "▂": ".", "▃": "-", "▄": "=", "▅": "+", "▆": "*", "▇": "%",
    "▏": "|", "▎": "|", "▍": "|", "▋": "|", "▊": "#", "▉": "#", "▕": "|", "▔": "-", "⎺": "-", "⎻": "-", "⎽": "_",
    # Letters of western languages, which names of people and places need.
    "ß": "s", "ø": "o", "Ø": "O", "æ": "a", "Æ": "A", "ł": "l", "Ł": "L", "đ": "d", "ı": "i", "\xa0": " ",
}  # fmt: skip
"""Sign -> the ASCII character in its place; each is one cell wide."""


@lru_cache(maxsize=4096)
def _ascii(character: str) -> str:
    if character in SIGNS:
        return SIGNS[character]
    code = ord(character)
    if 0x2500 <= code < 0x2580:  # box drawing that is not named above: lines by their name, corners
        return _box(character)
    if 0x2580 <= code < 0x25A0:  # parts of blocks
        return "#"
    if 0x2800 <= code < 0x2900:  # braille
        return " " if code == 0x2800 else "*"
    import unicodedata

    plain = unicodedata.normalize("NFKD", character)[:1]
    if plain.isascii() and plain.isprintable():
        return plain.ljust(cell_width(character))
    return "?" * cell_width(character)


def _box(character: str) -> str:
    import unicodedata

    name = unicodedata.name(character)
    if "HORIZONTAL" in name and "VERTICAL" not in name and "DOWN" not in name and "UP" not in name:
        return "-"
    return (
        "|" if "VERTICAL" in name and "HORIZONTAL" not in name and "LEFT" not in name and "RIGHT" not in name else "+"
    )


def to_ascii(text: str) -> str:
    """`text` in ASCII and of the same width: known signs by their likes, letters without accents, else ``?``."""
    return text if text.isascii() else "".join([c if c < "\x80" else _ascii(c) for c in text])


class AsciiOnly(LineFilter):
    """Draws every line in ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """`segments` with other characters, of the same widths and styles."""
        return [
            segment if segment.text.isascii() else Segment(to_ascii(segment.text), segment.style, segment.control)
            for segment in segments
        ]
