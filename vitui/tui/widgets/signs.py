"""The signs charts are drawn with: braille dots, quarter blocks for fonts without them, or plain ASCII."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Signs:
    """A cell is `dots_x` x `dots_y` dots; `bits` [dots_y, dots_x] is the bit of each in a pattern.

    `line` and `band`: the character of each pattern, of a curve and of the band behind it. `level`: the dash for each
    row of dots. `marks`: kind of event -> sign on the axis row. Every sign is one cell wide.
    """

    name: str
    bits: NDArray[np.uint8]
    line: NDArray[np.str_]
    band: NDArray[np.str_]
    level: str
    vertical: str
    horizontal: str
    corner: str
    tick_left: str
    tick_below: str
    point: str
    bad: str
    crosshair: str
    cross: str
    chosen: str
    dash: str
    between: str
    marks: Mapping[str, str]

    @property
    def dots_y(self) -> int:
        return int(self.bits.shape[0])

    @property
    def dots_x(self) -> int:
        return int(self.bits.shape[1])

    def mark(self, kind: str) -> str:
        return self.marks.get(kind, self.marks[""])


def _quarters() -> NDArray[np.str_]:
    # Bits: upper left 1, upper right 2, lower left 4, lower right 8.
    return np.array(list(" ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"))


_MARKS = {
    "": "•", "checkpoint": "◇", "best": "◆", "warning": "!", "nonfinite": "×", "diverged": "×", "failed": "×",
    "stopped": "■", "resumed": "▶", "evaluated": "·",
}  # fmt: skip

# Fonts draw U+2800 with hollow dots, so nothing is a space.
_DOTS = np.array([" ", *(chr(0x2800 + p) for p in range(1, 256))])

BRAILLE = Signs(
    name="braille",
    bits=np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.uint8),
    line=_DOTS,
    band=_DOTS,
    level="⠉⠒⠤⣀",
    vertical="│",
    horizontal="─",
    corner="└",
    tick_left="┤",
    tick_below="┴",
    point="•",
    bad="×",
    crosshair="│",
    cross="┼",
    chosen="▸",
    dash="╌",
    between="·",
    marks=_MARKS,
)

BLOCK = Signs(
    name="block",
    bits=np.array([[1, 2], [4, 8]], dtype=np.uint8),
    line=_quarters(),
    band=np.where(np.arange(16) > 0, "░", " "),
    level="▔▁",
    vertical="│",
    horizontal="─",
    corner="└",
    tick_left="┤",
    tick_below="┴",
    point="■",
    bad="×",
    crosshair="│",
    cross="┼",
    chosen="►",
    dash="-",
    between="·",
    marks={**_MARKS, "checkpoint": "○", "best": "●", "resumed": "►"},
)

ASCII = Signs(
    name="ascii",
    bits=np.array([[1], [2]], dtype=np.uint8),
    line=np.array([" ", "*", "*", "#"]),
    band=np.array([" ", "'", ".", ":"]),
    level="--",
    vertical="|",
    horizontal="-",
    corner="+",
    tick_left="+",
    tick_below="+",
    point="o",
    bad="x",
    crosshair="|",
    cross="+",
    chosen=">",
    dash="-",
    between="-",
    marks={
        "": "o", "checkpoint": "^", "best": "@", "warning": "!", "nonfinite": "x", "diverged": "X", "failed": "X",
        "stopped": "=", "resumed": ">", "evaluated": ".",
    },
)  # fmt: skip

SETS = {signs.name: signs for signs in (BRAILLE, BLOCK, ASCII)}


def signs_of(palette: object) -> Signs:
    """The signs a palette asks for in `glyphs`; braille where it asks for nothing known."""
    return SETS.get(str(getattr(palette, "glyphs", BRAILLE.name)), BRAILLE)
